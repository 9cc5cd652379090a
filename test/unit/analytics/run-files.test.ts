import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { writeRunFiles } from "../../../src/analytics/run-files.ts";
import { stepNumber } from "../../../src/analytics/step-number.ts";
import { handRun } from "./hand-run.ts";

const dir = mkdtempSync(join(tmpdir(), "hotlane-run-files-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function parquet(name: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(join(dir, name));
  return parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  });
}

test("orders and fills are written in units with exact times, in csv and Parquet alike", async () => {
  writeRunFiles(handRun(), dir);
  const fills = readFileSync(join(dir, "fills.csv"), "utf8").trimEnd().split("\n");
  expect(fills[1]).toBe(
    '"X<b>""",maker,1,buy,50,2,maker,1723075200500000000,1723075200600000000,-0.01,400000000,50.25,50.5,49.5,',
  );
  expect((await parquet("fills.parquet"))[0]).toMatchObject({
    instrument: 'X<b>"',
    side: "buy",
    price: 50,
    exch_ts: 1_723_075_200_500_000_000n,
    queue_wait_ns: 400_000_000n,
    mid_10s: Number.NaN,
  });
  const orders = await parquet("orders.parquet");
  expect(orders.length).toBe(5);
  expect(orders[4]).toMatchObject({ order_id: 5n, state: "pendingNew", exch_ts: null, qty: 1 });
  const state = await parquet("state.parquet");
  expect(state.map((row) => row["equity"])).toEqual([0, 10, 5, 20, 12]);
  expect(readFileSync(join(dir, "state.csv"), "utf8")).toStartWith(
    "timestamp,price,position,balance,fee,num_trades,trading_volume,trading_value,equity\n1723075200000000000,50,0,",
  );
});

test("steps become the doubles nearest to their decimal value", () => {
  expect(stepNumber(0.1)(3)).toBe(0.3);
  expect(stepNumber(0.1)(618_094.5)).toBe(61_809.45);
  expect(stepNumber(0.00025)(7)).toBe(0.00175);
  expect(stepNumber(25)(3)).toBe(75);
  expect(stepNumber(1e-8)(123_456_789)).toBe(1.23456789);
  expect(stepNumber(0.5)(Number.NaN)).toBeNaN();
});
