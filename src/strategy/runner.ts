// Wanted quotes against working orders: keeps what is near enough (so that queue position is not thrown away),
// amends or cancels what is not, places what is missing, within the request budget and never across an own
// order. Cancels come first and need no budget.
// Hot: execution lane; 0 bytes; O(levels × working orders of the strategy on the instrument).
//
// An order whose request has no answer yet, or that is being cancelled, holds the place of one wanted quote:
// nothing is placed twice while an outcome is open.
import { NO_ORDER, type OrderTable } from "../order/order-table.ts";
import type { MarketView } from "../risk/market-view.ts";
import type { RequestBudget } from "../risk/rate.ts";
import {
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_MODIFY,
  ORDER_TYPE_LIMIT,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
  TIF_GTX,
} from "../wire/codes.ts";
import type { OrderDesk } from "./order-desk.ts";
import type { Quotes } from "./quotes.ts";
import { WHY_BACKOFF, WHY_BUDGET, WHY_IN_FLIGHT, WHY_KEPT, WHY_OWN_CROSS, type WhyRing } from "./why.ts";

/** After a denial the same side is left alone for this long: a standing limit must not be hammered. */
const BACKOFF_NS = 50e6;
const MAX_LOOSE = 256;

/** Policy of one strategy in numbers; `minMoveTicks` may change at run time. */
export interface RunPolicy {
  readonly amend: boolean;
  minMoveTicks: number;
  readonly maxRequests: number;
  readonly tif: number;
}

export class Runner {
  private readonly table: OrderTable;
  private readonly desk: OrderDesk;
  private readonly market: MarketView;
  private readonly budget: RequestBudget;
  private readonly tickStep: Float64Array;
  private readonly why: WhyRing;
  private readonly backoffUntil: Float64Array;
  /** One bit per wanted quote of the side at hand: an order has its place. */
  private taken: number;
  private readonly loose: Int32Array;
  private readonly amendSlots: Int32Array;
  private readonly amendLevels: Int32Array;
  private looseCount: number;
  private requestsLeft: number;

  constructor(
    table: OrderTable,
    desk: OrderDesk,
    market: MarketView,
    budget: RequestBudget,
    tickStep: Float64Array,
    why: WhyRing,
  ) {
    this.table = table;
    this.desk = desk;
    this.market = market;
    this.budget = budget;
    this.tickStep = tickStep;
    this.why = why;
    const lists = table.strategies * table.instruments * 2;
    this.backoffUntil = new Float64Array(new ArrayBuffer(Math.max(4096, lists * 8))).fill(-1);
    this.taken = 0;
    this.loose = new Int32Array(new ArrayBuffer(4096), 0, MAX_LOOSE);
    this.amendSlots = new Int32Array(new ArrayBuffer(4096));
    this.amendLevels = new Int32Array(new ArrayBuffer(4096));
    this.looseCount = 0;
    this.requestsLeft = 0;
  }

  /** Moves the strategy's orders on one instrument toward `quotes`. */
  apply(strategy: number, instrument: number, quotes: Quotes, policy: RunPolicy): void {
    for (let i = 0; i < quotes.cancelCount; i++) this.cancelNamed(quotes.cancels[i], strategy);
    if (quotes.unchanged) return;
    const room = this.budget.room(this.desk.nowNs, this.table.liveCount);
    this.requestsLeft = Math.min(room, policy.maxRequests);
    if (policy.tif === TIF_GTX) this.stayPassive(instrument, quotes);
    // When the market rises the asks must get out of the way before the bids may follow.
    if (this.crossedByBids(instrument, quotes)) {
      this.applySide(
        strategy,
        instrument,
        SIDE_SELL,
        quotes.askPxTicks,
        quotes.askQtyLots,
        quotes.askCount,
        policy,
      );
      this.applySide(
        strategy,
        instrument,
        SIDE_BUY,
        quotes.bidPxTicks,
        quotes.bidQtyLots,
        quotes.bidCount,
        policy,
      );
    } else {
      this.applySide(
        strategy,
        instrument,
        SIDE_BUY,
        quotes.bidPxTicks,
        quotes.bidQtyLots,
        quotes.bidCount,
        policy,
      );
      this.applySide(
        strategy,
        instrument,
        SIDE_SELL,
        quotes.askPxTicks,
        quotes.askQtyLots,
        quotes.askCount,
        policy,
      );
    }
  }

  private cancelNamed(slot: number, strategy: number): void {
    if (slot < 0 || slot >= this.table.capacity) return;
    if (this.table.isLive(slot) && this.table.strategy[slot] === strategy) this.desk.requestCancel(slot);
  }

  /** A post-only quote at or through the other side would be refused: it stands one step before it. */
  private stayPassive(instrument: number, quotes: Quotes): void {
    const step = this.tickStep[instrument];
    const highestBid = this.market.askPxTicks[instrument] - step;
    const lowestAsk = this.market.bidPxTicks[instrument] + step;
    for (let i = 0; i < quotes.bidCount; i++)
      if (quotes.bidPxTicks[i] > highestBid) quotes.bidPxTicks[i] = highestBid;
    for (let i = 0; i < quotes.askCount; i++)
      if (quotes.askPxTicks[i] < lowestAsk) quotes.askPxTicks[i] = lowestAsk;
  }

  private crossedByBids(instrument: number, quotes: Quotes): boolean {
    for (let i = 0; i < quotes.bidCount; i++)
      if (this.crossesOwn(instrument, SIDE_BUY, quotes.bidPxTicks[i])) return true;
    return false;
  }

  private applySide(
    strategy: number,
    instrument: number,
    side: number,
    px: Float64Array,
    qty: Float64Array,
    count: number,
    policy: RunPolicy,
  ): void {
    this.taken = 0;
    this.match(strategy, instrument, side, px, qty, count, policy.minMoveTicks);
    const amends = this.settleLoose(strategy, instrument, side, px, count, policy.amend);
    for (let i = 0; i < amends; i++) {
      const level = this.amendLevels[i];
      this.amend(this.amendSlots[i], px[level], qty[level]);
    }
    for (let i = 0; i < count; i++)
      if (!this.isTaken(i) && qty[i] > 0) this.place(strategy, instrument, side, px[i], qty[i], policy.tif);
  }

  private isTaken(level: number): boolean {
    return (this.taken & (1 << level)) !== 0;
  }

  private take(level: number): void {
    this.taken |= 1 << level;
  }

  /** Working orders near a wanted price take it; the others are loose. */
  private match(
    strategy: number,
    instrument: number,
    side: number,
    px: Float64Array,
    qty: Float64Array,
    count: number,
    minMoveTicks: number,
  ): void {
    const table = this.table;
    this.looseCount = 0;
    for (let slot = table.head(strategy, instrument, side); slot !== NO_ORDER; slot = table.next[slot]) {
      const at = table.state[slot] === ORDER_PENDING_MODIFY ? table.wantedPxTicks[slot] : table.pxTicks[slot];
      const leaves = table.qtyLots[slot] - table.cumQtyLots[slot];
      let best = -1;
      let distance = minMoveTicks;
      for (let i = 0; i < count && table.cancelWanted[slot] === 0; i++) {
        const away = Math.abs(at - px[i]);
        if (this.isTaken(i) || leaves > qty[i] || (away >= distance && away !== 0)) continue;
        best = i;
        distance = away;
      }
      if (best >= 0) {
        this.take(best);
        this.why.note(strategy, this.desk.nowNs, WHY_KEPT, instrument, side, at, leaves, px[best]);
      } else if (this.looseCount < MAX_LOOSE) this.loose[this.looseCount++] = slot;
    }
  }

  /** Gives each loose order a wanted quote to become (amend) or to wait for; cancels the rest. Returns amends. */
  private settleLoose(
    strategy: number,
    instrument: number,
    side: number,
    px: Float64Array,
    count: number,
    amend: boolean,
  ): number {
    const table = this.table;
    let amends = 0;
    for (let i = 0; i < this.looseCount; i++) {
      const slot = this.loose[i];
      const state = table.state[slot];
      const level = this.firstFree(count);
      if (level >= 0) this.take(level);
      const settled = state === ORDER_WORKING || state === ORDER_PARTIALLY_FILLED;
      if (!settled || table.cancelWanted[slot] === 1) {
        this.why.note(
          strategy,
          this.desk.nowNs,
          WHY_IN_FLIGHT,
          instrument,
          side,
          table.pxTicks[slot],
          0,
          state,
        );
        if (level < 0) this.desk.requestCancel(slot);
      } else if (amend && level >= 0 && px[level] > 0) {
        this.amendSlots[amends] = slot;
        this.amendLevels[amends++] = level;
      } else this.desk.requestCancel(slot);
    }
    return amends;
  }

  private firstFree(count: number): number {
    for (let i = 0; i < count; i++) if (!this.isTaken(i)) return i;
    return -1;
  }

  /** `leavesLots` wanted; a modify states the total. Not possible now: the order that is wrong goes instead. */
  private amend(slot: number, pxTicks: number, leavesLots: number): void {
    const table = this.table;
    const strategy = table.strategy[slot];
    const instrument = table.instrument[slot];
    const side = table.side[slot];
    if (!this.allowed(strategy, instrument, side, pxTicks, leavesLots)) {
      this.desk.requestCancel(slot);
      return;
    }
    this.requestsLeft--;
    if (this.desk.modify(slot, pxTicks, table.cumQtyLots[slot] + leavesLots)) return;
    this.backoffUntil[table.pairSide(strategy, instrument, side)] = this.desk.nowNs + BACKOFF_NS;
    // A stale order never stays because its replacement was denied.
    this.desk.requestCancel(slot);
  }

  private place(
    strategy: number,
    instrument: number,
    side: number,
    pxTicks: number,
    qtyLots: number,
    tif: number,
  ): void {
    if (!this.allowed(strategy, instrument, side, pxTicks, qtyLots)) return;
    this.requestsLeft--;
    const slot = this.desk.place(strategy, instrument, side, pxTicks, qtyLots, tif, ORDER_TYPE_LIMIT, false);
    if (slot === NO_ORDER)
      this.backoffUntil[this.table.pairSide(strategy, instrument, side)] = this.desk.nowNs + BACKOFF_NS;
  }

  private allowed(
    strategy: number,
    instrument: number,
    side: number,
    pxTicks: number,
    qtyLots: number,
  ): boolean {
    const nowNs = this.desk.nowNs;
    let why = 0;
    if (nowNs < this.backoffUntil[this.table.pairSide(strategy, instrument, side)]) why = WHY_BACKOFF;
    else if (this.requestsLeft < 1) why = WHY_BUDGET;
    else if (this.crossesOwn(instrument, side, pxTicks)) why = WHY_OWN_CROSS;
    if (why === 0) return true;
    this.why.note(strategy, nowNs, why, instrument, side, pxTicks, qtyLots, 0);
    return false;
  }

  /** Any strategy's live order on the other side, at its present or its coming price. */
  private crossesOwn(instrument: number, side: number, pxTicks: number): boolean {
    const table = this.table;
    const other = side === SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    for (let o = table.instrumentHead(instrument, other); o !== NO_ORDER; o = table.nextOfInstrument[o]) {
      const near = table.pxTicks[o];
      const coming = table.wantedPxTicks[o];
      if (side === SIDE_BUY ? pxTicks >= Math.min(near, coming) : pxTicks <= Math.max(near, coming))
        return true;
    }
    return false;
  }
}
