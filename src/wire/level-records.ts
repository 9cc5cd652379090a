// The two forms of a depth message's levels in 64-byte slots. Hot: feed lane; 0 bytes; O(levels).
//
//   records   one DepthDelta each: rings between lanes, WAL, everything that reads one
//   packed    one DepthRun and, behind it, slots of bare (ticks, lots) pairs, four to a slot: a quarter of the cache
//             lines. Only in a lane's ring to WRITER, which turns them into records (docs/adr/0014).
import type { LevelRun } from "../core/level-run.ts";
import { RECORD_BYTES, type RecordMemory } from "../core/record.ts";
import {
  DEPTH_DELTA_LEVEL_COUNT,
  DEPTH_DELTA_PX_TICKS,
  DEPTH_DELTA_QTY_LOTS,
  DEPTH_DELTA_SIDE,
  DEPTH_DELTA_UPDATE_ID_HI,
  DEPTH_DELTA_UPDATE_ID_LO,
  DEPTH_RUN_BID_COUNT,
  DEPTH_RUN_COUNT,
  DEPTH_RUN_LEVEL_COUNT,
  DEPTH_RUN_UPDATE_ID_HI,
  DEPTH_RUN_UPDATE_ID_LO,
  encodeDepthRun,
  FLAG_END_OF_EVENT,
  HEADER_EXCH_TS_NS,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_RECV_TS_NS,
  HEADER_SEQUENCE,
  HEADER_SPARE,
  KIND_DEPTH_DELTA,
} from "./messages.gen.ts";

const BID = 1;
const ASK = -1;
const RECORD_I32 = RECORD_BYTES >> 2;
const RECORD_F64 = RECORD_BYTES >> 3;
const PAIRS_PER_SLOT = RECORD_F64 >> 1;

/** Writes levels [from, to) of `run` as DepthDelta records at `at`; the run's last one ends the event. */
export function encodeLevels(
  run: LevelRun,
  from: number,
  to: number,
  flags: number,
  m: RecordMemory,
  at: number,
): void {
  // Bids, then asks; a part may hold some of each.
  const bids = Math.max(from, Math.min(run.bidCount, to));
  encodeSide(run, from, bids, BID, flags, m, at);
  encodeSide(run, bids, to, ASK, flags, m, at + (bids - from) * RECORD_BYTES);
}

/** The record of level `k`. */
export function encodeLevel(run: LevelRun, k: number, m: RecordMemory, at: number): void {
  encodeLevels(run, k, k + 1, 0, m, at);
  if (k + 1 === run.count) endEvent(m, at, 1);
}

/** The last of the records at `at` ends its event. */
export function endEvent(m: RecordMemory, at: number, count: number): void {
  m.u16[((at + (count - 1) * RECORD_BYTES) >> 1) + HEADER_FLAGS]! |= FLAG_END_OF_EVENT;
}

/** What encodeDepthDelta writes, for levels of one side: words that all share are made once. */
function encodeSide(
  run: LevelRun,
  from: number,
  to: number,
  side: number,
  flags: number,
  { i32, f64 }: RecordMemory,
  at: number,
): void {
  const { values, instrument, exchTsNs, recvTsNs, levelCount } = run;
  const head = KIND_DEPTH_DELTA | (flags << 16);
  const lo = run.updateIdLo | 0;
  const hi = run.updateIdHi | 0;
  let v = run.at + 2 * from;
  for (let k = from, w = at >> 2, f = at >> 3; k < to; k++, w += RECORD_I32, f += RECORD_F64, v += 2) {
    i32[w] = head;
    i32[w + 1] = instrument;
    i32[w + HEADER_SEQUENCE] = (run.sequence + k) | 0;
    i32[w + HEADER_SPARE] = 0;
    f64[f + HEADER_EXCH_TS_NS] = exchTsNs;
    f64[f + HEADER_RECV_TS_NS] = recvTsNs;
    f64[f + DEPTH_DELTA_PX_TICKS] = values[v]!;
    f64[f + DEPTH_DELTA_QTY_LOTS] = values[v + 1]!;
    i32[w + DEPTH_DELTA_SIDE] = side;
    i32[w + DEPTH_DELTA_LEVEL_COUNT] = levelCount;
    i32[w + DEPTH_DELTA_UPDATE_ID_LO] = lo;
    i32[w + DEPTH_DELTA_UPDATE_ID_HI] = hi;
  }
}

/** Most levels of one packed run: whoever unpacks it has room for so many records. */
export const PACKED_LEVELS_MAX = 256;

/** Slots of `levels` levels in packed form. */
export const packedSlots = (levels: number): number => 1 + ((levels + PAIRS_PER_SLOT - 1) >> 2);

/** Writes levels [from, to) of `run` in packed form over packedSlots(to − from) neighbouring slots. */
export function packLevels(run: LevelRun, from: number, to: number, m: RecordMemory, at: number): void {
  encodeDepthRun(
    m,
    at,
    to === run.count ? FLAG_END_OF_EVENT : 0,
    run.instrument,
    0,
    run.sequence + from,
    0,
    run.exchTsNs,
    run.recvTsNs,
    Math.max(0, Math.min(run.bidCount, to) - from),
    to - from,
    run.levelCount,
    run.updateIdLo,
    run.updateIdHi,
  );
  const { f64 } = m;
  const { values } = run;
  const end = run.at + 2 * to;
  for (let v = run.at + 2 * from, f = (at + RECORD_BYTES) >> 3; v < end; v += 2, f += 2) {
    f64[f] = values[v]!;
    f64[f + 1] = values[v + 1]!;
  }
}

/** Levels of the packed form at `at`. */
export const packedCount = (m: RecordMemory, at: number): number => m.u32[(at >> 2) + DEPTH_RUN_COUNT]!;

/** Writes the records of the packed form at `from`, with `run` as its flyweight. Returns how many. */
export function unpackLevels(
  run: LevelRun,
  from: RecordMemory,
  fromOffset: number,
  to: RecordMemory,
  toOffset: number,
): number {
  const w = fromOffset >> 2;
  const f = fromOffset >> 3;
  run.values = from.f64;
  run.at = f + RECORD_F64;
  run.bidCount = from.u32[w + DEPTH_RUN_BID_COUNT]!;
  run.count = from.u32[w + DEPTH_RUN_COUNT]!;
  run.levelCount = from.u32[w + DEPTH_RUN_LEVEL_COUNT]!;
  run.instrument = from.u16[(fromOffset >> 1) + HEADER_INSTRUMENT]!;
  run.sequence = from.u32[w + HEADER_SEQUENCE]!;
  run.exchTsNs = from.f64[f + HEADER_EXCH_TS_NS]!;
  run.recvTsNs = from.f64[f + HEADER_RECV_TS_NS]!;
  run.updateIdLo = from.u32[w + DEPTH_RUN_UPDATE_ID_LO]!;
  run.updateIdHi = from.u32[w + DEPTH_RUN_UPDATE_ID_HI]!;
  encodeLevels(run, 0, run.count, 0, to, toOffset);
  if ((from.u16[(fromOffset >> 1) + HEADER_FLAGS]! & FLAG_END_OF_EVENT) !== 0)
    endEvent(to, toOffset, run.count);
  return run.count;
}
