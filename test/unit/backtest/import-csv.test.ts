import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { importBinance } from "../../../src/backtest/import/binance.ts";
import { importDatabento } from "../../../src/backtest/import/databento.ts";
import { generateMarket } from "../../../src/backtest/import/generate.ts";
import { importHyperliquid } from "../../../src/backtest/import/hyperliquid.ts";
import type { ImportResult } from "../../../src/backtest/import/import-result.ts";
import { importTardis } from "../../../src/backtest/import/tardis.ts";
import { MemoryBlocks } from "../../../src/data/row-blocks.ts";

const dir = mkdtempSync(join(tmpdir(), "hotlane-csv-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, lines: readonly string[]): string {
  const text = lines.map((l) => `${l}\n`).join("");
  writeFileSync(join(dir, name), name.endsWith(".gz") ? gzipSync(text) : text);
  return join(dir, name);
}

/** kind, side, exch, local, px, qty, order id of every row. */
function rows({ table }: ImportResult): (readonly (number | bigint)[])[] {
  const i64 = new BigInt64Array(table.bytes.buffer, 0, table.rows * 8);
  const f64 = new Float64Array(table.bytes.buffer, 0, table.rows * 8);
  return Array.from({ length: table.rows }, (_, r) => {
    const ev = Number(i64[r * 8]! & 0xffff_ffffn);
    const side = (ev & 0x2000_0000) !== 0 ? 1 : (ev & 0x1000_0000) !== 0 ? -1 : 0;
    const at = r * 8;
    return [
      ev & 0xff,
      side,
      i64[at + 1]!,
      i64[at + 2]!,
      f64[at + 3]!,
      f64[at + 4]!,
      BigInt.asUintN(64, i64[at + 5]!),
    ];
  });
}

const MBO =
  "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,sequence";
const mbo = (recv: string, event: string, rest: string): string =>
  `${recv},${event},160,1,5482,${rest},168,100,1`;

describe("Databento mbo", () => {
  test("actions, sides, ids beyond 2^53 and the times of a snapshot are kept exactly", async () => {
    const path = file("a.mbo.csv.gz", [
      MBO,
      "200,200,160,1,5482,R,N,9223372036854775807,0,0,0,8,100,1",
      "200,90,160,1,5482,A,B,4097500000000,2,0,18446744073709551615,32,100,1",
      "300,250,160,1,5482,A,A,4097750000000,3,0,9007199254740993,128,100,2",
      "400,350,160,1,5482,M,A,4097750000000,1,0,9007199254740993,128,100,3",
      "500,450,160,1,5482,T,B,4097750000000,1,0,0,0,100,4",
      "500,450,160,1,5482,F,A,4097750000000,1,0,9007199254740993,0,100,4",
      "500,450,160,1,5482,C,A,4097750000000,1,0,9007199254740993,128,100,4",
      "600,550,160,1,5482,N,N,9223372036854775807,0,0,0,0,100,5",
    ]);
    const result = await importDatabento([path]);
    expect(rows(result)).toEqual([
      [3, 0, 200n, 200n, NaN, 0, 0n],
      [10, 1, 200n, 200n, 4097.5, 2, 18446744073709551615n],
      [10, -1, 250n, 300n, 4097.75, 3, 9007199254740993n],
      [12, -1, 350n, 400n, 4097.75, 1, 9007199254740993n],
      [2, 1, 450n, 500n, 4097.75, 1, 0n],
      [13, -1, 450n, 500n, 4097.75, 1, 9007199254740993n],
      [11, -1, 450n, 500n, 4097.75, 1, 9007199254740993n],
    ]);
    expect(Object.fromEntries(result.skipped)).toEqual({ "action N": 1 });
  });

  test("pretty notation means the same", async () => {
    const t = (s: string): string => `2024-06-03T13:30:00.${s}Z`;
    const path = file("p.csv", [
      `${MBO},symbol`,
      `${t("000000300")},${t("000000123")},160,1,1,A,B,4097.500000000,2,0,7,0,1,1,ESM4`,
      `${t("000000301")},${t("000000124")},160,1,2,A,B,1.500000000,2,0,8,0,1,1,OTHER`,
    ]);
    const base = BigInt(Date.parse("2024-06-03T13:30:00Z")) * 1_000_000n;
    const result = await importDatabento([path], { symbol: "ESM4" });
    expect(rows(result)).toEqual([[10, 1, base + 123n, base + 300n, 4097.5, 2, 7n]]);
    await expect(importDatabento([path])).rejects.toThrow("p.csv: line 3: symbol OTHER after ESM4: name one");
  });

  test("a wrong field is refused with file and line", async () => {
    const bad = file("bad.csv", [MBO, mbo("10", "9", "X,B,100,1,0,1,0").replace(",168,100,1", ",1,1")]);
    await expect(importDatabento([bad])).rejects.toThrow(/bad.csv: line 2: action "X" is not one of/);
    const short = file("short.csv", [MBO, "1,2,3"]);
    await expect(importDatabento([short])).rejects.toThrow("line 2: 3 fields, the header has 14");
    const other = file("other.csv", ["a,b", "1,2"]);
    await expect(importDatabento([other])).rejects.toThrow("not an mbo, mbp or trades file");
  });
});

test("Databento mbp-1: changes of the levels, and the trades", async () => {
  const header =
    "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,bid_ct_00,ask_ct_00";
  const path = file("mbp.csv", [
    header,
    "20,10,1,1,1,A,B,0,100000000000,5,0,0,1,100000000000,101000000000,5,7,1,1",
    "40,30,1,1,1,T,A,0,100000000000,2,0,0,2,100000000000,101000000000,5,7,1,1",
    "60,50,1,1,1,M,B,0,100000000000,3,0,0,3,99000000000,9223372036854775807,3,0,1,0",
  ]);
  expect(rows(await importDatabento([path]))).toEqual([
    [1, 1, 10n, 20n, 100, 5, 0n],
    [1, -1, 10n, 20n, 101, 7, 0n],
    [2, -1, 30n, 40n, 100, 2, 0n],
    [1, 1, 50n, 60n, 99, 3, 0n],
    [1, 1, 50n, 60n, 100, 0, 0n],
    [1, -1, 50n, 60n, 101, 0, 0n],
  ]);
});

describe("Tardis", () => {
  test("book_snapshot files become changes; a snapshot at the end of an incremental file is kept", async () => {
    const books = file("book_snapshot_2.csv", [
      "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,asks[1].price,asks[1].amount,bids[1].price,bids[1].amount",
      "x,S,1,2,101,1,100,1,102,1,,",
      "x,S,3,4,101,2,100,1,103,1,99,5",
    ]);
    expect(rows(await importTardis([books])).map((r) => r.slice(0, 2).concat(r.slice(4, 6)))).toEqual([
      [1, 1, 100, 1],
      [1, -1, 101, 1],
      [1, -1, 102, 1],
      [1, 1, 99, 5],
      [1, -1, 101, 2],
      [1, -1, 103, 1],
      [1, -1, 102, 0],
    ]);
    const depth = file("d.csv", [
      "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount",
      "x,S,1,2,true,bid,100,1",
      "x,S,1,2,true,ask,101,1",
    ]);
    expect(rows(await importTardis([depth])).map((r) => r[0])).toEqual([3, 4, 3, 4]);
  });

  test("refuses what is not its own, naming file, line and field", async () => {
    const header = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount";
    const bad = file("t.csv", [header, "x,S,1,2,1,buy,1e,1"]);
    await expect(importTardis([bad])).rejects.toThrow('t.csv: line 2: price "1e" is not a number');
    const time = file("u.csv", [header, "x,S,1.5,2,1,buy,1,1"]);
    await expect(importTardis([time])).rejects.toThrow('u.csv: line 2: timestamp "1.5" is not an integer');
    await expect(importTardis([file("v.csv", ["a,b"])])).rejects.toThrow("v.csv: not a trades");
  });
});

test("a spot capture: depth by E, the snapshot at the time of the message before it, missing updates counted", async () => {
  const t = "1723161254036059768";
  const path = file("spot", [
    `${t} {"stream":"x@depth","data":{"e":"depthUpdate","E":1723161255100,"U":1,"u":5,"b":[["10.1","1"]],"a":[]}}`,
    `${t} {"lastUpdateId":6,"bids":[["10.0","2"]],"asks":[["10.2","3"]]}`,
    `${t} {"stream":"x@depth","data":{"e":"depthUpdate","E":1723161255200,"U":9,"u":12,"b":[],"a":[["10.2","0"]]}}`,
    `${t} {"stream":"x@bookTicker","data":{"u":7,"s":"X","b":"10.0","B":"2","a":"10.3","A":"1"}}`,
  ]);
  const result = await importBinance(path);
  expect(rows(result).map((r) => [r[0], Number(BigInt(r[2]!) / 1_000_000n) - 1_723_161_255_000])).toEqual([
    [1, 100],
    [3, 100],
    [4, 100],
    [3, 100],
    [4, 100],
    [1, 200],
  ]);
  expect([result.gaps, Object.fromEntries(result.skipped)]).toEqual([1, { bookTicker: 1 }]);
});

test("a Hyperliquid capture of two coins asks which one", async () => {
  const line = (coin: string): string =>
    `1737918843893903000 {"channel":"l2Book","data":{"coin":"${coin}","time":1737918843000,"levels":[[{"px":"1","sz":"1"}],[]]}}`;
  const path = file("hl", [line("BTC"), line("ETH")]);
  await expect(importHyperliquid(path)).rejects.toThrow(
    "hl: line 2: coin ETH after BTC: name one with --symbol",
  );
  expect((await importHyperliquid(path, { symbol: "ETH" })).table.rows).toBe(1);
});

test("a generated market is the same for the same seed, sorted for both sides, and another for another", () => {
  const options = {
    seed: 1,
    rows: 5_000,
    mid: 60_000,
    tickSize: "0.1",
    lotSize: "0.001",
    startNs: 1_735_689_600_000_000_000n,
  };
  const one = generateMarket(options);
  expect(Buffer.compare(one.bytes, generateMarket(options).bytes)).toBe(0);
  expect(Buffer.compare(one.bytes, generateMarket({ ...options, seed: 2 }).bytes)).not.toBe(0);
  expect(one.rows).toBeGreaterThanOrEqual(5_000);
  const block = new MemoryBlocks(one.bytes, "generated").next()!;
  expect(block.rows).toBe(one.rows);
});
