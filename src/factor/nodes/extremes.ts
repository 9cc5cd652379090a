// Rolling minimum, maximum and quantile. Hot steps; 0 bytes.
// Extremes: a monotone deque whose pop is a binary search, so one update is O(log window) at worst, never
// O(window). Quantile: a sorted copy of the window, one binary search and one memmove per change.
import { type NodePlan, type NodeType, numberOf, type ParamSpec, type Step, windowOf } from "../node-type.ts";
import { CAPACITY_PARAM, WINDOW_PARAM } from "./transforms.ts";

// [size, by time, capacity, seen, front, length, first ts, cut, sign, | value × capacity | stamp × capacity]
const FRONT = 4;
const LENGTH = 5;
const DATA = 9;

/** Deque index k (0 = front) as a slot; front and length stay below 2·capacity. */
function slotOf(a: Float64Array, s: number, k: number): number {
  const slot = a[s + FRONT]! + k;
  return slot >= a[s + 2]! ? slot - a[s + 2]! : slot;
}

/** First k whose stamp is > `bound`. */
function firstNewer(a: Float64Array, s: number, bound: number): number {
  const stamps = s + DATA + a[s + 2]!;
  let low = 0;
  let high = a[s + LENGTH]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (a[stamps + slotOf(a, s, middle)]! > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Number of entries that beat `v` (values descend from the front). */
function keep(a: Float64Array, s: number, v: number): number {
  let low = 0;
  let high = a[s + LENGTH]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (a[s + DATA + slotOf(a, s, middle)]! > v) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Maximum of sign·x, times sign. */
const extreme: Step = (a, s, c, x) => {
  if (x - x !== 0) return NaN;
  const byTime = a[s + 1] !== 0;
  const seen = a[s + 3]!;
  const stamp = byTime ? c.nowNs : seen;
  if (seen === 0) a[s + 6] = c.nowNs;
  const gone = firstNewer(a, s, stamp - a[s]!);
  a[s + FRONT] = slotOf(a, s, gone);
  a[s + LENGTH] = a[s + LENGTH]! - gone;
  const v = x * a[s + 8]!;
  let length = keep(a, s, v);
  if (length === a[s + 2]!) {
    // The deque is full of greater values: only a time window can get here. The oldest is cut.
    a[s + FRONT] = slotOf(a, s, 1);
    length--;
    a[s + 7] = a[s + 7]! + 1;
  }
  const slot = slotOf(a, s, length);
  a[s + DATA + slot] = v;
  a[s + DATA + a[s + 2]! + slot] = stamp;
  a[s + LENGTH] = length + 1;
  a[s + 3] = seen + 1;
  const full = byTime ? c.nowNs - a[s + 6]! >= a[s]! : seen + 1 >= a[s]!;
  return full ? a[s + DATA + a[s + FRONT]!]! * a[s + 8]! : NaN;
};

const extremePlan =
  (sign: number) =>
  (p: Parameters<NodeType["plan"]>[0]): NodePlan => {
    const window = windowOf(p, "window");
    const capacity = window.by === "count" ? window.size : numberOf(p, "capacity");
    return {
      words: DATA + 2 * capacity,
      step: extreme,
      init: (a, s) => {
        a[s] = window.size;
        a[s + 1] = window.by === "time" ? 1 : 0;
        a[s + 2] = capacity;
        a[s + 8] = sign;
      },
    };
  };

// [n, seen, slot, q, | ring × n | sorted × n]
const SORTED = 4;

function lowerBound(a: Float64Array, at: number, count: number, x: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (a[at + middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

const quantile: Step = (a, s, _c, x) => {
  if (x - x !== 0) return NaN;
  const n = a[s]!;
  const seen = a[s + 1]!;
  const slot = a[s + 2]!;
  const ring = s + SORTED;
  const sorted = ring + n;
  let count = Math.min(seen, n);
  if (count === n) {
    const gone = sorted + lowerBound(a, sorted, n, a[ring + slot]!);
    a.copyWithin(gone, gone + 1, sorted + n);
    count--;
  }
  const at = sorted + lowerBound(a, sorted, count, x);
  a.copyWithin(at + 1, at, sorted + count);
  a[at] = x;
  a[ring + slot] = x;
  a[s + 1] = seen + 1;
  a[s + 2] = slot + 1 === n ? 0 : slot + 1;
  if (seen + 1 < n) return NaN;
  const position = a[s + 3]! * (n - 1);
  const below = Math.floor(position);
  const low = a[sorted + below]!;
  return below + 1 < n ? low + (position - below) * (a[sorted + below + 1]! - low) : low;
};

const COUNT_WINDOW: ParamSpec = { ...WINDOW_PARAM, kind: "count", max: 4096, doc: "number of ready inputs" };

export const EXTREMES: readonly NodeType[] = [
  {
    name: "RollingMin",
    group: "transform",
    fn: "rolling_min",
    summary: "Least value of the window; NaN until it is full.",
    formula: "min x",
    unit: "of the input",
    source: "monotone deque (Lemire 2006) with binary search",
    bound: "O(log window)",
    inputs: ["x"],
    params: [WINDOW_PARAM, CAPACITY_PARAM],
    plan: extremePlan(-1),
  },
  {
    name: "RollingMax",
    group: "transform",
    fn: "rolling_max",
    summary: "Greatest value of the window; NaN until it is full.",
    formula: "max x",
    unit: "of the input",
    source: "monotone deque (Lemire 2006) with binary search",
    bound: "O(log window)",
    inputs: ["x"],
    params: [WINDOW_PARAM, CAPACITY_PARAM],
    plan: extremePlan(1),
  },
  {
    name: "RollingQuantile",
    group: "transform",
    fn: "quantile",
    summary: "Quantile of the window with linear interpolation; NaN until it is full.",
    formula: "sorted x at position q·(n − 1), between neighbours linearly",
    unit: "of the input",
    source: "Hyndman & Fan (1996), type 7",
    bound: "O(log window) comparisons and two memmoves of ≤ window words (window ≤ 4096)",
    inputs: ["x"],
    params: [COUNT_WINDOW, { name: "q", kind: "number", min: 0, max: 1, default: 0.5, doc: "0 … 1" }],
    plan: (p) => {
      const n = numberOf(p, "window");
      return {
        words: SORTED + 2 * n,
        step: quantile,
        init: (a, s) => {
          a[s] = n;
          a[s + 3] = numberOf(p, "q");
        },
      };
    },
  },
];
