// The gate: every place and modify passes it, in one fixed order of checks, each with a stable deny code
// (docs/risk.md). Cancels never pass here: nothing may stop one. It looks only at what EXECUTION received.
// Hot: execution lane; 0 bytes; O(instruments + own opposite orders of the instrument).
import { tradedValue } from "../market/contract-value.ts";
import type { OrderRequest } from "../order/gateway.ts";
import { HOUSE, type Ledger } from "../order/ledger.ts";
import { NO_ORDER, type OrderTable } from "../order/order-table.ts";
import {
  ACTION_PLACE,
  DENY_BOOK_NOT_SYNCED,
  DENY_BOOK_STALE,
  DENY_BREAKER,
  DENY_DAILY_LOSS,
  DENY_DEAD_MAN,
  DENY_DRAWDOWN,
  DENY_EMERGENCY,
  DENY_KILLED,
  DENY_LOT_RULE,
  DENY_MARGIN,
  DENY_MIN_NOTIONAL,
  DENY_NONE,
  DENY_NOT_RECONCILED,
  DENY_NOT_TRADING,
  DENY_NOTIONAL,
  DENY_ORDER_QTY,
  DENY_POSITION_ACCOUNT,
  DENY_POSITION_INSTRUMENT,
  DENY_POSITION_STRATEGY,
  DENY_PRICE_BAND,
  DENY_PRICE_RULE,
  DENY_RATE,
  DENY_SELF_MATCH,
  DENY_STORM,
  DENY_STRATEGY_STATE,
  DENY_SUSPENDED,
  DENY_WORKING_ORDERS,
  KILL_ARMED,
  KILL_EMERGENCY,
  SIDE_BUY,
  SIDE_SELL,
  STRATEGY_RUNNING,
} from "../wire/codes.ts";
import type { RiskLimits } from "./limits.ts";
import { LOSS_DRAWDOWN, LOSS_NONE, type LossGuard } from "./loss-guard.ts";
import type { MarginAccount } from "./margin.ts";
import type { MarketView } from "./market-view.ts";
import type { RejectBreaker, RequestBudget } from "./rate.ts";
import { STORM_HALT, STORM_STORM, type StormGuard } from "./storm-guard.ts";

export interface GateParts {
  readonly limits: RiskLimits;
  readonly table: OrderTable;
  readonly ledger: Ledger;
  readonly market: MarketView;
  readonly budget: RequestBudget;
  readonly breaker: RejectBreaker;
  readonly loss: LossGuard;
  readonly storm: StormGuard;
  readonly margin: MarginAccount;
}

export class Gate {
  /** KILL_… as last observed; the raw word is read again before each socket write. */
  killState: number;
  /** User stream up and reconciliation clean. */
  reconciled: boolean;
  /** The venue's dead-man's switch is armed, or none is wanted. */
  guarded: boolean;
  /** Session ns until which nothing goes out after a suspension. */
  holdUntilNs: number;
  /** STRATEGY_… per strategy; element 0 is the controller's own and always running. */
  readonly strategyState: Uint8Array;
  /** The value that broke the limit of the last denial; 0 where there is none. */
  observed: number;
  private readonly limits: RiskLimits;
  private readonly table: OrderTable;
  private readonly ledger: Ledger;
  private readonly market: MarketView;
  private readonly budget: RequestBudget;
  private readonly breaker: RejectBreaker;
  private readonly loss: LossGuard;
  private readonly storm: StormGuard;
  private readonly margin: MarginAccount;
  private addLots: number;
  private reducing: boolean;

  constructor(parts: GateParts) {
    this.killState = KILL_ARMED;
    this.reconciled = false;
    this.guarded = true;
    this.holdUntilNs = Number.NEGATIVE_INFINITY;
    this.strategyState = new Uint8Array(new ArrayBuffer(4096));
    this.strategyState[HOUSE] = STRATEGY_RUNNING;
    this.observed = 0;
    this.limits = parts.limits;
    this.table = parts.table;
    this.ledger = parts.ledger;
    this.market = parts.market;
    this.budget = parts.budget;
    this.breaker = parts.breaker;
    this.loss = parts.loss;
    this.storm = parts.storm;
    this.margin = parts.margin;
    this.addLots = 0;
    this.reducing = false;
  }

  /**
   * DENY_NONE, or the first check that fails. `slot`: the order that a modify changes, NO_ORDER for a place.
   * Orders of strategy 0 are the controller's (closing positions): they must be reduce-only and are exempt
   * from the checks of state, loss, storm and breaker.
   */
  check(request: OrderRequest, action: number, slot: number, nowNs: number): number {
    this.observed = 0;
    const own = request.strategy === HOUSE;
    let code = this.checkPermission(request, own, nowNs);
    if (code !== DENY_NONE) return code;
    code = this.checkMarket(request, nowNs);
    if (code !== DENY_NONE) return code;
    code = this.checkOrder(request);
    if (code !== DENY_NONE) return code;
    this.measure(request, slot);
    code = this.checkPosition(request);
    if (code !== DENY_NONE) return code;
    code = this.checkPrice(request, slot);
    if (code !== DENY_NONE) return code;
    code = this.checkRoom(request, action, nowNs);
    if (code !== DENY_NONE || own) return code;
    return this.checkWeather(request, nowNs);
  }

  /** Value of all positions with the worst case of working orders, 1e-8 of the settlement currency. */
  exposureE8(): number {
    let sum = 0;
    for (let i = 1; i < this.limits.instruments; i++) sum += this.exposureOf(i);
    return sum;
  }

  /** Initial margin of that, 1e-8 of the settlement currency. */
  initialMarginE8(): number {
    let sum = 0;
    for (let i = 1; i < this.limits.instruments; i++) sum += this.exposureOf(i) * this.limits.marginRate[i];
    return sum;
  }

  /** Whether anything but cancels may go at all now: what a quoter asks before it thinks. */
  isOpen(nowNs: number): boolean {
    return this.killState === KILL_ARMED && this.reconciled && this.guarded && nowNs >= this.holdUntilNs;
  }

  private deny(code: number, observed: number): number {
    this.observed = observed;
    return code;
  }

  private checkPermission(request: OrderRequest, own: boolean, nowNs: number): number {
    const kill = this.killState;
    if (kill !== KILL_ARMED) {
      if (kill !== KILL_EMERGENCY) return this.deny(DENY_KILLED, kill);
      if (!own || !request.reduceOnly) return this.deny(DENY_EMERGENCY, kill);
    }
    const state = this.strategyState[request.strategy];
    if (own ? !request.reduceOnly : state !== STRATEGY_RUNNING) return this.deny(DENY_STRATEGY_STATE, state);
    if (nowNs < this.holdUntilNs) return this.deny(DENY_SUSPENDED, this.holdUntilNs - nowNs);
    // What closes positions in an emergency needs no guard: it cannot rest.
    if (!this.guarded && !own) return DENY_DEAD_MAN;
    return this.reconciled ? DENY_NONE : DENY_NOT_RECONCILED;
  }

  private checkMarket(request: OrderRequest, nowNs: number): number {
    const id = request.instrument;
    if (!this.market.isSynced(id)) return this.deny(DENY_BOOK_NOT_SYNCED, this.market.feedState[id]);
    const age = nowNs - this.market.recvTsNs[id];
    if (age > this.limits.freshnessNs) return this.deny(DENY_BOOK_STALE, age);
    return this.limits.trading[id] === 1 ? DENY_NONE : DENY_NOT_TRADING;
  }

  private checkOrder(request: OrderRequest): number {
    const limits = this.limits;
    const id = request.instrument;
    const px = request.pxTicks;
    const qty = request.qtyLots;
    // Written so that NaN fails: !(in range) instead of (out of range).
    if (!(px >= limits.minPxTicks[id] && px <= limits.maxPxTicks[id]) || px % limits.tickStep[id] !== 0)
      return this.deny(DENY_PRICE_RULE, px);
    if (!(qty >= limits.minQtyLots[id] && qty <= limits.maxQtyLots[id]) || qty % 1 !== 0)
      return this.deny(DENY_LOT_RULE, qty);
    const value = tradedValue(limits.inverse[id], qty, px);
    if (value < limits.minNotionalTickLots[id] && !request.reduceOnly)
      return this.deny(DENY_MIN_NOTIONAL, value);
    const pair = request.strategy * limits.instruments + id;
    if (qty > limits.orderLots[pair] || qty > limits.instrumentOrderLots[id])
      return this.deny(DENY_ORDER_QTY, qty);
    if (value > limits.orderTickLots[pair] || value > limits.instrumentOrderTickLots[id])
      return this.deny(DENY_NOTIONAL, value);
    return DENY_NONE;
  }

  /** Lots that the request adds to the worst case, and whether it can only shrink the strategy's position. */
  private measure(request: OrderRequest, slot: number): void {
    const table = this.table;
    let add = request.qtyLots;
    if (slot !== NO_ORDER) {
      const whole = Math.max(request.qtyLots, table.qtyLots[slot]);
      add = Math.max(0, whole - table.cumQtyLots[slot] - table.exposedLots(slot));
    }
    this.addLots = add;
    const side = request.side;
    const held = this.ledger.qtyLots[this.ledger.pair(request.strategy, request.instrument)];
    const open = table.openLots[table.pairSide(request.strategy, request.instrument, side)];
    const position = request.strategy === HOUSE ? this.ledger.netLots[request.instrument] : held;
    const after = side === SIDE_BUY ? position + open + add : open + add - position;
    this.reducing = request.reduceOnly || after <= 0;
  }

  private checkPosition(request: OrderRequest): number {
    // Zero lots added (a modify that keeps or lowers the quantity) cannot break a limit further.
    if (this.addLots === 0 || request.reduceOnly) return DENY_NONE;
    const { limits, table, ledger } = this;
    const id = request.instrument;
    const side = request.side;
    const pair = request.strategy * limits.instruments + id;
    const sign = side === SIDE_BUY ? 1 : -1;
    const mid = this.market.midTicks(id);
    const reference = mid > 0 ? mid : request.pxTicks;
    const open = table.openLots[table.pairSide(request.strategy, id, side)] + this.addLots;
    const own = sign * ledger.qtyLots[pair] + open;
    const scale = limits.inverse[id];
    if (own > limits.positionLots[pair] || tradedValue(scale, own, reference) > limits.positionTickLots[pair])
      return this.deny(DENY_POSITION_STRATEGY, own);
    const all = table.instrumentOpenLots[table.instrumentSide(id, side)] + this.addLots;
    const net = sign * ledger.netLots[id] + all;
    if (
      net > limits.instrumentPositionLots[id] ||
      tradedValue(scale, net, reference) > limits.instrumentPositionTickLots[id]
    )
      return this.deny(DENY_POSITION_INSTRUMENT, net);
    return this.checkAccount(id, side);
  }

  /** One pass over the instruments: this loop is half of what an order costs. */
  private checkAccount(id: number, side: number): number {
    const { netLots } = this.ledger;
    const open = this.table.instrumentOpenLots;
    const { unitE8, inverse, marginRate, instruments } = this.limits;
    let after = 0;
    let initial = 0;
    for (let i = 1; i < instruments; i++) {
      const net = netLots[i];
      let long = net + open[i << 1];
      let short = open[(i << 1) | 1] - net;
      if (i === id) {
        const before = Math.max(long, short, 0);
        if (side === SIDE_BUY) long += this.addLots;
        else short += this.addLots;
        // An order that shrinks the account's worst case passes whatever the limit was lowered to.
        if (Math.max(long, short) <= before) return DENY_NONE;
      }
      const worst = Math.max(long, short);
      if (worst <= 0) continue;
      const value = tradedValue(inverse[i], worst, this.priceOf(i)) * unitE8[i];
      after += value;
      initial += value * marginRate[i];
    }
    if (after > this.limits.accountPositionE8) return this.deny(DENY_POSITION_ACCOUNT, after);
    if (this.reducing) return DENY_NONE;
    const free = this.margin.freeE8(this.ledger, initial);
    if (free < 0) return this.deny(DENY_MARGIN, free);
    const ratio = this.margin.ratio(this.ledger, after);
    if (ratio < this.limits.minMarginRatio) return this.deny(DENY_MARGIN, ratio);
    return DENY_NONE;
  }

  /** Mid, else mark, else the worst that the venue allows. */
  private priceOf(id: number): number {
    const mid = this.market.midTicks(id);
    if (mid > 0) return mid;
    const mark = this.ledger.markTicks[id];
    if (mark > 0) return mark;
    const { inverse, minPxTicks, maxPxTicks } = this.limits;
    return inverse[id] === 0 ? maxPxTicks[id] : minPxTicks[id];
  }

  /** Value of one instrument's worst case, 1e-8 of the settlement currency. */
  private exposureOf(id: number): number {
    const net = this.ledger.netLots[id];
    const long = net + this.table.instrumentOpenLots[id << 1];
    const short = this.table.instrumentOpenLots[(id << 1) | 1] - net;
    const worst = Math.max(long, short);
    const { inverse, unitE8 } = this.limits;
    return worst <= 0 ? 0 : tradedValue(inverse[id], worst, this.priceOf(id)) * unitE8[id];
  }

  private checkPrice(request: OrderRequest, slot: number): number {
    const limits = this.limits;
    const id = request.instrument;
    const px = request.pxTicks;
    const mid = this.market.midTicks(id);
    if (!(Math.abs(px - mid) <= limits.bandRatio * mid)) return this.deny(DENY_PRICE_BAND, px - mid);
    const mark = this.ledger.markTicks[id];
    if (mark > 0) {
      const buy = request.side === SIDE_BUY;
      const bound = buy ? limits.percentUpE8[id] : limits.percentDownE8[id];
      if (bound > 0 && (buy ? px * 1e8 > mark * bound : px * 1e8 < mark * bound))
        return this.deny(DENY_PRICE_BAND, px - mark);
    }
    return this.crossesOwn(request, slot) ? this.deny(DENY_SELF_MATCH, px) : DENY_NONE;
  }

  /** Would trade with an own order of any strategy, at its present price or the one asked for. */
  private crossesOwn(request: OrderRequest, slot: number): boolean {
    const table = this.table;
    const px = request.pxTicks;
    if (request.side === SIDE_BUY) {
      for (
        let o = table.instrumentHead(request.instrument, SIDE_SELL);
        o !== NO_ORDER;
        o = table.nextOfInstrument[o]
      )
        if (o !== slot && px >= Math.min(table.pxTicks[o], table.wantedPxTicks[o])) return true;
      return false;
    }
    for (
      let o = table.instrumentHead(request.instrument, SIDE_BUY);
      o !== NO_ORDER;
      o = table.nextOfInstrument[o]
    )
      if (o !== slot && px <= Math.max(table.pxTicks[o], table.wantedPxTicks[o])) return true;
    return false;
  }

  private checkRoom(request: OrderRequest, action: number, nowNs: number): number {
    const { table, limits } = this;
    if (this.budget.room(nowNs, table.liveCount) < 1) return this.deny(DENY_RATE, table.liveCount);
    if (action !== ACTION_PLACE) return DENY_NONE;
    const id = request.instrument;
    const strategy = request.strategy;
    if (
      table.liveCount >= limits.accountWorking ||
      !table.hasRoom ||
      table.liveOfInstrument[id] >= limits.instrumentWorking[id] ||
      table.liveOfStrategy[strategy] >= limits.strategyWorking[strategy]
    )
      return this.deny(DENY_WORKING_ORDERS, table.liveOfStrategy[strategy]);
    return DENY_NONE;
  }

  private checkWeather(request: OrderRequest, nowNs: number): number {
    const loss = this.loss;
    if (!this.reducing && (loss.level !== LOSS_NONE || loss.strategyHit[request.strategy] === 1)) {
      if (loss.level === LOSS_DRAWDOWN) return this.deny(DENY_DRAWDOWN, loss.drawdownE8);
      return this.deny(DENY_DAILY_LOSS, loss.dailyLossE8);
    }
    const storm = this.storm.state;
    if (storm === STORM_HALT || (storm === STORM_STORM && !this.reducing))
      return this.deny(DENY_STORM, storm);
    return this.breaker.isOpen(nowNs) ? DENY_BREAKER : DENY_NONE;
  }
}
