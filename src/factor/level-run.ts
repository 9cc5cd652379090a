// The levels of one depth event as FEED writes them: records of one side, one behind the other. By far the
// commonest records; nothing but the book sees them, and it takes a side of a message in one call.
// Hot: factor lane; 0 bytes; O(records).
import { assert } from "../core/assert.ts";
import type { LevelRun } from "../core/level-run.ts";
import { allocateRecordMemory, RECORD_BYTES, type RecordMemory } from "../core/record.ts";
import { ASK, BID, type L2Book } from "../market/l2-book.ts";
import { encodeLevel } from "../wire/level-records.ts";
import {
  DEPTH_DELTA_PX_TICKS,
  DEPTH_DELTA_QTY_LOTS,
  DEPTH_DELTA_SIDE,
  FLAG_SNAPSHOT,
  HEADER_RECV_TS_NS,
  KIND_DEPTH_DELTA,
} from "../wire/messages.gen.ts";

/** The bits of a record's first word (kind, flags) that a level of an open event may have set or not. */
const SNAPSHOT_HEAD = FLAG_SNAPSHOT << 16;
const RECORD_I32 = RECORD_BYTES >> 2;
const RECORD_F64 = RECORD_BYTES >> 3;
assert(DEPTH_DELTA_QTY_LOTS === DEPTH_DELTA_PX_TICKS + 1, "the book reads lots behind ticks");

/**
 * How many of the `count` records at `at` are levels of `instrument`, received at `recvTsNs`, that do not end
 * their event and lie on the same side.
 */
export function furtherLevels(
  m: RecordMemory,
  at: number,
  count: number,
  instrument: number,
  recvTsNs: number,
): number {
  const { i32, f64 } = m;
  const side = i32[(at >> 2) + DEPTH_DELTA_SIDE]!;
  let n = 0;
  for (let w = at >> 2; n < count; n++, w += RECORD_I32) {
    if (
      (i32[w]! & ~SNAPSHOT_HEAD) !== KIND_DEPTH_DELTA ||
      (i32[w + 1]! & 0xffff) !== instrument ||
      i32[w + DEPTH_DELTA_SIDE]! !== side ||
      f64[(w >> 1) + HEADER_RECV_TS_NS]! !== recvTsNs
    )
      break;
  }
  return n;
}

/** One level of a run at a time, as a record. */
export class LevelRecord {
  private readonly m: RecordMemory = allocateRecordMemory(1);

  /** The record of level `k`, at offset 0. */
  of(run: LevelRun, k: number): RecordMemory {
    encodeLevel(run, k, this.m, 0);
    return this.m;
  }
}

/** All levels of `run`. */
export function applyRun(book: L2Book, run: LevelRun): void {
  const { values, at, bidCount, count } = run;
  if (bidCount > 0) book.applyRun(BID, values, at, 2, bidCount);
  if (count > bidCount) book.applyRun(ASK, values, at + 2 * bidCount, 2, count - bidCount);
}

/** Levels of one side, as records. */
export function applyLevels(book: L2Book, m: RecordMemory, at: number, count: number): void {
  const side = m.i32[(at >> 2) + DEPTH_DELTA_SIDE]!;
  book.applyRun(side, m.f64, (at >> 3) + DEPTH_DELTA_PX_TICKS, RECORD_F64, count);
}
