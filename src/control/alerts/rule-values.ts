// The present values of a metric rule: samples of the engine's families that its labels select, and what they do over
// time (increase in a window, fall from the peak). Each rule keeps its own history. Cold.
import type { Labels, MetricFamily } from "../metric-families.ts";
import type { MetricRule } from "./alert-rules.ts";

export interface RuleValue {
  readonly labels: Labels;
  readonly value: number;
}

interface Seen {
  readonly atMs: number;
  readonly value: number;
}

type Selector = Pick<MetricRule, "metric" | "labels">;

export class RuleValues {
  private readonly rule: MetricRule;
  private readonly history = new Map<string, Seen[]>();
  private readonly peaks = new Map<string, number>();

  constructor(rule: MetricRule) {
    this.rule = rule;
  }

  /** NaN and missing samples give no value: they neither fire nor end an alert's reason to be looked at. */
  read(families: readonly MetricFamily[], nowMs: number): RuleValue[] {
    const { rule } = this;
    const values = select(families, rule).map((sample) => this.overTime("n", sample, nowMs));
    if (rule.divide === undefined) return values.filter(({ value }) => Number.isFinite(value));
    const divisors = select(families, rule.divide).map((sample) => this.overTime("d", sample, nowMs));
    const ignored = [...Object.keys(rule.labels), ...Object.keys(rule.divide.labels)];
    return values.flatMap(({ labels, value }) => {
      const same = divisors.find((d) => keyOf(d.labels, ignored) === keyOf(labels, ignored));
      const ratio = same === undefined || same.value === 0 ? Number.NaN : value / same.value;
      return Number.isFinite(ratio) ? [{ labels, value: ratio }] : [];
    });
  }

  private overTime(part: string, sample: RuleValue, nowMs: number): RuleValue {
    const key = part + keyOf(sample.labels, []);
    const { labels, value } = sample;
    switch (this.rule.of) {
      case "absolute":
        return { labels, value: Math.abs(value) };
      case "increase":
        return { labels, value: this.increase(key, value, nowMs) };
      case "drawdown":
        return { labels, value: this.fall(key, value) };
      default:
        return sample;
    }
  }

  /** Since the oldest value inside the window; a counter that went back has started again from 0. */
  private increase(key: string, value: number, nowMs: number): number {
    const seen = this.history.get(key) ?? [];
    this.history.set(key, seen);
    if (seen.length > 0 && value < seen[seen.length - 1]!.value) seen.length = 0;
    seen.push({ atMs: nowMs, value });
    while (seen.length > 1 && seen[1]!.atMs <= nowMs - this.rule.window) seen.shift();
    return value - seen[0]!.value;
  }

  private fall(key: string, value: number): number {
    const peak = Math.max(this.peaks.get(key) ?? Number.NEGATIVE_INFINITY, value);
    this.peaks.set(key, peak);
    return peak - value;
  }
}

function select(families: readonly MetricFamily[], { metric, labels }: Selector): RuleValue[] {
  const family = families.find((f) => f.name === metric);
  if (family === undefined || family.type === "histogram") return [];
  return family.samples.filter((sample) =>
    Object.entries(labels).every(([name, value]) => sample.labels[name] === value),
  );
}

/** One text per set of labels. */
export const keyOf = (labels: Labels, ignored: readonly string[]): string =>
  Object.entries(labels)
    .filter(([name]) => !ignored.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
