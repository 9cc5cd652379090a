// A depth message's levels in one lane (LevelRun, packed in the journal ring) against the same levels as records:
// what WRITER makes of the ring, what FACTOR sends and holds, byte for byte.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { LevelRun } from "../../src/core/level-run.ts";
import {
  allocateRecordMemory,
  copyRecord,
  RECORD_BYTES,
  type RecordHandler,
  type RecordMemory,
  type RunSink,
} from "../../src/core/record.ts";
import { makeFactorState } from "../../src/factor/factor-state.ts";
import { FactorGraph } from "../../src/factor/graph.ts";
import { FactorHandler } from "../../src/factor/handler.ts";
import { Unpacker } from "../../src/journal/unpacker.ts";
import { JournalSink } from "../../src/lane/journal-sink.ts";
import { FusedPipe, JournaledPipe } from "../../src/lane/pipe.ts";
import { ArenaPlan } from "../../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer, setRingStart } from "../../src/ring/spsc-ring.ts";
import { FeedWriter } from "../../src/venue/binance/feed-writer.ts";
import { HEADER_KIND, KIND_DEPTH_DELTA, KIND_GAP } from "../../src/wire/messages.gen.ts";

const SEED = 61_803;
const CAPACITY = 1024;

interface Message {
  /** Ticks and lots in turn, bids first. */
  readonly values: number[];
  readonly bids: number;
  readonly recvNs: number;
}

const level = fc.tuple(fc.integer({ min: 990, max: 1010 }), fc.nat(3));
const message = fc
  .tuple(fc.array(level, { maxLength: 300, size: "max" }), fc.array(level, { maxLength: 40 }), fc.nat(1000))
  .filter(([bids, asks]) => bids.length + asks.length > 0)
  .map(([bids, asks, recvNs]) => ({
    values: [...bids.map(([p, q]) => [p - 15, q]), ...asks.map(([p, q]) => [p + 15, q])].flat(),
    bids: bids.length,
    recvNs,
  }));
const messages = fc.array(message, { minLength: 1, maxLength: 12 });

function write(writer: FeedWriter, all: readonly Message[], each: () => void = () => {}): void {
  let nowNs = 1e6;
  all.forEach(({ values, bids, recvNs }, k) => {
    nowNs += recvNs;
    const count = values.length / 2;
    writer.levels(Float64Array.from(values), 0, bids, count, 0, 1, nowNs - 5, nowNs, k, 7);
    writer.publish();
    each();
  });
}

/** Hands every record on as a copy. */
function keeper(into: Uint8Array[]): RecordHandler {
  return {
    onRecord: (m: RecordMemory, at: number) => {
      const copy = allocateRecordMemory(1);
      copyRecord(m, at, copy, 0);
      into.push(copy.u8.slice(0, RECORD_BYTES));
    },
  };
}

function journalRing(start: number) {
  const plan = new ArenaPlan();
  const ring = planRing(plan, "market", CAPACITY);
  const memory = allocateRecordMemory(plan.map().bytes / RECORD_BYTES);
  setRingStart(memory, ring, start);
  const journal = new JournalSink(new RingProducer(memory, ring, null), { stream: 1, stampSequence: false });
  return { journal, consumer: new RingConsumer(memory, ring) };
}

function recordsOf(all: readonly Message[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  write(new FeedWriter(new FusedPipe(keeper(records)), 0), all);
  return records;
}

/** What is in the ring, as WRITER makes records of it. */
function unpack(unpacker: Unpacker, consumer: RingConsumer, into: Uint8Array[]): void {
  while (consumer.availableNow() > 0) {
    unpacker.take();
    for (let i = 0; i < unpacker.records; i++)
      into.push(unpacker.memory.u8.slice(i * RECORD_BYTES, (i + 1) * RECORD_BYTES));
    consumer.release(unpacker.slots);
  }
}

test(`what WRITER unpacks is the records of the same messages, at every place in the ring (seed ${SEED})`, () => {
  const property = fc.property(messages, fc.integer({ min: -2000, max: 2000 }), (all, start) => {
    const { journal, consumer } = journalRing(start);
    const unpacked: Uint8Array[] = [];
    const unpacker = new Unpacker(consumer, 300);
    let packedFirst = 0;
    const handler: RecordHandler = {
      onRecord: () => expect.unreachable(),
      onLevels: (run: LevelRun) => {
        packedFirst += run.count;
      },
    };
    const writer = new FeedWriter(new JournaledPipe(journal, handler, null), 0);
    write(writer, all, () => unpack(unpacker, consumer, unpacked));
    const expected = recordsOf(all);
    expect(packedFirst).toBe(expected.length);
    expect(unpacked).toEqual(expected);
  });
  fc.assert(property, { seed: SEED, numRuns: 150 });
});

test(`what does not fit the journal ring is counted in one Gap, and what is there is what came (seed ${SEED})`, () => {
  const many = fc.array(message, { minLength: 60, maxLength: 80 });
  const property = fc.property(many, (all) => {
    const { journal, consumer } = journalRing(0);
    const handler: RecordHandler = { onRecord: () => {}, onLevels: () => {} };
    write(new FeedWriter(new JournaledPipe(journal, handler, null), 0), all);
    const kept: Uint8Array[] = [];
    const unpacker = new Unpacker(consumer, 300);
    unpack(unpacker, consumer, kept);
    const whole = recordsOf(all);
    expect(kept).toEqual(whole.slice(0, kept.length));
    expect(kept.length + journal.lost).toBe(whole.length);
    journal.publish();
    unpack(unpacker, consumer, kept);
    const gaps = kept.filter((r) => new Uint16Array(r.buffer)[HEADER_KIND] === KIND_GAP);
    expect(gaps.length).toBe(journal.lost > 0 ? 1 : 0);
  });
  fc.assert(property, { seed: SEED, numRuns: 20 });
});

function factor(sink: RunSink, forwards: boolean) {
  const program = new FactorGraph("g", { on: "book" })
    .addNode("mid", "MidPrice")
    .addNode("obi", "OBI", { looking_depth: 0.01 })
    .setOutput("mid", "mid")
    .setOutput("obi", "obi")
    .compile();
  const state = makeFactorState({
    instruments: [{ id: 1, symbol: "BTC", tickSize: "0.1", lotSize: "0.001" }],
    graphs: [{ name: "g", program, instrument: 1 }],
  });
  const subscriptions = forwards ? [{ kind: KIND_DEPTH_DELTA, instrument: 1 }] : [];
  const baseNs = 1_723_161_600_000_000_000n;
  return { state, handler: new FactorHandler({ state, sink, baseNs, subscriptions, assumeSynced: true }) };
}

test(`FACTOR sends and holds the same, whether levels come as a run or as records, forwarded or not (seed ${SEED})`, () => {
  const property = fc.property(messages, fc.boolean(), (all, forwards) => {
    const byRun: Uint8Array[] = [];
    const byRecord: Uint8Array[] = [];
    const runs = factor(new FusedPipe(keeper(byRun)), forwards);
    const records = factor(new FusedPipe(keeper(byRecord)), forwards);
    write(new FeedWriter(new FusedPipe(runs.handler), 0), all);
    write(new FeedWriter(new FusedPipe({ onRecord: (m, at) => records.handler.onRecord(m, at) }), 0), all);
    expect(byRun).toEqual(byRecord);
    const other = records.state.f64;
    expect(runs.state.f64.findIndex((v, i) => !Object.is(v, other[i]))).toBe(-1);
    const [a, b] = [runs, records].map(({ state }) => state.contexts[0]!.book);
    expect(a!.levelCount).toBe(b!.levelCount);
    for (let px = 970; px < 1030; px++)
      for (const side of [1, -1]) expect(a!.qtyAt(side, px)).toBe(b!.qtyAt(side, px));
  });
  fc.assert(property, { seed: SEED, numRuns: 100 });
});
