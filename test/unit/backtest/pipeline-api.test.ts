import { expect, test } from "bun:test";
import { join } from "node:path";
import { PipelineApi } from "../../../src/backtest/pipeline/pipeline-api.ts";
import { runDescribed } from "../../../src/cli/run-described.ts";
import { readToml } from "../../../src/core/toml.ts";
import {
  GTC,
  GTX,
  LIMIT,
  RC_END_OF_DATA,
  RC_INVALID_ORDER_REQUEST,
  RC_MARKET_FEED,
  RC_OK,
  RC_ORDER_ID_EXIST,
  RC_ORDER_NOT_FOUND,
  RC_ORDER_REQUEST_IN_PROCESS,
  RC_ORDER_RESPONSE,
  STATUS_CANCELED,
  STATUS_EXPIRED,
  STATUS_FILLED,
  STATUS_NEW,
  STATUS_NONE,
} from "../../../src/exchange/compat/codes.ts";
import { ask, bid, bought, MS, pipeline, type Row, sold, T } from "./scripted-run.ts";

const EXAMPLES = join(import.meta.dir, "../../../examples");

test("where none of hftbacktest's faults matters, both modes make the same fills on real data", async () => {
  const compat = (await runDescribed(readToml(join(EXAMPLES, "hftbacktest-port.toml")))).result;
  const own = (await runDescribed(readToml(join(EXAMPLES, "hftbacktest-port-default.toml")))).result;
  expect(compat.fills.rows).toBe(159);
  expect(own.baseNs).toBe(compat.baseNs);
  for (const name of ["exchTsNs", "localTsNs", "side", "pxTicks", "qtyLots", "maker", "queueWaitNs"] as const)
    expect([...own.fills.values(name)]).toEqual([...compat.fills.values(name)]);
  // Theirs come from a second pass over the data.
  for (const name of ["mid0Ticks", "mid100msTicks", "mid1sTicks", "mid10sTicks"] as const)
    expect([...own.fills.values(name)]).toEqual([...compat.fills.values(name)]);
  const last = (result: typeof own, name: "equity" | "position" | "numTrades") =>
    result.states.at(name)[result.states.rows - 1]!;
  for (const name of ["equity", "position", "numTrades"] as const)
    expect(last(own, name)).toBeCloseTo(last(compat, name), 6);
}, 20_000);

const MARKET: readonly Row[] = [
  bid(0, 1000, 10),
  ask(0, 1002, 10),
  sold(20, 1000, 4),
  bought(30, 1002, 1),
  sold(60, 999, 1),
  bid(100, 990, 1),
];

function open(): PipelineApi {
  const api = new PipelineApi();
  const backtest = pipeline(MARKET, [], true, api.setup([1]));
  api.attach(backtest, [{ tickSize: 0.1, lotSize: 0.001 }], true);
  return api;
}

test("time passes, the market and the order are seen with their latencies", () => {
  const hbt = open();
  expect(hbt.currentTimestamp).toBe(T);
  expect(hbt.waitNextFeed(false, 10 * MS)).toBe(RC_MARKET_FEED);
  expect(hbt.currentTimestamp).toBe(T + BigInt(2 * MS));
  expect(hbt.feedLatency(0)).toEqual([T, T + BigInt(2 * MS)]);
  expect(hbt.elapse(3 * MS)).toBe(RC_OK);
  const depth = hbt.depth(0);
  expect([depth.bestBidTick, depth.bestAskTick, depth.bidQtyAtTick(1000)]).toEqual([1000, 1002, 0.01]);
  expect(hbt.submitBuy(0, 7, 100, 0.005, GTX, LIMIT)).toBe(RC_OK);
  expect(hbt.submitBuy(0, 7, 100, 0.005, GTX, LIMIT)).toBe(RC_ORDER_ID_EXIST);
  expect(hbt.orders(0).get(7)).toMatchObject({
    status: STATUS_NONE,
    tick: 1000,
    qty: 0.005,
    cancellable: false,
  });
  expect(hbt.cancel(0, 7)).toBe(RC_ORDER_REQUEST_IN_PROCESS);
  expect(hbt.cancel(0, 8)).toBe(RC_ORDER_NOT_FOUND);
  expect(hbt.orderLatency(0)).toBeNull();
  expect(hbt.waitOrderResponse(0, 7, 100 * MS)).toBe(RC_OK);
  // Sent at 5, at the exchange at 8, heard of at 9.
  const at = (ms: number) => T + BigInt(ms * MS);
  expect(hbt.orderLatency(0)).toEqual([at(5), at(8), at(9)]);
  expect(hbt.currentTimestamp).toBe(at(9));
  expect(hbt.orders(0).get(7)).toMatchObject({ status: STATUS_NEW, cancellable: true });
  expect(hbt.elapse(50 * MS)).toBe(RC_OK);
  expect(hbt.lastTrades(0).map((t) => [t.localTs, t.px, t.qty])).toEqual([
    [at(22), 100, 0.004],
    [at(32), 100.2, 0.001],
  ]);
  hbt.clearLastTrades(0);
  expect(hbt.lastTradeCount(0)).toBe(0);
  // The trade at 99.9 goes through our price.
  expect(hbt.waitNextFeed(true, 100 * MS)).toBe(RC_ORDER_RESPONSE);
  expect(hbt.currentTimestamp).toBe(at(61));
  expect(hbt.orders(0).get(7)).toMatchObject({
    status: STATUS_FILLED,
    leaves: 0,
    execTick: 1000,
    maker: true,
  });
  expect(hbt.position(0)).toBe(0.005);
  expect(hbt.stateValues(0)).toMatchObject({ balance: -0.5, numTrades: 1, tradingVolume: 0.005 });
  hbt.clearInactiveOrders(0);
  expect(hbt.orders(0).size).toBe(0);
  expect(hbt.gotoEnd()).toBe(RC_END_OF_DATA);
});

test("an order is moved, cancelled, refused by the exchange and denied by the gate", () => {
  const hbt = open();
  hbt.elapse(5 * MS);
  hbt.submitBuy(0, 1, 99.9, 0.005, GTC, LIMIT, true);
  expect(hbt.modify(0, 1, 99.8, 0.003, true)).toBe(RC_OK);
  expect(hbt.orders(0).get(1)).toMatchObject({ tick: 998, qty: 0.003, leaves: 0.003, req: STATUS_NONE });
  const sentAt = hbt.currentTimestamp;
  expect(hbt.cancel(0, 1, true)).toBe(RC_OK);
  expect(hbt.orders(0).get(1)).toMatchObject({ status: STATUS_CANCELED, cancellable: false });
  expect(hbt.orderLatency(0)![0]).toBe(sentAt);
  hbt.submitBuy(0, 2, 100.2, 0.005, GTX, LIMIT, true);
  expect(hbt.orders(0).get(2)).toMatchObject({ status: STATUS_EXPIRED });
  // Half the price: beyond the gate's band.
  expect(hbt.submitBuy(0, 3, 40, 0.005, GTC, LIMIT)).toBe(RC_INVALID_ORDER_REQUEST);
  expect(hbt.lastDenial).toBe("priceBand");
  expect(hbt.orders(0).has(3)).toBe(false);
});
