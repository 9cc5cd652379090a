import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyseFills } from "../../../src/analytics/fill-analysis.ts";
import { feedGrid, latencyByStage, latencyGrid, STAGES } from "../../../src/analytics/latency-analysis.ts";
import { equityCurve, runMetrics } from "../../../src/analytics/metrics.ts";
import type { HeatMap, Table } from "../../../src/analytics/page/page-model.ts";
import { attributeByHour, attributePnl } from "../../../src/analytics/pnl-attribution.ts";
import { pnlCurve } from "../../../src/analytics/pnl-curve.ts";
import { quintiles } from "../../../src/analytics/quintiles.ts";
import { analyseQuotes, quotesByDistance } from "../../../src/analytics/quote-analysis.ts";
import { ColumnTable } from "../../../src/analytics/run-result.ts";
import { CURVE_NS, type SessionFacts } from "../../../src/analytics/session-facts.ts";
import { writeSessionFiles } from "../../../src/analytics/session-files.ts";
import { sessionPage } from "../../../src/analytics/session-page.ts";
import { FIRST_ADOPTED_SEQ } from "../../../src/order/client-id.ts";
import { QuotePass } from "../../../src/record/facts/quote-pass.ts";
import { readSession, type SessionRange } from "../../../src/record/facts/read-session.ts";
import { storeSource } from "../../../src/record/facts/store-source.ts";
import { TakenIn, walSource } from "../../../src/record/facts/wal-source.ts";
import { MidHistory } from "../../../src/record/mid-history.ts";
import { ORDER_CANCELED, ORDER_FILLED, ORDER_REJECTED } from "../../../src/wire/codes.ts";
import { LIBRARY, openEngine } from "../../e2e/embedded.ts";
import { MS, s, writeHandSession } from "./hand-session.ts";
import { recordAll } from "./record-all.ts";

const dir = mkdtempSync(join(tmpdir(), "hotlane-session-"));
const ALL = { from: null, to: null, strategy: null };
let facts: SessionFacts;
beforeAll(async () => {
  facts = await readSession(walSource(writeHandSession(dir)), ALL);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const at = (ns: (typeof CURVE_NS)[number]): number => CURVE_NS.indexOf(ns);

test("orders and fills of the WAL are the run's tables; a trade told twice is one fill", () => {
  const { orders, fills, instruments, strategies } = facts.result;
  expect([instruments[0]!.symbol, strategies]).toEqual(["XUSDT", ["mm"]]);
  expect([...orders.values("state")]).toEqual([ORDER_FILLED, ORDER_CANCELED, ORDER_REJECTED]);
  expect([...orders.values("filledLots")]).toEqual([20, 30, 0]);
  expect([...orders.values("exchTsNs")]).toEqual([s(2) + 5 * MS, s(2) + 4 * MS, Number.NaN]);
  expect(orders.at("rejectCode")[2]).toBe(-5022);
  expect(fills.rows).toBe(2);
  expect([...fills.values("mid0Ticks")]).toEqual([104, 102]);
  expect([...fills.values("fee")]).toEqual([0.02, 0.3]);
  expect([...fills.values("queueWaitNs")]).toEqual([495 * MS, Number.NaN]);
  expect(facts.opening).toEqual([{ strategy: 1, instrument: 0, lots: 5 }]);
  expect(facts.notes).toEqual([]);
});

test("a fee in another asset is said and not counted", async () => {
  const other = mkdtempSync(join(tmpdir(), "hotlane-session-"));
  const read = await readSession(walSource(writeHandSession(other, 2)), ALL);
  rmSync(other, { recursive: true });
  expect([...read.result.fills.values("fee")]).toEqual([Number.NaN, 0.3]);
  expect(read.notes).toEqual([
    "fees in another asset than the settlement currency (1 fills) are not in the result",
  ]);
});

test("fill analysis of the hand-computed session", () => {
  const a = analyseFills(facts, () => true);
  // Values 50 · 2 and 52.5 · 3.
  const mean = (x: number, y: number): number => ((100 * x + 157.5 * y) / 257.5) * 1e4;
  expect(a.value).toBeCloseTo(257.5, 12);
  expect([a.orders, a.fills]).toEqual([3, 2]);
  expect(a.slippageDecisionBps).toBeCloseTo(mean(-1 / 101, -1 / 104), 9);
  // The first order arrived when the mid had gone to 104.
  expect(a.slippageArrivalBps).toBeCloseTo(mean(-4 / 104, -1 / 104), 9);
  expect(a.slippageFillBps).toBeCloseTo(mean(-4 / 104, -3 / 102), 9);
  expect(a.fillRate).toBe(1);
  expect(a.qtyFillRate).toBeCloseTo(50 / 60, 12);
  expect(a.makerShare).toBeCloseTo(100 / 257.5, 12);
  expect([a.cancelRatio, a.cancelsPerOrder, a.modifiesPerOrder]).toEqual([0.5, 1 / 3, 0]);
  expect(a.rejectRatio).toBeCloseTo(1 / 3, 12);
  expect([a.timeToFillNs.p50, a.timeToFillNs.max]).toEqual([495 * MS, 1496 * MS]);
  expect([a.queueWaitNs.count, a.queueWaitNs.p50]).toEqual([1, 495 * MS]);
  // 100 ms after the fills the mids are 104 and 102, from 1 s on both are 102.
  expect(a.markOutsBps[at(100e6)]).toBeCloseTo(mean(4 / 100, 3 / 105), 9);
  expect(a.markOutsBps[at(1e9)]).toBeCloseTo(mean(2 / 100, 3 / 105), 9);
  expect(a.markOutsBps[at(60e9)]).toBeCloseTo(mean(2 / 100, 3 / 105), 9);
  expect(a.adverseBps[at(1e9)]).toBeCloseTo(mean(-2 / 104, 0), 9);
});

test("what became of each quote, and by distance from the mid", () => {
  const quotes = analyseQuotes(facts);
  // Bought one tick under the mid of 101, offered one over 104; the refused one stood at the mid.
  for (const [row, bps] of [1e4 / 101, 1e4 / 104, 0].entries())
    expect(quotes.distanceBps[row]).toBeCloseTo(bps, 9);
  expect([...quotes.restedNs.subarray(0, 2)]).toEqual([495 * MS, 1999 * MS]);
  expect(quotes.restedNs[2]).toBeNaN();
  expect([...quotes.firstFillNs.subarray(0, 2)]).toEqual([495 * MS, 1496 * MS]);
  expect([...quotes.markOutsBps[at(1e9)]!.subarray(0, 2)]).toEqual([200, (3 / 105) * 1e4]);
  expect(quotes.markOutsBps[at(1e9)]![2]).toBeNaN();
  const groups = quotesByDistance(facts, quotes);
  expect(groups.map((g) => [g.quotes, g.fillRate, g.restedP50Ns])).toEqual([
    [1, 1, 1999 * MS],
    [1, 1, 495 * MS],
  ]);
  expect(groups[0]!.markOutsBps[at(100e6)]).toBeCloseTo((3 / 105) * 1e4, 9);
});

test("PnL parts add up to the account's change: by strategy, by hour, by any group of fills", () => {
  const [whole] = attributePnl(
    facts,
    () => "mm",
    () => "mm",
  ).values();
  // In ticks · lots: spread 20 · 4 + 30 · 3; inventory 20 · 2 − 30 · 4 + 5 · 6.
  expect(whole).toMatchObject({ fills: 2 });
  expect(whole!.spread).toBeCloseTo(170 * 0.05, 12);
  expect(whole!.inventory).toBeCloseTo(-50 * 0.05, 12);
  expect(whole!.fees).toBeCloseTo(0.32, 12);
  expect(whole!.funding).toBeCloseTo(0.5, 12);
  expect(whole!.total).toBeCloseTo(6.18, 12);
  const { equity } = equityCurve(facts.result, facts.result.instruments);
  expect(equity[0]).toBe(0);
  expect(equity[equity.length - 1]).toBeCloseTo(6.18, 9);
  const hours = attributeByHour(facts, 0);
  // 01:00: 5 lots from 100 to 104, 25 to 102, −5 at 102; 02:00: −5 lots from 102 to 106.
  expect(hours.get(1)!.inventory).toBeCloseTo(-30 * 0.05, 12);
  expect(hours.get(2)!.inventory).toBeCloseTo(-20 * 0.05, 12);
  expect([hours.get(1)!.spread, hours.get(2)!.spread]).toEqual([8.5, 0]);
  expect([...hours.values()].reduce((sum, h) => sum + h.total, 0)).toBeCloseTo(6.18, 12);
  const sides = attributePnl(facts, (row) => facts.result.fills.at("side")[row]!, null);
  expect(sides.get(1)!.inventory).toBeCloseTo(40 * 0.05, 12);
  expect(sides.get(-1)!.inventory).toBeCloseTo(-120 * 0.05, 12);
});

test("the curves of the parts end at the parts and add up to the account at every instant", () => {
  const { tsNs, spread, inventory, costs, total } = pnlCurve(facts, facts.result.instruments);
  const last = tsNs.length - 1;
  const ends = [spread, inventory, costs, total].map((curve) => curve[last]!);
  for (const [i, expected] of [8.5, -2.5, 0.5 - 0.32, 6.18].entries())
    expect(ends[i]).toBeCloseTo(expected, 9);
  // After the purchase, before the sale: 20 lots bought 4 ticks under the mid, which has fallen by 2 since; 5 were held
  // from 100 to 102.
  const at = tsNs.findIndex((ts) => ts > s(3));
  expect([spread[at], costs[at]]).toEqual([4, -0.02]);
  expect(inventory[at]).toBeCloseTo((-2 * 20 + 2 * 5) * 0.05, 9);
});

test("latency by stage, by hour and symbol, end to end by the venue's clock", () => {
  const spread = (name: string) => latencyByStage(facts).find((l) => l.stage.name.startsWith(name))!.spread;
  expect(spread("tick to order").count).toBe(4);
  expect(spread("tick to order").max).toBeCloseTo(0.4 * MS, 3);
  expect(spread("event received").p50).toBeCloseTo(0.1 * MS, 3);
  expect(spread("decided").p50).toBeCloseTo(0.05 * MS, 3);
  // Sent at 1.2 ms after s(1), taken at s(2) + 5 ms.
  expect(spread("sent → taken").max).toBeCloseTo(1003.8 * MS, 0);
  expect(spread("round trip").max).toBeCloseTo(1005.8 * MS, 0);
  expect(spread("end to end")).toMatchObject({ count: 2, max: 1005 * MS, p50: 4 * MS });
  const tick = STAGES.find((stage) => stage.name.startsWith("tick to order"))!;
  const grid = latencyGrid(facts, tick, "p99");
  expect(grid.hours).toEqual([1]);
  expect(grid.values[0]![0]).toBeCloseTo(0.4 * MS, 3);
  const feed = feedGrid(facts, 0.5);
  expect(feed.hours).toEqual([1, 2]);
  for (const [value] of feed.values) expect(Math.abs(value! - MS) / MS).toBeLessThan(1 / 32);
});

test("--from and --to cut the session, --strategy names one; what is not there is said", async () => {
  const read = (range: Partial<SessionRange>) =>
    readSession(walSource(join(dir, "wal")), { ...ALL, ...range });
  const unix = (ns: number): bigint => facts.result.baseNs + BigInt(ns);
  const late = await read({ from: unix(s(3)) });
  expect([late.result.orders.rows, late.result.fills.rows]).toEqual([1, 1]);
  // The position before the sale: what the first fill had made of it.
  expect(late.opening).toEqual([{ strategy: 1, instrument: 0, lots: 25 }]);
  const early = await read({ to: unix(s(3)) });
  expect([early.result.orders.rows, early.result.fills.rows]).toEqual([2, 1]);
  expect(read({ strategy: "other" })).rejects.toThrow("no strategy other is recorded here; there are mm");
  expect(read({ from: unix(s(9000)) })).rejects.toThrow("no record lies between");
  expect((await read({ strategy: "mm" })).result.fills.rows).toBe(2);
});

test("an order that a session kept is the same order in the session that took it in", () => {
  const takenIn = new TakenIn();
  const named = (nonce: number, venue: number) => ({
    ...{ clientNonceLo: nonce, clientNonceHi: 0, venueOrderIdLo: venue, venueOrderIdHi: 1 },
  });
  const adopted = FIRST_ADOPTED_SEQ + 3;
  const placed = takenIn.orderOf(7, named(11, 500));
  expect(placed).toBe("0:11:7");
  expect(takenIn.orderOf(adopted, named(12, 500))).toBe(placed);
  expect(takenIn.nameOf(`0:12:${adopted}`)).toBe(placed);
  expect(takenIn.orderOf(adopted + 1, named(12, 501))).toBe(`0:12:${adopted + 1}`);
  expect(takenIn.orderOf(8, named(12, 502))).toBe("0:12:8");
  // Not known yet at the venue: nothing to tell it by.
  const unknown = { ...named(12, 0), venueOrderIdHi: 0 };
  expect([takenIn.orderOf(9, unknown), takenIn.orderOf(10, unknown)]).toEqual(["0:12:9", "0:12:10"]);
});

test("the mid at a fill is the last one before its venue time, that at a later instant includes the instant", () => {
  const pass = new QuotePass(1);
  const [before, at] = [new Float64Array(3), new Float64Array(3)];
  for (const [i, ns] of [10, 20, 30].entries()) {
    pass.want(0, "before", ns, before, i);
    pass.want(0, "at", ns, at, i);
  }
  pass.start();
  for (const [ns, mid] of [
    [5, 1],
    [10, 2],
    [10, 3],
    [20, 4],
    [25, 5],
  ] as const)
    pass.onQuote(0, ns, ns, mid);
  pass.end();
  expect([...before]).toEqual([1, 3, Number.NaN]);
  expect([...at]).toEqual([3, 4, Number.NaN]);
});

test("the recorder's mid of a fill waits for quotes of before it that are written after it", () => {
  const mids = new MidHistory();
  expect(mids.ask("X", 5).midTicks).toBeNaN();
  mids.add("X", 10, 1);
  const [past, early, open] = [mids.ask("X", 8), mids.ask("X", 20), mids.ask("X", 40)];
  // Before the oldest one that is known, that one stands.
  expect(past.midTicks).toBe(1);
  mids.add("X", 15, 2);
  mids.add("X", 20, 3);
  expect([early.midTicks, open.midTicks]).toEqual([2, Number.NaN]);
  mids.add("X", 30, 4);
  mids.decideAll();
  expect(open.midTicks).toBe(4);
});

test.skipIf(LIBRARY === null)(
  "the store gives the same facts as the log it was filled from, whole, cut and by strategy",
  async () => {
    const engine = await openEngine(join(dir, "clickhouse"));
    try {
      await recordAll(dir, engine.store);
      const reader = engine.reader();
      const source = await storeSource(reader);
      const unix = (ns: number): bigint => facts.result.baseNs + BigInt(ns);
      for (const range of [{}, { from: unix(s(3)) }, { to: unix(s(3)) }, { strategy: "mm" }]) {
        const [fromLog, fromStore] = [
          await readSession(walSource(join(dir, "wal")), { ...ALL, ...range }),
          await readSession(source, { ...ALL, ...range }),
        ];
        expect(plain(fromStore)).toEqual(plain(fromLog));
      }
      const [row] = await engine.rows("SELECT symbol, tick_size, lot_size FROM hotlane.instruments");
      expect(row).toEqual({ symbol: "XUSDT", tick_size: "0.5", lot_size: "0.1" });
      const mids = await engine.rows(
        "SELECT toFloat64(mid_fill) AS mid FROM hotlane.fills ORDER BY exch_time",
      );
      expect(mids.map((m) => Number(m["mid"]))).toEqual([52, 51]);
      await reader.close();
    } finally {
      await engine.close();
    }
  },
  60_000,
);

/** Column tables as rows of numbers: what two readings are compared by. */
const plain = (of: SessionFacts): unknown =>
  JSON.parse(
    JSON.stringify(of, (_, value: unknown) => {
      if (value instanceof ColumnTable)
        return Object.fromEntries(value.names.map((name) => [name, [...value.values(name)].map(String)]));
      if (ArrayBuffer.isView(value)) return [...(value as Float64Array)].map(String);
      return typeof value === "bigint" ? value.toString() : value;
    }),
  );

test("the files hold the analysis row by row", () => {
  writeSessionFiles(facts, dir);
  const lines = (name: string): string[] => readFileSync(join(dir, name), "utf8").trimEnd().split("\n");
  const [head, first] = lines("fill-analysis.csv").map((line) => line.split(","));
  const cell = (name: string): number => Number(first![head!.indexOf(name)]);
  expect(cell("slippage_decision_bps")).toBeCloseTo(-1e4 / 101, 9);
  expect(cell("mark_out_1000ms_bps")).toBeCloseTo(200, 9);
  expect(lines("requests.csv").length).toBe(5);
  expect(lines("requests.csv")[1]).toContain("XUSDT,mm,1,place,1732150801000000000,1732150801001000000,");
  const pnl = lines("pnl.csv");
  expect(pnl.length).toBe(4);
  expect(pnl[1]).toStartWith("mm,XUSDT,USDT,,2,8.5,-2.5,0.32,0.5,");
});

test("the result by signal puts each fill to the value at its order's decision", () => {
  const signals = new Map([["g alpha", Float64Array.of(1, 5, Number.NaN)]]);
  const options = { capital: null, intervalNs: 1e9, daysPerYear: 365 };
  const page = sessionPage("t", { ...facts, signals }, runMetrics(facts.result, options), options);
  const hours = page.blocks.find((block) => block.kind === "heat" && block.title.startsWith("Total by hour"));
  const totals = (hours as HeatMap).values.flat() as number[];
  // 8.5 captured, −1.5 by the market, −0.32 of fees and 0.5 of funding; then −1.
  for (const [i, expected] of [7.18, -1].entries()) expect(totals[i]).toBeCloseTo(expected, 9);
  const table = page.blocks.find((block) => block.kind === "table" && block.title === "By signal: g alpha");
  // Bought at 100 with the mid at 104, which ends at 106; sold at 105 with the mid at 102.
  expect((table as Table).rows).toEqual([
    ["≤ 1", 1, "4", "2", "0.02", "0", "5.98"],
    ["1 … 5", 1, "4.5", "-6", "0.3", "0", "-1.8"],
  ]);
});

test("signal buckets are fifths of the orders", () => {
  const values = Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, Number.NaN]);
  const buckets = quintiles(values);
  expect(buckets.labels).toEqual(["≤ 2", "2 … 4", "4 … 6", "6 … 8", "> 8"]);
  expect([2, 2.5, 10, Number.NaN].map((v) => buckets.labelOf(v))).toEqual([
    "≤ 2",
    "2 … 4",
    "> 8",
    "not ready",
  ]);
  expect(quintiles(new Float64Array(3).fill(Number.NaN)).labels).toEqual(["all"]);
});
