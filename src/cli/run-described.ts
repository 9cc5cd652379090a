// One backtest from its description, in the mode that the description asks for: `compat = …` is the yardstick,
// everything else is a configuration of live trading with a [backtest] section. What the commands and the sweep call.
import { BacktestConfigError, compatConfig } from "../backtest/compat/compat-config.ts";
import type { MarketRows } from "../backtest/fill-mids.ts";
import { pipelineConfig } from "../backtest/pipeline/pipeline-config.ts";
import { type BacktestOptions, type BacktestRun, runCompat } from "../backtest/run-backtest.ts";
import { loadConfig } from "../config/load.ts";
import { formatErrors } from "../config/problems.ts";
import type { TomlDocument } from "../core/toml.ts";
import { runPipeline } from "../engine/pipeline-run.ts";

export interface DescribedOptions extends BacktestOptions {
  /** What the user should know besides the result. */
  readonly note?: (text: string) => void;
}

/** Throws BacktestConfigError, EngineError (description), DataFileError (a file), what a compat strategy throws. */
export async function runDescribed(
  document: TomlDocument,
  options: DescribedOptions = {},
): Promise<BacktestRun> {
  if (document.value["compat"] !== undefined) return runCompat(document, options);
  return runPipeline(document, withParams(liveConfig(document), options.params), options);
}

/** The market data of a description, by instrument. Throws BacktestConfigError. */
export function describedMarkets(document: TomlDocument, data: readonly string[]): readonly MarketRows[] {
  if (document.value["compat"] !== undefined) return compatConfig(document, data).assets;
  return pipelineConfig(document, liveConfig(document).instruments, data).markets;
}

function liveConfig(document: TomlDocument) {
  const loaded = loadConfig({
    file: document.file,
    // A strategy with hftbacktest's calls stands alone.
    ...(document.value["strategy"] === undefined ? {} : { flags: { strategies: [] } }),
  });
  if (!loaded.ok) throw new BacktestConfigError(formatErrors(loaded.errors));
  return loaded.config;
}

/** A sweep's parameters go to every strategy that knows them. */
function withParams<C extends { readonly strategies: readonly { readonly params: object }[] }>(
  config: C,
  params: Readonly<Record<string, number>> = {},
): C {
  if (Object.keys(params).length === 0) return config;
  return {
    ...config,
    strategies: config.strategies.map((s) => ({ ...s, params: { ...s.params, ...params } })),
  };
}
