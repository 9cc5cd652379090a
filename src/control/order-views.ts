// Orders and fills as an operator sees them, built on main from the copies that EXECUTION sends as notices.
// Lossy by nature (a full notices ring drops copies): for display, never for decisions. Cold; bounded.

import { toUnixNs } from "../core/clock.ts";
import { formatDecimal } from "../core/decimal.ts";
import type { RecordHandler, RecordMemory } from "../core/record.ts";
import { type Instrument, priceText, qtyText } from "../market/instrument.ts";
import { FIRST_ADOPTED_SEQ, formatClientId } from "../order/client-id.ts";
import {
  ACTION_CANCEL,
  ACTION_MODIFY,
  ACTION_PLACE,
  EXEC_AMENDED,
  EXEC_NEW,
  EXEC_STATUS,
  EXEC_TRADE,
  EXEC_UNKNOWN,
  ORDER_FILLED,
  ORDER_NONE,
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_CANCEL,
  ORDER_PENDING_MODIFY,
  ORDER_PENDING_NEW,
  ORDER_STATE_NAMES,
  ORDER_TYPE_LIMIT,
  ORDER_TYPE_NAMES,
  ORDER_UNKNOWN,
  SIDE_SELL,
  TIF_GTC,
  TIF_NAMES,
} from "../wire/codes.ts";
import {
  Fill,
  FillDetail,
  FLAG_RECOVERED,
  FLAG_REDUCE_ONLY,
  HEADER_KIND,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  KIND_ORDER_SENT,
  OrderReport,
  OrderReportDetail,
  OrderSent,
} from "../wire/messages.gen.ts";
import type { FillView, OrdersFilter, OrderView } from "./engine-control.ts";

const KEPT_ORDERS = 2000;
const KEPT_FILLS = 2000;
const OPEN_STATES = new Set([
  "pendingNew",
  "working",
  "partiallyFilled",
  "pendingCancel",
  "pendingModify",
  "unknown",
]);

/** Reports that state price and quantity as the venue holds them. */
const STATES_TERMS = new Set([EXEC_NEW, EXEC_TRADE, EXEC_AMENDED, EXEC_STATUS]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Tracked extends Mutable<OrderView> {
  qtyLots: number;
  /** Largest cumulative quantity of reports, and the sum of fills: either may come first. */
  execLots: number;
  filledLots: number;
  sentNs: number;
}

interface NewOrder {
  readonly clientSeq: number;
  readonly instrument: number;
  readonly strategy: number;
  readonly side: number;
  readonly orderType?: number;
  readonly tif?: number;
  readonly flags: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly recvTsNs: number;
}

export interface OrderViewsOptions {
  readonly instruments: readonly Instrument[];
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** Session base, ns since the epoch. */
  readonly baseNs: bigint;
  readonly memory: RecordMemory;
  readonly strategyName: (id: number) => string;
  /** Fee asset id → name. */
  readonly assetName: (id: number) => string;
}

export class OrderViews implements RecordHandler {
  private readonly options: OrderViewsOptions;
  private readonly orders = new Map<number, Tracked>();
  private fillList: FillView[] = [];
  private readonly sent: OrderSent;
  private readonly report: OrderReport;
  private readonly reportDetail: OrderReportDetail;
  private readonly fill: Fill;
  private readonly fillDetail: FillDetail;
  private lastFill: Mutable<FillView> | null = null;
  private lastReport: Tracked | null = null;

  constructor(options: OrderViewsOptions) {
    this.options = options;
    this.sent = new OrderSent(options.memory);
    this.report = new OrderReport(options.memory);
    this.reportDetail = new OrderReportDetail(options.memory);
    this.fill = new Fill(options.memory);
    this.fillDetail = new FillDetail(options.memory);
  }

  onRecord(m: RecordMemory, at: number): void {
    const kind = m.u16[(at >> 1) + HEADER_KIND];
    if (kind === KIND_ORDER_SENT) this.onSent(this.sent.wrap(m, at));
    else if (kind === KIND_ORDER_REPORT) this.onReport(this.report.wrap(m, at));
    else if (kind === KIND_ORDER_REPORT_DETAIL) this.onReportDetail(this.reportDetail.wrap(m, at));
    else if (kind === KIND_FILL) this.onFill(this.fill.wrap(m, at));
    else if (kind === KIND_FILL_DETAIL) this.onFillDetail(this.fillDetail.wrap(m, at));
  }

  list(filter: OrdersFilter): OrderView[] {
    const found: OrderView[] = [];
    for (const order of [...this.orders.values()].reverse()) {
      if (found.length >= filter.limit) break;
      if (filter.open && !OPEN_STATES.has(order.state)) continue;
      if (filter.strategy !== null && order.strategy !== filter.strategy) continue;
      const { qtyLots: _q, execLots: _e, filledLots: _f, sentNs: _s, ...view } = order;
      found.push(view);
    }
    return found;
  }

  /** Newest first. */
  fills(limit: number): FillView[] {
    return this.fillList.slice(-limit).reverse();
  }

  private onSent(s: OrderSent): void {
    if (s.action === ACTION_PLACE) {
      this.add(s);
      return;
    }
    const known = this.orders.get(s.clientSeq);
    if (known === undefined) return;
    if (s.action === ACTION_CANCEL) known.state = ORDER_STATE_NAMES[ORDER_PENDING_CANCEL];
    if (s.action === ACTION_MODIFY) known.state = ORDER_STATE_NAMES[ORDER_PENDING_MODIFY];
    known.updatedAt = this.timeText(s.recvTsNs);
  }

  /** A place that was sent, or an order of nobody that house has taken in (docs/orders.md). */
  private add(s: NewOrder): void {
    const i = this.instrument(s.instrument);
    if (i === undefined) return;
    const { nonceLo, nonceHi } = this.options;
    const at = this.timeText(s.recvTsNs);
    this.orders.set(s.clientSeq, {
      clientOrderId: formatClientId({ nonceLo, nonceHi, strategy: s.strategy, clientSeq: s.clientSeq }),
      venueOrderId: "",
      strategy: this.options.strategyName(s.strategy),
      instrument: i.symbol,
      side: s.side === SIDE_SELL ? "sell" : "buy",
      type: ORDER_TYPE_NAMES[s.orderType ?? ORDER_TYPE_LIMIT] ?? "limit",
      tif: TIF_NAMES[s.tif ?? TIF_GTC] ?? "gtc",
      reduceOnly: (s.flags & FLAG_REDUCE_ONLY) !== 0,
      price: priceText(i, s.pxTicks),
      qty: qtyText(i, s.qtyLots),
      execQty: "0",
      leavesQty: qtyText(i, s.qtyLots),
      state: ORDER_STATE_NAMES[ORDER_PENDING_NEW],
      createdAt: at,
      updatedAt: at,
      roundTripUs: null,
      qtyLots: s.qtyLots,
      execLots: 0,
      filledLots: 0,
      sentNs: s.recvTsNs,
    });
    if (this.orders.size > KEPT_ORDERS) this.forgetOldest();
  }

  /** Open orders are kept whatever their age. */
  private forgetOldest(): void {
    for (const [seq, order] of this.orders) {
      if (OPEN_STATES.has(order.state)) continue;
      this.orders.delete(seq);
      return;
    }
  }

  private onReport(r: OrderReport): void {
    if (r.clientSeq >= FIRST_ADOPTED_SEQ && !this.orders.has(r.clientSeq)) this.add(r);
    const known = this.orders.get(r.clientSeq);
    this.lastReport = known ?? null;
    const i = this.instrument(r.instrument);
    if (known === undefined || i === undefined) return;
    // Reports may overtake each other: an order that is over stays over.
    if (OPEN_STATES.has(known.state)) this.setState(known, r);
    // The others repeat what a request asked for, or come after the end.
    if (STATES_TERMS.has(r.execType) && r.qtyLots > 0 && r.pxTicks > 0) {
      known.price = priceText(i, r.pxTicks);
      known.qtyLots = r.qtyLots;
      known.qty = qtyText(i, r.qtyLots);
    }
    this.setExecuted(known, i, Math.max(known.execLots, r.cumQtyLots));
    known.updatedAt = this.timeText(r.recvTsNs);
    known.roundTripUs ??= Math.round((r.recvTsNs - known.sentNs) / 1000);
  }

  private setState(order: Tracked, r: OrderReport): void {
    if (r.execType === EXEC_UNKNOWN) order.state = ORDER_STATE_NAMES[ORDER_UNKNOWN];
    else if (r.orderState !== ORDER_NONE) order.state = ORDER_STATE_NAMES[r.orderState] ?? order.state;
  }

  private onReportDetail(d: OrderReportDetail): void {
    const order = this.lastReport;
    this.lastReport = null;
    if (order === null || (d.venueOrderIdLo === 0 && d.venueOrderIdHi === 0)) return;
    order.venueOrderId = id64(d.venueOrderIdLo, d.venueOrderIdHi);
  }

  private onFill(f: Fill): void {
    const i = this.instrument(f.instrument);
    if (i === undefined) return;
    const order = this.orders.get(f.clientSeq);
    if (order !== undefined) {
      order.filledLots += f.qtyLots;
      this.setExecuted(order, i, Math.max(order.execLots, order.filledLots));
      const filled = order.execLots >= order.qtyLots;
      if (OPEN_STATES.has(order.state))
        order.state = ORDER_STATE_NAMES[filled ? ORDER_FILLED : ORDER_PARTIALLY_FILLED];
    }
    this.lastFill = {
      tradeId: id64(f.tradeIdLo, f.tradeIdHi),
      clientOrderId: order?.clientOrderId ?? "",
      strategy: this.options.strategyName(f.strategy),
      instrument: i.symbol,
      side: f.side === SIDE_SELL ? "sell" : "buy",
      price: priceText(i, f.pxTicks),
      qty: qtyText(i, f.qtyLots),
      fee: "0",
      feeCurrency: this.options.assetName(f.feeAsset),
      maker: f.maker === 1,
      recovered: (f.flags & FLAG_RECOVERED) !== 0,
      at: this.timeText(f.exchTsNs),
    };
  }

  private onFillDetail(d: FillDetail): void {
    const fill = this.lastFill;
    this.lastFill = null;
    if (fill === null) return;
    fill.fee = formatDecimal(BigInt(Math.round(d.feeE8)), 8);
    this.fillList.push(fill);
    if (this.fillList.length > 2 * KEPT_FILLS) this.fillList = this.fillList.slice(-KEPT_FILLS);
  }

  private setExecuted(order: Tracked, i: Instrument, lots: number): void {
    order.execLots = lots;
    order.execQty = qtyText(i, order.execLots);
    order.leavesQty = qtyText(i, Math.max(0, order.qtyLots - order.execLots));
  }

  private instrument(id: number): Instrument | undefined {
    return this.options.instruments[id - 1];
  }

  private timeText(sessionNs: number): string {
    return isoTime(this.options.baseNs, sessionNs);
  }
}

const id64 = (lo: number, hi: number): string => String((BigInt(hi) << 32n) | BigInt(lo));

/** Session ns → ISO 8601 UTC with ms. */
export function isoTime(baseNs: bigint, sessionNs: number): string {
  return new Date(Number(toUnixNs(baseNs, sessionNs) / 1_000_000n)).toISOString();
}
