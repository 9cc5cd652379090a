// bun run sweep CONFIG [--data F]… [--out D] [--jobs N] [--cache D] [--fresh] [--json]: runs a backtest over many
// parameters on all cores. A sweep that was killed goes on where it was. Exit codes: 0 done, 1 no run succeeded or the
// data is bad, 2 usage or configuration.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { numberText } from "../analytics/page/html-text.ts";
import { reportPage } from "../analytics/page/report-page.ts";
import { BacktestConfigError } from "../backtest/compat/compat-config.ts";
import { reportConfig } from "../backtest/report-config.ts";
import { cacheMarkets, dataFingerprint } from "../backtest/sweep/row-cache.ts";
import { RunLog, type RunOutcome } from "../backtest/sweep/run-log.ts";
import { runSweep, type SweepResult, segmentsOf } from "../backtest/sweep/sweep.ts";
import { type SweepConfig, sweepConfig } from "../backtest/sweep/sweep-config.ts";
import { runColumns, sweepPage } from "../backtest/sweep/sweep-page.ts";
import { readToml, type TomlDocument, TomlSyntaxError } from "../core/toml.ts";
import { writeColumns } from "../data/column-files.ts";
import { DataFileError } from "../data/data-file-error.ts";
import { countRows } from "../data/row-blocks.ts";
import { lockDataDir } from "../journal/lock-file.ts";
import { Progress } from "./progress.ts";
import { describedMarkets } from "./run-described.ts";

const USAGE =
  "usage: bun run sweep CONFIG [--data FILE]… [--out DIR] [--jobs N] [--cache DIR] [--fresh] [--json]";
const SHOWN = 20;

interface Options {
  readonly config: string;
  readonly data: readonly string[];
  readonly out: string;
  readonly cache: string;
  readonly jobs: number;
  readonly fresh: boolean;
  readonly json: boolean;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parse(argv);
    if (options === null) {
      console.log(USAGE);
      return 0;
    }
    return await run(options);
  } catch (error) {
    const known = error instanceof BacktestConfigError || error instanceof TomlSyntaxError;
    const plain = known || error instanceof DataFileError || (error as { code?: string }).code !== undefined;
    console.error(plain ? (error as Error).message : error);
    return error instanceof DataFileError ? 1 : 2;
  }
}

function parse(argv: readonly string[]): Options | null {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      data: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
      cache: { type: "string" },
      jobs: { type: "string" },
      fresh: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const config = positionals[0];
  if (config === undefined || positionals.length !== 1) throw new BacktestConfigError(USAGE);
  const jobs = values.jobs === undefined ? availableParallelism() : Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new BacktestConfigError(`${USAGE}\n--jobs ${values.jobs} is not a whole number of at least 1`);
  const out = values.out ?? join("var", "sweep", basename(config, ".toml"));
  return { ...values, config, out, cache: values.cache ?? join(out, "cache"), jobs };
}

async function run(options: Options): Promise<number> {
  const document = readToml(options.config);
  const config = sweepConfig(document);
  reportConfig(document);
  const markets = describedMarkets(document, options.data);
  const locked = lockDataDir(options.out);
  if (!locked.ok) throw new BacktestConfigError(locked.error);
  try {
    const files = markets.flatMap((m) => m.data.filter((source) => typeof source === "string"));
    claimOutput(document, config, files, options);
    const started = performance.now();
    const inflating = new Progress(
      markets.reduce((sum, m) => sum + countRows(m.data), 0),
      "rows inflated",
    );
    const segments = segmentsOf(config.walkForward);
    const assets = cacheMarkets(markets, options.cache, segments, (n) => inflating.add(n));
    inflating.end();
    const log = new RunLog(join(options.out, "runs.jsonl"));
    let progress = new Progress(0, "runs");
    const result = await runSweep({
      config,
      description: resolve(options.config),
      data: options.data,
      assets,
      log,
      jobs: options.jobs,
      jobProgram: fileURLToPath(new URL("./sweep-job.ts", import.meta.url)),
      onStart: (runs, logged) => {
        if (logged > 0) console.error(`${logged} of ${runs} runs are done already`);
        progress = new Progress(runs - logged, "runs");
      },
      onRun: (outcome) => {
        progress.add(1);
        if (outcome.failure !== null) console.error(`${outcome.key}: ${outcome.failure}`);
      },
    });
    progress.end();
    log.close();
    return await report(options, config, result, (performance.now() - started) / 1000);
  } finally {
    locked.lock.release();
  }
}

/** Runs in a folder belong to one backtest: another strategy, description or data must not be mixed into them. */
function claimOutput(
  document: TomlDocument,
  config: SweepConfig,
  files: readonly string[],
  options: Options,
): void {
  mkdirSync(options.out, { recursive: true });
  const stamp = join(options.out, "sweep.json");
  const log = join(options.out, "runs.jsonl");
  const { sweep: _, ...backtest } = document.value;
  const modules = strategyModules(backtest).map((module) => {
    const file = resolve(dirname(options.config), module);
    return existsSync(file) ? readFileSync(file, "utf8") : module;
  });
  const hash = (content: string | Uint8Array): string => Bun.hash(content).toString(16);
  const claim = JSON.stringify({
    description: hash(JSON.stringify(backtest)),
    strategy: hash(modules.join("\0")),
    data: dataFingerprint(files),
    segments: config.walkForward === null ? null : segmentsOf(config.walkForward),
  });
  if (options.fresh) rmSync(log, { force: true });
  if (existsSync(log) && existsSync(stamp) && readFileSync(stamp, "utf8") !== claim)
    throw new BacktestConfigError(
      `${options.out}: its runs are of another description, strategy or data; take another --out, or --fresh to forget them`,
    );
  writeFileSync(stamp, claim);
}

/** Of either mode; a module that is no file beside the description (a built-in one) counts by its name. */
function strategyModules(description: Readonly<Record<string, unknown>>): string[] {
  const { strategy, strategies } = description as {
    strategy?: { module: string };
    strategies?: { module: string }[];
  };
  return [...(strategy === undefined ? [] : [strategy]), ...(strategies ?? [])].map((s) => s.module);
}

async function report(
  options: Options,
  config: SweepConfig,
  result: SweepResult,
  seconds: number,
): Promise<number> {
  writeColumns(join(options.out, "runs"), runColumns(config, result.runs), result.runs.length);
  const page = sweepPage(`Sweep ${basename(options.config, ".toml")}`, config, result, seconds);
  await Bun.write(join(options.out, "sweep.html"), await reportPage(page));
  if (options.json) console.log(JSON.stringify({ seconds, best: result.runs[0], ...result }));
  else print(config, result, seconds, options.out);
  return result.runs.some((one) => one.failure === null) ? 0 : 1;
}

function print(config: SweepConfig, { runs, folds }: SweepResult, seconds: number, out: string): void {
  const names = Object.keys(config.params);
  const head = [...names, config.objective, "pnl", "maxDrawdown", "fills", "fillRate"];
  const figure = (run: RunOutcome, name: "pnl" | "maxDrawdown" | "fills" | "fillRate"): string =>
    numberText(run.figures?.[name] ?? null);
  const rows = runs
    .slice(0, SHOWN)
    .map((one) => [
      ...names.map((name) => String(one.params[name])),
      numberText(one.figures?.[config.objective] ?? null),
      ...(["pnl", "maxDrawdown", "fills", "fillRate"] as const).map((name) => figure(one, name)),
    ]);
  printTable([head, ...rows]);
  if (runs.length > SHOWN) console.log(`… ${runs.length - SHOWN} more in ${join(out, "runs.csv")}`);
  for (const { train, test } of folds)
    console.log(
      `trained on segments ${train.from}–${train.to}: ${train.key.replace(/ @.*$/, "")}, ${config.objective} ` +
        `${numberText(train.figures?.[config.objective] ?? null)} → ${numberText(test.figures?.[config.objective] ?? null)} in test, pnl ${figure(test, "pnl")}`,
    );
  console.log(`${runs.length} runs in ${seconds.toFixed(1)} s; page: ${join(out, "sweep.html")}`);
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  for (const row of rows) console.log(row.map((cell, i) => cell.padStart(widths[i]!)).join("  "));
}

process.exit(await main(process.argv.slice(2)));
