// Signal nodes: decisions from factors. Hot steps; 0 bytes; O(1).
import {
  type NodePlan,
  type NodeType,
  numberOf,
  type Params,
  type Step,
  textOf,
  windowOf,
} from "../node-type.ts";
import { thresholdCode } from "./count-code.ts";
import { countMomentWords, initCountMoments, pushSum, sumOf } from "./count-moments.ts";
import {
  ANCHOR,
  CUT,
  initTimeMoments,
  OFFSET_MEAN,
  pushTimeMoments,
  timeMomentWords,
} from "./time-moments.ts";
import { CAPACITY_PARAM, WINDOW_PARAM } from "./transforms.ts";

// [volatility threshold, change threshold, moments of volatility…]
const threshold: Step = (a, s, _c, volatility, change) => {
  if (volatility - volatility !== 0 || change - change !== 0) return NaN;
  if (!pushSum(a, s + 2, volatility)) return NaN;
  // volatility > threshold · sum / n, without the division
  return volatility * a[s + 2]! > a[s]! * sumOf(a, s + 2) || Math.abs(change) > a[s + 1]! * volatility
    ? 1
    : 0;
};

// [volatility threshold, change threshold, moments of volatility…]
const thresholdByTime: Step = (a, s, c, volatility, change) => {
  if (volatility - volatility !== 0 || change - change !== 0) return NaN;
  const m = s + 2;
  if (!pushTimeMoments(a, m, c.nowNs, volatility)) return NaN;
  const mean = a[m + ANCHOR]! + a[m + OFFSET_MEAN]!;
  return volatility > a[s]! * mean || Math.abs(change) > a[s + 1]! * volatility ? 1 : 0;
};

function thresholdPlan(p: Params): NodePlan {
  const window = windowOf(p, "window");
  const capacity = numberOf(p, "capacity");
  const byCount = window.by === "count";
  return {
    words: 2 + (byCount ? countMomentWords(window.size) : timeMomentWords(capacity)),
    step: byCount ? threshold : thresholdByTime,
    ...(byCount ? { code: thresholdCode } : { cutWord: 2 + CUT }),
    init: (a, s) => {
      a[s] = numberOf(p, "volatility_threshold");
      a[s + 1] = numberOf(p, "change_threshold");
      if (byCount) initCountMoments(a, s + 2, window.size);
      else initTimeMoments(a, s + 2, window.size, capacity);
    },
  };
}

// [seen, a − b before]
const crossover: Step = (a, s, _c, x, y) => {
  const distance = x - y;
  if (distance - distance !== 0) return NaN;
  const before = a[s + 1]!;
  const known = a[s] !== 0;
  a[s] = 1;
  a[s + 1] = distance;
  if (!known) return 0;
  if (before <= 0 && distance > 0) return 1;
  return before >= 0 && distance < 0 ? -1 : 0;
};

// [low, high, state]
const hysteresis: Step = (a, s, _c, x) => {
  if (x - x !== 0) return NaN;
  if (x > a[s + 1]!) a[s + 2] = 1;
  else if (x < a[s]!) a[s + 2] = 0;
  return a[s + 2]!;
};

const firstWeighted: Step = (a, s, _c, _x, y) => a[s]! * y;
const weighted: Step = (a, s, _c, x, y) => x + a[s]! * y;
const firstFlag: Step = (_a, _s, _c, _x, y) => (Number.isNaN(y) ? NaN : y !== 0 ? 1 : 0);
const any: Step = (_a, _s, _c, x, y) => (Number.isNaN(x + y) ? NaN : x !== 0 || y !== 0 ? 1 : 0);
const all: Step = (_a, _s, _c, x, y) => (Number.isNaN(x + y) ? NaN : x !== 0 && y !== 0 ? 1 : 0);

function foldComposite(p: Params, index: number, count: number): NodePlan | string {
  const mode = textOf(p, "mode");
  if (mode !== "sum") {
    if (p["weights"] !== undefined) return `weights are for mode "sum"`;
    return { words: 0, step: index === 0 ? firstFlag : mode === "any" ? any : all };
  }
  const weights = p["weights"] as readonly number[] | undefined;
  if (weights !== undefined && weights.length !== count) {
    return `${weights.length} weights for ${count} inputs`;
  }
  return {
    words: 1,
    step: index === 0 ? firstWeighted : weighted,
    init: (a, s) => {
      a[s] = weights === undefined ? 1 : weights[index]!;
    },
  };
}

export const SIGNALS: readonly NodeType[] = [
  {
    name: "Threshold",
    group: "signal",
    fn: "threshold",
    summary: "1 when volatility or a change is out of the ordinary, else 0; NaN until its window is full.",
    formula:
      "1 if volatility > volatility_threshold · mean(volatility) or |change| > change_threshold · volatility",
    unit: "0 or 1",
    source: "requirements document 2 (stop loss)",
    bound: "O(1) by count; by time amortised O(1)",
    inputs: ["volatility", "change"],
    params: [
      { name: "volatility_threshold", kind: "number", min: 0, default: 3, doc: "times the mean volatility" },
      { name: "change_threshold", kind: "number", min: 0, default: 3, doc: "times the volatility" },
      { ...WINDOW_PARAM, default: { by: "count", size: 1000 } },
      CAPACITY_PARAM,
    ],
    plan: thresholdPlan,
  },
  {
    name: "Crossover",
    group: "signal",
    fn: "crossover",
    summary: "+1 on the trigger where a crosses above b, −1 where it crosses below, else 0.",
    formula: "+1 if a ≤ b before and a > b now; −1 if a ≥ b before and a < b now",
    unit: "−1, 0, +1",
    source: "definition",
    bound: "O(1)",
    inputs: ["a", "b"],
    params: [],
    plan: () => ({ words: 2, step: crossover }),
  },
  {
    name: "Composite",
    group: "signal",
    fn: "composite",
    summary: "Weighted sum of the inputs, or whether any or all of them differ from 0.",
    formula: "Σ w·x, any(x ≠ 0), all(x ≠ 0); any input not ready: not ready",
    unit: "of the inputs",
    source: "definition",
    bound: "O(inputs)",
    inputs: ["x"],
    variadic: true,
    params: [
      { name: "mode", kind: "choice", choices: ["sum", "any", "all"], default: "sum", doc: "how to combine" },
      { name: "weights", kind: "numbers", optional: true, doc: "one per input; absent = 1" },
    ],
    plan: () => "is folded",
    fold: foldComposite,
  },
  {
    name: "Hysteresis",
    group: "signal",
    fn: "hysteresis",
    summary: "1 after the input rose above `high`, 0 after it fell below `low`; 0 at first.",
    formula: "two-threshold switch",
    unit: "0 or 1",
    source: "Schmitt trigger",
    bound: "O(1)",
    inputs: ["x"],
    params: [
      { name: "low", kind: "number", doc: "off below" },
      { name: "high", kind: "number", doc: "on above" },
    ],
    plan: (p) =>
      numberOf(p, "low") > numberOf(p, "high")
        ? "low is above high"
        : {
            words: 3,
            step: hysteresis,
            init: (a, s) => {
              a[s] = numberOf(p, "low");
              a[s + 1] = numberOf(p, "high");
            },
          },
  },
];
