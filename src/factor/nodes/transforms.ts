// Transform nodes: one series in, one series out. A not-ready input gives not ready and leaves the state as it
// was. Hot steps; 0 bytes.
import {
  type NodePlan,
  type NodeType,
  numberOf,
  type ParamSpec,
  type Params,
  type Step,
  textOf,
  windowOf,
} from "../node-type.ts";
import {
  diffCode,
  emaCode,
  meanCode,
  returnCode,
  shiftCode,
  stdCode,
  totalCode,
  zscoreCode,
} from "./count-code.ts";
import {
  countMomentWords,
  INVERSE_DIVISOR,
  INVERSE_N,
  initCountMoments,
  isConstant,
  K,
  meanOf,
  pushMoments,
  pushSum,
  RECOMPUTE_MAX,
  S1,
  sumOf,
} from "./count-moments.ts";
import {
  ANCHOR,
  COUNT,
  CUT,
  initTimeMoments,
  OFFSET_MEAN,
  pushTimeMoments,
  TIME_CAPACITY,
  timeMomentWords,
  VARIANCE_SUM,
} from "./time-moments.ts";

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
  doc: "samples a time window can hold, more are cut and counted; interval triggers: derived",
};
const DDOF_PARAM: ParamSpec = {
  name: "ddof",
  kind: "count",
  min: 0,
  max: 1,
  default: 0,
  doc: "variance divides by n − ddof",
};

const meanByCount: Step = (a, s, _c, x) => (x - x === 0 && pushSum(a, s, x) ? meanOf(a, s) : NaN);
const sumByCount: Step = (a, s, _c, x) => (x - x === 0 && pushSum(a, s, x) ? sumOf(a, s) : NaN);

const stdByCount: Step = (a, s, _c, x) => {
  if (x - x !== 0) return NaN;
  return Math.sqrt(pushMoments(a, s, x) * a[s + INVERSE_DIVISOR]!);
};

const zscoreByCount: Step = (a, s, _c, x) => {
  if (x - x !== 0) return NaN;
  const squares = pushMoments(a, s, x);
  if (squares === 0) return isConstant(a, s) ? 0 : NaN;
  const distance = x - a[s + K]! - a[s + S1]! * a[s + INVERSE_N]!;
  return distance / Math.sqrt(squares * a[s + INVERSE_DIVISOR]!);
};

// By time the first word is ddof, the moments follow.
const meanByTime: Step = (a, s, c, x) =>
  x - x === 0 && pushTimeMoments(a, s + 1, c.nowNs, x) ? a[s + 1 + ANCHOR]! + a[s + 1 + OFFSET_MEAN]! : NaN;

const sumByTime: Step = (a, s, c, x) => {
  if (x - x !== 0 || !pushTimeMoments(a, s + 1, c.nowNs, x)) return NaN;
  return (a[s + 1 + ANCHOR]! + a[s + 1 + OFFSET_MEAN]!) * a[s + 1 + COUNT]!;
};

const stdByTime: Step = (a, s, c, x) => {
  if (x - x !== 0 || !pushTimeMoments(a, s + 1, c.nowNs, x)) return NaN;
  const divisor = a[s + 1 + COUNT]! - a[s]!;
  return divisor > 0 ? Math.sqrt(a[s + 1 + VARIANCE_SUM]! / divisor) : NaN;
};

const zscoreByTime: Step = (a, s, c, x) => {
  if (x - x !== 0 || !pushTimeMoments(a, s + 1, c.nowNs, x)) return NaN;
  const divisor = a[s + 1 + COUNT]! - a[s]!;
  if (!(divisor > 0)) return NaN;
  const squares = a[s + 1 + VARIANCE_SUM]!;
  if (squares === 0) return 0;
  return (x - a[s + 1 + ANCHOR]! - a[s + 1 + OFFSET_MEAN]!) / Math.sqrt(squares / divisor);
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
  const n = a[s]! | 0;
  const slot = a[s + 2]! | 0;
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

// [price before, scale, sum of squared returns…]
const volatilityByCount: Step = (a, s, _c, x) => {
  const square = squaredReturn(a, s, x);
  return square - square === 0 && pushSum(a, s + 2, square) ? a[s + 1]! * root(sumOf(a, s + 2)) : NaN;
};

const volatilityByTime: Step = (a, s, c, x) => {
  const square = squaredReturn(a, s, x);
  const m = s + 2;
  if (square - square !== 0 || !pushTimeMoments(a, m, c.nowNs, square)) return NaN;
  return a[s + 1]! * root((a[m + ANCHOR]! + a[m + OFFSET_MEAN]!) * a[m + COUNT]!);
};

function squaredReturn(a: Float64Array, s: number, x: number): number {
  if (!(x > 0) || x === Infinity) return NaN;
  const before = a[s]!;
  a[s] = x;
  if (before === 0) return NaN;
  const r = Math.log(x / before);
  return r * r;
}

const root = (sum: number): number => Math.sqrt(Math.max(sum, 0));

const moments =
  (byCount: Step, byTime: Step, code: NonNullable<NodePlan["code"]>) =>
  (p: Params): NodePlan => {
    const window = windowOf(p, "window");
    const capacity = numberOf(p, "capacity");
    const ddof = (p["ddof"] as number | undefined) ?? 0;
    if (window.by === "count") {
      return {
        words: countMomentWords(window.size),
        step: byCount,
        ...(window.size <= RECOMPUTE_MAX ? { code } : {}),
        init: (a, s) => initCountMoments(a, s, window.size, ddof),
      };
    }
    return {
      words: 1 + timeMomentWords(capacity),
      step: byTime,
      cutWord: 1 + CUT,
      init: (a, s) => {
        a[s] = ddof;
        initTimeMoments(a, s + 1, window.size, capacity);
      },
    };
  };

function volatilityPlan(p: Params): NodePlan {
  const window = windowOf(p, "window");
  const capacity = numberOf(p, "capacity");
  const byCount = window.by === "count";
  return {
    words: 2 + (byCount ? countMomentWords(window.size) : timeMomentWords(capacity)),
    step: byCount ? volatilityByCount : volatilityByTime,
    ...(byCount ? {} : { cutWord: 2 + CUT }),
    init: (a, s) => {
      a[s + 1] = numberOf(p, "scale");
      if (byCount) initCountMoments(a, s + 2, window.size);
      else initTimeMoments(a, s + 2, window.size, capacity);
    },
  };
}

const lagged =
  (step: Step, code?: NonNullable<NodePlan["code"]>) =>
  (p: Params): NodePlan => {
    const n = numberOf(p, "periods");
    return {
      words: 3 + n,
      step,
      ...(code === undefined ? {} : { code }),
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

const NUMERICS = "shifted sums, renewed every window; src/factor/nodes/{count,time}-moments.ts";
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
    plan: moments(meanByCount, meanByTime, meanCode),
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
    plan: moments(stdByCount, stdByTime, stdCode),
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
    plan: moments(sumByCount, sumByTime, totalCode),
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
    plan: moments(zscoreByCount, zscoreByTime, zscoreCode),
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
        ...(span === undefined ? {} : { code: emaCode }),
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
    plan: lagged(diff, diffCode),
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
    plan: (p) => (textOf(p, "kind") === "simple" ? lagged(simpleReturn, returnCode) : lagged(logReturn))(p),
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
    plan: lagged(lag, shiftCode),
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
    plan: volatilityPlan,
  },
];
