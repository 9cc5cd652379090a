import { expect, test } from "bun:test";
import { join } from "node:path";
import { runParity } from "../../../src/backtest/parity/parity.ts";

test("markets by order equal hftbacktest 2.4.4: both books, fills in line and through the price, clears, ids that end the run", () => {
  const cases = [...runParity(join(import.meta.dir, "../../data/golden/market-by-order"), [])];
  expect(cases.filter((c) => c.difference !== null)).toEqual([]);
  expect(cases.length).toBe(6);
}, 30_000);
