// Answers to our own requests → OrderReport records. Hot (readReply, rejected): execution lane; 0 bytes.

import { toSteps } from "../../core/decimal.ts";
import type { Instrument } from "../../market/instrument.ts";
import type { ClientIdEncoder } from "../../order/client-id.ts";
import type { ReportWriter } from "../../order/report-writer.ts";
import {
  ACTION_CANCEL,
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
  EXEC_STATUS,
  EXEC_UNKNOWN,
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_REJECTED,
  ORDER_UNKNOWN,
  ORDER_WORKING,
  SOURCE_QUERY,
  SOURCE_REPLY,
} from "../../wire/codes.ts";
import type { VenueOrder } from "../contract.ts";
import type { RequestTable, UnknownOrders } from "./in-flight.ts";
import { orderStateOfText } from "./order-codes.ts";
import type { ReplyDecoder } from "./reply-decoder.ts";
import { ACTION_STATUS } from "./request-encoder.ts";

/** What an accepted request says happened, by the order's state in the answer. */
function execTypeOfAnswer(action: number, orderState: number): number {
  if (action === ACTION_STATUS) return EXEC_STATUS;
  if (action === ACTION_CANCEL) return EXEC_CANCELED;
  if (orderState === ORDER_EXPIRED) return EXEC_EXPIRED;
  if (orderState === ORDER_CANCELED) return EXEC_CANCELED;
  if (orderState === ORDER_REJECTED) return EXEC_REJECTED;
  return action === ACTION_MODIFY ? EXEC_AMENDED : EXEC_NEW;
}

export class AnswerWriter {
  private readonly writer: ReportWriter;
  private readonly ids: ClientIdEncoder;

  constructor(writer: ReportWriter, ids: ClientIdEncoder) {
    this.writer = writer;
    this.ids = ids;
  }

  /** The order in an accepted reply → writer.order. */
  readReply(requests: RequestTable, slot: number, r: ReplyDecoder, recvTsNs: number): void {
    const o = this.writer.order;
    const action = requests.action[slot]!;
    this.aboutRequest(requests, slot, recvTsNs);
    o.exchTsNs = r.updateMs > 0 ? this.writer.sessionNs(r.updateMs) : 0;
    o.execType = execTypeOfAnswer(action, r.orderState);
    o.orderState = r.orderState;
    o.source = action === ACTION_STATUS ? SOURCE_QUERY : SOURCE_REPLY;
    o.pxTicks = r.pxTicks;
    o.qtyLots = r.qtyLots;
    o.cumQtyLots = r.cumQtyLots;
    o.orderIdLo = r.orderIdLo;
    o.orderIdHi = r.orderIdHi;
  }

  /** The same from a REST answer (cold). */
  readOrder(
    requests: RequestTable,
    slot: number,
    order: VenueOrder,
    instruments: readonly Instrument[],
    nowNs: number,
  ): void {
    const o = this.writer.order;
    const action = requests.action[slot]!;
    const instrument = instruments.find((i) => i.id === requests.instrument[slot])!;
    const state = orderStateOfText(order.status);
    const id = BigInt(order.orderId);
    this.aboutRequest(requests, slot, nowNs);
    o.exchTsNs = this.writer.sessionNs(order.updateTimeMs);
    o.execType = execTypeOfAnswer(action, state);
    o.orderState = state;
    o.source = action === ACTION_STATUS ? SOURCE_QUERY : SOURCE_REPLY;
    o.pxTicks = toSteps(order.price, instrument.tickSize);
    o.qtyLots = toSteps(order.quantity, instrument.lotSize);
    o.cumQtyLots = toSteps(order.executedQuantity, instrument.lotSize);
    o.orderIdLo = Number(id & 0xffffffffn);
    o.orderIdHi = Number(id >> 32n);
  }

  /** The venue refused the request: its code is the proof. */
  rejected(requests: RequestTable, slot: number, code: number, nowNs: number): void {
    const o = this.writer.order;
    const action = requests.action[slot]!;
    this.aboutRequest(requests, slot, nowNs);
    if (action === ACTION_PLACE) {
      o.execType = EXEC_REJECTED;
      o.orderState = ORDER_REJECTED;
    } else {
      // The order is as it was; its state comes from the stream.
      o.execType = action === ACTION_CANCEL ? EXEC_CANCEL_REJECTED : EXEC_MODIFY_REJECTED;
      o.orderState = ORDER_WORKING;
    }
    o.source = SOURCE_REPLY;
    o.rejectCode = code;
    this.writer.writeOrder();
  }

  unknown(requests: RequestTable, slot: number, code: number, nowNs: number, source: number): void {
    const o = this.writer.order;
    this.aboutRequest(requests, slot, nowNs);
    o.execType = EXEC_UNKNOWN;
    o.orderState = ORDER_UNKNOWN;
    o.source = source;
    o.rejectCode = code;
    this.writer.writeOrder();
  }

  /** Proved: the venue does not know the order and can no longer accept its request. */
  absent(unknown: UnknownOrders, k: number, code: number, nowNs: number): void {
    const o = this.writer.order;
    const action = unknown.action[k]!;
    this.about(
      unknown.clientSeq[k]!,
      unknown.instrument[k]!,
      unknown.strategy[k]!,
      unknown.side[k]!,
      action,
      nowNs,
    );
    o.pxTicks = unknown.pxTicks[k]!;
    o.qtyLots = unknown.qtyLots[k]!;
    o.execType = EXEC_STATUS;
    // A place that never arrived was never an order; one that was cancelled or modified has ended.
    o.orderState = action === ACTION_PLACE ? ORDER_REJECTED : ORDER_CANCELED;
    o.source = SOURCE_QUERY;
    o.rejectCode = code;
    this.writer.writeOrder();
  }

  private aboutRequest(q: RequestTable, slot: number, nowNs: number): void {
    const o = this.writer.order;
    const action = q.action[slot]!;
    this.about(q.clientSeq[slot]!, q.instrument[slot]!, q.strategy[slot]!, q.side[slot]!, action, nowNs);
    o.pxTicks = q.pxTicks[slot]!;
    o.qtyLots = q.qtyLots[slot]!;
  }

  private about(
    clientSeq: number,
    instrument: number,
    strategy: number,
    side: number,
    action: number,
    nowNs: number,
  ): void {
    const o = this.writer.order;
    o.flags = 0;
    o.instrument = instrument;
    o.strategy = strategy;
    o.exchTsNs = 0;
    o.recvTsNs = nowNs;
    o.clientSeq = clientSeq;
    o.side = side;
    o.cumQtyLots = 0;
    o.orderIdLo = 0;
    o.orderIdHi = 0;
    o.nonceLo = this.ids.nonceLo;
    o.nonceHi = this.ids.nonceHi;
    o.rejectCode = 0;
    o.action = action === ACTION_STATUS ? ACTION_NONE : action;
  }
}
