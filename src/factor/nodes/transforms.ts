// Transform nodes: one series in, one series out. A not-ready input gives not ready and leaves the state as it
// was. Hot steps; 0 bytes.
import {
  type NodePlan,
  type NodeType,
  numberOf,
  type ParamSpec,
  type Step,
  textOf,
  windowOf,
} from "../node-type.ts";
import {
  ANCHOR,
  COUNT,
  DDOF,
  initMoments,
  momentWords,
  OFFSET_MEAN,
  pushMoments,
  TIME_CAPACITY,
  VARIANCE_SUM,
} from "./moments.ts";

export const WINDOW_PARAM: ParamSpec = {
  name: "window",
  kind: "window",
  min: 1,
  max: 1 << 20,
  doc: 'number of ready inputs, or a time such as "10s"',
};
/** For spread estimates, which need two values. */
const WINDOW_OF_TWO: ParamSpec = { ...WINDOW_PARAM, min: 2 };
export const CAPACITY_PARAM: ParamSpec = {
  name: "capacity",
  kind: "count",
  min: 2,
  max: 1 << 20,
  default: TIME_CAPACITY,
  doc: "samples a time window can hold; more are cut and counted",
};
const DDOF_PARAM: ParamSpec = {
  name: "ddof",
  kind: "count",
  min: 0,
  max: 1,
  default: 0,
  doc: "variance divides by n − ddof",
};

const rollingMean: Step = (a, s, c, x) => {
  if (x - x !== 0) return NaN;
  return pushMoments(a, s, c.nowNs, x) ? a[s + ANCHOR]! + a[s + OFFSET_MEAN]! : NaN;
};

const rollingSum: Step = (a, s, c, x) => {
  if (x - x !== 0) return NaN;
  if (!pushMoments(a, s, c.nowNs, x)) return NaN;
  return a[s + ANCHOR]! * a[s + COUNT]! + a[s + OFFSET_MEAN]! * a[s + COUNT]!;
};

const rollingStd: Step = (a, s, c, x) => {
  if (x - x !== 0) return NaN;
  if (!pushMoments(a, s, c.nowNs, x)) return NaN;
  const divisor = a[s + COUNT]! - a[s + DDOF]!;
  return divisor > 0 ? Math.sqrt(a[s + VARIANCE_SUM]! / divisor) : NaN;
};

const zscore: Step = (a, s, c, x) => {
  if (x - x !== 0) return NaN;
  if (!pushMoments(a, s, c.nowNs, x)) return NaN;
  const divisor = a[s + COUNT]! - a[s + DDOF]!;
  const distance = x - a[s + ANCHOR]! - a[s + OFFSET_MEAN]!;
  const variance = a[s + VARIANCE_SUM]! / divisor;
  if (!(variance > 0)) return distance === 0 ? 0 : NaN;
  return distance / Math.sqrt(variance);
};

// EMA: [alpha or half-life ns, mean, seeded, last ts]
const emaSpan: Step = (a, s, _c, x) => {
  if (x - x !== 0) return NaN;
  const mean = a[s + 2] === 0 ? x : a[s + 1]! + a[s]! * (x - a[s + 1]!);
  a[s + 1] = mean;
  a[s + 2] = 1;
  return mean;
};

const emaTime: Step = (a, s, c, x) => {
  if (x - x !== 0) return NaN;
  const weight = 1 - 2 ** (-(c.nowNs - a[s + 3]!) / a[s]!);
  const mean = a[s + 2] === 0 ? x : a[s + 1]! + weight * (x - a[s + 1]!);
  a[s + 1] = mean;
  a[s + 2] = 1;
  a[s + 3] = c.nowNs;
  return mean;
};

// Lag: [n, seen, slot, ring…]; gives what stood n inputs before, NaN until then.
function shift(a: Float64Array, s: number, x: number): number {
  const n = a[s]!;
  const slot = a[s + 2]!;
  const at = s + 3 + slot;
  const before = a[s + 1]! >= n ? a[at]! : NaN;
  a[at] = x;
  a[s + 1] = a[s + 1]! + 1;
  a[s + 2] = slot + 1 === n ? 0 : slot + 1;
  return before;
}

const lag: Step = (a, s, _c, x) => (x - x !== 0 ? NaN : shift(a, s, x));
const diff: Step = (a, s, _c, x) => (x - x !== 0 ? NaN : x - shift(a, s, x));
const simpleReturn: Step = (a, s, _c, x) => {
  if (x - x !== 0) return NaN;
  const value = x / shift(a, s, x) - 1;
  return value - value === 0 ? value : NaN;
};
const logReturn: Step = (a, s, _c, x) => {
  if (x - x !== 0) return NaN;
  const value = Math.log(x / shift(a, s, x));
  return value - value === 0 ? value : NaN;
};

const clip: Step = (a, s, _c, x) => (x < a[s]! ? a[s]! : Math.min(x, a[s + 1]!));

const realizedVolatility: Step = (a, s, c, x) => {
  if (!(x > 0) || x === Infinity) return NaN;
  const before = a[s]!;
  a[s] = x;
  if (before === 0) return NaN;
  const r = Math.log(x / before);
  if (!pushMoments(a, s + 2, c.nowNs, r * r)) return NaN;
  const m = s + 2;
  const sum = a[m + ANCHOR]! * a[m + COUNT]! + a[m + OFFSET_MEAN]! * a[m + COUNT]!;
  return a[s + 1]! * Math.sqrt(Math.max(sum, 0));
};

const moments =
  (step: Step, ddof: boolean) =>
  (p: Parameters<NodeType["plan"]>[0]): NodePlan => {
    const window = windowOf(p, "window");
    const capacity = numberOf(p, "capacity");
    return {
      words: momentWords(window, capacity),
      step,
      init: (a, s) => initMoments(a, s, window, capacity, ddof ? numberOf(p, "ddof") : 0),
    };
  };

const lagged =
  (step: Step) =>
  (p: Parameters<NodeType["plan"]>[0]): NodePlan => {
    const n = numberOf(p, "periods");
    return {
      words: 3 + n,
      step,
      init: (a, s) => {
        a[s] = n;
      },
    };
  };

const PERIODS: ParamSpec = {
  name: "periods",
  kind: "count",
  min: 1,
  max: 1 << 20,
  default: 1,
  doc: "ready inputs between the two values",
};

const NUMERICS = "shifted sums, renewed every window; src/factor/nodes/moments.ts";
const BOUND = "O(1) by count; by time amortised O(1)";

export const TRANSFORMS: readonly NodeType[] = [
  {
    name: "RollingMean",
    group: "transform",
    fn: "mean",
    summary: "Mean of the window; NaN until it is full.",
    formula: "Σx / n",
    unit: "of the input",
    source: NUMERICS,
    bound: BOUND,
    inputs: ["x"],
    params: [WINDOW_PARAM, CAPACITY_PARAM],
    plan: moments(rollingMean, false),
  },
  {
    name: "RollingStd",
    group: "transform",
    fn: "std",
    summary: "Standard deviation of the window; NaN until it is full.",
    formula: "sqrt(Σ(x − mean)² / (n − ddof))",
    unit: "of the input",
    source: NUMERICS,
    bound: BOUND,
    inputs: ["x"],
    params: [WINDOW_OF_TWO, DDOF_PARAM, CAPACITY_PARAM],
    plan: moments(rollingStd, true),
  },
  {
    name: "RollingSum",
    group: "transform",
    fn: "sum",
    summary: "Sum of the window; NaN until it is full.",
    formula: "Σx",
    unit: "of the input",
    source: NUMERICS,
    bound: BOUND,
    inputs: ["x"],
    params: [WINDOW_PARAM, CAPACITY_PARAM],
    plan: moments(rollingSum, false),
  },
  {
    name: "ZScore",
    group: "transform",
    fn: "zscore",
    summary:
      "Distance from the window's mean in standard deviations, x included; NaN until the window is full.",
    formula: "(x − mean) / std; std 0: 0 if x equals the mean, else NaN",
    unit: "standard deviations",
    source: NUMERICS,
    bound: BOUND,
    inputs: ["x"],
    params: [WINDOW_OF_TWO, DDOF_PARAM, CAPACITY_PARAM],
    plan: moments(zscore, true),
  },
  {
    name: "EMA",
    group: "transform",
    fn: "ema",
    summary:
      "Exponential moving average, seeded with the first value; by span in inputs or half-life in time.",
    formula: "m += α(x − m); α = 2/(span + 1), or 1 − 2^(−Δt/half_life)",
    unit: "of the input",
    source: "Brown (1959); irregular times: Eckner (2012)",
    bound: "O(1)",
    inputs: ["x"],
    params: [
      { name: "span", kind: "number", min: 1, optional: true, doc: "inputs; α = 2/(span + 1)" },
      { name: "half_life", kind: "time", optional: true, doc: "time after which a value weighs half" },
    ],
    plan: (p) => {
      const span = p["span"] as number | undefined;
      const halfLife = p["half_life"] as number | undefined;
      if ((span === undefined) === (halfLife === undefined)) return "needs exactly one of span and half_life";
      return {
        words: 4,
        step: span === undefined ? emaTime : emaSpan,
        init: (a, s) => {
          a[s] = span === undefined ? halfLife! : 2 / (span + 1);
        },
      };
    },
  },
  {
    name: "Diff",
    group: "transform",
    fn: "diff",
    summary: "Change against `periods` inputs before.",
    formula: "x − x[−periods]",
    unit: "of the input",
    source: "definition",
    bound: "O(1)",
    inputs: ["x"],
    params: [PERIODS],
    plan: lagged(diff),
  },
  {
    name: "Return",
    group: "transform",
    fn: "return",
    summary: "Return between consecutive triggers (or `periods` apart), simple or logarithmic.",
    formula: "x / x[−periods] − 1, or ln(x / x[−periods])",
    unit: "ratio",
    source: "definition",
    bound: "O(1)",
    inputs: ["x"],
    params: [
      { name: "kind", kind: "choice", choices: ["simple", "log"], default: "simple", doc: "which return" },
      PERIODS,
    ],
    plan: (p) => lagged(textOf(p, "kind") === "simple" ? simpleReturn : logReturn)(p),
  },
  {
    name: "Lag",
    group: "transform",
    fn: "lag",
    summary: "The value `periods` inputs before.",
    formula: "x[−periods]",
    unit: "of the input",
    source: "definition",
    bound: "O(1)",
    inputs: ["x"],
    params: [PERIODS],
    plan: lagged(lag),
  },
  {
    name: "Clip",
    group: "transform",
    fn: "clip",
    summary: "Bounds the value.",
    formula: "min(max(x, low), high)",
    unit: "of the input",
    source: "definition",
    bound: "O(1)",
    inputs: ["x"],
    params: [
      { name: "low", kind: "number", default: -Number.MAX_VALUE, doc: "least value" },
      { name: "high", kind: "number", default: Number.MAX_VALUE, doc: "greatest value" },
    ],
    plan: (p) =>
      numberOf(p, "low") > numberOf(p, "high")
        ? "low is above high"
        : {
            words: 2,
            step: clip,
            init: (a, s) => {
              a[s] = numberOf(p, "low");
              a[s + 1] = numberOf(p, "high");
            },
          },
  },
  {
    name: "RealizedVolatility",
    group: "factor",
    fn: "rv",
    summary: "Realised volatility of a price over the last `window` log returns between triggers.",
    formula: "scale · sqrt(Σ ln(p / p[−1])²)",
    unit: "ratio (times scale)",
    source: "Andersen, Bollerslev, Diebold, Labys (2003)",
    bound: BOUND,
    inputs: ["price"],
    params: [
      WINDOW_PARAM,
      { name: "scale", kind: "number", default: 1, doc: "factor, e.g. to annualise" },
      CAPACITY_PARAM,
    ],
    plan: (p) => {
      const window = windowOf(p, "window");
      const capacity = numberOf(p, "capacity");
      return {
        words: 2 + momentWords(window, capacity),
        step: realizedVolatility,
        init: (a, s) => {
          a[s + 1] = numberOf(p, "scale");
          initMoments(a, s + 2, window, capacity, 0);
        },
      };
    },
  },
];
