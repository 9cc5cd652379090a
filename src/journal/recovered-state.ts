// What a WAL says of positions, fills and orders, gathered record by record: the state that a restarted
// process begins with, before the venue is asked. Keyed by names, because instrument and strategy numbers
// may differ between sessions. Cold code.
import type { RecordHandler, RecordMemory } from "../core/record.ts";
import { FIRST_ADOPTED_SEQ } from "../order/client-id.ts";
import { HOUSE_NAME } from "../order/ledger.ts";
import {
  ACTION_CANCEL,
  ACTION_CANCEL_ALL,
  ACTION_MODIFY,
  ACTION_PLACE,
  EXEC_AMENDED,
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_NONE,
  ORDER_PENDING_CANCEL,
  ORDER_PENDING_MODIFY,
  ORDER_PENDING_NEW,
  ORDER_REJECTED,
  RISK_STATE_FUNDING,
  RISK_STATE_OTHER_FEES,
  RISK_STATE_UNASSIGNED_FUNDING,
} from "../wire/codes.ts";
import {
  Fill,
  FillDetail,
  FLAG_VENUE,
  Funding,
  HEADER_FLAGS,
  HEADER_KIND,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_FUNDING,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  KIND_ORDER_SENT,
  KIND_POSITION,
  KIND_POSITION_DETAIL,
  KIND_RISK_STATE,
  OrderReport,
  OrderReportDetail,
  OrderSent,
  Position,
  PositionDetail,
  RiskState,
} from "../wire/messages.gen.ts";

import { HouseEstate, type SessionNames } from "./house-estate.ts";

const RECENT_TRADE_IDS = 4096;
/** The longest window of the request budget. */
const RATE_WINDOW_NS = 60_000_000_000n;
/** Requests beyond this many are looked through for those that are too old. */
const REQUESTS_KEPT = 8192;
/** Fills whose fee a RiskState may not contain yet: those of the kill window; most are in the settlement asset. */
const FEES_KEPT = 4096;

export interface RecoveredPosition {
  readonly strategy: string;
  readonly symbol: string;
  readonly qtyLots: number;
  readonly costTickLots: number;
  /** Two-limb sums (core/two-limb.ts). */
  readonly realizedHi: number;
  readonly realizedLo: number;
  feesHi: number;
  feesLo: number;
  markTicks: number;
  /** Of the Position record; −1 when there are fills only. */
  readonly walPosition: number;
  /** Fills journalled after it: a kill may fall between a fill and the position that contains it. */
  readonly fillsSince: RecoveredFill[];
}

export interface RecoveredFill {
  readonly strategy: string;
  readonly symbol: string;
  readonly orderKey: string;
  /** SIDE_… */
  readonly side: number;
  readonly maker: boolean;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly tradeId: bigint;
  readonly exchUnixNs: bigint;
  readonly walPosition: number;
  feeE8: number;
  /** As the session numbered its assets, and the name behind it ("" when the session does not say). */
  readonly feeAsset: number;
  readonly feeAssetName: string;
}

/** The last RiskState of its (code, strategy, symbol, index). */
export interface RecoveredRisk {
  readonly code: number;
  readonly strategy: string;
  /** "" = of no instrument. */
  readonly symbol: string;
  /** Asset name of other fees; "" = none. */
  readonly asset: string;
  readonly value0: number;
  readonly value1: number;
  readonly value2: number;
  readonly unixNs: bigint;
  /** Zero of the session times among the values, ns since the epoch. */
  readonly baseNs: bigint;
}

/** Funding payments that are journalled and contained in the results. */
export interface RecoveredFunding {
  /** Time of the last one, ns since the epoch; 0n = none. */
  readonly lastUnixNs: bigint;
  /** Venue transaction ids of the last 4096, in journal order. */
  readonly recentIds: ReadonlySet<bigint>;
}

/** A request that counts in a rate window. */
export interface RecoveredRequest {
  readonly unixNs: bigint;
  readonly isCancel: boolean;
}

/** Fees in other assets since the last RiskState that contains them. */
export interface RecoveredFee {
  readonly strategy: string;
  readonly symbol: string;
  readonly asset: string;
  readonly feeE8: number;
}

export interface RecoveredOrder {
  /** `nonce:clientSeq`, decimal. */
  readonly key: string;
  readonly nonce: bigint;
  readonly clientSeq: number;
  readonly strategy: string;
  readonly symbol: string;
  readonly side: number;
  readonly tif: number;
  readonly orderType: number;
  pxTicks: number;
  qtyLots: number;
  cumQtyLots: number;
  /** ORDER_…, as last reported; pending states stand for requests without an answer. */
  state: number;
  venueOrderId: bigint;
}

export interface RecoveredInstrument {
  readonly symbol: string;
  /** −1n: no fill. */
  maxTradeId: bigint;
  lastFillUnixNs: bigint;
  /** The last 4096, in journal order. */
  readonly recentTradeIds: Set<bigint>;
}

/** Names and clocks of the session whose records are being read. */
export interface SessionContext {
  readonly session: string;
  /** null: no manifest tells. */
  readonly names: SessionNames | null;
  readonly baseNs: bigint;
  readonly nonce: bigint;
  symbolOf(instrument: number): string;
  /** "" when the session does not say. */
  assetOf(asset: number): string;
  strategyOf(strategy: number): string;
}

/** Everything that RecoveredState carries from one session to the next: plain data. */
export interface RecoveredContent {
  readonly positions: readonly RecoveredPosition[];
  readonly orders: readonly RecoveredOrder[];
  readonly instruments: readonly RecoveredInstrument[];
  readonly risk: readonly RecoveredRisk[];
  /** Left by strategies that are gone, and not in house's own records yet. */
  readonly estate: {
    readonly positions: readonly RecoveredPosition[];
    readonly risk: readonly RecoveredRisk[];
  };
  readonly fundingIds: ReadonlySet<bigint>;
  readonly lastFundingUnixNs: bigint;
  /** A payment whose sum has not been seen. */
  readonly lastFunding: FundingPayment | null;
  readonly requests: readonly RecoveredRequest[];
  readonly fees: readonly RecoveredFee[];
}

interface FundingPayment {
  readonly id: bigint;
  readonly unixNs: bigint;
}

const TERMINAL = new Set<number>([ORDER_FILLED, ORDER_CANCELED, ORDER_EXPIRED, ORDER_REJECTED]);
const positionKey = (strategy: string, symbol: string): string => `${strategy}\n${symbol}`;
const riskKey = ({ code, strategy, symbol, asset }: RecoveredRisk): string =>
  [code, strategy, symbol, asset].join("\n");
const id64 = (lo: number, hi: number): bigint => (BigInt(hi) << 32n) | BigInt(lo);

export class RecoveredState implements RecordHandler {
  readonly positions = new Map<string, RecoveredPosition>();
  readonly orders = new Map<string, RecoveredOrder>();
  readonly instruments = new Map<string, RecoveredInstrument>();
  readonly risk = new Map<string, RecoveredRisk>();
  /** Of strategies that are gone. */
  readonly estate = new HouseEstate();
  readonly fundingIds = new Set<bigint>();
  lastFundingUnixNs = 0n;
  /** Of the last minute of the WAL, oldest first. */
  requests: RecoveredRequest[] = [];
  /** Candidates: whoever knows the instruments leaves out those in the settlement asset. */
  fees: RecoveredFee[] = [];
  /** Highest clientSeq of the session being read. */
  maxClientSeq = 0;
  /** WAL position of the record that comes next. */
  walPosition = 0;
  private context: SessionContext;
  /** Keys of adopted orders that have ended in the session being read. */
  private readonly endedAdopted = new Set<string>();
  /** Lowest clientSeq seen sent in the session being read. */
  private firstSentSeq = Number.POSITIVE_INFINITY;
  private lastPosition: RecoveredPosition | null = null;
  private lastFill: RecoveredFill | null = null;
  private lastReport: OrderReportHead | null = null;
  private lastFunding: FundingPayment | null = null;
  private readonly fill: Fill;
  private readonly fillDetail: FillDetail;
  private readonly sent: OrderSent;
  private readonly riskState: RiskState;
  private readonly funding: Funding;
  private readonly report: OrderReport;
  private readonly reportDetail: OrderReportDetail;
  private readonly position: Position;
  private readonly positionDetail: PositionDetail;

  constructor(memory: RecordMemory, context: SessionContext) {
    this.context = context;
    this.fill = new Fill(memory);
    this.fillDetail = new FillDetail(memory);
    this.sent = new OrderSent(memory);
    this.riskState = new RiskState(memory);
    this.funding = new Funding(memory);
    this.report = new OrderReport(memory);
    this.reportDetail = new OrderReportDetail(memory);
    this.position = new Position(memory);
    this.positionDetail = new PositionDetail(memory);
  }

  /** Between sessions. */
  get content(): RecoveredContent {
    this.settle();
    const { fundingIds, lastFundingUnixNs, lastFunding, requests, fees } = this;
    return {
      positions: [...this.positions.values()],
      orders: [...this.orders.values()],
      instruments: [...this.instruments.values()],
      risk: [...this.risk.values()],
      estate: { positions: this.estate.positions, risk: this.estate.risk },
      ...{ fundingIds, lastFundingUnixNs, lastFunding, requests, fees },
    };
  }

  /** Goes on from what an earlier reading found; before the first session. */
  resume(content: RecoveredContent): void {
    for (const p of content.positions) this.positions.set(positionKey(p.strategy, p.symbol), p);
    for (const order of content.orders) this.orders.set(order.key, order);
    for (const instrument of content.instruments) this.instruments.set(instrument.symbol, instrument);
    for (const risk of content.risk) this.risk.set(riskKey(risk), risk);
    this.estate.positions = [...content.estate.positions];
    this.estate.risk = [...content.estate.risk];
    for (const id of content.fundingIds) this.fundingIds.add(id);
    this.lastFundingUnixNs = content.lastFundingUnixNs;
    this.lastFunding = content.lastFunding;
    this.requests = [...content.requests];
    this.fees = [...content.fees];
  }

  startSession(context: SessionContext): void {
    this.settle();
    this.context = context;
    if (context.names !== null) this.inherit(context.names);
    this.maxClientSeq = 0;
    this.firstSentSeq = Number.POSITIVE_INFINITY;
    this.endedAdopted.clear();
  }

  private inherit(names: SessionNames): void {
    this.estate.inherit(names, this.positions, this.risk);
    const heir = (strategy: string) => (names.strategies.includes(strategy) ? strategy : HOUSE_NAME);
    this.fees = this.fees.map((fee) => ({ ...fee, strategy: heir(fee.strategy) }));
  }

  onRecord(m: RecordMemory, at: number): void {
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (kind === KIND_FILL_DETAIL) this.onFillDetail(m, at);
    else if (kind === KIND_ORDER_REPORT_DETAIL) this.onReportDetail(m, at);
    else if (kind === KIND_POSITION_DETAIL) this.onPositionDetail(m, at);
    else {
      this.settle();
      if (kind === KIND_FILL) this.onFill(m, at);
      else if (kind === KIND_ORDER_SENT) this.onSent(m, at);
      else if (kind === KIND_ORDER_REPORT) this.onReport(m, at);
      else if (kind === KIND_POSITION) this.onPosition(m, at);
      else if (kind === KIND_RISK_STATE) this.onRiskState(m, at);
      else if (kind === KIND_FUNDING) this.onFunding(m, at);
    }
  }

  /** Applies heads whose continuation never came (a group that had to be split, or the end of the WAL). */
  settle(): void {
    if (this.lastFill !== null) this.applyFill(this.lastFill);
    if (this.lastReport !== null) this.applyReport(this.lastReport, this.context.nonce, 0n);
    this.lastFill = null;
    this.lastReport = null;
    this.lastPosition = null;
  }

  private onFill(m: RecordMemory, at: number): void {
    const fill = this.fill.wrap(m, at);
    this.noteClientSeq(fill.clientSeq);
    this.lastFill = {
      strategy: this.context.strategyOf(fill.strategy),
      symbol: this.context.symbolOf(fill.instrument),
      orderKey: `${this.context.nonce}:${fill.clientSeq}`,
      side: fill.side,
      maker: fill.maker === 1,
      pxTicks: fill.pxTicks,
      qtyLots: fill.qtyLots,
      tradeId: id64(fill.tradeIdLo, fill.tradeIdHi),
      exchUnixNs: this.context.baseNs + BigInt(Math.round(fill.exchTsNs)),
      walPosition: this.walPosition,
      feeE8: 0,
      feeAsset: fill.feeAsset,
      feeAssetName: this.context.assetOf(fill.feeAsset),
    };
  }

  private onFillDetail(m: RecordMemory, at: number): void {
    const fill = this.lastFill;
    this.lastFill = null;
    if (fill === null) return;
    const detail = this.fillDetail.wrap(m, at);
    const nonce = id64(detail.clientNonceLo, detail.clientNonceHi);
    const clientSeq = fill.orderKey.slice(fill.orderKey.indexOf(":") + 1);
    this.applyFill({
      ...fill,
      feeE8: detail.feeE8,
      orderKey: nonce === 0n ? fill.orderKey : `${nonce}:${clientSeq}`,
    });
  }

  private applyFill(fill: RecoveredFill): void {
    const instrument = this.instrumentOf(fill.symbol);
    const recent = instrument.recentTradeIds;
    if (recent.has(fill.tradeId)) return;
    recent.add(fill.tradeId);
    if (recent.size > RECENT_TRADE_IDS) recent.delete(recent.values().next().value!);
    if (fill.tradeId > instrument.maxTradeId) instrument.maxTradeId = fill.tradeId;
    if (fill.exchUnixNs > instrument.lastFillUnixNs) instrument.lastFillUnixNs = fill.exchUnixNs;
    this.positionOf(fill.strategy, fill.symbol).fillsSince.push(fill);
    const { strategy, symbol, feeE8 } = fill;
    this.fees.push({ strategy, symbol, feeE8, asset: fill.feeAssetName });
    if (this.fees.length > FEES_KEPT) this.fees = this.fees.slice(-FEES_KEPT / 2);
  }

  private onSent(m: RecordMemory, at: number): void {
    const sent = this.sent.wrap(m, at);
    this.noteClientSeq(sent.clientSeq);
    const key = `${this.context.nonce}:${sent.clientSeq}`;
    const known = this.orders.get(key);
    this.noteRequest(sent.recvTsNs, sent.action);
    if (sent.action === ACTION_PLACE) {
      this.firstSentSeq = Math.min(this.firstSentSeq, sent.clientSeq);
      this.orders.set(key, {
        key,
        nonce: this.context.nonce,
        clientSeq: sent.clientSeq,
        strategy: this.context.strategyOf(sent.strategy),
        symbol: this.context.symbolOf(sent.instrument),
        side: sent.side,
        tif: sent.tif,
        orderType: sent.orderType,
        pxTicks: sent.pxTicks,
        qtyLots: sent.qtyLots,
        cumQtyLots: 0,
        state: ORDER_PENDING_NEW,
        venueOrderId: 0n,
      });
    } else if (known !== undefined) {
      if (sent.action === ACTION_CANCEL) known.state = ORDER_PENDING_CANCEL;
      if (sent.action === ACTION_MODIFY) known.state = ORDER_PENDING_MODIFY;
    }
  }

  private noteRequest(tsNs: number, action: number): void {
    const unixNs = this.context.baseNs + BigInt(Math.round(tsNs));
    const isCancel = action === ACTION_CANCEL || action === ACTION_CANCEL_ALL;
    this.requests.push({ unixNs, isCancel });
    if (this.requests.length <= REQUESTS_KEPT) return;
    this.requests = this.requests.filter((r) => r.unixNs > unixNs - RATE_WINDOW_NS);
  }

  /** Counts when the sum that contains it follows: a kill may fall between them. */
  private onFunding(m: RecordMemory, at: number): void {
    const funding = this.funding.wrap(m, at);
    this.lastFunding = {
      id: id64(funding.transactionLo, funding.transactionHi),
      unixNs: this.context.baseNs + BigInt(Math.round(funding.exchTsNs)),
    };
  }

  private applyFunding(): void {
    const funding = this.lastFunding;
    this.lastFunding = null;
    if (funding === null) return;
    this.fundingIds.add(funding.id);
    if (this.fundingIds.size > RECENT_TRADE_IDS)
      this.fundingIds.delete(this.fundingIds.values().next().value!);
    if (funding.unixNs > this.lastFundingUnixNs) this.lastFundingUnixNs = funding.unixNs;
  }

  private onRiskState(m: RecordMemory, at: number): void {
    const state = this.riskState.wrap(m, at);
    if (state.code === RISK_STATE_FUNDING || state.code === RISK_STATE_UNASSIGNED_FUNDING)
      this.applyFunding();
    const { code, value0, value1, value2 } = state;
    const { baseNs } = this.context;
    const strategy = this.context.strategyOf(state.strategy);
    const symbol = state.instrument === 0 ? "" : this.context.symbolOf(state.instrument);
    const asset = code === RISK_STATE_OTHER_FEES ? this.context.assetOf(state.index) : "";
    const unixNs = baseNs + BigInt(Math.round(state.recvTsNs));
    if (code === RISK_STATE_OTHER_FEES)
      this.fees = this.fees.filter((fee) => fee.strategy !== strategy || fee.asset !== asset);
    if (strategy === HOUSE_NAME) this.estate.riskWritten(code, symbol, asset);
    const risk = { code, strategy, symbol, asset, value0, value1, value2, unixNs, baseNs };
    this.risk.set(riskKey(risk), risk);
  }

  private onReport(m: RecordMemory, at: number): void {
    const report = this.report.wrap(m, at);
    this.lastReport = {
      clientSeq: report.clientSeq,
      execType: report.execType,
      state: report.orderState,
      side: report.side,
      pxTicks: report.pxTicks,
      qtyLots: report.qtyLots,
      cumQtyLots: report.cumQtyLots,
      strategy: this.context.strategyOf(report.strategy),
      symbol: this.context.symbolOf(report.instrument),
    };
  }

  private onReportDetail(m: RecordMemory, at: number): void {
    const head = this.lastReport;
    this.lastReport = null;
    if (head === null) return;
    const detail = this.reportDetail.wrap(m, at);
    const nonce = id64(detail.clientNonceLo, detail.clientNonceHi);
    this.applyReport(
      head,
      nonce === 0n ? this.context.nonce : nonce,
      id64(detail.venueOrderIdLo, detail.venueOrderIdHi),
    );
  }

  private applyReport(head: OrderReportHead, nonce: bigint, venueOrderId: bigint): void {
    if (head.clientSeq === 0) return;
    if (nonce === this.context.nonce) this.noteClientSeq(head.clientSeq);
    const key = `${nonce}:${head.clientSeq}`;
    const isAdopted = head.clientSeq >= FIRST_ADOPTED_SEQ;
    if (isAdopted) this.forgetOtherNames(key, venueOrderId);
    if (TERMINAL.has(head.state)) {
      this.orders.delete(key);
      if (isAdopted) this.endedAdopted.add(key);
      return;
    }
    const known = this.orders.get(key);
    // Held in this session and not any more: it has ended, and this is a late answer (a reply that the stream overtook).
    const wasHeld = isAdopted ? this.endedAdopted.has(key) : head.clientSeq >= this.firstSentSeq;
    if (known === undefined && nonce === this.context.nonce && wasHeld) return;
    const order = known ?? this.adopt(key, nonce, head);
    if (head.state !== ORDER_NONE) order.state = head.state;
    if (head.cumQtyLots > order.cumQtyLots) order.cumQtyLots = head.cumQtyLots;
    if (venueOrderId !== 0n) order.venueOrderId = venueOrderId;
    if (head.execType === EXEC_AMENDED) {
      order.pxTicks = head.pxTicks;
      order.qtyLots = head.qtyLots;
    }
  }

  /** An adopted order goes on under a number of the session that took it in. */
  private forgetOtherNames(key: string, venueOrderId: bigint): void {
    if (venueOrderId === 0n || this.orders.has(key)) return;
    for (const other of this.orders.values())
      if (other.venueOrderId === venueOrderId) this.orders.delete(other.key);
  }

  /** An order that this WAL did not see sent: an adopted one, or of an earlier session whose segments are gone. */
  private adopt(key: string, nonce: bigint, head: OrderReportHead): RecoveredOrder {
    const { clientSeq, strategy, symbol, side, pxTicks, qtyLots, cumQtyLots, state } = head;
    const order: RecoveredOrder = {
      ...{ key, nonce, clientSeq, strategy, symbol, side, pxTicks, qtyLots, cumQtyLots, state },
      tif: 0,
      orderType: 0,
      venueOrderId: 0n,
    };
    if (state !== ORDER_NONE) this.orders.set(key, order);
    return order;
  }

  /** The ledger's own; what the venue says of the net position is an observation, not a holding of house. */
  private onPosition(m: RecordMemory, at: number): void {
    if ((m.u16[(at >> 1) + HEADER_FLAGS]! & FLAG_VENUE) !== 0) return;
    const record = this.position.wrap(m, at);
    const strategy = this.context.strategyOf(record.strategy);
    const symbol = this.context.symbolOf(record.instrument);
    const position: RecoveredPosition = {
      strategy,
      symbol,
      qtyLots: record.qtyLots,
      costTickLots: record.costTickLots,
      realizedHi: record.realizedHi,
      realizedLo: record.realizedLo,
      feesHi: 0,
      feesLo: 0,
      markTicks: Number.NaN,
      walPosition: this.walPosition,
      fillsSince: [],
    };
    this.positions.set(positionKey(strategy, symbol), position);
    if (strategy === HOUSE_NAME) this.estate.positionWritten(symbol);
    this.lastPosition = position;
  }

  private onPositionDetail(m: RecordMemory, at: number): void {
    if (this.lastPosition === null) return;
    const detail = this.positionDetail.wrap(m, at);
    this.lastPosition.feesHi = detail.feesHi;
    this.lastPosition.feesLo = detail.feesLo;
    this.lastPosition.markTicks = detail.markTicks;
    this.lastPosition = null;
  }

  private positionOf(strategy: string, symbol: string): RecoveredPosition {
    const key = positionKey(strategy, symbol);
    const known = this.positions.get(key);
    if (known !== undefined) return known;
    const flat: RecoveredPosition = {
      strategy,
      symbol,
      qtyLots: 0,
      costTickLots: 0,
      realizedHi: 0,
      realizedLo: 0,
      feesHi: 0,
      feesLo: 0,
      markTicks: Number.NaN,
      walPosition: -1,
      fillsSince: [],
    };
    this.positions.set(key, flat);
    return flat;
  }

  private instrumentOf(symbol: string): RecoveredInstrument {
    const known = this.instruments.get(symbol);
    if (known !== undefined) return known;
    const fresh: RecoveredInstrument = {
      symbol,
      maxTradeId: -1n,
      lastFillUnixNs: 0n,
      recentTradeIds: new Set(),
    };
    this.instruments.set(symbol, fresh);
    return fresh;
  }

  private noteClientSeq(clientSeq: number): void {
    if (clientSeq > this.maxClientSeq && clientSeq < FIRST_ADOPTED_SEQ) this.maxClientSeq = clientSeq;
  }
}

interface OrderReportHead {
  readonly clientSeq: number;
  readonly execType: number;
  readonly state: number;
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly cumQtyLots: number;
  readonly strategy: string;
  readonly symbol: string;
}
