// One case suite over every record channel: ring (at several cursor starts), fused pipe, journaled pipe, tee.
// The oracle is a pair of plain arrays: committed-but-unpublished and published-but-undelivered.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  allocateRecordMemory,
  NO_SLOT,
  RECORD_BYTES,
  type RecordHandler,
  type RecordMemory,
  type RecordSink,
  type RunSink,
} from "../../src/core/record.ts";
import { JournalSink } from "../../src/lane/journal-sink.ts";
import { FusedPipe, JournaledPipe, TeeSink } from "../../src/lane/pipe.ts";
import { ArenaPlan } from "../../src/ring/arena.ts";
import {
  planRing,
  RingConsumer,
  type RingLocation,
  RingProducer,
  setRingStart,
} from "../../src/ring/spsc-ring.ts";
import { encodeHeader, KIND_TIMER } from "../../src/wire/messages.gen.ts";

const CAPACITY = 16;
const SEED = 20240808;

interface Channel {
  readonly sink: RunSink;
  /** Takes up to `limit` records from the consuming side. Immediate channels have nothing to take. */
  drain(limit: number): number;
  readonly received: number[][];
  /** Records of the journal ring, drained, when there is one. */
  readonly journal: (() => number[][]) | null;
  /** True when commit itself delivers. */
  readonly immediate: boolean;
  abort(): void;
}

const BODY_WORDS = 8;

function readBody(m: RecordMemory, at: number): number[] {
  return Array.from({ length: BODY_WORDS }, (_, i) => m.i32[(at >> 2) + 8 + i]!);
}

/** `inRuns`: takes neighbours in one call. */
function collector(into: number[][], inRuns = false): RecordHandler {
  const onRecord = (m: RecordMemory, at: number) => void into.push(readBody(m, at));
  if (!inRuns) return { onRecord };
  return {
    onRecord,
    onRecords: (m, at, count) => {
      for (let i = 0; i < count; i++) onRecord(m, at + i * RECORD_BYTES);
    },
  };
}

function write(sink: RecordSink, at: number, body: readonly number[]): void {
  encodeHeader(sink.memory, at, KIND_TIMER, 0, 0, 0, 0, 0, 0, 0);
  for (let i = 0; i < BODY_WORDS; i++) sink.memory.i32[(at >> 2) + 8 + i] = body[i]!;
}

function makeRing(start: number, capacity = CAPACITY): { memory: RecordMemory; ring: RingLocation } {
  const plan = new ArenaPlan();
  const ring = planRing(plan, "r", capacity);
  const memory = allocateRecordMemory(plan.map().bytes / 64);
  setRingStart(memory, ring, start);
  return { memory, ring };
}

function ringChannel(start: number, inRuns = false): Channel {
  const { memory, ring } = makeRing(start);
  const producer = new RingProducer(memory, ring, null);
  const consumer = new RingConsumer(memory, ring);
  const received: number[][] = [];
  const handler = collector(received, inRuns);
  return {
    sink: producer,
    drain: (limit) => {
      const count = consumer.availableNow() > 0 ? consumer.drain(handler, limit) : 0;
      consumer.flush();
      return count;
    },
    received,
    journal: null,
    immediate: false,
    abort: () => producer.abort(),
  };
}

function fusedChannel(): Channel {
  const received: number[][] = [];
  const pipe = new FusedPipe(collector(received));
  return { sink: pipe, drain: () => 0, received, journal: null, immediate: true, abort: () => undefined };
}

function drainAll(memory: RecordMemory, ring: RingLocation): () => number[][] {
  const consumer = new RingConsumer(memory, ring);
  return () => {
    const bodies: number[][] = [];
    while (consumer.availableNow() > 0) consumer.drain(collector(bodies), 1000);
    return bodies;
  };
}

function journaledChannel(start: number, inRuns = false): Channel {
  const { memory, ring } = makeRing(start, 1024);
  const journal = new JournalSink(new RingProducer(memory, ring, null), { stream: 1, stampSequence: true });
  const received: number[][] = [];
  const sink = new JournaledPipe(journal, collector(received, inRuns), null);
  return {
    sink,
    drain: () => 0,
    received,
    journal: drainAll(memory, ring),
    immediate: true,
    abort: () => undefined,
  };
}

function teeChannel(start: number): Channel {
  const primary = ringChannel(start);
  const { memory, ring } = makeRing(start, 1024);
  const journal = new JournalSink(new RingProducer(memory, ring, null), { stream: 1, stampSequence: false });
  return {
    ...primary,
    sink: new TeeSink(primary.sink, journal),
    journal: drainAll(memory, ring),
    abort: () => undefined,
  };
}

const WRAP = 0x7fff_fff8;
const CHANNELS: readonly [string, () => Channel][] = [
  ["ring", () => ringChannel(0)],
  ["ring across the Int32 wrap", () => ringChannel(WRAP)],
  ["ring across the zero crossing", () => ringChannel(-8)],
  ["ring to a handler of runs", () => ringChannel(WRAP, true)],
  ["fused pipe", fusedChannel],
  ["journaled pipe", () => journaledChannel(WRAP)],
  ["journaled pipe to a handler of runs", () => journaledChannel(WRAP, true)],
  ["tee into a ring and a journal", () => teeChannel(WRAP)],
];

type Op =
  | { readonly kind: "commit"; readonly body: number[] }
  | { readonly kind: "run"; readonly bodies: number[][] }
  | { readonly kind: "publish" | "abort" }
  | { readonly kind: "drain" | "hasRoom"; readonly n: number };

const body = fc.array(fc.integer(), { minLength: BODY_WORDS, maxLength: BODY_WORDS });
const operation: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("commit" as const), body }) },
  { weight: 2, arbitrary: fc.constant({ kind: "publish" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("run" as const),
      bodies: fc.array(body, { minLength: 1, maxLength: CAPACITY }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("drain" as const), n: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("hasRoom" as const), n: fc.integer({ min: 1, max: 20 }) }),
  },
);

/** The naive queue that every channel must equal. */
class Model {
  readonly committed: number[][] = [];
  readonly published: number[][] = [];
  readonly delivered: number[][] = [];
  readonly all: number[][] = [];

  room(immediate: boolean): number {
    return immediate ? Number.POSITIVE_INFINITY : CAPACITY - this.committed.length - this.published.length;
  }

  commit(value: number[], immediate: boolean): void {
    this.all.push(value);
    (immediate ? this.delivered : this.committed).push(value);
  }

  publish(): void {
    this.published.push(...this.committed.splice(0));
  }

  drain(limit: number): number {
    const taken = this.published.splice(0, limit);
    this.delivered.push(...taken);
    return taken.length;
  }
}

/** An event of many records, in as few runs as the sink takes. */
function writeRun({ sink, immediate }: Channel, model: Model, bodies: readonly number[][]): void {
  for (let done = 0; done < bodies.length; done += sink.runLength) {
    const at = sink.tryClaimRun(bodies.length - done);
    expect(sink.runLength).toBeGreaterThan(0);
    expect(sink.runLength).toBeLessThanOrEqual(bodies.length - done);
    for (let i = 0; i < sink.runLength; i++) {
      write(sink, at + i * RECORD_BYTES, bodies[done + i]!);
      model.commit(bodies[done + i]!, immediate);
    }
    sink.commitRun();
  }
}

function apply(channel: Channel, model: Model, op: Op): void {
  switch (op.kind) {
    case "commit": {
      const at = channel.sink.tryClaim();
      expect(at !== NO_SLOT).toBe(model.room(channel.immediate) > 0);
      if (at === NO_SLOT) return;
      write(channel.sink, at, op.body);
      model.commit(op.body, channel.immediate);
      channel.sink.commit();
      return;
    }
    case "run":
      if (channel.sink.hasRoom(op.bodies.length)) writeRun(channel, model, op.bodies);
      return;
    case "publish":
      channel.sink.publish();
      model.publish();
      return;
    case "drain":
      expect(channel.drain(op.n)).toBe(model.drain(op.n));
      return;
    case "hasRoom":
      expect(channel.sink.hasRoom(op.n)).toBe(model.room(channel.immediate) >= op.n);
      return;
    case "abort":
      channel.abort();
      model.committed.length = 0;
  }
}

for (const [name, make] of CHANNELS) {
  describe(name, () => {
    test(`equals a plain queue over random operations (seed ${SEED})`, () => {
      const property = fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const channel = make();
        const model = new Model();
        for (const op of operations) apply(channel, model, op);
        channel.sink.publish();
        model.publish();
        while (channel.drain(7) > 0);
        model.drain(Number.POSITIVE_INFINITY);
        expect(channel.received).toEqual(model.delivered);
        if (channel.journal !== null) expect(channel.journal()).toEqual(model.all);
      });
      fc.assert(property, { seed: SEED, numRuns: 150 });
    });

    test("records arrive once, in order, bit for bit, many times around", () => {
      const channel = make();
      const sent: number[][] = [];
      for (let i = 0; i < 500; i++) {
        const at = channel.sink.tryClaim();
        const words = Array.from({ length: BODY_WORDS }, (_, w) => (i * 0x9e3779b9 + w * 0x7ff80001) | 0);
        write(channel.sink, at, words);
        sent.push(words);
        channel.sink.commit();
        if (i % 3 === 2) {
          channel.sink.publish();
          channel.drain(5);
        }
      }
      channel.sink.publish();
      while (channel.drain(5) > 0);
      expect(channel.received).toEqual(sent);
    });
  });
}

describe("ring alone", () => {
  test(`aborted records are never seen (seed ${SEED + 1})`, () => {
    const withAbort = fc.oneof(
      { weight: 8, arbitrary: operation },
      { weight: 1, arbitrary: fc.constant({ kind: "abort" as const }) },
    );
    const property = fc.property(fc.array(withAbort, { maxLength: 120 }), (operations) => {
      const channel = ringChannel(WRAP);
      const model = new Model();
      for (const op of operations) apply(channel, model, op as Op);
      channel.sink.publish();
      model.publish();
      while (channel.drain(7) > 0);
      model.drain(Number.POSITIVE_INFINITY);
      expect(channel.received).toEqual(model.delivered);
    });
    fc.assert(property, { seed: SEED + 1, numRuns: 150 });
  });

  test("nothing is visible before it is published", () => {
    const channel = ringChannel(0);
    write(channel.sink, channel.sink.tryClaim(), [1, 2, 3, 4, 5, 6, 7, 8]);
    channel.sink.commit();
    expect(channel.drain(10)).toBe(0);
    channel.sink.publish();
    expect(channel.drain(10)).toBe(1);
  });

  test("drain ends the batch once, and not when nothing was read", () => {
    const { memory, ring } = makeRing(0);
    const producer = new RingProducer(memory, ring, null);
    const consumer = new RingConsumer(memory, ring);
    let ends = 0;
    const handler: RecordHandler = { onRecord: () => undefined, onBatchEnd: () => void ends++ };
    expect(consumer.drain(handler, 10)).toBe(0);
    expect(ends).toBe(0);
    for (let i = 0; i < 3; i++) {
      write(producer, producer.tryClaim(), [i, 0, 0, 0, 0, 0, 0, 0]);
      producer.commit();
    }
    producer.publish();
    consumer.availableNow();
    expect(consumer.drain(handler, 10)).toBe(3);
    expect(ends).toBe(1);
  });

  test("a record published between plain looks is found at the forced look at the latest", () => {
    const { memory, ring } = makeRing(0);
    const producer = new RingProducer(memory, ring, null);
    const consumer = new RingConsumer(memory, ring);
    for (let i = 0; i < 1000; i++) consumer.available();
    write(producer, producer.tryClaim(), [1, 0, 0, 0, 0, 0, 0, 0]);
    producer.commit();
    producer.publish();
    let looks = 0;
    while (consumer.available() === 0) looks++;
    expect(looks).toBeLessThanOrEqual(64);
  });

  test("records return to the producer lazily, and at the first empty drain at the latest", () => {
    const { memory, ring } = makeRing(WRAP, 1024);
    const producer = new RingProducer(memory, ring, null);
    const consumer = new RingConsumer(memory, ring);
    const send = (count: number) => {
      for (let i = 0; i < count; i++) {
        write(producer, producer.tryClaim(), [i, 0, 0, 0, 0, 0, 0, 0]);
        producer.commit();
      }
      producer.publish();
      consumer.availableNow();
    };
    const room = () => Array.from({ length: 1025 }, (_, n) => n).findLast((n) => producer.hasRoom(n));
    const nothing: RecordHandler = { onRecord: () => undefined };
    send(1024);
    while (consumer.drain(nothing, 10) > 0);
    expect(room()).toBe(1024);
    send(1000);
    consumer.drain(nothing, 63);
    expect(room()).toBe(24);
    consumer.drain(nothing, 1);
    expect(room()).toBe(24 + 64);
  });

  test("capacities that are not powers of two are refused", () => {
    for (const capacity of [0, 1, 3, 12, 2 ** 25, 1.5])
      expect(() => planRing(new ArenaPlan(), "bad", capacity)).toThrow("ring capacity");
  });
});
