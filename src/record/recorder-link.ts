// Main's handle on the recorder's process: starts it, keeps its last figures, starts it again when it dies. Nothing
// here is awaited before trading or by it; only finish() waits, at the end and for as long as it is told.
import { resolve } from "node:path";
import { type RecorderSummary, WAL_ONLY } from "../engine/summary.ts";
import type { RecorderFigures, RecorderLog } from "./recorder.ts";
import type { RecorderTask, TargetKind } from "./recorder-settings.ts";

const ENTRY = resolve(import.meta.dir, "recorder-process.ts");
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;
const END_MS = 12_000;

interface Said {
  readonly figures?: RecorderFigures;
  readonly log?: { readonly level: "debug" | "info" | "warn" | "error"; readonly text: string };
  readonly done?: boolean;
  readonly unavailable?: boolean;
}

type Child = Bun.Subprocess<"pipe", "pipe", "inherit">;

export class RecorderLink {
  private readonly task: RecorderTask;
  private readonly kind: TargetKind;
  private readonly log: RecorderLog;
  private child: Child | null = null;
  private last: RecorderSummary;
  private over = false;
  private ending = false;
  private given = false;
  private complete = false;
  private restarts = 0;
  private readonly running: Promise<void>;

  constructor(task: RecorderTask, kind: TargetKind, log: RecorderLog) {
    this.task = task;
    this.kind = kind;
    this.log = log;
    this.last = {
      ...WAL_ONLY,
      target: kind === "server" ? new URL(task.config.url).host : kind,
      state: "starting",
    };
    this.running = this.supervise();
  }

  /** 0 = not running. */
  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get summary(): RecorderSummary {
    return { ...this.last, retries: this.last.retries + this.restarts };
  }

  /**
   * The WAL is complete: waits until all of it is recorded, at most `ms`, then ends the process. True = all is in
   * the store; otherwise the next start on this data directory records the rest.
   */
  async finish(ms: number): Promise<boolean> {
    this.over = true;
    this.tell("finish\n");
    await Promise.race([this.running, Bun.sleep(ms)]);
    await this.end();
    return this.complete;
  }

  /** Ends the process in order, wherever it is. */
  async end(): Promise<void> {
    this.ending = true;
    this.child?.stdin.end();
    const late = setTimeout(() => this.child?.kill("SIGKILL"), END_MS);
    await this.running;
    clearTimeout(late);
  }

  private async supervise(): Promise<void> {
    for (let delayMs = RESTART_MIN_MS; ; delayMs = Math.min(delayMs * 2, RESTART_MAX_MS)) {
      const code = await this.runOnce();
      if (this.ending || this.given || this.complete) return;
      this.restarts++;
      this.last = { ...this.last, state: "restarting", alarm: `the recorder ended (exit ${code})` };
      this.log("warn", `the recorder ended (exit ${code}); again in ${delayMs} ms; the WAL keeps everything`);
      await Bun.sleep(delayMs);
    }
  }

  private async runOnce(): Promise<number> {
    const child: Child = Bun.spawn([process.execPath, ENTRY], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.child = child;
    this.tell(`${JSON.stringify({ task: this.task, kind: this.kind })}\n`);
    if (this.over) this.tell("finish\n");
    if (this.ending) child.stdin.end();
    await this.listen(child);
    const code = await child.exited;
    this.child = null;
    return code;
  }

  private tell(line: string): void {
    this.child?.stdin.write(line);
    this.child?.stdin.flush();
  }

  private async listen(child: Child): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) this.hear(JSON.parse(line) as Said);
    }
  }

  private hear(said: Said): void {
    if (said.log !== undefined) this.log(said.log.level, said.log.text);
    if (said.figures !== undefined) this.last = said.figures;
    if (said.done !== undefined) this.complete = said.done;
    if (said.unavailable === true) {
      this.given = true;
      this.last = { ...WAL_ONLY, state: "unavailable", alarm: "the store could not be opened; see the log" };
    }
  }
}
