// The default-mode backtest of a configuration: strategies, graphs, risk and instruments as live trading reads them,
// data and models from [backtest]. Cold; what it builds is src/backtest/pipeline.
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { snapshotRows } from "../backtest/pipeline/initial-snapshot.ts";
import { PipelineApi } from "../backtest/pipeline/pipeline-api.ts";
import { PipelineBacktest, type PipelineMarket } from "../backtest/pipeline/pipeline-backtest.ts";
import {
  type MarketSetup,
  type PipelineConfig,
  pipelineConfig,
} from "../backtest/pipeline/pipeline-config.ts";
import { parseSection } from "../backtest/report-config.ts";
import { type AssetRows, type BacktestRun, loadCompatStrategy } from "../backtest/run-backtest.ts";
import { baseOfDayNs } from "../core/clock.ts";
import type { TomlDocument } from "../core/toml.ts";
import { DataFileError } from "../data/data-file-error.ts";
import { EventFeed } from "../data/event-feed.ts";
import { countRows, type EventSource, openRowBlocks } from "../data/row-blocks.ts";
import { KindLatency } from "../exchange/request-latency.ts";
import { strategySetup } from "./execution-lane.ts";
import type { EngineSettings } from "./settings.ts";
import { assetsOf, planStrategies } from "./strategy-plan.ts";

export interface PipelineRunOptions {
  /** Replaces the data of the only market. */
  readonly data?: readonly string[];
  /** Rows that replace each market's files, in the order of [[instruments]]: what a sweep maps into memory. */
  readonly rows?: readonly AssetRows[];
  /** Called before the first row with the number of rows of all markets, as far as the files' headers tell. */
  readonly onStart?: (totalRows: number) => void;
  readonly onRows?: (rows: number) => void;
  /** Parameters that differ from [strategy]. */
  readonly params?: Readonly<Record<string, number>>;
  /** What the user should know: a callback that threw, why orders were denied. */
  readonly note?: (text: string) => void;
}

/** Throws BacktestConfigError, EngineError (strategies, graphs), DataFileError (a file cannot be opened). */
export async function runPipeline(
  document: TomlDocument,
  settings: EngineSettings,
  options: PipelineRunOptions = {},
): Promise<BacktestRun> {
  const config = pipelineConfig(document, settings.instruments, options.data ?? []);
  const markets = config.markets.map((m, i) => startingWith(m, options.rows?.[i]));
  const caller = document.value["strategy"] === undefined ? null : callerOf(document);
  const strategy = caller === null ? null : await loadCompatStrategy(caller.module);
  options.onStart?.(markets.reduce((sum, m) => sum + countRows(m.data), 0));
  const started = performance.now();
  const api = strategy === null ? null : new PipelineApi();
  const backtest = await buildPipeline({ ...config, markets }, settings, options, api);
  const failure = runToEnd(backtest, () => {
    if (api === null || strategy === null) backtest.runAll();
    else {
      api.attach(backtest, config.markets, true);
      strategy(api, { ...caller!.params, ...options.params }, () => backtest.recorder.record(backtest.nowNs));
    }
  });
  const seconds = (performance.now() - started) / 1000;
  for (const { instrument } of config.markets) {
    const bad = backtest.local(instrument.id).badIds;
    if (bad > 0)
      options.note?.(
        `${instrument.symbol}: ${bad} rows add an order that is there, or change one that is not`,
      );
  }
  for (const [name, count] of backtest.tally.denials) options.note?.(`${count} requests denied: ${name}`);
  return { result: backtest.finish(failure), seconds };
}

/** [strategy]: a strategy with hftbacktest's calls, instead of [[strategies]]. */
function callerOf(document: TomlDocument): z.infer<typeof callerSchema> {
  const caller = parseSection(document, "strategy", callerSchema);
  return { ...caller, module: resolve(dirname(document.file), caller.module) };
}

const callerSchema = z.strictObject({
  module: z.string(),
  params: z.record(z.string(), z.number()).default({}),
});

/** A book to begin with stands as rows before the rows. `rows`: of a sweep, which may begin later with a book of its own. */
function startingWith(m: MarketSetup, rows: AssetRows | undefined): MarketSetup {
  const data: readonly EventSource[] = rows?.data ?? m.data;
  if (rows?.initialSnapshot !== undefined) return { ...m, data: [rows.initialSnapshot, ...data] };
  if (m.initialSnapshot === undefined) return { ...m, data };
  const book = snapshotRows(m.initialSnapshot, data, m.marketByOrder, m.feedLatencyOffsetNs);
  return { ...m, data: [book, ...data] };
}

/** Null, or what was wrong with a file: the result then reaches as far as its rows. Throws DataFileError without any. */
function runToEnd(backtest: PipelineBacktest, run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof DataFileError && backtest.started) return error.message;
    throw error;
  } finally {
    backtest.close();
  }
}

function firstExchTs(feeds: readonly EventFeed[], data: readonly EventSource[]): bigint {
  for (const feed of feeds) {
    const first = feed.firstExchTs();
    if (first !== null) return first;
  }
  const file = typeof data[0] === "string" ? data[0] : "data";
  throw new DataFileError(file, -1, "no rows, here or in any other file of the run");
}

export async function buildPipeline(
  config: PipelineConfig,
  settings: EngineSettings,
  options: Pick<PipelineRunOptions, "onRows" | "note"> = {},
  api: PipelineApi | null = null,
): Promise<PipelineBacktest> {
  const instruments = config.markets.map((m) => m.instrument);
  const plan = await planStrategies({ strategies: api === null ? settings.strategies : [] }, instruments);
  const feeds = config.markets.map((m) => openFeed(m, options.onRows));
  const baseNs = baseOfDayNs(firstExchTs(feeds, config.markets[0]!.data));
  for (const feed of feeds) feed.setBase(baseNs);
  return new PipelineBacktest({
    markets: config.markets.map((m, i): PipelineMarket => ({ ...m, feed: feeds[i]! })),
    baseNs,
    graphs: plan.setups,
    strategies:
      api === null
        ? await Promise.all(plan.strategies.map((s) => strategySetup(s, plan)))
        : [api.setup(instruments.map((i) => i.id))],
    subscriptions: plan.subscriptions,
    risk: settings.risk,
    instrumentLimits: settings.instruments,
    maxOrders: settings.engine.maxOrders,
    assets: assetsOf(instruments),
    latency: new KindLatency(config.latency, baseNs),
    walletE8: config.walletE8,
    timerNs: settings.engine.timerMs * 1e6,
    marketTimerNs: plan.marketTimerNs,
    stateIntervalNs: api === null ? config.stateIntervalNs : Number.POSITIVE_INFINITY,
    onException: (strategy, error) =>
      options.note?.(`strategy ${plan.strategies[strategy - 1]?.name} stopped: ${(error as Error).stack}`),
  });
}

function openFeed(m: MarketSetup, onRows: ((rows: number) => void) | undefined): EventFeed {
  return new EventFeed(openRowBlocks(m.data), {
    tickSize: m.tickSize,
    lotSize: m.lotSize,
    latencyOffsetNs: m.feedLatencyOffsetNs,
    ...(onRows === undefined ? {} : { onRows }),
  });
}
