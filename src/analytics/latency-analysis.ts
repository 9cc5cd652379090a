// Latency of requests by stage, and by hour and symbol. Stages inside are of one clock; what crosses to the venue's
// clock carries the offset between them. Definitions: docs/analytics.md. Cold.
import { type Spread, spreadOf } from "./quantiles.ts";
import { hourOf, type RequestColumn, type SessionFacts } from "./session-facts.ts";

export interface Stage {
  readonly name: string;
  readonly from: RequestColumn;
  readonly to: RequestColumn;
  /** Crosses from one clock to another. */
  readonly twoClocks: boolean;
}

export const STAGES: readonly Stage[] = [
  { name: "event received → decided", from: "triggerNs", to: "decidedNs", twoClocks: false },
  { name: "decided → passed the gate", from: "decidedNs", to: "gatedNs", twoClocks: false },
  { name: "gate → handed to the socket", from: "gatedNs", to: "sentNs", twoClocks: false },
  { name: "tick to order: event received → sent", from: "triggerNs", to: "sentNs", twoClocks: false },
  { name: "sent → taken by the venue", from: "sentNs", to: "exchNs", twoClocks: true },
  { name: "taken by the venue → answer received", from: "exchNs", to: "answeredNs", twoClocks: true },
  { name: "round trip: sent → answer received", from: "sentNs", to: "answeredNs", twoClocks: false },
  {
    name: "end to end: event at the venue → order at the venue",
    from: "eventExchNs",
    to: "exchNs",
    twoClocks: false,
  },
];

export interface StageLatency {
  readonly stage: Stage;
  readonly spread: Spread;
}

export function latencyByStage({ requests }: SessionFacts): StageLatency[] {
  return STAGES.map((stage) => {
    const [from, to] = [requests.values(stage.from), requests.values(stage.to)];
    return { stage, spread: spreadOf(to.map((ts, row) => ts - from[row]!)) };
  });
}

export interface HourGrid {
  readonly hours: readonly number[];
  /** [hour][instrument], NaN where nothing happened. */
  readonly values: readonly (readonly number[])[];
}

/** A quantile of a stage by hour of sending and instrument. */
export function latencyGrid(facts: SessionFacts, stage: Stage, p: "p50" | "p99"): HourGrid {
  const { requests, result } = facts;
  const [from, to, sent, of] = [stage.from, stage.to, "sentNs", "instrument"].map((name) =>
    requests.values(name as RequestColumn),
  );
  const cells = new Map<string, number[]>();
  const hours = new Set<number>();
  for (let row = 0; row < requests.rows; row++) {
    const hour = hourOf(sent![row]!);
    hours.add(hour);
    const key = `${hour} ${of![row]!}`;
    const cell = cells.get(key) ?? [];
    cell.push(to![row]! - from![row]!);
    cells.set(key, cell);
  }
  return grid(
    [...hours],
    result.instruments.length,
    (hour, i) => spreadOf(cells.get(`${hour} ${i}`) ?? [])[p],
  );
}

/** The same of the market feed: receipt − the venue's time. */
export function feedGrid({ feed, result }: SessionFacts, p: number): HourGrid {
  const hours = [...new Set(feed.map((f) => f.hour))];
  return grid(
    hours,
    result.instruments.length,
    (hour, i) => feed.find((f) => f.hour === hour && f.instrument === i)?.histogram.quantile(p) ?? Number.NaN,
  );
}

function grid(hours: number[], instruments: number, value: (hour: number, i: number) => number): HourGrid {
  hours.sort((a, b) => a - b);
  return {
    hours,
    values: hours.map((hour) => Array.from({ length: instruments }, (_, i) => value(hour, i))),
  };
}
