// Where decisions become requests: gate, order table, gateway, journal, in this order. Cancels pass no gate,
// are repeated until their outcome is proven, and are swept again at every timer and report.
// Hot: execution lane; 0 bytes; O(gate) per request, O(live orders) per sweep.
import { assert } from "../core/assert.ts";
import type { Histogram } from "../core/histogram.ts";
import { type OrderGateway, type OrderRequest, SEND_KILLED, SEND_OK } from "../order/gateway.ts";
import type { LifeCycle } from "../order/life-cycle.ts";
import { NO_ORDER, type OrderTable } from "../order/order-table.ts";
import type { Gate } from "../risk/gate.ts";
import type { KillWordReader } from "../risk/kill-word.ts";
import type { MarketView } from "../risk/market-view.ts";
import type { RequestBudget } from "../risk/rate.ts";
import {
  ACTION_CANCEL,
  ACTION_CANCEL_ALL,
  ACTION_MODIFY,
  ACTION_PLACE,
  DENY_GATEWAY,
  DENY_JOURNAL_FULL,
  DENY_KILLED,
  DENY_NONE,
  KILL_ARMED,
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_NEW,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
} from "../wire/codes.ts";
import { COUNT_DENIED, COUNT_SENT } from "./execution-counters.ts";
import type { Outputs } from "./outputs.ts";
import { WHY_CANCELED, WHY_MODIFIED, WHY_PLACED, type WhyRing } from "./why.ts";

/** A cancel whose outcome is not proven is sent again after this. */
const CANCEL_RETRY_NS = 500e6;
/** A refused cancel waits 10 ms, 20 ms, … 1.28 s. */
const REFUSED_RETRY_NS = 10e6;
const MAX_DOUBLINGS = 7;

export interface DeskHistograms {
  readonly tickToOrder: Histogram;
  readonly strategy: Histogram;
  readonly risk: Histogram;
  readonly encode: Histogram;
}

export interface DeskParts {
  readonly table: OrderTable;
  readonly cycle: LifeCycle;
  readonly gate: Gate;
  readonly market: MarketView;
  readonly budget: RequestBudget;
  readonly gateway: OrderGateway;
  readonly killWord: KillWordReader;
  readonly outputs: Outputs;
  readonly why: WhyRing;
  readonly stampNs: () => number;
  readonly counters: Float64Array;
  readonly histograms: DeskHistograms | null;
}

export class OrderDesk {
  /** Logical time and receive time of the record at hand; set by the execution handler. */
  nowNs: number;
  triggerTsNs: number;
  /** The venue's time of that record when it is of the market; 0 else. */
  triggerExchNs: number;
  /** Stamp at the start of the callback or quoter that decides. */
  enteredTsNs: number;
  /** DENY_… of the last refused place or modify, DENY_NONE after one that left. */
  lastDenyCode: number;
  private readonly table: OrderTable;
  private readonly cycle: LifeCycle;
  private readonly gate: Gate;
  private readonly market: MarketView;
  private readonly budget: RequestBudget;
  private readonly gateway: OrderGateway;
  private readonly killWord: KillWordReader;
  private readonly outputs: Outputs;
  private readonly why: WhyRing;
  private readonly stampNs: () => number;
  private readonly counters: Float64Array;
  private readonly histograms: DeskHistograms | null;
  private readonly request: OrderRequest;
  private nextClientSeq: number;

  constructor(parts: DeskParts) {
    this.nowNs = 0;
    this.triggerTsNs = 0;
    this.triggerExchNs = 0;
    this.enteredTsNs = 0;
    this.lastDenyCode = DENY_NONE;
    this.table = parts.table;
    this.cycle = parts.cycle;
    this.gate = parts.gate;
    this.market = parts.market;
    this.budget = parts.budget;
    this.gateway = parts.gateway;
    this.killWord = parts.killWord;
    this.outputs = parts.outputs;
    this.why = parts.why;
    this.stampNs = parts.stampNs;
    this.counters = parts.counters;
    this.histograms = parts.histograms;
    this.request = {
      clientSeq: 0,
      instrument: 0,
      strategy: 0,
      side: SIDE_BUY,
      tif: 0,
      orderType: 0,
      reduceOnly: false,
      pxTicks: 0,
      qtyLots: 0,
    };
    this.nextClientSeq = 1;
  }

  /** Slot of the new order, or NO_ORDER: denied or not sent. */
  place(
    strategy: number,
    instrument: number,
    side: number,
    pxTicks: number,
    qtyLots: number,
    tif: number,
    orderType: number,
    reduceOnly: boolean,
  ): number {
    const r = this.request;
    const outputs = this.outputs;
    outputs.decidedTsNs = this.stampNs();
    r.clientSeq = this.nextClientSeq;
    r.instrument = instrument;
    r.strategy = strategy;
    r.side = side;
    r.tif = tif;
    r.orderType = orderType;
    r.reduceOnly = reduceOnly;
    r.pxTicks = pxTicks;
    r.qtyLots = qtyLots;
    if (!this.permitted(ACTION_PLACE, NO_ORDER)) return NO_ORDER;
    outputs.gatedTsNs = this.stampNs();
    const slot = this.table.add(r, this.nowNs);
    assert(slot !== NO_ORDER, "the gate lets no more orders live than the table holds");
    this.nextClientSeq++;
    const sent = this.gateway.place(r);
    if (sent !== SEND_OK) {
      this.table.withdraw(slot);
      this.refuse(ACTION_PLACE, sent === SEND_KILLED ? DENY_KILLED : DENY_GATEWAY, sent);
      return NO_ORDER;
    }
    this.budget.orderSent(this.nowNs);
    this.left(ACTION_PLACE, WHY_PLACED);
    return slot;
  }

  /** New price and total quantity of a working order. False: denied, not sent, or a request is in flight. */
  modify(slot: number, pxTicks: number, qtyLots: number): boolean {
    const state = this.table.state[slot];
    if (state !== ORDER_WORKING && state !== ORDER_PARTIALLY_FILLED) return false;
    const outputs = this.outputs;
    outputs.decidedTsNs = this.stampNs();
    this.load(slot);
    this.request.pxTicks = pxTicks;
    this.request.qtyLots = qtyLots;
    if (!this.permitted(ACTION_MODIFY, slot)) return false;
    outputs.gatedTsNs = this.stampNs();
    const sent = this.gateway.modify(this.request);
    if (sent !== SEND_OK) {
      this.refuse(ACTION_MODIFY, sent === SEND_KILLED ? DENY_KILLED : DENY_GATEWAY, sent);
      return false;
    }
    this.cycle.modifySent(slot, pxTicks, qtyLots, this.nowNs);
    this.budget.orderSent(this.nowNs);
    this.left(ACTION_MODIFY, WHY_MODIFIED);
    return true;
  }

  /** Wants the order gone: sends a cancel now if that makes sense, and again until its fate is proven. */
  requestCancel(slot: number): void {
    if (this.table.cancelWanted[slot] === 1) return;
    this.table.cancelWanted[slot] = 1;
    const state = this.table.state[slot];
    if (state === ORDER_WORKING || state === ORDER_PARTIALLY_FILLED) this.sendCancel(slot);
  }

  /** Every live order of a strategy; `instrument` 0 = on all of them. */
  requestCancelOf(strategy: number, instrument: number): void {
    for (let i = 1; i < this.table.instruments; i++) {
      if (instrument !== 0 && i !== instrument) continue;
      this.requestCancelList(strategy, i, SIDE_BUY);
      this.requestCancelList(strategy, i, SIDE_SELL);
    }
  }

  /** Every live order on an instrument, of all strategies. */
  requestCancelOn(instrument: number): void {
    for (let strategy = 0; strategy < this.table.strategies; strategy++)
      this.requestCancelOf(strategy, instrument);
  }

  /** Every live order. */
  requestCancelAll(): void {
    for (let i = 1; i < this.table.instruments; i++)
      if (this.table.liveOfInstrument[i] > 0) this.requestCancelOn(i);
  }

  /**
   * The venue's own cancel-all for an instrument, then one cancel per live order, at once and whatever is in
   * flight. For the kill: also reaches orders whose place request has no answer yet.
   */
  cancelEverything(instrument: number): void {
    const r = this.request;
    r.clientSeq = 0;
    r.instrument = instrument;
    r.strategy = 0;
    r.pxTicks = 0;
    r.qtyLots = 0;
    this.outputs.decidedTsNs = this.stampNs();
    this.outputs.gatedTsNs = this.outputs.decidedTsNs;
    if (this.gateway.cancelAll(instrument) === SEND_OK) {
      this.budget.cancelSent(this.nowNs);
      this.left(ACTION_CANCEL_ALL, WHY_CANCELED);
    }
    this.requestCancelOn(instrument);
    this.sweepSide(instrument, SIDE_BUY, 0);
    this.sweepSide(instrument, SIDE_SELL, 0);
  }

  /** Sends every wanted cancel that is due. Called at each timer and after each report. */
  sweep(): void {
    for (let i = 1; i < this.table.instruments; i++) {
      if (this.table.liveOfInstrument[i] === 0) continue;
      this.sweepSide(i, SIDE_BUY, CANCEL_RETRY_NS);
      this.sweepSide(i, SIDE_SELL, CANCEL_RETRY_NS);
    }
  }

  private requestCancelList(strategy: number, instrument: number, side: number): void {
    let slot = this.table.head(strategy, instrument, side);
    while (slot !== NO_ORDER) {
      const next = this.table.next[slot];
      this.requestCancel(slot);
      slot = next;
    }
  }

  private sweepSide(instrument: number, side: number, retryNs: number): void {
    const table = this.table;
    let slot = table.instrumentHead(instrument, side);
    while (slot !== NO_ORDER) {
      const next = table.nextOfInstrument[slot];
      if (table.cancelWanted[slot] === 1 && this.cancelDue(slot, retryNs)) this.sendCancel(slot);
      slot = next;
    }
  }

  private cancelDue(slot: number, retryNs: number): boolean {
    const table = this.table;
    const state = table.state[slot];
    const waited = this.nowNs - table.requestTsNs[slot];
    if (state === ORDER_WORKING || state === ORDER_PARTIALLY_FILLED) {
      const tries = table.cancelTries[slot];
      return tries === 0 || waited >= REFUSED_RETRY_NS * 2 ** Math.min(tries, MAX_DOUBLINGS);
    }
    // Not answered yet: a first cancel may follow a place at once in a kill, otherwise patience comes first.
    return waited >= (state === ORDER_PENDING_NEW ? retryNs : Math.max(retryNs, REFUSED_RETRY_NS));
  }

  private sendCancel(slot: number): void {
    this.load(slot);
    this.outputs.decidedTsNs = this.stampNs();
    this.outputs.gatedTsNs = this.outputs.decidedTsNs;
    // Not sent: cancelWanted stays and the next sweep tries again.
    if (this.gateway.cancel(this.request) !== SEND_OK) return;
    this.cycle.cancelSent(slot, this.nowNs);
    this.budget.cancelSent(this.nowNs);
    this.left(ACTION_CANCEL, WHY_CANCELED);
  }

  private load(slot: number): void {
    const table = this.table;
    const r = this.request;
    r.clientSeq = table.clientSeq[slot];
    r.instrument = table.instrument[slot];
    r.strategy = table.strategy[slot];
    r.side = table.side[slot];
    r.tif = table.tif[slot];
    r.orderType = table.orderType[slot];
    r.reduceOnly = table.reduceOnly[slot] === 1;
    r.pxTicks = table.pxTicks[slot];
    r.qtyLots = table.qtyLots[slot];
  }

  private permitted(action: number, slot: number): boolean {
    let code = this.gate.check(this.request, action, slot, this.nowNs);
    let observed = this.gate.observed;
    if (code === DENY_NONE && !this.outputs.hasRoom) {
      code = DENY_JOURNAL_FULL;
      observed = 0;
    }
    // The last look at the word itself, right before the write; what was seen is journalled by the observer.
    if (code === DENY_NONE && this.request.strategy !== 0) {
      observed = this.killWord.load();
      if (observed !== KILL_ARMED) code = DENY_KILLED;
    }
    if (code === DENY_NONE) return true;
    this.refuse(action, code, observed);
    return false;
  }

  private refuse(action: number, code: number, observed: number): void {
    const r = this.request;
    this.lastDenyCode = code;
    this.counters[COUNT_DENIED]++;
    this.outputs.denied(r, action, code, observed, this.nowNs);
    this.why.note(r.strategy, this.nowNs, code, r.instrument, r.side, r.pxTicks, r.qtyLots, observed);
  }

  /** A request left: stamp, journal, count. */
  private left(action: number, why: number): void {
    const outputs = this.outputs;
    const r = this.request;
    this.lastDenyCode = DENY_NONE;
    outputs.sentTsNs = this.stampNs();
    outputs.orderSent(
      r,
      action,
      this.nowNs,
      this.triggerTsNs,
      this.triggerExchNs,
      this.market.midTicks(r.instrument),
    );
    if (action === ACTION_PLACE) this.counters[COUNT_SENT]++;
    this.why.note(r.strategy, this.nowNs, why, r.instrument, r.side, r.pxTicks, r.qtyLots, 0);
    const h = this.histograms;
    if (h === null || action > ACTION_PLACE) return;
    h.tickToOrder.record(outputs.sentTsNs - this.triggerTsNs);
    h.strategy.record(outputs.decidedTsNs - this.enteredTsNs);
    h.risk.record(outputs.gatedTsNs - outputs.decidedTsNs);
    h.encode.record(outputs.sentTsNs - outputs.gatedTsNs);
  }
}
