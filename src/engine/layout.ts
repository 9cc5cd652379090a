// The memory map of one engine: every ring, doorbell, board and telemetry block in the arena, derived from
// the configured capacities in one place. Plain data: main plans it, lanes receive it.
//
//                 market                signals                    orders, telemetry
//   FEED lane ─────────────▶ FACTOR ─────────────▶ EXECUTION ─────────────────────────▶ WRITER lane
//      └── journal.market ─────────────────────────────────────────────────────────────────▲
//   main ── control ──▶ EXECUTION ── replies ──▶ main          every lane ── notices.<lane> ──▶ main
import { type BoardLocation, planBoard } from "../lane/board.ts";
import type { LanePlacement, LaneRole } from "../lane/placement.ts";
import { planTelemetry, type TelemetryLocation } from "../lane/telemetry.ts";
import { type ArenaMap, ArenaPlan, type Region } from "../ring/arena.ts";
import { DOORBELL_BYTES } from "../ring/doorbell.ts";
import { planRing, type RingLocation } from "../ring/spsc-ring.ts";
import { COUNTERS, HISTOGRAMS } from "./telemetry-names.ts";

export const LANE_NAMES = ["feed", "factor", "execution", "writer", "fused"] as const;
export type LaneName = (typeof LANE_NAMES)[number];

/** Streams of the WAL; the number is written into batches and Gap records. */
export const STREAM_MARKET = 1;
export const STREAM_ORDERS = 2;
export const STREAM_TELEMETRY = 3;
/** Written by the writer lane itself. */
export const STREAM_METRICS = 4;
export const STREAM_NAMES = ["", "market", "orders", "telemetry", "metrics"] as const;

export interface RingCapacities {
  /** FEED → FACTOR; holds at least four of the largest events. */
  readonly market: number;
  /** FACTOR → EXECUTION. */
  readonly signals: number;
  readonly marketJournal: number;
  readonly ordersJournal: number;
  readonly telemetryJournal: number;
  readonly control: number;
  readonly notices: number;
}

export interface EngineLayout {
  readonly arena: ArenaMap;
  readonly rings: {
    readonly market: RingLocation;
    readonly signals: RingLocation;
    readonly marketJournal: RingLocation;
    readonly ordersJournal: RingLocation;
    readonly telemetryJournal: RingLocation;
    readonly control: RingLocation;
    readonly replies: RingLocation;
    readonly notices: Readonly<Record<string, RingLocation>>;
  };
  /** Byte offsets; by lane name. */
  readonly doorbells: Readonly<Record<string, number>>;
  /** By role: a fused lane carries the telemetry of its three roles. */
  readonly telemetry: Readonly<Record<LaneRole, TelemetryLocation>>;
  /** Last decisions per strategy (strategy/why.ts). */
  readonly why: Region;
  readonly boards: { readonly factor: BoardLocation; readonly execution: BoardLocation };
}

export interface BoardSizes {
  /** f64 values of the decision rings. */
  readonly why: number;
  readonly factor: number;
  readonly execution: number;
}

export function planLayout(
  lanes: readonly LanePlacement[],
  capacities: RingCapacities,
  boards: BoardSizes,
): EngineLayout {
  const plan = new ArenaPlan();
  const bells = plan.reserve("doorbells", DOORBELL_BYTES * lanes.length);
  const telemetry = (role: LaneRole) => planTelemetry(plan, role, COUNTERS[role], HISTOGRAMS[role]);
  const rings = {
    market: planRing(plan, "market", capacities.market),
    signals: planRing(plan, "signals", capacities.signals),
    marketJournal: planRing(plan, "journal.market", capacities.marketJournal),
    ordersJournal: planRing(plan, "journal.orders", capacities.ordersJournal),
    telemetryJournal: planRing(plan, "journal.telemetry", capacities.telemetryJournal),
    control: planRing(plan, "control", capacities.control),
    // Main reads its answers before each command, so at most those of one full control ring and of the commands
    // that wait for an outcome (fewer) are unread.
    replies: planRing(plan, "replies", capacities.control * 2),
    notices: Object.fromEntries(
      lanes.map((lane) => [lane.name, planRing(plan, `notices.${lane.name}`, capacities.notices)]),
    ),
  };
  return {
    rings,
    doorbells: Object.fromEntries(lanes.map((lane, i) => [lane.name, bells.offset + i * DOORBELL_BYTES])),
    telemetry: {
      feed: telemetry("feed"),
      factor: telemetry("factor"),
      execution: telemetry("execution"),
      writer: telemetry("writer"),
    },
    why: plan.reserve("why", boards.why * 8),
    boards: {
      factor: planBoard(plan, "factor", boards.factor),
      execution: planBoard(plan, "execution", boards.execution),
    },
    arena: plan.map(),
  };
}
