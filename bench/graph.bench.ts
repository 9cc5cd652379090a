// Factor graphs over a capture-like market: document 2's graph and a 60-node graph, generated function against
// the flat interpreter of the same program and against code written by hand (equal checksums), and the batch over event
// rows, book included.
import { join } from "node:path";
import { monotonicNs } from "../ffi/host.ts";
import { Prng } from "../src/core/prng.ts";
import { EV_BUY, EV_EXCH, EV_LOCAL, EV_SELL, KIND_DEPTH } from "../src/data/event-codes.ts";
import { EventTable } from "../src/data/event-table.ts";
import type { InstrumentContext } from "../src/factor/context.ts";
import { makeFactorState } from "../src/factor/factor-state.ts";
import { FactorGraph } from "../src/factor/graph.ts";
import { loadGraphFile } from "../src/factor/graph-toml.ts";
import type { Program } from "../src/factor/program.ts";
import { openBatch } from "../src/factor/update-batch.ts";
import { ASK, BID } from "../src/market/l2-book.ts";
import { HandWritten } from "./graph-reference.ts";
import { type Bench, figures, loopSide, type Side } from "./harness.ts";

const EXAMPLE = join(import.meta.dir, "../config/graphs/obi_mm_factors.toml");
const STEP_NS = 50_000_000;

/** Moves the touch by a tick now and then, as a liquid book does. */
class Market {
  private readonly context: InstrumentContext;
  private readonly qty: Float64Array;
  private i: number;
  private mid: number;

  constructor(context: InstrumentContext) {
    this.context = context;
    const prng = new Prng(7);
    this.qty = Float64Array.from({ length: 4096 }, () => 1 + prng.nextBelow(3_000));
    this.i = 0;
    this.mid = 618_000;
    for (let k = 1; k <= 2_000; k++) {
      context.book.apply(BID, this.mid - k, this.qty[k]!);
      context.book.apply(ASK, this.mid + k, this.qty[k + 2_000]!);
    }
    context.assumeReady(0);
    context.onBookEvent(0);
  }

  step(): void {
    const i = ++this.i & 4095;
    const { book } = this.context;
    const q = this.qty[i]!;
    if ((i & 15) === 0) {
      const up = (this.qty[(i + 1) & 4095]! & 1) === 0;
      if (up) {
        book.apply(ASK, this.mid + 1, 0);
        book.apply(BID, this.mid, q);
        this.mid++;
      } else {
        book.apply(BID, this.mid - 1, 0);
        book.apply(ASK, this.mid, q);
        this.mid--;
      }
    } else book.apply((i & 1) === 0 ? BID : ASK, this.mid + ((i & 1) === 0 ? -1 : 1) * (1 + (i % 7)), q);
    this.context.refreshTouch();
  }
}

/** How the graph is computed. */
type Way = "generated" | "interpreted" | "by hand";

/** A graph over a market of its own, and the same by hand over its depth band. */
function subject(program: Program, way: Way) {
  const byHand = way === "by hand";
  const state = makeFactorState({
    instruments: [{ id: 1, symbol: "BTCUSDT", tickSize: "0.1", lotSize: "0.001" }],
    graphs: byHand ? [] : [{ name: "bench", program, instrument: 1 }],
    context: { tradeCapacity: 2, bands: byHand ? 1 : 0 },
  });
  const context = state.contexts[0]!;
  return {
    market: new Market(context),
    graph: byHand ? null : state.graphs[0]!,
    hand: byHand ? new HandWritten(context) : null,
  };
}

/**
 * ns per update with the book's share taken out: each sample is timed with and without the graph. The checksum is the
 * rounded sum of the first output, which plain running sums also reach. The call is written out for each way, because one
 * call of all three would cost each of them.
 */
function graphSide(program: Program, way: Way, samples: number): Side {
  const opsPerSample = 4_096;
  const times = new Float64Array(samples);
  let now = 0;
  let { market, graph, hand } = subject(program, way);
  const run = (ops: number): number => {
    let sum = 0;
    for (let k = 0; k < ops; k++) {
      market.step();
      now += STEP_NS;
      if (hand !== null) hand.update();
      else if (way === "generated") graph!.update(now);
      else graph!.interpret(now);
      const v = hand !== null ? hand.alpha : graph!.output(0);
      // No branch on the sign: nobody foresees it, and what it costs is not the graph's.
      if (!Number.isNaN(v)) sum += v;
    }
    return sum;
  };
  const bare = (ops: number): void => {
    for (let k = 0; k < ops; k++) market.step();
  };
  return {
    round() {
      ({ market, graph, hand } = subject(program, way));
      now = 0;
      let checksum = 0;
      let elapsed = 0;
      for (let s = 0; s < samples; s++) {
        const start = monotonicNs();
        bare(opsPerSample);
        const middle = monotonicNs();
        checksum += run(opsPerSample);
        const own = monotonicNs() - middle - (middle - start);
        times[s] = own / opsPerSample;
        elapsed += own;
      }
      return figures(times, samples * opsPerSample, elapsed, Math.round(checksum));
    },
    bytesPerOp: loopSide(run, { opsPerSample, samples: 1 }).bytesPerOp!,
  };
}

/** 60 nodes: ten chains of a source, returns, averages, deviations and a signal. */
function sixtyNodes(): Program {
  const graph = new FactorGraph("sixty");
  for (let k = 0; k < 10; k++) {
    const id = (name: string): string => `${name}${k}`;
    graph
      .addNode(id("src"), k % 2 === 0 ? "MidPrice" : "MicroPrice")
      .addNode(id("lag"), "Lag", { periods: k + 1 });
    graph.addNode(id("ret"), "Diff", { periods: k + 1 }).addNode(id("ema"), "EMA", { span: 5 + k });
    graph.addNode(id("std"), "RollingStd", { window: 20 + k }).addNode(id("div"), "Div");
    graph.connect(id("src"), id("lag")).connect(id("lag"), id("ret")).connect(id("ret"), id("ema"));
    graph.connect(id("ret"), id("std")).connect(id("ema"), id("div")).connect(id("std"), id("div"));
    graph.setOutput(id("out"), id("div"));
  }
  return graph.compile();
}

const pair = (program: Program, samples: number) => ({
  own: graphSide(program, "generated", samples),
  reference: { name: "flat interpreter", ...graphSide(program, "interpreted", samples) },
});

/** Event rows of a market with 40 levels a message. */
function rows(messages: number): Uint8Array {
  const prng = new Prng(11);
  const table = new EventTable(messages * 40);
  let mid = 618_000;
  for (let n = 0; n < messages; n++) {
    const ts = 1_723_161_600_000_000_000n + BigInt(n) * 50_000_000n;
    mid += prng.nextBelow(3) - 1;
    for (let k = 0; k < 40; k++) {
      const side = k % 2 === 0 ? 1 : -1;
      const ticks = mid - side * (1 + prng.nextBelow(prng.nextBelow(8) === 0 ? 3_000 : 60));
      const qty = prng.nextBelow(4) === 0 ? 0 : prng.nextBelow(4_000) / 1000;
      table.append(
        EV_EXCH | EV_LOCAL | (side > 0 ? EV_BUY : EV_SELL) | KIND_DEPTH,
        ts - 1_000n,
        ts,
        ticks / 10,
        qty,
      );
    }
  }
  return table.bytes;
}

function batchSide(program: Program, data: Uint8Array): Side {
  const count = data.length / 64;
  return {
    round() {
      let checksum = 0;
      const run = openBatch(program, [data], { tickSize: "0.1", lotSize: "0.001" }, (n, _ts, columns) => {
        const column = columns[0]!;
        for (let i = 0; i < n; i++) if (column[i]! > 0) checksum += column[i]!;
      });
      const start = monotonicNs();
      while (run.step(1 << 18));
      const elapsed = monotonicNs() - start;
      run.close();
      return figures(Float64Array.of(elapsed / count), count, elapsed, checksum);
    },
  };
}

export const benches: readonly Bench[] = [
  {
    name: "graph.obi_mm",
    question: "ns per update of document 2's graph, on top of the book",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: async (size) => pair(await loadGraphFile(EXAMPLE), size === "full" ? 400 : 4),
  },
  {
    name: "graph.handwritten",
    question: "ns per update of document 2's graph, on top of the book, against the same by hand",
    unit: "ns",
    compare: "p50",
    maxRatio: 1.25,
    sameChecksum: true,
    async open(size) {
      const program = await loadGraphFile(EXAMPLE);
      const samples = size === "full" ? 400 : 4;
      const reference = graphSide(program, "by hand", samples);
      return {
        own: graphSide(program, "generated", samples),
        reference: { name: "straight-line code over typed arrays", ...reference },
      };
    },
  },
  {
    name: "graph.sixty",
    question: "ns per update of a 60-node graph, on top of the book",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: (size) => pair(sixtyNodes(), size === "full" ? 100 : 2),
  },
  {
    name: "graph.batch",
    question: "ns per event row of document 2's graph over rows in memory, book included",
    unit: "ns",
    compare: "mean",
    open: async (size) => ({
      own: batchSide(await loadGraphFile(EXAMPLE), rows(size === "full" ? 25_000 : 300)),
      reference: null,
      missing: "pandas is not part of the project's tools",
    }),
  },
];
