// Order statistics of a sample: nearest rank, so a quantile is always a value that occurred. Cold.

/** Ascending copy without NaN. */
export const sorted = (values: Iterable<number>): Float64Array =>
  Float64Array.from(values)
    .filter((v) => !Number.isNaN(v))
    .sort();

/** The ⌈p·n⌉-th smallest of ascending values, NaN of an empty sample. */
export function quantile(ascending: Float64Array, p: number): number {
  if (ascending.length === 0) return Number.NaN;
  return ascending[Math.max(0, Math.ceil(p * ascending.length) - 1)]!;
}

export interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function spreadOf(values: Iterable<number>): Spread {
  const ascending = sorted(values);
  const count = ascending.length;
  return {
    count,
    mean: count === 0 ? Number.NaN : ascending.reduce((a, b) => a + b, 0) / count,
    p50: quantile(ascending, 0.5),
    p90: quantile(ascending, 0.9),
    p99: quantile(ascending, 0.99),
    max: quantile(ascending, 1),
  };
}
