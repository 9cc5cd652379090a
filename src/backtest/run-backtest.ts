// A backtest in compat mode from its description.
import type { RunResult } from "../analytics/run-result.ts";
import type { TomlDocument } from "../core/toml.ts";
import { countRows, type EventSource } from "../data/row-blocks.ts";
import { CompatBacktest } from "./compat/compat-backtest.ts";
import { BacktestConfigError, compatConfig } from "./compat/compat-config.ts";
import { CompatRecorder } from "./compat/compat-recorder.ts";
import { setFillMids } from "./fill-mids.ts";
import type { PipelineApi } from "./pipeline/pipeline-api.ts";

/**
 * What the module of a strategy that came from hftbacktest exports by default: runs until a step returns other than
 * 0, 2 or 3, and returns that. In default mode `hbt` is a PipelineApi, which has the same calls.
 */
export type CompatStrategy = (
  hbt: CompatBacktest | PipelineApi,
  params: Readonly<Record<string, number>>,
  /** Appends the present state to the series. */
  record: () => void,
) => number;

export interface BacktestOptions {
  /** Replaces the data of the only asset. */
  readonly data?: readonly string[];
  /** Parameters that differ from the description. */
  readonly params?: Readonly<Record<string, number>>;
  /** Rows that replace each asset's files, by asset: what a sweep maps into memory. */
  readonly rows?: readonly AssetRows[];
  /** Sample mids around fills (mark-outs) in a second pass over the data; default true. */
  readonly markOuts?: boolean;
  /** Called before the first row with the number of rows of all assets, as far as the files' headers tell. */
  readonly onStart?: (totalRows: number) => void;
  /** Called as rows are decoded, with how many more. */
  readonly onRows?: (rows: number) => void;
}

export interface AssetRows {
  readonly data: readonly EventSource[];
  readonly initialSnapshot?: EventSource;
}

export interface BacktestRun {
  readonly result: RunResult;
  /** Wall time of the strategy and the engine. */
  readonly seconds: number;
}

/** Throws BacktestConfigError (description), DataFileError (a file cannot be opened), what the strategy throws. */
export async function runCompat(document: TomlDocument, options: BacktestOptions = {}): Promise<BacktestRun> {
  const config = compatConfig(document, options.data ?? []);
  const strategy = await loadCompatStrategy(config.module);
  const described = config.assets.map((asset, i) => ({ ...asset, ...options.rows?.[i] }));
  const recorder = new CompatRecorder(described, config.names);
  const { onRows } = options;
  const assets = described.map((asset, i) => ({
    ...asset,
    witness: recorder.witness(i),
    ...(onRows === undefined ? {} : { onRows }),
  }));
  options.onStart?.(described.reduce((sum, asset) => sum + countRows(asset.data), 0));
  const started = performance.now();
  const backtest = new CompatBacktest(assets);
  try {
    const code = strategy(backtest, { ...config.params, ...options.params }, () => recorder.record(backtest));
    const seconds = (performance.now() - started) / 1000;
    const result = recorder.finish(backtest, code);
    if (options.markOuts !== false) setFillMids(result, described);
    return { result, seconds };
  } finally {
    backtest.close();
  }
}

export async function loadCompatStrategy(path: string): Promise<CompatStrategy> {
  const module = (await import(path)) as { default?: unknown };
  if (typeof module.default === "function") return module.default as CompatStrategy;
  throw new BacktestConfigError(
    `${path}: a strategy module exports by default (hbt, params, record) => return code`,
  );
}
