// bun bench/recorder-outage.ts [--before 20] [--down 120] [--after 40] [--speed 8]
//
// ClickHouse away for minutes while a session trades: what the hot path notices, and how fast the recorder catches up.
// The engine runs here, behind a port that is closed meanwhile; `bun run live` records into it as into a user's server.
// Compared: market event → wire of the orders sent before, during and after. Asked for: nothing dropped, catch-up of
// ≥ 300k rows/s, every fill of the venue's journal in the store once. Exit code 1 when one of these is missed.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { RunInfo } from "../src/control/run-file.ts";
import type { SessionSummary } from "../src/engine/summary.ts";
import { ClickHouseStore } from "../src/record/clickhouse-store.ts";
import { EmbeddedEngine } from "../src/record/embedded/embedded-engine.ts";
import { findLibrary } from "../src/record/embedded/install.ts";

const ROOT = resolve(import.meta.dir, "..");
const RATE_MIN = 300_000;
const POLL_MS = 200;
/** Caught up: as far behind as a chunk of two seconds that is being written. */
const LAG_S = 2.5;

const { values } = parseArgs({
  options: {
    before: { type: "string", default: "20" },
    down: { type: "string", default: "120" },
    after: { type: "string", default: "40" },
    speed: { type: "string", default: "8" },
  },
});
const seconds = { before: Number(values.before), down: Number(values.down), after: Number(values.after) };

const library = findLibrary();
if (library === null)
  throw new Error("the embedded ClickHouse is not installed: (cd ops/chdb && bun install)");
const dir = mkdtempSync(join(tmpdir(), "hotlane-outage-"));

/** The engine of this directory, ready. */
async function startEngine(): Promise<EmbeddedEngine> {
  const engine = new EmbeddedEngine({
    library: library!,
    dir: join(dir, "clickhouse"),
    database: "hotlane",
    limits: { memoryBytes: 1 << 30, threads: 2 },
    log: (_, text) => console.error(text),
  });
  await engine.up(30_000);
  return engine;
}

const sockets = new Set<Socket>();
/** A port that passes everything on to the engine of the moment. */
function openDoor(port: number): Promise<Server> {
  const server = createServer((client) => {
    const target = connect(Number(new URL(engine.url!).port), "127.0.0.1");
    client.pipe(target).pipe(client);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)));
}

const portOf = (server: Server): number => (server.address() as { port: number }).port;

function startLive(port: number, password: string) {
  writeFileSync(join(dir, "password"), password, { mode: 0o600 });
  const config = join(dir, "outage.toml");
  writeFileSync(
    config,
    `[sim]
speed = ${values.speed}
[recorder]
url = "http://127.0.0.1:${port}"
user = "hotlane"
password_file = "password"
market_data = ["trades", "bbo", "mark", "depth"]
finish_ms = 60000
`,
  );
  const total = seconds.before + seconds.down + seconds.after;
  return Bun.spawn(
    [
      process.execPath,
      join(ROOT, "src/cli/live.ts"),
      ...["--config", config, "--data-dir", join(dir, "data"), "--for", `${total}s`, "--json"],
    ],
    { stdin: "ignore", stdout: "pipe", stderr: Bun.file(join(dir, "live.log")) },
  );
}

/** Rows in the store and seconds behind the log, as the session's metrics have them. */
async function recorded(run: RunInfo): Promise<{ readonly rows: number; readonly lag: number }> {
  const reply = await fetch(`http://127.0.0.1:${run.port}/metrics`, {
    headers: { authorization: `Bearer ${run.readToken}` },
  });
  const text = await reply.text();
  let rows = 0;
  for (const [, n] of text.matchAll(/^hotlane_recorder_rows_total\{[^}]*\} (\S+)$/gm)) rows += Number(n);
  const lag = /^hotlane_recorder_lag_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text);
  if (lag === null) throw new Error("/metrics has no hotlane_recorder_lag_seconds");
  return { rows, lag: Number(lag[1]) };
}

let engine = await startEngine();
let door = await openDoor(0);
const port = portOf(door);
const live = startLive(port, engine.access.writer.password);
try {
  const runFile = join(dir, "data", "run.json");
  while (!existsSync(runFile)) {
    if (live.exitCode !== null) throw new Error(readFileSync(join(dir, "live.log"), "utf8").slice(-1000));
    await Bun.sleep(POLL_MS);
  }
  const run = JSON.parse(readFileSync(runFile, "utf8")) as RunInfo;

  await Bun.sleep(seconds.before * 1000);
  const downAt = Date.now();
  door.close();
  for (const socket of sockets) socket.destroy();
  await engine.stop();
  await Bun.sleep(seconds.down * 1000);
  const behind = await recorded(run);
  engine = await startEngine();
  door = await openDoor(port);
  const upAt = Date.now();

  // From the first rows on: before them the recorder waits out its back-off.
  let first = 0;
  let now = await recorded(run);
  while (now.lag > LAG_S && Date.now() - upAt < 120_000) {
    if (first === 0 && now.rows > behind.rows) first = performance.now();
    await Bun.sleep(POLL_MS);
    now = await recorded(run);
  }
  const caughtUp = {
    rows: now.rows - behind.rows,
    seconds: (performance.now() - first) / 1000 + POLL_MS / 1000,
  };

  const out = await new Response(live.stdout).text();
  const summary = JSON.parse(out.trimEnd().split("\n").at(-1)!) as SessionSummary;
  const store = new ClickHouseStore("outage", () => ({ url: engine.url!, ...engine.access.writer }), {
    ...{ database: "hotlane", cluster: "", replicated: false, ttlDays: 0, marketTtlDays: 0 },
  });
  const at = (ms: number) => `toDateTime64(${ms / 1000}, 3, 'UTC')`;
  const phases = await store.rows(`
    SELECT multiIf(update_time < ${at(downAt)}, 'before', update_time < ${at(upAt)}, 'down', 'after') AS phase,
      count() AS orders, round(quantileExact(0.5)(dateDiff('ns', trigger_time, wire_time)) / 1000) AS p50Us,
      round(quantileExact(0.99)(dateDiff('ns', trigger_time, wire_time)) / 1000) AS p99Us
    FROM hotlane.orders WHERE event = 'PlaceSent' AND toUnixTimestamp(trigger_time) > 0
    GROUP BY phase ORDER BY min(update_time)`);
  const [fills] = await store.rows<{ n: number; single: number }>(
    "SELECT toUInt32(count()) AS n, toUInt32(uniqExact(symbol, fill_id)) AS single FROM hotlane.fills",
  );
  await store.close();
  const journal = readFileSync(join(dir, "data", "venue", "journal.jsonl"), "utf8").split("\n");
  const venueFills = journal.filter((line) => line.includes('"k":"fill"')).length;
  const rowsPerSecond = Math.round(caughtUp.rows / caughtUp.seconds);
  const passed =
    summary.drops === 0 &&
    rowsPerSecond >= RATE_MIN &&
    fills!.n === venueFills &&
    fills!.single === venueFills;
  console.log(
    JSON.stringify({
      ...{ downS: seconds.down, lagS: behind.lag, drops: summary.drops, phases },
      catchUp: { ...caughtUp, rowsPerSecond },
      ...{ fills: fills!.n, single: fills!.single, venueFills, passed },
    }),
  );
  process.exitCode = passed ? 0 : 1;
} finally {
  // Still there only when something above failed; its venue ends with it.
  live.kill("SIGKILL");
  await live.exited;
  door.close();
  for (const socket of sockets) socket.destroy();
  await engine.stop();
  rmSync(dir, { recursive: true, force: true });
}
