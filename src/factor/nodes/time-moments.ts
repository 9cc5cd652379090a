// Rolling mean and variance over a time window. Hot; 0 bytes; amortised O(1): an update drops the samples that
// left, at most `capacity`, and takes O(1) when all did. Windows by count: count-moments.ts.
//
// Numerics (target: 1e-9 relative to a two-pass recomputation after 10^8 updates, prices 1e5, variance 1e-4):
// - sums are of d = x − K with K close to the data, so that Σd² does not swamp the variance;
// - a second pair of sums ("fresh") is built from additions only since a mark, relative to a newer K; when the
//   window has moved past the mark, fresh holds exactly the window and replaces the main sums. No rounding
//   error lives longer than two windows, and no update costs O(n);
// - Σd² carries a compensation term (Knuth's TwoSum), so an outlier that leaves the window leaves no trace;
// - a window of equal values is recognised by counting repeats, and has exactly zero variance.
const SIZE = 0;
const HEAD = 2;
const TAIL = 3;
const K = 4;
const S1 = 5;
const S2 = 6;
const C2 = 7;
const FRESH_K = 8;
const F1 = 9;
const F2 = 10;
const FC2 = 11;
const MARK = 12;
const REPEATS = 13;
const LAST = 14;
const FIRST_TS = 15;
const CAPACITY = 16;
/** Samples that a full ring dropped before their time: the window was cut. */
export const CUT = 17;
/** Results of the last `pushMoments`. */
export const COUNT = 18;
export const OFFSET_MEAN = 19;
export const ANCHOR = 20;
export const VARIANCE_SUM = 21;
/** Ring slots of the next and of the oldest sample (a remainder of doubles would be a call to fmod). */
const HEAD_SLOT = 23;
const TAIL_SLOT = 24;
const RING = 26;

export const TIME_CAPACITY = 16_384;
/** Windows of more samples wait for the swap instead of being recomputed. */
const RECOMPUTE_MAX = 4096;
/** K more than 2^7 standard deviations away (an outlier spoilt it): the sums would be mostly rounding. */
const FAR_K = 1 << 14;

export function timeMomentWords(capacity: number): number {
  return RING + 2 * capacity;
}

/** The window is (now − sizeNs, now]. */
export function initTimeMoments(a: Float64Array, s: number, sizeNs: number, capacity: number): void {
  a[s + SIZE] = sizeNs;
  a[s + CAPACITY] = capacity;
  a[s + LAST] = NaN;
  a[s + FIRST_TS] = NaN;
}

/** Adds `x` (finite) to the window. True when the window is full; then the results are in the state. */
export function pushTimeMoments(a: Float64Array, s: number, nowNs: number, x: number): boolean {
  const head = a[s + HEAD]!;
  const capacity = a[s + CAPACITY]!;
  expire(a, s, nowNs, head, capacity);
  if (head === a[s + TAIL]) {
    a[s + K] = x;
    a[s + FRESH_K] = x;
    if (head === 0) a[s + FIRST_TS] = nowNs;
  }
  if (head - a[s + TAIL]! >= capacity) {
    drop(a, s, head, capacity);
    a[s + CUT] = a[s + CUT]! + 1;
  }
  add(a, s, x);
  const slot = a[s + HEAD_SLOT]!;
  a[s + RING + slot] = x;
  a[s + RING + capacity + slot] = nowNs;
  a[s + HEAD_SLOT] = slot + 1 === capacity ? 0 : slot + 1;
  a[s + HEAD] = head + 1;
  const full = nowNs - a[s + FIRST_TS]! >= a[s + SIZE]!;
  if (full) results(a, s, head + 1);
  return full;
}

function add(a: Float64Array, s: number, x: number): void {
  a[s + REPEATS] = x === a[s + LAST] ? a[s + REPEATS]! + 1 : 1;
  a[s + LAST] = x;
  const d = x - a[s + K]!;
  a[s + S1] = a[s + S1]! + d;
  const square = d * d;
  const before = a[s + S2]!;
  const sum = before + square;
  const part = sum - before;
  a[s + C2] = a[s + C2]! + (before - (sum - part) + (square - part));
  a[s + S2] = sum;
  const f = x - a[s + FRESH_K]!;
  a[s + F1] = a[s + F1]! + f;
  const freshSquare = f * f;
  const freshBefore = a[s + F2]!;
  const freshSum = freshBefore + freshSquare;
  const freshPart = freshSum - freshBefore;
  a[s + FC2] = a[s + FC2]! + (freshBefore - (freshSum - freshPart) + (freshSquare - freshPart));
  a[s + F2] = freshSum;
}

function drop(a: Float64Array, s: number, head: number, capacity: number): void {
  const slot = a[s + TAIL_SLOT]!;
  const d = a[s + RING + slot]! - a[s + K]!;
  a[s + S1] = a[s + S1]! - d;
  const square = -(d * d);
  const before = a[s + S2]!;
  const sum = before + square;
  const part = sum - before;
  a[s + C2] = a[s + C2]! + (before - (sum - part) + (square - part));
  a[s + S2] = sum;
  a[s + TAIL] = a[s + TAIL]! + 1;
  a[s + TAIL_SLOT] = slot + 1 === capacity ? 0 : slot + 1;
  if (a[s + TAIL] === a[s + MARK]) swap(a, s, head);
}

function expire(a: Float64Array, s: number, nowNs: number, head: number, capacity: number): void {
  const from = nowNs - a[s + SIZE]!;
  const ts = s + RING + capacity;
  if (a[s + TAIL] === head) return;
  const newest = (a[s + HEAD_SLOT] === 0 ? capacity : a[s + HEAD_SLOT]!) - 1;
  if (a[ts + newest]! <= from) {
    a[s + TAIL] = head;
    a[s + TAIL_SLOT] = a[s + HEAD_SLOT]!;
    a[s + MARK] = head;
    a[s + S1] = 0;
    a[s + S2] = 0;
    a[s + C2] = 0;
    a[s + F1] = 0;
    a[s + F2] = 0;
    a[s + FC2] = 0;
    a[s + REPEATS] = 0;
    a[s + LAST] = NaN;
    return;
  }
  while (a[ts + a[s + TAIL_SLOT]!]! <= from) drop(a, s, head, capacity);
}

/** The window has moved past the mark: the fresh sums are the window. */
function swap(a: Float64Array, s: number, head: number): void {
  const count = head - a[s + TAIL]!;
  const k = a[s + FRESH_K]!;
  a[s + K] = k;
  a[s + S1] = a[s + F1]!;
  a[s + S2] = a[s + F2]!;
  a[s + C2] = a[s + FC2]!;
  if (count > 0) a[s + FRESH_K] = k + a[s + F1]! / count;
  a[s + F1] = 0;
  a[s + F2] = 0;
  a[s + FC2] = 0;
  a[s + MARK] = head;
}

function results(a: Float64Array, s: number, head: number): void {
  const count = head - a[s + TAIL]!;
  a[s + COUNT] = count;
  if (a[s + REPEATS]! >= count) {
    a[s + ANCHOR] = a[s + LAST]!;
    a[s + OFFSET_MEAN] = 0;
    a[s + VARIANCE_SUM] = 0;
    return;
  }
  const s1 = a[s + S1]!;
  const mean = s1 / count;
  const s2 = a[s + S2]! + a[s + C2]!;
  const sum = s2 - s1 * mean;
  if (sum * FAR_K < s2 && count <= RECOMPUTE_MAX) {
    recompute(a, s, count);
    return;
  }
  a[s + ANCHOR] = a[s + K]!;
  a[s + OFFSET_MEAN] = mean;
  a[s + VARIANCE_SUM] = Math.max(sum, 0);
}

/** Sums and results from the samples themselves, in two passes; count ≤ RECOMPUTE_MAX. */
function recompute(a: Float64Array, s: number, count: number): void {
  const capacity = a[s + CAPACITY]!;
  const tail = a[s + TAIL_SLOT]!;
  const first = a[s + RING + tail]!;
  let sum = 0;
  for (let i = 0, slot = tail; i < count; i++, slot = slot + 1 === capacity ? 0 : slot + 1) {
    sum += a[s + RING + slot]! - first;
  }
  const k = first + sum / count;
  let s1 = 0;
  let s2 = 0;
  for (let i = 0, slot = tail; i < count; i++, slot = slot + 1 === capacity ? 0 : slot + 1) {
    const d = a[s + RING + slot]! - k;
    s1 += d;
    s2 += d * d;
  }
  a[s + K] = k;
  a[s + S1] = s1;
  a[s + S2] = s2;
  a[s + C2] = 0;
  a[s + ANCHOR] = k;
  a[s + OFFSET_MEAN] = s1 / count;
  a[s + VARIANCE_SUM] = Math.max(s2 - (s1 * s1) / count, 0);
}
