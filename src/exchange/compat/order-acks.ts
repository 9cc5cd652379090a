// What the exchange side does with a request: new, cancel, modify. The order is changed in place and goes back as
// the response. Cold: once per request.
import {
  BUY,
  FOK,
  GTC,
  GTX,
  IOC,
  LIMIT,
  MARKET,
  RC_INVALID_ORDER_REQUEST,
  RC_OK,
  RC_ORDER_ID_EXIST,
  RC_ORDER_NOT_FOUND,
  STATUS_CANCELED,
  STATUS_EXPIRED,
  STATUS_FILLED,
  STATUS_NEW,
  STATUS_NONE,
  STATUS_REJECTED,
  STATUS_REPLACED,
} from "./codes.ts";
import type { CompatBook } from "./compat-book.ts";
import { type CompatOrder, TICK_NONE_ASK, TICK_NONE_BID } from "./compat-order.ts";
import type { CompatVenue } from "./compat-venue.ts";
import { minNum, roundHalfAway } from "./rounding.ts";

/** Levels a market order walks: 100 up for a buy, 101 down for a sell, as the original's loops have it. */
const MARKET_LEVELS_BUY = 100;
const MARKET_LEVELS_SELL = 101;

export function acknowledge(exchange: CompatVenue, order: CompatOrder, now: number): number {
  const request = order.req;
  order.req = STATUS_NONE;
  switch (request) {
    case STATUS_NEW:
      return acknowledgeNew(exchange, order, now);
    case STATUS_CANCELED:
      return acknowledgeCancel(exchange, order, now);
    case STATUS_REPLACED:
      return acknowledgeModify(exchange, order, now);
    default:
      return RC_INVALID_ORDER_REQUEST;
  }
}

/** A new order, or one that loses its place by a modification. */
export function acknowledgeNew(exchange: CompatVenue, order: CompatOrder, now: number): number {
  if (exchange.holds(order.id)) return RC_ORDER_ID_EXIST;
  if (order.type === MARKET)
    return exchange.partialFill ? sweepMarket(exchange, order, now) : takeWhole(exchange, order, now);
  if (order.type !== LIMIT) return RC_INVALID_ORDER_REQUEST;
  const { book } = exchange;
  const crosses =
    order.side === BUY ? order.tick >= book.bestAskTick : book.hasBid && order.tick <= book.bestBidTick;
  if (crosses) return takeLimit(exchange, order, now);
  if (order.tif === GTC || order.tif === GTX) {
    order.status = STATUS_NEW;
    order.exchTs = now;
    exchange.rest(order);
    return RC_OK;
  }
  return order.tif === FOK || order.tif === IOC ? expire(order, now) : RC_INVALID_ORDER_REQUEST;
}

function acknowledgeCancel(exchange: CompatVenue, order: CompatOrder, now: number): number {
  const resting = exchange.takeOut(order.id);
  order.exchTs = now;
  if (resting === undefined) {
    order.req = STATUS_REJECTED;
    return RC_OK;
  }
  // The response is the book's copy, so it carries the submit's local time, not the cancel's (theirs).
  order.copyState(resting);
  order.localTs = resting.localTs;
  order.status = STATUS_CANCELED;
  return RC_OK;
}

function acknowledgeModify(exchange: CompatVenue, order: CompatOrder, now: number): number {
  const error = exchange.amend(order, now);
  if (error === RC_ORDER_NOT_FOUND) {
    order.req = STATUS_REJECTED;
    order.exchTs = now;
    return RC_OK;
  }
  if (exchange.holds(order.id)) exchange.witness?.onAmended(order, now);
  return error;
}

/** A limit order that crosses. */
function takeLimit(exchange: CompatVenue, order: CompatOrder, now: number): number {
  if (order.tif === GTX) return expire(order, now);
  if (order.tif !== GTC && order.tif !== IOC && order.tif !== FOK) return RC_INVALID_ORDER_REQUEST;
  if (!exchange.partialFill) return takeWhole(exchange, order, now);
  const { book } = exchange;
  const best = order.side === BUY ? book.bestAskTick : book.bestBidTick;
  const levels = (order.tick - best) * order.side + 1;
  if (order.tif === FOK && !canFill(exchange, order, best, levels)) return expire(order, now);
  // A buy stops one level before its own price, a sell includes it (theirs).
  const walked = order.tif === GTC && order.side === BUY ? levels - 1 : levels;
  const error = walk(exchange, order, best, walked, now);
  if (error !== RC_OK || order.status === STATUS_FILLED) return error;
  if (order.tif !== GTC) return expire(order, now);
  return exchange.fill(order, now, false, order.tick, order.leaves);
}

/** Without partial fills all that is left goes at the best opposite tick, whatever is there. */
function takeWhole(exchange: CompatVenue, order: CompatOrder, now: number): number {
  const { book } = exchange;
  const bought = book.hasAsk ? book.bestAskTick : TICK_NONE_ASK;
  const sold = book.hasBid ? book.bestBidTick : TICK_NONE_BID;
  return exchange.fill(order, now, false, order.side === BUY ? bought : sold, order.leaves);
}

function sweepMarket(exchange: CompatVenue, order: CompatOrder, now: number): number {
  const { book } = exchange;
  const buys = order.side === BUY;
  if (buys ? book.hasAsk : book.hasBid) {
    const best = buys ? book.bestAskTick : book.bestBidTick;
    const error = walk(exchange, order, best, buys ? MARKET_LEVELS_BUY : MARKET_LEVELS_SELL, now);
    if (error !== RC_OK || order.status === STATUS_FILLED) return error;
  }
  return expire(order, now);
}

/** Fills level by level away from `best` until the order is filled or `levels` ticks are done. */
function walk(exchange: CompatVenue, order: CompatOrder, best: number, levels: number, now: number): number {
  const opposite = -order.side;
  for (let i = 0; i < levels; i++) {
    const tick = best + i * order.side;
    const qty = levelQty(exchange.book, opposite, tick);
    if (!(qty > 0)) continue;
    const error = exchange.fill(order, now, false, tick, minNum(qty, order.leaves));
    if (error !== RC_OK || order.status === STATUS_FILLED) return error;
  }
  return RC_OK;
}

function canFill(exchange: CompatVenue, order: CompatOrder, best: number, levels: number): boolean {
  const { lotSize } = exchange.book;
  const wanted = roundHalfAway(order.qty / lotSize);
  let sum = 0;
  for (let i = 0; i < levels; i++) {
    sum += levelQty(exchange.book, -order.side, best + i * order.side);
    if (roundHalfAway(sum / lotSize) >= wanted) return true;
  }
  return false;
}

export function levelQty(book: CompatBook, side: number, tick: number): number {
  return side === BUY ? book.bidQtyAtTick(tick) : book.askQtyAtTick(tick);
}

function expire(order: CompatOrder, now: number): number {
  order.status = STATUS_EXPIRED;
  order.exchTs = now;
  return RC_OK;
}
