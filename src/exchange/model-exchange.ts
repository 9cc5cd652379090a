// An exchange inside this process: own orders against a market that flows past. It stands where a venue's gateway
// stands (OrderGateway in, OrderReport, Fill and Balance records out), with the latency of both directions in
// between. Backtest and paper trading use this one; whoever owns it feeds the market to `market(id).engine` and
// lets time pass.
//
//   place/modify/cancel ─▶ requests ─(entry latency)─▶ MatchingEngine ─▶ reports ─(response latency)─▶ sink
//
// Self-trades expire the resting order (EXPIRE_MAKER, the venue's default).
// Hot: 0 bytes per market event. Requests, answers and fills are cold: they use Map, and BigInt for money.
import type { RecordSink } from "../core/record.ts";
import type { Instrument } from "../market/instrument.ts";
import type { L3Book } from "../market/l3-book.ts";
import { type OrderGateway, type OrderRequest, SEND_OK } from "../order/gateway.ts";
import {
  ACTION_CANCEL,
  ACTION_CANCEL_ALL,
  ACTION_MODIFY,
  ACTION_NONE,
  ACTION_PLACE,
  EXEC_AMENDED,
  EXEC_CANCEL_REJECTED,
  EXEC_CANCELED,
  EXEC_EXPIRED,
  EXEC_MODIFY_REJECTED,
  EXEC_NEW,
  EXEC_REJECTED,
  EXEC_TRADE,
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_REJECTED,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
} from "../wire/codes.ts";
import { FLAG_REDUCE_ONLY } from "../wire/messages.gen.ts";
import { ExchangeWallet, type WalletPosition } from "./exchange-wallet.ts";
import { type FeeModel, FeeSchedule } from "./fee-schedule.ts";
import type { MarketBook } from "./market-book.ts";
import {
  CLOSED_CANCELED,
  CLOSED_FILLED,
  MatchingEngine,
  type MatchListener,
  REJECT_FULL,
  REJECT_NOT_FILLABLE,
  REJECT_REDUCE_ONLY,
  REJECT_WOULD_TAKE,
} from "./matching-engine.ts";
import { STP_EXPIRE_MAKER, STP_NONE } from "./own-orders.ts";
import type { QueueModel } from "./queue/queue-model.ts";
import {
  R_ARRIVAL,
  R_CLIENT_SEQ,
  R_CUM,
  R_EXCH,
  R_EXEC,
  R_FEE,
  R_FLAGS,
  R_FUNDING,
  R_INSTRUMENT,
  R_LAST_PX,
  R_LAST_QTY,
  R_MAKER,
  R_ORDER_ID,
  R_PX,
  R_QTY,
  R_REJECT,
  R_SIDE,
  R_STATE,
  R_STRATEGY,
  R_TRADE_ID,
  R_WALLET,
  ReportLine,
} from "./report-line.ts";
import type { RequestLatency } from "./request-latency.ts";
import { RowQueue } from "./row-queue.ts";

/** Refusals in the words (codes) of Binance USD-M, whose protocol the simulated venue speaks too. */
const REJECT_CODES: Readonly<Record<number, number>> = {
  [REJECT_WOULD_TAKE]: -5022,
  [REJECT_NOT_FILLABLE]: -5021,
  [REJECT_REDUCE_ONLY]: -2022,
  [REJECT_FULL]: -2025,
};
const NO_SUCH_ORDER = -2013;
const CANCEL_REJECTED = -2011;
const REFUSED_ON_THE_WAY = -1001;

const NEVER = Number.POSITIVE_INFINITY;

/** Fields of a request under way. */
const Q_ARRIVAL = 0;
const Q_ACTION = 1;
const Q_INSTRUMENT = 2;
const Q_STRATEGY = 3;
const Q_CLIENT_SEQ = 4;
const Q_SIDE = 5;
const Q_TIF = 6;
const Q_TYPE = 7;
const Q_REDUCE = 8;
const Q_PX = 9;
const Q_QTY = 10;
const Q_WIDTH = 11;

export interface ModelMarketOptions {
  readonly instrument: Instrument;
  readonly book: MarketBook;
  readonly queue: QueueModel;
  /** The market by order behind `book`: own orders have places, `queue` is not asked. */
  readonly byOrder?: L3Book | null;
  readonly fees: FeeModel;
  /** False: an order that trades, trades whole (hftbacktest's NoPartialFillExchange). */
  readonly partialFills: boolean;
}

/** What someone who keeps the record of a run is told; calls are cold. Times in ns since the run's base. */
export interface ExchangeObserver {
  onRequest(request: OrderRequest, action: number, tsNs: number): void;
  onFill(fill: ModelFill): void;
  /** A report left the exchange at `exchNs` and reaches the trader at `arrivalNs`. */
  onReport(
    clientSeq: number,
    execType: number,
    orderState: number,
    rejectCode: number,
    exchNs: number,
    arrivalNs: number,
  ): void;
}

/** One execution; reused, read it during the call only. */
export interface ModelFill {
  readonly instrument: number;
  readonly strategy: number;
  readonly clientSeq: number;
  /** SIDE_BUY, SIDE_SELL. */
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly maker: boolean;
  readonly exchNs: number;
  readonly arrivalNs: number;
  readonly feeE8: number;
  /** When the order began to rest at its price; NaN for one that never rested. */
  readonly restedNs: number;
}

export interface ModelExchangeOptions {
  /** Instrument ids 1 … n in order. */
  readonly markets: readonly ModelMarketOptions[];
  readonly latency: RequestLatency;
  /** Where reports go when they have arrived. */
  readonly sink: RecordSink;
  /** Asset id → name; element 0 = unknown. */
  readonly assets: readonly string[];
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** Wallet at the start, 1e-8 of the settlement currency. */
  readonly walletE8: bigint;
  /** The trader's time when it sends, ns since the base. */
  readonly nowNs: () => number;
  readonly observer?: ExchangeObserver | null;
}

/** Own orders of one instrument at the exchange. */
export class ModelMarket {
  readonly instrument: Instrument;
  readonly engine: MatchingEngine;
  readonly fees: FeeSchedule;
  readonly asset: number;
  readonly slots = new Map<number, number>();
  readonly strategy: Int32Array;
  readonly clientSeq: Float64Array;
  readonly orderId: Float64Array;
  readonly restedNs: Float64Array;

  constructor(options: ModelMarketOptions, listener: MatchListener, asset: number) {
    this.instrument = options.instrument;
    this.engine = new MatchingEngine(options.book, options.queue, listener, {
      wholeFills: !options.partialFills,
      byOrder: options.byOrder ?? null,
    });
    this.fees = new FeeSchedule(options.instrument, options.fees);
    this.asset = asset;
    const { capacity } = this.engine.orders;
    this.strategy = new Int32Array(capacity);
    this.clientSeq = new Float64Array(capacity);
    this.orderId = new Float64Array(capacity);
    this.restedNs = new Float64Array(capacity);
  }

  get hasOrders(): boolean {
    return this.slots.size > 0;
  }
}

type Fill = { -readonly [K in keyof ModelFill]: ModelFill[K] };

const newFill = (): Fill => ({
  instrument: 0,
  strategy: 0,
  clientSeq: 0,
  side: 0,
  pxTicks: 0,
  qtyLots: 0,
  maker: false,
  exchNs: 0,
  arrivalNs: 0,
  feeE8: 0,
  restedNs: 0,
});

export class ModelExchange implements OrderGateway {
  readonly ready = true;
  /** The exchange's own time: set before its market moves or requests are processed. */
  exchNs = 0;
  private readonly options: ModelExchangeOptions;
  private readonly markets: readonly (ModelMarket | null)[];
  private readonly wallet: ExchangeWallet;
  private readonly observer: ExchangeObserver | null;
  private readonly requests = new RowQueue(Q_WIDTH);
  private readonly reports: ReportLine;
  private lastRequestNs = Number.NEGATIVE_INFINITY;
  private orderNumber = 0;
  private tradeNumber = 0;
  private payments = 0;
  /** The request at hand, for the columns of an order that is being accepted. */
  private action = ACTION_NONE;
  private request = 0;
  private readonly fill: Fill;

  constructor(options: ModelExchangeOptions) {
    this.options = options;
    this.observer = options.observer ?? null;
    const instruments = options.markets.map((m) => m.instrument);
    this.wallet = new ExchangeWallet(instruments, options.walletE8);
    this.markets = [
      null,
      ...options.markets.map(
        (m) =>
          new ModelMarket(m, this.listener(m.instrument.id), options.assets.indexOf(m.instrument.settle)),
      ),
    ];
    this.reports = new ReportLine(
      options.sink,
      options.nonceLo,
      options.nonceHi,
      (id) => this.market(id).asset,
    );
    this.fill = newFill();
  }

  market(instrument: number): ModelMarket {
    return this.markets[instrument]!;
  }

  /** Cold, before open: wallet, positions and trade numbers as an earlier run left them; no order is open. */
  continueFrom(walletE8: bigint, positions: readonly WalletPosition[], lastTrade: number): void {
    this.wallet.restore(walletE8, positions);
    this.tradeNumber = lastTrade;
    for (const { instrument, lots } of positions) this.market(instrument).engine.positionLots = Number(lots);
  }

  /** Funding is booked to the wallet; returns it, 1e-8 of the settlement currency. */
  credit(amountE8: number): number {
    this.wallet.credit(BigInt(amountE8));
    return this.wallet.e8;
  }

  /** The position of an instrument pays its value at a price times the rate, now; the trader hears of it later. */
  payFunding(instrument: number, pxTicks: number, rateE8: number): void {
    const { engine, fees } = this.market(instrument);
    const amountE8 = Math.round((-fees.valueE8(pxTicks, engine.positionLots) * rateE8) / 1e8);
    if (!(Math.abs(amountE8) > 0)) return;
    const wallet = this.credit(amountE8);
    const row = this.reports.push(0, 0, ACTION_NONE, this.arrival());
    const r = this.reports.values;
    r[row + R_EXCH] = this.exchNs;
    r[row + R_INSTRUMENT] = instrument;
    r[row + R_TRADE_ID] = ++this.payments;
    r[row + R_WALLET] = wallet;
    r[row + R_FUNDING] = amountE8;
  }

  /** The account is there and reconciled: nothing is open. */
  open(tsNs: number): void {
    this.reports.open(tsNs, this.wallet.e8, this.markets[1]?.asset ?? 0);
  }

  // --- the trader's side ----------------------------------------------------------------------------------

  place(request: OrderRequest): number {
    return this.send(ACTION_PLACE, request);
  }

  cancel(request: OrderRequest): number {
    return this.send(ACTION_CANCEL, request);
  }

  modify(request: OrderRequest): number {
    return this.send(ACTION_MODIFY, request);
  }

  /** It is in this process: nothing is ever out of sight. */
  reconcile(): void {}

  cancelAll(instrument: number): number {
    return this.send(ACTION_CANCEL_ALL, {
      clientSeq: 0,
      instrument,
      strategy: 0,
      side: SIDE_BUY,
      tif: 0,
      orderType: 0,
      reduceOnly: false,
      pxTicks: 0,
      qtyLots: 0,
    });
  }

  /** Arrival at the trader of the first report under way; Infinity when there is none. */
  get nextReportNs(): number {
    return this.reports.nextNs;
  }

  /** Exchange time of the report delivered last. */
  get deliveredExchNs(): number {
    return this.reports.deliveredExchNs;
  }

  /** Reports under way to the trader and requests to the exchange. */
  get underWay(): number {
    return this.reports.length + this.requests.length;
  }

  /** Hands the first report to the sink. */
  deliver(): void {
    this.reports.deliver();
  }

  private send(action: number, r: OrderRequest): number {
    const now = this.options.nowNs();
    this.observer?.onRequest(r, action, now);
    const entry = this.options.latency.entryNs(action, now);
    if (entry < 0) {
      this.refuse(action, r, now - entry);
      return SEND_OK;
    }
    const at = this.requests.push();
    const v = this.requests.values;
    this.lastRequestNs = Math.max(this.lastRequestNs, now + entry);
    v[at + Q_ARRIVAL] = this.lastRequestNs;
    v[at + Q_ACTION] = action;
    v[at + Q_INSTRUMENT] = r.instrument;
    v[at + Q_STRATEGY] = r.strategy;
    v[at + Q_CLIENT_SEQ] = r.clientSeq;
    v[at + Q_SIDE] = r.side;
    v[at + Q_TIF] = r.tif;
    v[at + Q_TYPE] = r.orderType;
    v[at + Q_REDUCE] = r.reduceOnly ? 1 : 0;
    v[at + Q_PX] = r.pxTicks;
    v[at + Q_QTY] = r.qtyLots;
    return SEND_OK;
  }

  /** A latency table says that the request was refused before it was an order. */
  private refuse(action: number, r: OrderRequest, arrivalNs: number): void {
    const at = this.reports.push(this.refusalOf(action), ORDER_REJECTED, action, arrivalNs);
    const v = this.reports.values;
    v[at + R_EXCH] = 0;
    v[at + R_INSTRUMENT] = r.instrument;
    v[at + R_STRATEGY] = r.strategy;
    v[at + R_CLIENT_SEQ] = r.clientSeq;
    v[at + R_SIDE] = r.side;
    v[at + R_PX] = r.pxTicks;
    v[at + R_QTY] = r.qtyLots;
    v[at + R_REJECT] = REFUSED_ON_THE_WAY;
    this.observer?.onReport(
      r.clientSeq,
      v[at + R_EXEC]!,
      ORDER_REJECTED,
      REFUSED_ON_THE_WAY,
      Number.NaN,
      arrivalNs,
    );
  }

  // --- the exchange's side --------------------------------------------------------------------------------

  /** Arrival at the exchange of the first request under way; Infinity when there is none. */
  get nextRequestNs(): number {
    return this.requests.length === 0 ? NEVER : this.requests.values[this.requests.head + Q_ARRIVAL]!;
  }

  /** Processes the first request at its arrival. */
  processRequest(): void {
    const { requests } = this;
    const v = requests.values;
    const at = requests.head;
    this.request = at;
    this.exchNs = v[at + Q_ARRIVAL]!;
    this.action = v[at + Q_ACTION]!;
    const market = this.market(v[at + Q_INSTRUMENT]!);
    if (this.action === ACTION_PLACE) this.acceptPlace(market, v, at);
    else if (this.action === ACTION_CANCEL_ALL) this.acceptCancelAll(market);
    else this.acceptChange(market, v, at);
    this.action = ACTION_NONE;
    requests.pop();
  }

  private acceptPlace(market: ModelMarket, v: Float64Array, at: number): void {
    const side = v[at + Q_SIDE] === SIDE_BUY ? 1 : -1;
    const code = market.engine.submit(
      side,
      v[at + Q_TYPE]!,
      v[at + Q_TIF]!,
      v[at + Q_PX]!,
      v[at + Q_QTY]!,
      v[at + Q_REDUCE] === 1,
      STP_EXPIRE_MAKER,
      v[at + Q_CLIENT_SEQ]!,
    );
    if (code < 0) this.reportRefusal(v, at, EXEC_REJECTED, ORDER_REJECTED, REJECT_CODES[code] ?? -1);
  }

  private acceptChange(market: ModelMarket, v: Float64Array, at: number): void {
    const slot = market.slots.get(v[at + Q_CLIENT_SEQ]!);
    const cancel = this.action === ACTION_CANCEL;
    if (slot === undefined) {
      const code = cancel ? CANCEL_REJECTED : NO_SUCH_ORDER;
      this.reportRefusal(v, at, this.refusalOf(this.action), ORDER_WORKING, code);
    } else if (cancel) market.engine.cancel(slot);
    else {
      const { orders } = market.engine;
      if (orders.pxTicks[slot] !== v[at + Q_PX]) market.restedNs[slot] = this.exchNs;
      // As the venue: an amended order is outside self-trade prevention.
      orders.stp[slot] = STP_NONE;
      market.engine.modify(slot, v[at + Q_PX]!, v[at + Q_QTY]!);
    }
  }

  private acceptCancelAll(market: ModelMarket): void {
    for (const slot of [...market.slots.values()]) market.engine.cancel(slot);
  }

  private refusalOf(action: number): number {
    if (action === ACTION_PLACE) return EXEC_REJECTED;
    return action === ACTION_MODIFY ? EXEC_MODIFY_REJECTED : EXEC_CANCEL_REJECTED;
  }

  private reportRefusal(v: Float64Array, at: number, exec: number, state: number, code: number): void {
    const row = this.reports.push(exec, state, this.action, this.arrival());
    const r = this.reports.values;
    r[row + R_EXCH] = this.exchNs;
    r[row + R_INSTRUMENT] = v[at + Q_INSTRUMENT]!;
    r[row + R_STRATEGY] = v[at + Q_STRATEGY]!;
    r[row + R_CLIENT_SEQ] = v[at + Q_CLIENT_SEQ]!;
    r[row + R_SIDE] = v[at + Q_SIDE]!;
    r[row + R_PX] = v[at + Q_PX]!;
    r[row + R_QTY] = v[at + Q_QTY]!;
    r[row + R_REJECT] = code;
    this.observe(row);
  }

  private listener(instrument: number): MatchListener {
    return {
      onAccepted: (slot) => this.onAccepted(this.market(instrument), slot),
      onAmended: (slot) => {
        const market = this.market(instrument);
        this.observe(this.reportOrder(market, slot, EXEC_AMENDED, this.openState(market, slot)));
      },
      onFill: (slot, px, lots, maker) => this.onFill(this.market(instrument), slot, px, lots, maker),
      onClosed: (slot, reason) => this.onClosed(this.market(instrument), slot, reason),
    };
  }

  private onAccepted(market: ModelMarket, slot: number): void {
    const v = this.requests.values;
    const clientSeq = v[this.request + Q_CLIENT_SEQ]!;
    market.slots.set(clientSeq, slot);
    market.clientSeq[slot] = clientSeq;
    market.strategy[slot] = v[this.request + Q_STRATEGY]!;
    market.orderId[slot] = ++this.orderNumber;
    market.restedNs[slot] = this.exchNs;
    this.observe(this.reportOrder(market, slot, EXEC_NEW, ORDER_WORKING));
  }

  private onFill(market: ModelMarket, slot: number, px: number, lots: number, maker: boolean): void {
    const { orders } = market.engine;
    const feeE8 = market.fees.feeE8(px, lots, maker);
    this.wallet.book(market.instrument.id, orders.side[slot]! * lots, px, feeE8);
    const state = orders.leavesLots[slot] === 0 ? ORDER_FILLED : ORDER_PARTIALLY_FILLED;
    const row = this.reportOrder(market, slot, EXEC_TRADE, state);
    const r = this.reports.values;
    r[row + R_LAST_PX] = px;
    r[row + R_LAST_QTY] = lots;
    r[row + R_MAKER] = maker ? 1 : 0;
    r[row + R_TRADE_ID] = ++this.tradeNumber;
    r[row + R_FEE] = feeE8;
    r[row + R_WALLET] = this.wallet.e8;
    if (this.observer === null) return;
    const f = this.fill;
    f.instrument = market.instrument.id;
    f.strategy = r[row + R_STRATEGY]!;
    f.clientSeq = r[row + R_CLIENT_SEQ]!;
    f.side = r[row + R_SIDE]!;
    f.pxTicks = px;
    f.qtyLots = lots;
    f.maker = maker;
    f.exchNs = this.exchNs;
    f.arrivalNs = r[row + R_ARRIVAL]!;
    f.feeE8 = feeE8;
    f.restedNs = maker ? market.restedNs[slot]! : Number.NaN;
    this.observer.onFill(f);
    this.observe(row);
  }

  private onClosed(market: ModelMarket, slot: number, reason: number): void {
    market.slots.delete(market.clientSeq[slot]!);
    if (reason === CLOSED_FILLED) return;
    const canceled = reason === CLOSED_CANCELED;
    const exec = canceled ? EXEC_CANCELED : EXEC_EXPIRED;
    this.observe(this.reportOrder(market, slot, exec, canceled ? ORDER_CANCELED : ORDER_EXPIRED));
  }

  private openState(market: ModelMarket, slot: number): number {
    const { orders } = market.engine;
    return orders.leavesLots[slot]! < orders.qtyLots[slot]! ? ORDER_PARTIALLY_FILLED : ORDER_WORKING;
  }

  /** The order as it is now. */
  private reportOrder(market: ModelMarket, slot: number, exec: number, state: number): number {
    const { orders } = market.engine;
    const row = this.reports.push(exec, state, this.action, this.arrival());
    const r = this.reports.values;
    const px = orders.pxTicks[slot]!;
    r[row + R_EXCH] = this.exchNs;
    r[row + R_INSTRUMENT] = market.instrument.id;
    r[row + R_STRATEGY] = market.strategy[slot]!;
    r[row + R_CLIENT_SEQ] = market.clientSeq[slot]!;
    r[row + R_SIDE] = orders.side[slot]! > 0 ? SIDE_BUY : SIDE_SELL;
    r[row + R_PX] = Number.isFinite(px) ? px : 0;
    r[row + R_QTY] = orders.qtyLots[slot]!;
    r[row + R_CUM] = orders.qtyLots[slot]! - orders.leavesLots[slot]!;
    r[row + R_ORDER_ID] = market.orderId[slot]!;
    r[row + R_FLAGS] = orders.reduceOnly[slot] === 1 ? FLAG_REDUCE_ONLY : 0;
    return row;
  }

  private arrival(): number {
    return this.exchNs + this.options.latency.responseNs(this.action, this.exchNs);
  }

  private observe(row: number): void {
    if (this.observer === null) return;
    const r = this.reports.values;
    this.observer.onReport(
      r[row + R_CLIENT_SEQ]!,
      r[row + R_EXEC]!,
      r[row + R_STATE]!,
      r[row + R_REJECT]!,
      r[row + R_EXCH]!,
      r[row + R_ARRIVAL]!,
    );
  }
}
