// One run of `ctl` against one instance: finds it, asks it, prints what it says. Failures become CtlErrors with
// the exit code that the command ends with.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Answer, ControlClient, UnreachableError } from "../control/control-client.ts";
import type { CommandResult } from "../control/engine-control.ts";
import { findInstance, processEnded, type RunInfo } from "../control/run-file.ts";

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_UNSAFE = 4;

export class CtlError extends Error {
  readonly exitCode: number;
  /** The engine said so: how to call ctl is not the question. */
  readonly fromEngine: boolean;

  constructor(exitCode: number, message: string, fromEngine = false) {
    super(message);
    this.exitCode = exitCode;
    this.fromEngine = fromEngine;
  }
}

export interface SessionOptions {
  readonly dataDir: string;
  readonly who: string;
  readonly json: boolean;
  readonly timeoutMs: number;
  readonly out: (text: string) => void;
}

export class Session {
  private readonly options: SessionOptions;
  private readonly run: RunInfo;
  private readonly client: ControlClient;

  private constructor(options: SessionOptions, run: RunInfo) {
    this.options = options;
    this.run = run;
    this.client = new ControlClient(run, options.timeoutMs);
  }

  /** Throws CtlError when nothing runs there. */
  static open(options: SessionOptions): Session {
    const directory = resolve(options.dataDir);
    const found = findInstance(directory);
    if (found.kind === "running") return new Session(options, found.run);
    if (found.kind === "bad") throw new CtlError(EXIT_FAILED, found.problem);
    if (found.kind === "stale") {
      const message = `${directory}: the instance (pid ${found.run.pid}) is gone without having said goodbye; orders may be working at the venue`;
      throw new CtlError(EXIT_UNSAFE, message);
    }
    const why = existsSync(directory) ? "no instance runs here" : "no such data directory";
    throw new CtlError(EXIT_FAILED, `${directory}: ${why} (choose with --env or --data-dir)`);
  }

  /** The view at `path`. Throws CtlError for any other answer. */
  async get<T>(path: string): Promise<T> {
    const answer = await this.ask(() => this.client.get(path));
    if (answer.status === 200) return answer.body as T;
    throw refusal(answer);
  }

  /** What the engine made of a command, done or not. Throws CtlError when it never got there. */
  async command(method: "POST" | "PUT", path: string, body: object): Promise<CommandResult> {
    const attributed = { ...body, who: this.options.who };
    const answer = await this.ask(() =>
      method === "POST" ? this.client.post(path, attributed) : this.client.put(path, attributed),
    );
    const result = answer.body as Partial<CommandResult> | null;
    if (typeof result?.ok !== "boolean") throw refusal(answer);
    return result as CommandResult;
  }

  show<T>(view: T, text: (view: T) => string): void {
    this.options.out(this.options.json ? JSON.stringify(view) : text(view));
  }

  /** Waits for the end of the instance's process; false when it outlives the time-out. */
  ended(): Promise<boolean> {
    return processEnded(this.run, this.options.timeoutMs);
  }

  private async ask(request: () => Promise<Answer>): Promise<Answer> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      throw new CtlError(
        EXIT_FAILED,
        `pid ${this.run.pid} runs, but ${error.message}; \`ctl kill\` works all the same`,
      );
    }
  }
}

/** Wrong requests are usage errors; the rest failed. */
function refusal(answer: Answer): CtlError {
  const error = (
    answer.body as { error?: { what: string; where: string; expected: string; problems?: Problem[] } }
  )?.error;
  if (error === undefined)
    return new CtlError(EXIT_FAILED, `unexpected answer (HTTP ${answer.status})`, true);
  const problems = error.problems ?? [error];
  const lines = problems.map(
    (p) => `${p.where}: ${p.what}${p.expected === "" ? "" : `; expected ${p.expected}`}`,
  );
  const isUsage = answer.status === 400 || answer.status === 404;
  return new CtlError(isUsage ? EXIT_USAGE : EXIT_FAILED, lines.join(" | "), true);
}

interface Problem {
  readonly what: string;
  readonly where: string;
  readonly expected: string;
}
