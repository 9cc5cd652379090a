// Strategies and graphs by number, checked: what live trading and the backtest both start from. Reads graph files
// and strategy modules; all problems come out as EngineError. Cold.
import { basename } from "node:path";
import { GraphError } from "../factor/graph-error.ts";
import { type GraphSetup, makeSignalRegistry, type SignalRegistry } from "../factor/signal-registry.ts";
import type { Instrument } from "../market/instrument.ts";
import type { AnyStrategy } from "../strategy/define-strategy.ts";
import { ParamSlots } from "../strategy/params.ts";
import { subscriptionBits, TOPIC_DEPTH, TOPIC_TRADE } from "../strategy/topics.ts";
import { KIND_DEPTH_DELTA, KIND_MARK_PRICE, KIND_TRADE } from "../wire/messages.gen.ts";
import { EngineError } from "./engine-error.ts";
import { type GraphStart, loadGraphs } from "./factor-lane.ts";
import type { StrategyStart } from "./lane-protocol.ts";
import { loadDefinition } from "./load-strategy.ts";
import type { EngineSettings } from "./settings.ts";

export interface StrategyPlan {
  readonly strategies: readonly StrategyStart[];
  /** By place in `strategies`. */
  readonly definitions: readonly AnyStrategy[];
  readonly graphs: readonly GraphStart[];
  /** The same graphs, compiled. */
  readonly setups: readonly GraphSetup[];
  readonly registry: SignalRegistry;
  /** What EXECUTION wants of the market stream besides Bbo, Signal and FeedStatus. */
  readonly subscriptions: readonly { readonly kind: number; readonly instrument: number }[];
  /** Smallest interval trigger of any graph, ns; 0 = none. */
  readonly marketTimerNs: number;
}

export async function planStrategies(
  settings: Pick<EngineSettings, "strategies">,
  instruments: readonly Instrument[],
): Promise<StrategyPlan> {
  const strategies = strategyStarts(settings, instruments);
  const definitions = await Promise.all(strategies.map(loadDefinition));
  const graphs = graphStarts(strategies, instruments);
  const setups = await loadGraphs(graphs).catch((error: Error) => {
    if (error instanceof GraphError) throw new EngineError(`graph: ${error.message}`, 2);
    throw error;
  });
  const registry = makeSignalRegistry(setups);
  checkStrategies(strategies, definitions, registry);
  const intervals = setups.flatMap((s) =>
    s.program.trigger.on === "interval" ? [s.program.trigger.intervalNs] : [],
  );
  return {
    strategies,
    definitions,
    graphs,
    setups,
    registry,
    subscriptions: subscriptionsOf(strategies, definitions, instruments),
    marketTimerNs: intervals.length === 0 ? 0 : Math.min(...intervals),
  };
}

/** What the execution lane would refuse, said before anything starts. Throws EngineError naming all of it. */
function checkStrategies(
  strategies: readonly StrategyStart[],
  definitions: readonly AnyStrategy[],
  registry: SignalRegistry,
): void {
  const problems = strategies.flatMap((strategy, k) => {
    const definition = definitions[k]!;
    const graph = strategy.graphs[0] ?? "";
    const outputs = registry.entries.filter((e) => e.graph === graph).map((e) => e.output);
    const missing = (definition.factors ?? []).filter((output) => !outputs.includes(output));
    const params = problemOf(
      () => new ParamSlots(definition.params, strategy.params, `strategy ${strategy.name}: params`),
    );
    return [
      ...(params === null ? [] : [params]),
      ...missing.map(
        (o) =>
          `strategy ${strategy.name}: its graph has no output "${o}"; it has: ${outputs.join(", ") || "none"}`,
      ),
    ];
  });
  if (problems.length > 0) throw new EngineError(problems.join("\n"), 2);
}

function problemOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** The mark values positions and margin, whatever strategies listen to; the rest by their topics. */
function subscriptionsOf(
  strategies: readonly StrategyStart[],
  definitions: readonly AnyStrategy[],
  instruments: readonly Instrument[],
): { readonly kind: number; readonly instrument: number }[] {
  const found = [{ kind: KIND_MARK_PRICE, instrument: 0 }];
  strategies.forEach((strategy, k) => {
    for (const instrument of strategy.instruments) {
      const bits = subscriptionBits(definitions[k]!.subscribe, instruments[instrument - 1]!.symbol);
      if ((bits & TOPIC_TRADE) !== 0) found.push({ kind: KIND_TRADE, instrument });
      if ((bits & TOPIC_DEPTH) !== 0) found.push({ kind: KIND_DEPTH_DELTA, instrument });
    }
  });
  return found;
}

/** Strategy ids are 1 … in the order of the configuration; 0 is house. */
function strategyStarts(
  settings: Pick<EngineSettings, "strategies">,
  instruments: readonly Instrument[],
): StrategyStart[] {
  return settings.strategies
    .filter((s) => s.enabled)
    .map((s, index) => {
      const ids = s.instruments.map((symbol) => instruments.find((i) => i.symbol === symbol)?.id ?? 0);
      if (ids.includes(0)) throw new EngineError(`strategy ${s.name}: an instrument is not configured`, 2);
      const graphs = s.graph === "" ? [] : ids.map((id) => graphName(s.graph, instruments[id - 1]!.symbol));
      return {
        id: index + 1,
        name: s.name,
        module: s.module,
        graphFile: s.graph,
        graphs,
        instruments: ids,
        params: s.params,
        limits: s.limits,
      };
    });
}

const graphName = (file: string, symbol: string): string => `${basename(file, ".toml")}/${symbol}`;

/** One instance per (file, instrument), shared by the strategies that name it. */
function graphStarts(strategies: readonly StrategyStart[], instruments: readonly Instrument[]): GraphStart[] {
  const found = new Map<string, GraphStart>();
  for (const strategy of strategies) {
    strategy.graphs.forEach((name, k) => {
      const instrument = strategy.instruments[k]!;
      const known = found.get(name);
      if (known !== undefined && known.file !== strategy.graphFile)
        throw new EngineError(
          `graphs ${known.file} and ${strategy.graphFile} share a name on ${instruments[instrument - 1]!.symbol}`,
          2,
        );
      found.set(name, { name, file: strategy.graphFile, instrument });
    });
  }
  return [...found.values()];
}

/** Asset id → name, as fills and balances carry it; element 0 = unknown. */
export function assetsOf(instruments: readonly Instrument[]): string[] {
  return ["", ...new Set([...instruments.map((i) => i.settle), "BNB", "USDT", "USDC", "BTC", "ETH"])];
}
