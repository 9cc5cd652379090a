// L3 order book: every order by its id, in price-time order, and the levels they add up to (an L2Book).
// Hot: lane of the market model; 0 bytes unless it has to grow (counted); O(1) per change, plus the level's update.
//
//   id (two u32) ─▶ order slot: side, px, qty, sequence, next, previous ─▶ FIFO list of its level
//   (side, tick) ─▶ head and tail of that list
//
// Priority: an order stands behind all that came to its price before. A modification keeps its place when the price
// stays and the quantity does not grow; otherwise it goes to the end, under a new sequence number. So of two orders at a
// price the one with the smaller sequence number is in front: a queue model asks nothing else.
import { assert } from "../core/assert.ts";
import { ASK, BID, L2Book, type L2BookOptions } from "./l2-book.ts";
import { NOT_FOUND, PairTable } from "./pair-table.ts";

export const L3_OK = 0;
/** `add` of an id that is in the book. */
export const L3_DUPLICATE = 1;
/** The id is not in the book. */
export const L3_UNKNOWN = 2;
export const L3_RESULT_NAMES = ["ok", "duplicate order id", "unknown order id"] as const;

/** No such order. */
export const NO_L3_ORDER = -1;
const DEFAULT_ORDERS = 1 << 16;
const DEFAULT_LEVELS = 1 << 14;

export interface L3BookOptions extends L2BookOptions {
  /** Orders held before the arrays have to grow. */
  readonly orders?: number;
}

export class L3Book {
  /** Lots per level: best prices, depth, next levels. Read only. */
  readonly levels: L2Book;
  private readonly ids: PairTable;
  private readonly queues: PairTable;
  private idHi: Int32Array;
  private idLo: Int32Array;
  private side: Int8Array;
  private px: Float64Array;
  private qty: Float64Array;
  private seq: Float64Array;
  private nextOf: Int32Array;
  private previousOf: Int32Array;
  /** First free slot; free slots are chained by nextOf. */
  private free: number;
  private head: Int32Array;
  private tail: Int32Array;
  private freeQueue: number;
  private nextSequence: number;
  orderCount: number;
  /** How often the arrays had to be enlarged after start. */
  growths: number;

  constructor(options: L3BookOptions = {}) {
    const orders = options.orders ?? DEFAULT_ORDERS;
    this.levels = new L2Book(options);
    this.ids = new PairTable(orders);
    this.queues = new PairTable(DEFAULT_LEVELS);
    this.idHi = new Int32Array(orders);
    this.idLo = new Int32Array(orders);
    this.side = new Int8Array(orders);
    this.px = new Float64Array(orders);
    this.qty = new Float64Array(orders);
    this.seq = new Float64Array(orders);
    this.nextOf = chain(new Int32Array(orders), 0);
    this.previousOf = new Int32Array(orders);
    this.free = 0;
    this.head = chain(new Int32Array(DEFAULT_LEVELS), 0);
    this.tail = new Int32Array(DEFAULT_LEVELS);
    this.freeQueue = 0;
    this.nextSequence = 1;
    this.orderCount = 0;
    this.growths = 0;
  }

  /** Slot of an order while it is in the book, NO_L3_ORDER when it is not. */
  find(idHi: number, idLo: number): number {
    return this.ids.get(idHi, idLo);
  }

  sideOf(order: number): number {
    return this.side[order]!;
  }

  pxTicksOf(order: number): number {
    return this.px[order]!;
  }

  qtyLotsOf(order: number): number {
    return this.qty[order]!;
  }

  /** The smaller, the earlier at its price. */
  sequenceOf(order: number): number {
    return this.seq[order]!;
  }

  idHiOf(order: number): number {
    return this.idHi[order]!;
  }

  idLoOf(order: number): number {
    return this.idLo[order]!;
  }

  /** The sequence number that an order which comes now would get; each call gives another. */
  takeSequence(): number {
    return this.nextSequence++;
  }

  /** First order in the queue of a price, NO_L3_ORDER for an empty level. */
  firstAt(side: number, pxTicks: number): number {
    const queue = this.queues.get(side, pxTicks);
    return queue === NOT_FOUND ? NO_L3_ORDER : this.head[queue]!;
  }

  /** The order behind, NO_L3_ORDER at the end. */
  behind(order: number): number {
    return this.nextOf[order]!;
  }

  /** Lots in front of a place in the queue of a price: O(orders in front). */
  lotsAhead(side: number, pxTicks: number, sequence: number): number {
    let lots = 0;
    for (
      let o = this.firstAt(side, pxTicks);
      o !== NO_L3_ORDER && this.seq[o]! < sequence;
      o = this.nextOf[o]!
    )
      lots += this.qty[o]!;
    return lots;
  }

  /** `side` +1 bid, −1 ask; both numbers integers, qtyLots > 0, |pxTicks| < 2^31. L3_OK or L3_DUPLICATE. */
  add(idHi: number, idLo: number, side: number, pxTicks: number, qtyLots: number): number {
    if (this.ids.get(idHi, idLo) !== NOT_FOUND) return L3_DUPLICATE;
    if (this.free === NO_L3_ORDER) this.growOrders();
    const order = this.free;
    this.free = this.nextOf[order]!;
    this.idHi[order] = idHi;
    this.idLo[order] = idLo;
    this.side[order] = side;
    this.px[order] = pxTicks;
    this.qty[order] = qtyLots;
    this.ids.set(idHi, idLo, order);
    this.orderCount++;
    this.enqueue(order);
    return L3_OK;
  }

  /** The order leaves the book. L3_OK or L3_UNKNOWN. */
  cancel(idHi: number, idLo: number): number {
    const order = this.ids.get(idHi, idLo);
    if (order === NOT_FOUND) return L3_UNKNOWN;
    this.remove(order);
    return L3_OK;
  }

  /** The order has `lots` less and keeps its place; it leaves the book with the last. L3_OK or L3_UNKNOWN. */
  reduce(idHi: number, idLo: number, lots: number): number {
    const order = this.ids.get(idHi, idLo);
    if (order === NOT_FOUND) return L3_UNKNOWN;
    if (lots >= this.qty[order]!) this.remove(order);
    else this.setQty(order, this.qty[order]! - lots);
    return L3_OK;
  }

  /** Price and whole quantity of the order from now on; 0 lots = cancel. L3_OK or L3_UNKNOWN. */
  modify(idHi: number, idLo: number, pxTicks: number, qtyLots: number): number {
    const order = this.ids.get(idHi, idLo);
    if (order === NOT_FOUND) return L3_UNKNOWN;
    if (qtyLots <= 0) this.remove(order);
    else if (pxTicks === this.px[order]! && qtyLots <= this.qty[order]!) this.setQty(order, qtyLots);
    else {
      this.dequeue(order);
      this.px[order] = pxTicks;
      this.qty[order] = qtyLots;
      this.enqueue(order);
    }
    return L3_OK;
  }

  /** Side 0: both. O(orders that leave). */
  clear(side: number): void {
    if (side >= 0) this.clearSide(BID);
    if (side <= 0) this.clearSide(ASK);
  }

  /** Re-centring of the levels; see L2Book.maintain. */
  maintain(): void {
    this.levels.maintain();
  }

  private clearSide(side: number): void {
    for (;;) {
      const px = side > 0 ? this.levels.bestBidTicks : this.levels.bestAskTicks;
      if (Number.isNaN(px)) return;
      for (let o = this.firstAt(side, px); o !== NO_L3_ORDER; o = this.firstAt(side, px)) this.remove(o);
    }
  }

  private remove(order: number): void {
    this.dequeue(order);
    this.ids.delete(this.idHi[order]!, this.idLo[order]!);
    this.nextOf[order] = this.free;
    this.free = order;
    this.orderCount--;
  }

  private setQty(order: number, qtyLots: number): void {
    this.changeLevel(order, qtyLots - this.qty[order]!);
    this.qty[order] = qtyLots;
  }

  private changeLevel(order: number, lots: number): void {
    const side = this.side[order]!;
    const px = this.px[order]!;
    this.levels.apply(side, px, this.levels.qtyAt(side, px) + lots);
  }

  /** To the end of its level. */
  private enqueue(order: number): void {
    const side = this.side[order]!;
    const px = this.px[order]!;
    this.seq[order] = this.nextSequence++;
    let queue = this.queues.get(side, px);
    if (queue === NOT_FOUND) {
      queue = this.takeQueue();
      this.queues.set(side, px, queue);
      this.head[queue] = order;
      this.previousOf[order] = NO_L3_ORDER;
    } else {
      const last = this.tail[queue]!;
      this.nextOf[last] = order;
      this.previousOf[order] = last;
    }
    this.nextOf[order] = NO_L3_ORDER;
    this.tail[queue] = order;
    this.changeLevel(order, this.qty[order]!);
  }

  private dequeue(order: number): void {
    const side = this.side[order]!;
    const px = this.px[order]!;
    const before = this.previousOf[order]!;
    const after = this.nextOf[order]!;
    const queue = this.queues.get(side, px);
    assert(queue !== NOT_FOUND, "an L3 order without its level");
    if (before === NO_L3_ORDER) this.head[queue] = after;
    else this.nextOf[before] = after;
    if (after === NO_L3_ORDER) this.tail[queue] = before;
    else this.previousOf[after] = before;
    if (before === NO_L3_ORDER && after === NO_L3_ORDER) {
      this.queues.delete(side, px);
      this.head[queue] = this.freeQueue;
      this.freeQueue = queue;
    }
    this.changeLevel(order, -this.qty[order]!);
  }

  private takeQueue(): number {
    if (this.freeQueue === NO_L3_ORDER) {
      const old = this.head.length;
      this.head = chain(enlarged(this.head, new Int32Array(2 * old)), old);
      this.tail = enlarged(this.tail, new Int32Array(2 * old));
      this.freeQueue = old;
      this.growths++;
    }
    const queue = this.freeQueue;
    this.freeQueue = this.head[queue]!;
    return queue;
  }

  private growOrders(): void {
    const old = this.px.length;
    const size = 2 * old;
    this.idHi = enlarged(this.idHi, new Int32Array(size));
    this.idLo = enlarged(this.idLo, new Int32Array(size));
    this.side = enlarged(this.side, new Int8Array(size));
    this.px = enlarged(this.px, new Float64Array(size));
    this.qty = enlarged(this.qty, new Float64Array(size));
    this.seq = enlarged(this.seq, new Float64Array(size));
    this.nextOf = chain(enlarged(this.nextOf, new Int32Array(size)), old);
    this.previousOf = enlarged(this.previousOf, new Int32Array(size));
    this.free = old;
    this.growths++;
  }
}

/** Chains the places from `from` on as free ones; the last ends the chain. */
function chain(next: Int32Array, from: number): Int32Array {
  for (let i = from; i < next.length; i++) next[i] = i + 1;
  next[next.length - 1] = NO_L3_ORDER;
  return next;
}

function enlarged<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}
