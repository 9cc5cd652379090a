// The lanes' latency histograms in the WAL: every ten seconds, and at the end, what each bucket gained, as
// LatencyBucket records of a stream of their own. Writer lane, cold: the hot lanes only count.

import { bucketLowNs, bucketWidthNs, HISTOGRAM_BUCKETS, HistogramReader } from "../core/histogram.ts";
import { allocateRecordMemory, RECORD_BYTES, type RecordMemory } from "../core/record.ts";
import type { JournalSource } from "../journal/journal-agent.ts";
import type { LaneRole } from "../lane/placement.ts";
import { type TelemetryLocation, TelemetryReader } from "../lane/telemetry.ts";
import { encodeLatencyBucket, FLAG_END_OF_EVENT } from "../wire/messages.gen.ts";
import { HISTOGRAMS } from "./telemetry-names.ts";

const INTERVAL_NS = 10e9;
/** Most buckets of one snapshot; a histogram of a lane has a few dozen in use. */
const MAX_RECORDS = 4096;

/** Lane and stage by LatencyBucket.histogram; stands in the manifest. */
export const LATENCY_STAGES: readonly (readonly [LaneRole, string])[] = (
  Object.entries(HISTOGRAMS) as [LaneRole, readonly string[]][]
).flatMap(([role, names]) => names.map((name) => [role, name] as const));

export class LatencyJournal implements JournalSource {
  readonly streamId: number;
  readonly memory: RecordMemory;
  private readonly readers: Readonly<Record<LaneRole, TelemetryReader>>;
  private before: readonly HistogramReader[];
  private after: readonly HistogramReader[] | null = null;
  private nextNs = Number.NaN;

  constructor(
    streamId: number,
    arena: ArrayBufferLike,
    telemetry: Readonly<Record<LaneRole, TelemetryLocation>>,
  ) {
    this.streamId = streamId;
    this.memory = allocateRecordMemory(MAX_RECORDS);
    const reader = (role: LaneRole) => new TelemetryReader(arena, telemetry[role]);
    this.readers = {
      feed: reader("feed"),
      factor: reader("factor"),
      execution: reader("execution"),
      writer: reader("writer"),
    };
    this.before = LATENCY_STAGES.map(() => new HistogramReader(new Float64Array(HISTOGRAM_BUCKETS)));
  }

  /** Records that are due, at the start of `memory`. */
  collect(nowNs: number, last: boolean): number {
    // The first interval starts with the lane: until then histograms hold what warm-up left.
    if (Number.isNaN(this.nextNs)) this.nextNs = nowNs + INTERVAL_NS;
    if (nowNs < this.nextNs && !last) return 0;
    this.after = LATENCY_STAGES.map(([role, name]) => this.readers[role].histogram(name));
    let count = 0;
    for (let stage = 0; stage < LATENCY_STAGES.length; stage++) count = this.encode(stage, count, nowNs);
    if (count === 0) this.written(nowNs);
    else this.memory.u16[((count - 1) * RECORD_BYTES + 2) >> 1] = FLAG_END_OF_EVENT;
    return count;
  }

  /** What collect() returned is in the WAL. */
  written(nowNs: number): void {
    this.before = this.after ?? this.before;
    this.after = null;
    this.nextNs = nowNs + INTERVAL_NS;
  }

  private encode(stage: number, first: number, nowNs: number): number {
    const before = this.before[stage]!.counts;
    const after = this.after![stage]!.counts;
    let count = first;
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS && count < MAX_RECORDS; bucket++) {
      const gained = after[bucket]! - before[bucket]!;
      if (gained <= 0) continue;
      const low = bucketLowNs(bucket);
      const at = count * RECORD_BYTES;
      const high = low + bucketWidthNs(bucket);
      encodeLatencyBucket(this.memory, at, 0, 0, 0, 0, 0, 0, nowNs, stage, bucket, gained, low, high);
      count++;
    }
    return count;
  }
}
