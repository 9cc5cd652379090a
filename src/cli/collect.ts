// bun run collect: records market data only, no credentials. Exit codes: 0 ok, 1 failed, 2 usage or configuration.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseSetting, setFlag } from "../config/layers.ts";
import { loadConfig } from "../config/load.ts";
import { formatErrors } from "../config/problems.ts";
import type { HotlaneConfig } from "../config/schema.ts";
import { makeLog } from "../control/log.ts";
import type { TomlTable } from "../core/toml.ts";
import { Collector } from "../engine/collector.ts";
import { EngineError } from "../engine/engine-error.ts";
import { watchSignals } from "../engine/signals.ts";
import { parseDuration } from "../factor/duration.ts";

const USAGE = `usage: bun run collect [options]
  --env sim|paper|live   sim (default): the simulated venue of this machine; paper, live: a real venue's market data
  --symbols A,B          default: the instruments of the configuration
  --data-dir D           default var/collect-<env>; D/wal = the log, D/npz = one file per symbol and period
  --rotate T             period of a file: 10m, 1h (default)
  --for T                stop after 30s, 5m, 1h
  --config F             your TOML file over config/base.toml and config/env/<env>.toml
  --set section.key=V    one value over the files (repeatable), as docs/config.md names it
  --json                 the last line of stdout is the summary as one JSON object`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const TIMER_MS_MAX = 2 ** 31 - 1;
const NS_PER_MS = 1e6;

function parse(args: string[]) {
  return parseArgs({
    args,
    options: {
      env: { type: "string", default: "sim" },
      symbols: { type: "string" },
      "data-dir": { type: "string" },
      rotate: { type: "string", default: "1h" },
      for: { type: "string" },
      config: { type: "string" },
      set: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
}

type Values = ReturnType<typeof parse>;

function duration(name: string, text: string): number {
  const ns = parseDuration(text);
  if (Number.isNaN(ns))
    throw new EngineError(`--${name} ${text}: expected a duration like 30s, 5m, 1h`, EXIT_USAGE);
  return ns;
}

function flagsOf(values: Values): TomlTable {
  const flags: TomlTable = {};
  for (const setting of values.set) {
    try {
      const { path, value } = parseSetting(setting);
      setFlag(flags, path, value);
    } catch (error) {
      throw new EngineError(`--set ${(error as Error).message}`, EXIT_USAGE);
    }
  }
  const dir = values["data-dir"] ?? `var/collect-${values.env}`;
  setFlag(flags, ["engine", "data_dir"], resolve(dir));
  return flags;
}

async function collect(values: Values, config: HotlaneConfig): Promise<number> {
  const log = makeLog(config.log.level, config.log.format);
  const ended = Promise.withResolvers<string>();
  const collector = new Collector({
    settings: config,
    symbols: values.symbols?.split(",").filter((s) => s !== "") ?? config.instruments.map((i) => i.symbol),
    rotateNs: duration("rotate", values.rotate),
    log: (level, text) => log(level, text),
    venueEntry: resolve(import.meta.dir, "venue.ts"),
    workersDir: resolve(import.meta.dir, "../../workers"),
  });
  const forMs = values.for === undefined ? null : duration("for", values.for) / NS_PER_MS;
  if (forMs !== null && forMs > TIMER_MS_MAX)
    throw new EngineError(`--for ${values.for}: expected at most 596h`, EXIT_USAGE);
  const unwatch = watchSignals({
    onStop: (why) => ended.resolve(why),
    onStopNow: () => process.exit(EXIT_FAILED),
  });
  await collector.start();
  if (!values.json) process.stderr.write(`collecting in ${config.engine.dataDir}; Ctrl-C stops\n`);
  if (forMs !== null) setTimeout(() => ended.resolve("the time of --for is over"), forMs);
  log("info", `stopping: ${await ended.promise}`);
  const summary = await collector.stop();
  unwatch();
  const { messages, records, gaps, resyncs, lost, walBytes, files } = summary;
  const text = `${messages} messages, ${records} records in the log (${walBytes} bytes), ${files.length} files; gaps ${gaps}, resyncs ${resyncs}, lost ${lost}`;
  console.log(values.json ? JSON.stringify(summary) : text);
  return 0;
}

async function main(): Promise<number> {
  try {
    const values = parse(Bun.argv.slice(2));
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const loaded = loadConfig({
      env: values.env,
      flags: flagsOf(values),
      ...(values.config === undefined ? {} : { file: values.config }),
    });
    if (loaded.ok) return await collect(values, loaded.config);
    console.error(formatErrors(loaded.errors));
    return EXIT_USAGE;
  } catch (error) {
    if (error instanceof EngineError) {
      console.error(`hotlane: ${error.message}`);
      return error.exitCode;
    }
    const usage = (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
    console.error(usage ? `${USAGE}\n${(error as Error).message}` : error);
    return usage ? EXIT_USAGE : EXIT_FAILED;
  }
}

process.exit(await main());
