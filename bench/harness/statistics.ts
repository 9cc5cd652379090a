// The few statistics that benches and the gate need. Distribution-free: machines here have two speed phases,
// so means and standard deviations describe nothing.

/** Nearest-rank quantile of an ascending array. NaN when empty. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length, Math.max(1, Math.ceil(q * sorted.length))) - 1]!;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Lower one-sided 95 % confidence bound of the median, from the sign test: the k-th smallest value, k the
 * largest with P(Binomial(n, ½) < k) ≤ 5 %. With 9 rounds that is the 2nd smallest. Below 5 rounds: −∞.
 */
export function medianLowerBound(values: readonly number[]): number {
  const n = values.length;
  let rank = 0;
  let cumulative = 0;
  let term = 0.5 ** n;
  for (let i = 0; i < n; i++) {
    cumulative += term;
    if (cumulative > 0.05) break;
    rank = i + 1;
    term *= (n - i) / (i + 1);
  }
  if (rank === 0) return Number.NEGATIVE_INFINITY;
  return [...values].sort((a, b) => a - b)[rank - 1]!;
}
