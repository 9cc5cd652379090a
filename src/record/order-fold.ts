// Orders as the store tells them: requests, reports and fills of the WAL folded into one row per transition, with
// the status before and the times of the last request at each stage. A pure function of the records, so that a
// recorder that starts again writes the same rows. The states follow order/transitions.ts, like the runtime's own.
import { type ClientId, FIRST_ADOPTED_SEQ } from "../order/client-id.ts";
import {
  EVENT_ACCEPTED,
  EVENT_AMENDED,
  EVENT_CANCEL_REJECTED,
  EVENT_CANCELED,
  EVENT_EXPIRED,
  EVENT_FILLED,
  EVENT_MODIFY_REJECTED,
  EVENT_REJECTED,
  EVENT_SEND_CANCEL,
  EVENT_SEND_MODIFY,
  EVENT_TRADED,
  EVENT_UNKNOWN,
  IGNORE,
  isOver,
  SETTLE,
  STAY,
  transition,
} from "../order/transitions.ts";
import * as code from "../wire/codes.ts";
import * as wire from "../wire/messages.gen.ts";
import {
  type OrderState,
  orderOf,
  revivedOrder,
  type SavedOrder,
  savedOrder,
  shiftTimes,
} from "./order-state.ts";
import type { SessionUnits } from "./session-units.ts";
import { ORDER_EVENT_ENUM as EVENT } from "./tables.ts";

const NO_EVENT = -1;

/** One row of `orders`, beside the order's state after it. */
export interface OrderRow {
  previous: number;
  /** ORDER_EVENT_ENUM */
  event: number;
  /** SOURCE_ENUM */
  source: number;
  updateNs: number;
  exchNs: number;
  latencyNs: number;
  rejectCode: number;
  recovered: boolean;
}

export type OrderSink = (order: OrderState, row: OrderRow) => void;

/** Orders that are over are remembered for late reports and fills. */
const REMEMBERED = 256;
const SOURCE_REQUEST = 4;
/** Of an order that only its fills have told of. */
const UNKNOWN_QTY = 0;

/** clientSeq for orders of the session at hand, else text: the common look-up makes no string. */
type Key = number | string;

/** Reports and fills name their order in the same fields. */
type Head = wire.OrderReport | wire.Fill;
type Detail = wire.OrderReportDetail | wire.FillDetail;

const foreignKey = (nonceHi: number, nonceLo: number, clientSeq: number): string =>
  `${nonceHi}:${nonceLo}:${clientSeq}`;
const venueKey = (venueHi: number, venueLo: number): string => `venue:${venueHi}:${venueLo}`;

/** Whether a report or fill is of an order of hotlane. */
const isNamed = (head: Head, detail: Detail): boolean =>
  head.clientSeq !== 0 && (detail.clientNonceLo !== 0 || detail.clientNonceHi !== 0);

/** Placed by another session, and taken in by this one. */
const isAdopted = (head: Head, detail: Detail): boolean =>
  isNamed(head, detail) && head.clientSeq >= FIRST_ADOPTED_SEQ;

const isRecovered = (head: Head): boolean => (head.flags & wire.FLAG_RECOVERED) !== 0;

export class OrderFold {
  private readonly sink: OrderSink;
  private live = new Map<Key, OrderState>();
  private over = new Map<Key, OrderState>();
  /** Keys of `over` in the order in which the orders ended: a ring. */
  private readonly ended: Key[] = [];
  private endedCount = 0;
  private units: SessionUnits | null = null;
  private readonly row: OrderRow = {
    previous: 0,
    event: 0,
    source: 0,
    updateNs: 0,
    exchNs: 0,
    latencyNs: 0,
    rejectCode: 0,
    recovered: false,
  };

  constructor(sink: OrderSink) {
    this.sink = sink;
  }

  /** Records of another session follow: its orders get the short keys, and kept times move to its base. */
  startSession(units: SessionUnits, deltaNs: number): void {
    this.units = units;
    this.live = this.rekeyed(this.live);
    this.remember(this.rekeyed(this.over));
    if (deltaNs === 0) return;
    for (const orders of [this.live, this.over])
      for (const order of orders.values()) shiftTimes(order, deltaNs);
  }

  /** A request of the session at hand. */
  sent(sent: wire.OrderSent, stamps: wire.OrderStamps): void {
    const { clientSeq, action } = sent;
    if (clientSeq === 0) return;
    if (action === code.ACTION_PLACE) {
      const order = this.newOrder(sent, stamps);
      this.live.set(clientSeq, order);
      this.emit(order, code.ORDER_NONE, EVENT.PlaceSent, SOURCE_REQUEST, order.createNs, Number.NaN);
      return;
    }
    const order = this.live.get(clientSeq);
    if (order === undefined) return;
    const cancel = action === code.ACTION_CANCEL;
    if (!cancel && action !== code.ACTION_MODIFY) return;
    const before = order.state;
    this.step(order, cancel ? EVENT_SEND_CANCEL : EVENT_SEND_MODIFY);
    stamp(order, sent, stamps);
    const event = cancel ? EVENT.CancelSent : EVENT.ReplaceSent;
    this.emit(order, before, event, SOURCE_REQUEST, stamps.sentTsNs, order.exchNs);
  }

  report(report: wire.OrderReport, detail: wire.OrderReportDetail): void {
    const key = this.keyOf(report, detail);
    const known = this.find(key, report, detail);
    // Sent in this session and not held any more: it is over, and this is a late repetition.
    if (known === undefined && typeof key === "number" && !isAdopted(report, detail)) return;
    const exchNs = detail.ackTsNs > 0 ? detail.ackTsNs : report.exchTsNs;
    const order = known ?? this.adopt(key, report, detail, exchNs, report.qtyLots);
    learnVenueId(order, detail);
    const before = order.state;
    const { acked, cumLots, pxTicks, qtyLots } = order;
    if (order.qtyLots === UNKNOWN_QTY) takePrice(order, report);
    if (report.cumQtyLots > order.cumLots) order.cumLots = report.cumQtyLots;
    const event = eventOf(order, report);
    if (event !== NO_EVENT && !(event === EVENT_REJECTED && order.acked)) this.apply(order, event, report);
    if (order.acked && !acked) order.ackNs = report.recvTsNs;
    const { execType } = report;
    const told = execType === code.EXEC_CANCEL_REJECTED || execType === code.EXEC_MODIFY_REJECTED;
    const changed =
      order.state !== before ||
      order.acked !== acked ||
      order.cumLots !== cumLots ||
      order.pxTicks !== pxTicks ||
      order.qtyLots !== qtyLots;
    const answer = answers(order.awaiting, execType);
    if (!changed && !(told && (answer || !isOver(before)))) return;
    this.row.rejectCode = detail.rejectCode;
    if (exchNs > 0 || isRecovered(report)) order.exchNs = exchNs;
    this.answered(order, report, answer);
    const shown = EVENT_BY_EXEC[execType] ?? EVENT.Status;
    this.emit(order, before, shown, report.source, report.recvTsNs, exchNs);
    this.settle(key, order);
  }

  /** The order of an execution, brought up to date; the caller has seen that the execution is new. */
  execution(fill: wire.Fill, detail: wire.FillDetail): OrderState {
    const key = this.keyOf(fill, detail);
    const order = this.find(key, fill, detail) ?? this.adopt(key, fill, detail, fill.exchTsNs, UNKNOWN_QTY);
    learnVenueId(order, detail);
    const before = order.state;
    const firstProof = !order.acked;
    order.filledLots += fill.qtyLots;
    order.lastPxTicks = fill.pxTicks;
    order.acked = true;
    if (firstProof) order.ackNs = fill.recvTsNs;
    const grew = order.filledLots > order.cumLots;
    if (grew) order.cumLots = order.filledLots;
    const filled = order.qtyLots > 0 && order.cumLots >= order.qtyLots;
    if (!isOver(order.state) || filled) this.step(order, filled ? EVENT_FILLED : EVENT_TRADED);
    order.exchNs = fill.exchTsNs;
    if (!grew && before === order.state) return order;
    this.answered(order, fill, answers(order.awaiting, code.EXEC_TRADE));
    this.emit(order, before, EVENT.Fill, fill.source, fill.recvTsNs, fill.exchTsNs);
    this.settle(key, order);
    return order;
  }

  state(): { live: SavedOrder[]; over: SavedOrder[] } {
    return { live: [...this.live.values()].map(savedOrder), over: [...this.over.values()].map(savedOrder) };
  }

  /** Before the first startSession(), which gives every order its key. */
  restore(saved: { readonly live: readonly SavedOrder[]; readonly over: readonly SavedOrder[] }): void {
    const keyed = (orders: readonly SavedOrder[]) =>
      new Map(orders.map((order) => [this.keyOfOrder(order), revivedOrder(order)] as const));
    this.live = keyed(saved.live);
    this.remember(keyed(saved.over));
  }

  /** An order that another session placed and this one took in goes on as the order it is at the venue. */
  private find(key: Key, head: Head, detail: Detail): OrderState | undefined {
    const known = this.live.get(key) ?? this.over.get(key);
    if (known !== undefined || !isAdopted(head, detail)) return known;
    const { venueOrderIdLo, venueOrderIdHi } = detail;
    for (const orders of [this.live, this.over])
      for (const [former, order] of orders) {
        if (order.venueLo !== venueOrderIdLo || order.venueHi !== venueOrderIdHi) continue;
        orders.delete(former);
        orders.set(key, order);
        return order;
      }
    return undefined;
  }

  private keyOf(head: Head, detail: Detail): Key {
    if (!isNamed(head, detail)) return venueKey(detail.venueOrderIdHi, detail.venueOrderIdLo);
    return this.keyFor(detail.clientNonceHi, detail.clientNonceLo, head.clientSeq);
  }

  private keyOfOrder({ id, venueHi, venueLo }: SavedOrder): Key {
    return id === null ? venueKey(venueHi, venueLo) : this.keyFor(id.nonceHi, id.nonceLo, id.clientSeq);
  }

  private keyFor(nonceHi: number, nonceLo: number, clientSeq: number): Key {
    const own = nonceLo === this.units?.nonceLo && nonceHi === this.units.nonceHi;
    return own ? clientSeq : foreignKey(nonceHi, nonceLo, clientSeq);
  }

  private rekeyed(orders: ReadonlyMap<Key, OrderState>): Map<Key, OrderState> {
    return new Map([...orders.values()].map((order) => [this.keyOfOrder(order), order] as const));
  }

  private newOrder(sent: wire.OrderSent, stamps: wire.OrderStamps): OrderState {
    const { strategy, clientSeq } = sent;
    const { nonceLo, nonceHi } = this.units!;
    const id: ClientId = { nonceLo, nonceHi, strategy, clientSeq };
    const createNs = stamps.sentTsNs > 0 ? stamps.sentTsNs : sent.recvTsNs;
    const order = this.make(id, sent.strategy, sent.instrument, sent.side, createNs);
    order.tif = sent.tif;
    order.orderType = sent.orderType;
    order.reduceOnly = (sent.flags & wire.FLAG_REDUCE_ONLY) !== 0;
    order.state = code.ORDER_PENDING_NEW;
    order.pxTicks = sent.pxTicks;
    order.qtyLots = sent.qtyLots;
    stamp(order, sent, stamps);
    return order;
  }

  private adopt(key: Key, head: Head, detail: Detail, exchNs: number, qtyLots: number): OrderState {
    const { strategy, clientSeq } = head;
    const { clientNonceLo: nonceLo, clientNonceHi: nonceHi } = detail;
    const id: ClientId | null = isNamed(head, detail) ? { nonceLo, nonceHi, strategy, clientSeq } : null;
    const createNs = exchNs > 0 || isRecovered(head) ? exchNs : head.recvTsNs;
    const order = this.make(id, id === null ? 0 : strategy, head.instrument, head.side, createNs);
    order.pxTicks = head.pxTicks;
    order.qtyLots = qtyLots;
    this.live.set(key, order);
    return order;
  }

  private make(
    id: ClientId | null,
    strategy: number,
    instrument: number,
    side: number,
    createNs: number,
  ): OrderState {
    const units = this.units!;
    return orderOf(id, units.strategyName(strategy), units.symbolOf(instrument), side, createNs);
  }

  /** What the row at hand says of the request that is answered. */
  private answered(order: OrderState, head: Head, answer: boolean): void {
    const { row } = this;
    row.recovered = isRecovered(head);
    row.latencyNs = answer ? head.recvTsNs - order.wireNs : 0;
    if (row.latencyNs !== 0) order.awaiting = code.ACTION_NONE;
  }

  private emit(
    order: OrderState,
    previous: number,
    event: number,
    source: number,
    updateNs: number,
    exchNs: number,
  ): void {
    const { row } = this;
    row.previous = previous;
    row.event = event;
    row.source = source;
    row.updateNs = updateNs;
    row.exchNs = exchNs;
    this.sink(order, row);
    row.latencyNs = 0;
    row.rejectCode = 0;
    row.recovered = false;
  }

  private settle(key: Key, order: OrderState): void {
    if (!isOver(order.state)) return;
    this.live.delete(key);
    if (!this.over.has(key)) {
      const slot = this.endedCount++ % REMEMBERED;
      if (slot < this.ended.length) this.over.delete(this.ended[slot]!);
      this.ended[slot] = key;
    }
    this.over.set(key, order);
  }

  /** `over`: in the order in which they ended. */
  private remember(over: Map<Key, OrderState>): void {
    this.over = over;
    this.ended.splice(0, this.ended.length, ...over.keys());
    this.endedCount = over.size;
  }

  private apply(order: OrderState, event: number, report: wire.OrderReport): void {
    if (event === EVENT_AMENDED && !isOver(order.state)) {
      takePrice(order, report);
      if (order.cumLots >= order.qtyLots) {
        this.step(order, EVENT_FILLED);
        return;
      }
    }
    const learns = order.state === code.ORDER_UNKNOWN || order.state === code.ORDER_PENDING_NEW;
    if (report.execType === code.EXEC_STATUS && event === EVENT_ACCEPTED && learns) takePrice(order, report);
    this.step(order, event);
  }

  private step(order: OrderState, event: number): void {
    if (event >= EVENT_ACCEPTED && event <= EVENT_AMENDED && event !== EVENT_REJECTED) order.acked = true;
    const next = transition(order.state === code.ORDER_NONE ? code.ORDER_PENDING_NEW : order.state, event);
    if (next === IGNORE || next === STAY) return;
    if (next === code.ORDER_UNKNOWN && !order.acked) order.placeUnknown = true;
    order.state = next === SETTLE ? settled(order) : next;
  }
}

function learnVenueId(order: OrderState, detail: Detail): void {
  if (detail.venueOrderIdLo === 0 && detail.venueOrderIdHi === 0) return;
  order.venueLo = detail.venueOrderIdLo;
  order.venueHi = detail.venueOrderIdHi;
}

/** EXEC_… → ORDER_EVENT_ENUM */
export const EVENT_BY_EXEC: Readonly<Record<number, number>> = {
  [code.EXEC_NEW]: EVENT.New,
  [code.EXEC_TRADE]: EVENT.Trade,
  [code.EXEC_CANCELED]: EVENT.Canceled,
  [code.EXEC_EXPIRED]: EVENT.Expired,
  [code.EXEC_REJECTED]: EVENT.Rejected,
  [code.EXEC_AMENDED]: EVENT.Replaced,
  [code.EXEC_CANCEL_REJECTED]: EVENT.CancelRejected,
  [code.EXEC_MODIFY_REJECTED]: EVENT.ReplaceRejected,
  [code.EXEC_UNKNOWN]: EVENT.Unknown,
  [code.EXEC_STATUS]: EVENT.Status,
};

function stamp(order: OrderState, sent: wire.OrderSent, stamps: wire.OrderStamps): void {
  order.awaiting = sent.action;
  order.eventExchNs = sent.exchTsNs > 0 ? sent.exchTsNs : Number.NaN;
  order.triggerNs = sent.triggerTsNs;
  order.decidedNs = stamps.decidedTsNs;
  order.gatedNs = stamps.gatedTsNs;
  order.wireNs = stamps.sentTsNs;
  order.midTicks = stamps.midTicks;
}

function takePrice(order: OrderState, report: wire.OrderReport): void {
  if (!(report.qtyLots > 0)) return;
  order.pxTicks = report.pxTicks;
  order.qtyLots = report.qtyLots;
}

function settled(order: OrderState): number {
  if (order.acked) return order.cumLots > 0 ? code.ORDER_PARTIALLY_FILLED : code.ORDER_WORKING;
  return order.placeUnknown ? code.ORDER_UNKNOWN : code.ORDER_PENDING_NEW;
}

function eventOf(order: OrderState, report: wire.OrderReport): number {
  switch (report.execType) {
    case code.EXEC_NEW:
      return EVENT_ACCEPTED;
    case code.EXEC_TRADE:
      return report.orderState === code.ORDER_FILLED || (order.qtyLots > 0 && order.cumLots >= order.qtyLots)
        ? EVENT_FILLED
        : EVENT_TRADED;
    case code.EXEC_CANCELED:
      return EVENT_CANCELED;
    case code.EXEC_EXPIRED:
      return EVENT_EXPIRED;
    case code.EXEC_REJECTED:
      return EVENT_REJECTED;
    case code.EXEC_AMENDED:
      return EVENT_AMENDED;
    case code.EXEC_CANCEL_REJECTED:
      return EVENT_CANCEL_REJECTED;
    case code.EXEC_MODIFY_REJECTED:
      return EVENT_MODIFY_REJECTED;
    case code.EXEC_UNKNOWN:
      return EVENT_UNKNOWN;
    case code.EXEC_STATUS:
      return STATED[report.orderState] ?? NO_EVENT;
    default:
      return NO_EVENT;
  }
}

/** What an answer to a query says. */
const STATED: Readonly<Record<number, number>> = {
  [code.ORDER_PENDING_NEW]: EVENT_ACCEPTED,
  [code.ORDER_WORKING]: EVENT_ACCEPTED,
  [code.ORDER_PARTIALLY_FILLED]: EVENT_ACCEPTED,
  [code.ORDER_FILLED]: EVENT_FILLED,
  [code.ORDER_CANCELED]: EVENT_CANCELED,
  [code.ORDER_EXPIRED]: EVENT_EXPIRED,
  [code.ORDER_REJECTED]: EVENT_REJECTED,
};

/** Whether a report can be the answer to the request that is awaited. */
function answers(awaiting: number, execType: number): boolean {
  switch (awaiting) {
    case code.ACTION_PLACE:
      return execType <= code.EXEC_REJECTED;
    case code.ACTION_CANCEL:
      return (
        execType === code.EXEC_CANCELED ||
        execType === code.EXEC_EXPIRED ||
        execType === code.EXEC_CANCEL_REJECTED
      );
    case code.ACTION_MODIFY:
      return execType === code.EXEC_AMENDED || execType === code.EXEC_MODIFY_REJECTED;
    default:
      return false;
  }
}
