// The gate's own test subject: an arithmetic loop against the same loop. HOTLANE_BENCH_SLOWDOWN=1.2 makes the
// measured body do 20 % more of it; the reference stays as it is.
import { type Bench, loopSide } from "../../../bench/harness.ts";

const slowdown = Number(process.env["HOTLANE_BENCH_SLOWDOWN"] ?? 1);

function work(rounds: number): number {
  let x = 1;
  for (let i = 0; i < rounds; i++) x = Math.imul(x ^ (x >>> 13), 0x5bd1e995) + i;
  return x | 0;
}

const WORK = 2000;

function body(rounds: number): (ops: number) => number {
  return (ops) => {
    let done = 0;
    for (let i = 0; i < ops; i++) done += work(rounds) === 0 ? 0 : 1;
    return done;
  };
}

export const benches: readonly Bench[] = [
  {
    name: "spin.loop",
    question: "one loop of integer arithmetic",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: (size) => {
      const options = { opsPerSample: 20, samples: size === "tiny" ? 20 : 400 };
      return {
        own: loopSide(body(WORK * slowdown), options),
        reference: { name: "the same loop", ...loopSide(body(WORK), options) },
      };
    },
  },
];
