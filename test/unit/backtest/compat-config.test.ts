import { expect, test } from "bun:test";
import { join } from "node:path";
import { BacktestConfigError, compatConfig } from "../../../src/backtest/compat/compat-config.ts";
import { parseToml, readToml } from "../../../src/core/toml.ts";

const ROOT = join(import.meta.dir, "../../..");
const EXAMPLE = join(ROOT, "examples/hftbacktest-port.toml");

test("the example's description is complete, with paths relative to it", () => {
  const config = compatConfig(readToml(EXAMPLE), []);
  expect(config.module).toBe(join(ROOT, "examples/hftbacktest-port.ts"));
  expect(config.assets[0]).toMatchObject({
    data: [join(ROOT, "test/data/npz/btcusdt_200k.npz")],
    tickSize: 0.1,
    queueModel: "power",
    queueParameter: 2,
    exchange: "noPartialFill",
    book: "hash",
    feeKind: "value",
    makerFee: -0.00005,
  });
});

test("all problems are said at once, with line and key", () => {
  const text = [
    'compat = "hftbacktest-2.4.4"',
    "[strategy]",
    'module = "x.ts"',
    "[[assets]]",
    "tick_size = -1",
    'queue = { model = "guess" }',
    "surprise = 1",
  ].join("\n");
  let message = "";
  try {
    compatConfig(parseToml(text, "b.toml"), []);
  } catch (error) {
    expect(error).toBeInstanceOf(BacktestConfigError);
    message = (error as Error).message;
  }
  expect(message).toMatch(/b\.toml:5: assets\.0\.tick_size/);
  expect(message).toMatch(/b\.toml:6: assets\.0\.queue\.model/);
  expect(message).toMatch(/assets\.0\.lot_size/);
  expect(message).toMatch(/surprise/);
});

test("missing files, a roi book without range and --data for two assets are refused", () => {
  const asset = "[[assets]]\ntick_size = 1\nlot_size = 1\n";
  const head = 'compat = "hftbacktest-2.4.4"\n[strategy]\nmodule = "nowhere.ts"\n';
  const problems = (text: string, data: string[]): string => {
    try {
      compatConfig(parseToml(head + text, "/tmp/b.toml"), data);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(problems(`${asset}data = ["none.npz"]\nbook = "roi"\n`, [])).toMatch(
    /no file .*nowhere\.ts[\s\S]*no file .*none\.npz[\s\S]*roi = /,
  );
  expect(problems(asset + asset, ["x.npz"])).toMatch(/--data needs exactly one asset, 2/);
  expect(problems(asset, [])).toMatch(/no file given/);
});

test("a market by order has no partial fills", () => {
  const text = [
    'compat = "hftbacktest-2.4.4"',
    "[strategy]",
    `module = "${join(ROOT, "examples/hftbacktest-port.ts")}"`,
    "[[assets]]",
    `data = ["${join(ROOT, "test/data/npz/btcusdt_200k.npz")}"]`,
    "tick_size = 0.1",
    "lot_size = 0.001",
    'queue = { model = "l3-fifo" }',
    'exchange = "partial-fill"',
  ];
  const config = (lines: readonly string[]): unknown =>
    compatConfig(parseToml(lines.join("\n"), "b.toml"), []);
  expect(() => config(text)).toThrow(/b\.toml:9: assets\.0\.exchange: l3-fifo has no partial fills/);
  expect(config(text.slice(0, -1))).toMatchObject({ assets: [{ queueModel: "l3-fifo" }] });
});
