// Start and stop of a lane, over postMessage; everything else crosses in the arena.
//   main → lane: {start}      lane → main: {ready} when built and warm
//   main → lane: {go}         lane → main: {done} after the stop word, or {failed}
import type { LanePlacement } from "../lane/placement.ts";
import type { Instrument } from "../market/instrument.ts";
import type { EngineLayout } from "./layout.ts";
import type { RecoveredState } from "./recovered-state.ts";
import type { EngineSettings } from "./settings.ts";

export interface SessionIdentity {
  /** 53-bit session nonce as two words (hi < 2^21); part of every client order id. */
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** For logs and file names. */
  readonly text: string;
}

/** Everything a lane needs, as one structured-cloneable value. */
export interface LaneStart {
  readonly placement: LanePlacement;
  readonly laneNumber: number;
  readonly arena: SharedArrayBuffer;
  readonly layout: EngineLayout;
  readonly settings: EngineSettings;
  readonly instruments: readonly Instrument[];
  readonly session: SessionIdentity;
  readonly recovered: RecoveredState;
  /** Lanes that sleep in `park`: their producers ring the doorbell. */
  readonly parks: Readonly<Record<string, boolean>>;
}

export type ToLane = { readonly start: LaneStart } | { readonly go: true };
export type FromLane =
  | { readonly ready: true; readonly tid: number; readonly notes: readonly string[] }
  | { readonly pinned: true; readonly tid: number; readonly error: string | null }
  | { readonly done: true }
  | { readonly failed: string; readonly stack: string };
