// Rolling moments after very many updates at prices around 1e5 with variance around 1e-4: every value within 1e-9
// relative of a two-pass recomputation, or the bench throws. 2·10^6 updates a round by default;
// HOTLANE_NUMERICS_UPDATES=100000000 runs issue 5's full size (about 10 s a round). Reference: the two-pass
// recomputation itself, per update.
import { Prng } from "../src/core/prng.ts";
import { countMomentWords, initCountMoments, K, pushMoments, S1 } from "../src/factor/nodes/count-moments.ts";
import { type Bench, loopSide } from "./harness.ts";

const WINDOW = 100;
const TOLERANCE = 1e-9;
const PRICES = 65_536;
const CHECK_EVERY = 9_973;

/** A mean-reverting walk in steps of 0.01: the variance of a window of 100 is about 1e-4. */
function prices(): Float64Array {
  const prng = new Prng(100_000);
  let off = 0;
  return Float64Array.from({ length: PRICES }, () => {
    off += prng.nextBelow(3) - 1 - Math.sign(off) * (prng.nextBelow(2) === 0 ? 1 : 0);
    return 100_000 + off / 100;
  });
}

/** Mean and variance of the last WINDOW values, in two passes. */
function twoPass(x: Float64Array, last: number, out: Float64Array): void {
  let sum = 0;
  const first = x[last & (PRICES - 1)]!;
  for (let k = 0; k < WINDOW; k++) sum += x[(last - k) & (PRICES - 1)]! - first;
  const mean = sum / WINDOW;
  let squares = 0;
  for (let k = 0; k < WINDOW; k++) squares += (x[(last - k) & (PRICES - 1)]! - first - mean) ** 2;
  out[0] = first + mean;
  out[1] = squares / WINDOW;
}

function ownRun(x: Float64Array): (ops: number) => number {
  const a = new Float64Array(countMomentWords(WINDOW));
  initCountMoments(a, 0, WINDOW);
  const exact = new Float64Array(2);
  let i = 0;
  const check = (variance: number): void => {
    twoPass(x, i, exact);
    const mean = a[K]! + a[S1]! / WINDOW;
    const wrongMean = Math.abs(mean - exact[0]!) > TOLERANCE * exact[0]!;
    if (wrongMean || Math.abs(variance - exact[1]!) > TOLERANCE * exact[1]!) {
      throw new Error(`after ${i} updates: ${mean}, ${variance}; two passes give ${exact[0]}, ${exact[1]}`);
    }
  };
  return (ops) => {
    let sum = 0;
    for (let k = 0; k < ops; k++) {
      const variance = pushMoments(a, 0, x[i & (PRICES - 1)]!) / WINDOW;
      if (i >= WINDOW) {
        sum += variance;
        if (i % CHECK_EVERY === 0) check(variance);
      }
      i++;
    }
    return sum > 0 ? 1 : 0;
  };
}

function naiveRun(x: Float64Array): (ops: number) => number {
  const out = new Float64Array(2);
  let i = WINDOW;
  return (ops) => {
    let sum = 0;
    for (let k = 0; k < ops; k++) {
      twoPass(x, i++, out);
      sum += out[1]!;
    }
    return sum > 0 ? 1 : 0;
  };
}

export const benches: readonly Bench[] = [
  {
    name: "factor.numerics",
    question: "ns per rolling variance that stays within 1e-9 of two passes (checked while it runs)",
    unit: "ns",
    compare: "p50",
    open: (size) => {
      const wanted = Number(process.env["HOTLANE_NUMERICS_UPDATES"] ?? 2_000_000);
      const updates = size === "full" ? wanted : 50_000;
      const opsPerSample = 10_000;
      const x = prices();
      return {
        own: loopSide(ownRun(x), { opsPerSample, samples: updates / opsPerSample }),
        reference: {
          name: "two passes over the window",
          ...loopSide(naiveRun(x), { opsPerSample, samples: Math.min(40, updates / opsPerSample) }),
        },
      };
    },
  },
];
