// bun run backtest CONFIG [--data F]… [--out D] [--json]: runs a strategy over recorded data and says what came of
// it. --out writes the tables, the metrics and a page. Exit codes: 0 the data ended, 1 the run failed, 2 usage or
// configuration.
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import type { EquityOptions } from "../analytics/equity-metrics.ts";
import { activityFigures, equityFigures, inventoryFigures } from "../analytics/metric-figures.ts";
import { type RunMetrics, runMetrics } from "../analytics/metrics.ts";
import { reportPage } from "../analytics/page/report-page.ts";
import { stateRows, writeRunFiles } from "../analytics/run-files.ts";
import { runPage } from "../analytics/run-page.ts";
import type { RunResult } from "../analytics/run-result.ts";
import { BacktestConfigError } from "../backtest/compat/compat-config.ts";
import { reportConfig } from "../backtest/report-config.ts";
import { readToml, TomlSyntaxError } from "../core/toml.ts";
import { DataFileError } from "../data/data-file-error.ts";
import { EngineError } from "../engine/engine-error.ts";
import { RC_END_OF_DATA } from "../exchange/compat/codes.ts";
import { Progress } from "./progress.ts";
import { runDescribed } from "./run-described.ts";

const USAGE = "usage: bun run backtest CONFIG [--data FILE]… [--out DIR] [--json]";

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
    return await run(options);
  } catch (error) {
    if (error instanceof DataFileError) {
      console.error(error.message);
      return 1;
    }
    const known =
      error instanceof BacktestConfigError ||
      error instanceof EngineError ||
      error instanceof TomlSyntaxError;
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

async function run(options: Options): Promise<number> {
  const document = readToml(options.config);
  const equityOptions = reportConfig(document);
  let progress = new Progress(0, "rows");
  const { result, seconds } = await runDescribed(document, {
    data: options.data,
    onStart: (rows) => {
      progress = new Progress(rows, "rows");
    },
    onRows: (rows) => progress.add(rows),
    note: (text) => console.error(text),
  });
  progress.end();
  const metrics = runMetrics(result, equityOptions);
  const summary = summaryOf(result, metrics, seconds);
  if (options.out !== undefined) {
    mkdirSync(options.out, { recursive: true });
    writeRunFiles(result, options.out);
    await Bun.write(join(options.out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
    const page = runPage(`Backtest ${basename(options.config, ".toml")}`, result, metrics, equityOptions);
    await Bun.write(join(options.out, "report.html"), await reportPage(page));
  }
  if (result.failure !== null) console.error(result.failure);
  if (options.json) console.log(JSON.stringify(summary));
  else print(result, metrics, equityOptions, seconds);
  return endedWell(result) ? 0 : 1;
}

const endedWell = (result: RunResult): boolean =>
  result.failure === null && (result.returnCode === null || result.returnCode === RC_END_OF_DATA);

function summaryOf(result: RunResult, metrics: RunMetrics, seconds: number) {
  const { states } = result;
  return {
    mode: result.mode,
    returnCode: result.returnCode,
    endTimestamp: String(result.baseNs + BigInt(result.endTsNs)),
    seconds: Number(seconds.toFixed(3)),
    rows: result.rows,
    rowsPerSecond: Math.round(result.rows / seconds),
    assets: result.instruments.map(({ index, symbol }) => {
      const rows = stateRows(result, index);
      const last = (name: (typeof states.names)[number]): number | null =>
        rows.length === 0 ? null : states.values(name)[rows[rows.length - 1]!]!;
      return {
        symbol,
        steps: rows.length,
        equity: last("equity"),
        position: last("position"),
        balance: last("balance"),
        fee: last("fee"),
        numTrades: last("numTrades"),
        tradingVolume: last("tradingVolume"),
        tradingValue: last("tradingValue"),
      };
    }),
    metrics,
  };
}

function print(result: RunResult, metrics: RunMetrics, options: EquityOptions, seconds: number): void {
  const { returnCode } = result;
  const end = endedWell(result)
    ? "end of data"
    : `stopped${returnCode === null ? "" : ` with code ${returnCode}`}`;
  const rate = (result.rows / seconds / 1e6).toFixed(1);
  console.log(`${end} after ${seconds.toFixed(3)} s, ${result.rows} rows (${rate} M rows/s)`);
  for (const one of metrics.instruments) {
    console.log(`\n${one.symbol}`);
    const figures = [
      ...equityFigures(one.equity, one.currency, options),
      ...activityFigures(one.activity, one.currency),
      ...inventoryFigures(one.inventory),
    ];
    for (const { name, value } of figures) console.log(`  ${name.padEnd(32)} ${value}`);
  }
}

process.exit(await main(process.argv.slice(2)));
