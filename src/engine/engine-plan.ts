// Everything that is decided before the first lane starts: strategies and graphs by number, placement, the
// memory map. Pure but for reading graph files; all problems come out as EngineError. Cold.
import { basename } from "node:path";
import { isolatedCpus, onlineCpus } from "../../ffi/host.ts";
import { GraphError } from "../factor/graph-error.ts";
import { makeSignalRegistry, type SignalRegistry } from "../factor/signal-registry.ts";
import { type Placement, placeLanes } from "../lane/placement.ts";
import type { Instrument } from "../market/instrument.ts";
import type { AnyStrategy } from "../strategy/define-strategy.ts";
import { ParamSlots, type ParamsSchema } from "../strategy/params.ts";
import { subscriptionBits, TOPIC_DEPTH, TOPIC_TRADE } from "../strategy/topics.ts";
import { whyValues } from "../strategy/why.ts";
import { KIND_DEPTH_DELTA, KIND_MARK_PRICE, KIND_TRADE } from "../wire/messages.gen.ts";
import { EngineError } from "./engine-error.ts";
import { executionBoardSlots } from "./execution-board.ts";
import { factorBoardSlots } from "./factor-board.ts";
import { type CheckpointStart, planCheckpoint } from "./factor-checkpoint.ts";
import { type GraphStart, loadGraphs } from "./factor-lane.ts";
import type { StrategyStart } from "./lane-protocol.ts";
import { type EngineLayout, planLayout } from "./layout.ts";
import { loadDefinition } from "./load-strategy.ts";
import type { EngineSettings } from "./settings.ts";

export interface EnginePlan {
  readonly placement: Placement;
  readonly layout: EngineLayout;
  readonly strategies: readonly StrategyStart[];
  readonly graphs: readonly GraphStart[];
  readonly registry: SignalRegistry;
  readonly checkpoint: CheckpointStart | null;
  /** Parameter schemas by strategy id; element 0 (house) is empty. */
  readonly schemas: readonly ParamsSchema[];
  /** What EXECUTION wants of the market stream besides Bbo, Signal and FeedStatus. */
  readonly subscriptions: readonly { readonly kind: number; readonly instrument: number }[];
  /** Smallest interval trigger of any graph, ns; 0 = none. */
  readonly marketTimerNs: number;
}

export const HOUSE_NAME = "house";

export async function planEngine(
  settings: EngineSettings,
  instruments: readonly Instrument[],
): Promise<EnginePlan> {
  const placement = placeLanes({
    topology: settings.lanes.topology,
    lanes: settings.lanes,
    onlineCpus: onlineCpus(),
    isolatedCpus: isolatedCpus(),
  });
  if (placement.errors.length > 0) throw new EngineError(placement.errors.join("\n"), 2);
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
  const { engine } = settings;
  const layout = planLayout(
    placement.lanes,
    {
      market: engine.feedRingRecords,
      signals: engine.factorRingRecords,
      marketJournal: engine.marketRingRecords,
      ordersJournal: engine.ordersRingRecords,
      telemetryJournal: engine.telemetryRingRecords,
      control: engine.controlRingRecords,
      notices: engine.noticesRingRecords,
    },
    // House, and the one more that the warm-up runs in a copy of this layout.
    {
      factor: factorBoardSlots(instruments.length, registry.count),
      why: whyValues(strategies.length + 2),
      execution: executionBoardSlots(strategies.length + 2, instruments.length + 1),
    },
  );
  return {
    placement,
    layout,
    strategies,
    graphs,
    registry,
    checkpoint: planCheckpoint(setups, instruments, engine.dataDir),
    schemas: [{}, ...definitions.map((d) => d.params as ParamsSchema)],
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
function strategyStarts(settings: EngineSettings, instruments: readonly Instrument[]): StrategyStart[] {
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
