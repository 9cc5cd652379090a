import { expect, test } from "bun:test";
import { benches } from "../../../bench/backtest.bench.ts";

test("every backtest bench runs in its tiny size, in both modes, and rounds agree", async () => {
  expect(benches.length).toBe(10);
  for (const bench of benches) {
    const { own } = await bench.open("tiny");
    const [a, b] = [await own.round(), await own.round()];
    expect(a.perSecond).toBeGreaterThan(0);
    expect(a.checksum).toBe(b.checksum);
  }
}, 60_000);
