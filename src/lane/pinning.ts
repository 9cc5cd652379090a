// The pinning recipe, in the order that keeps JIT and GC helper threads off the hot cores:
//   1. main: confineProcess(housekeeping) before any worker starts
//   2. workers start unpinned and warm the real hot functions, so that helper threads spawn
//   3. each hot worker calls pinLane last, and tells main its thread id
//   4. main: sweepThreads, again during the first seconds: a helper inherits the mask of the thread that
//      spawns it, which may be a hot one
//   5. lockMemory (ffi/host.ts)
// Late pinning: worst stall 0.05–0.4 ms; pinned from the start ≥ 2 ms in most runs. Without the permission
// every step reports it and changes nothing; lanes then run unpinned.
import {
  gettid,
  type HostResult,
  listThreads,
  pinThread,
  setAffinity,
  setThreadName,
} from "../../ffi/host.ts";

export interface SweepReport {
  /** Threads whose mask was changed. */
  readonly moved: number;
  /** What was refused, one line a reason with the threads' names; empty when all went well. */
  readonly errors: readonly string[];
}

/** Step 1: every thread that exists now may run on `cpus` only; later threads inherit it. */
export function confineProcess(cpus: readonly number[]): SweepReport {
  return sweepThreads(new Set(), cpus);
}

export interface PinReport {
  readonly tid: number;
  readonly result: HostResult;
}

/** Names the calling thread `hl-<lane>` (early, so that tools can tell lanes apart). */
export function nameLane(lane: string): HostResult {
  return setThreadName(`hl-${lane}`);
}

/** Step 3: pins the calling thread. */
export function pinLane(cpu: number): PinReport {
  const tid = gettid();
  return { tid, result: pinThread(tid, cpu) };
}

const reasonOf = (error: string): string => error.slice(error.lastIndexOf(": ") + 2);

/** Step 4: moves every thread that is not in `hotTids` to `housekeeping`. A thread that ends meanwhile is fine. */
export function sweepThreads(hotTids: ReadonlySet<number>, housekeeping: readonly number[]): SweepReport {
  const wanted = housekeeping.join(",");
  const refused = new Map<string, Set<string>>();
  let moved = 0;
  for (const thread of listThreads()) {
    if (hotTids.has(thread.tid) || thread.cpus.join(",") === wanted) continue;
    const result = setAffinity(thread.tid, housekeeping);
    if (result.ok) moved++;
    else if (!result.error.includes("ESRCH")) {
      const reason = reasonOf(result.error);
      refused.set(reason, (refused.get(reason) ?? new Set()).add(thread.name));
    }
  }
  const errors = [...refused].map(
    ([reason, names]) => `${[...names].sort().join(", ")} not moved to cpu ${wanted}: ${reason}`,
  );
  return { moved, errors };
}

/**
 * Step 4 over the first seconds: sweeps now and every `everyMs` for `forMs`. What is refused is refused again each
 * time: it is reported once. The timer does not keep the process alive. Returns the stop function.
 */
export function keepSweeping(
  hotTids: ReadonlySet<number>,
  housekeeping: readonly number[],
  onReport: (report: SweepReport) => void,
  everyMs = 250,
  forMs = 10_000,
): () => void {
  let left = Math.ceil(forMs / everyMs);
  const said = new Set<string>();
  const sweep = (): void => {
    const { moved, errors: found } = sweepThreads(hotTids, housekeeping);
    const errors = found.filter((error) => !said.has(reasonOf(error)));
    for (const error of errors) said.add(reasonOf(error));
    if (moved > 0 || errors.length > 0) onReport({ moved, errors });
  };
  const timer = setInterval(() => {
    sweep();
    if (--left <= 0) clearInterval(timer);
  }, everyMs);
  timer.unref();
  sweep();
  return () => clearInterval(timer);
}
