import { expect, test } from "bun:test";
import { join } from "node:path";
import { CompatBacktest } from "../../../src/backtest/compat/compat-backtest.ts";
import { CompatRecorder } from "../../../src/backtest/compat/compat-recorder.ts";
import { setFillMids } from "../../../src/backtest/fill-mids.ts";
import { runSimpleMm } from "../../../src/backtest/parity/simple-mm.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";
import { ORDER_FILLED } from "../../../src/wire/codes.ts";

const MS = 1_000_000;
const ASSET = {
  data: [join(import.meta.dir, "../../data/npz/btcusdt_200k.npz")],
  tickSize: 0.1,
  lotSize: 0.001,
  latency: constantLatency(10 * MS, 10 * MS),
  makerFee: -5e-5,
  takerFee: 7e-4,
} as const;

test("the result of a compat run adds up: fills make the positions, fees and counts of the states", () => {
  const recorder = new CompatRecorder([ASSET], [{ symbol: "BTCUSDT", currency: "USDT" }]);
  const backtest = new CompatBacktest([{ ...ASSET, witness: recorder.witness(0) }]);
  const rc = runSimpleMm(backtest, { half: 1, skew: 0.5, q: 0.001, maxp: 0.01 }, () =>
    recorder.record(backtest),
  );
  const result = recorder.finish(backtest, rc);
  setFillMids(result, [ASSET]);
  const { states, orders, fills, rows, returnCode } = result;
  backtest.close();
  expect({ rows, returnCode }).toEqual({ rows: 200_000, returnCode: 1 });
  const last = (name: (typeof states.names)[number]) => states.at(name)[states.rows - 1]!;
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  expect(fills.rows).toBeGreaterThan(100);
  // Answers of the last instants may still be on their way.
  expect(fills.rows - last("numTrades")).toBeLessThanOrEqual(1);
  const lots = fills.values("qtyLots").map((q, i) => q * fills.at("side")[i]!);
  expect(Math.abs(sum(lots) - Math.round(last("position") / 0.001))).toBeLessThanOrEqual(1);
  expect(Math.abs(sum(fills.values("fee")) - last("fee"))).toBeLessThan(0.004);
  expect(orders.values("state").filter((s) => s === ORDER_FILLED).length).toBe(fills.rows);
  for (let row = 0; row < fills.rows; row++) {
    expect(fills.at("localTsNs")[row]! - fills.at("exchTsNs")[row]!).toBe(10 * MS);
    if (fills.at("maker")[row] === 1) expect(fills.at("queueWaitNs")[row]).toBeGreaterThanOrEqual(0);
    expect(Math.abs(fills.at("mid0Ticks")[row]! - fills.at("pxTicks")[row]!)).toBeLessThan(500);
  }
});
