// Rows of orders, fills, positions and account: what was asked of the venue and what came of it.
import { allocateRecordMemory, copyRecord, type RecordMemory } from "../core/record.ts";
import { limbsToBigInt } from "../core/two-limb.ts";
import type { ClientId } from "../order/client-id.ts";
import { RISK_STATE_FUNDING, SIDE_BUY, SIDE_SELL } from "../wire/codes.ts";
import * as wire from "../wire/messages.gen.ts";
import { type Batch, type Columns, origin } from "./batch.ts";
import { text } from "./columns.ts";
import type { AskedMid, MidHistory } from "./mid-history.ts";
import { OrderFold, type OrderRow, type OrderState, orderIdHi, orderIdLo } from "./order-fold.ts";
import type { InstrumentUnits, SessionUnits } from "./session-units.ts";
import { POSITION_CAUSE_ENUM, SIDE_ENUM, STATUS_ENUM } from "./tables.ts";
import { TradesSeen } from "./trades-seen.ts";

/** ORDER_… → STATUS_ENUM */
export const STATUS_OF: readonly number[] = [
  STATUS_ENUM.None,
  STATUS_ENUM.PendingNew,
  STATUS_ENUM.New,
  STATUS_ENUM.PartiallyFilled,
  STATUS_ENUM.PendingCancel,
  STATUS_ENUM.PendingReplace,
  STATUS_ENUM.Filled,
  STATUS_ENUM.Canceled,
  STATUS_ENUM.Expired,
  STATUS_ENUM.Rejected,
  STATUS_ENUM.Unknown,
];
const BPS_E4 = 1e8;
const KIND_FUNDING_ROW = 2;
const KIND_BALANCE_ROW = 1;

export const sideOf = (side: number): number =>
  side === SIDE_BUY ? SIDE_ENUM.Buy : side === SIDE_SELL ? SIDE_ENUM.Sell : SIDE_ENUM.None;

/** A row of fills whose mid may depend on quotes that are not read yet: columns fill up independently. */
interface OpenFill {
  readonly c: Columns;
  readonly of: InstrumentUnits;
  readonly mid: AskedMid;
  readonly decisionTicks: number;
  readonly side: number;
  readonly pxTicks: number;
}

export class AccountRows {
  readonly fold: OrderFold;
  readonly trades = new TradesSeen();
  private readonly mids: MidHistory;
  private openFills: OpenFill[] = [];
  private batch: Batch | null = null;
  private units: SessionUnits | null = null;
  private position = 0;
  /** Funding of (strategy, symbol) so far, 1e-8 tick·lots. */
  private readonly funded = new Map<string, bigint>();
  private readonly strategyTexts = new Map<string, Uint8Array>();
  /** A head until its continuation comes. */
  private readonly held: RecordMemory;
  private heldKind = 0;
  private readonly sent: wire.OrderSent;
  private readonly stamps: wire.OrderStamps;
  private readonly reported: wire.OrderReport;
  private readonly reportDetail: wire.OrderReportDetail;
  private readonly fill: wire.Fill;
  private readonly fillDetail: wire.FillDetail;
  private readonly stand: wire.Position;
  private readonly standDetail: wire.PositionDetail;
  private readonly riskState: wire.RiskState;
  private readonly balance: wire.Balance;
  private readonly funding: wire.Funding;

  constructor(mids: MidHistory) {
    this.mids = mids;
    this.fold = new OrderFold((order, row) => this.orderRow(order, row));
    const m = allocateRecordMemory(1);
    this.held = m;
    this.sent = new wire.OrderSent(m);
    this.stamps = new wire.OrderStamps(m);
    this.reported = new wire.OrderReport(m);
    this.reportDetail = new wire.OrderReportDetail(m);
    this.fill = new wire.Fill(m);
    this.fillDetail = new wire.FillDetail(m);
    this.stand = new wire.Position(m);
    this.standDetail = new wire.PositionDetail(m);
    this.riskState = new wire.RiskState(m);
    this.balance = new wire.Balance(m);
    this.funding = new wire.Funding(m);
  }

  /** False: the kind is not one of this class. */
  add(
    batch: Batch,
    m: RecordMemory,
    at: number,
    kind: number,
    units: SessionUnits,
    position: number,
  ): boolean {
    this.batch = batch;
    this.units = units;
    switch (kind) {
      case wire.KIND_ORDER_SENT:
      case wire.KIND_ORDER_REPORT:
      case wire.KIND_FILL:
      case wire.KIND_POSITION:
        this.hold(m, at, kind, position);
        return true;
      case wire.KIND_ORDER_STAMPS:
        if (this.takes(wire.KIND_ORDER_SENT)) this.onSent(m, at);
        return true;
      case wire.KIND_ORDER_REPORT_DETAIL:
        if (this.takes(wire.KIND_ORDER_REPORT)) this.onReport(m, at);
        return true;
      case wire.KIND_FILL_DETAIL:
        if (this.takes(wire.KIND_FILL)) this.onFill(m, at);
        return true;
      case wire.KIND_POSITION_DETAIL:
        if (this.takes(wire.KIND_POSITION)) this.onPosition(m, at);
        return true;
      case wire.KIND_RISK_STATE:
        this.onRiskState(m, at);
        return false;
      case wire.KIND_BALANCE:
        this.onBalance(m, at, position);
        return true;
      case wire.KIND_FUNDING:
        this.onFunding(m, at, position);
        return true;
      default:
        return false;
    }
  }

  /** Ends the rows of the batch at hand. */
  finish(): void {
    this.mids.decideAll();
    for (const fill of this.openFills) {
      const { c, of, mid, decisionTicks } = fill;
      of.price(c["mid_fill"]!, mid.midTicks);
      c["slippage_bps"]!.long(slippageE4(fill, decisionTicks > 0 ? decisionTicks : mid.midTicks));
    }
    this.openFills = [];
  }

  /** Funding by "strategy symbol", decimal text. */
  saveFunding(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.funded].map(([pair, amount]) => [pair, amount.toString()]));
  }

  restoreFunding(saved: Readonly<Record<string, string>>): void {
    this.funded.clear();
    for (const [pair, amount] of Object.entries(saved)) this.funded.set(pair, BigInt(amount));
  }

  private hold(m: RecordMemory, at: number, kind: number, position: number): void {
    copyRecord(m, at, this.held, 0);
    this.heldKind = kind;
    this.position = position;
  }

  private takes(kind: number): boolean {
    const match = this.heldKind === kind;
    this.heldKind = 0;
    return match;
  }

  private idOf(clientSeq: number, strategy: number, nonceLo: number, nonceHi: number): ClientId | null {
    const named = clientSeq !== 0 && (nonceLo !== 0 || nonceHi !== 0);
    return named ? { nonceLo, nonceHi, strategy, clientSeq } : null;
  }

  private onSent(m: RecordMemory, at: number): void {
    const units = this.units!;
    const sent = this.sent.wrap(this.held, 0);
    const stamps = this.stamps.wrap(m, at);
    const { clientSeq, strategy } = sent;
    if (clientSeq === 0) return;
    this.fold.sent(
      {
        clientSeq,
        action: sent.action,
        strategy,
        strategyName: units.strategyName(strategy),
        symbol: units.symbolOf(sent.instrument),
        side: sent.side,
        tif: sent.tif,
        orderType: sent.orderType,
        reduceOnly: (sent.flags & wire.FLAG_REDUCE_ONLY) !== 0,
        pxTicks: sent.pxTicks,
        qtyLots: sent.qtyLots,
        recvNs: sent.recvTsNs,
        eventExchNs: sent.exchTsNs,
        triggerNs: sent.triggerTsNs,
        decidedNs: stamps.decidedTsNs,
        gatedNs: stamps.gatedTsNs,
        sentNs: stamps.sentTsNs,
        midTicks: stamps.midTicks,
      },
      { nonceLo: units.nonceLo, nonceHi: units.nonceHi, strategy, clientSeq },
    );
  }

  private onReport(m: RecordMemory, at: number): void {
    const units = this.units!;
    const report = this.reported.wrap(this.held, 0);
    const detail = this.reportDetail.wrap(m, at);
    const id = this.idOf(report.clientSeq, report.strategy, detail.clientNonceLo, detail.clientNonceHi);
    this.fold.report({
      id,
      own: id !== null && id.nonceLo === units.nonceLo && id.nonceHi === units.nonceHi,
      strategyName: units.strategyName(id === null ? 0 : report.strategy),
      symbol: units.symbolOf(report.instrument),
      execType: report.execType,
      orderState: report.orderState,
      source: report.source,
      side: report.side,
      pxTicks: report.pxTicks,
      qtyLots: report.qtyLots,
      cumLots: report.cumQtyLots,
      venueLo: detail.venueOrderIdLo,
      venueHi: detail.venueOrderIdHi,
      rejectCode: detail.rejectCode,
      requestAction: detail.requestAction,
      recvNs: report.recvTsNs,
      exchNs: detail.ackTsNs > 0 ? detail.ackTsNs : report.exchTsNs,
      recovered: (report.flags & wire.FLAG_RECOVERED) !== 0,
    });
  }

  private onFill(m: RecordMemory, at: number): void {
    const units = this.units!;
    const fill = this.fill.wrap(this.held, 0);
    const detail = this.fillDetail.wrap(m, at);
    const symbol = units.symbolOf(fill.instrument);
    if (!this.trades.take(symbol, fill.tradeIdLo, fill.tradeIdHi)) return;
    const id = this.idOf(fill.clientSeq, fill.strategy, detail.clientNonceLo, detail.clientNonceHi);
    const order = this.fold.execution({
      id,
      strategyName: units.strategyName(id === null ? 0 : fill.strategy),
      symbol,
      source: fill.source,
      side: fill.side,
      pxTicks: fill.pxTicks,
      qtyLots: fill.qtyLots,
      venueLo: detail.venueOrderIdLo,
      venueHi: detail.venueOrderIdHi,
      recvNs: fill.recvTsNs,
      exchNs: fill.exchTsNs,
      recovered: (fill.flags & wire.FLAG_RECOVERED) !== 0,
    });
    this.fillRow(fill, detail, symbol, order);
  }

  private fillRow(fill: wire.Fill, detail: wire.FillDetail, symbol: string, order: OrderState): void {
    const units = this.units!;
    const of = units.instrument(fill.instrument);
    const c = this.batch!.row("fills", units.day(fill.exchTsNs));
    c["fill_id"]!.words(fill.tradeIdLo, fill.tradeIdHi);
    c["order_id"]!.words(orderIdLo(order), orderIdHi(order));
    c["symbol"]!.string(of.symbol);
    c["side"]!.byte(sideOf(fill.side));
    of.price(c["price"]!, fill.pxTicks);
    of.qty(c["qty"]!, fill.qtyLots);
    c["fee"]!.long(Math.round(detail.feeE8));
    c["is_maker"]!.byte(fill.maker);
    units.time(c["exch_time"]!, fill.exchTsNs);
    units.time(c["local_time"]!, fill.recvTsNs);
    c["strategy_id"]!.string(this.strategyText(order.strategy));
    of.price(c["mid_decision"]!, order.midTicks);
    units.time(c["order_time"]!, order.id === null ? 0 : order.createNs);
    of.price(c["order_price"]!, order.pxTicks);
    c["fee_asset"]!.string(units.asset(fill.feeAsset));
    c["recovered"]!.byte((fill.flags & wire.FLAG_RECOVERED) !== 0 ? 1 : 0);
    c["price_ticks"]!.long(fill.pxTicks);
    c["qty_lots"]!.long(fill.qtyLots);
    c["venue_order_id"]!.words(order.venueLo, order.venueHi);
    c["client_order_id"]!.string(order.idText);
    c["venue"]!.string(of.venue);
    origin(c, units, this.position);
    const { side, pxTicks, exchTsNs } = fill;
    const known = detail.midAtFillTicks;
    const mid = known > 0 ? { exchTsNs, midTicks: known } : this.mids.ask(symbol, exchTsNs);
    this.openFills.push({ c, of, mid, decisionTicks: order.midTicks, side, pxTicks });
  }

  private strategyText(name: string): Uint8Array {
    let encoded = this.strategyTexts.get(name);
    if (encoded === undefined) {
      encoded = text(name);
      this.strategyTexts.set(name, encoded);
    }
    return encoded;
  }

  private orderRow(order: OrderState, row: OrderRow): void {
    const units = this.units!;
    const of = units.instrumentNamed(order.symbol);
    const c = this.batch!.row("orders", units.day(order.createNs));
    c["order_id"]!.words(orderIdLo(order), orderIdHi(order));
    c["symbol"]!.string(of.symbol);
    c["side"]!.byte(sideOf(order.side));
    of.price(c["price"]!, order.pxTicks);
    of.qty(c["qty"]!, order.qtyLots);
    c["status"]!.byte(STATUS_OF[order.state]!);
    units.time(c["create_time"]!, order.createNs);
    units.time(c["update_time"]!, row.updateNs);
    units.time(c["exch_time"]!, row.exchNs);
    of.qty(c["leaves_qty"]!, Math.max(0, order.qtyLots - order.cumLots));
    of.qty(c["exec_qty"]!, order.cumLots);
    of.price(c["exec_price"]!, order.lastPxTicks);
    c["latency_ns"]!.long(Number.isFinite(row.latencyNs) ? Math.round(row.latencyNs) : 0);
    c["strategy_id"]!.string(this.strategyText(order.strategy));
    c["prev_status"]!.byte(STATUS_OF[row.previous]!);
    c["event"]!.byte(row.event);
    c["source"]!.byte(row.source);
    c["tif"]!.byte(order.tif);
    c["order_type"]!.byte(order.orderType);
    c["reduce_only"]!.byte(order.reduceOnly ? 1 : 0);
    c["recovered"]!.byte(row.recovered ? 1 : 0);
    units.time(c["trigger_time"]!, order.triggerNs);
    units.time(c["strategy_time"]!, order.decidedNs);
    units.time(c["risk_time"]!, order.gatedNs);
    units.time(c["wire_time"]!, order.wireNs);
    units.time(c["ack_time"]!, order.ackNs);
    of.price(c["mid_decision"]!, order.midTicks);
    c["reject_code"]!.int(row.rejectCode);
    c["price_ticks"]!.long(Number.isFinite(order.pxTicks) ? order.pxTicks : 0);
    c["qty_lots"]!.long(order.qtyLots);
    c["venue_order_id"]!.words(order.venueLo, order.venueHi);
    c["client_order_id"]!.string(order.idText);
    c["venue"]!.string(of.venue);
    origin(c, units, this.position);
    units.time(c["event_time"]!, order.eventExchNs);
  }

  private onRiskState(m: RecordMemory, at: number): void {
    const state = this.riskState.wrap(m, at);
    if (state.code !== RISK_STATE_FUNDING) return;
    this.funded.set(this.pairKey(state.strategy, state.instrument), limbs(state.value0, state.value1));
  }

  private pairKey(strategy: number, instrument: number): string {
    return `${this.units!.strategyName(strategy)} ${this.units!.symbolOf(instrument)}`;
  }

  private onPosition(m: RecordMemory, at: number): void {
    const units = this.units!;
    const stand = this.stand.wrap(this.held, 0);
    const detail = this.standDetail.wrap(m, at);
    const of = units.instrument(stand.instrument);
    const venue = (stand.flags & wire.FLAG_VENUE) !== 0;
    const fundingE8 = venue ? 0n : (this.funded.get(this.pairKey(stand.strategy, stand.instrument)) ?? 0n);
    const realized = limbs(stand.realizedHi, stand.realizedLo);
    const c = this.batch!.row("positions", units.day(stand.recvTsNs));
    units.time(c["timestamp"]!, stand.recvTsNs);
    c["symbol"]!.string(of.symbol);
    of.qty(c["position"]!, stand.qtyLots);
    of.averagePrice(c["avg_price"]!, stand.costTickLots, stand.qtyLots);
    of.money(c["unrealized_pnl"]!, halves(detail.unrealizedTickLots), 1);
    of.money(c["realized_pnl"]!, realized);
    c["strategy_id"]!.string(units.strategy(stand.strategy));
    c["cause"]!.byte(causeOf(stand.flags));
    of.money(c["fees"]!, limbs(detail.feesHi, detail.feesLo), FEE_DECIMALS);
    of.money(c["funding"]!, fundingE8, FEE_DECIMALS);
    of.money(c["realized"]!, realized);
    of.price(c["mark_price"]!, detail.markTicks);
    c["position_lots"]!.long(stand.qtyLots);
    c["currency"]!.string(of.currency);
    c["venue"]!.string(of.venue);
    origin(c, units, this.position);
  }

  private onBalance(m: RecordMemory, at: number, position: number): void {
    const { recvTsNs, exchTsNs, asset, changeE8, walletE8 } = this.balance.wrap(m, at);
    const c = this.accountRow(recvTsNs, exchTsNs, KIND_BALANCE_ROW, 0, asset);
    c["amount"]!.long(integer(changeE8));
    c["wallet"]!.long(integer(walletE8));
    c["transaction_id"]!.long(0);
    c["venue"]!.string(this.units!.instrument(1).venue);
    origin(c, this.units!, position);
  }

  private onFunding(m: RecordMemory, at: number, position: number): void {
    const f = this.funding.wrap(m, at);
    const c = this.accountRow(f.recvTsNs, f.exchTsNs, KIND_FUNDING_ROW, f.instrument, f.asset);
    c["amount"]!.long(integer(f.amountE8));
    c["wallet"]!.long(integer(f.walletE8));
    c["transaction_id"]!.words(f.transactionLo, f.transactionHi);
    c["venue"]!.string(this.units!.instrument(Math.max(1, f.instrument)).venue);
    origin(c, this.units!, position);
  }

  private accountRow(
    recvNs: number,
    exchNs: number,
    kind: number,
    instrument: number,
    asset: number,
  ): Columns {
    const units = this.units!;
    const c = this.batch!.row("account", units.day(recvNs));
    units.time(c["timestamp"]!, recvNs);
    units.time(c["exch_time"]!, exchNs);
    c["kind"]!.byte(kind);
    c["symbol"]!.string(units.instrument(instrument).symbol);
    c["asset"]!.string(units.asset(asset));
    return c;
  }
}

const FEE_DECIMALS = 8;

const integer = (value: number): number => (Number.isFinite(value) ? Math.round(value) : 0);
const limbs = (hi: number, lo: number): bigint =>
  Number.isInteger(hi) && Number.isInteger(lo) ? limbsToBigInt(hi, lo) : 0n;
/** Tick·lots with one decimal: a mark may lie between two ticks. */
const halves = (tickLots: number): bigint =>
  Number.isFinite(tickLots) ? BigInt(Math.round(tickLots * 10)) : 0n;

function causeOf(flags: number): number {
  if ((flags & wire.FLAG_VENUE) !== 0) return POSITION_CAUSE_ENUM.Venue;
  return (flags & wire.FLAG_SNAPSHOT) !== 0 ? POSITION_CAUSE_ENUM.Interval : POSITION_CAUSE_ENUM.Change;
}

/** Basis points with four decimals, + = worse than the mid; 0 without one. */
function slippageE4({ side, pxTicks }: OpenFill, midTicks: number): number {
  if (!(midTicks > 0)) return 0;
  const worse = side === SIDE_BUY ? pxTicks - midTicks : midTicks - pxTicks;
  return Math.round((worse / midTicks) * BPS_E4);
}
