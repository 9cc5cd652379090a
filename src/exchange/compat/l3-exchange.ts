// The exchange side of a compat backtest over a market by order (hftbacktest proc/l3_nopartialfillexchange.rs). An
// order whose id is taken, or that is not known, stops the run with code 10 or 12, at the same row again and again.
// Trades and levels change nothing; a FILL row executes the own orders before the filled one and those at better prices.
import { type EventChunk, OP_MASK, OP_ORDER } from "../../data/event-chunk.ts";
import { KIND_ADD_ORDER, KIND_CANCEL_ORDER, KIND_FILL, KIND_MODIFY_ORDER } from "../../data/event-codes.ts";
import { BUY, RC_OK, RC_ORDER_NOT_FOUND, STATUS_EXPIRED } from "./codes.ts";
import type { CompatOrder } from "./compat-order.ts";
import { CompatVenue, type CompatVenueParts } from "./compat-venue.ts";
import {
  type CompatL3Book,
  clearedSide,
  isLevelOrTrade,
  type MarketOrderId,
  marketOrderId,
  sideFlag,
} from "./l3-book.ts";
import { L3FifoQueue } from "./l3-fifo-queue.ts";

export interface L3ExchangeParts extends CompatVenueParts {
  readonly book: CompatL3Book;
}

export class L3Exchange extends CompatVenue {
  private readonly queue = new L3FifoQueue();
  private readonly l3: CompatL3Book;

  constructor(parts: L3ExchangeParts) {
    super(parts);
    this.l3 = parts.book;
  }

  processRows(bound: number): number {
    const { cursor, limit } = this;
    while (cursor.nextTs <= Math.min(bound, limit.ts)) {
      const chunk = cursor.chunk!;
      const { group, nextTs } = cursor;
      for (const end = chunk.groupStart[group + 1]!; cursor.row < end; cursor.row++) {
        const error = this.onRow(chunk, cursor.row, chunk.groupEv[group]!, nextTs);
        if (error === RC_OK) continue;
        this.responsesBeforeEvent = this.responses.length;
        return error;
      }
      cursor.settle(group + 1);
    }
    return RC_OK;
  }

  holds(id: number): boolean {
    return this.queue.find(id) !== undefined;
  }

  rest(order: CompatOrder): void {
    this.queue.addOwn(order.clone());
  }

  takeOut(id: number): CompatOrder | undefined {
    return this.queue.removeOwn(id);
  }

  /** Never crosses: an order moved through the other side rests there until a row fills it (theirs). */
  amend(order: CompatOrder, now: number): number {
    const resting = this.queue.find(order.id);
    if (resting === undefined) return RC_ORDER_NOT_FOUND;
    if (order.tick !== resting.tick || resting.leaves < order.qty) {
      resting.copyState(order);
      this.queue.requeueOwn(resting);
    } else {
      resting.qty = order.qty;
    }
    resting.leaves = order.qty;
    order.leaves = order.qty;
    order.exchTs = now;
    return RC_OK;
  }

  private onRow(chunk: EventChunk, row: number, ev: number, ts: number): number {
    const op = chunk.code[row]! & OP_MASK;
    if (isLevelOrTrade(op)) return RC_OK;
    const bidBefore = this.l3.bid.best;
    const askBefore = this.l3.ask.best;
    const id = op === OP_ORDER ? marketOrderId(chunk, row) : 0;
    const order = this.l3.orders.get(id);
    const tick = chunk.key[row]!;
    const losesPlace = order !== undefined && (order.tick !== tick || order.qty < chunk.levels[2 * row + 1]!);
    const error = this.l3.applyRow(chunk, row, ev);
    if (error !== RC_OK) return error;
    if (op !== OP_ORDER) {
      for (const own of this.queue.clear(clearedSide(op))) this.expire(own, ts);
      return RC_OK;
    }
    switch (ev & 0xff) {
      case KIND_ADD_ORDER: {
        const side = sideFlag(ev);
        if (side === 0) return RC_OK;
        this.queue.addMarket(id, side, tick);
        return this.fillCrossed(side, bidBefore, askBefore, ts);
      }
      case KIND_MODIFY_ORDER:
        if (losesPlace) this.queue.requeueMarket(id, tick);
        return this.fillCrossed(order!.side, bidBefore, askBefore, ts);
      case KIND_CANCEL_ORDER:
        this.queue.removeMarket(id);
        return RC_OK;
      case KIND_FILL:
        return sideFlag(ev) === 0 ? RC_OK : this.onFill(id, tick, ts);
      default:
        return RC_OK;
    }
  }

  /** An order of the market on `side` may have raised that side's best: own orders of the other side are filled. */
  private fillCrossed(side: number, bidBefore: number, askBefore: number, ts: number): number {
    const levels = side === BUY ? this.l3.bid : this.l3.ask;
    const before = side === BUY ? bidBefore : askBefore;
    if (levels.best <= before) return RC_OK;
    const crossed = this.queue.takeBetween(-side, (before + 1) * side, levels.best * side);
    return this.fillAll(crossed, ts);
  }

  /** An order of the market was executed at `tick`: own ones at better prices and before it in line are, too. */
  private onFill(id: MarketOrderId, tick: number, ts: number): number {
    const side = this.queue.marketSide(id);
    if (side === 0) return RC_ORDER_NOT_FOUND;
    const best = side === BUY ? this.l3.bid.best : -this.l3.ask.best;
    const through = (best - tick) * side > 0 ? this.queue.takeBetween(side, best, tick + side) : [];
    return this.fillAll([...through, ...this.queue.takeBefore(id)], ts);
  }

  private fillAll(orders: readonly CompatOrder[], ts: number): number {
    for (const order of orders) {
      const error = this.fillMaker(order, ts, order.leaves);
      if (error !== RC_OK) return error;
    }
    return RC_OK;
  }

  private expire(order: CompatOrder, ts: number): void {
    order.execQty = 0;
    order.leaves = 0;
    order.status = STATUS_EXPIRED;
    order.exchTs = ts;
    this.respond(order);
  }
}
