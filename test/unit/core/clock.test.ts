import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  baseOfDayNs,
  fromUnixMs,
  ManualClock,
  makeTimeBase,
  NS_PER_DAY,
  SessionClock,
  toUnixNs,
} from "../../../src/core/clock.ts";

describe("session time", () => {
  test("the base is 00:00 UTC of the day (seed 3)", () => {
    const instants = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n });
    const property = fc.property(instants, (realtimeNs) => {
      const base = baseOfDayNs(realtimeNs);
      expect(base % NS_PER_DAY).toBe(0n);
      expect(new Date(Number(base / 1_000_000n)).toISOString()).toEndWith("T00:00:00.000Z");
      expect(realtimeNs - base).toBeGreaterThanOrEqual(0n);
      expect(realtimeNs - base < NS_PER_DAY).toBe(true);
    });
    fc.assert(property, { seed: 3, numRuns: 200 });
  });

  test("a session clock is the wall clock at the anchor and advances with the monotonic clock alone", () => {
    const realtimeNs = 1_723_075_200_123_456_789n;
    let monotonic = 5_000_000_123;
    const base = makeTimeBase(realtimeNs, monotonic);
    const clock = new SessionClock(base, () => monotonic);
    expect(toUnixNs(base.baseNs, clock.nowNs())).toBe(realtimeNs);
    monotonic += 90 * 86_400e9 + 1;
    expect(toUnixNs(base.baseNs, clock.nowNs())).toBe(realtimeNs + 90n * NS_PER_DAY + 1n);
  });

  test("venue milliseconds convert both ways", () => {
    const baseNs = baseOfDayNs(1_723_075_200_123_456_789n);
    const ns = fromUnixMs(Number(baseNs / 1_000_000n), 1_723_118_400_017);
    expect(toUnixNs(baseNs, ns)).toBe(1_723_118_400_017_000_000n);
  });

  test("a manual clock never goes back", () => {
    const clock = new ManualClock(5);
    clock.advanceTo(10);
    clock.advanceTo(7);
    expect(clock.nowNs()).toBe(10);
  });
});
