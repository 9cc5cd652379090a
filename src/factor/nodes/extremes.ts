// Rolling minimum, maximum and quantile. Hot steps; 0 bytes.
// Extremes: a monotone deque whose pop is a binary search, so one update is O(log window) at worst, never
// O(window). Quantile: a sorted copy of the window, one binary search and one memmove per change.
import { type NodePlan, type NodeType, numberOf, type ParamSpec, type Step, windowOf } from "../node-type.ts";
import { CAPACITY_PARAM, WINDOW_PARAM } from "./transforms.ts";

// [size, by time, capacity, seen, front, length, first ts, cut, sign, | value × capacity | stamp × capacity]
const FRONT = 4;
const LENGTH = 5;
const CUT = 7;
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
    a[s + CUT] = a[s + CUT]! + 1;
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
      ...(window.by === "time" ? { cutWord: CUT } : {}),
      init: (a, s) => {
        a[s] = window.size;
        a[s + 1] = window.by === "time" ? 1 : 0;
        a[s + 2] = capacity;
        a[s + 8] = sign;
      },
    };
  };

// [size, by time, capacity, seen, held, head, tail, first ts, cut, q, | ring | sorted | stamps (by time)], capacity each
const HELD = 4;
const HEAD = 5;
const TAIL = 6;
const QUANTILE_CUT = 8;
const RING = 10;

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

function forgetOldest(a: Float64Array, s: number): void {
  const capacity = a[s + 2]!;
  const held = a[s + HELD]!;
  const tail = a[s + TAIL]!;
  const sorted = s + RING + capacity;
  const gone = sorted + lowerBound(a, sorted, held, a[s + RING + tail]!);
  a.copyWithin(gone, gone + 1, sorted + held);
  a[s + HELD] = held - 1;
  a[s + TAIL] = tail + 1 === capacity ? 0 : tail + 1;
}

function forgetOlder(a: Float64Array, s: number, bound: number): void {
  const capacity = a[s + 2]!;
  const stamps = s + RING + 2 * capacity;
  const newest = a[s + HEAD] === 0 ? capacity - 1 : a[s + HEAD]! - 1;
  if (a[stamps + newest]! <= bound) {
    a[s + HELD] = 0;
    a[s + TAIL] = a[s + HEAD]!;
  }
  while (a[s + HELD]! > 0 && a[stamps + a[s + TAIL]!]! <= bound) forgetOldest(a, s);
}

const quantile: Step = (a, s, c, x) => {
  if (x - x !== 0) return NaN;
  const byTime = a[s + 1] !== 0;
  const capacity = a[s + 2]!;
  const seen = a[s + 3]! + 1;
  a[s + 3] = seen;
  if (seen === 1) a[s + 7] = c.nowNs;
  if (byTime) forgetOlder(a, s, c.nowNs - a[s]!);
  if (a[s + HELD] === capacity) {
    forgetOldest(a, s);
    if (byTime) a[s + QUANTILE_CUT] = a[s + QUANTILE_CUT]! + 1;
  }
  const held = a[s + HELD]!;
  const head = a[s + HEAD]!;
  const sorted = s + RING + capacity;
  const at = sorted + lowerBound(a, sorted, held, x);
  a.copyWithin(at + 1, at, sorted + held);
  a[at] = x;
  a[s + RING + head] = x;
  if (byTime) a[sorted + capacity + head] = c.nowNs;
  a[s + HELD] = held + 1;
  a[s + HEAD] = head + 1 === capacity ? 0 : head + 1;
  const full = byTime ? c.nowNs - a[s + 7]! >= a[s]! : seen >= a[s]!;
  return full ? interpolated(a, sorted, held + 1, a[s + 9]!) : NaN;
};

function interpolated(a: Float64Array, sorted: number, count: number, q: number): number {
  const position = q * (count - 1);
  const below = Math.floor(position);
  const low = a[sorted + below]!;
  return below + 1 < count ? low + (position - below) * (a[sorted + below + 1]! - low) : low;
}

/** An update moves up to so many words. */
const SORTED_MAX = 1 << 14;
const SORTED_WINDOW: ParamSpec = { ...WINDOW_PARAM, max: 4096 };
const SORTED_CAPACITY: ParamSpec = { ...CAPACITY_PARAM, max: SORTED_MAX, default: 4096 };

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
    bound: "O(log window) comparisons and two memmoves of ≤ window words; by time two per value that leaves",
    inputs: ["x"],
    params: [
      SORTED_WINDOW,
      { name: "q", kind: "number", min: 0, max: 1, default: 0.5, doc: "0 … 1" },
      SORTED_CAPACITY,
    ],
    plan: (p) => {
      const window = windowOf(p, "window");
      const byTime = window.by === "time";
      const capacity = byTime ? numberOf(p, "capacity") : window.size;
      return {
        words: RING + (byTime ? 3 : 2) * capacity,
        step: quantile,
        ...(byTime ? { cutWord: QUANTILE_CUT } : {}),
        init: (a, s) => {
          a[s] = window.size;
          a[s + 1] = byTime ? 1 : 0;
          a[s + 2] = capacity;
          a[s + 9] = numberOf(p, "q");
        },
      };
    },
  },
];
