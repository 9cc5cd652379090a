// Data that goes to and comes from hftbacktest, held against PyPI's hftbacktest itself: its converters on the files that
// ours read, its corrections, and its engine on the files that ours wrote. Runs where its environment was installed
// (`cd bench/peers/hftbacktest && sh install.sh`); says so and skips elsewhere.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { importBinance } from "../../src/backtest/import/binance.ts";
import { generateMarket } from "../../src/backtest/import/generate.ts";
import { importHyperliquid } from "../../src/backtest/import/hyperliquid.ts";
import { importTardis } from "../../src/backtest/import/tardis.ts";
import { Prng } from "../../src/core/prng.ts";
import { EV_BUY, EV_SELL, KIND_DEPTH, KIND_TRADE } from "../../src/data/event-codes.ts";
import { EventTable } from "../../src/data/event-table.ts";
import { EVENT_FIELDS } from "../../src/data/npy.ts";
import { loadRows } from "../../src/data/npz-file.ts";
import { writeRows } from "../../src/data/npz-write.ts";
import { FactorGraph } from "../../src/factor/graph.ts";
import { updateBatch } from "../../src/factor/update-batch.ts";

const ROOT = join(import.meta.dir, "../..");
const PYTHON = join(ROOT, "var/peers/hftbacktest/venv/bin/python");
const installed = existsSync(PYTHON);
if (!installed)
  console.warn(
    "hftbacktest is not installed (bench/peers/hftbacktest/install.sh): comparisons with it are skipped",
  );

const SEED = 31;
const dir = mkdtempSync(join(tmpdir(), "hotlane-hft-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const at = (name: string): string => join(dir, name);

function theirs(...args: string[]): string {
  const run = Bun.spawnSync([PYTHON, join(ROOT, "bench/peers/hftbacktest/convert.py"), ...args]);
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
  return run.stdout.toString().trim();
}

function expectRows(table: EventTable, file: string): void {
  const { bytes } = loadRows(file, EVENT_FIELDS);
  expect(table.rows).toBe(bytes.length / 64);
  expect(Buffer.compare(table.bytes, bytes)).toBe(0);
}

/** A day of Tardis files: snapshots at the start and in the middle, trades with and without a side. */
function tardisFiles(): readonly string[] {
  const prng = new Prng(SEED);
  const depth = ["exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"];
  const trades = ["exchange,symbol,timestamp,local_timestamp,id,side,price,amount"];
  let us = 1_723_161_600_000_000;
  const level = (snapshot: boolean, side: number, k: number): void => {
    const px = (60_000 - side * (k + 1) * 0.1).toFixed(1);
    const qty = snapshot ? 1 + prng.nextBelow(50) / 10 : prng.nextBelow(30) / 10;
    depth.push(
      `binance-futures,BTCUSDT,${us},${us + 700},${snapshot},${side > 0 ? "bid" : "ask"},${px},${qty}`,
    );
  };
  for (let n = 0; n < 300; n++) {
    us += 1 + prng.nextBelow(90_000);
    if (n % 100 === 0) {
      for (let k = 0; k < 20; k++) level(true, 1, k);
      for (let k = 0; k < 20; k++) level(true, -1, k);
    }
    us += 1000;
    for (let k = prng.nextBelow(5); k >= 0; k--) level(false, prng.nextBelow(2) * 2 - 1, prng.nextBelow(40));
    if (prng.nextBelow(3) > 0) continue;
    const side = ["buy", "sell", "unknown"][prng.nextBelow(3)];
    trades.push(
      `binance-futures,BTCUSDT,${us},${us + 650 - prng.nextBelow(900)},${n},${side},60000.1,0.${n + 1}`,
    );
  }
  writeFileSync(at("incremental_book_L2.csv.gz"), gzipSync(`${depth.join("\n")}\n`));
  writeFileSync(at("trades.csv"), `${trades.join("\n")}\n`);
  return [at("incremental_book_L2.csv.gz"), at("trades.csv")];
}

describe.skipIf(!installed)("PyPI's hftbacktest", () => {
  for (const [mode, ours] of [
    ["process", "process"],
    ["ignore_sod", "ignore-sod"],
    ["ignore", "ignore"],
  ] as const) {
    test(`converts Tardis files to the same rows, snapshots ${mode} (seed ${SEED})`, async () => {
      const [depth, trades] = tardisFiles();
      theirs("tardis", at("t.npy"), mode, trades!, depth!);
      const { table, localShiftNs } = await importTardis([depth!, trades!], { snapshots: ours });
      expect(localShiftNs).toBeGreaterThan(0n);
      expectRows(table, at("t.npy"));
    }, 60_000);
  }

  test("converts a Hyperliquid capture to the same rows", async () => {
    const prng = new Prng(SEED);
    const levels = (best: number, direction: number) =>
      Array.from({ length: 20 }, (_, k) => ({
        px: String(best + direction * (k * 2 + prng.nextBelow(2))),
        sz: (1 + prng.nextBelow(3)).toFixed(5),
        n: 1,
      }));
    const lines: string[] = [];
    let [ms, mid] = [1_737_918_843_000, 105_000];
    for (let n = 0; n < 200; n++) {
      ms += 1 + prng.nextBelow(900);
      mid += prng.nextBelow(7) - 3;
      const stamp = `${ms + 40}${String(prng.nextBelow(1e6)).padStart(6, "0")}`;
      const book = { coin: "BTC", time: ms, levels: [levels(mid - 1, -1), levels(mid + 1, 1)] };
      lines.push(`${stamp} ${JSON.stringify({ channel: "l2Book", data: book })}`);
      const trade = { coin: "BTC", side: n % 2 === 0 ? "A" : "B", px: String(mid), sz: "0.5", time: ms - 3 };
      if (n % 3 === 0) lines.push(`${stamp} ${JSON.stringify({ channel: "trades", data: [trade] })}`);
    }
    writeFileSync(at("h.gz"), gzipSync(`${lines.join("\n")}\n`));
    theirs("hyperliquid", at("h.npy"), at("h.gz"));
    expectRows((await importHyperliquid(at("h.gz"))).table, at("h.npy"));
  }, 60_000);

  test("converts the shipped Binance capture to the same rows", async () => {
    const capture = join(ROOT, "src/data/captures/binance-usdm-btcusdt-20240808.gz");
    theirs("binancefutures", at("b.npy"), capture);
    expectRows((await importBinance(capture)).table, at("b.npy"));
  }, 120_000);

  test(`corrects times and order of unsorted rows to the same rows (seed ${SEED})`, () => {
    const prng = new Prng(SEED);
    for (const baseLatency of [0n, 5_000n]) {
      const table = new EventTable();
      for (let i = 0; i < 3_000; i++) {
        const exch = 1_723_161_600_000_000_000n + BigInt(prng.nextBelow(50_000)) * 1_000n;
        const local = exch + BigInt(prng.nextBelow(40_000) - 8_000);
        const kind = prng.nextBelow(4) === 0 ? KIND_TRADE : KIND_DEPTH;
        table.append(kind | (i % 2 === 0 ? EV_BUY : EV_SELL), exch, local, i, 1);
      }
      writeRows(at("c.npy"), EVENT_FIELDS, table.bytes, 64);
      theirs("correct", at("d.npy"), at("c.npy"), String(baseLatency));
      table.correctLocalTimestamps(baseLatency);
      expectRows(table.correctEventOrder(), at("d.npy"));
    }
  }, 60_000);

  test("replays files that were generated here, deflated, stored and bare, to the touch that ours ends with", () => {
    const [tickSize, lotSize] = ["0.1", "0.001"];
    const options = {
      seed: 5,
      rows: 20_000,
      mid: 60_000,
      tickSize,
      lotSize,
      startNs: 1_735_689_600_000_000_000n,
    };
    const table = generateMarket(options);
    const expr = { bid: "bid()", ask: "ask()", bidQty: "book(0, bid, qty)", askQty: "book(0, ask, qty)" };
    const graph = new FactorGraph("touch");
    for (const [name, text] of Object.entries(expr))
      graph.addNode(name, "Expr", { expr: text }).setOutput(name, name);
    const { columns } = updateBatch(graph.compile(), [table.bytes], { tickSize, lotSize });
    const ours = Object.keys(expr).map((name) => columns[name]!.at(-1)!);
    for (const [name, compress] of [
      ["g.npz", true],
      ["s.npz", false],
      ["g.npy", false],
    ] as const) {
      writeRows(at(name), EVENT_FIELDS, table.bytes, 64, { compress });
      const [feeds, bid, bidQty, ask, askQty] = theirs("replay", at(name), tickSize, lotSize)
        .split(" ")
        .map(Number);
      expect(feeds).toBeGreaterThan(1_000);
      for (const [k, value] of [bid, ask, bidQty, askQty].entries()) expect(value).toBeCloseTo(ours[k]!, 9);
    }
  }, 120_000);
});
