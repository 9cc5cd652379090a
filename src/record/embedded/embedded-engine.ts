// Runs the embedded ClickHouse as a child of the recorder: starts it, knows its address when it answers, starts it
// again with growing delay when it ends. Its end takes nothing with it: what it has not acknowledged is in the WAL.
//
// Exit codes say nothing (0 even on a locked directory), so ready = port file + an answer to a query. A parent
// killed with -9 leaves its child for up to 1.3 s with the lock on the directory: such starts fail and are repeated.
import { closeSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { openPipe } from "../../../ffi/pipe.ts";
import { type EngineAccess, type EngineLimits, writeEngineFiles } from "./files.ts";

export interface EmbeddedOptions {
  readonly library: string;
  /** Directory of data, passwords and port; made when absent, 0700. */
  readonly dir: string;
  readonly database: string;
  readonly limits: EngineLimits;
  /** Structured line for the operator. */
  readonly log: (level: "info" | "warn" | "error", text: string) => void;
}

const SERVE = resolve(import.meta.dir, "serve.ts");
const NO_FD = -1;
const READY_MS = 30_000;
const POLL_MS = 20;
const RESTART_MIN_MS = 250;
const RESTART_MAX_MS = 30_000;
const STOP_MS = 10_000;
const KEPT_STDERR = 4000;
/** A child that lived this long ended for a reason of its own: the delay starts anew. */
const STEADY_MS = 60_000;

export class EmbeddedEngine {
  readonly access: EngineAccess;
  restarts = 0;
  private readonly options: EmbeddedOptions;
  private child: Bun.Subprocess<number, "ignore", "pipe"> | null = null;
  /** The writing end of the child's stdin: closing it, or dying with it open, ends the child. */
  private leash = NO_FD;
  private address: string | null = null;
  private stopping = false;
  private readonly running: Promise<void>;

  constructor(options: EmbeddedOptions) {
    this.options = options;
    this.access = writeEngineFiles(options.dir, options.database, options.limits);
    mkdirSync(join(options.dir, "data"), { recursive: true, mode: 0o700 });
    this.running = this.supervise();
  }

  /** Base URL, or null while it is not up. */
  get url(): string | null {
    return this.address;
  }

  /** Resolves when it answers for the first time, or after `ms`. */
  async up(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (this.address === null && !this.stopping && performance.now() < end) await Bun.sleep(POLL_MS);
  }

  /** 0 = not running. */
  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Ends the child in order: parts are complete on disk. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.release();
    const late = setTimeout(() => this.child?.kill("SIGKILL"), STOP_MS);
    await this.running;
    clearTimeout(late);
  }

  private async supervise(): Promise<void> {
    let delayMs = RESTART_MIN_MS;
    while (!this.stopping) {
      const startedMs = performance.now();
      const words = await this.runOnce();
      this.address = null;
      if (this.stopping) return;
      this.restarts++;
      if (performance.now() - startedMs > STEADY_MS) delayMs = RESTART_MIN_MS;
      const locked = /Cannot lock file|already running/.test(words);
      this.options.log(
        locked ? "info" : "warn",
        locked
          ? "embedded ClickHouse: its directory is still locked by a process that is ending"
          : `embedded ClickHouse ended, again in ${delayMs} ms: ${lastLine(words)}`,
      );
      await Bun.sleep(delayMs);
      if (!locked) delayMs = Math.min(delayMs * 2, RESTART_MAX_MS);
    }
  }

  /** From spawn to exit; the child's last words. */
  private async runOnce(): Promise<string> {
    const { library, dir } = this.options;
    const portFile = join(dir, "port");
    rmSync(portFile, { force: true });
    const pipe = openPipe();
    const child = Bun.spawn([process.execPath, SERVE, library, dir], {
      env: childEnvironment(),
      stdin: pipe.readFd,
      stdout: "ignore",
      stderr: "pipe",
    });
    closeSync(pipe.readFd);
    this.leash = pipe.writeFd;
    this.child = child;
    if (this.stopping) this.release();
    const words = collect(child.stderr);
    let ended = false;
    void child.exited.then(() => {
      ended = true;
    });
    const port = await waitForPort(portFile, () => ended || this.stopping);
    if (port === 0 && !ended && !this.stopping) child.kill("SIGKILL");
    if (port > 0) this.address = `http://127.0.0.1:${port}`;
    await child.exited;
    this.child = null;
    this.release();
    return words;
  }

  private release(): void {
    if (this.leash !== NO_FD) closeSync(this.leash);
    this.leash = NO_FD;
  }
}

/** No secret of the parent's reaches the child: it needs none. */
function childEnvironment(): Record<string, string> {
  const { PATH = "", HOME = "/tmp", TMPDIR } = process.env;
  return { PATH, HOME, TZ: "UTC", ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

async function waitForPort(file: string, over: () => boolean): Promise<number> {
  const end = performance.now() + READY_MS;
  while (!over() && performance.now() < end) {
    const port = readPort(file);
    if (port > 0) return port;
    await Bun.sleep(POLL_MS);
  }
  return 0;
}

function readPort(file: string): number {
  try {
    const text = readFileSync(file, "utf8");
    return text.endsWith("\n") ? Number(text) : 0;
  } catch {
    return 0;
  }
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream)
    text = (text + decoder.decode(chunk, { stream: true })).slice(-KEPT_STDERR);
  return text;
}

const lastLine = (words: string): string =>
  words
    .split("\n")
    .findLast((line) => line.includes("Exception") || line.trim() !== "")
    ?.slice(0, 300) ?? "no message";
