// Source nodes: what the context of one instrument says at the trigger. Hot steps; 0 bytes; O(1) unless said.

import { pxOfLevel } from "../../market/book-stats.ts";
import { ASK, BID } from "../../market/l2-book.ts";
import { type NodePlan, type NodeType, numberOf, type ParamSpec, type Step, textOf } from "../node-type.ts";

const midPrice: Step = (_a, _s, c) => c.midPx;
const bestBid: Step = (_a, _s, c) => c.bidPx;
const bestAsk: Step = (_a, _s, c) => c.askPx;

const microPrice: Step = (_a, _s, c) => {
  const bidQty = c.book.bestBidLots;
  const askQty = c.book.bestAskLots;
  return (c.bidPx * askQty + c.askPx * bidQty) / (bidQty + askQty);
};

const levelPx: Step = (a, s, c) =>
  c.ready ? c.toPx(a[s]! > 0 ? pxOfLevel(c.book, BID, a[s + 1]!) : pxOfLevel(c.book, ASK, a[s + 1]!)) : NaN;

const levelQty: Step = (a, s, c) => {
  if (!c.ready) return NaN;
  const px = a[s]! > 0 ? pxOfLevel(c.book, BID, a[s + 1]!) : pxOfLevel(c.book, ASK, a[s + 1]!);
  return Number.isNaN(px) ? NaN : c.toQty(c.book.qtyAt(a[s]!, px));
};

const pastPx: Step = (a, s, c) => {
  const handle = c.bookAt(c.nowNs - a[s + 2]!);
  return handle < 0 ? NaN : c.toPx(c.history.pxTicksOf(handle, a[s]!, a[s + 1]!));
};

const pastQty: Step = (a, s, c) => {
  const handle = c.bookAt(c.nowNs - a[s + 2]!);
  if (handle < 0 || Number.isNaN(c.history.pxTicksOf(handle, a[s]!, a[s + 1]!))) return NaN;
  return c.toQty(c.history.qtyLotsOf(handle, a[s]!, a[s + 1]!));
};

const tradePx: Step = (_a, _s, c) => (c.trades.count === 0 ? NaN : c.toPx(c.trades.pxAt(c.trades.count - 1)));
const tradeQty: Step = (_a, _s, c) =>
  c.trades.count === 0 ? NaN : c.toQty(c.trades.qtyAt(c.trades.count - 1));
const tradeSigned: Step = (_a, _s, c) =>
  c.trades.count === 0 ? NaN : c.toQty(c.trades.signedQtyAt(c.trades.count - 1));
const tradeSide: Step = (_a, _s, c) =>
  c.trades.count === 0 ? NaN : Math.sign(c.trades.signedQtyAt(c.trades.count - 1));

const markPx: Step = (_a, _s, c) => c.markPx;
const indexPx: Step = (_a, _s, c) => c.indexPx;
const basis: Step = (_a, _s, c) => c.markPx - c.indexPx;
const fundingRate: Step = (_a, _s, c) => c.fundingRate;

const alpha: Step = (a, s, c) => {
  const index = a[s]!;
  if (index < 0) return NaN;
  const value = c.alpha(index);
  return c.alphaAgeNs(index) <= a[s + 1]! ? value : NaN;
};

const TRADE_FIELDS: Readonly<Record<string, Step>> = {
  px: tradePx,
  qty: tradeQty,
  signed_qty: tradeSigned,
  side: tradeSide,
};
const MARK_FIELDS: Readonly<Record<string, Step>> = {
  mark: markPx,
  index: indexPx,
  basis,
  funding_rate: fundingRate,
};

export const SIDE_PARAM: ParamSpec = {
  name: "side",
  kind: "choice",
  choices: ["bid", "ask"],
  default: "bid",
  doc: "side of the book",
};

const touch = (step: Step, field: string) => (): NodePlan => ({
  words: 0,
  step,
  code: ({ v, c }) => `${v} = ${c}.${field};`,
});
const stateless = (step: Step) => (): NodePlan => ({ words: 0, step });

export const SOURCES: readonly NodeType[] = [
  {
    name: "BookSnapshot",
    group: "source",
    fn: "book",
    summary: "Price or quantity of one book level, now or as it was `age` ago.",
    formula:
      "px or qty of the level-th best level of a side (0 = best); with age: of the snapshot bookAt(now − age)",
    unit: "price or quantity",
    source: "context",
    bound: "O(level); with age O(log snapshots)",
    inputs: [],
    perInstrument: true,
    params: [
      { name: "level", kind: "count", default: 0, max: 999, doc: "0 = best" },
      SIDE_PARAM,
      { name: "field", kind: "choice", choices: ["px", "qty"], default: "px", doc: "what to read" },
      { name: "age", kind: "time", optional: true, doc: "look at the stored snapshot this long ago" },
    ],
    plan: (p) => {
      const level = numberOf(p, "level");
      const age = p["age"] === undefined ? 0 : numberOf(p, "age");
      const px = textOf(p, "field") === "px";
      return {
        words: 3,
        step: age === 0 ? (px ? levelPx : levelQty) : px ? pastPx : pastQty,
        init: (a, s) => {
          a[s] = textOf(p, "side") === "bid" ? BID : ASK;
          a[s + 1] = level;
          a[s + 2] = age;
        },
        ...(age > 0 ? { needs: { historyLevels: level + 1, historyNs: age } } : {}),
      };
    },
  },
  {
    name: "Trade",
    group: "source",
    fn: "trade",
    summary: "The last trade.",
    formula: "px, qty, signed_qty (negative when the seller was the aggressor) or side (+1, −1, 0 unknown)",
    unit: "price, quantity or sign",
    source: "context",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [
      {
        name: "field",
        kind: "choice",
        choices: Object.keys(TRADE_FIELDS),
        default: "px",
        doc: "what to read",
      },
    ],
    plan: (p) => ({ words: 0, step: TRADE_FIELDS[textOf(p, "field")]! }),
  },
  {
    name: "MidPrice",
    group: "source",
    fn: "mid",
    summary: "Mid price.",
    formula: "(best bid + best ask) / 2",
    unit: "price",
    source: "context",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [],
    plan: touch(midPrice, "midPx"),
  },
  {
    name: "MicroPrice",
    group: "source",
    fn: "microprice",
    summary: "Mid price weighted by the opposite queue.",
    formula: "(bid·askQty + ask·bidQty) / (bidQty + askQty)",
    unit: "price",
    source: "Gatheral & Oomen, Zero-intelligence realized variance estimation (2010)",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [],
    plan: stateless(microPrice),
  },
  {
    name: "BestBid",
    group: "source",
    fn: "bid",
    summary: "Best bid price.",
    formula: "best bid",
    unit: "price",
    source: "context",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [],
    plan: touch(bestBid, "bidPx"),
  },
  {
    name: "BestAsk",
    group: "source",
    fn: "ask",
    summary: "Best ask price.",
    formula: "best ask",
    unit: "price",
    source: "context",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [],
    plan: touch(bestAsk, "askPx"),
  },
  {
    name: "MarkPrice",
    group: "source",
    fn: "mark",
    summary: "The venue's mark price, index price, their difference, or the funding rate.",
    formula: "mark, index, basis = mark − index, or funding_rate",
    unit: "price or rate",
    source: "venue",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [
      {
        name: "field",
        kind: "choice",
        choices: Object.keys(MARK_FIELDS),
        default: "mark",
        doc: "what to read",
      },
    ],
    plan: (p) => ({ words: 0, step: MARK_FIELDS[textOf(p, "field")]! }),
  },
  {
    name: "Alpha",
    group: "source",
    fn: "alpha",
    summary: "An external signal by name; NaN when it is older than max_age or was never seen.",
    formula: "last value, if now − its time ≤ max_age",
    unit: "the signal's",
    source: "signal registry",
    bound: "O(1)",
    inputs: [],
    perInstrument: true,
    params: [
      { name: "name", kind: "text", doc: "name of the signal" },
      { name: "max_age", kind: "time", default: 3_600_000_000_000, doc: "older values are not ready" },
    ],
    plan: (p) => ({
      words: 2,
      step: alpha,
      needs: { alpha: textOf(p, "name") },
      init: (a, s, c) => {
        a[s] = c.alphas.indexOf(textOf(p, "name"));
        a[s + 1] = numberOf(p, "max_age");
      },
    }),
  },
];
