import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importBinance } from "../../../src/backtest/import/binance.ts";
import { EV_BUY, EV_SELL } from "../../../src/data/event-codes.ts";
import { EVENT_FIELDS } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";

const CAPTURE = join(import.meta.dir, "../../../src/data/captures/binance-usdm-btcusdt-20240808.gz");
const REFERENCE = join(import.meta.dir, "../../data/npz/btcusdt_200k.npz");
const dir = mkdtempSync(join(tmpdir(), "import-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("the shared capture becomes the rows that hftbacktest's own converter made of it, bit for bit", async () => {
  const { table, messages, skipped, localShiftNs } = await importBinance(CAPTURE);
  expect(table.rows).toBe(491_973);
  expect(messages).toBe(93_954);
  expect([...skipped]).toEqual([["bookTicker", 66_089]]);
  expect(localShiftNs).toBe(1_272_156_851n);
  const { bytes } = loadRows(REFERENCE, EVENT_FIELDS);
  expect(Buffer.compare(table.bytes.subarray(0, bytes.length), bytes)).toBe(0);
}, 30_000);

test("mark price and book ticker are imported on request, unknown messages counted", async () => {
  const path = join(dir, "capture");
  const t = "1723161255030314667";
  const lines = [
    '{"stream":"x@markPrice","data":{"e":"markPriceUpdate","T":1723161255000,"i":"10.5","p":"10.6","r":"0.0001"}}',
    '{"e":"bookTicker","T":1723161255001,"b":"10.4","B":"1","a":"10.5","A":"2"}',
    '{"e":"trade","T":1723161255002,"p":"10.5","q":"3","X":"INSURANCE_FUND","m":false}',
    '{"e":"forceOrder"}',
    '{"lastUpdateId":1,"T":1723161255003,"bids":[["10","1"]],"asks":[]}',
  ];
  writeFileSync(path, lines.map((line) => `${t} ${line}\n`).join(""));
  const { table, skipped } = await importBinance(path, { markPrice: true, bookTicker: true });
  expect(Object.fromEntries(skipped)).toEqual({ "trade INSURANCE_FUND": 1, forceOrder: 1 });
  const i32 = new Int32Array(table.bytes.buffer);
  const kinds = Array.from({ length: table.rows }, (_, r) => i32[r * 16]! & 0xff);
  expect(kinds).toEqual([100, 101, 102, 103, 104, 3, 4]);
  expect(i32[6 * 16]! & (EV_BUY | EV_SELL)).toBe(EV_BUY);
});

test("a line that is not JSON is refused with its number", async () => {
  const path = join(dir, "broken");
  writeFileSync(path, "1723161255030314667 {}\n1723161255030314667 {oops\n");
  await expect(importBinance(path)).rejects.toThrow(/broken: line 2/);
});
