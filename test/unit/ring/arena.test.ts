import { describe, expect, test } from "bun:test";
import { baseOfDayNs } from "../../../src/core/clock.ts";
import { RecordMemory } from "../../../src/core/record.ts";
import { ArenaPlan, createArena, openArena, PAGE_BYTES } from "../../../src/ring/arena.ts";
import { DOORBELL_BYTES, Doorbell } from "../../../src/ring/doorbell.ts";
import {
  planRing,
  RingConsumer,
  RingProducer,
  ringDepth,
  setRingStart,
} from "../../../src/ring/spsc-ring.ts";

describe("arena", () => {
  test("regions start on pages of their own and do not overlap", () => {
    const plan = new ArenaPlan();
    for (const [name, bytes] of [
      ["a", 1],
      ["b", PAGE_BYTES],
      ["c", PAGE_BYTES + 1],
    ] as const)
      plan.reserve(name, bytes);
    const map = plan.map();
    let end = PAGE_BYTES;
    for (const region of map.regions) {
      expect(region.offset).toBe(end);
      expect(region.offset % PAGE_BYTES).toBe(0);
      end = region.offset + region.bytes;
    }
    expect(map.bytes).toBe(end);
    expect(() => plan.reserve("a", 1)).toThrow("name is taken");
    expect(() => plan.reserve("d", 0)).toThrow("must have a size");
  });

  test("a lane that opens the arena gets main's clocks; foreign memory is refused", () => {
    const realtime = 1_723_075_200_123_456_789n;
    const arena = createArena(new ArenaPlan().map(), 1, realtime, 42e9 + 7);
    expect(openArena(arena, 1)).toEqual({
      baseNs: baseOfDayNs(realtime),
      bootAnchorNs: 42e9 + 7,
      anchorNs: Number(realtime - baseOfDayNs(realtime)),
    });
    expect(() => openArena(arena, 2)).toThrow("another version");
    expect(() => openArena(new SharedArrayBuffer(PAGE_BYTES), 1)).toThrow("not an arena");
  });
});

describe("ring bookkeeping", () => {
  test("depth and sequence stay right across the Int32 wrap", () => {
    const plan = new ArenaPlan();
    const ring = planRing(plan, "r", 16);
    const m = new RecordMemory(new SharedArrayBuffer(plan.map().bytes));
    setRingStart(m, ring, 0x7fff_fffe);
    const producer = new RingProducer(m, ring, null);
    const consumer = new RingConsumer(m, ring);
    for (let i = 0; i < 5; i++) {
      producer.tryClaim();
      producer.commit();
    }
    expect(ringDepth(m, ring)).toBe(0);
    producer.publish();
    expect(ringDepth(m, ring)).toBe(5);
    expect(producer.sequence).toBe(0x8000_0003);
    expect(consumer.availableNow()).toBe(5);
    consumer.release(3);
    expect(ringDepth(m, ring)).toBe(2);
    expect(consumer.sequence).toBe(0x8000_0001);
  });
});

describe("doorbell", () => {
  test("a ring is silent while the lane is awake and changes the bell while it is parked", () => {
    const plan = new ArenaPlan();
    const region = plan.reserve("bell", DOORBELL_BYTES);
    const bell = new Doorbell(new SharedArrayBuffer(plan.map().bytes), region.offset);
    const before = Atomics.load(bell.i32, bell.bell);
    bell.ring();
    expect(Atomics.load(bell.i32, bell.bell)).toBe(before);
    const seen = bell.prepare();
    bell.ring();
    expect(Atomics.wait(bell.i32, bell.bell, seen, 0)).toBe("not-equal");
    bell.unpark();
    bell.ring();
    expect(Atomics.load(bell.i32, bell.bell)).toBe(seen + 1);
    bell.wake();
    expect(Atomics.load(bell.i32, bell.bell)).toBe(seen + 2);
  });
});
