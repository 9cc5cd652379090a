// What a recorded session knows beyond a run's tables: every request with its stages, and the mids around decision,
// arrival and fill. Times are ns since the run's base, NaN = not known. Cold.
import type { HistogramReader } from "../core/histogram.ts";
import { ColumnTable, type RunResult } from "./run-result.ts";

/** One row per request that left. */
export const REQUEST_COLUMNS = [
  "instrument",
  "strategy",
  /** Row in `orders`; NaN for a cancel-all. */
  "order",
  /** ACTION_… */
  "action",
  /** Venue's time and receipt of the market event that led to it. */
  "eventExchNs",
  "triggerNs",
  "decidedNs",
  "gatedNs",
  "sentNs",
  /** The venue's time of taking it, and receipt of the answer. */
  "exchNs",
  "answeredNs",
] as const;
export type RequestColumn = (typeof REQUEST_COLUMNS)[number];
export type RequestTable = ColumnTable<RequestColumn>;
export const makeRequests = (): RequestTable => new ColumnTable(REQUEST_COLUMNS);

/** Horizons of the mark-out curve, ns. The middle ones are the fill table's own columns. */
export const CURVE_NS = [10e6, 100e6, 500e6, 1e9, 2e9, 5e9, 10e9, 30e9, 60e9] as const;

/** Per order: mids at its decision (as the strategy saw it) and at its arrival (the venue's time). */
export interface OrderMids {
  readonly decisionTicks: Float64Array;
  readonly arrivalTicks: Float64Array;
}

/** Receipt − venue's time of market events, by hour since the base and instrument. */
export interface FeedLatency {
  readonly hour: number;
  readonly instrument: number;
  readonly histogram: HistogramReader;
}

/** Positions that were held when the run began, lots. */
export interface OpeningPosition {
  readonly strategy: number;
  readonly instrument: number;
  readonly lots: number;
}

/** Funding booked, settlement currency, + received. */
export interface FundingFact {
  readonly strategy: number;
  readonly instrument: number;
  readonly tsNs: number;
  readonly amount: number;
}

export interface SessionFacts {
  readonly result: RunResult;
  readonly requests: RequestTable;
  readonly orderMids: OrderMids;
  /** Row in `orders` of each fill, −1 when its order is not known. */
  readonly orderOfFill: Int32Array;
  /** Mids in ticks of each fill at CURVE_NS after it: [horizon][fill]. */
  readonly curveTicks: readonly Float64Array[];
  readonly opening: readonly OpeningPosition[];
  /** Mids by instrument: at the start, at each hour boundary inside the run, at the end. */
  readonly hourMids: readonly HourMids[];
  readonly funding: readonly FundingFact[];
  readonly feed: readonly FeedLatency[];
  /** Signal values at decision by order: name → value per row of `orders`. */
  readonly signals: ReadonlyMap<string, Float64Array>;
  /** What the reader should know: gaps, lost instruments, missing quotes. */
  readonly notes: readonly string[];
}

export interface HourMids {
  readonly timesNs: Float64Array;
  readonly ticks: Float64Array;
}

const HOUR_NS = 3600e9;

/** Hours since the base. */
export const hourOf = (tsNs: number): number => Math.floor(tsNs / HOUR_NS);
