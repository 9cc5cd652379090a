// Rows of orders and fills: what was asked of the venue and what came of it.
import type { RecordMemory } from "../core/record.ts";
import { SIDE_BUY, SIDE_SELL } from "../wire/codes.ts";
import * as wire from "../wire/messages.gen.ts";
import type { Columns } from "./batch.ts";
import { text } from "./columns.ts";
import { HeldHead } from "./held-head.ts";
import type { AskedMid, MidHistory } from "./mid-history.ts";
import { OrderFold, type OrderRow } from "./order-fold.ts";
import { type OrderState, orderIdHi, orderIdLo } from "./order-state.ts";
import type { RowFrame } from "./row-frame.ts";
import type { InstrumentUnits } from "./session-units.ts";
import { SIDE_ENUM, STATUS_ENUM } from "./tables.ts";
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

export class OrderRows {
  readonly fold: OrderFold;
  readonly trades = new TradesSeen();
  private readonly frame: RowFrame;
  private readonly mids: MidHistory;
  private openFills: OpenFill[] = [];
  private readonly strategyTexts = new Map<string, Uint8Array>();
  private readonly head = new HeldHead();
  private readonly sent: wire.OrderSent;
  private readonly reported: wire.OrderReport;
  private readonly fill: wire.Fill;
  private readonly stamps: wire.OrderStamps;
  private readonly reportDetail: wire.OrderReportDetail;
  private readonly fillDetail: wire.FillDetail;

  constructor(frame: RowFrame, mids: MidHistory, memory: RecordMemory) {
    this.frame = frame;
    this.mids = mids;
    this.fold = new OrderFold((order, row) => this.orderRow(order, row));
    this.sent = new wire.OrderSent(this.head.memory);
    this.reported = new wire.OrderReport(this.head.memory);
    this.fill = new wire.Fill(this.head.memory);
    this.stamps = new wire.OrderStamps(memory);
    this.reportDetail = new wire.OrderReportDetail(memory);
    this.fillDetail = new wire.FillDetail(memory);
  }

  /** False: the kind is not one of this class. */
  add(m: RecordMemory, at: number, kind: number): boolean {
    switch (kind) {
      case wire.KIND_ORDER_SENT:
      case wire.KIND_ORDER_REPORT:
      case wire.KIND_FILL:
        this.head.hold(m, at, kind, this.frame.position);
        return true;
      case wire.KIND_ORDER_STAMPS:
        if (this.head.takes(wire.KIND_ORDER_SENT)) this.fold.sent(this.sent, this.stamps.wrap(m, at));
        return true;
      case wire.KIND_ORDER_REPORT_DETAIL:
        if (this.head.takes(wire.KIND_ORDER_REPORT))
          this.fold.report(this.reported, this.reportDetail.wrap(m, at));
        return true;
      case wire.KIND_FILL_DETAIL:
        if (this.head.takes(wire.KIND_FILL)) this.onFill(this.fill, this.fillDetail.wrap(m, at));
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

  private onFill(fill: wire.Fill, detail: wire.FillDetail): void {
    const symbol = this.frame.units.symbolOf(fill.instrument);
    if (!this.trades.take(symbol, fill.tradeIdLo, fill.tradeIdHi)) return;
    this.fillRow(fill, detail, symbol, this.fold.execution(fill, detail));
  }

  private fillRow(fill: wire.Fill, detail: wire.FillDetail, symbol: string, order: OrderState): void {
    const { units } = this.frame;
    const of = units.instrument(fill.instrument);
    const c = this.frame.row("fills", fill.exchTsNs);
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
    this.frame.endAt(c, of, this.head.position);
    const { side, pxTicks, exchTsNs } = fill;
    const known = detail.midAtFillTicks;
    const mid = known > 0 ? { exchTsNs, midTicks: known } : this.mids.ask(symbol, exchTsNs);
    this.openFills.push({ c, of, mid, decisionTicks: order.midTicks, side, pxTicks });
  }

  /** Orders of earlier sessions too: by name, not by this session's numbers. */
  private strategyText(name: string): Uint8Array {
    let encoded = this.strategyTexts.get(name);
    if (encoded === undefined) {
      encoded = text(name);
      this.strategyTexts.set(name, encoded);
    }
    return encoded;
  }

  private orderRow(order: OrderState, row: OrderRow): void {
    const { units } = this.frame;
    const of = units.instrumentNamed(order.symbol);
    const c = this.frame.row("orders", order.createNs);
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
    this.frame.endAt(c, of, this.head.position);
    units.time(c["event_time"]!, order.eventExchNs);
  }
}

/** Basis points with four decimals, + = worse than the mid; 0 without one. */
function slippageE4({ side, pxTicks }: OpenFill, midTicks: number): number {
  if (!(midTicks > 0)) return 0;
  const worse = side === SIDE_BUY ? pxTicks - midTicks : midTicks - pxTicks;
  return Math.round((worse / midTicks) * BPS_E4);
}
