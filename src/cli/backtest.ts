// bun run backtest CONFIG [--data F]… [--out D] [--json]: runs a strategy over recorded data. This file runs the
// compat mode (compat = "hftbacktest-2.4.4" in CONFIG); a description without it asks for the live pipeline's
// backtest. Exit codes: 0 the data ended, 1 the run failed, 2 usage or configuration.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CompatBacktest } from "../backtest/compat/compat-backtest.ts";
import { BacktestConfigError, COMPAT_VERSION, compatConfig } from "../backtest/compat/compat-config.ts";
import { CompatRecorder } from "../backtest/compat/compat-recorder.ts";
import { lastEquity, writeStateCsv } from "../backtest/state-csv.ts";
import { readToml, type TomlDocument, TomlSyntaxError } from "../core/toml.ts";
import { DataFileError } from "../data/data-file-error.ts";
import { RC_END_OF_DATA } from "../exchange/compat/codes.ts";

const USAGE = "usage: bun run backtest CONFIG [--data FILE]… [--out DIR] [--json]";

/** What a strategy module exports by default: runs until a step returns other than 0, 2 or 3, and returns that. */
type CompatStrategy = (
  hbt: CompatBacktest,
  params: Readonly<Record<string, number>>,
  /** Appends the present state to the series. */
  record: () => void,
) => number;

interface Options {
  readonly config: string;
  readonly data: readonly string[];
  readonly out: string | undefined;
  readonly json: boolean;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parse(argv);
    if (options === null) {
      console.log(USAGE);
      return 0;
    }
    const document = readToml(options.config);
    if (document.value["compat"] === undefined) return refuseDefaultMode(document);
    return await runCompat(document, options);
  } catch (error) {
    if (error instanceof DataFileError) {
      console.error(error.message);
      return 1;
    }
    const known = error instanceof BacktestConfigError || error instanceof TomlSyntaxError;
    console.error(
      known || (error as { code?: string }).code !== undefined ? (error as Error).message : error,
    );
    return 2;
  }
}

function parse(argv: readonly string[]): Options | null {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      data: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const config = positionals[0];
  if (config === undefined || positionals.length !== 1) throw new BacktestConfigError(USAGE);
  return { config, data: values.data, out: values.out, json: values.json };
}

function refuseDefaultMode(document: TomlDocument): never {
  throw new BacktestConfigError(
    `${document.file}:1: only compat = "${COMPAT_VERSION}" runs in this version (the live pipeline's mode is not there yet)`,
  );
}

async function runCompat(document: TomlDocument, options: Options): Promise<number> {
  const config = compatConfig(document, options.data);
  const strategy = await loadStrategy(config.module);
  const recorder = new CompatRecorder(config.assets, []);
  const backtest = new CompatBacktest(config.assets.map((a, i) => ({ ...a, witness: recorder.witness(i) })));
  const started = performance.now();
  const rc = strategy(backtest, config.params, () => recorder.record(backtest));
  const seconds = (performance.now() - started) / 1000;
  const result = recorder.finish(backtest, rc);
  const summary = {
    mode: COMPAT_VERSION,
    returnCode: rc,
    endTimestamp: String(backtest.currentTimestamp),
    seconds: Number(seconds.toFixed(3)),
    assets: result.instruments.map(({ index }) => ({
      steps: result.states.rows / result.instruments.length,
      equity: lastEquity(result.states, index),
      ...pickState(backtest, index),
    })),
  };
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true });
    for (const { index } of result.instruments) {
      const name = result.instruments.length === 1 ? "state.csv" : `state-${index}.csv`;
      await writeStateCsv(result, index, join(options.out, name));
    }
    await Bun.write(join(options.out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  }
  backtest.close();
  if (result.failure !== null) console.error(result.failure);
  print(summary, options.json);
  return rc === RC_END_OF_DATA ? 0 : 1;
}

async function loadStrategy(path: string): Promise<CompatStrategy> {
  const module = (await import(path)) as { default?: unknown };
  if (typeof module.default === "function") return module.default as CompatStrategy;
  throw new BacktestConfigError(
    `${path}: a strategy module exports by default (hbt, params, record) => return code`,
  );
}

function pickState(backtest: CompatBacktest, asset: number) {
  const { position, balance, fee, numTrades, tradingVolume, tradingValue } = backtest.stateValues(asset);
  return { position, balance, fee, numTrades, tradingVolume, tradingValue };
}

interface Summary {
  readonly returnCode: number;
  readonly seconds: number;
  readonly assets: readonly Readonly<Record<string, number>>[];
}

function print(summary: Summary, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(summary));
    return;
  }
  const end =
    summary.returnCode === RC_END_OF_DATA ? "end of data" : `stopped with code ${summary.returnCode}`;
  console.log(`${end} after ${summary.seconds} s`);
  for (const [asset, values] of summary.assets.entries()) {
    const fields = Object.entries(values).map(([name, value]) => `${name} ${value}`);
    console.log(`asset ${asset}: ${fields.join(", ")}`);
  }
}

process.exit(await main(process.argv.slice(2)));
