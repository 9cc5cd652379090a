import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  bucketLowNs,
  bucketOf,
  bucketWidthNs,
  HISTOGRAM_BUCKETS,
  Histogram,
} from "../../../src/core/histogram.ts";

const duration = fc.oneof(
  fc.integer({ min: 0, max: 200 }),
  fc.integer({ min: 0, max: 0x7fff_ffff }),
  fc.double({ min: 0, max: 1.3e11, noNaN: true }),
);

describe("Histogram", () => {
  test("buckets tile 0 … 2^37 without gap or overlap", () => {
    for (let b = 0; b + 1 < HISTOGRAM_BUCKETS; b++) {
      expect(bucketLowNs(b) + bucketWidthNs(b)).toBe(bucketLowNs(b + 1));
      expect(bucketOf(bucketLowNs(b))).toBe(b);
      expect(bucketOf(bucketLowNs(b + 1) - 1)).toBe(b);
    }
    expect(bucketLowNs(HISTOGRAM_BUCKETS - 1) + bucketWidthNs(HISTOGRAM_BUCKETS - 1)).toBe(2 ** 37);
  });

  test("quantiles lie at most 1/64 above the sorted array's (seed 21)", () => {
    const property = fc.property(fc.array(duration, { minLength: 1, maxLength: 400 }), (values) => {
      const histogram = new Histogram();
      for (const v of values) histogram.record(v);
      const reader = histogram.snapshot();
      const sorted = values.map(Math.floor).sort((a, b) => a - b);
      for (const q of [0, 0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
        const truth = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
        const read = reader.quantile(q);
        expect(read).toBeGreaterThanOrEqual(truth);
        expect(read).toBeLessThanOrEqual(truth * (1 + 1 / 64));
      }
      const max = sorted.at(-1)!;
      expect(reader.max).toBeGreaterThanOrEqual(max);
      expect(reader.max).toBeLessThanOrEqual(max * (1 + 1 / 64));
      const mean = sorted.reduce((s, v) => s + v, 0) / sorted.length;
      expect(Math.abs(reader.mean - mean)).toBeLessThanOrEqual(mean / 64 + 0.5);
      expect(reader.count).toBe(values.length);
      expect(reader.countUpTo(2 ** 40)).toBe(values.length);
    });
    fc.assert(property, { seed: 21, numRuns: 200 });
  });

  test("merge is recording into one, since is what came after (seed 22)", () => {
    const values = fc.array(duration, { maxLength: 100 });
    const property = fc.property(values, values, (a, b) => {
      const first = new Histogram();
      for (const v of a) first.record(v);
      const before = first.snapshot();
      const second = new Histogram();
      for (const v of b) {
        second.record(v);
        first.record(v);
      }
      expect(before.merge(second.snapshot()).counts).toEqual(first.snapshot().counts);
      expect(first.snapshot().since(before).counts).toEqual(second.snapshot().counts);
    });
    fc.assert(property, { seed: 22, numRuns: 100 });
  });

  test("faulty durations are kept at the edges, and an empty histogram says so", () => {
    const histogram = new Histogram();
    expect(histogram.snapshot().quantile(0.5)).toBeNaN();
    expect(histogram.snapshot().max).toBeNaN();
    expect(histogram.snapshot().mean).toBeNaN();
    for (const ns of [Number.NaN, -5, Number.NEGATIVE_INFINITY]) histogram.record(ns);
    for (const ns of [2 ** 37, 1e300, Number.POSITIVE_INFINITY]) histogram.record(ns);
    const { counts } = histogram.snapshot();
    expect(counts[0]).toBe(3);
    expect(counts[HISTOGRAM_BUCKETS - 1]).toBe(3);
    histogram.reset();
    expect(histogram.snapshot().count).toBe(0);
  });
});
