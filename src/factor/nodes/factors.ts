// Factor nodes: measures of book and trades, over the context of one instrument. Hot steps; 0 bytes.
// A time window is not ready until the instrument has been observed for that long.
import { depthOfLevels, bookPressure as pressureNow } from "../../market/book-stats.ts";
import { ASK, BID } from "../../market/l2-book.ts";
import type { InstrumentContext } from "../context.ts";
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
import { obiCode } from "./count-code.ts";
import { WINDOW_PARAM } from "./transforms.ts";

const spread: Step = (_a, _s, c) => c.askPx - c.bidPx;

// OBI: [1 − d, 1 + d, band, difference?, mid of the bounds, lowest bid tick]
const OBI_WORDS = 6;
const obiDepth: Step = (a, s, c) => {
  const mid = c.midPx;
  // Without a mid there is no depth to look in.
  if (Number.isNaN(mid)) return NaN;
  const { book } = c;
  const band = a[s + 2]! | 0;
  // The book of a restored lane has the band still to place.
  if (mid !== a[s + 4] || book.bandFrom(band) !== a[s + 5]) {
    a[s + 4] = mid;
    a[s + 5] = Math.ceil((mid * a[s]!) / c.tickSize);
    book.moveBand(band, a[s + 5]!, Math.floor((mid * a[s + 1]!) / c.tickSize));
  }
  return imbalance(book.bandBidLots(band), book.bandAskLots(band), a[s + 3]!, c);
};

function imbalance(bids: number, asks: number, difference: number, c: InstrumentContext): number {
  if (difference !== 0) return bids + asks === 0 ? NaN : c.toQty(bids - asks);
  return bids + asks === 0 ? NaN : (bids - asks) / (bids + asks);
}

// [levels, difference?]
const obiLevels: Step = (a, s, c) => {
  if (!c.ready) return NaN;
  return imbalance(depthOfLevels(c.book, BID, a[s]!), depthOfLevels(c.book, ASK, a[s]!), a[s + 1]!, c);
};

/** First trade of the node's window [size, by time], −1 while it is not full. */
function tradesFrom(a: Float64Array, s: number, c: InstrumentContext): number {
  if (a[s + 1] === 0) return c.trades.firstOfLast(a[s]!);
  return c.nowNs - c.startTsNs >= a[s]! ? c.tradesInWindow(a[s]!) : -1;
}

const vwap: Step = (a, s, c) => {
  const first = tradesFrom(a, s, c);
  if (first < 0) return NaN;
  return (c.trades.valueSince(first) / c.trades.qtySince(first)) * c.tickSize;
};

const twap: Step = (a, s, c) => c.twap(a[s]!);

const flowDifference: Step = (a, s, c) => {
  const first = tradesFrom(a, s, c);
  return first < 0 ? NaN : c.toQty(c.trades.signedQtySince(first));
};
const flowRatio: Step = (a, s, c) => {
  const first = tradesFrom(a, s, c);
  return first < 0 ? NaN : c.trades.signedQtySince(first) / c.trades.qtySince(first);
};

// OFI: [size, by time, levels, decay]
const ofi: Step = (a, s, c) => {
  if (!c.ready) return NaN;
  const first = flowFrom(a, s, c);
  if (first < 0) return NaN;
  const levels = a[s + 2]!;
  const decay = a[s + 3]!;
  let total = 0;
  let weight = 1;
  for (let m = 0; m < levels; m++) {
    total += weight * c.flow.sumSince(first, m);
    weight *= decay;
  }
  return c.toQty(total);
};

function flowFrom(a: Float64Array, s: number, c: InstrumentContext): number {
  if (a[s + 1] !== 0) {
    return c.nowNs - c.startTsNs >= a[s]! ? c.flow.firstAfter(c.nowNs - a[s]!) : -1;
  }
  // The first book event has no flow: n events need one before them.
  return c.flow.count > a[s]! ? c.flow.firstOfLast(a[s]!) : -1;
}

const pressure: Step = (a, s, c) => (c.ready ? pressureNow(c.book, a[s]!) : NaN);
const pressureMean: Step = (a, s, c) => c.bookPressure(a[s + 1]!, a[s + 2]!);

const intensity: Step = (a, s, c) => (c.nowNs - c.startTsNs >= a[s]! ? c.tradeIntensity(a[s]!) : NaN);

// Kyle: [n, pairs seen, slot, started, mid2 before, trades' Σ signed before, Σx, Σy, Σxx, Σxy, | x × n | y × n]
const KYLE_RING = 10;
const kyle: Step = (a, s, c) => {
  if (Number.isNaN(c.midPx)) return NaN;
  const mid2 = c.book.bestBidTicks + c.book.bestAskTicks;
  const trades = c.trades.count;
  const flow = c.trades.signedQtySince(Math.max(a[s + 5]!, c.trades.oldest));
  const before = a[s + 4]!;
  a[s + 4] = mid2;
  a[s + 5] = trades;
  if (a[s + 3] === 0) {
    a[s + 3] = 1;
    return NaN;
  }
  pushPair(a, s, flow, mid2 - before);
  const n = a[s]!;
  if (a[s + 1]! < n) return NaN;
  const variance = n * a[s + 8]! - a[s + 6]! * a[s + 6]!;
  if (variance === 0) return NaN;
  const slope = (n * a[s + 9]! - a[s + 6]! * a[s + 7]!) / variance;
  return (slope * c.tickSize) / (2 * c.lotSize);
};

/** Sums of integers (half ticks, lots): exact while they stay below 2^53. */
function pushPair(a: Float64Array, s: number, x: number, y: number): void {
  const n = a[s]!;
  const slot = a[s + 2]!;
  const at = s + KYLE_RING + slot;
  const oldX = a[at]!;
  const oldY = a[at + n]!;
  a[at] = x;
  a[at + n] = y;
  a[s + 6] = a[s + 6]! + x - oldX;
  a[s + 7] = a[s + 7]! + y - oldY;
  a[s + 8] = a[s + 8]! + (x * x - oldX * oldX);
  a[s + 9] = a[s + 9]! + (x * y - oldX * oldY);
  a[s + 1] = a[s + 1]! + 1;
  a[s + 2] = slot + 1 === n ? 0 : slot + 1;
}

const MODE: ParamSpec = {
  name: "mode",
  kind: "choice",
  choices: ["ratio", "difference"],
  default: "ratio",
  doc: "ratio in −1 … 1, or difference in quantity units",
};
const TRADE_WINDOW: ParamSpec = {
  ...WINDOW_PARAM,
  max: 1 << 17,
  doc: 'number of trades, or a time such as "10s"',
};
const TIME_WINDOW: ParamSpec = { name: "window", kind: "time", doc: 'a time such as "10s"' };

const windowed =
  (step: Step) =>
  (p: Params): NodePlan => {
    const window = windowOf(p, "window");
    return {
      words: 2,
      step,
      ...(window.by === "count" ? { needs: { trades: window.size } } : {}),
      init: (a, s) => {
        a[s] = window.size;
        a[s + 1] = window.by === "time" ? 1 : 0;
      },
    };
  };

function obiPlan(p: Params): NodePlan | string {
  const depth = p["looking_depth"] as number | undefined;
  const levels = p["levels"] as number | undefined;
  if ((depth === undefined) === (levels === undefined))
    return "needs exactly one of looking_depth and levels";
  const difference = textOf(p, "mode") === "difference" ? 1 : 0;
  if (levels !== undefined) {
    return {
      words: 2,
      step: obiLevels,
      init: (a, s) => {
        a[s] = levels;
        a[s + 1] = difference;
      },
    };
  }
  return {
    words: OBI_WORDS,
    step: obiDepth,
    ...(difference === 0 ? { code: obiCode } : {}),
    needs: { bands: 1 },
    init: (a, s, c) => {
      a[s] = 1 - depth!;
      a[s + 1] = 1 + depth!;
      a[s + 2] = c.book.addBand();
      a[s + 3] = difference;
    },
  };
}

function pressurePlan(p: Params): NodePlan {
  const levels = numberOf(p, "levels");
  const window = p["window"] as number | undefined;
  return {
    words: 3,
    step: window === undefined ? pressure : pressureMean,
    ...(window === undefined ? {} : { needs: { pressureLevels: levels } }),
    init: (a, s, c) => {
      a[s] = levels;
      a[s + 1] = window ?? 0;
      a[s + 2] = c.config.pressureLevels.indexOf(levels);
    },
  };
}

export const FACTORS: readonly NodeType[] = [
  {
    name: "OBI",
    group: "factor",
    fn: "obi",
    summary: "Order book imbalance within a relative depth of the mid, or of the best levels.",
    formula:
      "(B − A)/(B + A); B = bids with tick ≥ ceil(mid·(1 − d)/tick), A = asks with tick ≤ floor(mid·(1 + d)/tick); both empty: NaN",
    unit: "−1 … 1, or quantity",
    source: "Cont, Kukanov, Stoikov (2014); hftbacktest's market-making example",
    bound: "O(ticks the bound moved); levels = n: O(n)",
    inputs: [],
    perInstrument: true,
    params: [
      {
        name: "looking_depth",
        kind: "number",
        min: 0,
        max: 1,
        optional: true,
        doc: "fraction of the mid price",
      },
      {
        name: "levels",
        kind: "count",
        min: 1,
        max: 1000,
        optional: true,
        doc: "best levels of each side instead",
      },
      MODE,
    ],
    plan: obiPlan,
  },
  {
    name: "VWAP",
    group: "factor",
    fn: "vwap",
    summary: "Volume-weighted average price of trades.",
    formula: "Σ px·qty / Σ qty",
    unit: "price",
    source: "Berkowitz, Logue, Noser (1988)",
    bound: "O(log trades held)",
    inputs: [],
    perInstrument: true,
    params: [TRADE_WINDOW],
    plan: windowed(vwap),
  },
  {
    name: "TWAP",
    group: "factor",
    fn: "twap",
    summary: "Time-weighted average of the mid price.",
    formula: "∫ mid dt / window",
    unit: "price",
    source: "definition",
    bound: "O(log changes held)",
    inputs: [],
    perInstrument: true,
    params: [TIME_WINDOW],
    plan: (p) => ({
      words: 1,
      step: twap,
      needs: { midIntegral: true },
      init: (a, s) => {
        a[s] = numberOf(p, "window");
      },
    }),
  },
  {
    name: "TradeFlow",
    group: "factor",
    fn: "tradeflow",
    summary: "Aggressive buys against aggressive sells.",
    formula: "Σ buys − Σ sells, or that over Σ qty",
    unit: "quantity, or −1 … 1",
    source: "Chordia, Roll, Subrahmanyam (2002)",
    bound: "O(log trades held)",
    inputs: [],
    perInstrument: true,
    params: [TRADE_WINDOW, { ...MODE, default: "difference" }],
    plan: (p) => windowed(textOf(p, "mode") === "ratio" ? flowRatio : flowDifference)(p),
  },
  {
    name: "OFI",
    group: "factor",
    fn: "ofi",
    summary: "Order-flow imbalance of book events, best level or several.",
    formula:
      "Σ over events of 1{Pb≥Pb'}qb − 1{Pb≤Pb'}qb' − 1{Pa≤Pa'}qa + 1{Pa≥Pa'}qa'; levels: Σ decay^m · level m",
    unit: "quantity",
    source: "Cont, Kukanov, Stoikov (2014), eq. 4; Xu, Gould, Howison (2018)",
    bound: "O(levels + log events held)",
    inputs: [],
    perInstrument: true,
    params: [
      { ...WINDOW_PARAM, max: 8192, doc: 'number of book events, or a time such as "10s"' },
      { name: "levels", kind: "count", min: 1, max: 20, default: 1, doc: "best levels of each side" },
      {
        name: "decay",
        kind: "number",
        min: 0,
        max: 1,
        default: 1,
        doc: "weight of a level against the one before",
      },
    ],
    plan: (p) => {
      const window = windowOf(p, "window");
      const levels = numberOf(p, "levels");
      return {
        words: 4,
        step: ofi,
        needs: { flowLevels: levels },
        init: (a, s) => {
          a[s] = window.size;
          a[s + 1] = window.by === "time" ? 1 : 0;
          a[s + 2] = levels;
          a[s + 3] = numberOf(p, "decay");
        },
      };
    },
  },
  {
    name: "BookPressure",
    group: "factor",
    fn: "pressure",
    summary:
      "Imbalance of the best levels, nearer levels weighing more; now, or time-weighted over a window.",
    formula: "(B − A)/(B + A), B = Σ bid qty of rank r / r, A likewise",
    unit: "−1 … 1",
    source: "weighted imbalance after Cao, Hansch, Wang (2009)",
    bound: "O(levels); with window O(log changes held)",
    inputs: [],
    perInstrument: true,
    params: [
      { name: "levels", kind: "count", min: 1, max: 100, default: 5, doc: "best levels of each side" },
      { ...TIME_WINDOW, optional: true, doc: "time-weighted mean over this long" },
    ],
    plan: pressurePlan,
  },
  {
    name: "Spread",
    group: "factor",
    fn: "spread",
    summary: "Bid-ask spread.",
    formula: "best ask − best bid",
    unit: "price",
    source: "definition",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [],
    plan: () => ({ words: 0, step: spread, code: ({ v, c }) => `${v} = ${c}.askPx - ${c}.bidPx;` }),
  },
  {
    name: "TradeIntensity",
    group: "factor",
    fn: "intensity",
    summary: "Trades per second.",
    formula: "trades in window / window",
    unit: "1/s",
    source: "definition",
    bound: "O(log trades held)",
    inputs: [],
    perInstrument: true,
    params: [TIME_WINDOW],
    plan: (p) => ({
      words: 1,
      step: intensity,
      init: (a, s) => {
        a[s] = numberOf(p, "window");
      },
    }),
  },
  {
    name: "KyleLambda",
    group: "factor",
    fn: "kyle",
    summary: "Price impact of signed volume: slope of mid changes on trade flow between triggers.",
    formula: "λ = Cov(Δmid, signed qty) / Var(signed qty) over the last `window` triggers; no variance: NaN",
    unit: "price per quantity",
    source: "Kyle (1985); estimator: Hasbrouck (2009)",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [{ name: "window", kind: "count", min: 2, max: 65_536, default: 100, doc: "triggers" }],
    plan: (p) => {
      const n = numberOf(p, "window");
      return {
        words: KYLE_RING + 2 * n,
        step: kyle,
        init: (a, s) => {
          a[s] = n;
        },
      };
    },
  },
];
