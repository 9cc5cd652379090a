// The running product, as its own process, against the simulated venue as another (harness/load-session.ts), at
// 5,000 messages/s with quotes that follow every tick:
//
//   wire.toWire    venue sends a depth update → the order that it triggers arrives there, both stamped by the
//                  venue, joined through the WAL (harness/load-judge.ts); sockets of both processes included
//   wire.lanes     receive stamp → request written, across the three workers and their rings
//   wire.fused     the same with all three in one worker: the reference of wire.lanes
//
// One session is one round. No reference for the first: it is the venue and the kernel as much as ours. The
// checksum is what must be 0: drops and levels that differ from the venue's book.
import { availableParallelism } from "node:os";
import { judge } from "./harness/load-judge.ts";
import { type LoadOptions, runLoad } from "./harness/load-session.ts";
import { type Bench, type BenchSize, type Figures, type Side, Unavailable } from "./harness.ts";

const SPEED = 18.4;
const FULL_SECONDS = 10;
const TINY_SECONDS = 4;
/** Spinning lanes each need a core, the venue and main another. */
const SPIN_CPUS = 5;

type Pick = "wire" | "inside";

async function session(options: LoadOptions, pick: Pick): Promise<Figures> {
  const run = await runLoad(options);
  try {
    const judged = judge(run);
    const inside = run.summary.latencyNs["tickToOrder"]!;
    const seen = pick === "wire" ? judged.wireToWire : inside;
    if (run.exitCode !== 0) throw new Error(`live ended with ${run.exitCode}: ${run.stderr.slice(-500)}`);
    return {
      p50: seen.p50 ?? Number.NaN,
      p99: seen.p99 ?? Number.NaN,
      p999: (pick === "wire" ? judged.wireToWire.p99 : inside.p999) ?? Number.NaN,
      perSecond: seen.count / run.summary.durationS,
      checksum: run.summary.drops + judged.levelsWrong,
    };
  } finally {
    run.discard();
  }
}

function side(size: BenchSize, pick: Pick, more: Partial<LoadOptions>): Side {
  const seconds = size === "tiny" ? TINY_SECONDS : FULL_SECONDS;
  return {
    round: () => session({ speed: SPEED, seconds, minMoveTicks: 1, ...more }, pick),
  };
}

function needCpus(count: number): void {
  if (availableParallelism() < count)
    throw new Unavailable(`${count} cpus are needed, ${availableParallelism()} are here`);
}

export const benches: readonly Bench[] = [
  {
    name: "wire.toWire",
    question: "ns from the venue's send to the order's arrival there, loopback, lanes that park",
    unit: "ns",
    compare: "p50",
    warmUpRounds: 0,
    open: (size) => ({
      own: side(size, "wire", { wait: "park" }),
      reference: null,
      missing: "the figure is the product's, the venue's and the kernel's together",
    }),
  },
  {
    name: "wire.lanes",
    question: "ns from receive to request written, across three workers that park",
    unit: "ns",
    compare: "p50",
    warmUpRounds: 0,
    open: (size) => ({
      own: side(size, "inside", { wait: "park", topology: "lanes" }),
      reference:
        size === "tiny"
          ? null
          : { name: "one worker, fused", ...side(size, "inside", { wait: "park", topology: "fused" }) },
      missing: "at full size only",
    }),
  },
  {
    name: "wire.lanesSpin",
    question: "ns from receive to request written, across three workers that spin",
    unit: "ns",
    compare: "p50",
    warmUpRounds: 0,
    open: (size) => {
      needCpus(SPIN_CPUS);
      return {
        own: side(size, "inside", { wait: "spin", topology: "lanes" }),
        reference: null,
        missing: "see wire.lanes",
      };
    },
  },
];
