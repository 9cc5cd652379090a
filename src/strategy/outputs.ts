// The records that EXECUTION writes: requests, denials, positions, strategy states, replies. Orders and what
// belongs to them go to the sink that never drops, denials to the telemetry one.
// Hot: execution lane; 0 bytes; O(1).
import { NO_SLOT, type RecordSink } from "../core/record.ts";
import type { OrderRequest } from "../order/gateway.ts";
import type { Ledger } from "../order/ledger.ts";
import {
  encodeControlReply,
  encodeOrderSent,
  encodeOrderStamps,
  encodePosition,
  encodePositionDetail,
  encodeRiskDenied,
  encodeRiskState,
  encodeStrategyStatus,
  FLAG_CONTINUATION,
  FLAG_MORE,
  FLAG_REDUCE_ONLY,
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
    const sink = this.orders;
    const sequence = this.next();
    const flags = FLAG_MORE | (request.reduceOnly ? FLAG_REDUCE_ONLY : 0);
    let at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodeOrderSent(
      sink.memory,
      at,
      flags,
      request.instrument,
      request.strategy,
      sequence,
      0,
      triggerExchNs,
      nowNs,
      request.clientSeq,
      action,
      request.side,
      request.tif,
      request.orderType,
      request.pxTicks,
      request.qtyLots,
      triggerTsNs,
    );
    sink.commit();
    at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodeOrderStamps(
      sink.memory,
      at,
      FLAG_CONTINUATION,
      request.instrument,
      request.strategy,
      sequence,
      0,
      0,
      nowNs,
      this.decidedTsNs,
      this.gatedTsNs,
      this.sentTsNs,
      midTicks,
    );
    sink.commit();
  }

  denied(request: OrderRequest, action: number, code: number, observed: number, nowNs: number): void {
    const sink = this.telemetry;
    const at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodeRiskDenied(
      sink.memory,
      at,
      0,
      request.instrument,
      request.strategy,
      this.next(),
      0,
      0,
      nowNs,
      code,
      action,
      request.side,
      request.pxTicks,
      request.qtyLots,
      observed,
    );
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
    const sink = this.orders;
    const pair = ledger.pair(strategy, instrument);
    const sequence = this.next();
    let at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodePosition(
      sink.memory,
      at,
      FLAG_MORE | flags,
      instrument,
      strategy,
      sequence,
      0,
      exchTsNs,
      nowNs,
      ledger.qtyLots[pair],
      ledger.costTickLots[pair],
      ledger.realized.hi[pair],
      ledger.realized.lo[pair],
    );
    sink.commit();
    at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodePositionDetail(
      sink.memory,
      at,
      FLAG_CONTINUATION | flags,
      instrument,
      strategy,
      sequence,
      0,
      exchTsNs,
      nowNs,
      ledger.fees.hi[pair],
      ledger.fees.lo[pair],
      ledger.unrealizedTickLots(strategy, instrument),
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
    const sink = this.orders;
    const at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodeStrategyStatus(
      sink.memory,
      at,
      0,
      0,
      strategy,
      this.next(),
      0,
      0,
      nowNs,
      state,
      previous,
      reason,
      working,
    );
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
    const sink = this.orders;
    const at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodeRiskState(
      sink.memory,
      at,
      0,
      instrument,
      strategy,
      this.next(),
      0,
      0,
      nowNs,
      code,
      index,
      value0,
      value1,
      value2,
    );
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
    const sink = this.orders;
    const at = this.claim(sink);
    if (at === NO_SLOT) return;
    encodeControlReply(
      sink.memory,
      at,
      0,
      0,
      target,
      this.next(),
      0,
      0,
      nowNs,
      code,
      commandId,
      result,
      state,
      arg0,
      arg1,
    );
    sink.commit();
  }

  private claim(sink: RecordSink): number {
    const at = sink.tryClaim();
    if (at === NO_SLOT) this.lost++;
    return at;
  }

  private next(): number {
    this.sequence = (this.sequence + 1) >>> 0;
    return this.sequence;
  }
}
