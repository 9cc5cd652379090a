// The market maker behind the medium references: at most one order per side, joined to the touch, skewed by the
// position; cancel and resubmit happen in different steps. Written against the compat interface.
import { GTX, LIMIT, RC_OK } from "../../exchange/compat/codes.ts";
import type { CompatBacktest, StateValues } from "../compat/compat-backtest.ts";

export interface SimpleMmParameters {
  /** Half spread and skew per lot of position, in ticks. */
  readonly half: number;
  readonly skew: number;
  /** Order quantity and the position at which a side stops. */
  readonly q: number;
  readonly maxp: number;
}

/** One recorded step; `price` = mid, NaN on an empty side. */
export type SimpleMmRecorder = (price: number, values: StateValues) => void;

const STEP_NS = 100_000_000;

/** Runs until a step fails or the data ends; returns that code. */
export function runSimpleMm(hbt: CompatBacktest, p: SimpleMmParameters, record: SimpleMmRecorder): number {
  const depth = hbt.depth(0);
  const orders = hbt.orders(0);
  const { tickSize } = depth;
  let orderId = 1;
  let bidId = 0;
  let askId = 0;
  for (;;) {
    const rc = hbt.elapse(STEP_NS);
    if (rc !== RC_OK) return rc;
    hbt.clearInactiveOrders(0);
    record((depth.bestBid + depth.bestAsk) / 2, hbt.stateValues(0));
    if (!depth.hasBid || !depth.hasAsk) continue;
    const bestBid = depth.bestBidTick;
    const bestAsk = depth.bestAskTick;
    const position = hbt.position(0);
    const reservation = (bestBid + bestAsk) / 2 - p.skew * (position / p.q);
    const bidTick = Math.min(Math.floor(reservation - p.half), bestBid);
    const askTick = Math.max(Math.ceil(reservation + p.half), bestAsk);

    const wantBid = position < p.maxp;
    const bid = bidId !== 0 ? orders.get(bidId) : undefined;
    if (bid !== undefined) {
      if (bid.cancellable && (!wantBid || bid.tick !== bidTick)) hbt.cancel(0, bidId);
    } else if (wantBid) {
      hbt.submitBuy(0, orderId, bidTick * tickSize, p.q, GTX, LIMIT);
      bidId = orderId++;
    }

    const wantAsk = position > -p.maxp;
    const ask = askId !== 0 ? orders.get(askId) : undefined;
    if (ask !== undefined) {
      if (ask.cancellable && (!wantAsk || ask.tick !== askTick)) hbt.cancel(0, askId);
    } else if (wantAsk) {
      hbt.submitSell(0, orderId, askTick * tickSize, p.q, GTX, LIMIT);
      askId = orderId++;
    }
  }
}
