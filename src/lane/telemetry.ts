// Counters, latency histograms and vital signs of one lane, in the arena. The lane is the only writer: a
// count costs one typed-array increment, a latency one more. Main reads at leisure through TelemetryReader;
// an 8-byte aligned value is never torn, and nothing that decides reads it.
//
//   offset 0                  256                      256 + page-rounded counters
//   | vitals 16 × f64 | (pad) | counters n × f64 | … | histogram 2048 × f64 | histogram | … |
//
// Counters are declared once, as a tuple of names, and addressed by their index in it:
//   export const FEED_COUNTERS = ["messages", "events"] as const;
//   const MESSAGES = 0;                                  // hot: telemetry.counters[MESSAGES]++
import { assert } from "../core/assert.ts";
import { HISTOGRAM_BUCKETS, Histogram, HistogramReader } from "../core/histogram.ts";
import type { ArenaPlan } from "../ring/arena.ts";

const VITALS = 16;
const COUNTERS_OFFSET = 256;
const HISTOGRAM_BYTES = HISTOGRAM_BUCKETS * 8;

/** Elements of a lane's vitals. */
export const VITAL_HEARTBEAT_NS = 0;
export const VITAL_MAX_STALL_NS = 1;
export const VITAL_TURNS = 2;
export const VITAL_BUSY_TURNS = 3;
export const VITAL_PARKS = 4;
export const VITAL_WORK = 5;
export const VITAL_COLLECTIONS = 6;
export const VITAL_STATE = 7;
export const VITAL_THREAD_ID = 8;

/** Values of VITAL_STATE. */
export const LANE_STARTING = 0;
export const LANE_RUNNING = 1;
export const LANE_PARKED = 2;
export const LANE_STOPPED = 3;
export const LANE_FAILED = 4;
export const LANE_STATE_NAMES = ["starting", "running", "parked", "stopped", "failed"] as const;

/** Where a lane's telemetry lies and what it is called; plain data. */
export interface TelemetryLocation {
  readonly lane: string;
  readonly offset: number;
  readonly counters: readonly string[];
  readonly histograms: readonly string[];
}

const histogramsOffset = (counters: number): number =>
  COUNTERS_OFFSET + Math.ceil((counters * 8) / 128) * 128;

export function planTelemetry(
  plan: ArenaPlan,
  lane: string,
  counters: readonly string[],
  histograms: readonly string[],
): TelemetryLocation {
  for (const names of [counters, histograms])
    assert(new Set(names).size === names.length, "telemetry name is declared twice");
  const bytes = histogramsOffset(counters.length) + histograms.length * HISTOGRAM_BYTES;
  return { lane, offset: plan.reserve(`telemetry:${lane}`, bytes).offset, counters, histograms };
}

/** The writing side; exactly one lane holds it. */
export class LaneTelemetry {
  readonly vitals: Float64Array;
  readonly counters: Float64Array;
  readonly histograms: readonly Histogram[];

  constructor(arena: ArrayBufferLike, location: TelemetryLocation) {
    this.vitals = vitalsOf(arena, location);
    this.counters = countersOf(arena, location);
    this.histograms = location.histograms.map((_, i) => new Histogram(bucketsOf(arena, location, i)));
  }

  /** For wiring, not for hot code. Throws InvariantError for a name that was not declared. */
  histogram(location: TelemetryLocation, name: string): Histogram {
    const index = location.histograms.indexOf(name);
    assert(index >= 0, "no such histogram in this lane");
    return this.histograms[index]!;
  }

  /** Forgets warm-up: counters, histograms, the worst stall. */
  reset(): void {
    this.counters.fill(0);
    for (const histogram of this.histograms) histogram.reset();
    this.vitals[VITAL_MAX_STALL_NS] = 0;
  }
}

export interface LaneVitals {
  readonly heartbeatNs: number;
  readonly maxStallNs: number;
  readonly turns: number;
  readonly busyTurns: number;
  readonly parks: number;
  readonly work: number;
  readonly collections: number;
  readonly state: (typeof LANE_STATE_NAMES)[number];
  readonly threadId: number;
}

/** Main's view of one lane. */
export class TelemetryReader {
  readonly location: TelemetryLocation;
  private readonly arena: ArrayBufferLike;
  private readonly vitalSigns: Float64Array;
  private readonly counts: Float64Array;

  constructor(arena: ArrayBufferLike, location: TelemetryLocation) {
    this.location = location;
    this.arena = arena;
    this.vitalSigns = vitalsOf(arena, location);
    this.counts = countersOf(arena, location);
  }

  /** Throws InvariantError for a name that was not declared. */
  counter(name: string): number {
    const index = this.location.counters.indexOf(name);
    assert(index >= 0, "no such counter in this lane");
    return this.counts[index]!;
  }

  counters(): Record<string, number> {
    return Object.fromEntries(this.location.counters.map((name, i) => [name, this.counts[i]!]));
  }

  /** A frozen copy. Throws InvariantError for a name that was not declared. */
  histogram(name: string): HistogramReader {
    const index = this.location.histograms.indexOf(name);
    assert(index >= 0, "no such histogram in this lane");
    return new HistogramReader(bucketsOf(this.arena, this.location, index));
  }

  vitals(): LaneVitals {
    const v = this.vitalSigns;
    return {
      heartbeatNs: v[VITAL_HEARTBEAT_NS]!,
      maxStallNs: v[VITAL_MAX_STALL_NS]!,
      turns: v[VITAL_TURNS]!,
      busyTurns: v[VITAL_BUSY_TURNS]!,
      parks: v[VITAL_PARKS]!,
      work: v[VITAL_WORK]!,
      collections: v[VITAL_COLLECTIONS]!,
      state: LANE_STATE_NAMES[v[VITAL_STATE]!] ?? "failed",
      threadId: v[VITAL_THREAD_ID]!,
    };
  }
}

/**
 * Counts garbage collections that this thread sees, into `vitals`. Bun has no GC event: each collection
 * finalises one sentinel, and a new one is born. Collections between two macrotask turns count as one.
 */
export function countCollections(vitals: Float64Array): void {
  // Rooted here: an unreachable registry is itself collected, and its callbacks with it.
  collectionCounters.push(startCounting(vitals));
}

const collectionCounters: FinalizationRegistry<number>[] = [];

function startCounting(vitals: Float64Array): FinalizationRegistry<number> {
  const registry = new FinalizationRegistry<number>(() => {
    vitals[VITAL_COLLECTIONS]!++;
    registry.register({}, 0);
  });
  registry.register({}, 0);
  return registry;
}

function vitalsOf(arena: ArrayBufferLike, location: TelemetryLocation): Float64Array {
  return new Float64Array(arena, location.offset, VITALS);
}

function countersOf(arena: ArrayBufferLike, location: TelemetryLocation): Float64Array {
  return new Float64Array(arena, location.offset + COUNTERS_OFFSET, location.counters.length);
}

function bucketsOf(arena: ArrayBufferLike, location: TelemetryLocation, index: number): Float64Array {
  const offset = location.offset + histogramsOffset(location.counters.length) + index * HISTOGRAM_BYTES;
  return new Float64Array(arena, offset, HISTOGRAM_BUCKETS);
}
