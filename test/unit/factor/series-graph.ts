// Runs a chain of transforms over a plain series: the inputs come in as alphas.
import { makeFactorState } from "../../../src/factor/factor-state.ts";
import { FactorGraph } from "../../../src/factor/graph.ts";

export interface Sample {
  readonly tsNs: number;
  /** One value per input. */
  readonly values: readonly number[];
}

/** Output of one node of `type` for every sample. */
export function runNode(
  type: string,
  config: Readonly<Record<string, unknown>>,
  samples: readonly Sample[],
  inputs = 1,
): number[] {
  const names = Array.from({ length: inputs }, (_, i) => `in${i}`);
  const graph = new FactorGraph("series").addNode("node", type, config).setOutput("out", "node");
  for (const name of names) graph.addNode(name, "Alpha", { name }).connect(name, "node");
  const state = makeFactorState({
    instruments: [{ id: 1, symbol: "X", tickSize: "1", lotSize: "1" }],
    graphs: [{ name: "g", program: graph.compile(), instrument: 1 }],
    alphas: names,
    context: { tradeCapacity: 2 },
  });
  const instance = state.graphs[0]!;
  return samples.map(({ tsNs, values }) => {
    values.forEach((v, i) => void state.alphas.set(i, v, tsNs));
    instance.update(tsNs);
    return instance.output(0);
  });
}

/** Equal within 1e-9 relative to `scale`, NaN for NaN. */
export function expectClose(actual: readonly number[], expected: readonly number[], scale = 1): void {
  if (actual.length !== expected.length)
    throw new Error(`${actual.length} values, expected ${expected.length}`);
  actual.forEach((value, i) => {
    const wanted = expected[i]!;
    if (Number.isNaN(wanted) && Number.isNaN(value)) return;
    const error = Math.abs(value - wanted);
    if (!(error <= 1e-9 * Math.max(Math.abs(wanted), scale))) {
      throw new Error(`at ${i}: ${value}, expected ${wanted}`);
    }
  });
}
