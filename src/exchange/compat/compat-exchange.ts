// The exchange side of a compat backtest (hftbacktest proc/nopartialfillexchange.rs, partialfillexchange.rs):
// rows move the book and fill resting orders, requests are acknowledged. Known faults are kept: a partial fill of
// exactly what is left leaves a filled order in the book, and the next fill of it ends the run with code 14.
// Hot: processRows runs once per row; it allocates only when an order is filled.

import {
  AT_EXCH,
  type EventChunk,
  OP_ASK,
  OP_BID,
  OP_MASK,
  OP_TRADE_BUY,
  OP_TRADE_SELL,
} from "../../data/event-chunk.ts";
import { NO_KEY } from "./book-side.ts";
import { RC_OK, RC_ORDER_NOT_FOUND } from "./codes.ts";
import type { CompatOrder } from "./compat-order.ts";
import { CompatVenue, type CompatVenueParts } from "./compat-venue.ts";
import { acknowledgeNew, levelQty } from "./order-acks.ts";
import type { QueueModel } from "./queue-models.ts";
import { RestingOrders } from "./resting-orders.ts";

export interface CompatExchangeParts extends CompatVenueParts {
  readonly queue: QueueModel;
}

export class CompatExchange extends CompatVenue {
  private readonly queue: QueueModel;
  private readonly resting = new RestingOrders();
  private filledIds: number[] = [];

  constructor(parts: CompatExchangeParts) {
    super(parts);
    this.queue = parts.queue;
  }

  /**
   * Processes rows of the current chunk up to `bound` (inclusive; also never past the run's limit) and moves the
   * cursor on. Returns RC_OK or an error code; then the cursor stays on the row that failed.
   */
  processRows(bound: number): number {
    const { cursor, book, resting, limit } = this;
    const chunk = cursor.chunk!;
    const { groupStart, groupSides, groupExchTs, groups } = chunk;
    let group = cursor.group;
    let row = cursor.row;
    let ts = cursor.nextTs;
    let to = bound;
    while (ts <= to) {
      const end = groupStart[group + 1]!;
      for (
        row = book.applyRows(chunk, row, end, resting);
        row < end;
        row = book.applyRows(chunk, row + 1, end, resting)
      ) {
        const error = this.onRow(chunk, row, ts);
        if (error !== RC_OK) {
          cursor.group = group;
          cursor.row = row;
          cursor.nextTs = ts;
          return error;
        }
      }
      if (limit.ts < to) to = limit.ts;
      group++;
      while (group < groups && (groupSides[group]! & AT_EXCH) === 0) group++;
      if (group >= groups) break;
      row = groupStart[group]!;
      ts = groupExchTs[group]!;
    }
    cursor.group = group;
    cursor.row = row;
    cursor.nextTs = ts;
    if (group >= groups) cursor.settle(group);
    return RC_OK;
  }

  /** A row that concerns more than its level. */
  private onRow(chunk: EventChunk, row: number, ts: number): number {
    const { bid, ask } = this.book;
    const bits = chunk.code[row]!;
    const key = chunk.key[row]!;
    const qty = chunk.levels[2 * row + 1]!;
    switch (bits & OP_MASK) {
      case OP_BID: {
        const before = bid.best;
        return this.afterBid(key, bid.update(key, qty, bits), qty, before, ts);
      }
      case OP_ASK: {
        const before = ask.best;
        return this.afterAsk(-key, ask.update(key, qty, bits), qty, before, ts);
      }
      case OP_TRADE_BUY:
        return this.resting.sells.length === 0 ? RC_OK : this.onBuyTrade(key, qty, ts);
      case OP_TRADE_SELL:
        return this.resting.buys.length === 0 ? RC_OK : this.onSellTrade(key, qty, ts);
      default:
        this.book.apply(bits, key, chunk.px[row]!, qty);
        return RC_OK;
    }
  }

  holds(id: number): boolean {
    return this.resting.byId.has(id);
  }

  rest(order: CompatOrder): void {
    this.queue.newOrder(order, levelQty(this.book, order.side, order.tick));
    this.resting.add(order.clone());
  }

  takeOut(id: number): CompatOrder | undefined {
    return this.resting.remove(id);
  }

  amend(order: CompatOrder, now: number): number {
    const resting = this.resting.byId.get(order.id);
    if (resting === undefined) return RC_ORDER_NOT_FOUND;
    if (order.tick !== resting.tick || order.qty > resting.leaves) {
      this.resting.remove(order.id);
      // leaves stays the trader's old copy, whatever the new quantity (theirs).
      return acknowledgeNew(this, order, now);
    }
    resting.qty = order.qty;
    resting.leaves = order.qty;
    resting.exchTs = now;
    // The response is the request itself: a partial fill that the trader has not seen yet is not in it (theirs).
    order.leaves = order.qty;
    order.exchTs = now;
    return RC_OK;
  }

  private fillResting(order: CompatOrder, ts: number, qty: number, remove: boolean): number {
    if (remove) this.filledIds.push(order.id);
    return this.fillMaker(order, ts, qty);
  }

  private afterBid(tick: number, prev: number, qty: number, before: number, ts: number): number {
    const { buys, sells } = this.resting;
    for (let i = 0; i < buys.length; i++) {
      if (buys[i]!.tick === tick) this.queue.depth(buys[i]!, prev, qty);
    }
    const best = this.book.bid.best;
    return best > before && sells.length > 0 ? this.crossSells(before, best, ts) : RC_OK;
  }

  /** `before`: the side's best key (−tick). */
  private afterAsk(tick: number, prev: number, qty: number, before: number, ts: number): number {
    const { buys, sells } = this.resting;
    for (let i = 0; i < sells.length; i++) {
      if (sells[i]!.tick === tick) this.queue.depth(sells[i]!, prev, qty);
    }
    const best = this.book.ask.best;
    return best > before && buys.length > 0 ? this.crossBuys(before, best, ts) : RC_OK;
  }

  /** The bid rose from prevBest to best: sells at or below it are filled. A short rise looks at the new ticks only. */
  private crossSells(prevBest: number, best: number, ts: number): number {
    this.responsesBeforeEvent = this.responses.length;
    const all = prevBest === NO_KEY || this.resting.count < best - prevBest;
    for (const order of this.resting.sells) {
      if (order.tick > best) break;
      if (!all && order.tick <= prevBest) continue;
      const error = this.fillResting(order, ts, order.leaves, true);
      if (error !== RC_OK) return error;
    }
    this.removeFilled();
    return RC_OK;
  }

  /** Keys are −tick: the ask fell from −prevBest to −best. */
  private crossBuys(prevBest: number, best: number, ts: number): number {
    this.responsesBeforeEvent = this.responses.length;
    const all = prevBest === NO_KEY || this.resting.count < best - prevBest;
    for (const order of this.resting.buys) {
      if (order.tick < -best || (!all && order.tick >= -prevBest)) continue;
      const error = this.fillResting(order, ts, order.leaves, true);
      if (error !== RC_OK) return error;
    }
    this.removeFilled();
    return RC_OK;
  }

  private onBuyTrade(tick: number, qty: number, ts: number): number {
    const best = this.book.bid.best;
    const all = best === NO_KEY || this.resting.count < tick - best;
    if (!all && tick <= best) return RC_OK;
    this.responsesBeforeEvent = this.responses.length;
    for (const order of this.resting.sells) {
      if (order.tick > tick) break;
      if (!all && order.tick <= best) continue;
      const error = this.onTradeAt(order, order.tick < tick, qty, ts);
      if (error !== RC_OK) return error;
    }
    this.removeFilled();
    return RC_OK;
  }

  private onSellTrade(tick: number, qty: number, ts: number): number {
    const bestAsk = this.book.bestAskTick;
    const all = !this.book.hasAsk || this.resting.count < bestAsk - tick;
    if (!all && tick >= bestAsk) return RC_OK;
    this.responsesBeforeEvent = this.responses.length;
    for (const order of this.resting.buys) {
      if (order.tick < tick || (!all && order.tick >= bestAsk)) continue;
      const error = this.onTradeAt(order, order.tick > tick, qty, ts);
      if (error !== RC_OK) return error;
    }
    this.removeFilled();
    return RC_OK;
  }

  /** Each order at the trade's tick sees the whole quantity. */
  private onTradeAt(order: CompatOrder, through: boolean, qty: number, ts: number): number {
    if (through) return this.fillResting(order, ts, order.leaves, true);
    this.queue.trade(order, qty);
    const filled = this.queue.filled(order, this.book.lotSize);
    if (!(filled > 0)) return RC_OK;
    const whole = !this.partialFill || filled > order.leaves;
    return this.fillResting(order, ts, whole ? order.leaves : filled, whole);
  }

  /** After an error the list keeps its entries, as the original's does. */
  private removeFilled(): void {
    if (this.filledIds.length === 0) return;
    for (const id of this.filledIds) this.resting.remove(id);
    this.filledIds = [];
  }
}
