// Orders as the store tells them: requests, reports and fills of the WAL folded into one row per transition, with
// the status before and the times of the last request at each stage. A pure function of the records, so that a
// recorder that starts again writes the same rows. The states follow order/transitions.ts, like the runtime's own.
import { type ClientId, ClientIdEncoder, FIRST_ADOPTED_SEQ } from "../order/client-id.ts";
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
import { text } from "./columns.ts";
import { ORDER_EVENT_ENUM as EVENT } from "./tables.ts";

const NO_EVENT = -1;

/** What is known of one order. Times in session ns (NaN = not known); plain data, kept in the checkpoint. */
export interface OrderState {
  /** null = not an order of hotlane. */
  readonly id: ClientId | null;
  /** Client order id as a column takes it; made again from `id`, never saved. */
  readonly idText: Uint8Array;
  readonly strategy: string;
  readonly symbol: string;
  readonly side: number;
  readonly tif: number;
  readonly orderType: number;
  readonly reduceOnly: boolean;
  state: number;
  pxTicks: number;
  qtyLots: number;
  cumLots: number;
  /** What fills, not reports, have shown so far. */
  filledLots: number;
  lastPxTicks: number;
  acked: boolean;
  placeUnknown: boolean;
  /** ACTION_… of the request without an answer, ACTION_NONE. */
  awaiting: number;
  createNs: number;
  eventExchNs: number;
  triggerNs: number;
  decidedNs: number;
  gatedNs: number;
  wireNs: number;
  ackNs: number;
  exchNs: number;
  midTicks: number;
  /** 0, 0 = not known. */
  venueLo: number;
  venueHi: number;
}

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

export interface SentRequest {
  readonly clientSeq: number;
  readonly action: number;
  readonly strategy: number;
  readonly strategyName: string;
  readonly symbol: string;
  readonly side: number;
  readonly tif: number;
  readonly orderType: number;
  readonly reduceOnly: boolean;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly recvNs: number;
  /** The venue's time of the market event that led to it; 0 = none. */
  readonly eventExchNs: number;
  readonly triggerNs: number;
  readonly decidedNs: number;
  readonly gatedNs: number;
  readonly sentNs: number;
  readonly midTicks: number;
}

export interface Report {
  readonly id: ClientId | null;
  /** Of the session that wrote the record. */
  readonly own: boolean;
  readonly strategyName: string;
  readonly symbol: string;
  readonly execType: number;
  readonly orderState: number;
  readonly source: number;
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly cumLots: number;
  readonly venueLo: number;
  readonly venueHi: number;
  readonly rejectCode: number;
  readonly requestAction: number;
  readonly recvNs: number;
  readonly exchNs: number;
  readonly recovered: boolean;
}

export interface Execution {
  readonly id: ClientId | null;
  readonly strategyName: string;
  readonly symbol: string;
  readonly source: number;
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly venueLo: number;
  readonly venueHi: number;
  readonly recvNs: number;
  readonly exchNs: number;
  readonly recovered: boolean;
}

/** Orders that are over are remembered for late reports and fills. */
const REMEMBERED = 256;
const SOURCE_REQUEST = 4;
/** Of an order that only its fills have told of. */
const UNKNOWN_QTY = 0;

/** clientSeq for orders of the session at hand, else text: the common look-up makes no string. */
type Key = number | string;

const isAdopted = (id: ClientId | null): boolean => id !== null && id.clientSeq >= FIRST_ADOPTED_SEQ;
const foreignKey = (id: ClientId): string => `${id.nonceHi}:${id.nonceLo}:${id.clientSeq}`;
const venueKey = (venueHi: number, venueLo: number): string => `venue:${venueHi}:${venueLo}`;

/** Low word of orders.order_id; with the high word unique over the sessions of a data directory. */
export const orderIdLo = (order: OrderState): number => order.id?.clientSeq ?? order.venueLo;
export const orderIdHi = (order: OrderState): number => order.id?.nonceLo ?? order.venueHi;

/** What the checkpoint keeps of an order. */
export type SavedOrder = Omit<OrderState, "idText">;

export class OrderFold {
  private readonly sink: OrderSink;
  private live = new Map<Key, OrderState>();
  private over = new Map<Key, OrderState>();
  private nonceLo = 0;
  private nonceHi = 0;
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
  startSession(nonceLo: number, nonceHi: number, deltaNs: number): void {
    this.nonceLo = nonceLo;
    this.nonceHi = nonceHi;
    this.live = this.rekeyed(this.live);
    this.over = this.rekeyed(this.over);
    if (deltaNs === 0) return;
    for (const orders of [this.live, this.over])
      for (const order of orders.values()) {
        order.createNs += deltaNs;
        order.eventExchNs += deltaNs;
        order.triggerNs += deltaNs;
        order.decidedNs += deltaNs;
        order.gatedNs += deltaNs;
        order.wireNs += deltaNs;
        order.ackNs += deltaNs;
        order.exchNs += deltaNs;
      }
  }

  /** A request of the session at hand. */
  sent(request: SentRequest, id: ClientId): void {
    const key = request.clientSeq;
    if (request.action === code.ACTION_PLACE) {
      const order = newOrder(id, request);
      this.live.set(key, order);
      this.emit(order, code.ORDER_NONE, EVENT.PlaceSent, SOURCE_REQUEST, order.createNs, Number.NaN);
      return;
    }
    const order = this.live.get(key);
    if (order === undefined) return;
    const cancel = request.action === code.ACTION_CANCEL;
    if (!cancel && request.action !== code.ACTION_MODIFY) return;
    const before = order.state;
    this.step(order, cancel ? EVENT_SEND_CANCEL : EVENT_SEND_MODIFY);
    stamp(order, request);
    const event = cancel ? EVENT.CancelSent : EVENT.ReplaceSent;
    this.emit(order, before, event, SOURCE_REQUEST, request.sentNs, order.exchNs);
  }

  report(report: Report): void {
    const key = this.keyOf(report);
    const known = this.find(key, report);
    // Sent in this session and not held any more: it is over, and this is a late repetition.
    if (known === undefined && report.own && !isAdopted(report.id)) return;
    const order = known ?? this.adopt(key, report, report.qtyLots);
    learnVenueId(order, report);
    const before = order.state;
    const { acked, cumLots, pxTicks, qtyLots } = order;
    if (order.qtyLots === UNKNOWN_QTY) takePrice(order, report);
    if (report.cumLots > order.cumLots) order.cumLots = report.cumLots;
    const event = eventOf(order, report);
    if (event !== NO_EVENT && !(event === EVENT_REJECTED && order.acked)) this.apply(order, event, report);
    if (order.acked && !acked) order.ackNs = report.recvNs;
    const told =
      report.execType === code.EXEC_CANCEL_REJECTED || report.execType === code.EXEC_MODIFY_REJECTED;
    const changed =
      order.state !== before ||
      order.acked !== acked ||
      order.cumLots !== cumLots ||
      order.pxTicks !== pxTicks ||
      order.qtyLots !== qtyLots;
    const answer = answers(order.awaiting, report.execType);
    if (!changed && !(told && (answer || !isOver(before)))) return;
    if (report.exchNs > 0 || report.recovered) order.exchNs = report.exchNs;
    this.row.latencyNs = answer ? report.recvNs - order.wireNs : 0;
    if (this.row.latencyNs !== 0) order.awaiting = code.ACTION_NONE;
    this.row.rejectCode = report.rejectCode;
    this.row.recovered = report.recovered;
    this.emit(
      order,
      before,
      EVENT_BY_EXEC[report.execType] ?? EVENT.Status,
      report.source,
      report.recvNs,
      report.exchNs,
    );
    this.settle(key, order);
  }

  /** The order of an execution, brought up to date; the caller has seen that the execution is new. */
  execution(fill: Execution): OrderState {
    const key = this.keyOf(fill);
    const order = this.find(key, fill) ?? this.adopt(key, fill, UNKNOWN_QTY);
    learnVenueId(order, fill);
    const before = order.state;
    const firstProof = !order.acked;
    order.filledLots += fill.qtyLots;
    order.lastPxTicks = fill.pxTicks;
    order.acked = true;
    if (firstProof) order.ackNs = fill.recvNs;
    const grew = order.filledLots > order.cumLots;
    if (grew) order.cumLots = order.filledLots;
    const filled = order.qtyLots > 0 && order.cumLots >= order.qtyLots;
    if (!isOver(order.state) || filled) this.step(order, filled ? EVENT_FILLED : EVENT_TRADED);
    order.exchNs = fill.exchNs;
    if (!grew && before === order.state) return order;
    this.row.latencyNs = answers(order.awaiting, code.EXEC_TRADE) ? fill.recvNs - order.wireNs : 0;
    if (this.row.latencyNs !== 0) order.awaiting = code.ACTION_NONE;
    this.row.recovered = fill.recovered;
    this.emit(order, before, EVENT.Fill, fill.source, fill.recvNs, fill.exchNs);
    this.settle(key, order);
    return order;
  }

  state(): { live: SavedOrder[]; over: SavedOrder[] } {
    return { live: [...this.live.values()].map(savedOrder), over: [...this.over.values()].map(savedOrder) };
  }

  restore(saved: { readonly live: readonly SavedOrder[]; readonly over: readonly SavedOrder[] }): void {
    const keyed = (orders: readonly SavedOrder[]) =>
      new Map(orders.map((order) => [this.keyOf(order), revived(order)] as const));
    this.live = keyed(saved.live);
    this.over = keyed(saved.over);
  }

  /** An order that another session placed and this one took in goes on as the order it is at the venue. */
  private find(key: Key, of: Report | Execution): OrderState | undefined {
    const known = this.live.get(key) ?? this.over.get(key);
    if (known !== undefined || !isAdopted(of.id)) return known;
    for (const orders of [this.live, this.over])
      for (const [former, order] of orders) {
        if (order.venueLo !== of.venueLo || order.venueHi !== of.venueHi) continue;
        orders.delete(former);
        orders.set(key, order);
        return order;
      }
    return undefined;
  }

  private keyOf(of: { readonly id: ClientId | null; venueLo: number; venueHi: number }): Key {
    const { id } = of;
    if (id === null) return venueKey(of.venueHi, of.venueLo);
    return id.nonceLo === this.nonceLo && id.nonceHi === this.nonceHi ? id.clientSeq : foreignKey(id);
  }

  private rekeyed(orders: ReadonlyMap<Key, OrderState>): Map<Key, OrderState> {
    return new Map([...orders.values()].map((order) => [this.keyOf(order), order] as const));
  }

  private adopt(key: Key, from: Report | Execution, qtyLots: number): OrderState {
    const order: OrderState = {
      ...BLANK,
      id: from.id,
      idText: idTextOf(from.id),
      strategy: from.strategyName,
      symbol: from.symbol,
      side: from.side,
      pxTicks: from.pxTicks,
      qtyLots,
      createNs: from.exchNs > 0 || from.recovered ? from.exchNs : from.recvNs,
      venueLo: from.venueLo,
      venueHi: from.venueHi,
    };
    this.live.set(key, order);
    return order;
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
    this.over.delete(key);
    this.over.set(key, order);
    if (this.over.size > REMEMBERED) this.over.delete(this.over.keys().next().value!);
  }

  private apply(order: OrderState, event: number, report: Report): void {
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

const scratch = new Uint8Array(new ArrayBuffer(64));
let encoder = new ClientIdEncoder(1, 0);

/** A client order id as a String column takes it: one byte of length, then the text. */
function idTextOf(id: ClientId | null): Uint8Array {
  if (id === null) return NO_ID;
  if (encoder.nonceLo !== id.nonceLo || encoder.nonceHi !== id.nonceHi)
    encoder = new ClientIdEncoder(id.nonceLo, id.nonceHi);
  const end = encoder.encode(scratch, 1, id.strategy, id.clientSeq);
  scratch[0] = end - 1;
  return scratch.slice(0, end);
}

const NO_ID = text("");

const savedOrder = ({ idText: _, ...saved }: OrderState): SavedOrder => saved;

function learnVenueId(order: OrderState, from: { readonly venueLo: number; readonly venueHi: number }): void {
  if (from.venueLo === 0 && from.venueHi === 0) return;
  order.venueLo = from.venueLo;
  order.venueHi = from.venueHi;
}

const BLANK = {
  tif: 0,
  orderType: 0,
  reduceOnly: false,
  state: code.ORDER_NONE,
  cumLots: 0,
  filledLots: 0,
  lastPxTicks: 0,
  acked: false,
  placeUnknown: false,
  awaiting: code.ACTION_NONE,
  eventExchNs: Number.NaN,
  triggerNs: Number.NaN,
  decidedNs: Number.NaN,
  gatedNs: Number.NaN,
  wireNs: Number.NaN,
  ackNs: Number.NaN,
  exchNs: Number.NaN,
  midTicks: Number.NaN,
} as const;

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

function newOrder(id: ClientId, request: SentRequest): OrderState {
  const order: OrderState = {
    ...BLANK,
    id,
    idText: idTextOf(id),
    strategy: request.strategyName,
    symbol: request.symbol,
    side: request.side,
    tif: request.tif,
    orderType: request.orderType,
    reduceOnly: request.reduceOnly,
    state: code.ORDER_PENDING_NEW,
    pxTicks: request.pxTicks,
    qtyLots: request.qtyLots,
    createNs: request.sentNs > 0 ? request.sentNs : request.recvNs,
    venueLo: 0,
    venueHi: 0,
  };
  stamp(order, request);
  return order;
}

function stamp(order: OrderState, request: SentRequest): void {
  order.awaiting = request.action;
  order.eventExchNs = request.eventExchNs > 0 ? request.eventExchNs : Number.NaN;
  order.triggerNs = request.triggerNs;
  order.decidedNs = request.decidedNs;
  order.gatedNs = request.gatedNs;
  order.wireNs = request.sentNs;
  order.midTicks = request.midTicks;
}

function takePrice(order: OrderState, report: Report): void {
  if (!(report.qtyLots > 0)) return;
  order.pxTicks = report.pxTicks;
  order.qtyLots = report.qtyLots;
}

function settled(order: OrderState): number {
  if (order.acked) return order.cumLots > 0 ? code.ORDER_PARTIALLY_FILLED : code.ORDER_WORKING;
  return order.placeUnknown ? code.ORDER_UNKNOWN : code.ORDER_PENDING_NEW;
}

function eventOf(order: OrderState, report: Report): number {
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

const SAVED_TIMES = [
  "createNs",
  "eventExchNs",
  "triggerNs",
  "decidedNs",
  "gatedNs",
  "wireNs",
  "ackNs",
  "exchNs",
  "midTicks",
] as const;

/** JSON turns NaN into null. */
function revived(saved: SavedOrder): OrderState {
  const times = Object.fromEntries(SAVED_TIMES.map((name) => [name, saved[name] ?? Number.NaN]));
  return { ...saved, ...times, idText: idTextOf(saved.id) };
}
