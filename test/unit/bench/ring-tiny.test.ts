import { expect, test } from "bun:test";
import { runBench } from "../../../bench/harness/runner.ts";
import { benches } from "../../../bench/ring.bench.ts";

// The benches cannot rot: each runs here at its tiny size. Peers take part when they are already built.
for (const bench of benches)
  test(`${bench.name} runs at its tiny size and computes the same result every time`, async () => {
    const outcome = await runBench(bench, "tiny", 1);
    if ("unavailable" in outcome) return;
    expect(outcome.result.p50).toBeGreaterThan(0);
    expect(outcome.result.bytesPerOp!).toBeLessThan(1);
  }, 20_000);
