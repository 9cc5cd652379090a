import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunResult } from "../../../src/analytics/run-result.ts";
import { runDescribed } from "../../../src/cli/run-described.ts";
import { parseToml, readToml } from "../../../src/core/toml.ts";
import { ORDER_FILLED } from "../../../src/wire/codes.ts";

const EXAMPLE = join(import.meta.dir, "../../../examples/backtest.toml");

const column = (table: { values(name: never): Float64Array }, name: string): Float64Array =>
  table.values(name as never);

/** Every cell of every table, NaN included, as one number. */
function fingerprint(result: RunResult): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const table of [result.states, result.orders, result.fills])
    for (const name of table.names) hash.update(column(table, name).slice().buffer);
  return hash.digest("hex");
}

const BTC_ROWS = join(import.meta.dir, "../../data/npz/btcusdt_200k.npz");

test("the same description gives the same result, byte for byte", async () => {
  const [a, b] = [await runDescribed(readToml(EXAMPLE)), await runDescribed(readToml(EXAMPLE))];
  expect(a.result.fills.rows).toBeGreaterThan(100);
  expect(fingerprint(a.result)).toBe(fingerprint(b.result));
});

test("fills make position, cash, fee and counts of the last state; orders are filled by their fills", async () => {
  const { result } = await runDescribed(readToml(EXAMPLE));
  const { states, orders, fills, instruments } = result;
  const { tickSize, lotSize } = instruments[0]!;
  let heard = 0;
  let lots = 0;
  let cash = 0n;
  let fee = 0n;
  const allOfOrder = new Map<number, number>();
  for (let row = 0; row < fills.rows; row++) {
    const id = fills.at("orderId")[row]!;
    allOfOrder.set(id, (allOfOrder.get(id) ?? 0) + fills.at("qtyLots")[row]!);
    // What was not heard of yet is not in the trader's state.
    if (fills.at("localTsNs")[row]! > result.endTsNs) continue;
    const [side, px, qty] = [fills.at("side")[row]!, fills.at("pxTicks")[row]!, fills.at("qtyLots")[row]!];
    heard++;
    lots += side * qty;
    cash -= BigInt(side * px) * BigInt(qty);
    fee += BigInt(Math.round(fills.at("fee")[row]! * 1e8));
    // Fees: 2 bps of the value as a maker, rounded to 1e-8.
    if (fills.at("maker")[row] === 1)
      expect(Math.round(fills.at("fee")[row]! * 1e8)).toBe(Math.round(px * qty * 2));
  }
  const last = (name: (typeof states.names)[number]) => states.at(name)[states.rows - 1]!;
  expect(last("position")).toBe(lots / 1000);
  expect(last("balance")).toBeCloseTo(Number(cash) / 1e4, 6);
  expect(last("fee")).toBe(Number(fee) / 1e8);
  expect(last("numTrades")).toBe(heard);
  expect(last("equity")).toBeCloseTo(last("balance") + lots * lotSize * last("mid") - last("fee"), 6);
  expect(tickSize).toBe(0.1);
  for (let row = 0; row < orders.rows; row++) {
    const filled = orders.at("filledLots")[row]!;
    expect(allOfOrder.get(orders.at("orderId")[row]!) ?? 0).toBe(filled);
    if (orders.at("state")[row] === ORDER_FILLED) expect(filled).toBeGreaterThan(0);
    expect(orders.at("exchTsNs")[row]! - orders.at("requestTsNs")[row]!).toBeGreaterThanOrEqual(2e6);
    expect(orders.at("responseTsNs")[row]! - orders.at("exchTsNs")[row]!).toBeGreaterThanOrEqual(1e6);
  }
});

test("inverse markets settle in one coin, and say what they cannot keep exactly", async () => {
  const inverse = (symbol: string, more: string): string => `
[[backtest.markets]]
symbol = "${symbol}"
kind = "inverse"
data = ["${BTC_ROWS}"]
tick_size = "0.1"
lot_size = "1"
${more}`;
  const dir = mkdtempSync(join(tmpdir(), "hotlane-inverse-"));
  const file = join(dir, "inverse.toml");
  const described = async (...markets: string[]): Promise<string> => {
    const declared = [`[[instruments]]\nsymbol = "BTCUSD_PERP"`, `[[instruments]]\nsymbol = "ETHUSD_PERP"`];
    const strategy = `[[strategies]]\nname = "tick-mm"\nmodule = "builtin:tick-mm"\ninstruments = ["BTCUSD_PERP"]`;
    const text = [...declared.slice(0, markets.length), strategy, "[backtest]", ...markets].join("\n");
    await Bun.write(file, text);
    try {
      const { result } = await runDescribed(parseToml(text, file));
      return `ran in ${result.instruments[0]!.currency}, ${result.instruments[0]!.kind}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const btc = 'base = "BTC"\nquote = "USD"\ncontract_size = "100"';
  expect(await described(inverse("BTCUSD_PERP", btc))).toBe("ran in BTC, inverse");
  for (const quote of ["", 'quote = "USD"\n'])
    expect(await described(inverse("BTCUSD_PERP", `${quote}contract_size = "100"`))).toContain(
      "backtest.markets.0: an inverse market needs base",
    );
  const odd = btc.replace('"100"', '"0.0000000001"');
  expect(await described(inverse("BTCUSD_PERP", odd))).toContain("must be a whole number of 1e-8 BTC");
  const eth = btc.replace("BTC", "ETH");
  expect(await described(inverse("BTCUSD_PERP", btc), inverse("ETHUSD_PERP", eth))).toContain(
    "one account has one settlement currency, these markets settle in BTC, ETH",
  );
  rmSync(dir, { recursive: true });
});

test("a description says everything that is wrong with it at once", async () => {
  const text = `
[[instruments]]
symbol = "BTCUSDT"
[[instruments]]
symbol = "ETHUSDT"
[[strategies]]
name = "tick-mm"
module = "builtin:tick-mm"
instruments = ["BTCUSDT"]
[backtest]
[[backtest.markets]]
symbol = "BTCUSDT"
data = ["nothing.npz"]
tick_size = "0.1"
lot_size = "0.001"
[[backtest.markets]]
symbol = "XRPUSDT"
data = ["nothing.npz"]
tick_size = "0.1"
lot_size = "0.001"
`;
  const file = join(import.meta.dir, "wrong.toml");
  await Bun.write(file, text);
  try {
    const error = await runDescribed(parseToml(text, file)).then(
      () => null,
      (e: Error) => e.message,
    );
    expect(error).toContain("no market for ETHUSDT");
    expect(error).toContain("XRPUSDT is not under [[instruments]]");
    expect(error).toMatch(/wrong\.toml:13: backtest\.markets\.0\.data: no file .*nothing\.npz/);
  } finally {
    await Bun.file(file).delete();
  }
});
