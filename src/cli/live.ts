// `bun run live`: the main job. Configuration → LiveEngine → admin server → wait for --for, a signal or a
// failure → summary. Exit codes as DESIGN 14: 0 ok, 1 failed, 2 usage or configuration, 4 orders may work.
import { hostname } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type AdminServer, startAdmin } from "../admin/admin-server.ts";
import { generateTokens, readTokenFile } from "../admin/tokens.ts";
import { parseSetting, setFlag } from "../config/layers.ts";
import { loadConfig } from "../config/load.ts";
import { formatErrors } from "../config/problems.ts";
import type { HotlaneConfig } from "../config/schema.ts";
import { type AlertConfig, readAlertConfig } from "../control/alerts/alert-rules.ts";
import { AlertService } from "../control/alerts/alert-service.ts";
import { AuditLog } from "../control/audit-log.ts";
import { auditedControl } from "../control/audited-control.ts";
import type { EngineControl } from "../control/engine-control.ts";
import { takeOver } from "../control/handover.ts";
import { liveControl } from "../control/live-control.ts";
import { makeLog } from "../control/log.ts";
import type { TomlTable } from "../core/toml.ts";
import { EngineError } from "../engine/engine-error.ts";
import { type EngineLog, LiveEngine } from "../engine/live-engine.ts";
import { loadDefinition } from "../engine/load-strategy.ts";
import { watchSignals } from "../engine/signals.ts";
import { type SessionSummary, summaryText } from "../engine/summary.ts";
import { readerQuery } from "../record/reader-query.ts";
import { RecorderLink } from "../record/recorder-link.ts";
import { targetKind } from "../record/recorder-settings.ts";
import { VERSION } from "./version.ts";

const USAGE = `usage: bun run live [options]
  --env sim|paper|live   sim (default): a simulated venue on this machine; paper: a real venue's market, orders
                         matched in this process, no credentials; live: real orders (engine.allow_live)
  --config F             your TOML file over config/base.toml and config/env/<env>.toml
  --set section.key=V    one value over the files (repeatable), as docs/config.md names it
  --for T                stop after 30s, 5m, 1h
  --port N               port of the API (default: any free one)
  --data-dir D           default var/<env>
  --upgrade [--keep]     take over from the instance that runs on the data directory: it is ended first, its
                         orders pulled (or kept until this one has them)
  --no-clickhouse        no database: the WAL only (recorder.target = "jsonl" writes files)
  --json                 the last line of stdout is the summary as one JSON object`;

const NO_CLICKHOUSE = "HOTLANE_NO_CLICKHOUSE";
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_UNSAFE = 4;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
/** What an end may take beyond two rounds of cancelling. */
const HANDOVER_MARGIN_MS = 10_000;
const TIMER_MS_MAX = 2 ** 31 - 1;
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

interface Options {
  readonly env: string;
  readonly file: string | undefined;
  readonly flags: TomlTable;
  /** --no-clickhouse, or the environment says so. */
  readonly noClickHouse: "flag" | "environment" | "";
  /** null = until a signal. */
  readonly forMs: number | null;
  readonly json: boolean;
  /** Ends the instance that runs on the data directory first. */
  readonly upgrade: boolean;
  readonly keep: boolean;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      env: { type: "string", default: "sim" },
      config: { type: "string" },
      set: { type: "string", multiple: true, default: [] },
      for: { type: "string" },
      port: { type: "string" },
      "data-dir": { type: "string" },
      upgrade: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      "no-clickhouse": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (values.keep && !values.upgrade) throw new EngineError("--keep: only with --upgrade", EXIT_USAGE);
  const flags = settingsOf(values.set);
  if (values.port !== undefined) setFlag(flags, ["admin", "port"], portNumber(values.port));
  if (values["data-dir"] !== undefined) setFlag(flags, ["engine", "data_dir"], resolve(values["data-dir"]));
  return {
    env: values.env,
    file: values.config,
    flags,
    noClickHouse: values["no-clickhouse"] ? "flag" : process.env[NO_CLICKHOUSE] === "1" ? "environment" : "",
    forMs: values.for === undefined ? null : durationMs(values.for),
    json: values.json,
    upgrade: values.upgrade,
    keep: values.keep,
  };
}

function settingsOf(settings: readonly string[]): TomlTable {
  const flags: TomlTable = {};
  for (const setting of settings) {
    try {
      const { path, value } = parseSetting(setting);
      setFlag(flags, path, value);
    } catch (error) {
      throw new EngineError(`--set ${(error as Error).message}`, EXIT_USAGE);
    }
  }
  return flags;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new EngineError(`--port ${text}: expected 0 … 65535`, EXIT_USAGE);
}

function durationMs(text: string): number {
  const match = DURATION.exec(text);
  if (match === null)
    throw new EngineError(`--for ${text}: expected a duration like 30s, 5m, 1h`, EXIT_USAGE);
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  // A longer timer would fire at once.
  if (ms > TIMER_MS_MAX) throw new EngineError(`--for ${text}: expected at most 596h`, EXIT_USAGE);
  return ms;
}

/** What ended the session. */
interface Ending {
  readonly why: string;
  readonly failed: boolean;
  readonly keep: boolean;
}

async function run(options: Options, config: HotlaneConfig): Promise<number> {
  const log = makeLog(config.log.level, config.log.format);
  const ended = Promise.withResolvers<Ending>();
  const end = (why: string, failed = false, keep = false) => ended.resolve({ why, failed, keep });
  const engine = new LiveEngine(config, {
    log,
    onFailure: (reason) => end(reason, true),
    venueEntry: resolve(import.meta.dir, "venue.ts"),
    workersDir: resolve(import.meta.dir, "../../workers"),
  });
  let mayTrade = false;
  const unwatch = watchSignals({
    onStop: (why) => end(why),
    onStopNow: (why) => {
      log("fatal", `${why} again: ending at once${mayTrade ? ", orders may be working" : ""}`);
      process.exit(mayTrade ? EXIT_UNSAFE : EXIT_FAILED);
    },
  });
  endOrderly(log, (why) => end(why, true));
  const watch = alertConfig(config);
  // The instance before may hold the very port.
  if (options.upgrade) mayTrade = (await upgradeFrom(options, config, log)) && options.keep;
  if (config.admin.enabled) requireFreePort(config.admin.host, config.admin.port);
  await startEngine(engine, mayTrade);
  mayTrade = true;
  const recorder = startRecorder(engine, config, options.noClickHouse, log);
  const stopped = ({ keep, who }: { readonly keep: boolean; readonly who: string }): void =>
    end(`shutdown by ${who}`, false, keep);
  const control = liveControl(engine, VERSION, stopped);
  const alerts = watch === null ? null : startAlerts(watch, control, config, options.noClickHouse, log);
  const seen = { ...control, metrics: () => [...control.metrics(), ...(alerts?.families() ?? [])] };
  const admin = config.admin.enabled ? await openAdmin(engine, seen, config, log) : null;
  announce(admin, config, options.json);
  if (options.forMs !== null) setTimeout(() => end("the time of --for is over"), options.forMs);
  const ending = await ended.promise;
  log(ending.failed ? "error" : "info", `stopping: ${ending.why}`);
  await alerts?.stop();
  const { summary: session, proven } = await engine.stop(ending.keep);
  await admin?.stop();
  const summary = await recordRest(recorder, session, config.recorder.finishMs, log);
  unwatch();
  console.log(options.json ? JSON.stringify(summary) : summaryText(summary));
  if (!proven) return EXIT_UNSAFE;
  return ending.failed ? EXIT_FAILED : 0;
}

/** null: no alerts are asked for. Before anything starts: a fault in the rules is a fault of the configuration. */
function alertConfig({ alerts }: HotlaneConfig): AlertConfig | null {
  if (alerts.file === "") return null;
  try {
    return readAlertConfig(alerts.file);
  } catch (error) {
    throw new EngineError((error as Error).message, EXIT_USAGE);
  }
}

function startAlerts(
  watch: AlertConfig,
  control: EngineControl,
  config: HotlaneConfig,
  noClickHouse: Options["noClickHouse"],
  log: EngineLog,
): AlertService {
  const { dataDir } = config.engine;
  const alerts = new AlertService({
    config: watch,
    dataDir,
    source: `hotlane ${config.env} on ${hostname()}`,
    metrics: () => control.metrics(),
    query: readerQuery(config.recorder, targetKind(config.recorder, noClickHouse), dataDir),
    log,
  });
  alerts.start();
  return alerts;
}

/** null: nothing is behind the WAL. Started when the lanes trade already: they never wait for it. */
function startRecorder(
  engine: LiveEngine,
  config: HotlaneConfig,
  noClickHouse: Options["noClickHouse"],
  log: EngineLog,
): RecorderLink | null {
  const kind = targetKind(config.recorder, noClickHouse);
  if (kind === "none") return null;
  const { placement } = engine.view.plan;
  const pinned = placement.lanes.some((lane) => lane.cpu >= 0);
  const task = {
    config: config.recorder,
    dataDir: config.engine.dataDir,
    syncWal: config.journal.fsync !== "none",
    cpus: pinned ? placement.housekeeping : [],
  };
  const recorder = new RecorderLink(task, kind, log);
  engine.view.recorder = () => recorder.summary;
  return recorder;
}

/** Waits, at most `ms`, until the store has the whole session; what is missing then is recorded at the next start. */
async function recordRest(
  recorder: RecorderLink | null,
  summary: SessionSummary,
  ms: number,
  log: EngineLog,
): Promise<SessionSummary> {
  if (recorder === null) return summary;
  const complete = await recorder.finish(ms);
  if (!complete)
    log(
      "warn",
      "the store does not have everything yet: the next start on this data directory records the rest",
    );
  return { ...summary, recorder: recorder.summary };
}

/** This version is checked first: one that cannot start must not end one that trades. True: one has ended. */
async function upgradeFrom({ keep }: Options, config: HotlaneConfig, log: EngineLog): Promise<boolean> {
  await Promise.all(config.strategies.filter((s) => s.enabled).map(loadDefinition));
  return takeOver({
    dataDir: config.engine.dataDir,
    keep,
    who: `upgrade to ${VERSION} (pid ${process.pid})`,
    timeoutMs: config.engine.shutdownMs * 2 + HANDOVER_MARGIN_MS,
    log,
  });
}

/** `ordersKept`: the instance before left its orders for this one, which then must not fail in silence. */
async function startEngine(engine: LiveEngine, ordersKept: boolean): Promise<void> {
  try {
    await engine.start();
  } catch (error) {
    if (!ordersKept) throw error;
    throw new EngineError(
      `${(error as Error).message}\nthe instance before has ended and its orders were kept: they may be working at the venue`,
      EXIT_UNSAFE,
    );
  }
}

/** A fault of main's own must not end the process with orders at the venue: it ends the session instead. */
function endOrderly(log: EngineLog, end: (why: string) => void): void {
  const onFault = (error: unknown) => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    log("fatal", `fault in main: ${message}`, { stack });
    end(`fault in main: ${message}`);
  };
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
}

/** Before anything starts; the server itself binds when the engine runs. */
function requireFreePort(hostname: string, port: number): void {
  if (port === 0) return;
  try {
    const probe = Bun.listen({ hostname, port, exclusive: true, socket: { data() {} } });
    probe.stop(true);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const why = code === "EADDRINUSE" ? "is in use" : `cannot be used (${message})`;
    throw new EngineError(
      `[admin] port ${port} on ${hostname} ${why}; expected a free port, or 0`,
      EXIT_FAILED,
    );
  }
}

/** An API that cannot open ends the session in order: what trades already is stopped and cancelled first. */
async function openAdmin(engine: LiveEngine, ...parts: Parameters<typeof startApi>): Promise<AdminServer> {
  try {
    return startApi(...parts);
  } catch (error) {
    const { proven } = await engine.stop();
    throw new EngineError((error as Error).message, proven ? EXIT_FAILED : EXIT_UNSAFE);
  }
}

function startApi(engineControl: EngineControl, config: HotlaneConfig, log: EngineLog): AdminServer {
  const { dataDir } = config.engine;
  const audit = new AuditLog(dataDir);
  const control = auditedControl(engineControl, audit, (command, error) =>
    log("error", `audit log: ${error.message}`, { command }),
  );
  const tokens = generateTokens();
  const { tokenFile } = config.admin;
  return startAdmin({
    control,
    audit,
    dataDir,
    env: config.env,
    version: VERSION,
    host: config.admin.host,
    port: config.admin.port,
    tokens: tokenFile === "" ? tokens : { ...tokens, control: readTokenFile(tokenFile) },
    onError: (error) => log("error", `API: ${error.message}`),
  });
}

/** For people, on stderr: the page's address holds the token, so it is printed and never logged. */
function announce(admin: AdminServer | null, config: HotlaneConfig, quiet: boolean): void {
  if (quiet) return;
  const where = admin === null ? "API off" : `page ${admin.pageUrl}`;
  process.stderr.write(`hotlane ${VERSION} trades in ${config.env} (${config.engine.dataDir}); ${where}\n`);
  process.stderr.write("Ctrl-C stops: orders are cancelled and confirmed first.\n");
}

async function main(): Promise<number> {
  try {
    const options = readOptions(Bun.argv.slice(2));
    const loaded = loadConfig({
      env: options.env,
      flags: options.flags,
      ...(options.file === undefined ? {} : { file: options.file }),
    });
    if (loaded.ok) return await run(options, loaded.config);
    console.error(formatErrors(loaded.errors));
    return EXIT_USAGE;
  } catch (error) {
    const known = error instanceof EngineError;
    const usage = (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
    if (usage) console.error(`${USAGE}\n${(error as Error).message}`);
    else console.error(known ? `hotlane: ${error.message}` : error);
    return usage ? EXIT_USAGE : known ? error.exitCode : EXIT_FAILED;
  }
}

process.exit(await main());
