// Log-linear latency histogram: 64 sub-buckets per power of two, 1 ns … 137 s, so a quantile is at most 1/64
// above the truth. Hot: recording is one index computation and one increment, 0 bytes; O(1).
//
//   0 … 127        one bucket per ns
//   (s+1)·64 …     values of 64·2^s … 128·2^s − 1, 2^s ns per bucket, s = 1 … 30

export const HISTOGRAM_BUCKETS = 2048;
const MAX_NS = 2 ** 37;

/** Bucket of a duration. NaN and negatives (a clock fault) fall into 0, everything ≥ 137 s into the last. */
export function bucketOf(ns: number): number {
  if (!(ns >= 64)) return ns > 0 ? ns | 0 : 0;
  if (ns >= MAX_NS) return HISTOGRAM_BUCKETS - 1;
  if (ns < 0x4000_0000) {
    const value = ns | 0;
    const shift = 25 - Math.clz32(value);
    return (shift << 6) + (value >>> shift);
  }
  const high = (ns / 65_536) | 0;
  const shift = 25 - Math.clz32(high);
  return ((shift + 16) << 6) + (high >>> shift);
}

/** Smallest duration that falls into `bucket`, in ns. */
export function bucketLowNs(bucket: number): number {
  if (bucket < 128) return bucket;
  return (64 + (bucket & 63)) * 2 ** ((bucket >> 6) - 1);
}

/** Durations per bucket, in ns. */
export function bucketWidthNs(bucket: number): number {
  return bucket < 128 ? 1 : 2 ** ((bucket >> 6) - 1);
}

/** The writing side; exactly one lane holds it. */
export class Histogram {
  private readonly counts: Float64Array;

  /** `counts`: HISTOGRAM_BUCKETS elements, zero at start. */
  constructor(counts: Float64Array = new Float64Array(HISTOGRAM_BUCKETS)) {
    this.counts = counts;
  }

  record(ns: number): void {
    this.counts[bucketOf(ns)]!++;
  }

  /** Forgets everything (the end of warm-up). */
  reset(): void {
    this.counts.fill(0);
  }

  snapshot(): HistogramReader {
    return new HistogramReader(this.counts);
  }
}

/** A frozen copy of a histogram. Cold. */
export class HistogramReader {
  readonly counts: Float64Array;
  readonly count: number;

  constructor(counts: Float64Array) {
    this.counts = new Float64Array(counts);
    this.count = this.counts.reduce((sum, n) => sum + n, 0);
  }

  /**
   * The nearest-rank quantile, in ns: the upper edge of its bucket, at most 1/64 above the true value.
   * `q` in 0 … 1. NaN when empty.
   */
  quantile(q: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= rank) return bucketLowNs(bucket) + bucketWidthNs(bucket) - 1;
    }
    return this.max;
  }

  /** Upper edge of the highest bucket in use, in ns. NaN when empty. */
  get max(): number {
    for (let bucket = HISTOGRAM_BUCKETS - 1; bucket >= 0; bucket--)
      if (this.counts[bucket]! > 0) return bucketLowNs(bucket) + bucketWidthNs(bucket) - 1;
    return Number.NaN;
  }

  /** Mean of bucket midpoints, in ns. NaN when empty. */
  get mean(): number {
    if (this.count === 0) return Number.NaN;
    return this.sum / this.count;
  }

  /** Sum of bucket midpoints, in ns (Prometheus `_sum`). */
  get sum(): number {
    let sum = 0;
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
      sum += this.counts[bucket]! * (bucketLowNs(bucket) + (bucketWidthNs(bucket) - 1) / 2);
    return sum;
  }

  /** Recordings at or below `ns`, exact to the bucket (Prometheus `_bucket`). */
  countUpTo(ns: number): number {
    const last = bucketOf(ns);
    let seen = 0;
    for (let bucket = 0; bucket <= last; bucket++) seen += this.counts[bucket]!;
    return seen;
  }

  merge(other: HistogramReader): HistogramReader {
    return new HistogramReader(this.counts.map((n, bucket) => n + other.counts[bucket]!));
  }

  /** What was recorded since an earlier snapshot of the same histogram. */
  since(earlier: HistogramReader): HistogramReader {
    return new HistogramReader(this.counts.map((n, bucket) => Math.max(0, n - earlier.counts[bucket]!)));
  }
}
