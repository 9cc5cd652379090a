// What a WAL directory holds and whether it is whole: the facts behind `wal inspect` and `wal verify`. Cold.

import { allocateRecordMemory, RECORD_BYTES } from "../core/record.ts";
import {
  FLAG_CONTINUATION,
  FLAG_MORE,
  Gap,
  HEADER_FLAGS,
  HEADER_KIND,
  HEADER_RECV_TS_NS,
  KIND_GAP,
} from "../wire/messages.gen.ts";
import type { WalBatch } from "./segment-scanner.ts";
import { listSegments, readSegments, type WalProblem } from "./wal-reader.ts";

export interface SegmentSummary {
  readonly file: string;
  readonly session: string;
  readonly index: number;
  readonly firstPosition: number;
  batches: number;
  records: number;
  /** Bytes up to the end of the last valid batch. */
  validBytes: number;
}

export interface GapSummary {
  readonly position: number;
  readonly stream: number;
  /** 0: an open gap (its total stands in a later one). */
  readonly lostCount: number;
  readonly reason: number;
}

export interface WalInspection {
  readonly segments: readonly SegmentSummary[];
  readonly batches: number;
  readonly records: number;
  /** By kind number. */
  readonly kinds: ReadonlyMap<number, number>;
  readonly streams: ReadonlyMap<number, number>;
  readonly gaps: readonly GapSummary[];
  /** Receive times, ns since the Unix epoch; null for an empty WAL. */
  readonly firstUnixNs: bigint | null;
  readonly lastUnixNs: bigint | null;
  /** Groups (MORE … continuation) that a batch boundary cuts, or that miss a part: position of the head. */
  readonly brokenGroups: readonly number[];
  readonly problems: readonly WalProblem[];
}

/** Reads every batch once. Throws the file system's error when the directory cannot be read. */
export function inspectWal(dir: string): WalInspection {
  const files = listSegments(dir);
  const bySegment = new Map<string, SegmentSummary>();
  for (const { file, session, index, header } of files)
    bySegment.set(file, {
      file,
      session,
      index,
      firstPosition: header?.firstPosition ?? -1,
      batches: 0,
      records: 0,
      validBytes: 0,
    });
  const tally = new Tally();
  const result = readSegments(files, (batch, segment) => {
    const summary = bySegment.get(segment.file)!;
    summary.batches++;
    summary.records += batch.count;
    tally.add(batch, segment.header.baseNs);
  });
  for (const [file, bytes] of result.validEnds) bySegment.get(file)!.validBytes = bytes;
  const segments = [...bySegment.values()];
  return {
    segments,
    batches: segments.reduce((sum, s) => sum + s.batches, 0),
    records: segments.reduce((sum, s) => sum + s.records, 0),
    kinds: tally.kinds,
    streams: tally.streams,
    gaps: tally.gaps,
    firstUnixNs: tally.firstUnixNs,
    lastUnixNs: tally.lastUnixNs,
    brokenGroups: tally.brokenGroups,
    problems: result.problems,
  };
}

class Tally {
  readonly kinds = new Map<number, number>();
  readonly streams = new Map<number, number>();
  readonly gaps: GapSummary[] = [];
  readonly brokenGroups: number[] = [];
  firstUnixNs: bigint | null = null;
  lastUnixNs: bigint | null = null;
  private readonly gap = new Gap(allocateRecordMemory(1));

  add(batch: WalBatch, baseNs: bigint): void {
    count(this.streams, batch.stream, batch.count);
    const { u16, f64 } = batch.memory;
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    let expectsMore = false;
    for (let i = 0; i < batch.count; i++) {
      const at = batch.at + i * RECORD_BYTES;
      const flags = u16[(at >> 1) + HEADER_FLAGS]!;
      if (((flags & FLAG_CONTINUATION) !== 0) !== expectsMore) this.brokenGroups.push(batch.position + i);
      expectsMore = (flags & FLAG_MORE) !== 0;
      const kind = u16[(at >> 1) + HEADER_KIND]!;
      count(this.kinds, kind, 1);
      if (kind === KIND_GAP) this.addGap(batch, at, batch.position + i);
      const recvTsNs = f64[(at >> 3) + HEADER_RECV_TS_NS]!;
      if (recvTsNs > 0 && recvTsNs < least) least = recvTsNs;
      if (recvTsNs > most) most = recvTsNs;
    }
    if (expectsMore) this.brokenGroups.push(batch.position + batch.count - 1);
    if (most > 0) this.widen(baseNs, least, most);
  }

  private addGap(batch: WalBatch, at: number, position: number): void {
    const { stream, lostCount, reason } = this.gap.wrap(batch.memory, at);
    this.gaps.push({ position, stream, lostCount, reason });
  }

  private widen(baseNs: bigint, least: number, most: number): void {
    const first = baseNs + BigInt(Math.round(least));
    const last = baseNs + BigInt(Math.round(most));
    if (this.firstUnixNs === null || first < this.firstUnixNs) this.firstUnixNs = first;
    if (this.lastUnixNs === null || last > this.lastUnixNs) this.lastUnixNs = last;
  }
}

function count(map: Map<number, number>, key: number, by: number): void {
  map.set(key, (map.get(key) ?? 0) + by);
}
