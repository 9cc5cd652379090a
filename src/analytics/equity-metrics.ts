// Return and risk of an equity curve. Definitions: docs/analytics.md. Sharpe and Sortino are those of hftbacktest's
// stats (no risk-free rate, sample standard deviation, downside root mean square over all periods). Cold.

const DAY_NS = 86_400e9;

export interface EquityOptions {
  /** What returns refer to, in the settlement currency; null: only money is reported. */
  readonly capital: number | null;
  /** Sampling period of Sharpe and Sortino, ns. */
  readonly intervalNs: number;
  /** 365 for markets that never close. */
  readonly daysPerYear: number;
}

/** Equity at ascending instants; no NaN. */
export interface EquityCurve {
  readonly tsNs: Float64Array;
  readonly equity: Float64Array;
}

export interface EquityMetrics {
  readonly pnl: number;
  /** pnl / capital; null without capital. */
  readonly return: number | null;
  /** Annualised; NaN when the curve never moves or has fewer than two periods. */
  readonly sharpe: number;
  readonly sortino: number;
  /** Largest fall from a running peak, ≥ 0, settlement currency. */
  readonly maxDrawdown: number;
  readonly maxDrawdownOfCapital: number | null;
  /** Longest time from a peak until it was reached again, or the end. */
  readonly longestDrawdownNs: number;
  readonly returnOverDrawdown: number;
}

export function equityMetrics(curve: EquityCurve, options: EquityOptions): EquityMetrics {
  const { equity, tsNs } = curve;
  const rows = equity.length;
  const pnl = rows === 0 ? 0 : equity[rows - 1]! - equity[0]!;
  const { depth, longestNs } = worstDrawdown(curve);
  const { capital, intervalNs, daysPerYear } = options;
  const changes = differences(resample(tsNs, equity, intervalNs));
  const perYear = Math.sqrt((daysPerYear * DAY_NS) / intervalNs);
  const mean = changes.reduce((a, b) => a + b, 0) / changes.length;
  const variance = changes.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (changes.length - 1);
  const downside = Math.sqrt(changes.reduce((sum, x) => sum + Math.min(x, 0) ** 2, 0) / changes.length);
  return {
    pnl,
    return: capital === null ? null : pnl / capital,
    sharpe: ratio(mean, Math.sqrt(variance)) * perYear,
    sortino: ratio(mean, downside) * perYear,
    maxDrawdown: depth,
    maxDrawdownOfCapital: capital === null ? null : depth / capital,
    longestDrawdownNs: longestNs,
    returnOverDrawdown: ratio(pnl, depth),
  };
}

/** NaN for a denominator of zero: nothing to relate to. */
export const ratio = (a: number, b: number): number => (b === 0 ? Number.NaN : a / b);

/** The last value in each period [k · interval, (k + 1) · interval) since the base; an empty one repeats the value before. */
export function resample(tsNs: Float64Array, values: Float64Array, intervalNs: number): Float64Array {
  if (tsNs.length === 0) return new Float64Array(0);
  const first = Math.floor(tsNs[0]! / intervalNs);
  const last = Math.floor(tsNs[tsNs.length - 1]! / intervalNs);
  const out = new Float64Array(last - first + 1);
  for (let period = 0, row = 0; period < out.length; period++) {
    const end = (first + period + 1) * intervalNs;
    while (row + 1 < tsNs.length && tsNs[row + 1]! < end) row++;
    out[period] = values[row]!;
  }
  return out;
}

/** Equity minus its running peak, ≤ 0. */
export function drawdowns(equity: Float64Array): Float64Array {
  let peak = Number.NEGATIVE_INFINITY;
  return equity.map((value) => {
    peak = Math.max(peak, value);
    return value - peak;
  });
}

function differences(values: Float64Array): Float64Array {
  const out = new Float64Array(Math.max(0, values.length - 1));
  for (let i = 0; i < out.length; i++) out[i] = values[i + 1]! - values[i]!;
  return out;
}

function worstDrawdown({ tsNs, equity }: EquityCurve): { depth: number; longestNs: number } {
  let depth = 0;
  let longestNs = 0;
  let peak = Number.NEGATIVE_INFINITY;
  let peakAt = 0;
  for (let row = 0; row < equity.length; row++) {
    if (equity[row]! < peak) {
      depth = Math.max(depth, peak - equity[row]!);
      longestNs = Math.max(longestNs, tsNs[row]! - peakAt);
      continue;
    }
    if (row > 0 && equity[row - 1]! < peak) longestNs = Math.max(longestNs, tsNs[row]! - peakAt);
    peak = equity[row]!;
    peakAt = tsNs[row]!;
  }
  return { depth, longestNs };
}
