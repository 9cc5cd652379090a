// Start and stop of a lane, over postMessage; everything else crosses in the arena.
//   main → lane: {start}      lane → main: {ready} when built and warm
//   main → lane: {go}         lane → main: {done} after the stop word, or {failed}
import type { SignalRegistry } from "../factor/signal-registry.ts";
import type { LanePlacement, LaneRole } from "../lane/placement.ts";
import type { Instrument } from "../market/instrument.ts";
import type { RequestLimits } from "../venue/binance/request-budget.ts";
import type { CheckpointStart } from "./factor-checkpoint.ts";
import type { GraphStart } from "./factor-lane.ts";
import type { EngineLayout } from "./layout.ts";
import type { Restored } from "./recovered.ts";
import type { EngineSettings, RawTable } from "./settings.ts";

export interface SessionIdentity {
  /** 53-bit session nonce as two words (hi < 2^21); part of every client order id. */
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** For logs and file names. */
  readonly text: string;
}

export interface StrategyStart {
  readonly id: number;
  readonly name: string;
  /** "builtin:NAME" or an absolute path. */
  readonly module: string;
  readonly graphFile: string;
  /** Graph instances, one per instrument, in its order; empty without a graph. */
  readonly graphs: readonly string[];
  readonly instruments: readonly number[];
  readonly params: RawTable;
  readonly limits: RawTable;
}

/** Everything a lane needs, as one structured-cloneable value. */
export interface LaneStart {
  readonly placement: LanePlacement;
  readonly laneNumber: number;
  readonly arena: SharedArrayBuffer;
  readonly layout: EngineLayout;
  readonly settings: EngineSettings;
  readonly instruments: readonly Instrument[];
  /** Asset id → name, as fills and balances carry it; element 0 = unknown. */
  readonly assets: readonly string[];
  /** What the venue allows the account, as main has read it; absent = the usual limits. */
  readonly requestLimits?: RequestLimits;
  readonly session: SessionIdentity;
  readonly graphs: readonly GraphStart[];
  readonly registry: SignalRegistry;
  /** Checkpoints of the factors; null or absent = none, neither written nor read. */
  readonly checkpoint?: CheckpointStart | null;
  readonly strategies: readonly StrategyStart[];
  /** Record kinds that EXECUTION wants forwarded; instrument 0 = of all. */
  readonly subscriptions: readonly { readonly kind: number; readonly instrument: number }[];
  /** Interval of the market stream's Timer, ns; 0 = no graph needs one. */
  readonly marketTimerNs: number;
  readonly restored: Restored;
  /** WAL position of this session's first record. */
  readonly walPosition: number;
  /** By lane name: sleeps in `park`, so producers ring its doorbell. */
  readonly parks: Readonly<Record<string, boolean>>;
  /** Which lane runs a role. */
  readonly roleLanes: Readonly<Record<LaneRole, string>>;
}

export type ToLane = { readonly start: LaneStart } | { readonly go: true };
export type FromLane =
  | { readonly ready: true; readonly tid: number }
  | { readonly pinned: true; readonly tid: number; readonly error: string | null }
  | { readonly done: true }
  | { readonly failed: string; readonly stack: string };
