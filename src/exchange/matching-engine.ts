// The default matching model: own orders of one instrument against a market that does not react to them.
// Integers only (ticks, lots); partial fills; queue position by a QueueModel. The simulated venue and the
// backtest run this same code. Differences from hftbacktest: one trade's volume is shared by own orders at
// a price in arrival order; a crossing GTC order fills at the levels it meets and rests what is left; lots
// taken by own takers stay taken until the level changes; a finished order is gone at once.
// Hot: 0 bytes per market event; work bounded by resting own orders, and by levels walked for a taker.
// The listener must not call the engine.
import type { L3Book } from "../market/l3-book.ts";
import { ORDER_TYPE_MARKET, TIF_FOK, TIF_GTX, TIF_IOC } from "../wire/codes.ts";
import type { MarketBook } from "./market-book.ts";
import { NO_ORDER, OwnOrders, STP_EXPIRE_BOTH, STP_EXPIRE_MAKER, STP_EXPIRE_TAKER } from "./own-orders.ts";
import type { QueueModel } from "./queue/queue-model.ts";
import { TakenLiquidity } from "./taken-liquidity.ts";

/** Results of submit below 0: the order never existed. */
export const REJECT_WOULD_TAKE = -2;
export const REJECT_NOT_FILLABLE = -3;
export const REJECT_REDUCE_ONLY = -4;
export const REJECT_FULL = -5;

export const CLOSED_FILLED = 1;
export const CLOSED_CANCELED = 2;
/** IOC or market rest, or a reduce-only order that has nothing left to reduce. */
export const CLOSED_EXPIRED = 3;
/** Ended by self-trade prevention. */
export const CLOSED_IN_MATCH = 4;

export const MODIFY_OK = 0;
/** New quantity ≤ executed, or a post-only order whose new price would take: the order is cancelled. */
export const MODIFY_CANCELED = 1;

/** Callbacks arrive in execution order with the order's columns already updated. */
export interface MatchListener {
  /** The order exists; fills of the same call follow. */
  onAccepted(slot: number): void;
  onAmended(slot: number): void;
  onFill(slot: number, pxTicks: number, qtyLots: number, maker: boolean): void;
  /** Last callback of an order; its slot is free again when this returns. */
  onClosed(slot: number, reason: number): void;
}

export interface MatchingOptions {
  /** Own orders working at once. Default 1024. */
  readonly capacity?: number;
  /**
   * An order that trades, trades whole: a maker when the queue before it is gone, a taker at the best opposite
   * price, whatever stands there (hftbacktest's NoPartialFillExchange).
   */
  readonly wholeFills?: boolean;
  /**
   * The market by order, whose levels are the engine's book: an own order has a place among its price's orders, nothing
   * is estimated, and the fills of market orders (`onOrderFill`), not trades, fill own ones. Its owner applies the rows.
   */
  readonly byOrder?: L3Book | null;
}

export class MatchingEngine {
  readonly orders: OwnOrders;
  readonly book: MarketBook;
  /** Net position by fills, in lots; set it when a session is restored. */
  positionLots = 0;
  private readonly queue: QueueModel;
  private readonly listener: MatchListener;
  private readonly taken = new TakenLiquidity();
  private readonly wholeFills: boolean;
  private readonly byOrder: L3Book | null;
  private reduceOnlyCount = 0;

  constructor(book: MarketBook, queue: QueueModel, listener: MatchListener, options: MatchingOptions = {}) {
    this.book = book;
    this.queue = queue;
    this.listener = listener;
    this.wholeFills = options.wholeFills === true;
    this.byOrder = options.byOrder ?? null;
    this.orders = new OwnOrders(options.capacity ?? 1024);
  }

  /**
   * Slot of the accepted order (it may be closed again already: its callbacks say so), or a REJECT_… code.
   * `side` is +1 or -1; `pxTicks` is ignored for market orders.
   */
  submit(
    side: number,
    orderType: number,
    tif: number,
    pxTicks: number,
    qtyLots: number,
    reduceOnly: boolean,
    stp: number,
    reference: number,
  ): number {
    const market = orderType === ORDER_TYPE_MARKET;
    if (reduceOnly && -side * this.positionLots <= 0) return REJECT_REDUCE_ONLY;
    if (!market && tif === TIF_GTX && this.wouldTake(side, pxTicks)) return REJECT_WOULD_TAKE;
    const needed = this.wholeFills ? 1 : qtyLots;
    if (!market && tif === TIF_FOK && this.takeableLots(side, pxTicks, needed) < needed)
      return REJECT_NOT_FILLABLE;
    const slot = this.orders.allocate();
    if (slot === NO_ORDER) return REJECT_FULL;
    const o = this.orders;
    o.side[slot] = side;
    o.orderType[slot] = orderType;
    o.tif[slot] = tif;
    o.stp[slot] = stp;
    o.reduceOnly[slot] = reduceOnly ? 1 : 0;
    o.pxTicks[slot] = market ? side * Number.POSITIVE_INFINITY : pxTicks;
    o.qtyLots[slot] = qtyLots;
    o.leavesLots[slot] = qtyLots;
    o.reference[slot] = reference;
    if (reduceOnly) this.reduceOnlyCount++;
    this.listener.onAccepted(slot);
    this.takeThenRest(slot, !market && tif !== TIF_IOC && tif !== TIF_FOK);
    this.expireReduceOnly();
    return slot;
  }

  cancel(slot: number): void {
    this.close(slot, CLOSED_CANCELED);
  }

  /**
   * New price and total quantity. A smaller quantity at the same price keeps the queue position; everything
   * else queues anew and may take.
   */
  modify(slot: number, pxTicks: number, qtyLots: number): number {
    const o = this.orders;
    const executed = o.qtyLots[slot]! - o.leavesLots[slot]!;
    const refused =
      qtyLots <= executed || (o.tif[slot] === TIF_GTX && this.wouldTake(o.side[slot]!, pxTicks));
    if (refused) {
      this.close(slot, CLOSED_CANCELED);
      return MODIFY_CANCELED;
    }
    const keeps = o.pxTicks[slot] === pxTicks && qtyLots <= o.qtyLots[slot]!;
    o.qtyLots[slot] = qtyLots;
    o.leavesLots[slot] = qtyLots - executed;
    if (keeps) {
      this.listener.onAmended(slot);
      return MODIFY_OK;
    }
    o.unlink(slot);
    o.pxTicks[slot] = pxTicks;
    this.listener.onAmended(slot);
    this.takeThenRest(slot, true);
    this.expireReduceOnly();
    return MODIFY_OK;
  }

  /** Up to `lots` of a resting order trade at its price as if somebody had hit it. Returns the lots done. */
  hit(slot: number, lots: number): number {
    const done = this.execute(
      slot,
      this.orders.pxTicks[slot]!,
      Math.min(lots, this.orders.leavesLots[slot]!),
      true,
    );
    this.expireReduceOnly();
    return done;
  }

  /** Rests an order of a restored session, whose columns the caller has filled, without matching it. */
  adopt(slot: number): void {
    if (this.orders.reduceOnly[slot] === 1) this.reduceOnlyCount++;
    this.rest(slot);
  }

  /** True when a limit order at this price would meet the market or an own order at once. */
  wouldTake(side: number, pxTicks: number): boolean {
    const own = this.orders.head(-side);
    if (own !== NO_ORDER && side * (pxTicks - this.orders.pxTicks[own]!) >= 0) return true;
    return side * (pxTicks - this.book.bestTicks(-side)) >= 0;
  }

  /** One row of a depth event. Call endDepth after its last row. */
  onDepth(side: number, pxTicks: number, qtyLots: number): void {
    const o = this.orders;
    const head = o.head(side);
    if (head !== NO_ORDER) this.moveFronts(head, side, pxTicks, qtyLots);
    this.book.applyDelta(side, pxTicks, qtyLots);
    this.taken.forget(side, pxTicks);
  }

  /** Lowest and highest price of resting orders of a side, for whoever feeds rows past the engine; NaN = none. */
  restingLow(side: number): number {
    return side > 0 ? this.orders.worstTicks(1) : this.orders.bestTicks(-1);
  }

  restingHigh(side: number): number {
    return side > 0 ? this.orders.bestTicks(1) : this.orders.worstTicks(-1);
  }

  /** Own takers have consumed market lots: every depth row must then pass onDepth. */
  get hasTaken(): boolean {
    return !this.taken.isEmpty;
  }

  /** End of a depth event: the market has crossed own orders at or beyond its best; they fill as makers. */
  endDepth(): void {
    if (this.orders.head(-1) !== NO_ORDER) this.fillCrossed(-1, this.book.bestTicks(1));
    if (this.orders.head(1) !== NO_ORDER) this.fillCrossed(1, this.book.bestTicks(-1));
    this.expireReduceOnly();
    this.book.endEvent();
  }

  /** One public trade; `side` is the aggressor's. */
  onTrade(side: number, pxTicks: number, qtyLots: number): void {
    const o = this.orders;
    let slot = o.head(-side);
    if (slot === NO_ORDER) return;
    let ownLots = 0;
    while (slot !== NO_ORDER) {
      const through = side * (pxTicks - o.pxTicks[slot]!);
      if (!(through >= 0)) break;
      const next = o.next[slot]!;
      if (through > 0) this.execute(slot, o.pxTicks[slot]!, o.leavesLots[slot]!, true);
      else ownLots += this.tradeAtPrice(slot, qtyLots, qtyLots - ownLots);
      slot = next;
    }
    this.expireReduceOnly();
  }

  /**
   * Market by order: `lots` of a market order of `side`, which stands at `place` of its price's queue, were filled. Own
   * orders in front of it would have been filled before it: from these lots, in price-time order, or whole.
   */
  onOrderFill(side: number, pxTicks: number, place: number, lots: number): void {
    const o = this.orders;
    let left = lots;
    let slot = o.head(side);
    while (slot !== NO_ORDER && (left > 0 || this.wholeFills)) {
      const better = side * (o.pxTicks[slot]! - pxTicks);
      if (!(better > 0 || (better === 0 && o.place[slot]! < place))) break;
      const next = o.next[slot]!;
      const open = o.leavesLots[slot]!;
      left -= this.execute(slot, o.pxTicks[slot]!, this.wholeFills ? open : Math.min(open, left), true);
      slot = next;
    }
    this.expireReduceOnly();
  }

  /** Market by order: a level is no longer what own takers saw. */
  onOrderLevel(side: number, pxTicks: number): void {
    this.taken.forget(side, pxTicks);
  }

  /** Deletes the market's levels of a side from the touch up to and including `pxTicks`; NaN = the whole side. */
  clearTo(side: number, pxTicks: number): void {
    for (;;) {
      const best = this.book.bestTicks(side);
      // An empty side is NaN and ends both.
      if (!(Number.isNaN(pxTicks) ? best > 0 || best <= 0 : side * (best - pxTicks) >= 0)) return;
      this.onDepth(side, best, 0);
    }
  }

  /** The market book starts anew (resync); resting orders stay and queue behind what the new book shows. */
  onClear(): void {
    this.book.clear();
    this.taken.clear();
  }

  private moveFronts(head: number, side: number, pxTicks: number, qtyLots: number): void {
    const o = this.orders;
    let frontBefore = 0;
    for (let slot = head; slot !== NO_ORDER; slot = o.next[slot]!) {
      const worse = side * (pxTicks - o.pxTicks[slot]!);
      if (worse > 0) return;
      if (worse < 0) continue;
      const previous = this.book.qtyAt(side, pxTicks);
      const front = this.queue.frontAfterDepth(o.front[slot]!, o.traded[slot]!, previous, qtyLots);
      // A model may not be monotone; arrival order is.
      frontBefore = Math.max(front, frontBefore);
      o.front[slot] = frontBefore;
      o.traded[slot] = 0;
    }
  }

  /** `volume` = the trade's lots not already given to own orders ahead. Returns the lots this order got. */
  private tradeAtPrice(slot: number, tradeLots: number, volume: number): number {
    const o = this.orders;
    const beyond = volume - o.front[slot]!;
    o.front[slot] = Math.max(0, -beyond);
    o.traded[slot]! += tradeLots;
    // A fraction of a lot cannot trade; the tolerance absorbs the model's last-bit noise.
    const lots = Math.min(Math.floor(beyond + 1e-9), o.leavesLots[slot]!);
    if (lots <= 0) return 0;
    return this.execute(slot, o.pxTicks[slot]!, this.wholeFills ? o.leavesLots[slot]! : lots, true);
  }

  private fillCrossed(side: number, oppositeBest: number): void {
    const o = this.orders;
    let slot = o.head(side);
    while (slot !== NO_ORDER && side * (o.pxTicks[slot]! - oppositeBest) >= 0) {
      const next = o.next[slot]!;
      this.execute(slot, o.pxTicks[slot]!, o.leavesLots[slot]!, true);
      slot = next;
    }
  }

  private takeThenRest(slot: number, rests: boolean): void {
    const open = this.take(slot);
    if (!open) return;
    if (rests) this.rest(slot);
    else this.close(slot, CLOSED_EXPIRED);
  }

  /** Market lots in front of a resting own order. */
  private lotsAhead(slot: number): number {
    const o = this.orders;
    if (this.byOrder === null) return Math.floor(o.front[slot]!);
    return this.byOrder.lotsAhead(o.side[slot]!, o.pxTicks[slot]!, o.place[slot]!);
  }

  private rest(slot: number): void {
    const o = this.orders;
    o.front[slot] = this.book.qtyAt(o.side[slot]!, o.pxTicks[slot]!);
    o.traded[slot] = 0;
    if (this.byOrder !== null) o.place[slot] = this.byOrder.takeSequence();
    o.link(slot);
  }

  /** Walks the opposite side up to the order's price. False when the order ended on the way. */
  private take(slot: number): boolean {
    const o = this.orders;
    const side = o.side[slot]!;
    const limit = side * o.pxTicks[slot]!;
    let level = this.book.bestTicks(-side);
    if (this.wholeFills && side * level <= limit) {
      this.execute(slot, level, o.leavesLots[slot]!, false);
      return false;
    }
    for (;;) {
      const own = o.head(-side);
      const ownPx = own === NO_ORDER ? Number.NaN : o.pxTicks[own]!;
      // An empty market side is NaN: the own order is then the nearest.
      const atOwn = own !== NO_ORDER && !(side * level < side * ownPx);
      const px = atOwn ? ownPx : level;
      if (!(side * px <= limit)) return true;
      if (!this.takeLevel(slot, px)) return false;
      if (px === level) level = this.book.nextWorseTicks(-side, level);
    }
  }

  /** Takes what stands at one price: market lots ahead of own orders, own orders, market lots behind. */
  private takeLevel(slot: number, pxTicks: number): boolean {
    const o = this.orders;
    const side = o.side[slot]!;
    let consumed = 0;
    let maker = o.head(-side);
    while (maker !== NO_ORDER && o.pxTicks[maker] === pxTicks) {
      const next = o.next[maker]!;
      const ahead = this.lotsAhead(maker) - consumed;
      if (ahead > 0) {
        consumed += this.takeMarket(slot, pxTicks, ahead);
        if (o.leavesLots[slot] === 0) return false;
      }
      if (!this.meetOwn(slot, maker)) return false;
      maker = next;
    }
    this.takeMarket(slot, pxTicks, Number.POSITIVE_INFINITY);
    return o.leavesLots[slot]! > 0;
  }

  /** Returns the lots taken; closes the order when nothing is left of it or it may reduce no further. */
  private takeMarket(slot: number, pxTicks: number, most: number): number {
    const o = this.orders;
    const side = -o.side[slot]!;
    const there = this.book.qtyAt(side, pxTicks) - this.taken.takenAt(side, pxTicks);
    const lots = Math.min(there, most, o.leavesLots[slot]!);
    if (!(lots > 0)) return 0;
    const done = this.execute(slot, pxTicks, lots, false);
    if (done > 0) this.taken.take(side, pxTicks, done);
    return done;
  }

  /** The incoming order meets an own resting one. False when the incoming order ended. */
  private meetOwn(slot: number, maker: number): boolean {
    const o = this.orders;
    const stp = o.stp[slot]!;
    if (stp === STP_EXPIRE_MAKER || stp === STP_EXPIRE_BOTH) this.close(maker, CLOSED_IN_MATCH);
    if (stp === STP_EXPIRE_TAKER || stp === STP_EXPIRE_BOTH) {
      this.close(slot, CLOSED_IN_MATCH);
      return false;
    }
    if (stp === STP_EXPIRE_MAKER) return true;
    return this.selfTrade(slot, maker);
  }

  /** Both legs are own orders; the position ends where it began. False when the incoming order ended. */
  private selfTrade(slot: number, maker: number): boolean {
    const o = this.orders;
    const makerLots = this.executable(maker, o.leavesLots[maker]!);
    const lots = Math.min(this.executable(slot, o.leavesLots[slot]!), makerLots);
    if (lots > 0) {
      const px = o.pxTicks[maker]!;
      this.execute(maker, px, lots, true);
      this.execute(slot, px, lots, false);
    } else if (makerLots === 0) {
      this.close(maker, CLOSED_EXPIRED);
    } else {
      this.close(slot, CLOSED_EXPIRED);
    }
    return o.leavesLots[slot]! > 0;
  }

  /** Lots that the order may trade now: all of them, or for reduce-only what the position leaves. */
  private executable(slot: number, lots: number): number {
    if (this.orders.reduceOnly[slot] === 0) return lots;
    return Math.max(0, Math.min(lots, -this.orders.side[slot]! * this.positionLots));
  }

  /** Books one execution. Returns the lots done. */
  private execute(slot: number, pxTicks: number, wanted: number, maker: boolean): number {
    const o = this.orders;
    const lots = this.executable(slot, wanted);
    if (lots > 0) {
      o.leavesLots[slot]! -= lots;
      this.positionLots += o.side[slot]! * lots;
      this.listener.onFill(slot, pxTicks, lots, maker);
    }
    if (o.leavesLots[slot] === 0) this.close(slot, CLOSED_FILLED);
    else if (lots < wanted) this.close(slot, CLOSED_EXPIRED);
    return lots;
  }

  private close(slot: number, reason: number): void {
    const o = this.orders;
    if (o.resting[slot] === 1) o.unlink(slot);
    this.listener.onClosed(slot, reason);
    if (o.reduceOnly[slot] === 1) this.reduceOnlyCount--;
    // Readers of a closed order see no leaves, so a loop over a level stops.
    o.leavesLots[slot] = 0;
    o.release(slot);
  }

  private expireReduceOnly(): void {
    if (this.reduceOnlyCount === 0) return;
    this.expireReduceOnlySide(1);
    this.expireReduceOnlySide(-1);
  }

  private expireReduceOnlySide(side: number): void {
    const o = this.orders;
    if (-side * this.positionLots > 0) return;
    let slot = o.head(side);
    while (slot !== NO_ORDER) {
      const next = o.next[slot]!;
      if (o.reduceOnly[slot] === 1) this.close(slot, CLOSED_EXPIRED);
      slot = next;
    }
  }

  /** Lots that an order could take at once at this price or better, counted up to `enough`. */
  takeableLots(side: number, pxTicks: number, enough: number): number {
    let lots = 0;
    let level = this.book.bestTicks(-side);
    while (side * (pxTicks - level) >= 0 && lots < enough) {
      lots += this.book.qtyAt(-side, level) - this.taken.takenAt(-side, level);
      level = this.book.nextWorseTicks(-side, level);
    }
    return lots;
  }
}
