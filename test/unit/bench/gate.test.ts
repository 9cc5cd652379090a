// The gate catches a real 20 % slow-down and lets an unchanged program pass; the runner's output is the
// contract of DESIGN 14. Longer than other unit tests (about 3 s): the gate needs its nine rounds.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Baseline, judge, updated } from "../../../bench/harness/gate.ts";
import type { BenchReport } from "../../../bench/harness/runner.ts";
import { median, medianLowerBound, quantile } from "../../../bench/harness/statistics.ts";
import { heapBytesPerOp, loopSide } from "../../../bench/harness.ts";

const ROOT = join(import.meta.dir, "../../..");

function bench(args: readonly string[], env: Record<string, string> = {}) {
  const command = [process.execPath, "bench/run.ts", "--dir", "test/data/bench", ...args];
  const child = Bun.spawnSync(command, { cwd: ROOT, env: { ...process.env, ...env } });
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() };
}

function report(ratios: readonly number[], times: readonly number[], maxRatio?: number): BenchReport {
  const result = {
    name: "a.b",
    unit: "ns",
    p50: 1,
    p99: 1,
    p999: 1,
    perSecond: 1,
    bytesPerOp: 0,
    reference: null,
    ratio: ratios.length === 0 ? null : median(ratios),
  };
  const subject = {
    name: "a.b",
    question: "",
    unit: "ns",
    compare: "p50",
    ...(maxRatio && { maxRatio }),
  } as const;
  const open = () => {
    throw new Error("not opened here");
  };
  return { bench: { ...subject, open }, result, ratios, times, notes: [] };
}

describe("gate", () => {
  test("a 20 % slow-down of a bench's own body is caught by name, an unchanged run passes", () => {
    const folder = mkdtempSync(join(tmpdir(), "hotlane-gate-"));
    const baseline = join(folder, "baseline.json");
    try {
      expect(bench(["--rounds", "9", "--baseline", baseline, "--update-baseline"]).code).toBe(0);
      const clean = bench(["--gate", "--baseline", baseline]);
      expect(clean.out).toContain("gate: held");
      expect(clean.code).toBe(0);
      const slow = bench(["--gate", "--baseline", baseline], { HOTLANE_BENCH_SLOWDOWN: "1.2" });
      expect(slow.out).toContain("gate: FELL BACK: spin.loop");
      expect(slow.code).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  test("a known cpu is judged by its own ratio, an unknown one by the others', a new bench not at all", () => {
    const baseline: Baseline = {
      known: { "a.b": { ratio: 0.5, time: 100 } },
      other: { "a.b": { ratio: 0.6, time: 10 } },
      third: { "a.b": { ratio: 0.8, time: 10 } },
    };
    const rounds = (value: number) => Array<number>(9).fill(value);
    const at = (ratio: number, cpu: string) => judge(report(rounds(ratio), rounds(1)), baseline, cpu).outcome;
    expect(at(0.54, "known")).toBe("held");
    expect(at(0.6, "known")).toBe("fell back");
    expect(at(0.6, "new cpu")).toBe("held");
    expect(at(0.8, "new cpu")).toBe("fell back");
    expect(judge(report(rounds(1), rounds(1)), {}, "known").outcome).toBe("not judged");
    expect(judge(report([], rounds(105)), baseline, "known").outcome).toBe("held");
    expect(judge(report([], rounds(120)), baseline, "known").outcome).toBe("fell back");
    expect(judge(report([], rounds(120)), baseline, "new cpu").outcome).toBe("not judged");
  });

  test("a required ratio is enforced without a baseline, but not on the strength of one bad round", () => {
    const over = [1.3, ...Array<number>(8).fill(1.1)];
    expect(judge(report(over, over, 1.15), {}, "x").outcome).toBe("not judged");
    expect(judge(report(Array<number>(9).fill(1.2), [], 1.15), {}, "x").outcome).toBe("fell back");
  });

  test("an update keeps other cpus and other benches", () => {
    const before: Baseline = { x: { "a.a": { ratio: 1, time: 1 } }, y: { "a.b": { ratio: 2, time: 2 } } };
    expect(updated(before, "x", [report([0.5], [10])])).toEqual({
      x: { "a.a": { ratio: 1, time: 1 }, "a.b": { ratio: 0.5, time: 10 } },
      y: { "a.b": { ratio: 2, time: 2 } },
    });
  });
});

describe("bench runner", () => {
  test("--json ends with one line of results; --tiny is quick", () => {
    const run = bench(["--tiny", "--json"]);
    expect(run.code).toBe(0);
    const { results } = JSON.parse(run.out.trim().split("\n").at(-1)!);
    expect(results).toHaveLength(1);
    expect(Object.keys(results[0])).toEqual([
      "name",
      "unit",
      "p50",
      "p99",
      "p999",
      "perSecond",
      "bytesPerOp",
      "reference",
      "ratio",
    ]);
    expect(Object.keys(results[0].reference)).toEqual(["name", "p50", "perSecond"]);
  });

  test("wrong usage is exit code 2", () => {
    expect(bench(["nothing-matches"]).code).toBe(2);
    expect(bench(["--gate", "--rounds", "3"]).code).toBe(2);
    expect(bench(["--bogus"]).code).toBe(2);
  });
});

describe("measuring", () => {
  test("heap bytes per operation are those of the objects made", () => {
    const kept: { last: unknown } = { last: null };
    const allocating = (ops: number) => {
      for (let i = 0; i < ops; i++) kept.last = { a: i, b: i };
      return ops;
    };
    const cells = new Float64Array(16);
    const clean = (ops: number) => {
      for (let i = 0; i < ops; i++) cells[i & 15]! += i;
      return cells[0]!;
    };
    allocating(50_000);
    clean(50_000);
    expect(heapBytesPerOp(allocating)).toBeGreaterThan(12);
    expect(heapBytesPerOp(allocating)).toBeLessThan(64);
    expect(heapBytesPerOp(clean)).toBeLessThan(0.1);
  });

  test("a loop side reports ordered percentiles and the checksum of all its operations", async () => {
    const side = loopSide((ops) => ops, { opsPerSample: 10, samples: 50 });
    const figures = await side.round();
    expect(figures.checksum).toBe(500);
    expect(figures.p50).toBeLessThanOrEqual(figures.p99);
    expect(figures.p99).toBeLessThanOrEqual(figures.p999);
  });

  test("quantile, median and its lower bound are the textbook's", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, 4], 1)).toBe(4);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    // Conover, Practical Nonparametric Statistics, quantile bounds for p = ½: n = 9 → 2nd, n = 15 → 4th.
    expect(medianLowerBound([9, 8, 7, 6, 5, 4, 3, 2, 1])).toBe(2);
    expect(medianLowerBound(Array.from({ length: 15 }, (_, i) => i + 1))).toBe(4);
    expect(medianLowerBound([1, 2, 3, 4])).toBe(Number.NEGATIVE_INFINITY);
  });
});
