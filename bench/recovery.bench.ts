// A start's reading of the WAL: an archive of closed sessions and one session since the last start, whose end is read
// in any case. With the checkpoint the archive is left out, however long it is; the reference reads all of it.
//
//   archive (SESSIONS × RECORDS, market and position records) │ newest session │
//   reference ────────────────────────────────────────────────┼───────────────▶
//   own                                             checkpoint ┼───────────────▶
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicNs } from "../ffi/host.ts";
import { ManualClock } from "../src/core/clock.ts";
import { allocateRecordMemory, RECORD_BYTES } from "../src/core/record.ts";
import { type Recovery, recoverWal } from "../src/journal/recovery.ts";
import { sessionName } from "../src/journal/segment.ts";
import { WalWriter } from "../src/journal/wal-writer.ts";
import {
  encodePosition,
  encodePositionDetail,
  encodeTrade,
  FLAG_CONTINUATION,
  FLAG_MORE,
} from "../src/wire/messages.gen.ts";
import { type Bench, type BenchSize, type Figures, figures } from "./harness.ts";

const SESSIONS = { full: 10, tiny: 3 } as const;
const RECORDS = { full: 1 << 18, tiny: 1 << 10 } as const;
const BATCH = 64;
const BASE_NS = 1_732_147_200_000_000_000n;

function writeSession(dir: string, number: number, records: number): void {
  const started = BASE_NS + BigInt(number) * 60_000_000_000n;
  const writer = new WalWriter({
    ...{ dir, startPosition: number * records, segmentBytes: 1 << 26, fsync: "none", fsyncIntervalMs: 1000 },
    session: { name: sessionName(started, number + 1, 0), nonceLo: number + 1, nonceHi: 0, baseNs: BASE_NS },
    clock: new ManualClock(3600e9),
  });
  const memory = allocateRecordMemory(BATCH);
  for (let i = 0; i < BATCH - 2; i++)
    encodeTrade(memory, i * RECORD_BYTES, 1, 1, 0, i, 0, 5, 6, 673_215, 12, 1, 0, 99, 0);
  const at = (BATCH - 2) * RECORD_BYTES;
  encodePosition(memory, at, FLAG_MORE, 1, 1, 0, 0, 5, 6, number, -35, 3, 4);
  encodePositionDetail(memory, at + RECORD_BYTES, FLAG_CONTINUATION, 1, 1, 0, 0, 5, 6, 1, 2, 9, 500);
  writer.open();
  for (let done = 0; done < records; done += BATCH) {
    if (writer.room() < BATCH) writer.flush();
    writer.stage(2, memory, 0, BATCH, 0, BATCH);
  }
  writer.close();
}

const digest = (found: Recovery): number =>
  found.endPosition + found.positions[0]!.qtyLots + found.sessions.length + found.problems.length;

function openBench(size: BenchSize) {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-recovery-bench-"));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  const checkpoint = join(dir, "recovery.checkpoint");
  for (let i = 0; i < SESSIONS[size]; i++) writeSession(dir, i, RECORDS[size]);
  recoverWal(dir);
  copyFileSync(checkpoint, `${checkpoint}.archive`);
  writeSession(dir, SESSIONS[size], RECORDS[size]);
  const timed = (recover: () => Recovery): Figures => {
    const started = monotonicNs();
    const found = recover();
    const elapsed = monotonicNs() - started;
    return figures(Float64Array.of(elapsed), 1, elapsed, digest(found));
  };
  return {
    own: {
      round: () => {
        copyFileSync(`${checkpoint}.archive`, checkpoint);
        return timed(() => recoverWal(dir));
      },
    },
    reference: {
      name: "the whole WAL read",
      round: () => timed(() => recoverWal(dir, { checkpoint: false })),
    },
  };
}

export const benches: readonly Bench[] = [
  {
    name: "recovery.start",
    question: "ns to read the WAL at a start after ten closed sessions of 262,144 records and one new one",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: openBench,
  },
];
