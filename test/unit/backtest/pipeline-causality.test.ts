// What the trader does acts on the market as it is when the request arrives, and what the market does is seen when it
// is received: neither earlier nor later.
import { expect, test } from "bun:test";
import { PipelineApi } from "../../../src/backtest/pipeline/pipeline-api.ts";
import {
  GTC,
  IOC,
  LIMIT,
  RC_MARKET_FEED,
  RC_OK,
  RC_ORDER_RESPONSE,
} from "../../../src/exchange/compat/codes.ts";
import { ask, bid, bought, MS, pipeline, type Row, T, type Terms } from "./scripted-run.ts";

const BOOK: readonly Row[] = [bid(0, 1000, 10), ask(0, 1002, 10)];
const END = bid(900, 900, 1);
/** No timer comes between the events. */
const QUIET: Partial<Terms> = { timerMs: 10_000, entryMs: 0, responseMs: 0 };

function open(rows: readonly Row[], terms: Partial<Terms>) {
  const hbt = new PipelineApi();
  const backtest = pipeline([...BOOK, ...rows, END], [], true, hbt.setup([1]), terms);
  hbt.attach(backtest, [{ tickSize: 0.1, lotSize: 0.001 }], true);
  expect(hbt.waitNextFeed(false, 10 * MS)).toBe(RC_MARKET_FEED);
  return { hbt, backtest };
}

test("an order sent at a trade that EXECUTION does not subscribe is dated then", () => {
  const { hbt, backtest } = open([bought(20, 1002, 1)], { ...QUIET, entryMs: 3 });
  expect(hbt.waitNextFeed(false, 100 * MS)).toBe(RC_MARKET_FEED);
  expect(hbt.currentTimestamp).toBe(T + BigInt(22 * MS));
  expect(hbt.submitBuy(0, 1, 99.9, 0.001, GTC, LIMIT)).toBe(RC_OK);
  expect(hbt.waitOrderResponse(0, 1, 100 * MS)).toBe(RC_OK);
  const { orders } = backtest.finish();
  const ns = (name: "requestTsNs" | "exchTsNs") => orders.at(name)[0]! + Number(backtest.baseNs - T);
  expect([ns("requestTsNs"), ns("exchTsNs")]).toEqual([22 * MS, 25 * MS]);
});

test("an order sent at a fill meets the book of that instant, not of the next one that is received", () => {
  // Fill and report at 20 ms; the ask of 21 ms is the exchange's future, though both come before the next event.
  const { hbt } = open([bought(20, 1003, 1), ask(21, 1001, 5)], QUIET);
  expect(hbt.submitSell(0, 1, 100.2, 0.001, GTC, LIMIT, true)).toBe(RC_OK);
  expect(hbt.waitNextFeed(true, 100 * MS)).toBe(RC_ORDER_RESPONSE);
  expect(hbt.currentTimestamp).toBe(T + BigInt(20 * MS));
  expect(hbt.position(0)).toBe(-0.001);
  expect(hbt.submitBuy(0, 2, 100.1, 0.001, IOC, LIMIT, true)).toBe(RC_OK);
  expect(hbt.position(0)).toBe(-0.001);
});

test("an event whose last row takes away the level that its first row crosses ends with that row", () => {
  const seen: number[] = [];
  const rows = [
    bid(10, 1002, 5),
    ask(10, 1002, 0),
    ask(10, 1003, 2),
    ask(20, 1003, 3),
    bid(20, 1003, 4),
    ask(20, 1003, 0),
  ];
  const run = pipeline(
    [...BOOK, ask(0, 1004, 1), ...rows, END],
    [13, 23].map((atMs) => ({ atMs, run: (ctx) => void seen.push(ctx.bidPxTicks, ctx.askPxTicks) })),
  );
  run.runAll();
  expect(seen).toEqual([1002, 1003, 1003, 1004]);
});
