import { expect, test } from "bun:test";
import { benches } from "../../../bench/gate.bench.ts";
import { runBench } from "../../../bench/harness/runner.ts";

// The bench cannot rot: it runs here at its tiny size.
for (const bench of benches)
  test(`${bench.name} runs at its tiny size, every order passes, and nothing is allocated`, async () => {
    const outcome = await runBench(bench, "tiny", 1);
    if ("unavailable" in outcome) throw new Error("this bench needs nothing");
    expect(outcome.result.p50).toBeGreaterThan(0);
    expect(outcome.result.bytesPerOp!).toBeLessThan(1);
  }, 20_000);
