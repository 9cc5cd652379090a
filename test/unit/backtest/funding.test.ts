// Funding in the default mode: at each multiple of the interval the exchange's position pays, the trader's ledger and
// the state rows hear of it after the response latency.
import { expect, test } from "bun:test";
import { KIND_FUNDING_RATE, KIND_MARK_PRICE } from "../../../src/data/event-codes.ts";
import { SIDE_BUY, SIDE_SELL, TIF_GTC } from "../../../src/wire/codes.ts";
import { type Action, ask, bid, MS, pipeline, type Row, T } from "./scripted-run.ts";

const BOOK: readonly Row[] = [bid(0, 1000, 10), ask(0, 1002, 10)];
const END = bid(350, 900, 1);
const FUNDING = { intervalNs: 100 * MS, rateE8: 10_000 };
/** Ticks are tenths: `scripted-run` writes price = ticks / 10. */
const mark = (atMs: number, price: number): Row => ({
  atMs,
  ev: KIND_MARK_PRICE,
  ticks: price * 10,
  lots: 0,
});
const rate = (atMs: number, value: number): Row => ({
  atMs,
  ev: KIND_FUNDING_RATE,
  ticks: value * 10,
  lots: 0,
});

function run(rows: readonly Row[], side: number, lots: number, funding = FUNDING) {
  const place: Action = {
    atMs: 5,
    run: (ctx) => void ctx.place(side, side === SIDE_BUY ? 1002 : 1000, lots, TIF_GTC),
  };
  const backtest = pipeline([...BOOK, ...rows, END], lots === 0 ? [] : [place], true, null, { funding });
  backtest.runAll();
  const { states, baseNs } = backtest.finish();
  /** Of the state row at a time. */
  const at = (name: "funding" | "equity" | "balance", ms: number): number => {
    const times = states.values("tsNs");
    const row = times.findLastIndex((ts) => ts <= Number(T - baseNs) + ms * MS);
    return states.at(name)[row]!;
  };
  return { backtest, at };
}

test("a long pays the position's value at the mid times the rate, at each multiple of the interval, 1 ms later heard", () => {
  const { at } = run([], SIDE_BUY, 4);
  // 0.004 at a mid of 100.1, 1 basis point: 0.00004004.
  expect(at("funding", 100)).toBe(0);
  expect(at("funding", 102)).toBeCloseTo(-0.00004004, 12);
  expect(at("funding", 202)).toBeCloseTo(-0.00008008, 12);
  expect(at("funding", 349)).toBeCloseTo(-0.00012012, 12);
  expect(at("equity", 349)).toBeCloseTo(0.004 * 100.1 - 0.004 * 100.2 - 0.00012012, 12);
});

test("a short receives it, and who holds nothing has nothing to pay", () => {
  expect(run([], SIDE_SELL, 4).at("funding", 102)).toBeCloseTo(0.00004004, 12);
  expect(run([], SIDE_BUY, 0).at("funding", 349)).toBe(0);
});

test("mark price and rate of the data come before the mid and the configured rate", () => {
  // Seen by the exchange at their own time: the rows of 100 ms count for the payment of 100 ms, those of 101 do not.
  const rows = [mark(50, 120), rate(60, 0.5), mark(100, 110), rate(101, 0.25)];
  const { at } = run(rows, SIDE_BUY, 4);
  expect(at("funding", 102)).toBeCloseTo(-0.004 * 110 * 0.5, 12);
  expect(at("funding", 202)).toBeCloseTo(-0.004 * 110 * 0.5 - 0.004 * 110 * 0.25, 12);
});

test("without a rate nothing is paid until the data has one", () => {
  const { at } = run([rate(150, 0.1)], SIDE_BUY, 4, { ...FUNDING, rateE8: Number.NaN });
  expect(at("funding", 150)).toBe(0);
  expect(at("funding", 202)).toBeCloseTo(-0.004 * 100.1 * 0.1, 12);
});

test("the exchange's wallet pays too", () => {
  const { backtest } = run([], SIDE_BUY, 4);
  expect(backtest.exchange.credit(0)).toBe(100_000_000_000_000 - 12_012);
});
