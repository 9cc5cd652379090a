// Events of recorded sessions → the tables of a run (analytics/run-result.ts) and its session facts: what was sent, what
// became of it, what was held before. Cold; memory grows with orders and fills.
import { makeTables } from "../../analytics/run-result.ts";
import {
  type FundingFact,
  makeRequests,
  type OpeningPosition,
  type RequestTable,
} from "../../analytics/session-facts.ts";
import * as code from "../../wire/codes.ts";
import type {
  FillEvent,
  FundingEvent,
  Names,
  PositionEvent,
  ReportEvent,
  SentEvent,
  SessionEvents,
  Span,
} from "./session-source.ts";

/** An order under way: its row, and the request that has no answer yet (row in `requests`, −1 = none). */
interface Known {
  readonly row: number;
  restingNs: number;
  awaiting: number;
}

export class SessionFold implements SessionEvents {
  readonly tables = makeTables();
  readonly requests: RequestTable = makeRequests();
  readonly decisionTicks: number[] = [];
  orderOfFill: number[] = [];
  readonly opening: OpeningPosition[] = [];
  readonly funded: FundingFact[] = [];
  /** Records that the log lacks. */
  lost = 0;
  /** First and last instant in the span. */
  firstNs = Number.POSITIVE_INFINITY;
  lastNs = Number.NEGATIVE_INFINITY;
  private readonly names: Names;
  private readonly span: Span;
  /** Only this strategy's; null: all. */
  private readonly only: string | null;
  private readonly orders = new Map<string, Known>();
  private readonly trades = new Set<string>();
  /** Positions by "strategy instrument", lots; what fills of the span have moved; pairs whose opening is known. */
  private readonly positions = new Map<string, number>();
  private readonly moved = new Map<string, number>();
  private readonly opened = new Set<string>();

  constructor(names: Names, span: Span, strategy: string | null) {
    this.names = names;
    this.span = span;
    this.only = strategy;
  }

  quoted(recvNs: number): void {
    this.spans(recvNs);
  }

  gap(lost: number, recvNs: number): void {
    if (this.spans(recvNs)) this.lost += lost;
  }

  sent(event: SentEvent): void {
    const { strategy, instrument, action, sentNs } = event;
    if (!this.wanted(strategy, sentNs)) return;
    let order = this.orders.get(event.order);
    if (action === code.ACTION_PLACE) {
      order = { row: this.addOrder(event), restingNs: Number.NaN, awaiting: -1 };
      this.decisionTicks[order.row] = event.decisionTicks;
      this.orders.set(event.order, order);
    }
    const { requests } = this;
    const row = requests.add();
    requests.at("instrument")[row] = instrument;
    requests.at("strategy")[row] = strategy;
    requests.at("order")[row] = order?.row ?? Number.NaN;
    requests.at("action")[row] = action;
    requests.at("eventExchNs")[row] = event.eventExchNs;
    // A timer's own time stands where no market event led to the request.
    requests.at("triggerNs")[row] = event.triggerNs;
    requests.at("decidedNs")[row] = event.decidedNs;
    requests.at("gatedNs")[row] = event.gatedNs;
    requests.at("sentNs")[row] = sentNs;
    if (order !== undefined) order.awaiting = row;
  }

  report(event: ReportEvent): void {
    const order = this.orders.get(event.order);
    if (order === undefined) return;
    const { orders } = this.tables;
    const { row } = order;
    const { execType, orderState, exchNs } = event;
    const answers = execType !== code.EXEC_UNKNOWN && this.answered(order, exchNs, event.recvNs, execType);
    if (event.rejectCode !== 0 && execType === code.EXEC_REJECTED)
      orders.at("rejectCode")[row] = event.rejectCode;
    // The venue tells a modification twice, as reply and on the stream: the first is the answer.
    if (execType === code.EXEC_AMENDED && answers) {
      orders.at("amends")[row]!++;
      order.restingNs = exchNs;
    }
    if (isEnd(orderState)) this.end(row, orderState, exchNs);
    else if (orders.at("state")[row]! < code.ORDER_FILLED && orderState === code.ORDER_WORKING)
      orders.at("state")[row] = code.ORDER_WORKING;
  }

  fill(event: FillEvent): void {
    const { instrument, strategy, exchNs } = event;
    const trade = `${instrument}:${event.trade}`;
    if (this.trades.has(trade)) return;
    this.trades.add(trade);
    if (!this.wanted(strategy, exchNs)) return;
    const sign = signOf(event.side);
    const pair = `${strategy} ${instrument}`;
    this.moved.set(pair, (this.moved.get(pair) ?? 0) + sign * event.qtyLots);
    const order = this.orders.get(event.order);
    const { fills } = this.tables;
    const row = fills.add();
    this.orderOfFill.push(order?.row ?? -1);
    fills.at("instrument")[row] = instrument;
    fills.at("strategy")[row] = strategy;
    fills.at("orderId")[row] = event.clientSeq;
    fills.at("side")[row] = sign;
    fills.at("pxTicks")[row] = event.pxTicks;
    fills.at("qtyLots")[row] = event.qtyLots;
    fills.at("maker")[row] = event.maker ? 1 : 0;
    fills.at("exchTsNs")[row] = exchNs;
    fills.at("localTsNs")[row] = event.recvNs;
    fills.at("fee")[row] = event.fee;
    if (order !== undefined) this.filled(order, row, event);
  }

  /** What a position was before the first fill of the span. */
  position({ strategy, instrument, qtyLots, recvNs }: PositionEvent): void {
    const pair = `${strategy} ${instrument}`;
    this.positions.set(pair, qtyLots);
    if (!this.wanted(strategy, recvNs) || this.opened.has(pair)) return;
    this.opened.add(pair);
    const lots = qtyLots - (this.moved.get(pair) ?? 0);
    if (lots !== 0) this.opening.push({ strategy, instrument, lots });
  }

  /** To the only strategy that holds a position, like the ledger; else to the house. */
  funding({ instrument, recvNs, amount }: FundingEvent): void {
    const holders = [...this.positions]
      .filter(([pair, lots]) => lots !== 0 && pair.endsWith(` ${instrument}`))
      .map(([pair]) => Number(pair.split(" ")[0]));
    const strategy = holders.length === 1 ? holders[0]! : 0;
    if (this.wanted(strategy, recvNs)) this.funded.push({ strategy, instrument, tsNs: recvNs, amount });
  }

  /** Recovered fills come late: the table is brought into the order of venue time. */
  sortFills(): void {
    const { fills } = this.tables;
    const at = fills.values("exchTsNs");
    const order = Uint32Array.from(at, (_, row) => row).sort((a, b) => at[a]! - at[b]! || a - b);
    for (const name of fills.names) {
      const column = fills.values(name);
      column.set(Float64Array.from(order, (row) => column[row]!));
    }
    this.orderOfFill = Array.from(order, (row) => this.orderOfFill[row]!);
  }

  private spans(tsNs: number): boolean {
    if (!(tsNs >= this.span.fromNs && tsNs < this.span.toNs)) return false;
    if (tsNs < this.firstNs) this.firstNs = tsNs;
    if (tsNs > this.lastNs) this.lastNs = tsNs;
    return true;
  }

  private wanted(strategy: number, tsNs: number): boolean {
    return this.spans(tsNs) && (this.only === null || this.names.strategies[strategy - 1] === this.only);
  }

  private addOrder(event: SentEvent): number {
    const { orders } = this.tables;
    const row = orders.add();
    orders.at("instrument")[row] = event.instrument;
    orders.at("strategy")[row] = event.strategy;
    orders.at("orderId")[row] = event.clientSeq;
    orders.at("side")[row] = signOf(event.side);
    orders.at("type")[row] = event.orderType;
    orders.at("tif")[row] = event.tif;
    orders.at("pxTicks")[row] = event.pxTicks;
    orders.at("qtyLots")[row] = event.qtyLots;
    orders.at("requestTsNs")[row] = event.sentNs;
    orders.at("state")[row] = code.ORDER_PENDING_NEW;
    orders.at("filledLots")[row] = 0;
    orders.at("amends")[row] = 0;
    orders.at("rejectCode")[row] = 0;
    return row;
  }

  /**
   * The first word of the venue on an order is its acceptance; the first after a request answers that request.
   * Returns whether this one does.
   */
  private answered(order: Known, exchNs: number, recvNs: number, execType: number): boolean {
    const { orders } = this.tables;
    if (Number.isNaN(orders.at("responseTsNs")[order.row]!)) {
      orders.at("responseTsNs")[order.row] = recvNs;
      if (execType !== code.EXEC_REJECTED) {
        orders.at("exchTsNs")[order.row] = exchNs;
        order.restingNs = exchNs;
      }
    }
    if (order.awaiting < 0 || !ANSWERS[this.requests.at("action")[order.awaiting]!]!.has(execType))
      return false;
    this.requests.at("exchNs")[order.awaiting] = exchNs;
    this.requests.at("answeredNs")[order.awaiting] = recvNs;
    order.awaiting = -1;
    return true;
  }

  private end(row: number, state: number, exchNs: number): void {
    const { orders } = this.tables;
    if (isEnd(orders.at("state")[row]!)) return;
    orders.at("state")[row] = state;
    orders.at("endTsNs")[row] = exchNs;
  }

  private filled(order: Known, fillRow: number, { exchNs, recvNs, maker, qtyLots }: FillEvent): void {
    const { orders, fills } = this.tables;
    this.answered(order, exchNs, recvNs, code.EXEC_TRADE);
    if (maker) fills.at("queueWaitNs")[fillRow] = exchNs - order.restingNs;
    const filled = orders.at("filledLots")[order.row]! + qtyLots;
    orders.at("filledLots")[order.row] = filled;
    if (filled >= orders.at("qtyLots")[order.row]!) this.end(order.row, code.ORDER_FILLED, exchNs);
    else if (orders.at("state")[order.row]! < code.ORDER_FILLED)
      orders.at("state")[order.row] = code.ORDER_PARTIALLY_FILLED;
  }
}

const signOf = (side: number): number => (side === code.SIDE_BUY ? 1 : -1);
const isEnd = (state: number): boolean => state >= code.ORDER_FILLED && state <= code.ORDER_REJECTED;

/** ACTION_… → what answers it. */
const ANSWERS: readonly ReadonlySet<number>[] = [
  new Set(),
  new Set([code.EXEC_NEW, code.EXEC_TRADE, code.EXEC_REJECTED, code.EXEC_EXPIRED, code.EXEC_CANCELED]),
  new Set([code.EXEC_CANCELED, code.EXEC_CANCEL_REJECTED, code.EXEC_EXPIRED]),
  new Set([code.EXEC_AMENDED, code.EXEC_MODIFY_REJECTED, code.EXEC_EXPIRED]),
  new Set(),
];
