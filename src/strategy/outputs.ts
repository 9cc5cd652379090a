// The records that EXECUTION writes: requests, denials, positions, strategy states, replies. Orders and what
// belongs to them go to the sink that never drops, denials to the telemetry one.
// Hot: execution lane; 0 bytes; O(1).
import { NO_SLOT, type RecordSink } from "../core/record.ts";
import type { OrderRequest } from "../order/gateway.ts";
import type { Ledger } from "../order/ledger.ts";
import {
  encodeHeader,
  FLAG_CONTINUATION,
  FLAG_MORE,
  FLAG_REDUCE_ONLY,
  KIND_CONTROL_REPLY,
  KIND_ORDER_SENT,
  KIND_ORDER_STAMPS,
  KIND_POSITION,
  KIND_POSITION_DETAIL,
  KIND_RISK_DENIED,
  KIND_RISK_STATE,
  KIND_STRATEGY_STATUS,
  putControlReply,
  putOrderSent,
  putOrderStamps,
  putPosition,
  putPositionDetail,
  putRiskDenied,
  putRiskState,
  putStrategyStatus,
} from "../wire/messages.gen.ts";

/** Records left before requests are denied: four runs of 16, for the request, its reports and those of working orders. */
const REQUEST_ROOM = 64;

export class Outputs {
  /** Records that a sink had no slot for. */
  lost: number;
  /** Times of the request being written; set by the order desk. */
  decidedTsNs: number;
  gatedTsNs: number;
  sentTsNs: number;
  private readonly orders: RecordSink;
  private readonly telemetry: RecordSink;
  private sequence: number;

  constructor(orders: RecordSink, telemetry: RecordSink) {
    this.lost = 0;
    this.decidedTsNs = 0;
    this.gatedTsNs = 0;
    this.sentTsNs = 0;
    this.orders = orders;
    this.telemetry = telemetry;
    this.sequence = 0;
  }

  /** Whether a request and what may follow from it can be journalled. */
  get hasRoom(): boolean {
    return this.orders.hasRoom(REQUEST_ROOM);
  }

  publish(): void {
    this.orders.publish();
    this.telemetry.publish();
  }

  orderSent(
    request: OrderRequest,
    action: number,
    nowNs: number,
    triggerTsNs: number,
    triggerExchNs: number,
    midTicks: number,
  ): void {
    const { orders: sink } = this;
    const { instrument, strategy, clientSeq, side, tif, orderType, pxTicks, qtyLots } = request;
    const sequence = this.next();
    const more = FLAG_MORE | (request.reduceOnly ? FLAG_REDUCE_ONLY : 0);
    let at = this.begin(KIND_ORDER_SENT, more, instrument, strategy, sequence, triggerExchNs, nowNs);
    if (at === NO_SLOT) return;
    putOrderSent(sink.memory, at, clientSeq, action, side, tif, orderType, pxTicks, qtyLots, triggerTsNs);
    sink.commit();
    at = this.begin(KIND_ORDER_STAMPS, FLAG_CONTINUATION, instrument, strategy, sequence, 0, nowNs);
    if (at === NO_SLOT) return;
    putOrderStamps(sink.memory, at, this.decidedTsNs, this.gatedTsNs, this.sentTsNs, midTicks);
    sink.commit();
  }

  denied(request: OrderRequest, action: number, code: number, observed: number, nowNs: number): void {
    const sink = this.telemetry;
    const { instrument, strategy, side, pxTicks, qtyLots } = request;
    const at = this.begin(KIND_RISK_DENIED, 0, instrument, strategy, this.next(), 0, nowNs, sink);
    if (at === NO_SLOT) return;
    putRiskDenied(sink.memory, at, code, action, side, pxTicks, qtyLots, observed);
    sink.commit();
  }

  /** `flags`: FLAG_SNAPSHOT for a position that did not change. */
  position(
    ledger: Ledger,
    strategy: number,
    instrument: number,
    exchTsNs: number,
    nowNs: number,
    flags = 0,
  ): void {
    const { orders: sink } = this;
    const { qtyLots, costTickLots, realized, fees } = ledger;
    const pair = ledger.pair(strategy, instrument);
    const sequence = this.next();
    let at = this.begin(KIND_POSITION, FLAG_MORE | flags, instrument, strategy, sequence, exchTsNs, nowNs);
    if (at === NO_SLOT) return;
    putPosition(sink.memory, at, qtyLots[pair], costTickLots[pair], realized.hi[pair], realized.lo[pair]);
    sink.commit();
    const rest = FLAG_CONTINUATION | flags;
    at = this.begin(KIND_POSITION_DETAIL, rest, instrument, strategy, sequence, exchTsNs, nowNs);
    if (at === NO_SLOT) return;
    const unrealized = ledger.unrealizedTickLots(strategy, instrument);
    putPositionDetail(
      sink.memory,
      at,
      fees.hi[pair],
      fees.lo[pair],
      unrealized,
      ledger.markTicks[instrument],
    );
    sink.commit();
  }

  strategyStatus(
    strategy: number,
    state: number,
    previous: number,
    reason: number,
    working: number,
    nowNs: number,
  ): void {
    const { orders: sink } = this;
    const at = this.begin(KIND_STRATEGY_STATUS, 0, 0, strategy, this.next(), 0, nowNs);
    if (at === NO_SLOT) return;
    putStrategyStatus(sink.memory, at, state, previous, reason, working);
    sink.commit();
  }

  riskState(
    strategy: number,
    instrument: number,
    code: number,
    index: number,
    value0: number,
    value1: number,
    value2: number,
    nowNs: number,
  ): void {
    const { orders: sink } = this;
    const at = this.begin(KIND_RISK_STATE, 0, instrument, strategy, this.next(), 0, nowNs);
    if (at === NO_SLOT) return;
    putRiskState(sink.memory, at, code, index, value0, value1, value2);
    sink.commit();
  }

  controlReply(
    code: number,
    commandId: number,
    target: number,
    result: number,
    state: number,
    arg0: number,
    arg1: number,
    nowNs: number,
  ): void {
    const { orders: sink } = this;
    const at = this.begin(KIND_CONTROL_REPLY, 0, 0, target, this.next(), 0, nowNs);
    if (at === NO_SLOT) return;
    putControlReply(sink.memory, at, code, commandId, result, state, arg0, arg1);
    sink.commit();
  }

  /** A record of the orders sink with its header, or NO_SLOT. */
  private begin(
    kind: number,
    flags: number,
    instrument: number,
    strategy: number,
    sequence: number,
    exchTsNs: number,
    nowNs: number,
    sink = this.orders,
  ): number {
    const at = sink.tryClaim();
    if (at === NO_SLOT) this.lost++;
    else encodeHeader(sink.memory, at, kind, flags, instrument, strategy, sequence, 0, exchTsNs, nowNs);
    return at;
  }

  private next(): number {
    this.sequence = (this.sequence + 1) >>> 0;
    return this.sequence;
  }
}
