import { expect, test } from "bun:test";
import { parseSymbols, renderSymbols } from "../../../src/config/symbols.ts";
import { parseToml } from "../../../src/core/toml.ts";

test("a symbols list becomes [[instruments]] of a TOML layer", () => {
  const list = parseSymbols(
    "# mine\nBTCUSDT\n\nETHUSDT maker_fee=-0.0001 max_order_qty=5 # tighter\n",
    "s.list",
  );
  if (!list.ok) throw new Error(list.errors.join());
  expect(parseToml(renderSymbols(list.rows, "s.list"), "s.toml").value).toEqual({
    instruments: [{ symbol: "BTCUSDT" }, { symbol: "ETHUSDT", maker_fee: "-0.0001", max_order_qty: "5" }],
  });
});

test("all errors of a list are reported with their lines", () => {
  expect(parseSymbols("btc\nETHUSDT maker_fe=1\nETHUSDT max_order_qty=x\n", "s.list")).toEqual({
    ok: false,
    errors: [
      's.list:1: found "btc", expected 2 … 32 characters A-Z, 0-9, _',
      's.list:2: unknown key "maker_fe": did you mean "maker_fee"?',
      "s.list:3: ETHUSDT stands on line 2 already",
      's.list:3: max_order_qty: found "x", expected a decimal',
    ],
  });
  expect(parseSymbols("# nothing\n", "s.list")).toEqual({ ok: false, errors: ["s.list: no symbol"] });
});
