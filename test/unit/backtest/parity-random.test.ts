import { expect, test } from "bun:test";
import { join } from "node:path";
import { runParity } from "../../../src/backtest/parity/parity.ts";

test("several assets and files, range-of-interest books, inverse assets, all fee models, snapshots and offsets equal hftbacktest 2.4.4", () => {
  const cases = [...runParity(join(import.meta.dir, "../../data/golden/random"), [])];
  expect(cases.filter((c) => c.difference !== null)).toEqual([]);
  expect(cases.length).toBe(9);
}, 30_000);
