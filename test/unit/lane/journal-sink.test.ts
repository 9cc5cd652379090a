import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocateRecordMemory, type RecordHandler } from "../../../src/core/record.ts";
import { JournalSink } from "../../../src/lane/journal-sink.ts";
import { JournaledPipe } from "../../../src/lane/pipe.ts";
import { ArenaPlan } from "../../../src/ring/arena.ts";
import { planRing, RingConsumer, RingProducer } from "../../../src/ring/spsc-ring.ts";
import {
  encodeHeader,
  FLAG_CONTINUATION,
  FLAG_MORE,
  Gap,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_GAP,
  KIND_TIMER,
  RecordHeader,
} from "../../../src/wire/messages.gen.ts";

interface Seen {
  readonly kind: number;
  readonly sequence: number;
  readonly spare: number;
  readonly lost: number;
}

function rig(capacity: number, options: { onFull?: () => void; runRoom?: number } = {}) {
  const plan = new ArenaPlan();
  const ring = planRing(plan, "orders", capacity);
  const memory = allocateRecordMemory(plan.map().bytes / 64);
  const producer = new RingProducer(memory, ring, null);
  const consumer = new RingConsumer(memory, ring);
  const journal = new JournalSink(producer, { stream: 7, stampSequence: true, ...options });
  const seen: Seen[] = [];
  const handler: RecordHandler = {
    onRecord: (m, at) => {
      const { kind, sequence, spare } = new RecordHeader(m).wrap(m, at);
      seen.push({ kind, sequence, spare, lost: kind === KIND_GAP ? new Gap(m).wrap(m, at).lostCount : 0 });
    },
  };
  const drain = (limit = 1000) => {
    journal.publish();
    return consumer.availableNow() > 0 ? consumer.drain(handler, limit) : 0;
  };
  const write = (kind: number, flags: number) => {
    const at = journal.tryClaim();
    encodeHeader(memory, at, kind, flags, 0, 0, 0, 0, 0, 5);
    journal.commit();
  };
  return { memory, journal, producer, consumer, seen, drain, write, handler };
}

describe("JournalSink", () => {
  test("a full ring loses records into one Gap that stands where they are missing", () => {
    let alarms = 0;
    const { journal, seen, drain, write } = rig(8, { runRoom: 1, onFull: () => alarms++ });
    for (let i = 0; i < 12; i++) write(KIND_TIMER, 0);
    expect(journal.lost).toBe(4);
    expect(journal.full).toBe(true);
    expect(journal.hasRoom(1)).toBe(false);
    expect(alarms).toBe(1);
    drain();
    write(KIND_TIMER, 0);
    drain();
    expect(seen.map((s) => s.kind)).toEqual([...Array(8).fill(KIND_TIMER), KIND_GAP, KIND_TIMER]);
    expect(seen[8]).toMatchObject({ lost: 4 });
    expect(journal.full).toBe(false);
    for (let i = 0; i < 12; i++) write(KIND_TIMER, 0);
    expect(alarms).toBe(2);
  });

  test("an idle journal writes its Gap at the next publish with room", () => {
    const { seen, drain, write, journal } = rig(8, { runRoom: 1 });
    for (let i = 0; i < 9; i++) write(KIND_TIMER, 0);
    drain();
    drain();
    expect(seen.at(-1)).toMatchObject({ kind: KIND_GAP, lost: 1 });
    expect(journal.full).toBe(false);
  });

  test("continuations repeat the sequence of their head", () => {
    const { seen, drain, write } = rig(64);
    write(KIND_FILL, FLAG_MORE);
    write(KIND_FILL_DETAIL, FLAG_CONTINUATION);
    write(KIND_TIMER, 0);
    drain();
    expect(seen.map((s) => s.sequence)).toEqual([1, 1, 2]);
  });

  test("every record is journalled or counted, and a head is never parted from its continuation (seed 91)", () => {
    const step = fc.oneof(
      fc.constant("single" as const),
      fc.constant("pair" as const),
      fc.integer({ min: 1, max: 6 }),
    );
    const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { journal, seen, drain, write } = rig(16, { runRoom: 2 });
      let written = 0;
      for (const s of steps) {
        if (s === "single") write(KIND_TIMER, 0);
        if (s === "pair") {
          write(KIND_FILL, FLAG_MORE);
          write(KIND_FILL_DETAIL, FLAG_CONTINUATION);
        }
        written += s === "single" ? 1 : s === "pair" ? 2 : 0;
        if (typeof s === "number") drain(s);
      }
      while (drain(1000) > 0);
      const gaps = seen.filter((s) => s.kind === KIND_GAP);
      const records = seen.filter((s) => s.kind !== KIND_GAP);
      expect(gaps.reduce((sum, g) => sum + g.lost, 0)).toBe(journal.lost);
      expect(records.length + journal.lost).toBe(written);
      seen.forEach((s, i) => {
        if (s.kind === KIND_FILL)
          expect(seen[i + 1]).toMatchObject({ kind: KIND_FILL_DETAIL, sequence: s.sequence });
        if (s.kind === KIND_FILL_DETAIL) expect(seen[i - 1]!.kind).toBe(KIND_FILL);
      });
      const sequences = records.map((s) => s.sequence);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    });
    fc.assert(property, { seed: 91, numRuns: 200 });
  });
});

describe("JournaledPipe", () => {
  test("outputs that a handler writes while a record is delivered follow it in the journal", () => {
    const { memory, journal, seen, drain, write } = rig(64);
    const upstream = { sequence: 41 };
    const pipe = new JournaledPipe(journal, { onRecord: () => write(KIND_FILL, 0) }, upstream);
    for (let i = 0; i < 3; i++) {
      encodeHeader(memory, pipe.tryClaim(), KIND_TIMER, 0, 0, 0, 0, 0, 0, 0);
      upstream.sequence++;
      pipe.commit();
    }
    pipe.publish();
    drain();
    expect(seen.map((s) => s.kind)).toEqual([
      KIND_TIMER,
      KIND_FILL,
      KIND_TIMER,
      KIND_FILL,
      KIND_TIMER,
      KIND_FILL,
    ]);
    expect(seen.filter((s) => s.kind === KIND_TIMER).map((s) => s.spare)).toEqual([42, 43, 44]);
    expect(seen.map((s) => s.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("a full journal still delivers, intact, while the handler's outputs are lost beside it", () => {
    const { memory, journal, write } = rig(8, { runRoom: 1 });
    const delivered: number[] = [];
    const handler: RecordHandler = {
      onRecord: (m, at) => {
        for (let i = 0; i < 5; i++) write(KIND_FILL, 0);
        delivered.push(m.f64[(at >> 3) + 3]!);
      },
    };
    const pipe = new JournaledPipe(journal, handler, null);
    for (let i = 0; i < 20; i++) {
      encodeHeader(memory, pipe.tryClaim(), KIND_TIMER, 0, 0, 0, 0, 0, 0, i);
      pipe.commit();
    }
    expect(delivered).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(journal.lost).toBe(20 * 6 - 8);
  });
});
