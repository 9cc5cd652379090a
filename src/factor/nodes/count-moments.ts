// Rolling sum, mean and variance over the last n values. Hot; 0 bytes; O(1) per update.
//
// Numerics (target: 1e-9 relative to a two-pass recomputation after 10^8 updates, prices 1e5, variance 1e-4):
// - variance sums are of d = x − K with K close to the data, so that Σd² does not swamp the variance;
// - a second pair of sums ("fresh") is built from additions only while the ring fills once, relative to a
//   newer K; when the ring wraps it holds exactly the window and replaces the main sums. No rounding error
//   lives longer than two windows, and no update costs O(n);
// - two cases would leave mostly rounding: the value that leaves, or K (a mean that an outlier spoilt), is more than
//   2^7 standard deviations (of the sum) away from the rest. Then, and only then, the sums are
//   recomputed from the ring (windows of at most RECOMPUTE_MAX values; larger ones wait for the ring to wrap);
// - a window of equal values has exactly zero variance: its sums are nothing but rounding, so the second case applies
//   and the recomputed ones are 0; windows too large for that, and means, count repeats.
//
// Counts and slots are read with `| 0`: an integer index costs one conversion instead of three.
//
// Words: n, seen, slot, repeats, S1, F1, K, S2, fresh K, F2, 1/(n − ddof), 1/n, ring × n. Sums and means use
// the first six and the ring, with K = 0.

const N = 0;
const SEEN = 1;
const SLOT = 2;
const REPEATS = 3;
export const S1 = 4;
const F1 = 5;
export const K = 6;
export const S2 = 7;
const FRESH_K = 8;
const F2 = 9;
/** 1/(n − ddof) and 1/n: two divisions less per update. */
export const INVERSE_DIVISOR = 10;
export const INVERSE_N = 11;
const RING = 12;

export const RECOMPUTE_MAX = 4096;
export const OUTLIER = 1 << 14;

/** Word offsets, for the source text of the generated function. */
export const WORDS = { SEEN, SLOT, REPEATS, S1, F1, K, S2, FRESH_K, F2, INVERSE_DIVISOR, INVERSE_N, RING };

export function countMomentWords(n: number): number {
  return RING + n;
}

export function initCountMoments(a: Float64Array, s: number, n: number, ddof = 0): void {
  a[s + N] = n;
  a[s + INVERSE_DIVISOR] = 1 / (n - ddof);
  a[s + INVERSE_N] = 1 / n;
}

/** Adds `x` (finite) to a sum. True when the window is full; then `meanOf` and `sumOf` are valid. */
export function pushSum(a: Float64Array, s: number, x: number): boolean {
  const n = a[s]! | 0;
  const slot = a[s + SLOT]! | 0;
  const at = s + RING + slot;
  const seen = a[s + SEEN]! + 1;
  const previous = a[slot === 0 ? s + RING + n - 1 : at - 1]!;
  a[s + REPEATS] = x === previous && seen > 1 ? a[s + REPEATS]! + 1 : 1;
  if (seen <= n) a[s + SEEN] = seen;
  const fresh = a[s + F1]! + x;
  if (slot + 1 === n) {
    a[s + S1] = fresh;
    a[s + F1] = 0;
    a[s + SLOT] = 0;
  } else {
    // Zero until the ring has been filled once.
    const gone = a[at]!;
    const sum = a[s + S1]! + x - gone;
    a[s + S1] = sum;
    a[s + F1] = fresh;
    a[s + SLOT] = slot + 1;
    a[at] = x;
    if (Math.abs(gone) > OUTLIER * Math.abs(sum) && n <= RECOMPUTE_MAX) a[s + S1] = ringSum(a, s, n);
    return seen >= n;
  }
  a[at] = x;
  return seen >= n;
}

export function meanOf(a: Float64Array, s: number): number {
  const n = a[s]! | 0;
  if (a[s + REPEATS]! >= n) return a[s + RING]!;
  return a[s + S1]! / n;
}

export function sumOf(a: Float64Array, s: number): number {
  const n = a[s]! | 0;
  return a[s + REPEATS]! >= n ? a[s + RING]! * n : a[s + S1]!;
}

/**
 * Adds `x` (finite). Gives Σ(x − mean)² of a full window, of which S1/n + K is the mean; NaN while it is not full. Zero
 * for a window of equal values; of other ones only where `isConstant` says no.
 */
export function pushMoments(a: Float64Array, s: number, x: number): number {
  const n = a[s]! | 0;
  const slot = a[s + SLOT]! | 0;
  if (n > RECOMPUTE_MAX) countRepeats(a, s, n, slot, x);
  if (a[s + SEEN] !== n && !fill(a, s, n, x)) return NaN;
  const at = s + RING + slot;
  const k = a[s + K]!;
  const d = x - k;
  const e = a[at]! - k;
  const f = x - a[s + FRESH_K]!;
  a[at] = x;
  a[s + F1] = a[s + F1]! + f;
  a[s + F2] = a[s + F2]! + f * f;
  if (slot + 1 === n) renew(a, s, n);
  else {
    a[s + S1] = a[s + S1]! + (d - e);
    a[s + S2] = a[s + S2]! + (d - e) * (d + e);
    a[s + SLOT] = slot + 1;
  }
  const s1 = a[s + S1]!;
  const s2 = a[s + S2]!;
  const squares = s2 - s1 * s1 * a[s + INVERSE_N]!;
  if (n > RECOMPUTE_MAX) return a[s + REPEATS]! >= n ? 0 : Math.max(squares, 0);
  return squares * OUTLIER >= s2 + e * e ? squares : recompute(a, s, n);
}

/**
 * A window that is not full. False: `x` was added and more is missing. True: `x` is the value that fills it and is still
 * to be added, as to a full window from which a value equal to K leaves.
 */
export function fill(a: Float64Array, s: number, n: number, x: number): boolean {
  const seen = a[s + SEEN]!;
  const at = s + RING + seen;
  a[s + SEEN] = seen + 1;
  if (seen === 0) {
    a[s + K] = x;
    a[s + FRESH_K] = x;
  }
  if (seen + 1 === n) {
    a[at] = a[s + K]!;
    return true;
  }
  const d = x - a[s + K]!;
  a[at] = x;
  a[s + S1] = a[s + S1]! + d;
  a[s + S2] = a[s + S2]! + d * d;
  a[s + F1] = a[s + S1]!;
  a[s + F2] = a[s + S2]!;
  a[s + SLOT] = seen + 1;
  return false;
}

function countRepeats(a: Float64Array, s: number, n: number, slot: number, x: number): void {
  const previous = a[s + RING + (slot === 0 ? n : slot) - 1]!;
  a[s + REPEATS] = x === previous && a[s + SEEN]! > 0 ? a[s + REPEATS]! + 1 : 1;
}

/** The ring is full again: the fresh sums are the window. */
export function renew(a: Float64Array, s: number, n: number): void {
  const f1 = a[s + F1]!;
  a[s + K] = a[s + FRESH_K]!;
  a[s + S1] = f1;
  a[s + S2] = a[s + F2]!;
  a[s + FRESH_K] = a[s + FRESH_K]! + f1 / n;
  a[s + F1] = 0;
  a[s + F2] = 0;
  a[s + SLOT] = 0;
}

/** Σ(x − origin) of a full window. Four sums at once: additions that wait for each other would take four times as long. */
function distances(a: Float64Array, from: number, to: number, origin: number): number {
  let i = from;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (; i + 3 < to; i += 4) {
    s0 += a[i]! - origin;
    s1 += a[i + 1]! - origin;
    s2 += a[i + 2]! - origin;
    s3 += a[i + 3]! - origin;
  }
  for (; i < to; i++) s0 += a[i]! - origin;
  return s0 + s1 + (s2 + s3);
}

export function ringSum(a: Float64Array, s: number, n: number): number {
  return distances(a, s + RING, s + RING + n, 0);
}

/** Sums of a full window in two passes; gives Σ(x − mean)². */
export function recompute(a: Float64Array, s: number, n: number): number {
  const to = s + RING + n;
  const first = a[s + RING]!;
  const k = first + distances(a, s + RING, to, first) / n;
  let s1 = 0;
  let s2 = 0;
  let t1 = 0;
  let t2 = 0;
  let i = s + RING;
  for (; i + 1 < to; i += 2) {
    const d = a[i]! - k;
    const e = a[i + 1]! - k;
    s1 += d;
    s2 += d * d;
    t1 += e;
    t2 += e * e;
  }
  if (i < to) {
    const d = a[i]! - k;
    s1 += d;
    s2 += d * d;
  }
  s1 += t1;
  s2 += t2;
  a[s + K] = k;
  a[s + S1] = s1;
  a[s + S2] = s2;
  return Math.max(s2 - (s1 * s1) / n, 0);
}

/** Of a full window whose squared distances are 0: true when that is exact, so that all values are equal. */
export function isConstant(a: Float64Array, s: number): boolean {
  return a[s]! <= RECOMPUTE_MAX || a[s + REPEATS]! >= a[s]!;
}
