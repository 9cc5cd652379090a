import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { expectClose, runNode, type Sample } from "./series-graph.ts";

const SEED = 5_001;
const RUNS = 12;

/** A series with not-ready values, repeats and outliers. */
const series = fc
  .tuple(fc.nat(1 << 30), fc.constantFrom(1, 100_000), fc.integer({ min: 1, max: 160 }))
  .map(([seed, level, length]): Sample[] => {
    const prng = new Prng(seed);
    let x = level;
    let tsNs = 1_000;
    return Array.from({ length }, () => {
      tsNs += 1 + prng.nextBelow(prng.nextBelow(12) === 0 ? 900 : 90);
      const kind = prng.nextBelow(20);
      if (kind > 3) x += prng.nextNormal() * 0.01;
      const value = kind === 0 ? NaN : kind === 1 ? x + 100 * prng.nextNormal() : x;
      return { tsNs, values: [Math.abs(value)] };
    });
  });

type Naive = (window: readonly Sample[], all: readonly Sample[]) => number;
const v = (s: Sample): number => s.values[0]!;
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const mean = (xs: readonly number[]): number => sum(xs) / xs.length;
const std = (xs: readonly number[], ddof: number): number => {
  if (xs.every((x) => x === xs[0])) return 0;
  const m = mean(xs.map((x) => x - xs[0]!));
  return Math.sqrt(sum(xs.map((x) => (x - xs[0]! - m) ** 2)) / (xs.length - ddof));
};

/** Recomputes from the ready samples of the window at every step. */
function naive(samples: readonly Sample[], window: number | string, f: Naive): number[] {
  const seen: Sample[] = [];
  return samples.map((sample) => {
    if (!Number.isFinite(v(sample))) return NaN;
    seen.push(sample);
    if (typeof window === "number") return seen.length < window ? NaN : f(seen.slice(-window), seen);
    const ns = Number(window.slice(0, -2));
    if (sample.tsNs - seen[0]!.tsNs < ns) return NaN;
    return f(
      seen.filter((s) => s.tsNs > sample.tsNs - ns),
      seen,
    );
  });
}

interface Case {
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly f: Naive;
  /** Error is judged against at least this. */
  readonly scale?: number;
}

const last = (w: readonly Sample[]): number => v(w.at(-1)!);
function quantile(w: readonly Sample[], q: number): number {
  const xs = w.map(v).sort((a, b) => a - b);
  const at = q * (xs.length - 1);
  const low = Math.floor(at);
  return xs[low]! + (at - low) * ((xs[low + 1] ?? xs[low]!) - xs[low]!);
}
const zscore = (w: readonly Sample[]): number => {
  const s = std(w.map(v), 0);
  const base = v(w[0]!);
  return s === 0 ? 0 : (last(w) - base - mean(w.map((x) => v(x) - base))) / s;
};

const WINDOWED: readonly Case[] = [
  { type: "RollingMean", config: {}, f: (w) => mean(w.map(v)) },
  { type: "RollingSum", config: {}, f: (w) => sum(w.map(v)) },
  { type: "RollingStd", config: {}, f: (w) => std(w.map(v), 0), scale: 1e-3 },
  { type: "RollingStd", config: { ddof: 1 }, f: (w) => (w.length < 2 ? NaN : std(w.map(v), 1)), scale: 1e-3 },
  { type: "ZScore", config: {}, f: zscore, scale: 10 },
  { type: "RollingMin", config: {}, f: (w) => Math.min(...w.map(v)) },
  { type: "RollingMax", config: {}, f: (w) => Math.max(...w.map(v)) },
];

describe("rolling transforms equal a recomputation of their window", () => {
  for (const { type, config, f, scale } of WINDOWED) {
    for (const window of [2, 7, 40, "300ns"]) {
      test(`${type} ${JSON.stringify({ ...config, window })} (seed ${SEED})`, () => {
        fc.assert(
          fc.property(series, (samples) => {
            expectClose(runNode(type, { ...config, window }, samples), naive(samples, window, f), scale);
          }),
          { seed: SEED, numRuns: RUNS },
        );
      });
    }
  }

  for (const window of [9, "300ns"]) {
    test(`RollingQuantile of ${window} interpolates like numpy's default (seed ${SEED})`, () => {
      fc.assert(
        fc.property(series, fc.double({ min: 0, max: 1, noNaN: true }), (samples, q) => {
          expectClose(
            runNode("RollingQuantile", { window, q }, samples),
            naive(samples, window, (w) => quantile(w, q)),
          );
        }),
        { seed: SEED, numRuns: RUNS },
      );
    });
  }

  test(`Threshold by time compares with the mean of the time window (seed ${SEED})`, () => {
    fc.assert(
      fc.property(series, (samples) => {
        const pairs = samples.map((s) => ({ ...s, values: [v(s), 0] }));
        const expected = naive(samples, "300ns", (w) => (last(w) > 1.001 * mean(w.map(v)) ? 1 : 0));
        const config = { window: "300ns", volatility_threshold: 1.001 };
        expect(runNode("Threshold", config, pairs, 2)).toEqual(expected);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test(`RealizedVolatility is the root of the summed squared log returns (seed ${SEED})`, () => {
    fc.assert(
      fc.property(series, (samples) => {
        const n = 6;
        const expected = naive(samples, n + 1, (w) =>
          Math.sqrt(sum(w.slice(1).map((s, i) => Math.log(v(s) / v(w[i]!)) ** 2))),
        );
        expectClose(runNode("RealizedVolatility", { window: n }, samples), expected, 1e-6);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});

describe("other transforms", () => {
  const lagged =
    (f: (now: number, before: number) => number): Naive =>
    (w) =>
      f(last(w), v(w[0]!));
  const cases: readonly [type: string, config: Case["config"], Naive][] = [
    ["Lag", {}, lagged((_, b) => b)],
    ["Diff", {}, lagged((x, b) => x - b)],
    ["Return", {}, lagged((x, b) => x / b - 1)],
    ["Return", { kind: "log" }, lagged((x, b) => Math.log(x / b))],
  ];
  for (const [type, config, f] of cases) {
    for (const periods of [1, 5]) {
      test(`${type} ${JSON.stringify({ ...config, periods })} looks ${periods} ready inputs back (seed ${SEED})`, () => {
        fc.assert(
          fc.property(series, (samples) => {
            expectClose(runNode(type, { ...config, periods }, samples), naive(samples, periods + 1, f), 1e-6);
          }),
          { seed: SEED, numRuns: RUNS },
        );
      });
    }
  }

  test(`EMA by span starts at the first value and skips what is not ready (seed ${SEED})`, () => {
    fc.assert(
      fc.property(series, (samples) => {
        const expected = naive(samples, 1, (_, all) =>
          all.slice(1).reduce((m, s) => m + (2 / 21) * (v(s) - m), v(all[0]!)),
        );
        expectClose(runNode("EMA", { span: 20 }, samples), expected);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  test(`EMA by half-life weighs by elapsed time (seed ${SEED})`, () => {
    fc.assert(
      fc.property(series, (samples) => {
        const expected = naive(samples, 1, (_, all) =>
          all
            .slice(1)
            .reduce((m, s, i) => m + (1 - 0.5 ** ((s.tsNs - all[i]!.tsNs) / 250)) * (v(s) - m), v(all[0]!)),
        );
        expectClose(runNode("EMA", { half_life: "250ns" }, samples), expected);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  const at = (values: readonly (readonly number[])[]): Sample[] =>
    values.map((x, i) => ({ tsNs: i + 1, values: x }));
  const one = (...xs: number[]): Sample[] => at(xs.map((x) => [x]));

  test("Clip bounds on both sides and passes not ready on", () => {
    expect(runNode("Clip", { low: -1, high: 2 }, one(-3, 0.5, 9, NaN))).toEqual([-1, 0.5, 2, NaN]);
  });

  test("a window of equal values has a z-score of 0, and one value off has a finite one", () => {
    const out = runNode("ZScore", { window: 3 }, one(0.1, 0.1, 0.1, 0.1, 0.3));
    expect(out.slice(0, 4)).toEqual([NaN, NaN, 0, 0]);
    expect(out[4]).toBeCloseTo(Math.SQRT2, 9);
  });

  test("an outlier that left the window leaves no trace", () => {
    const prng = new Prng(3);
    const xs = Array.from({ length: 400 }, (_, i) => (i === 150 ? 1e9 : 100_000 + prng.nextNormal() * 0.01));
    const samples = one(...xs);
    expectClose(
      runNode("RollingStd", { window: 64 }, samples),
      naive(samples, 64, (w) => std(w.map(v), 0)),
      1e-3,
    );
  });

  test("prices at 1e5 with variance 1e-4 stay within 1e-9 of a two-pass recomputation after 300,000 updates", () => {
    const prng = new Prng(17);
    const xs = Array.from({ length: 300_000 }, () => 100_000 + prng.nextNormal() * 0.01);
    const out = runNode("RollingStd", { window: 100 }, one(...xs));
    for (let end = 1_000; end <= xs.length; end += 9_973) {
      const expected = std(xs.slice(end - 100, end), 0);
      expect(Math.abs(out[end - 1]! - expected) / expected).toBeLessThan(1e-9);
    }
  });

  test("Threshold fires on volatility against its mean or on a change against volatility, after its window", () => {
    const rows = at([
      [1, 0],
      [1, 0],
      [1, 2.9],
      [1, -3.1],
      [7, 0],
      [NaN, 9],
      [1, 0],
    ]);
    const config = { window: 3, volatility_threshold: 2, change_threshold: 3 };
    expect(runNode("Threshold", config, rows, 2)).toEqual([NaN, NaN, 0, 1, 1, NaN, 0]);
  });

  test("Crossover reports the trigger of the crossing, keeping its state over not-ready inputs", () => {
    const rows = at([
      [1, 2],
      [3, 2],
      [4, 2],
      [NaN, 2],
      [1, 2],
      [2, 2],
      [3, 2],
    ]);
    expect(runNode("Crossover", {}, rows, 2)).toEqual([0, 1, 0, NaN, -1, 0, 1]);
  });

  test("Hysteresis switches at its two thresholds", () => {
    expect(runNode("Hysteresis", { low: 1, high: 2 }, one(0, 1.5, 2.5, 1.5, NaN, 0.5))).toEqual([
      0,
      0,
      1,
      1,
      NaN,
      0,
    ]);
  });

  test("Composite sums with weights, or combines flags; one not-ready input makes it not ready", () => {
    const rows = at([
      [1, 2, 3],
      [0, 2, 0],
      [0, 0, 0],
      [1, NaN, 1],
    ]);
    expect(runNode("Composite", { weights: [1, 10, 100] }, rows, 3)).toEqual([321, 20, 0, NaN]);
    expect(runNode("Composite", { mode: "any" }, rows, 3)).toEqual([1, 1, 0, NaN]);
    expect(runNode("Composite", { mode: "all" }, rows, 3)).toEqual([1, 0, 0, NaN]);
  });

  test("arithmetic gives NaN where there is no number", () => {
    const rows = at([
      [6, 3],
      [1, 0],
      [-4, 2],
    ]);
    expect(runNode("Div", {}, rows, 2)).toEqual([2, NaN, -2]);
    expect(runNode("Greater", {}, rows, 2)).toEqual([1, 1, 0]);
    expect(runNode("Min", {}, rows, 2)).toEqual([3, 0, -4]);
    expect(runNode("Log", {}, one(0, -1, 1))).toEqual([NaN, NaN, 0]);
    expect(runNode("Sqrt", {}, one(-1, 9))).toEqual([NaN, 3]);
    expect(runNode("Sign", {}, one(-5, 0, 5, NaN))).toEqual([-1, 0, 1, NaN]);
    expect(runNode("Exp", {}, one(0, 1e9))).toEqual([1, NaN]);
  });

  test("a time window that gets more samples than its capacity is cut and stays exact over what it holds", () => {
    const samples = one(...Array.from({ length: 50 }, (_, i) => i));
    const out = runNode("RollingMean", { window: "20ns", capacity: 8 }, samples);
    expect(out.at(-1)).toBe(45.5);
    const top = runNode(
      "RollingMax",
      { window: "20ns", capacity: 8 },
      one(...Array.from({ length: 50 }, (_, i) => -i)),
    );
    expect(top.at(-1)).toBe(-42);
    const middle = runNode("RollingQuantile", { window: "20ns", capacity: 8 }, samples);
    expect(middle.at(-1)).toBe(45.5);
  });
});
