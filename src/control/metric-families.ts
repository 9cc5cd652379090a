// Metrics as plain data, in Prometheus' model: families of samples, counters ending in _total, durations in
// seconds. Built at scrape time from snapshots; nothing here is touched by a hot lane.
import type { HistogramReader } from "../core/histogram.ts";

export type Labels = Readonly<Record<string, string>>;

export interface ScalarFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

export interface HistogramSample {
  readonly labels: Labels;
  /** Upper bounds in seconds, ascending, without +Inf. */
  readonly bounds: readonly number[];
  /** Observations ≤ the bound, as many as bounds. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export interface HistogramFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "histogram";
  readonly samples: readonly HistogramSample[];
}

export type MetricFamily = ScalarFamily | HistogramFamily;

const NS_PER_SECOND = 1e9;

/**
 * Bounds of exported latency histograms: 1, 2, 5 per decade from 100 ns to 10 s. A shared histogram is exact to
 * its own bucket, so a bound may count values up to 1/64 above it.
 */
export const LATENCY_BOUNDS_NS: readonly number[] = Array.from({ length: 8 }, (_, decade) =>
  [1, 2, 5].map((step) => step * 10 ** (decade + 2)),
)
  .flat()
  .concat(10 ** 10);

export function histogramSample(
  histogram: HistogramReader,
  labels: Labels,
  boundsNs: readonly number[] = LATENCY_BOUNDS_NS,
): HistogramSample {
  return {
    labels,
    bounds: boundsNs.map((ns) => ns / NS_PER_SECOND),
    cumulative: boundsNs.map((ns) => histogram.countUpTo(ns)),
    count: histogram.count,
    sum: histogram.count === 0 ? 0 : histogram.sum / NS_PER_SECOND,
  };
}

export function counter(
  name: string,
  help: string,
  samples: readonly (readonly [Labels, number])[],
): ScalarFamily {
  return scalar("counter", name, help, samples);
}

export function gauge(
  name: string,
  help: string,
  samples: readonly (readonly [Labels, number])[],
): ScalarFamily {
  return scalar("gauge", name, help, samples);
}

function scalar(
  type: "counter" | "gauge",
  name: string,
  help: string,
  samples: readonly (readonly [Labels, number])[],
): ScalarFamily {
  return { name, help, type, samples: samples.map(([labels, value]) => ({ labels, value })) };
}

/** One sample per possible state: 1 for the present one, 0 for the others. */
export function stateSamples(
  labels: Labels,
  states: readonly string[],
  present: string,
): (readonly [Labels, number])[] {
  return states.map((state) => [{ ...labels, state }, state === present ? 1 : 0] as const);
}
