import { expect, test } from "bun:test";
import { join } from "node:path";
import { runParity } from "../../../src/backtest/parity/parity.ts";

const DATA = join(import.meta.dir, "../../data");

test("a market maker over 200,000 real rows equals hftbacktest 2.4.4 in every digit, for all models", () => {
  const cases = [...runParity(join(DATA, "golden/medium"), [join(DATA, "npz")])];
  expect(cases.filter((c) => c.difference !== null)).toEqual([]);
  expect(cases.length).toBe(28);
}, 30_000);
