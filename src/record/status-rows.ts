// Rows of risk_log, strategy_status, feed_status, latency, journal_gaps and risk_state: how the runtime itself was
// doing.
import type { RecordMemory } from "../core/record.ts";
import { ACTION_NAMES, DENY_NAMES, FEED_REASON_NAMES, RISK_STATE_NAMES } from "../wire/codes.ts";
import * as wire from "../wire/messages.gen.ts";
import { text } from "./columns.ts";
import { observedInUnits } from "./observed.ts";
import { sideOf } from "./order-rows.ts";
import type { RowFrame } from "./row-frame.ts";

/** Names by code, each made once. */
const encoded = (names: readonly string[]) => {
  const texts = names.map((name) => text(name));
  return (index: number): Uint8Array => {
    texts[index] ??= text(`#${index}`);
    return texts[index];
  };
};
const denyName = encoded(DENY_NAMES);
const actionName = encoded(ACTION_NAMES);
const feedReason = encoded(FEED_REASON_NAMES);
const riskStateName = encoded(RISK_STATE_NAMES);

export class StatusRows {
  private readonly frame: RowFrame;
  private readonly reasons: (index: number) => Uint8Array;
  private readonly denied: wire.RiskDenied;
  private readonly strategy: wire.StrategyStatus;
  private readonly feed: wire.FeedStatus;
  private readonly bucket: wire.LatencyBucket;
  private readonly gap: wire.Gap;
  private readonly riskState: wire.RiskState;

  /** `reasonNames`: of StrategyStatus.reason. */
  constructor(frame: RowFrame, reasonNames: readonly string[], memory: RecordMemory) {
    this.frame = frame;
    this.reasons = encoded(reasonNames);
    this.denied = new wire.RiskDenied(memory);
    this.strategy = new wire.StrategyStatus(memory);
    this.feed = new wire.FeedStatus(memory);
    this.bucket = new wire.LatencyBucket(memory);
    this.gap = new wire.Gap(memory);
    this.riskState = new wire.RiskState(memory);
  }

  add(m: RecordMemory, at: number, kind: number): void {
    switch (kind) {
      case wire.KIND_RISK_DENIED:
        this.addDenied(this.denied.wrap(m, at));
        return;
      case wire.KIND_STRATEGY_STATUS:
        this.addStrategy(this.strategy.wrap(m, at));
        return;
      case wire.KIND_FEED_STATUS:
        this.addFeed(this.feed.wrap(m, at));
        return;
      case wire.KIND_LATENCY_BUCKET:
        this.addLatency(this.bucket.wrap(m, at));
        return;
      case wire.KIND_GAP:
        this.addGap(this.gap.wrap(m, at));
        return;
      case wire.KIND_RISK_STATE:
        this.addRiskState(this.riskState.wrap(m, at));
        return;
      default:
    }
  }

  private addDenied(denied: wire.RiskDenied): void {
    const { units } = this.frame;
    const of = units.instrument(denied.instrument);
    const c = this.frame.row("risk_log", denied.recvTsNs);
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
    this.frame.endAt(c, of);
  }

  private addStrategy(status: wire.StrategyStatus): void {
    const { units } = this.frame;
    const c = this.frame.row("strategy_status", status.recvTsNs);
    units.time(c["timestamp"]!, status.recvTsNs);
    c["strategy_id"]!.string(units.strategy(status.strategy));
    c["state"]!.byte(status.state);
    c["prev_state"]!.byte(status.previousState);
    c["reason"]!.string(this.reasons(status.reason));
    c["working_orders"]!.int(status.workingOrders);
    this.frame.end(c);
  }

  private addFeed(feed: wire.FeedStatus): void {
    const { units } = this.frame;
    const of = units.instrument(feed.instrument);
    const c = this.frame.row("feed_status", feed.recvTsNs);
    units.time(c["timestamp"]!, feed.recvTsNs);
    c["symbol"]!.string(of.symbol);
    c["state"]!.byte(feed.state);
    c["reason"]!.string(feedReason(feed.reason));
    c["gaps"]!.int(feed.gaps);
    c["resyncs"]!.int(feed.resyncs);
    c["lag_ns"]!.long(Number.isFinite(feed.lagNs) ? Math.round(feed.lagNs) : 0);
    this.frame.endAt(c, of);
  }

  private addLatency(bucket: wire.LatencyBucket): void {
    const { units } = this.frame;
    const [lane, stage] = units.latencyStage(bucket.histogram);
    const c = this.frame.row("latency", bucket.recvTsNs);
    units.time(c["timestamp"]!, bucket.recvTsNs);
    c["lane"]!.string(lane);
    c["stage"]!.string(stage);
    c["bucket_low_ns"]!.long(Math.round(bucket.lowNs));
    c["bucket_high_ns"]!.long(Math.round(bucket.highNs));
    c["count"]!.long(bucket.count);
    this.frame.end(c);
  }

  private addGap(gap: wire.Gap): void {
    const { units } = this.frame;
    const c = this.frame.row("journal_gaps", gap.recvTsNs);
    units.time(c["timestamp"]!, gap.recvTsNs);
    c["stream"]!.string(units.stream(gap.stream));
    c["first_sequence"]!.int(gap.firstSequence);
    c["lost_count"]!.int(gap.lostCount);
    c["reason"]!.int(gap.reason);
    this.frame.end(c);
  }

  private addRiskState(state: wire.RiskState): void {
    const { units } = this.frame;
    const c = this.frame.row("risk_state", state.recvTsNs);
    units.time(c["timestamp"]!, state.recvTsNs);
    c["code"]!.string(riskStateName(state.code));
    c["strategy_id"]!.string(units.strategy(state.strategy));
    c["symbol"]!.string(units.instrument(state.instrument).symbol);
    c["value0"]!.float(state.value0);
    c["value1"]!.float(state.value1);
    c["value2"]!.float(state.value2);
    this.frame.end(c);
  }
}
