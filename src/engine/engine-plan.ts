// Everything that is decided before the first lane starts: placement, strategies, the memory map. Pure but for
// reading graph files and modules; all problems come out as EngineError. Cold.
import { isolatedCpus, onlineCpus } from "../../ffi/host.ts";
import type { SignalRegistry } from "../factor/signal-registry.ts";
import { type Placement, placeLanes } from "../lane/placement.ts";
import type { Instrument } from "../market/instrument.ts";
import type { ParamsSchema } from "../strategy/params.ts";
import { whyValues } from "../strategy/why.ts";
import { KIND_DEPTH_DELTA, KIND_TRADE } from "../wire/messages.gen.ts";
import { EngineError } from "./engine-error.ts";
import { executionBoardSlots } from "./execution-board.ts";
import { factorBoardSlots } from "./factor-board.ts";
import { type CheckpointStart, planCheckpoint } from "./factor-checkpoint.ts";
import type { GraphStart } from "./factor-lane.ts";
import type { StrategyStart } from "./lane-protocol.ts";
import { type EngineLayout, planLayout } from "./layout.ts";
import type { EngineSettings } from "./settings.ts";
import { assetsOf, planStrategies } from "./strategy-plan.ts";

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

/** The exchange model of a paper session matches against the whole market. */
const EXCHANGE_NEEDS = [KIND_DEPTH_DELTA, KIND_TRADE].map((kind) => ({ kind, instrument: 0 }));

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
  const { strategies, definitions, graphs, setups, registry, subscriptions, marketTimerNs } =
    await planStrategies(settings, instruments);
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
      execution: executionBoardSlots(
        strategies.length + 2,
        instruments.length + 1,
        assetsOf(instruments).length,
      ),
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
    subscriptions: settings.env === "paper" ? [...subscriptions, ...EXCHANGE_NEEDS] : subscriptions,
    marketTimerNs,
  };
}
