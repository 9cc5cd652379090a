// hftbacktest's calls on the default mode: the same loop over time, but orders pass the live gate, the order table
// and the ledger, and the exchange is the corrected one. What the gate denies returns 13 (invalid request); the
// reason is in `lastDenial`. Synchronous; a strategy written for the compat mode runs unchanged.
import { OP_TRADE_BUY, OP_TRADE_SELL } from "../../data/event-chunk.ts";
import { EV_BUY, EV_LOCAL, EV_SELL, KIND_TRADE } from "../../data/event-codes.ts";
import {
  MARKET,
  RC_END_OF_DATA,
  RC_INVALID_ORDER_REQUEST,
  RC_MARKET_FEED,
  RC_OK,
  RC_ORDER_ID_EXIST,
  RC_ORDER_NOT_FOUND,
  RC_ORDER_REQUEST_IN_PROCESS,
  RC_ORDER_RESPONSE,
  STATUS_CANCELED,
  STATUS_EXPIRED,
  STATUS_FILLED,
  STATUS_NEW,
  STATUS_NONE,
  STATUS_PARTIALLY_FILLED,
  STATUS_REPLACED,
} from "../../exchange/compat/codes.ts";
import type { L2Book } from "../../market/l2-book.ts";
import { NO_ORDER } from "../../order/order-table.ts";
import type { StrategyContext } from "../../strategy/context.ts";
import { defineStrategy } from "../../strategy/define-strategy.ts";
import type { StrategySetup } from "../../strategy/execution-parts.ts";
import type { OrderDesk } from "../../strategy/order-desk.ts";
import {
  DENY_NAMES,
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_REJECTED,
  ORDER_TYPE_LIMIT,
  ORDER_TYPE_MARKET,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
} from "../../wire/codes.ts";
import { type PipelineBacktest, STEP_MARKET, STEP_NONE, STEP_REPORT } from "./pipeline-backtest.ts";

const STRATEGY = 1;

/** hftbacktest's status by ORDER_… state; states in between keep what was. */
const STATUS: Readonly<Record<number, number>> = {
  [ORDER_WORKING]: STATUS_NEW,
  [ORDER_PARTIALLY_FILLED]: STATUS_PARTIALLY_FILLED,
  [ORDER_FILLED]: STATUS_FILLED,
  [ORDER_CANCELED]: STATUS_CANCELED,
  [ORDER_EXPIRED]: STATUS_EXPIRED,
  [ORDER_REJECTED]: STATUS_EXPIRED,
};

/** An order as the trader knows it. */
export class ApiOrder {
  readonly id: number;
  /** 1 buy, −1 sell. */
  readonly side: number;
  tick: number;
  qty: number;
  leaves: number;
  execQty = 0;
  execTick = 0;
  maker = false;
  status = STATUS_NONE;
  /** The request under way, STATUS_NONE when there is none. */
  req = STATUS_NEW;
  requestNs: number;

  constructor(id: number, side: number, tick: number, qty: number, requestNs: number) {
    this.id = id;
    this.side = side;
    this.tick = tick;
    this.qty = qty;
    this.leaves = qty;
    this.requestNs = requestNs;
  }

  get cancellable(): boolean {
    const open = this.status === STATUS_NEW || this.status === STATUS_PARTIALLY_FILLED;
    return open && this.req === STATUS_NONE;
  }
}

export class ApiDepth {
  readonly tickSize: number;
  readonly lotSize: number;
  private readonly book: L2Book;

  constructor(book: L2Book, tickSize: number, lotSize: number) {
    this.book = book;
    this.tickSize = tickSize;
    this.lotSize = lotSize;
  }

  get hasBid(): boolean {
    return !Number.isNaN(this.book.bestBidTicks);
  }
  get hasAsk(): boolean {
    return !Number.isNaN(this.book.bestAskTicks);
  }
  /** NaN when the side is empty. */
  get bestBidTick(): number {
    return this.book.bestBidTicks;
  }
  get bestAskTick(): number {
    return this.book.bestAskTicks;
  }
  get bestBid(): number {
    return this.book.bestBidTicks * this.tickSize;
  }
  get bestAsk(): number {
    return this.book.bestAskTicks * this.tickSize;
  }
  get bestBidQty(): number {
    return this.book.bestBidLots * this.lotSize;
  }
  get bestAskQty(): number {
    return this.book.bestAskLots * this.lotSize;
  }
  bidQtyAtTick(tick: number): number {
    return this.book.qtyAt(1, tick) * this.lotSize;
  }
  askQtyAtTick(tick: number): number {
    return this.book.qtyAt(-1, tick) * this.lotSize;
  }
}

interface ApiAsset {
  readonly depth: ApiDepth;
  readonly orders: Map<number, ApiOrder>;
}

export interface ApiMarket {
  readonly tickSize: number;
  readonly lotSize: number;
}

/** The strategy that stands for the caller: give its setup to the PipelineBacktest, then the backtest to `attach`. */
export class PipelineApi {
  private readonly definition = defineStrategy({
    name: "hbt",
    params: {},
    subscribe: ["order.*"],
    onOrder: (ctx) => this.onOrder(ctx),
  });
  /** Name of the gate's reason for the last 13; "" = none yet. */
  lastDenial = "";
  private backtest!: PipelineBacktest;
  private assets: readonly ApiAsset[] = [];
  private readonly bySeq = new Map<number, { readonly asset: number; readonly order: ApiOrder }>();
  private latency: [bigint, bigint, bigint] | null = null;
  private awaited: ApiOrder | null = null;
  private heardOf: ApiOrder | null = null;
  private answered = false;

  /** How the backtest knows the caller. */
  setup(instruments: readonly number[]): StrategySetup {
    return { name: "hbt", definition: this.definition, instruments, params: {}, limits: {}, signals: {} };
  }

  attach(backtest: PipelineBacktest, markets: readonly ApiMarket[], keepTrades: boolean): void {
    this.backtest = backtest;
    this.assets = markets.map((m, i) => {
      const local = backtest.local(i + 1);
      if (keepTrades) local.trades = [];
      return { depth: new ApiDepth(local.book, m.tickSize, m.lotSize), orders: new Map<number, ApiOrder>() };
    });
    backtest.start();
  }

  /** ns since the epoch. */
  get currentTimestamp(): bigint {
    return this.toUnixNs(this.backtest.nowNs);
  }

  /** ns since the base. */
  get currentTsNs(): number {
    return this.backtest.nowNs;
  }

  get numAssets(): number {
    return this.assets.length;
  }

  /** Lets `durationNs` pass: 0, or 1 at the end of data. */
  elapse(durationNs: number): number {
    return this.run(this.backtest.nowNs + durationNs, false, false);
  }

  /** Until the next market row (2), a response when `includeOrderResponse` (3), or the time-out (0). */
  waitNextFeed(includeOrderResponse: boolean, timeoutNs: number): number {
    return this.run(this.backtest.nowNs + timeoutNs, true, includeOrderResponse);
  }

  /** Until the response to the order's request, or the time-out; 0 in both cases. */
  waitOrderResponse(asset: number, orderId: number, timeoutNs: number): number {
    const order = this.asset(asset).orders.get(orderId);
    if (order === undefined) return RC_ORDER_NOT_FOUND;
    this.awaited = order;
    this.answered = false;
    const code = this.run(this.backtest.nowNs + timeoutNs, false, false);
    this.awaited = null;
    return code;
  }

  gotoEnd(): number {
    return this.run(Number.MAX_VALUE, false, false);
  }

  submitBuy(
    asset: number,
    id: number,
    price: number,
    qty: number,
    tif: number,
    type = 0,
    wait = false,
  ): number {
    return this.submit(asset, id, 1, price, qty, tif, type, wait);
  }

  submitSell(
    asset: number,
    id: number,
    price: number,
    qty: number,
    tif: number,
    type = 0,
    wait = false,
  ): number {
    return this.submit(asset, id, -1, price, qty, tif, type, wait);
  }

  /** `qty` is the order's new total quantity. */
  modify(asset: number, orderId: number, price: number, qty: number, wait = false): number {
    const { orders, depth } = this.asset(asset);
    const order = orders.get(orderId);
    if (order === undefined) return RC_ORDER_NOT_FOUND;
    if (order.req !== STATUS_NONE) return RC_ORDER_REQUEST_IN_PROCESS;
    const tick = Math.round(price / depth.tickSize);
    const slot = this.slotOf(order);
    if (slot === NO_ORDER || !this.desk.modify(slot, tick, Math.round(qty / depth.lotSize)))
      return this.denied();
    order.req = STATUS_REPLACED;
    order.requestNs = this.backtest.nowNs;
    return wait ? this.waitOrderResponse(asset, orderId, Number.MAX_VALUE) : RC_OK;
  }

  cancel(asset: number, orderId: number, wait = false): number {
    const order = this.asset(asset).orders.get(orderId);
    if (order === undefined) return RC_ORDER_NOT_FOUND;
    if (order.req !== STATUS_NONE) return RC_ORDER_REQUEST_IN_PROCESS;
    const slot = this.slotOf(order);
    if (slot === NO_ORDER) return RC_ORDER_NOT_FOUND;
    this.desk.requestCancel(slot);
    order.req = STATUS_CANCELED;
    order.requestNs = this.backtest.nowNs;
    return wait ? this.waitOrderResponse(asset, orderId, Number.MAX_VALUE) : RC_OK;
  }

  /** Forgets expired, filled and canceled orders; of all assets when none is given. */
  clearInactiveOrders(asset?: number): void {
    const assets = asset === undefined ? this.assets : [this.asset(asset)];
    for (const { orders } of assets)
      for (const [id, { status }] of orders)
        if (status === STATUS_EXPIRED || status === STATUS_FILLED || status === STATUS_CANCELED)
          orders.delete(id);
  }

  depth(asset: number): ApiDepth {
    return this.asset(asset).depth;
  }

  orders(asset: number): ReadonlyMap<number, ApiOrder> {
    return this.asset(asset).orders;
  }

  position(asset: number): number {
    return this.stateValues(asset).position;
  }

  /** position, balance, fee, numTrades, tradingVolume, tradingValue. */
  stateValues(asset: number) {
    this.asset(asset);
    return this.backtest.recorder.account(asset + 1, this.backtest.nowNs);
  }

  equity(asset: number, price: number): number {
    return this.stateValues(asset).equity(price);
  }

  /** Trades seen since `clearLastTrades`, when trades are kept. */
  lastTrades(asset: number) {
    const { depth } = this.asset(asset);
    return (this.backtest.local(asset + 1).trades ?? []).map((t) => ({
      ev:
        ((t.op === OP_TRADE_BUY ? EV_BUY : t.op === OP_TRADE_SELL ? EV_SELL : 0) | EV_LOCAL | KIND_TRADE) >>>
        0,
      exchTs: this.toUnixNs(t.exchNs),
      localTs: this.toUnixNs(t.recvNs),
      px: t.pxTicks * depth.tickSize,
      qty: t.qtyLots * depth.lotSize,
    }));
  }

  lastTradeCount(asset: number): number {
    return this.backtest.local(asset + 1).trades?.length ?? 0;
  }

  clearLastTrades(asset?: number): void {
    for (let i = 0; i < this.assets.length; i++) {
      const local = this.backtest.local(i + 1);
      if ((asset === undefined || asset === i) && local.trades !== null) local.trades = [];
    }
  }

  /** (exch_ts, local_ts) of the last market event, null before the first. */
  feedLatency(asset: number): [exchTs: bigint, localTs: bigint] | null {
    this.asset(asset);
    const { exchNs, recvNs } = this.backtest.local(asset + 1);
    return Number.isNaN(recvNs) ? null : [this.toUnixNs(exchNs), this.toUnixNs(recvNs)];
  }

  /** (request, exchange, response) times of the last answered request of any asset, null before the first. */
  orderLatency(asset: number): [reqTs: bigint, exchTs: bigint, respTs: bigint] | null {
    this.asset(asset);
    return this.latency;
  }

  close(): number {
    this.backtest.close();
    return RC_OK;
  }

  toUnixNs(tsNs: number): bigint {
    return this.backtest.baseNs + BigInt(tsNs);
  }

  /** At the caller's time: EXECUTION's own stands at the last record that it was sent. */
  private get desk(): OrderDesk {
    const { nowNs, execution } = this.backtest;
    execution.parts.desk.nowNs = nowNs;
    return execution.parts.desk;
  }

  private asset(index: number): ApiAsset {
    const asset = this.assets[index];
    if (asset === undefined) throw new RangeError(`asset ${index} of ${this.assets.length}`);
    return asset;
  }

  private submit(
    asset: number,
    id: number,
    side: number,
    price: number,
    qty: number,
    tif: number,
    type: number,
    wait: boolean,
  ): number {
    const { orders, depth } = this.asset(asset);
    if (orders.has(id)) return RC_ORDER_ID_EXIST;
    const tick = Math.round(price / depth.tickSize);
    const { table } = this.backtest.execution.parts;
    const slot = this.desk.place(
      STRATEGY,
      asset + 1,
      side > 0 ? SIDE_BUY : SIDE_SELL,
      tick,
      Math.round(qty / depth.lotSize),
      tif,
      type === MARKET ? ORDER_TYPE_MARKET : ORDER_TYPE_LIMIT,
      false,
    );
    if (slot === NO_ORDER) return this.denied();
    const order = new ApiOrder(id, side, tick, qty, this.backtest.nowNs);
    orders.set(id, order);
    this.bySeq.set(table.clientSeq[slot]!, { asset, order });
    return wait ? this.waitOrderResponse(asset, id, Number.MAX_VALUE) : RC_OK;
  }

  private denied(): number {
    this.lastDenial = DENY_NAMES[this.backtest.execution.parts.desk.lastDenyCode] ?? "";
    return RC_INVALID_ORDER_REQUEST;
  }

  private slotOf(order: ApiOrder): number {
    const { table } = this.backtest.execution.parts;
    for (const [seq, entry] of this.bySeq) if (entry.order === order) return table.find(seq);
    return NO_ORDER;
  }

  /** A report or fill of an own order. */
  private onOrder(ctx: StrategyContext): void {
    const entry = this.bySeq.get(ctx.orderClientSeq);
    if (entry === undefined) return;
    const { order, asset } = entry;
    this.heardOf = order;
    const { lotSize } = this.asset(asset).depth;
    const { table } = this.backtest.execution.parts;
    if (ctx.fillQtyLots > 0) {
      order.execQty = ctx.fillQtyLots * lotSize;
      order.execTick = ctx.fillPxTicks;
      order.maker = ctx.fillMaker;
    }
    if (ctx.orderSlot !== NO_ORDER) {
      order.tick = table.pxTicks[ctx.orderSlot]!;
      order.qty = table.qtyLots[ctx.orderSlot]! * lotSize;
      order.leaves = (table.qtyLots[ctx.orderSlot]! - table.cumQtyLots[ctx.orderSlot]!) * lotSize;
    }
    const status = STATUS[ctx.orderState];
    if (status === undefined) return;
    order.status = status;
    order.req = STATUS_NONE;
    if (status !== STATUS_NEW && status !== STATUS_PARTIALLY_FILLED) this.bySeq.delete(ctx.orderClientSeq);
    if (order === this.awaited) this.answered = true;
  }

  private run(untilNs: number, waitFeed: boolean, waitResponse: boolean): number {
    const { backtest } = this;
    for (;;) {
      const what = backtest.step(untilNs);
      if (what === STEP_NONE) {
        if (backtest.ended) return RC_END_OF_DATA;
        if (untilNs > backtest.nowNs) backtest.passTo(untilNs);
        return RC_OK;
      }
      if (what === STEP_REPORT) this.noteLatency();
      if (what === STEP_MARKET && waitFeed) return RC_MARKET_FEED;
      if (what === STEP_REPORT && waitResponse) return RC_ORDER_RESPONSE;
      if (this.answered) {
        this.answered = false;
        return RC_OK;
      }
    }
  }

  private noteLatency(): void {
    const { exchange, nowNs } = this.backtest;
    const exchNs = exchange.deliveredExchNs;
    const order = this.heardOf;
    if (order === null || Number.isNaN(exchNs) || order.requestNs > exchNs) return;
    this.latency = [this.toUnixNs(order.requestNs), this.toUnixNs(exchNs), this.toUnixNs(nowNs)];
  }
}
