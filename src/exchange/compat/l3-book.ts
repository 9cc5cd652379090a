// A market by order as hftbacktest's books keep it: every order by id, every level the running sum of its orders, as
// doubles. The levels' rules, faults included, are the books' own. Rows of one order: a Map look-up each; it allocates
// when an order is new. Where hftbacktest aborts the process (an order leaves a level that rounding had emptied), this
// goes on with the order's quantity taken off.
import {
  type EventChunk,
  isTradeOp,
  OP_ASK,
  OP_BID,
  OP_CLEAR_ASK,
  OP_CLEAR_BID,
  OP_MASK,
  OP_NONE,
  OP_ORDER,
} from "../../data/event-chunk.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_ADD_ORDER,
  KIND_CANCEL_ORDER,
  KIND_MODIFY_ORDER,
} from "../../data/event-codes.ts";
import { BUY, RC_OK, RC_ORDER_ID_EXIST, RC_ORDER_NOT_FOUND, SELL } from "./codes.ts";
import { CompatBook } from "./compat-book.ts";

/** The market's order id: a number where it is exact, else a BigInt. */
export type MarketOrderId = number | bigint;

export class MarketOrder {
  readonly id: MarketOrderId;
  readonly side: number;
  tick: number;
  qty: number;

  constructor(id: MarketOrderId, side: number, tick: number, qty: number) {
    this.id = id;
    this.side = side;
    this.tick = tick;
    this.qty = qty;
  }
}

export class CompatL3Book extends CompatBook {
  readonly orders = new Map<MarketOrderId, MarketOrder>();

  /** RC_ORDER_ID_EXIST: the id is taken, and nothing is changed. */
  addOrder(id: MarketOrderId, side: number, tick: number, qty: number): number {
    if (this.orders.has(id)) return RC_ORDER_ID_EXIST;
    this.orders.set(id, new MarketOrder(id, side, tick, qty));
    this.sideOf(side).addOrder(tick * side, qty);
    return RC_OK;
  }

  /** RC_ORDER_NOT_FOUND: nothing is changed. The row's quantity plays no part: the whole order leaves. */
  removeOrder(id: MarketOrderId): number {
    const order = this.orders.get(id);
    if (order === undefined) return RC_ORDER_NOT_FOUND;
    this.orders.delete(id);
    this.sideOf(order.side).takeOrder(order.tick * order.side, order.qty, this.lotSize);
    return RC_OK;
  }

  /** RC_ORDER_NOT_FOUND: nothing is changed. Outside a range of interest the best does not follow, unlike for new orders (theirs). */
  modifyOrder(id: MarketOrderId, tick: number, qty: number): number {
    const order = this.orders.get(id);
    if (order === undefined) return RC_ORDER_NOT_FOUND;
    const levels = this.sideOf(order.side);
    const key = tick * order.side;
    if (tick === order.tick) {
      levels.shift(key, qty - order.qty);
    } else {
      levels.takeOrder(order.tick * order.side, order.qty, this.lotSize);
      order.tick = tick;
      if (levels.inRange(key)) levels.addOrder(key, qty);
    }
    order.qty = qty;
    return RC_OK;
  }

  /** 0: both sides. */
  clearOrders(side: number): void {
    if (side !== SELL) this.bid.clear();
    if (side !== BUY) this.ask.clear();
    if (side === 0) this.orders.clear();
    else for (const order of this.orders.values()) if (order.side === side) this.orders.delete(order.id);
  }

  /** Applies a row that is no trade. An error code: nothing is changed. */
  applyRow(chunk: EventChunk, row: number, ev: number): number {
    const op = chunk.code[row]! & OP_MASK;
    if (op !== OP_ORDER) {
      this.clearOrders(clearedSide(op));
      return RC_OK;
    }
    const id = marketOrderId(chunk, row);
    const tick = chunk.key[row]!;
    const qty = chunk.levels[2 * row + 1]!;
    switch (ev & 0xff) {
      case KIND_ADD_ORDER: {
        const side = sideFlag(ev);
        return side === 0 ? RC_OK : this.addOrder(id, side, tick, qty);
      }
      case KIND_MODIFY_ORDER:
        return this.modifyOrder(id, tick, qty);
      case KIND_CANCEL_ORDER:
        return this.removeOrder(id);
      default:
        return RC_OK;
    }
  }

  private sideOf(side: number): CompatBook["bid"] {
    return side === BUY ? this.bid : this.ask;
  }
}

/** BUY, SELL, or 0 when the row names no side; with both flags BUY, as their order of tests has it. */
export const sideFlag = (ev: number): number => ((ev & EV_BUY) !== 0 ? BUY : (ev & EV_SELL) !== 0 ? SELL : 0);

/** Rows that change no market by order. */
export const isLevelOrTrade = (op: number): boolean =>
  op === OP_NONE || op === OP_BID || op === OP_ASK || isTradeOp(op);

/** Side of an OP_CLEAR_…, 0 for both. */
export const clearedSide = (op: number): number =>
  op === OP_CLEAR_BID ? BUY : op === OP_CLEAR_ASK ? SELL : 0;

export function marketOrderId(chunk: EventChunk, row: number): MarketOrderId {
  const hi = chunk.idHi![row]! >>> 0;
  const lo = chunk.idLo![row]! >>> 0;
  return hi < 0x20_0000 ? hi * 0x1_0000_0000 + lo : (BigInt(hi) << 32n) | BigInt(lo);
}
