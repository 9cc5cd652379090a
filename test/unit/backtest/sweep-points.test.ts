import { expect, test } from "bun:test";
import { pointKey, sweepPoints } from "../../../src/backtest/sweep/points.ts";
import { score } from "../../../src/backtest/sweep/run-figures.ts";
import { sweepConfig } from "../../../src/backtest/sweep/sweep-config.ts";
import { parseToml } from "../../../src/core/toml.ts";

const config = (text: string) => sweepConfig(parseToml(text, "s.toml"));

test("a grid is every combination, with ends and decimal steps", () => {
  const grid = config(
    `[sweep.params]\na = { from = 0.1, to = 0.4, step = 0.1 }\nb = [3, 1]\nc = { from = 1, to = 2, step = 0.6 }`,
  );
  const points = sweepPoints(grid);
  expect(points.length).toBe(4 * 2 * 2);
  expect([...new Set(points.map((p) => p["a"]))]).toEqual([0.1, 0.2, 0.3, 0.4]);
  expect([...new Set(points.map((p) => p["c"]))]).toEqual([1, 1.6]);
  expect(new Set(points.map(pointKey)).size).toBe(16);
});

test("random points depend on the seed alone, differ and stay in their ranges", () => {
  const of = (seed: number) =>
    sweepPoints(
      config(
        `[sweep]\nmethod = "random"\nsamples = 200\nseed = ${seed}\n[sweep.params]\nx = { from = 0.001, to = 10, log = true }\nn = { from = 1, to = 9, integer = true }\nk = [5, 6]`,
      ),
    );
  const points = of(7);
  expect(of(7)).toEqual(points);
  expect(of(8)).not.toEqual(points);
  expect(new Set(points.map(pointKey)).size).toBe(200);
  for (const { x, n, k } of points) {
    expect(
      x! >= 0.001 && x! <= 10 && Number.isInteger(n!) && n! >= 1 && n! <= 9 && (k === 5 || k === 6),
    ).toBe(true);
  }
  // Logarithmic: about half of the draws lie below the geometric middle.
  const low = points.filter((p) => p["x"]! < 0.1).length;
  expect(low).toBeGreaterThan(70);
  expect(low).toBeLessThan(130);
  expect(new Set(points.map((p) => p["n"])).size).toBe(9);
});

test("a small space gives fewer points than samples instead of repeating itself", () => {
  const text = `[sweep]\nmethod = "random"\nsamples = 50\n[sweep.params]\nk = [5, 6, 7]`;
  expect(sweepPoints(config(text)).length).toBe(3);
});

test("all problems of a sweep are named with file, line and key", () => {
  const text = `[sweep]\nobjective = "sharp"\n[sweep.params]\na = [1]`;
  expect(() => config(text)).toThrow(/^s\.toml:2: sweep\.objective: .*sharpe/);
  const spaces = `[sweep.params]\na = { from = 2, to = 1, step = 1 }\nb = { from = 0, to = 1 }\nc = [1, 1]`;
  expect(() => config(spaces)).toThrow(
    [
      "s.toml:2: sweep.params.a: from 2 is not below to 1",
      "s.toml:3: sweep.params.b: a grid needs a list of values or a step",
      "s.toml:4: sweep.params.c: a value stands twice",
    ].join("\n"),
  );
  expect(() => config(`[sweep]\n[sweep.params]`)).toThrow("names no parameter");
  expect(() => config(`x = 1`)).toThrow("s.toml:1: sweep: a sweep needs [sweep]");
  expect(() =>
    config(`[sweep]\nmethod = "random"\n[sweep.params]\na = { from = 0, to = 1, log = true }`),
  ).toThrow("a logarithmic range begins above 0");
});

test("a run without the figure ranks last, and drawdown is better when small", () => {
  const figures = { sharpe: null, maxDrawdown: 3 } as never;
  expect(score(figures, "sharpe")).toBe(Number.NEGATIVE_INFINITY);
  expect(score(figures, "maxDrawdown")).toBe(-3);
  expect(score(null, "pnl")).toBe(Number.NEGATIVE_INFINITY);
});
