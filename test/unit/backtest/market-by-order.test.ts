// Market-by-order rows in the default mode: exact places at the exchange, levels for the trader, one naive list as oracle.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { cacheMarkets } from "../../../src/backtest/sweep/row-cache.ts";
import { describedMarkets, runDescribed } from "../../../src/cli/run-described.ts";
import { Prng } from "../../../src/core/prng.ts";
import { readToml } from "../../../src/core/toml.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_ADD_ORDER,
  KIND_CANCEL_ORDER,
  KIND_DEPTH_CLEAR,
  KIND_FILL,
  KIND_MODIFY_ORDER,
  KIND_TRADE,
} from "../../../src/data/event-codes.ts";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "../../../src/data/npy.ts";
import { writeRows } from "../../../src/data/npz-write.ts";
import { NO_ORDER } from "../../../src/order/order-table.ts";
import type { StrategyContext } from "../../../src/strategy/context.ts";
import { SIDE_BUY, TIF_GTC, TIF_GTX } from "../../../src/wire/codes.ts";
import { type Action, ask, bid, bytesOf, pipeline, type Row } from "./scripted-run.ts";

const SEED = 7_331;
const BUY = EV_BUY;
const SELL = EV_SELL;
const row = (atMs: number, ev: number, id: number, ticks: number, lots: number): Row => ({
  atMs,
  ev,
  ticks,
  lots,
  // Ids beyond 32 bits: both words count.
  id: 0x1_0000_0000n + BigInt(id),
});
const add = (at: number, side: number, id: number, px: number, lots: number): Row =>
  row(at, KIND_ADD_ORDER | side, id, px, lots);
const cancel = (at: number, id: number, lots = 0): Row => row(at, KIND_CANCEL_ORDER, id, 0, lots);
const modify = (at: number, id: number, px: number, lots: number): Row =>
  row(at, KIND_MODIFY_ORDER, id, px, lots);
const filled = (at: number, id: number, lots: number): Row => row(at, KIND_FILL, id, 0, lots);

function run(rows: readonly Row[], actions: readonly Action[], partialFills = true) {
  const backtest = pipeline(rows, actions, partialFills, null, { marketByOrder: true });
  backtest.runAll();
  return { backtest, result: backtest.finish() };
}

function fillsOf({ result }: ReturnType<typeof run>): number[][] {
  const { fills } = result;
  return Array.from({ length: fills.rows }, (_, k) => [
    fills.at("side")[k]!,
    fills.at("pxTicks")[k]!,
    fills.at("qtyLots")[k]!,
    fills.at("maker")[k]!,
  ]);
}

const place =
  (side: number, px: number, lots: number, tif = TIF_GTX) =>
  (ctx: StrategyContext): void =>
    void expect(ctx.place(side, px, lots, tif)).not.toBe(NO_ORDER);

describe("queue = l3-fifo", () => {
  const book = [add(0, BUY, 1, 1000, 10), add(0, SELL, 2, 1010, 10)];

  test("an own order is filled by fills of orders behind it, from their lots, and not by those in front", () => {
    const rows = [
      ...book,
      add(20, BUY, 3, 1000, 10),
      filled(30, 1, 4),
      cancel(30, 1, 4),
      filled(40, 3, 2),
      cancel(40, 3, 2),
      filled(50, 3, 5),
      cancel(50, 3, 5),
      filled(60, 3, 3),
    ];
    expect(fillsOf(run(rows, [{ atMs: 5, run: place(SIDE_BUY, 1000, 3) }]))).toEqual([
      [1, 1000, 2, 1],
      [1, 1000, 1, 1],
    ]);
    expect(fillsOf(run(rows, [{ atMs: 5, run: place(SIDE_BUY, 1000, 3) }], false))).toEqual([
      [1, 1000, 3, 1],
    ]);
  });

  test("an order in front that grows goes behind us; one that only shrinks stays in front", () => {
    const actions = [{ atMs: 5, run: place(SIDE_BUY, 1000, 3) }];
    const grown = [...book, modify(20, 1, 1000, 12), filled(30, 1, 12), cancel(30, 1)];
    expect(fillsOf(run(grown, actions))).toEqual([[1, 1000, 3, 1]]);
    const shrunk = [...book, modify(20, 1, 1000, 8), filled(30, 1, 8), cancel(30, 1)];
    expect(fillsOf(run(shrunk, actions))).toEqual([]);
  });

  test("a market order at our price or better would have been matched: we trade as its maker", () => {
    const rows = [...book, cancel(20, 1), add(30, SELL, 4, 1000, 5)];
    expect(fillsOf(run(rows, [{ atMs: 5, run: place(SIDE_BUY, 1000, 3) }]))).toEqual([[1, 1000, 3, 1]]);
  });

  test("a taker walks the levels that the orders add up to; what it took comes back with the level's next change", () => {
    const rows = [...book, add(0, SELL, 5, 1011, 4), add(40, SELL, 6, 1010, 1), add(90, BUY, 9, 900, 1)];
    const actions = [
      { atMs: 5, run: place(SIDE_BUY, 1011, 12, TIF_GTC) },
      { atMs: 20, run: place(SIDE_BUY, 1010, 3, TIF_GTC) },
    ];
    expect(fillsOf(run(rows, actions)).slice(0, 2)).toEqual([
      [1, 1010, 10, 0],
      [1, 1011, 2, 0],
    ]);
  });

  test("the trader sees the levels, also after a clear, and an unknown id changes nothing", () => {
    const rows = [
      ...book,
      add(10, BUY, 3, 999, 7),
      modify(20, 3, 998, 2),
      cancel(30, 77),
      row(40, KIND_DEPTH_CLEAR | SELL, 0, 0, 0),
      add(50, SELL, 8, 1005, 6),
    ];
    const { backtest } = run(rows, []);
    const { book: seen, badIds } = backtest.local(1);
    expect(badIds).toBe(1);
    expect([seen.bestBidTicks, seen.qtyAt(1, 1000), seen.qtyAt(1, 999), seen.qtyAt(1, 998)]).toEqual([
      1000, 10, 0, 2,
    ]);
    expect([seen.bestAskTicks, seen.bestAskLots, seen.levelCount]).toEqual([1005, 6, 3]);
  });

  test("levels among orders, and orders for a model of levels, are refused with their row", () => {
    const levels = pipeline([...book, bid(1, 999, 1)], [], true, null, { marketByOrder: true });
    expect(() => levels.runAll()).toThrow(/row 2: a level, where l3-fifo needs market-by-order rows/);
    const orders = pipeline([bid(0, 999, 1), ...book], []);
    expect(() => orders.runAll()).toThrow(/row 1: a market-by-order row \(kind 10\)/);
  });

  /** What an exchange with one list would do: own orders are ordinary orders of it. */
  test(`own fills are those of one list in price-time order (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.nat(1 << 30), (seed) => {
        const prng = new Prng(seed);
        const rows: Row[] = [add(0, BUY, 900, 900, 1), add(0, SELL, 901, 1100, 1)];
        const actions: Action[] = [];
        const want: number[][] = [];
        let list: { id: number; own: boolean; px: number; lots: number }[] = [];
        for (let i = 1; i <= 60; i++) {
          const at = i * 10;
          const what = prng.nextBelow(10);
          const px = 1000 - prng.nextBelow(3);
          const market = list.filter((o) => !o.own);
          const chosen = market[prng.nextBelow(Math.max(1, market.length))];
          if (what < 3) {
            rows.push(add(at, BUY, i, px, 1 + (i % 7)));
            list.push({ id: i, own: false, px, lots: 1 + (i % 7) });
          } else if (what < 6) {
            // Arrives 3 ms after it is sent, before the next row.
            actions.push({ atMs: at + 4, run: place(SIDE_BUY, px, 1 + (i % 3)) });
            list.push({ id: i, own: true, px, lots: 1 + (i % 3) });
          } else if (chosen !== undefined && what < 7) {
            const lots = 1 + prng.nextBelow(8);
            rows.push(modify(at, chosen.id, px, lots));
            if (px !== chosen.px || lots > chosen.lots) list = [...list.filter((o) => o !== chosen), chosen];
            chosen.px = px;
            chosen.lots = lots;
          } else if (chosen !== undefined) {
            let left = chosen.lots;
            const front = list
              .filter(
                (o) =>
                  o.own &&
                  (o.px > chosen.px || (o.px === chosen.px && list.indexOf(o) < list.indexOf(chosen))),
              )
              .sort((a, b) => b.px - a.px || list.indexOf(a) - list.indexOf(b));
            for (const o of front) {
              const take = Math.min(left, o.lots);
              if (take === 0) break;
              want.push([1, o.px, take, 1]);
              o.lots -= take;
              left -= take;
            }
            rows.push(filled(at, chosen.id, chosen.lots), cancel(at, chosen.id));
            list = list.filter((o) => o !== chosen && o.lots > 0);
          }
        }
        rows.push(add(900, BUY, 999, 800, 1));
        expect(fillsOf(run(rows, actions))).toEqual(want);
      }),
      { seed: SEED, numRuns: 40 },
    );
  });
});

describe("from a description", () => {
  let dir = "";
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "hotlane-by-order-"));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const describeRun = (market: string): string => {
    const strategy = `
export default (hbt) => {
  hbt.elapse(10_000_000);
  const d = hbt.depth(0);
  if (d.bestBidTick !== 1000 || d.bestAskTick !== 1010) throw new Error(\`book \${d.bestBidTick} \${d.bestAskTick}\`);
  hbt.submitBuy(0, 1, 100, 0.003, 1, 0, false);
  while (hbt.elapse(10_000_000) === 0);
  return hbt.position(0) === 0.003 ? 0 : 1;
};
`;
    writeFileSync(join(dir, "strategy.ts"), strategy);
    const file = join(dir, "run.toml");
    writeFileSync(
      file,
      `[[instruments]]\nsymbol = "BTCUSDT"\n[strategy]\nmodule = "strategy.ts"\n[backtest]\n` +
        `latency = { model = "constant", entry_ns = 3_000_000, response_ns = 1_000_000 }\n[[backtest.markets]]\n` +
        `symbol = "BTCUSDT"\ndata = ["d.npz"]\ntick_size = "0.1"\nlot_size = "0.001"\n${market}`,
    );
    return file;
  };
  const write = (name: string, rows: readonly Row[]): void =>
    void writeRows(join(dir, name), EVENT_FIELDS, bytesOf(rows), EVENT_ROW_BYTES);

  test("l3-fifo reads the orders of a file and fills at the exact place", async () => {
    write("d.npz", [
      add(0, BUY, 1, 1000, 10),
      add(0, SELL, 2, 1010, 10),
      add(40, BUY, 3, 1000, 10),
      filled(60, 3, 10),
      cancel(60, 3),
      add(90, BUY, 4, 900, 1),
    ]);
    const { result } = await runDescribed(readToml(describeRun('queue = { model = "l3-fifo" }\n')));
    expect([result.failure, result.fills.rows, result.fills.at("qtyLots")[0]]).toEqual([null, 1, 3]);
  });

  for (const [name, zeroTimes] of [
    ["as it was recorded", false],
    ["without times, as hftbacktest writes it", true],
  ] as const) {
    test(`initial_snapshot ${name} is the book that both sides begin with`, async () => {
      const bytes = bytesOf([bid(0, 1000, 2), ask(0, 1010, 2)]);
      if (zeroTimes) for (let at = 0; at < bytes.length; at += 64) bytes.fill(0, at + 8, at + 24);
      writeRows(join(dir, "s.npz"), EVENT_FIELDS, bytes, EVENT_ROW_BYTES);
      write("d.npz", [
        bid(1, 990, 5),
        { atMs: 60, ev: KIND_TRADE | SELL, ticks: 1000, lots: 9 },
        bid(90, 990, 6),
      ]);
      const { result } = await runDescribed(readToml(describeRun('initial_snapshot = "s.npz"\n')));
      expect([result.failure, result.fills.rows, result.fills.at("qtyLots")[0]]).toEqual([null, 1, 3]);
      expect(result.fills.at("pxTicks")[0]).toBe(1000);
    });
  }

  test("a file whose first rows are wrong for the queue is refused", async () => {
    write("d.npz", [add(0, BUY, 1, 1000, 10)]);
    const file = describeRun('queue = { model = "log2" }\n');
    await expect(runDescribed(readToml(file))).rejects.toThrow(/d\.npz.*market-by-order row \(kind 10\)/);
  });

  test("a walk-forward, which begins its segments with books of levels, refuses it", () => {
    write("d.npz", [add(0, BUY, 1, 1000, 10), add(1, SELL, 2, 1010, 10)]);
    const markets = describedMarkets(readToml(describeRun('queue = { model = "l3-fifo" }\n')), []);
    expect(() => cacheMarkets(markets, join(dir, "cache"), 2, () => {})).toThrow(/not for l3-fifo/);
  });

  test("a missing snapshot and an exponent for l3-fifo are named with their lines", async () => {
    write("d.npz", [bid(0, 1000, 2)]);
    const file = describeRun('initial_snapshot = "none.npz"\n');
    await expect(runDescribed(readToml(file))).rejects.toThrow(
      /markets\.0\.initial_snapshot: no file .*none/,
    );
    const queue = describeRun('queue = { model = "l3-fifo", n = 2 }\n');
    await expect(runDescribed(readToml(queue))).rejects.toThrow(/run\.toml:\d+: .*l3-fifo takes no n/);
  });
});
