// The trader's side of a compat backtest (hftbacktest proc/local.rs): its own book behind the feed latency, its
// copies of the orders, its account. Only responses with status Filled reach the account: partial fills are lost
// (theirs). Hot: processRows runs once per row; it allocates only for recorded trades.

import type { ChunkCursor } from "../../data/chunk-cursor.ts";
import { AT_LOCAL, type EventChunk, isTradeOp, OP_MASK } from "../../data/event-chunk.ts";
import type { Account } from "./account.ts";
import {
  RC_OK,
  RC_ORDER_ID_EXIST,
  RC_ORDER_NOT_FOUND,
  RC_ORDER_REQUEST_IN_PROCESS,
  STATUS_CANCELED,
  STATUS_EXPIRED,
  STATUS_FILLED,
  STATUS_NEW,
  STATUS_NONE,
  STATUS_REJECTED,
  STATUS_REPLACED,
} from "./codes.ts";
import { type CompatBook, WATCH_NOTHING } from "./compat-book.ts";
import { CompatOrder, NO_TIME } from "./compat-order.ts";
import type { OrderBus } from "./order-bus.ts";
import type { OrderLatency } from "./order-latency.ts";
import type { OrderWitness } from "./order-witness.ts";
import { roundToInt } from "./rounding.ts";

export interface CompatLocalParts {
  readonly book: CompatBook;
  readonly cursor: ChunkCursor;
  readonly account: Account;
  readonly latency: OrderLatency;
  readonly requests: OrderBus;
  readonly responses: OrderBus;
  /** Record market trades for `lastTrades`. */
  readonly keepTrades: boolean;
  /** −base: exchange times at or before the epoch count as «none». */
  readonly epochTs: number;
  readonly witness: OrderWitness | null;
}

/** A market trade as the trader saw it; times in ns since the base. */
export interface SeenTrade {
  readonly ev: number;
  readonly exchTs: number;
  readonly localTs: number;
  readonly px: number;
  readonly qty: number;
}

export class CompatLocal {
  readonly book: CompatBook;
  readonly account: Account;
  readonly orders = new Map<number, CompatOrder>();
  readonly cursor: ChunkCursor;
  readonly responses: OrderBus;
  trades: SeenTrade[] = [];
  /** Times of the last row seen; NO_TIME before the first. */
  feedExchTs = NO_TIME;
  feedLocalTs = NO_TIME;
  /** The last response with an exchange time: request, exchange, arrival. */
  orderLocalTs = NO_TIME;
  orderExchTs = NO_TIME;
  orderRespTs = NO_TIME;
  private readonly requests: OrderBus;
  private readonly latency: OrderLatency;
  private readonly keepTrades: boolean;
  private readonly epochTs: number;
  private readonly witness: OrderWitness | null;

  constructor(parts: CompatLocalParts) {
    this.book = parts.book;
    this.cursor = parts.cursor;
    this.account = parts.account;
    this.latency = parts.latency;
    this.requests = parts.requests;
    this.responses = parts.responses;
    this.keepTrades = parts.keepTrades;
    this.epochTs = parts.epochTs;
    this.witness = parts.witness;
  }

  /** Processes rows of the current chunk up to `bound`, inclusive, and moves the cursor on. RC_OK: levels never fail. */
  processRows(bound: number): number {
    const { cursor, book } = this;
    const chunk = cursor.chunk!;
    const { groupStart, groupSides, groupLocalTs, groups } = chunk;
    let group = cursor.group;
    let last = -1;
    let ts = cursor.nextTs;
    while (ts <= bound) {
      const end = groupStart[group + 1]!;
      let row = book.applyRows(chunk, groupStart[group]!, end, WATCH_NOTHING);
      while (row < end) {
        this.onRow(chunk, row, group);
        row = book.applyRows(chunk, row + 1, end, WATCH_NOTHING);
      }
      last = group++;
      while (group < groups && (groupSides[group]! & AT_LOCAL) === 0) group++;
      if (group >= groups) break;
      ts = groupLocalTs[group]!;
    }
    if (last >= 0) {
      this.feedExchTs = chunk.groupExchTs[last]!;
      this.feedLocalTs = groupLocalTs[last]!;
    }
    cursor.group = group;
    cursor.nextTs = ts;
    if (group >= groups) cursor.settle(group);
    return RC_OK;
  }

  private onRow(chunk: EventChunk, row: number, group: number): void {
    const bits = chunk.code[row]!;
    if (!isTradeOp(bits & OP_MASK)) {
      this.book.apply(bits, chunk.key[row]!, chunk.px[row]!, chunk.levels[2 * row + 1]!);
      return;
    }
    this.keepTrade(chunk, row, group);
  }

  protected keepTrade(chunk: EventChunk, row: number, group: number): void {
    if (!this.keepTrades) return;
    this.trades.push({
      ev: chunk.groupEv[group]! >>> 0,
      exchTs: chunk.groupExchTs[group]!,
      localTs: chunk.groupLocalTs[group]!,
      px: chunk.px[row]!,
      qty: chunk.levels[2 * row + 1]!,
    });
  }

  /** Processes responses that arrive up to `bound`, `count` of them at most. True: one arrived at `markTs`. */
  processResponses(bound: number, count: number, markTs: number): boolean {
    let marked = false;
    for (let left = count; left > 0 && this.responses.nextTs <= bound; left--) {
      const arrival = this.responses.nextTs;
      if (arrival === markTs) marked = true;
      this.onResponse(this.responses.pop(), arrival);
    }
    return marked;
  }

  submit(
    id: number,
    side: number,
    price: number,
    qty: number,
    tif: number,
    type: number,
    now: number,
  ): number {
    if (this.orders.has(id)) return RC_ORDER_ID_EXIST;
    const tick = roundToInt(price / this.book.tickSize);
    const order = new CompatOrder(id, side, tick, qty, tif, type);
    order.req = STATUS_NEW;
    order.localTs = now;
    this.orders.set(id, order);
    this.witness?.onSubmit(order, now);
    this.request(order.clone(), now);
    return RC_OK;
  }

  cancel(id: number, now: number): number {
    const order = this.orders.get(id);
    if (order === undefined) return RC_ORDER_NOT_FOUND;
    if (order.req !== STATUS_NONE) return RC_ORDER_REQUEST_IN_PROCESS;
    order.req = STATUS_CANCELED;
    order.localTs = now;
    this.request(order.clone(), now);
    return RC_OK;
  }

  modify(id: number, price: number, qty: number, now: number): number {
    const order = this.orders.get(id);
    if (order === undefined) return RC_ORDER_NOT_FOUND;
    if (order.req !== STATUS_NONE) return RC_ORDER_REQUEST_IN_PROCESS;
    const { tick: oldTick, qty: oldQty } = order;
    order.tick = roundToInt(price / this.book.tickSize);
    order.qty = qty;
    order.req = STATUS_REPLACED;
    order.localTs = now;
    const request = order.clone();
    const refused = this.request(request, now);
    if (refused) {
      request.tick = oldTick;
      request.qty = oldQty;
    }
    return RC_OK;
  }

  clearInactiveOrders(): void {
    for (const [id, { status }] of this.orders) {
      if (status === STATUS_EXPIRED || status === STATUS_FILLED || status === STATUS_CANCELED) {
        this.orders.delete(id);
      }
    }
  }

  /** Sends a request on its way. True: the exchange refused it; the refusal is on its way back. */
  private request(order: CompatOrder, now: number): boolean {
    const latency = this.latency.entry(now);
    if (latency < 0) {
      order.req = STATUS_REJECTED;
      this.responses.append(order, now - latency);
      return true;
    }
    this.requests.append(order, now + latency);
    return false;
  }

  private onResponse(response: CompatOrder, now: number): void {
    if (response.exchTs > this.epochTs) {
      this.orderLocalTs = response.localTs;
      this.orderExchTs = response.exchTs;
      this.orderRespTs = now;
    }
    if (response.status === STATUS_FILLED) this.account.applyFill(response, this.book.tickSize);
    const order = this.orders.get(response.id);
    if (order === undefined) {
      if (response.req !== STATUS_REJECTED) this.orders.set(response.id, response);
    } else if (response.req === STATUS_REJECTED) {
      if (response.localTs !== order.localTs) return;
      if (order.req === STATUS_NEW) order.status = STATUS_EXPIRED;
      order.req = STATUS_NONE;
    } else {
      order.copyState(response);
      if (response.exchTs > this.epochTs) order.exchTs = response.exchTs;
    }
  }
}
