// WAL append: records from a ring into checked batches of a segment file, against the same bytes written raw.
//
//   own        producer ──ring──▶ agent ─▶ staging (copy, crc) ─▶ write      64-byte records, 1024 a turn
//   reference                              buffer              ─▶ write      the same bytes a turn
//
// Both write fresh files in the temporary directory, without fsync: the question is what the journal costs,
// not what the disk does.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicNs } from "../ffi/host.ts";
import { ManualClock } from "../src/core/clock.ts";
import { copyRecord, RECORD_BYTES, RecordMemory } from "../src/core/record.ts";
import { JournalAgent } from "../src/journal/journal-agent.ts";
import { BATCH_HEADER_BYTES } from "../src/journal/segment.ts";
import { WalWriter } from "../src/journal/wal-writer.ts";
import { ArenaPlan } from "../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer } from "../src/ring/spsc-ring.ts";
import { encodeTrade } from "../src/wire/messages.gen.ts";
import { type Bench, type BenchSize, type Figures, figures, heapBytesPerOp, type Side } from "./harness.ts";

const RECORDS_PER_TURN = 1024;
const TURNS = { full: 1024, tiny: 16 } as const;
const SEGMENT_BYTES = 1 << 26;

/** Times `turn` per record; `turn` returns the records it wrote. */
function measureTurns(turns: number, turn: () => number): Figures {
  const times = new Float64Array(turns);
  let records = 0;
  const started = monotonicNs();
  let before = started;
  for (let i = 0; i < turns; i++) {
    records += turn();
    const after = monotonicNs();
    times[i] = (after - before) / RECORDS_PER_TURN;
    before = after;
  }
  return figures(times, records, before - started, records);
}

/** Runs `measure` in a directory of its own, which is removed afterwards. */
function inDirectory<T>(measure: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-wal-bench-"));
  try {
    return measure(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function journalSide(size: BenchSize): Side {
  const plan = new ArenaPlan();
  const ring = planRing(plan, "orders", 4096);
  const memory = new RecordMemory(new SharedArrayBuffer(plan.map().bytes));
  const producer = new RingProducer(memory, ring, null);
  const consumer = new RingConsumer(memory, ring);
  const template = new RecordMemory(new ArrayBuffer(4096));
  encodeTrade(template, 0, 1, 1, 0, 7, 0, 3600e9, 3600e9, 673_215, 12, 1, 0, 99, 0);
  const clock = new ManualClock(3600e9);
  const open = (dir: string): JournalAgent => {
    const session = { name: "bench-0", nonceLo: 1, nonceHi: 0, baseNs: 0n };
    const limits = { startPosition: 0, segmentBytes: SEGMENT_BYTES, fsyncIntervalMs: 1000 };
    const writer = new WalWriter({ dir, session, clock, fsync: "none", ...limits });
    const agent = new JournalAgent({ writer, inputs: [{ streamId: 1, consumer }], clock, dir });
    agent.onStart();
    return agent;
  };
  const turn = (agent: JournalAgent): number => {
    for (let i = 0; i < RECORDS_PER_TURN; i++) {
      copyRecord(template, 0, memory, producer.tryClaim());
      producer.commit();
    }
    producer.publish();
    return agent.doWork();
  };
  return {
    round: () =>
      inDirectory((dir) => {
        const agent = open(dir);
        const measured = measureTurns(TURNS[size], () => turn(agent));
        agent.onClose();
        return measured;
      }),
    bytesPerOp: () =>
      inDirectory((dir) => {
        const agent = open(dir);
        const bytes = heapBytesPerOp((ops) => {
          let records = 0;
          while (records < ops) records += turn(agent);
          return records;
        });
        agent.onClose();
        return bytes;
      }),
  };
}

function rawSide(size: BenchSize): Side & { readonly name: string } {
  const bytes = new Uint8Array(new ArrayBuffer(BATCH_HEADER_BYTES + RECORDS_PER_TURN * RECORD_BYTES)).fill(7);
  const turnsPerFile = Math.floor(SEGMENT_BYTES / bytes.length);
  return {
    name: "writeSync of the same bytes",
    round: () =>
      inDirectory((dir) => {
        let fd = -1;
        let turn = 0;
        const measured = measureTurns(TURNS[size], () => {
          if (turn++ % turnsPerFile === 0) {
            if (fd >= 0) closeSync(fd);
            fd = openSync(join(dir, `raw-${turn}`), "w");
          }
          writeSync(fd, bytes, 0, bytes.length, ((turn - 1) % turnsPerFile) * bytes.length);
          return RECORDS_PER_TURN;
        });
        closeSync(fd);
        return measured;
      }),
  };
}

export const benches: readonly Bench[] = [
  {
    name: "wal.append",
    question: "ns to bring one record from a ring into the WAL",
    unit: "ns",
    compare: "perSecond",
    sameChecksum: true,
    open: (size) => ({ own: journalSide(size), reference: rawSide(size) }),
  },
];
