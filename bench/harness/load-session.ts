// Runs the product (`bun run live`) against bench/load-venue.ts as two processes and collects what is needed to
// judge the run: its summary, its WAL, the venue's journal, the venue's book at moments during the run, and the
// processor time of both.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootNs, monotonicNs, readClocks } from "../../ffi/host.ts";
import { baseOfDayNs } from "../../src/core/clock.ts";
import type { SessionSummary } from "../../src/engine/summary.ts";

const ROOT = join(import.meta.dir, "../..");
const TICKS_PER_S = 100;
const READY_MS = 60_000;
const BOOKS = 3;
/** Left alone after the start, and before the end. */
const SETTLE_MS = 1500;
const LAST_MS = 1000;

export interface LoadOptions {
  /** Factor on the capture's own pace (272 messages/s). */
  readonly speed: number;
  readonly seconds: number;
  readonly depthOnly?: boolean;
  /** The venue's event loop sleeps between messages, as ours does; by default it polls. */
  readonly venueParks?: boolean;
  /** Requests per 10 s that the gate allows; default raised out of the way. */
  readonly ordersPer10s?: number;
  readonly wait?: "park" | "spin";
  readonly topology?: "lanes" | "fused";
  /** Moves of the wanted price that lead to a request; default the strategy's own. */
  readonly minMoveTicks?: number;
  /** With the recorder's process, into files; default without. */
  readonly records?: boolean;
}

export interface VenueBook {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

export interface LoadRun {
  readonly summary: SessionSummary;
  readonly exitCode: number;
  readonly stderr: string;
  readonly walDir: string;
  /** Session time less CLOCK_MONOTONIC: the venue's stamps and ours on one axis. */
  readonly sessionMinusMonotonicNs: number;
  readonly venueJournal: string;
  readonly books: readonly VenueBook[];
  /** Processor seconds per second of wall time while running. */
  readonly cpu: { readonly live: number; readonly venue: number };
  /** Removes the run's folder. */
  readonly discard: () => void;
}

export async function runLoad(options: LoadOptions): Promise<LoadRun> {
  const folder = mkdtempSync(join(tmpdir(), "hotlane-load-"));
  const credentials = join(folder, "credentials");
  const venueJournal = join(folder, "venue.jsonl");
  const venue = Bun.spawn(
    [process.execPath, join(ROOT, "bench/load-venue.ts"), "--speed", String(options.speed)].concat(
      ["--journal", venueJournal, "--credentials", credentials],
      options.depthOnly === true ? ["--depth-only"] : [],
      options.venueParks === true ? [] : ["--polls"],
    ),
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  try {
    const port = await readyPort(venue.stdout);
    const result = await runLive(options, folder, port, venue.pid, credentials);
    return { ...result, venueJournal, discard: () => rmSync(folder, { recursive: true, force: true }) };
  } finally {
    venue.stdin.end();
    await venue.exited;
  }
}

async function readyPort(stdout: ReadableStream<Uint8Array>): Promise<number> {
  let text = "";
  const decoder = new TextDecoder();
  const late = Bun.sleep(READY_MS).then(() => null);
  const reader = stdout.getReader();
  while (!text.includes("\n")) {
    const next = await Promise.race([reader.read(), late]);
    if (next === null || next.value === undefined) throw new Error(`the venue did not start: ${text}`);
    text += decoder.decode(next.value, { stream: true });
  }
  return (JSON.parse(text.slice(0, text.indexOf("\n"))) as { port: number }).port;
}

function configText(options: LoadOptions, port: number, credentials: string): string {
  const orders = options.ordersPer10s ?? 100_000;
  const wait = options.wait === undefined ? "" : `wait = "${options.wait}"`;
  const lanes = ["feed", "factor", "execution", "writer"].map((lane) => `[lanes.${lane}]\n${wait}`);
  return `
[lanes]
topology = "${options.topology ?? "auto"}"
[sim]
url = "http://127.0.0.1:${port}"
[venue]
credentials_file = "${credentials}"
[[instruments]]
symbol = "BTCUSDT"
[[strategies]]
name = "obi-mm"
module = "builtin:obi-mm"
graph = "${join(ROOT, "config/graphs/obi_mm_factors.toml")}"
instruments = ["BTCUSDT"]
${options.minMoveTicks === undefined ? "" : `params = { min_move_ticks = ${options.minMoveTicks} }`}
[risk]
max_orders_per_10s = ${orders}
max_orders_per_min = ${orders * 6}
[journal]
fsync = "none"
[admin]
enabled = false
${options.records === true ? '[recorder]\ntarget = "jsonl"' : ""}
${wait === "" ? "" : lanes.join("\n")}
`;
}

async function runLive(
  options: LoadOptions,
  folder: string,
  port: number,
  venuePid: number,
  credentials: string,
) {
  const config = join(folder, "load.toml");
  const dataDir = join(folder, "data");
  writeFileSync(config, configText(options, port, credentials));
  const live = Bun.spawn(
    [process.execPath, join(ROOT, "src/cli/live.ts"), "--config", config, "--data-dir", dataDir].concat([
      ...["--for", `${options.seconds}s`, "--json", "--no-clickhouse"],
    ]),
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const sessionMinusMonotonicNs = clockOffset();
  const output = new Response(live.stdout).text();
  const stderr = new Response(live.stderr).text();
  const books: VenueBook[] = [];
  await lanesRun(join(dataDir, "wal"), live);
  await Bun.sleep(SETTLE_MS);
  const started = { at: performance.now(), live: cpuSeconds(live.pid), venue: cpuSeconds(venuePid) };
  const step = Math.max(200, (options.seconds * 1000 - SETTLE_MS - LAST_MS) / BOOKS);
  for (let i = 0; i < BOOKS && live.exitCode === null; i++) {
    await Bun.sleep(step);
    books.push((await (await fetch(`http://127.0.0.1:${port}/sim/book?symbol=BTCUSDT`)).json()) as VenueBook);
  }
  const elapsed = (performance.now() - started.at) / 1000;
  const cpu = {
    live: (cpuSeconds(live.pid) - started.live) / elapsed,
    venue: (cpuSeconds(venuePid) - started.venue) / elapsed,
  };
  const exitCode = await live.exited;
  const line = (await output).trim().split("\n").at(-1) ?? "";
  const errors = await stderr;
  if (!line.startsWith("{")) throw new Error(`live gave no summary (exit ${exitCode}):\n${line}\n${errors}`);
  const summary = JSON.parse(line) as SessionSummary;
  const walDir = join(dataDir, "wal");
  return { summary, exitCode, stderr: errors, walDir, sessionMinusMonotonicNs, books, cpu };
}

/** As the session that starts now will have it, to within a few µs. */
function clockOffset(): number {
  const { realtimeNs, bootNs: boot } = readClocks();
  const suspendedNs = bootNs() - monotonicNs();
  return Number(realtimeNs - baseOfDayNs(realtimeNs)) - (boot - suspendedNs);
}

/** Until the writer lane has opened its segment: start and warm-up are over then. */
async function lanesRun(walDir: string, live: Bun.Subprocess): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (live.exitCode === null && performance.now() < deadline) {
    if (existsSync(walDir) && readdirSync(walDir).some((name) => name.endsWith(".wal"))) return;
    await Bun.sleep(50);
  }
}

/** User and system time of a process, its threads and its children (the recorder). */
function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
    const children = readdirSync(`/proc/${pid}/task`)
      .flatMap((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, "utf8").split(" "))
      .filter((child) => child !== "");
    return children.reduce((sum, child) => sum + cpuSeconds(Number(child)), own);
  } catch {
    return Number.NaN;
  }
}
