// Each node type by itself on the BTCUSDT event rows: the slowest update of one in a thousand, of the worst type.
// The same updates run RUNS times and the least time of each counts: an update does the same work every time, so
// that keeps what it costs and drops what the machine put in between (on a shared machine a node that only copies
// a number has a p99.9 of 20 µs). The clock call of each sample (30–40 ns) is in the figure.
import { join } from "node:path";
import { monotonicNs } from "../ffi/host.ts";
import { openRowBlocks } from "../src/data/row-blocks.ts";
import { ColumnSink } from "../src/factor/batch.ts";
import { BUILT_IN } from "../src/factor/catalogue.ts";
import { makeFactorState } from "../src/factor/factor-state.ts";
import { FactorGraph } from "../src/factor/graph.ts";
import { FactorHandler } from "../src/factor/handler.ts";
import { NpzSource } from "../src/factor/npz-source.ts";
import type { Program } from "../src/factor/program.ts";
import { quantile } from "./harness/statistics.ts";
import { type Bench, figures, type Side } from "./harness.ts";

const DATA = join(import.meta.dir, "../test/data/npz/btcusdt_200k.npz");
const RUNS = 5;
const WARM_UP_RUNS = 10;
const UPDATES_MAX = 1 << 14;
const CONFIGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  OBI: { looking_depth: 0.001 },
  EMA: { span: 20 },
  Hysteresis: { low: 0, high: 1 },
  Alpha: { name: "none" },
  Const: { value: 1 },
};

/** A graph of one node of `name`, fed by the mid price and the spread. */
function oneNode(name: string): Program {
  const type = BUILT_IN.find((t) => t.name === name)!;
  const config: Record<string, unknown> = { ...CONFIGS[name] };
  for (const p of type.params)
    if (p.name === "window" && config["window"] === undefined)
      config["window"] = p.kind === "time" ? "10s" : 100;
  const graph = new FactorGraph(name).addNode("n", name, config).setOutput("o", "n");
  const inputs = ["MidPrice", "Spread", "BestBid"];
  for (let k = 0; k < type.inputs.length; k++) {
    graph.addNode(`in${k}`, inputs[k]!).connect(`in${k}`, "n");
  }
  return graph.compile();
}

/** Times of every update, in one lane that starts again from its first state at each call: compiled code stays. */
function timedRuns(program: Program): () => Float64Array {
  const state = makeFactorState({
    instruments: [{ id: 1, symbol: "BTCUSDT", tickSize: "0.1", lotSize: "0.001" }],
    graphs: [{ name: program.name, program, instrument: 1 }],
  });
  const first = state.f64.slice();
  const context = state.contexts[0]!;
  const graph = state.graphs[0]!;
  const update = graph.update.bind(graph);
  const times = new Float64Array(UPDATES_MAX);
  let count = 0;
  graph.update = (nowNs: number) => {
    const before = monotonicNs();
    update(nowNs);
    times[count++] = monotonicNs() - before;
  };
  return () => {
    state.f64.set(first);
    context.book.clear();
    context.refreshTouch();
    count = 0;
    const source = new NpzSource(openRowBlocks([DATA]), { instrument: 1, tickSize: 0.1, lotSize: 0.001 });
    const sink = new ColumnSink(1, 4096, () => {});
    const handler = new FactorHandler({ state, sink, baseNs: source.baseNs, assumeSynced: true });
    while (source.pump(handler, 1 << 18));
    source.close();
    return times.slice(0, count);
  };
}

function worstSide(names: readonly string[]): Side {
  return {
    round() {
      let worst: Float64Array = new Float64Array(1);
      let worstName = "";
      for (const name of names) {
        const timed = timedRuns(oneNode(name));
        for (let k = 0; k < WARM_UP_RUNS; k++) timed();
        const times = timed();
        for (let k = 1; k < RUNS; k++) {
          const again = timed();
          for (let i = 0; i < times.length; i++) times[i] = Math.min(times[i]!, again[i]!);
        }
        times.sort();
        if (quantile(times, 0.999) < quantile(worst, 0.999)) continue;
        worst = times;
        worstName = name;
      }
      if (process.env["HOTLANE_BENCH_NAMES"] === "1") console.error(worstName, quantile(worst, 0.999));
      return figures(
        worst,
        worst.length,
        worst.reduce((a, b) => a + b, 0),
        names.length,
      );
    },
  };
}

export const benches: readonly Bench[] = [
  {
    name: "factor.worst-node",
    question: "ns per update of the node type with the greatest p99.9, on the capture",
    unit: "ns",
    compare: "p50",
    warmUpRounds: 1,
    open: (size) => ({
      own: worstSide(size === "full" ? BUILT_IN.map((t) => t.name) : ["RollingStd"]),
      reference: null,
      missing: "the figure is absolute: p99.9 at most 1 µs",
    }),
  },
];
