// One line of a tiny case's log: everything of the trader's side that a step can change.
import type { CompatOrder } from "../../exchange/compat/compat-order.ts";
import type { CompatBacktest } from "../compat/compat-backtest.ts";

export interface TinyLine {
  readonly rc: number;
  readonly ts: bigint;
  readonly i: number;
  readonly bb: number | null;
  readonly ba: number | null;
  readonly bbq: number | null;
  readonly baq: number | null;
  readonly position: number;
  readonly balance: number;
  readonly fee: number;
  readonly num_trades: number;
  readonly trading_volume: number;
  readonly trading_value: number;
  readonly n_trades_seen: number;
  readonly feed_latency: readonly bigint[] | null;
  readonly orders: readonly (readonly (number | bigint | boolean)[])[];
  readonly actions?: readonly (readonly [number, number])[];
}

export function stateLine(backtest: CompatBacktest, rc: number, step: number): TinyLine {
  const depth = backtest.depth(0);
  const values = backtest.stateValues(0);
  return {
    rc,
    ts: backtest.currentTimestamp,
    i: step,
    bb: depth.hasBid ? depth.bestBidTick : null,
    ba: depth.hasAsk ? depth.bestAskTick : null,
    bbq: orNull(depth.bestBidQty),
    baq: orNull(depth.bestAskQty),
    position: values.position,
    balance: values.balance,
    fee: values.fee,
    num_trades: values.numTrades,
    trading_volume: values.tradingVolume,
    trading_value: values.tradingValue,
    n_trades_seen: backtest.lastTradeCount(0),
    feed_latency: backtest.feedLatency(0),
    orders: [...backtest.orders(0).values()].sort((a, b) => a.id - b.id).map((o) => orderFields(backtest, o)),
  };
}

const orNull = (x: number): number | null => (Number.isNaN(x) ? null : x);

/** Largest i64: a market order's execution price on an empty book. */
const exactTick = (tick: number): number | bigint => (tick >= 2 ** 63 ? 2n ** 63n - 1n : tick);

function orderFields(backtest: CompatBacktest, order: CompatOrder): (number | bigint | boolean)[] {
  return [
    order.id,
    order.side,
    order.status,
    order.req,
    order.tick,
    order.qty,
    order.leaves,
    order.execQty,
    exactTick(order.execTick),
    backtest.toUnixNs(order.exchTs),
    backtest.toUnixNs(order.localTs),
    order.maker,
    order.tif,
    order.type,
  ];
}
