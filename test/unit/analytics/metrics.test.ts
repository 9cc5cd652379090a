import { expect, test } from "bun:test";
import { drawdowns, equityMetrics, resample } from "../../../src/analytics/equity-metrics.ts";
import { equityCurve, runMetrics, valueOfLots } from "../../../src/analytics/metrics.ts";
import { quantile, sorted } from "../../../src/analytics/quantiles.ts";
import { handRun, MS, put, S } from "./hand-run.ts";

const OPTIONS = { capital: 1000, intervalNs: S, daysPerYear: 365 };

test("return and risk of the hand-computed run", () => {
  const { equity } = runMetrics(handRun(), OPTIONS).instruments[0]!;
  // Equity 0, 10, 5, 20, 12: changes 10, −5, 15, −8; mean 3; squared deviations 49 + 64 + 144 + 121 = 378.
  const perYear = Math.sqrt(365 * 86_400);
  expect(equity.pnl).toBe(12);
  expect(equity.return).toBe(0.012);
  expect(equity.sharpe).toBeCloseTo((3 / Math.sqrt(378 / 3)) * perYear, 9);
  // Falls 5 and 8 of four periods: root of (25 + 64) / 4.
  expect(equity.sortino).toBeCloseTo((3 / Math.sqrt(89 / 4)) * perYear, 9);
  expect(equity.maxDrawdown).toBe(8);
  expect(equity.maxDrawdownOfCapital).toBe(0.008);
  // Below the peak of 1 s until 3 s; the second fall lasts one second.
  expect(equity.longestDrawdownNs).toBe(2 * S);
  expect(equity.returnOverDrawdown).toBe(1.5);
});

test("turnover, rates, shares and mark-outs of the hand-computed run", () => {
  const { activity } = runMetrics(handRun(), OPTIONS).instruments[0]!;
  expect([activity.orders, activity.fills]).toEqual([5, 2]);
  // 50.0 · 2 + 52.0 · 3 in 4 s.
  expect(activity.turnover).toBeCloseTo(256, 12);
  expect(activity.turnoverPerDay).toBeCloseTo(256 * 21_600, 6);
  expect(activity.makerShare).toBeCloseTo(100 / 256, 12);
  expect(activity.fees).toBeCloseTo(0.09, 12);
  // Three orders were taken (one was refused, one never arrived), two of them filled: 50 of 70 lots.
  expect(activity.fillRate).toBeCloseTo(2 / 3, 12);
  expect(activity.qtyFillRate).toBeCloseTo(5 / 7, 12);
  // 100 ms: (+1/100 · 100 + 1/104 · 156) / 256; 1 s: (−1 − 3) / 256; 10 s: the sale alone, 4/104.
  const bps = [97.65625, -156.25, (4 / 104) * 1e4];
  for (const [i, expected] of bps.entries()) expect(activity.markOutsBps[i]).toBeCloseTo(expected, 9);
  expect(activity.queueWaitNs).toMatchObject({ count: 1, p50: 0.4 * S });
  expect(activity.entryNs).toMatchObject({ count: 4, p50: 2 * MS, max: 5 * MS, mean: 2.75 * MS });
  expect(activity.responseNs.max).toBe(2 * MS);
  expect(activity.roundTripNs.max).toBe(7 * MS);
});

test("inventory weighs positions by the time they were held", () => {
  const { inventory } = runMetrics(handRun(), OPTIONS).instruments[0]!;
  expect(inventory).toEqual({ mean: 0.75, meanAbs: 1.25, maxAbs: 2, flatShare: 0.25, end: 0 });
});

test("a total adds instruments of one currency at each instant and keeps a value while its mid is unknown", () => {
  const run = handRun();
  const [one] = run.instruments;
  const two = { ...one!, index: 1, symbol: "Y" };
  const coin = { ...one!, index: 2, symbol: "Z", currency: "BTC" };
  const states = handRun().states;
  states.rows = 0;
  for (const [ts, x, y, z] of [
    [0, 1, Number.NaN, 7],
    [S, 2, 10, 8],
    [2 * S, Number.NaN, 20, 9],
  ] as const)
    for (const [instrument, equity] of [x, y, z].entries()) put(states, { tsNs: ts, instrument, equity });
  const all = { ...run, states, instruments: [one!, two, coin] };
  expect([...equityCurve(all, [one!, two]).equity]).toEqual([1, 12, 22]);
  const { totals } = runMetrics(all, OPTIONS);
  expect(totals.map((t) => [t.currency, t.equity.pnl])).toEqual([
    ["USDT", 21],
    ["BTC", 2],
  ]);
});

test("a run without trades or states has no figures instead of zeros that look like results", () => {
  const empty = handRun();
  for (const table of [empty.states, empty.orders, empty.fills]) table.rows = 0;
  const { equity, activity, inventory } = runMetrics(empty, { ...OPTIONS, capital: null }).instruments[0]!;
  expect([equity.pnl, equity.return, equity.maxDrawdown]).toEqual([0, null, 0]);
  for (const value of [equity.sharpe, equity.sortino, activity.fillRate, activity.makerShare, inventory.mean])
    expect(value).toBeNaN();
  expect(activity.markOutsBps.every(Number.isNaN)).toBe(true);
});

test("resampling takes the last value of each period since the base", () => {
  const ts = Float64Array.from([0, 0.4, 0.9, 2.5, 3.1]);
  const values = Float64Array.from([1, 2, 3, 4, 5]);
  expect([...resample(ts, values, 1)]).toEqual([3, 3, 4, 5]);
  expect([...resample(ts, values, 2)]).toEqual([3, 5]);
  expect([...drawdowns(Float64Array.from([1, 3, 2, 4, 0]))]).toEqual([0, 0, -1, 0, -4]);
  expect(equityMetrics({ tsNs: ts, equity: new Float64Array(5) }, OPTIONS).sharpe).toBeNaN();
});

test("values of linear and inverse contracts", () => {
  const [one] = handRun().instruments;
  expect(valueOfLots(one!, 100, 20)).toBeCloseTo(100, 12);
  // 20 lots of 0.1 contracts of 100 each at a price of 50: 200 / 50 coins.
  expect(valueOfLots({ ...one!, kind: "inverse", contractSize: 100 }, 100, 20)).toBeCloseTo(4, 12);
});

test("a quantile is the nearest rank", () => {
  const values = sorted([5, 1, Number.NaN, 4, 2, 3]);
  expect([0, 0.2, 0.21, 0.5, 0.99, 1].map((p) => quantile(values, p))).toEqual([1, 1, 2, 3, 5, 5]);
});
