// The real `bun src/cli/live.ts` as a child: its own data directory, any free port, its summary and its venue's
// journal. Every child that a test leaves behind is killed by `endAll`.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunInfo } from "../../src/control/run-file.ts";
import type { SessionSummary } from "../../src/engine/summary.ts";
import { type JournalLine, readJournal } from "./venue-oracle.ts";

const ROOT = join(import.meta.dir, "../..");
const LIVE = join(ROOT, "src/cli/live.ts");
const CTL = join(ROOT, "src/cli/ctl.ts");
const WAL = join(ROOT, "src/cli/wal.ts");
const VENUE = join(ROOT, "src/cli/venue.ts");
const START_MS = 60_000;
const COLD = "[engine]\nwarmup_messages = 300\n";

type Child = Bun.Subprocess<"pipe", "pipe", "pipe">;
const children = new Set<Child>();
const directories: string[] = [];

export function makeDataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-live-"));
  directories.push(dir);
  return dir;
}

/** For afterAll: ends every child and removes every directory. */
export async function endAll(): Promise<void> {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all([...children].map((child) => child.exited));
  for (const dir of directories) rmSync(dir, { recursive: true, force: true });
}

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function spawn(script: string, args: readonly string[], env: Record<string, string> = {}): Child {
  const child = Bun.spawn([process.execPath, script, ...args], {
    cwd: ROOT,
    // Most tests are about trading; those about the recorder say HOTLANE_NO_CLICKHOUSE: "0".
    env: { ...process.env, HOTLANE_NO_CLICKHOUSE: "1", ...env },
    ...{ stdin: "pipe", stdout: "pipe", stderr: "pipe" },
  }) as Child;
  children.add(child);
  void child.exited.then(() => children.delete(child));
  return child;
}

/** Runs a command to its end. */
export async function run(
  script: string,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Ended> {
  const child = spawn(script, args, env);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

export const ctl = (dir: string, ...args: string[]): Promise<Ended> => run(CTL, [...args, "--data-dir", dir]);
export const runLive = (args: readonly string[], env?: Record<string, string>): Promise<Ended> =>
  run(LIVE, args, env);

export interface LiveOptions {
  readonly dir: string;
  /** TOML over the defaults, without an [engine] table. */
  readonly toml?: string;
  /** The whole warm-up, as an operator gets it; a test that starts often goes without. */
  readonly warm?: boolean;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

export class LiveSession {
  readonly dir: string;
  readonly pid: number;
  private readonly child: Child;
  private readonly outText: Promise<string>;
  private readonly errText: Promise<string>;

  private constructor(dir: string, child: Child) {
    this.dir = dir;
    this.child = child;
    this.pid = child.pid;
    this.outText = new Response(child.stdout).text();
    this.errText = new Response(child.stderr).text();
  }

  /** Resolves when run.json names the child: it trades from then on. Throws with its stderr when it ends before. */
  static async start(options: LiveOptions): Promise<LiveSession> {
    const { dir, toml = "[sim]\nspeed = 4\n", warm = false, args = [], env } = options;
    const file = join(dir, "test.toml");
    writeFileSync(file, warm ? toml : `${COLD}${toml}`);
    const child = spawn(LIVE, ["--data-dir", dir, "--port", "0", "--config", file, "--json", ...args], env);
    const session = new LiveSession(dir, child);
    let ended = false;
    void child.exited.then(() => {
      ended = true;
    });
    const deadline = performance.now() + START_MS;
    while (session.runInfo()?.pid !== child.pid) {
      if (ended || performance.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`live did not start (exit ${await child.exited}):\n${await session.errText}`);
      }
      await Bun.sleep(10);
    }
    return session;
  }

  runInfo(): RunInfo | null {
    const path = join(this.dir, "run.json");
    return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
  }

  /** Nothing happens when it has ended. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Exit code, stdout and stderr, when it has ended. */
  async end(): Promise<Ended> {
    const [out, err, code] = await Promise.all([this.outText, this.errText, this.child.exited]);
    return { code, out, err };
  }

  /** SIGINT, then the summary. */
  async stop(): Promise<Ended & { readonly summary: SessionSummary }> {
    this.signal("SIGINT");
    const ended = await this.end();
    return { ...ended, summary: summaryOf(ended) };
  }

  /** A view of the API. */
  async get<T>(path: string): Promise<T> {
    return JSON.parse(await this.text(path));
  }

  async text(path: string): Promise<string> {
    const info = this.runInfo()!;
    const headers = { Authorization: `Bearer ${info.token}` };
    return (await fetch(`http://127.0.0.1:${info.port}${path}`, { headers })).text();
  }

  journal(): JournalLine[] {
    return readJournal(join(this.dir, "venue", "journal.jsonl"));
  }

  /** A fault of its child venue (POST /sim/fault). */
  async fault(body: Record<string, unknown>): Promise<void> {
    const port: number = this.journal().findLast((line) => line.k === "start")!["port"];
    const response = await fetch(`http://127.0.0.1:${port}/sim/fault`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
  }
}

/** Last line of stdout as JSON. Throws with stderr when it is not. */
export function summaryOf(ended: Ended): SessionSummary {
  const line = ended.out.trimEnd().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`no summary (exit ${ended.code}): ${line}\n${ended.err}`);
  }
}

export interface SeparateVenue {
  readonly url: string;
  readonly pid: number;
  readonly journal: () => JournalLine[];
  /** Environment with the credentials that the connector uses. */
  readonly toml: (speed?: number) => string;
  stop(): Promise<void>;
}

/** A venue of its own, which outlives the runtime. */
export async function startVenue(dir: string, args: readonly string[] = []): Promise<SeparateVenue> {
  const credentials = join(dir, "credentials");
  const journal = join(dir, "journal.jsonl");
  const files = ["--journal", journal, "--credentials-file", credentials];
  const child = spawn(VENUE, ["--port", "0", ...files, ...args]);
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error(await new Response(child.stderr).text());
  const { port } = JSON.parse(new TextDecoder().decode(value).split("\n")[0]!);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid,
    journal: () => readJournal(journal),
    toml: () => `[sim]\nurl = "${url}"\n[venue]\ncredentials_file = "${credentials}"\n`,
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

export interface WalRow {
  readonly kind: string;
  readonly session: string;
  readonly position: number;
  // biome-ignore lint/suspicious/noExplicitAny: rows of many kinds
  readonly [field: string]: any;
}

/** Rows of `bun run wal export`, as text tools see them. */
export async function walRows(dir: string, kinds: readonly string[]): Promise<WalRow[]> {
  const { code, out, err } = await run(WAL, [
    ...["export", join(dir, "wal"), "--format", "jsonl"],
    ...kinds.flatMap((kind) => ["--kind", kind]),
  ]);
  if (code !== 0) throw new Error(err);
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

export async function until(
  what: string,
  ready: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await ready())) {
    if (performance.now() > end) throw new Error(`timed out waiting for ${what}`);
    await Bun.sleep(20);
  }
}
