// Each difference between compat and default mode that docs/backtest.md lists, by the smallest market that shows it.
import { expect, test } from "bun:test";
import {
  GTC,
  GTX,
  IOC,
  LIMIT,
  RC_INVALID_ORDER_STATUS,
  STATUS_EXPIRED,
  STATUS_FILLED,
} from "../../../src/exchange/compat/codes.ts";
import { NO_ORDER } from "../../../src/order/order-table.ts";
import type { StrategyContext } from "../../../src/strategy/context.ts";
import {
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_REJECTED,
  SIDE_BUY,
  TIF_GTC,
  TIF_GTX,
  TIF_IOC,
} from "../../../src/wire/codes.ts";
import { ask, bid, clearBids, compat, MS, pipeline, type Row, sold } from "./scripted-run.ts";

const FOREVER = 1e15;
const BOOK: readonly Row[] = [bid(0, 1000, 10), bid(0, 999, 10), ask(0, 1002, 10)];
const END = bid(100, 900, 1);

const buy =
  (px: number, lots: number, tif = TIF_GTX) =>
  (ctx: StrategyContext): void => {
    expect(ctx.place(SIDE_BUY, px, lots, tif)).not.toBe(NO_ORDER);
  };

function orderOf(result: ReturnType<ReturnType<typeof pipeline>["finish"]>, row = 0) {
  const { orders } = result;
  return { state: orders.at("state")[row], filled: orders.at("filledLots")[row] };
}

test("partial fills are credited", () => {
  // The queue of 10 goes, 2 lots are left for us.
  const rows = [...BOOK, sold(20, 1000, 12), END];
  const hbt = compat(rows, "partialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 100, 0.005, GTX, LIMIT);
  hbt.elapse(FOREVER);
  expect(hbt.position(0)).toBe(0);
  const run = pipeline(rows, [{ atMs: 5, run: buy(1000, 5) }]);
  run.runAll();
  const result = run.finish();
  expect(orderOf(result)).toEqual({ state: ORDER_PARTIALLY_FILLED, filled: 2 });
  expect(result.states.at("position")[result.states.rows - 1]).toBe(0.002);
  expect(run.execution.parts.ledger.netLots[1]).toBe(2);
});

test("an order that a trade fills to its last lot is over, not a zombie that ends the run", () => {
  const rows = [...BOOK, sold(20, 1000, 15), sold(30, 1000, 5), END];
  const hbt = compat(rows, "partialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 100, 0.005, GTX, LIMIT);
  expect(hbt.elapse(FOREVER)).toBe(RC_INVALID_ORDER_STATUS);
  const run = pipeline(rows, [{ atMs: 5, run: buy(1000, 5) }]);
  run.runAll();
  const result = run.finish();
  expect(orderOf(result)).toEqual({ state: ORDER_FILLED, filled: 5 });
  expect(result.fills.rows).toBe(1);
  expect(run.exchange.market(1).hasOrders).toBe(false);
});

test("a modify that requeues takes the new quantity", () => {
  const rows = [...BOOK, sold(40, 998, 1), END];
  const hbt = compat(rows, "noPartialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 100, 0.005, GTX, LIMIT);
  hbt.elapse(10 * MS);
  hbt.modify(0, 1, 99.9, 0.003);
  hbt.elapse(FOREVER);
  expect(hbt.position(0)).toBe(0.005);
  const run = pipeline(rows, [
    { atMs: 5, run: buy(1000, 5) },
    {
      atMs: 15,
      run: (ctx) => {
        expect(ctx.modify(ctx.firstBid, 999, 3)).toBe(true);
      },
    },
  ]);
  run.runAll();
  expect(orderOf(run.finish())).toEqual({ state: ORDER_FILLED, filled: 3 });
});

test("the answer to a cancel is timed from the cancel", () => {
  const rows = [...BOOK, END];
  const hbt = compat(rows, "noPartialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 99.9, 0.005, GTX, LIMIT);
  hbt.elapse(45 * MS);
  hbt.cancel(0, 1);
  hbt.waitOrderResponse(0, 1, 20 * MS);
  const [request, , response] = hbt.orderLatency(0)!;
  // 4 ms of latency look like 49: the request time is that of the submit.
  expect(Number(response - request)).toBe(49 * MS);
  let sentNs = 0;
  let heardNs = 0;
  const run = pipeline(rows, [
    { atMs: 5, run: buy(999, 5) },
    {
      atMs: 50,
      run: (ctx) => {
        sentNs = ctx.nowNs;
        ctx.cancel(ctx.firstBid);
      },
    },
    {
      atMs: 51,
      run: (ctx) => {
        heardNs = run.execution.parts.table.requestTsNs[ctx.firstBid]!;
      },
    },
  ]);
  run.runAll();
  expect(orderOf(run.finish()).state).toBe(ORDER_CANCELED);
  expect(heardNs).toBe(sentNs);
});

test("a finite clear leaves the next level as the best", () => {
  const rows = [...BOOK, bid(0, 998, 10), bid(0, 997, 10), clearBids(20, 999), END];
  const hbt = compat(rows, "noPartialFill");
  hbt.elapse(50 * MS);
  // 999 and above are gone; the search for the next best begins one level too low.
  expect(hbt.depth(0).bestBidTick).toBe(997);
  const seen: number[] = [];
  const run = pipeline(rows, [{ atMs: 50, run: (ctx) => seen.push(ctx.bidPxTicks) }]);
  run.runAll();
  expect(seen).toEqual([998]);
  expect(run.exchange.market(1).engine.book.bestTicks(1)).toBe(998);
});

test("levels that an update crosses are gone, on both sides' books", () => {
  // The ask at 1002 was taken away, but the feed lost its deletion.
  const rows = [...BOOK, ask(0, 1005, 10), bid(20, 1003, 10), bid(40, 1003, 0), END];
  const hbt = compat(rows, "noPartialFill");
  hbt.elapse(60 * MS);
  expect(hbt.depth(0).bestAskTick).toBe(1005);
  expect(hbt.depth(0).askQtyAtTick(1002)).toBe(0.01);
  const seen: number[][] = [];
  const run = pipeline(rows, [
    { atMs: 30, run: (ctx) => seen.push([ctx.bidPxTicks, ctx.askPxTicks]) },
    { atMs: 60, run: (ctx) => seen.push([ctx.bidPxTicks, ctx.askPxTicks]) },
  ]);
  run.runAll();
  expect(seen).toEqual([
    [1003, 1005],
    [1000, 1005],
  ]);
  const { book } = run.exchange.market(1).engine;
  expect([book.bestTicks(-1), book.qtyAt(-1, 1002)]).toEqual([1005, 0]);
});

test("own orders at one price share a trade in the order of their arrival", () => {
  const rows = [...BOOK, sold(30, 1000, 13), END];
  const hbt = compat(rows, "partialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 100, 0.002, GTC, LIMIT);
  hbt.submitBuy(0, 2, 100, 0.002, GTC, LIMIT);
  hbt.elapse(FOREVER);
  // 3 lots are behind the queue of 10, 4 are given away.
  expect(hbt.position(0)).toBe(0.004);
  const run = pipeline(rows, [
    { atMs: 5, run: buy(1000, 2, TIF_GTC) },
    { atMs: 6, run: buy(1000, 2, TIF_GTC) },
  ]);
  run.runAll();
  const result = run.finish();
  expect([orderOf(result, 0).filled, orderOf(result, 1).filled]).toEqual([2, 1]);
});

const ASKS: readonly Row[] = [bid(0, 1000, 10), ask(0, 1002, 2), ask(0, 1003, 3), ask(0, 1010, 10)];

test("a GTC order that crosses takes the levels it meets and rests with what is left", () => {
  const rows = [...ASKS, END];
  const hbt = compat(rows, "partialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 100.3, 0.009, GTC, LIMIT);
  hbt.elapse(20 * MS);
  const { status, leaves } = hbt.orders(0).get(1)!;
  expect([status, leaves]).toEqual([STATUS_FILLED, 0]);
  const run = pipeline(rows, [{ atMs: 5, run: buy(1003, 9, TIF_GTC) }]);
  run.runAll();
  const result = run.finish();
  // The recorded asks are still there at the next depth event: they cross what rests.
  expect([...result.fills.values("pxTicks")]).toEqual([1002, 1003, 1003]);
  expect([...result.fills.values("qtyLots")]).toEqual([2, 3, 4]);
  expect([...result.fills.values("maker")]).toEqual([0, 0, 1]);
});

test("lots that an own order took are not there for the next one", () => {
  const rows = [...ASKS, END];
  const hbt = compat(rows, "partialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 100.2, 0.002, IOC, LIMIT);
  hbt.submitBuy(0, 2, 100.2, 0.002, IOC, LIMIT);
  hbt.elapse(20 * MS);
  expect([1, 2].map((id) => hbt.orders(0).get(id)!.status)).toEqual([STATUS_FILLED, STATUS_FILLED]);
  const run = pipeline(rows, [
    { atMs: 5, run: buy(1002, 2, TIF_IOC) },
    { atMs: 15, run: buy(1002, 2, TIF_IOC) },
  ]);
  run.runAll();
  const result = run.finish();
  expect(orderOf(result, 0)).toEqual({ state: ORDER_FILLED, filled: 2 });
  expect(orderOf(result, 1)).toEqual({ state: ORDER_EXPIRED, filled: 0 });
});

test("an order that may not take and would is refused with the venue's code", () => {
  const rows = [...ASKS, END];
  const hbt = compat(rows, "partialFill");
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 100.2, 0.002, GTX, LIMIT);
  hbt.elapse(20 * MS);
  expect(hbt.orders(0).get(1)!.status).toBe(STATUS_EXPIRED);
  const run = pipeline(rows, [{ atMs: 5, run: buy(1002, 2, TIF_GTX) }]);
  run.runAll();
  const result = run.finish();
  expect(orderOf(result).state).toBe(ORDER_REJECTED);
  expect(result.orders.at("rejectCode")[0]).toBe(-5022);
});
