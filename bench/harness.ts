// The contract of a bench file, and the ways to measure. `bun bench/run.ts` finds bench/*.bench.ts; each
// exports
//
//   export const benches: readonly Bench[] = [{
//     name: "book.update",                       // "<area>.<question>", unique; run.ts filters by substring
//     question: "ns to apply one depth level",   // one question per bench
//     unit: "ns",
//     compare: "p50",                            // figure that ratio compares: "p50", "mean" or "perSecond"
//     maxRatio: 0.5,                             // optional required figure; the gate fails above it
//     sameChecksum: true,                        // own and reference must compute the same result
//     open(size) {                               // "full", or "tiny" (must end within a second: tests run it)
//       return { own: loopSide(…), reference: { name: "Map of levels", ...loopSide(…) } };
//     },
//   }];
//
// Own and reference rounds alternate in one run, so both see the same phases of the machine. ratio = own time
// ÷ reference time (below 1: faster than the reference), the median over rounds. A reference that cannot run
// here is null, and `missing` says why. Every round returns a checksum of what it computed; it must be the
// same in each round. Bodies of benches allocate everything in open().

import { heapStats } from "bun:jsc";
import { monotonicNs } from "../ffi/host.ts";
import { quantile } from "./harness/statistics.ts";

export type BenchSize = "full" | "tiny";

/** One measured round; times in the bench's unit. */
export interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Operations per second over the whole round. */
  readonly perSecond: number;
  /** What was computed; equal in every round. */
  readonly checksum: number;
}

export interface Side {
  round(): Figures | Promise<Figures>;
  /** Heap bytes per operation; null or absent when it cannot be measured. */
  bytesPerOp?(): number | null;
  close?(): void | Promise<void>;
}

export interface OpenBench {
  readonly own: Side;
  readonly reference: (Side & { readonly name: string }) | null;
  /** Why there is no reference. */
  readonly missing?: string;
}

export interface Bench {
  readonly name: string;
  readonly question: string;
  readonly unit: "ns";
  readonly compare: "p50" | "mean" | "perSecond";
  /** The ratio that is required, if one is. */
  readonly maxRatio?: number;
  readonly sameChecksum?: boolean;
  /** Rounds of each side before measuring; default 2. */
  readonly warmUpRounds?: number;
  open(size: BenchSize): OpenBench | Promise<OpenBench>;
}

/** A bench that cannot run on this machine throws this from open(): reported, not failed. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

export interface LoopOptions {
  /** Operations that are timed together: enough that a clock call (30 ns) does not show. */
  readonly opsPerSample: number;
  readonly samples: number;
}

/**
 * Measures `run(ops)`, which performs `ops` operations and returns a checksum. A sample is the mean of
 * `opsPerSample` operations, so percentiles show slow spells, not single slow operations (latencySide does).
 */
export function loopSide(run: (ops: number) => number, options: LoopOptions): Side {
  const times = new Float64Array(options.samples);
  return {
    round() {
      let checksum = 0;
      const started = monotonicNs();
      let before = started;
      for (let s = 0; s < options.samples; s++) {
        checksum += run(options.opsPerSample);
        const after = monotonicNs();
        times[s] = (after - before) / options.opsPerSample;
        before = after;
      }
      return figures(times, options.samples * options.opsPerSample, before - started, checksum);
    },
    bytesPerOp: () => heapBytesPerOp(run),
  };
}

/**
 * Times each call of `op(i)` by itself; `between(i)`, untimed, prepares it (cold caches). A clock call is in
 * each sample: fit for operations of 200 ns and more.
 */
export function latencySide(
  op: (i: number) => number,
  samples: number,
  between: ((i: number) => void) | null = null,
): Side {
  const times = new Float64Array(samples);
  return {
    round() {
      let checksum = 0;
      let total = 0;
      for (let i = 0; i < samples; i++) {
        if (between !== null) between(i);
        const before = monotonicNs();
        checksum += op(i);
        const elapsed = monotonicNs() - before;
        times[i] = elapsed;
        total += elapsed;
      }
      return figures(times, samples, total, checksum);
    },
    bytesPerOp: () =>
      heapBytesPerOp((ops) => {
        let checksum = 0;
        for (let i = 0; i < ops; i++) checksum += op(i % samples);
        return checksum;
      }),
  };
}

/** Figures of `times` (sorted in place) for `ops` operations in `elapsedNs`. */
export function figures(times: Float64Array, ops: number, elapsedNs: number, checksum: number): Figures {
  times.sort();
  return {
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    p999: quantile(times, 0.999),
    perSecond: (ops * 1e9) / elapsedNs,
    checksum,
  };
}

const HEAP_BLOCK_BYTES = 16_384;
const ENOUGH_GROWTH_BYTES = 512 * 1024;
const MOST_OPS = 1 << 22;
const LONGEST_PROBE_NS = 200_000_000;

/**
 * Heap bytes that one operation allocates: growth of the heap's capacity after a full collection, with four
 * times the operations until it grows by 512 KB (well below what starts a collection, which would hide it).
 * Capacity moves in blocks of 16 KB; two of them are noise and do not count.
 */
export function heapBytesPerOp(run: (ops: number) => number): number {
  for (let ops = 256; ; ops *= 4) {
    Bun.gc(true);
    const before = heapStats().heapCapacity;
    const started = monotonicNs();
    run(ops);
    const elapsed = monotonicNs() - started;
    const growth = heapStats().heapCapacity - before;
    if (growth >= ENOUGH_GROWTH_BYTES || ops >= MOST_OPS || elapsed > LONGEST_PROBE_NS)
      return Math.max(0, growth - 2 * HEAP_BLOCK_BYTES) / ops;
  }
}
