import { expect, test } from "bun:test";
import { join } from "node:path";
import { CompatBacktest } from "../../../src/backtest/compat/compat-backtest.ts";
import { sampleMidTicks } from "../../../src/backtest/fill-mids.ts";

test("mids of a market by order are those of its book", () => {
  const data = [join(import.meta.dir, "../../data/golden/market-by-order/3/a0_0.npz")];
  const market = { data, tickSize: 0.25, lotSize: 2 ** -10, queueModel: "l3-fifo" } as const;
  const backtest = new CompatBacktest([market]);
  try {
    backtest.elapse(0);
    backtest.elapse(40_000_000);
    const { bestBidTick, bestAskTick } = backtest.depth(0);
    // Late by the feed's latency at most: the trader's book of then is the exchange's of some instant just before.
    const ts = Float64Array.from({ length: 40 }, (_, i) => backtest.currentTsNs - 10_000_000 + i * 250_000);
    expect(sampleMidTicks(market, backtest.baseNs, ts)).toContain((bestBidTick + bestAskTick) / 2);
  } finally {
    backtest.close();
  }
});
