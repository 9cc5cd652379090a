import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FactorGraph, type Trigger } from "../../../src/factor/graph.ts";
import { updateBatch } from "../../../src/factor/update-batch.ts";
import { NaiveBook } from "../market/naive-book.ts";
import { BASE_NS, type MarketEvent, randomMarket, toRows } from "./event-rows.ts";
import { expectClose } from "./series-graph.ts";

const SEED = 7_117;
const EVENTS = 150;

/** Everything known at a trigger, kept as plain history. */
interface View {
  readonly nowNs: number;
  readonly book: NaiveBook;
  readonly startNs: number;
  readonly trades: readonly {
    readonly tsNs: number;
    readonly px: number;
    readonly qty: number;
    readonly side: number;
  }[];
  /** Level lists after every book event: [px, lots] descending bids, ascending asks. */
  readonly books: readonly {
    readonly tsNs: number;
    readonly bids: [number, number][];
    readonly asks: [number, number][];
  }[];
  /** (Σ signed lots, 2·mid) of every trigger with a mid, this one last. */
  readonly triggers: readonly { readonly flow: number; readonly mid2: number }[];
}

type Oracle = (v: View) => number;

const px = (ticks: number): number => ticks / 10;
const bids = (v: View): [number, number][] => v.book.descendingBids();
const asks = (v: View): [number, number][] => v.book.ascendingAsks();
const mid = (v: View): number => (px(v.book.bestBid()) + px(v.book.bestAsk())) / 2;
const sumOf = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const lots = (levels: readonly [number, number][]): number => sumOf(levels.map((l) => l[1]));
const ratio = (b: number, a: number): number => (a + b === 0 ? NaN : (b - a) / (a + b));

function obi(v: View, depth: number): number {
  const from = Math.ceil((mid(v) * (1 - depth)) / 0.1);
  const to = Math.floor((mid(v) * (1 + depth)) / 0.1);
  if (Number.isNaN(mid(v))) return NaN;
  return ratio(v.book.sumBids(from), v.book.sumAsks(to));
}

const tradesIn = (v: View, ns: number) => v.trades.filter((t) => t.tsNs > v.nowNs - ns);
const vwap = (trades: View["trades"]): number =>
  sumOf(trades.map((t) => px(t.px) * t.qty)) / sumOf(trades.map((t) => t.qty));
const covered = (v: View, ns: number, value: number): number => (v.nowNs - v.startNs >= ns ? value : NaN);

type Levels = { bids: [number, number][]; asks: [number, number][] };
function flowOf(before: Levels, now: Levels, m: number): number {
  const [pb, qb] = now.bids[m] ?? [-Infinity, 0];
  const [pb0, qb0] = before.bids[m] ?? [-Infinity, 0];
  const [pa, qa] = now.asks[m] ?? [Infinity, 0];
  const [pa0, qa0] = before.asks[m] ?? [Infinity, 0];
  return (pb >= pb0 ? qb : 0) - (pb <= pb0 ? qb0 : 0) - (pa <= pa0 ? qa : 0) + (pa >= pa0 ? qa0 : 0);
}

function ofi(v: View, count: number, ns: number, levels: number, decay: number): number {
  const flows = v.books.map((b, i) => ({
    tsNs: b.tsNs,
    e:
      i === 0
        ? 0
        : sumOf(Array.from({ length: levels }, (_, m) => decay ** m * flowOf(v.books[i - 1]!, b, m))),
  }));
  if (ns > 0)
    return covered(v, ns, sumOf(flows.filter((f) => f.tsNs > v.nowNs - ns).map((f) => f.e)) * 0.001);
  return v.books.length > count ? sumOf(flows.slice(-count).map((f) => f.e)) * 0.001 : NaN;
}

const pressureSide = (levels: readonly [number, number][], n: number): number =>
  sumOf(levels.slice(0, n).map((l, i) => l[1] / (i + 1)));

/** Time-weighted mean of a value held between book events; NaN while the history is shorter. */
function held(v: View, ns: number, f: (b: View["books"][number]) => number): number {
  const from = v.nowNs - ns;
  let total = 0;
  let known = false;
  v.books.forEach((b, i) => {
    const end = v.books[i + 1]?.tsNs ?? v.nowNs;
    if (b.tsNs <= from) known = true;
    const span = end - Math.max(b.tsNs, from);
    if (span > 0) total += f(b) * span;
  });
  return known ? total / ns : NaN;
}

function kyle(v: View, n: number): number {
  const t = v.triggers;
  if (t.length <= n) return NaN;
  const x = t.slice(-n).map((p, i) => p.flow - t[t.length - n - 1 + i]!.flow);
  const y = t.slice(-n).map((p, i) => p.mid2 - t[t.length - n - 1 + i]!.mid2);
  const mx = sumOf(x) / n;
  const my = sumOf(y) / n;
  const variance = sumOf(x.map((a) => (a - mx) ** 2));
  if (x.every((a) => a === x[0])) return NaN;
  return ((sumOf(x.map((a, i) => (a - mx) * (y[i]! - my))) / variance) * 0.1) / (2 * 0.001);
}

/** The stored snapshot at or before now − age: instants are multiples of 100 ms. */
function past(v: View, ageNs: number, pick: (b: View["books"][number]) => number): number {
  const target = Math.floor((v.nowNs - ageNs) / 1e8) * 1e8;
  const found = v.books.filter((b) => b.tsNs <= target).at(-1);
  const first = Math.ceil(v.books[0]!.tsNs / 1e8) * 1e8;
  return found === undefined || target < first ? NaN : pick(found);
}

const CASES: readonly [type: string, config: Record<string, unknown>, Oracle][] = [
  ["MidPrice", {}, mid],
  ["BestBid", {}, (v) => px(v.book.bestBid())],
  ["BestAsk", {}, (v) => px(v.book.bestAsk())],
  ["Spread", {}, (v) => px(v.book.bestAsk()) - px(v.book.bestBid())],
  [
    "MicroPrice",
    {},
    (v) => {
      const [b, qb] = bids(v)[0] ?? [NaN, 0];
      const [a, qa] = asks(v)[0] ?? [NaN, 0];
      return (px(b) * qa + px(a) * qb) / (qa + qb);
    },
  ],
  ["BookSnapshot", { level: 2 }, (v) => px(bids(v)[2]?.[0] ?? NaN)],
  ["BookSnapshot", { level: 1, side: "ask", field: "qty" }, (v) => (asks(v)[1]?.[1] ?? NaN) * 0.001],
  ["BookSnapshot", { level: 1, age: "700ms" }, (v) => past(v, 7e8, (b) => px(b.bids[1]?.[0] ?? NaN))],
  ["Trade", {}, (v) => px(v.trades.at(-1)?.px ?? NaN)],
  [
    "Trade",
    { field: "signed_qty" },
    (v) => (v.trades.length === 0 ? NaN : v.trades.at(-1)!.qty * v.trades.at(-1)!.side * 0.001),
  ],
  ["Trade", { field: "side" }, (v) => v.trades.at(-1)?.side ?? NaN],
  ["OBI", { looking_depth: 0.0001 }, (v) => obi(v, 0.0001)],
  ["OBI", { looking_depth: 0.002 }, (v) => obi(v, 0.002)],
  ["OBI", { levels: 3 }, (v) => ratio(lots(bids(v).slice(0, 3)), lots(asks(v).slice(0, 3)))],
  [
    "OBI",
    { levels: 2, mode: "difference" },
    (v) => (lots(bids(v).slice(0, 2)) - lots(asks(v).slice(0, 2))) * 0.001,
  ],
  ["VWAP", { window: "2s" }, (v) => covered(v, 2e9, vwap(tradesIn(v, 2e9)))],
  ["VWAP", { window: 7 }, (v) => (v.trades.length < 7 ? NaN : vwap(v.trades.slice(-7)))],
  [
    "TradeFlow",
    { window: "2s" },
    (v) => covered(v, 2e9, sumOf(tradesIn(v, 2e9).map((t) => t.qty * t.side)) * 0.001),
  ],
  [
    "TradeFlow",
    { window: 5, mode: "ratio" },
    (v) => {
      const last = v.trades.slice(-5);
      return last.length < 5 ? NaN : sumOf(last.map((t) => t.qty * t.side)) / sumOf(last.map((t) => t.qty));
    },
  ],
  ["TradeIntensity", { window: "1s" }, (v) => covered(v, 1e9, tradesIn(v, 1e9).length)],
  ["TWAP", { window: "1500ms" }, (v) => held(v, 15e8, (b) => px((b.bids[0]![0] + b.asks[0]![0]) / 2))],
  ["BookPressure", { levels: 4 }, (v) => ratio(pressureSide(bids(v), 4), pressureSide(asks(v), 4))],
  [
    "BookPressure",
    { levels: 3, window: "1s" },
    (v) => held(v, 1e9, (b) => ratio(pressureSide(b.bids, 3), pressureSide(b.asks, 3))),
  ],
  ["OFI", { window: 6 }, (v) => ofi(v, 6, 0, 1, 1)],
  ["OFI", { window: "2s" }, (v) => ofi(v, 0, 2e9, 1, 1)],
  ["OFI", { window: 9, levels: 4, decay: 0.5 }, (v) => ofi(v, 9, 0, 4, 0.5)],
  ["KyleLambda", { window: 8 }, (v) => kyle(v, 8)],
];

/** Both sides of the book keep levels deep down, so that no oracle has to define a one-sided market. */
function twoSided(seed: number): MarketEvent[] {
  const events = randomMarket(seed, EVENTS);
  const base = Array.from({ length: 6 }, (_, i) => [
    [1, 599_000 - i, 5 + i],
    [-1, 602_000 + i, 7 + i],
  ]).flat() as [number, number, number][];
  return events.map((e, i) => (i === 0 ? { ...e, levels: [...base, ...e.levels] } : e));
}

function expected(events: readonly MarketEvent[], on: "book" | "trade", oracle: Oracle): number[] {
  const book = new NaiveBook();
  const trades: View["trades"][number][] = [];
  const books: View["books"][number][] = [];
  const triggers: View["triggers"][number][] = [];
  const out: number[] = [];
  for (const e of events) {
    for (const [side, ticks, qty] of e.levels) book.apply(side, ticks, qty);
    for (const [ticks, qty, side] of e.trades) trades.push({ tsNs: e.tsNs, px: ticks, qty, side });
    if (e.levels.length > 0)
      books.push({ tsNs: e.tsNs, bids: book.descendingBids(), asks: book.ascendingAsks() });
    if (on === "book" ? e.levels.length === 0 : e.trades.length === 0) continue;
    const flow = sumOf(trades.map((t) => t.qty * t.side));
    triggers.push({ flow, mid2: book.bestBid() + book.bestAsk() });
    out.push(oracle({ nowNs: e.tsNs, book, startNs: events[0]!.tsNs, trades, books, triggers }));
  }
  return out;
}

describe("every source and factor equals its naive recomputation from the rows", () => {
  for (const [type, config, oracle] of CASES) {
    test(`${type} ${JSON.stringify(config)} on book and trade triggers (seed ${SEED})`, () => {
      fc.assert(
        fc.property(fc.nat(1 << 30), fc.constantFrom("book" as const, "trade" as const), (seed, on) => {
          const events = twoSided(seed);
          const program = new FactorGraph("one", { on })
            .addNode("n", type, config)
            .setOutput("n", "n")
            .compile();
          const got = updateBatch(program, [toRows(events)], { tickSize: "0.1", lotSize: "0.001" });
          expectClose([...got.columns["n"]!], expected(events, on, oracle), 1e-3);
        }),
        { seed: SEED, numRuns: 6 },
      );
    });
  }

  test("timestamps are exact nanoseconds since the epoch, of the event or of the multiple", () => {
    const events = twoSided(5);
    const run = (trigger: Trigger) => {
      const program = new FactorGraph("t", trigger).addNode("n", "MidPrice").setOutput("n", "n").compile();
      return updateBatch(program, [toRows(events)], { tickSize: "0.1", lotSize: "0.001" });
    };
    const books = events.filter((e) => e.levels.length > 0).map((e) => BASE_NS + BigInt(e.tsNs));
    expect([...run({ on: "book" }).timestamp]).toEqual(books);
    const interval = 300_000_000;
    const got = run({ on: "interval", intervalNs: interval });
    const first = (BigInt(events[0]!.tsNs) + BASE_NS) / 300_000_000n + 1n;
    const last = (BigInt(events.at(-1)!.tsNs) + BASE_NS) / 300_000_000n;
    const wanted = Array.from(
      { length: Number(last - first) + 1 },
      (_, i) => (first + BigInt(i)) * 300_000_000n,
    );
    expect([...got.timestamp]).toEqual(wanted);
    const mids = wanted.map((t) => {
      const book = new NaiveBook();
      for (const e of events) {
        if (BASE_NS + BigInt(e.tsNs) > t) break;
        for (const [side, ticks, qty] of e.levels) book.apply(side, ticks, qty);
      }
      return (px(book.bestBid()) + px(book.bestAsk())) / 2;
    });
    expectClose([...got.columns["n"]!], mids);
  });
});
