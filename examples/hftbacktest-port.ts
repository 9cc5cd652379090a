// A tutorial strategy of hftbacktest, ported line by line: the left column of each comment is the Python original.
// Run it:  bun run backtest examples/hftbacktest-port.toml
// and with the live pipeline behind the same calls:  bun run backtest examples/hftbacktest-port-default.toml
import type { CompatBacktest } from "../src/backtest/compat/compat-backtest.ts";
import type { PipelineApi } from "../src/backtest/pipeline/pipeline-api.ts";
import { GTX, LIMIT } from "../src/exchange/compat/codes.ts";

/** half: half spread in ticks; skew: ticks per lot of position; q: order quantity; maxp: largest position. */
export default function marketMaker(
  hbt: CompatBacktest | PipelineApi,
  { half = 1, skew = 0.5, q = 0.001, maxp = 0.01 }: Readonly<Record<string, number>>,
  record: () => void,
): number {
  const tickSize = hbt.depth(0).tickSize; // tick_size = hbt.depth(0).tick_size
  let orderId = 1;
  let bidId = 0;
  let askId = 0;

  for (;;) {
    const rc = hbt.elapse(100_000_000); //    while hbt.elapse(100_000_000) == 0:
    if (rc !== 0) return rc;
    hbt.clearInactiveOrders(0); //                hbt.clear_inactive_orders(0)
    record(); //                                  recorder.record(hbt)

    const depth = hbt.depth(0); //                depth = hbt.depth(0)
    if (!depth.hasBid || !depth.hasAsk) continue;
    const position = hbt.position(0); //          position = hbt.position(0)
    const orders = hbt.orders(0); //              orders = hbt.orders(0)

    const reservation = (depth.bestBidTick + depth.bestAskTick) / 2 - skew * (position / q);
    const bidTick = Math.min(Math.floor(reservation - half), depth.bestBidTick);
    const askTick = Math.max(Math.ceil(reservation + half), depth.bestAskTick);

    // Bid: cancel when unwanted or misplaced; quote again in a later step, when the cancel is confirmed.
    const bid = orders.get(bidId); //             if bid_id in orders: bid = orders.get(bid_id)
    const wantBid = position < maxp;
    if (bid !== undefined) {
      if (bid.cancellable && (!wantBid || bid.tick !== bidTick)) hbt.cancel(0, bidId);
    } else if (wantBid) {
      //                                          hbt.submit_buy_order(0, order_id, bid_tick * tick_size, q, GTX, LIMIT, False)
      hbt.submitBuy(0, orderId, bidTick * tickSize, q, GTX, LIMIT, false);
      bidId = orderId++;
    }

    const ask = orders.get(askId);
    const wantAsk = position > -maxp;
    if (ask !== undefined) {
      if (ask.cancellable && (!wantAsk || ask.tick !== askTick)) hbt.cancel(0, askId);
    } else if (wantAsk) {
      hbt.submitSell(0, orderId, askTick * tickSize, q, GTX, LIMIT, false);
      askId = orderId++;
    }
  }
}
