// The slices in which FACTOR's lane copies its state for a checkpoint: an event waits for one slice at most. 30,000
// levels, a third of them outside the book's dense window, and an arena of 1.6 MiB. Slice k does the same work in
// every copy, so the least of RUNS times is what it costs and the rest is what the machine put in between. Reference:
// the whole copy in one go, which an event would wait for without slices.
import { monotonicNs } from "../ffi/host.ts";
import { Prng } from "../src/core/prng.ts";
import { CheckpointCapture } from "../src/factor/checkpoint.ts";
import { CheckpointSlices, COPY_MORE, copyBytes } from "../src/factor/checkpoint-slices.ts";
import { type FactorState, makeFactorState } from "../src/factor/factor-state.ts";
import { FactorGraph } from "../src/factor/graph.ts";
import { ASK, BID } from "../src/market/l2-book.ts";
import { type Bench, figures, type Side } from "./harness.ts";

const MID = 600_000;
const RUNS = 41;

function fullState(levels: number): FactorState {
  const program = new FactorGraph("g").addNode("v", "VWAP", { window: "10s" }).setOutput("v", "v").compile();
  const state = makeFactorState({
    instruments: [{ id: 1, symbol: "X", tickSize: "0.1", lotSize: "0.001" }],
    graphs: [{ name: "g", program, instrument: 1 }],
    context: { tradeCapacity: 32_768 },
  });
  const { book } = state.contexts[0]!;
  const prng = new Prng(3);
  for (let k = 1; k <= levels / 2; k++) {
    const distance = k % 3 === 0 ? 20_000 + k * 7 : k;
    book.apply(BID, MID - distance, 1 + prng.nextBelow(1000));
    book.apply(ASK, MID + distance, 1 + prng.nextBelow(1000));
  }
  for (let k = 0; k < 4_000; k++) book.maintain();
  return state;
}

function sliced(state: FactorState, levels: number): Side {
  const slices = new CheckpointSlices(state, 0n, new Uint8Array(copyBytes(state, levels)));
  const least = new Float64Array(4096);
  const once = (): number => {
    slices.begin();
    for (let k = 0; ; k++) {
      const before = monotonicNs();
      const length = slices.step();
      const elapsed = monotonicNs() - before;
      least[k] = Math.min(least[k]!, elapsed);
      if (length !== COPY_MORE) return k + 1;
    }
  };
  return {
    round() {
      least.fill(Infinity);
      let count = 0;
      for (let r = 0; r < RUNS; r++) count = once();
      const times = least.slice(0, count);
      return figures(
        times,
        count,
        times.reduce((a, b) => a + b, 0),
        count,
      );
    },
  };
}

function whole(state: FactorState, levels: number): Side {
  const capture = new CheckpointCapture(state, 0n, levels);
  return {
    round() {
      let least = Infinity;
      for (let r = 0; r < RUNS; r++) {
        const before = monotonicNs();
        capture.take(0n);
        least = Math.min(least, monotonicNs() - before);
      }
      return figures(Float64Array.of(least), 1, least, 1);
    },
  };
}

export const benches: readonly Bench[] = [
  {
    name: "checkpoint.slice",
    question: "ns that an event waits for a slice of a checkpoint (p99.9 = the longest slice; 20 µs at most)",
    unit: "ns",
    compare: "p50",
    warmUpRounds: 3,
    open: (size) => {
      const levels = size === "full" ? 30_000 : 600;
      const state = fullState(levels);
      return {
        own: sliced(state, levels),
        reference: { name: "the copy in one go", ...whole(state, levels) },
      };
    },
  },
];
