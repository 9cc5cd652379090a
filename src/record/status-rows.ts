// Rows of risk_log, strategy_status, feed_status, latency and journal_gaps: how the runtime itself was doing.
import type { RecordMemory } from "../core/record.ts";
import { ACTION_NAMES, DENY_NAMES, FEED_REASON_NAMES, RISK_STATE_NAMES } from "../wire/codes.ts";
import * as wire from "../wire/messages.gen.ts";
import { sideOf } from "./account-rows.ts";
import { type Batch, origin } from "./batch.ts";
import { text } from "./columns.ts";
import { observedInUnits } from "./observed.ts";
import type { SessionUnits } from "./session-units.ts";

const encoded = (names: readonly string[]) => {
  const texts = names.map((name) => text(name));
  return (index: number): Uint8Array => texts[index] ?? text(`#${index}`);
};
const denyName = encoded(DENY_NAMES);
const actionName = encoded(ACTION_NAMES);
const feedReason = encoded(FEED_REASON_NAMES);
const riskStateName = encoded(RISK_STATE_NAMES);

export class StatusRows {
  private readonly reasons: (index: number) => Uint8Array;
  private readonly denied: wire.RiskDenied;
  private readonly strategy: wire.StrategyStatus;
  private readonly feed: wire.FeedStatus;
  private readonly bucket: wire.LatencyBucket;
  private readonly gap: wire.Gap;
  private readonly riskState: wire.RiskState;

  /** `reasonNames`: of StrategyStatus.reason. */
  constructor(reasonNames: readonly string[], memory: RecordMemory) {
    this.reasons = encoded(reasonNames);
    this.denied = new wire.RiskDenied(memory);
    this.strategy = new wire.StrategyStatus(memory);
    this.feed = new wire.FeedStatus(memory);
    this.bucket = new wire.LatencyBucket(memory);
    this.gap = new wire.Gap(memory);
    this.riskState = new wire.RiskState(memory);
  }

  add(batch: Batch, m: RecordMemory, at: number, kind: number, units: SessionUnits, position: number): void {
    switch (kind) {
      case wire.KIND_RISK_DENIED:
        this.addDenied(batch, m, at, units, position);
        return;
      case wire.KIND_STRATEGY_STATUS:
        this.addStrategy(batch, m, at, units, position);
        return;
      case wire.KIND_FEED_STATUS:
        this.addFeed(batch, m, at, units, position);
        return;
      case wire.KIND_LATENCY_BUCKET:
        this.addLatency(batch, m, at, units, position);
        return;
      case wire.KIND_GAP:
        this.addGap(batch, m, at, units, position);
        return;
      case wire.KIND_RISK_STATE:
        this.addRiskState(batch, m, at, units, position);
        return;
      default:
    }
  }

  private addDenied(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const denied = this.denied.wrap(m, at);
    const of = units.instrument(denied.instrument);
    const c = batch.row("risk_log", units.day(denied.recvTsNs));
    units.time(c["timestamp"]!, denied.recvTsNs);
    c["symbol"]!.string(of.symbol);
    c["strategy_id"]!.string(units.strategy(denied.strategy));
    c["deny_code"]!.int(denied.denyCode);
    c["deny_reason"]!.string(denyName(denied.denyCode));
    c["action"]!.string(actionName(denied.action));
    c["side"]!.byte(sideOf(denied.side));
    of.price(c["price"]!, denied.pxTicks);
    of.qty(c["qty"]!, denied.qtyLots);
    c["observed"]!.float(observedInUnits(denied.denyCode, denied.observed, of));
    c["venue"]!.string(of.venue);
    origin(c, units, position);
  }

  private addStrategy(
    batch: Batch,
    m: RecordMemory,
    at: number,
    units: SessionUnits,
    position: number,
  ): void {
    const status = this.strategy.wrap(m, at);
    const c = batch.row("strategy_status", units.day(status.recvTsNs));
    units.time(c["timestamp"]!, status.recvTsNs);
    c["strategy_id"]!.string(units.strategy(status.strategy));
    c["state"]!.byte(status.state);
    c["prev_state"]!.byte(status.previousState);
    c["reason"]!.string(this.reasons(status.reason));
    c["working_orders"]!.int(status.workingOrders);
    origin(c, units, position);
  }

  private addFeed(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const feed = this.feed.wrap(m, at);
    const of = units.instrument(feed.instrument);
    const c = batch.row("feed_status", units.day(feed.recvTsNs));
    units.time(c["timestamp"]!, feed.recvTsNs);
    c["symbol"]!.string(of.symbol);
    c["state"]!.byte(feed.state);
    c["reason"]!.string(feedReason(feed.reason));
    c["gaps"]!.int(feed.gaps);
    c["resyncs"]!.int(feed.resyncs);
    c["lag_ns"]!.long(Number.isFinite(feed.lagNs) ? Math.round(feed.lagNs) : 0);
    c["venue"]!.string(of.venue);
    origin(c, units, position);
  }

  private addLatency(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const bucket = this.bucket.wrap(m, at);
    const [lane, stage] = units.latencyStage(bucket.histogram);
    const c = batch.row("latency", units.day(bucket.recvTsNs));
    units.time(c["timestamp"]!, bucket.recvTsNs);
    c["lane"]!.string(lane);
    c["stage"]!.string(stage);
    c["bucket_low_ns"]!.long(Math.round(bucket.lowNs));
    c["bucket_high_ns"]!.long(Math.round(bucket.highNs));
    c["count"]!.long(bucket.count);
    origin(c, units, position);
  }

  private addGap(batch: Batch, m: RecordMemory, at: number, units: SessionUnits, position: number): void {
    const gap = this.gap.wrap(m, at);
    const c = batch.row("journal_gaps", units.day(gap.recvTsNs));
    units.time(c["timestamp"]!, gap.recvTsNs);
    c["stream"]!.string(units.stream(gap.stream));
    c["first_sequence"]!.int(gap.firstSequence);
    c["lost_count"]!.int(gap.lostCount);
    c["reason"]!.int(gap.reason);
    origin(c, units, position);
  }

  private addRiskState(
    batch: Batch,
    m: RecordMemory,
    at: number,
    units: SessionUnits,
    position: number,
  ): void {
    const state = this.riskState.wrap(m, at);
    const c = batch.row("risk_state", units.day(state.recvTsNs));
    units.time(c["timestamp"]!, state.recvTsNs);
    c["code"]!.string(riskStateName(state.code));
    c["strategy_id"]!.string(units.strategy(state.strategy));
    c["symbol"]!.string(units.instrument(state.instrument).symbol);
    c["value0"]!.float(state.value0);
    c["value1"]!.float(state.value1);
    c["value2"]!.float(state.value2);
    origin(c, units, position);
  }
}
