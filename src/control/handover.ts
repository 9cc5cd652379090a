// A graceful upgrade from the new version's side: the instance that runs on a data directory is asked to end, with
// its orders pulled or kept, and waited for, before the new one takes the directory's lock. What the old one has
// journalled is what the new one recovers, so nothing is lost between them. Cold.

import { EngineError } from "../engine/engine-error.ts";
import type { EngineLog } from "../engine/live-engine.ts";
import { ControlClient } from "./control-client.ts";
import type { CommandResult } from "./engine-control.ts";
import { findInstance, processEnded, type RunInfo } from "./run-file.ts";

export interface HandoverOptions {
  readonly dataDir: string;
  /** Working orders stay at the venue until the new instance has taken over. */
  readonly keep: boolean;
  /** Who asks: version and pid, for the audit log of the old instance. */
  readonly who: string;
  readonly timeoutMs: number;
  readonly log: EngineLog;
}

const EXIT_FAILED = 1;
const EXIT_UNSAFE = 4;

/**
 * Ends the running instance, if there is one; true when it did. Throws EngineError when it cannot be asked (exit 1:
 * it goes on as it was) or does not end (exit 4).
 */
export async function takeOver(options: HandoverOptions): Promise<boolean> {
  const found = findInstance(options.dataDir);
  if (found.kind === "bad")
    throw new EngineError(`the running instance cannot be asked: ${found.problem}`, EXIT_FAILED);
  if (found.kind !== "running") {
    options.log("info", "upgrade: no instance runs here, this is a plain start");
    return false;
  }
  const { run } = found;
  const startedMs = performance.now();
  await askToEnd(run, options);
  if (!(await processEnded(run, options.timeoutMs)))
    throw new EngineError(
      `upgrade: pid ${run.pid} was asked to end and still runs; orders may be working at the venue`,
      EXIT_UNSAFE,
    );
  options.log("warn", "upgrade: the instance before has ended", {
    pid: run.pid,
    orders: options.keep ? "kept" : "pulled",
    tookMs: Math.round(performance.now() - startedMs),
  });
  return true;
}

async function askToEnd(run: RunInfo, { keep, who, log }: HandoverOptions): Promise<void> {
  log("warn", `upgrade: asking pid ${run.pid} to end`, {
    orders: keep ? "kept" : "pulled",
  });
  let refusal: string;
  try {
    const answer = await new ControlClient(run).post("/api/shutdown", { keep, who, why: "upgrade" });
    const result = answer.body as Partial<CommandResult> & { error?: { what: string } };
    if (result.ok === true) return;
    refusal = result.message ?? result.error?.what ?? `HTTP ${answer.status}`;
  } catch (error) {
    refusal = (error as Error).message;
  }
  throw new EngineError(`upgrade: pid ${run.pid} does not end: ${refusal}; it goes on`, EXIT_FAILED);
}
