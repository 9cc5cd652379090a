import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompatAssetOptions } from "../../../src/backtest/compat/compat-asset.ts";
import { CompatBacktest } from "../../../src/backtest/compat/compat-backtest.ts";
import { runSimpleMm } from "../../../src/backtest/parity/simple-mm.ts";
import { EV_BUY, EV_EXCH, EV_LOCAL, EV_SELL, KIND_DEPTH, KIND_TRADE } from "../../../src/data/event-codes.ts";
import { EventTable } from "../../../src/data/event-table.ts";
import { EVENT_FIELDS } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";
import { writeRows } from "../../../src/data/npz-write.ts";
import { GTC, GTX, LIMIT, STATUS_FILLED } from "../../../src/exchange/compat/codes.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";

const REAL = join(import.meta.dir, "../../data/npz/btcusdt_200k.npz");
const T = 1_700_000_000_000_000_000n;
const MS = 1_000_000;
const dir = mkdtempSync(join(tmpdir(), "compat-"));
afterAll(() => rmSync(dir, { recursive: true }));

interface Spec {
  ev: number;
  atMs: number;
  px: number;
  qty: number;
}

const bid = (atMs: number, px: number, qty: number): Spec => ({ ev: KIND_DEPTH | EV_BUY, atMs, px, qty });
const ask = (atMs: number, px: number, qty: number): Spec => ({ ev: KIND_DEPTH | EV_SELL, atMs, px, qty });
const sold = (atMs: number, px: number, qty: number): Spec => ({ ev: KIND_TRADE | EV_SELL, atMs, px, qty });

/** Rows seen at the exchange at `atMs` and by the trader 2 ms later. */
function rowsOf(specs: readonly Spec[]): Uint8Array {
  const table = new EventTable();
  for (const s of specs) {
    const exch = T + BigInt(s.atMs * MS);
    table.append(s.ev | EV_EXCH | EV_LOCAL, exch, exch + BigInt(2 * MS), s.px, s.qty);
  }
  return table.bytes;
}

const options = (
  data: CompatAssetOptions["data"],
  more: Partial<CompatAssetOptions> = {},
): CompatAssetOptions => ({
  data,
  tickSize: 0.1,
  lotSize: 0.001,
  queueModel: "risk",
  latency: constantLatency(3 * MS, 1 * MS),
  ...more,
});

const MARKET: readonly Spec[] = [
  bid(0, 100, 1),
  ask(0, 100.2, 1),
  sold(20, 100, 1.5),
  bid(40, 99.9, 5),
  ask(60, 100.3, 1),
];

test("the clock starts at the first event and stops changing at the end of data", () => {
  const hbt = new CompatBacktest([options([rowsOf(MARKET)])]);
  expect(hbt.currentTimestamp).toBe(2n ** 63n - 1n);
  expect(hbt.elapse(0)).toBe(0);
  expect(hbt.currentTimestamp).toBe(T);
  expect(hbt.elapse(10 * MS)).toBe(0);
  expect(hbt.currentTimestamp).toBe(T + BigInt(10 * MS));
  expect(hbt.elapse(1000 * MS)).toBe(1);
  expect(hbt.currentTimestamp).toBe(T + BigInt(10 * MS));
  expect(hbt.feedLatency(0)).toEqual([T + BigInt(60 * MS), T + BigInt(62 * MS)]);
});

test("an order rests behind the queue, is filled by trades through it, and answers after the latency", () => {
  const hbt = new CompatBacktest([options([rowsOf(MARKET)], { makerFee: -0.0001, keepTrades: true })]);
  hbt.elapse(5 * MS);
  expect(hbt.submitBuy(0, 7, 100, 0.5, GTX, LIMIT, true)).toBe(0);
  expect(hbt.orderLatency(0)).toEqual([T + BigInt(5 * MS), T + BigInt(8 * MS), T + BigInt(9 * MS)]);
  expect(hbt.orders(0).get(7)?.cancellable).toBe(true);
  expect(hbt.waitOrderResponse(0, 7, 100 * MS)).toBe(0);
  expect(hbt.currentTimestamp).toBe(T + BigInt(21 * MS));
  expect(hbt.orders(0).get(7)?.status).toBe(STATUS_FILLED);
  expect(hbt.stateValues(0)).toMatchObject({ position: 0.5, balance: -50, numTrades: 1, tradingVolume: 0.5 });
  expect(hbt.waitNextFeed(true, 100 * MS)).toBe(2);
  expect(hbt.lastTrades(0)).toEqual([
    {
      ev: (KIND_TRADE | EV_SELL | EV_EXCH | EV_LOCAL) >>> 0,
      exchTs: T + BigInt(20 * MS),
      localTs: T + BigInt(22 * MS),
      px: 100,
      qty: 1.5,
    },
  ]);
  hbt.clearLastTrades();
  expect(hbt.lastTradeCount(0)).toBe(0);
  hbt.clearInactiveOrders();
  expect(hbt.orders(0).size).toBe(0);
});

test("requests are answered with the original's codes", () => {
  const hbt = new CompatBacktest([options([rowsOf(MARKET)])]);
  hbt.elapse(5 * MS);
  expect(hbt.submitSell(0, 1, 100.3, 1, GTC)).toBe(0);
  expect(hbt.submitSell(0, 1, 100.3, 1, GTC)).toBe(10);
  expect(hbt.cancel(0, 1)).toBe(11);
  expect(hbt.cancel(0, 2)).toBe(12);
  expect(hbt.modify(0, 1, 100.4, 1)).toBe(11);
  hbt.elapse(5 * MS);
  expect(hbt.modify(0, 1, 100.4, 1)).toBe(0);
  expect(hbt.orders(0).get(1)?.tick).toBe(1004);
});

test("what cannot be is refused: requests before the first step, no asset, ids that are no integers", () => {
  expect(() => new CompatBacktest([])).toThrow(RangeError);
  const hbt = new CompatBacktest([options([rowsOf(MARKET)])]);
  expect(() => hbt.submitBuy(0, 1, 100, 1, GTC)).toThrow(/clock has not started/);
  hbt.elapse(0);
  expect(() => hbt.submitBuy(0, 1.5, 100, 1, GTC)).toThrow(/order id/);
  expect(() => hbt.submitBuy(1, 1, 100, 1, GTC)).toThrow(/asset 1 of 1/);
  expect(() => hbt.elapse(1e17)).toThrow(/duration/);
});

test("a bad second file ends the run with code 100 and says which row", async () => {
  const bad = join(dir, "bad.npz");
  writeRows(bad, EVENT_FIELDS, rowsOf([bid(100, 1, 1), bid(90, 1, 1)]), 64);
  const hbt = new CompatBacktest([options([rowsOf(MARKET), bad])]);
  let rc = 0;
  while (rc === 0) rc = hbt.elapse(50 * MS);
  expect(rc).toBe(100);
  expect(hbt.dataError?.message).toContain(`${bad}: row 1: exch_ts`);
  expect(hbt.elapse(MS)).toBe(100);
});

test("two assets step together: the earliest row of either ends a wait for feed", () => {
  const other = rowsOf(MARKET.map((s) => ({ ...s, atMs: s.atMs + 7 })));
  const hbt = new CompatBacktest([options([rowsOf(MARKET)]), options([other])]);
  hbt.elapse(0);
  const seen: number[] = [];
  while (hbt.waitNextFeed(false, 1000 * MS) === 2) seen.push(Number(hbt.currentTimestamp - T) / MS);
  expect(seen).toEqual([2, 9, 22, 29, 42, 49, 62]);
});

/** State of every step of the market maker as one number, and the code that ended it. */
function runHash(data: CompatAssetOptions["data"]): string {
  const hbt = new CompatBacktest([options(data, { queueModel: "power", queueParameter: 2 })]);
  let hash = 0;
  const rc = runSimpleMm(hbt, { half: 1, skew: 0.5, q: 0.001, maxp: 0.01 }, (price, v) => {
    hash = Number(Bun.hash(`${hash} ${price} ${v.position} ${v.balance} ${v.numTrades}`) % 1_000_000_007n);
  });
  hbt.close();
  return `${rc} ${hash}`;
}

test("the same run from memory, a stored and a deflated file, and split into two files", async () => {
  const { bytes } = loadRows(REAL, EVENT_FIELDS);
  const stored = join(dir, "stored.npz");
  const first = join(dir, "first.npz");
  const second = join(dir, "second.npz");
  writeRows(stored, EVENT_FIELDS, bytes, 64, { compress: false });
  writeRows(first, EVENT_FIELDS, bytes.subarray(0, 64 * 77_777), 64);
  writeRows(second, EVENT_FIELDS, bytes.subarray(64 * 77_777), 64);
  const results = [[bytes], [REAL], [stored], [first, second]].map(runHash);
  expect(new Set(results).size).toBe(1);
}, 30_000);

test("a file that is large enough to be streamed gives the run of the same rows in memory", async () => {
  const { bytes } = loadRows(REAL, EVENT_FIELDS);
  const tiled = new Uint8Array(bytes.length * 3);
  for (let tile = 0; tile < 3; tile++) {
    tiled.set(bytes, tile * bytes.length);
    const i64 = new BigInt64Array(tiled.buffer, tile * bytes.length, bytes.length / 8);
    const shift = BigInt(tile) * 1_000_000_000_000n;
    for (let at = 0; at < i64.length; at += 8) {
      i64[at + 1] = i64[at + 1]! + shift;
      i64[at + 2] = i64[at + 2]! + shift;
    }
  }
  const file = join(dir, "tiled.npz");
  writeRows(file, EVENT_FIELDS, tiled, 64);
  expect(runHash([file])).toBe(runHash([tiled]));
}, 30_000);
