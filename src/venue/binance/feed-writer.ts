// Decoded market messages → records in the feed's sink. Hot: feed lane; 0 bytes per record. The caller checks
// room for a whole event first, so no event is ever partial. Records that had to be left out are counted and
// marked by one Gap record as soon as there is room.
import { RECORD_BYTES, type RunSink } from "../../core/record.ts";
import {
  DEPTH_DELTA_LEVEL_COUNT,
  DEPTH_DELTA_PX_TICKS,
  DEPTH_DELTA_QTY_LOTS,
  DEPTH_DELTA_SIDE,
  DEPTH_DELTA_UPDATE_ID_HI,
  DEPTH_DELTA_UPDATE_ID_LO,
  encodeBbo,
  encodeFeedStatus,
  encodeGap,
  encodeMarkPrice,
  encodeSnapshotBegin,
  encodeSnapshotEnd,
  encodeTimer,
  encodeTrade,
  FLAG_END_OF_EVENT,
  FLAG_SNAPSHOT,
  HEADER_EXCH_TS_NS,
  HEADER_FLAGS,
  HEADER_RECV_TS_NS,
  HEADER_SEQUENCE,
  HEADER_SPARE,
  KIND_DEPTH_DELTA,
} from "../../wire/messages.gen.ts";
import type { MarketDecoder } from "./market-decoder.ts";

const NS_PER_MS = 1_000_000;
const BID = 1;
const ASK = -1;
/** Stream number of the feed in Gap records. */
export const GAP_STREAM_FEED = 1;

export class FeedWriter {
  readonly sink: RunSink;
  /** Of the next record; wraps. */
  sequence: number;
  /** Records left out since the start. */
  lostRecords: number;
  private readonly baseMs: number;
  private pendingLost: number;

  /** `baseMs`: session base in ms since the epoch. */
  constructor(sink: RunSink, baseMs: number) {
    this.sink = sink;
    this.sequence = 0;
    this.lostRecords = 0;
    this.baseMs = baseMs;
    this.pendingLost = 0;
  }

  /** Venue ms → session ns. */
  sessionNs(unixMs: number): number {
    return (unixMs - this.baseMs) * NS_PER_MS;
  }

  /** True when an event of `count` records fits; writes an outstanding Gap record first. */
  hasRoom(count: number): boolean {
    if (this.pendingLost === 0) return this.sink.hasRoom(count);
    if (!this.sink.hasRoom(count + 1)) return false;
    const at = this.sink.tryClaim();
    const lost = this.pendingLost;
    this.pendingLost = 0;
    encodeGap(
      this.sink.memory,
      at,
      FLAG_END_OF_EVENT,
      0,
      0,
      this.take(),
      0,
      0,
      0,
      this.sequence,
      lost,
      GAP_STREAM_FEED,
      0,
    );
    this.sink.commit();
    return true;
  }

  /** `count` records were left out for want of room. */
  lost(count: number): void {
    this.pendingLost += count;
    this.lostRecords += count;
  }

  private hasRoomOrCounts(): boolean {
    if (this.hasRoom(1)) return true;
    this.lost(1);
    return false;
  }

  publish(): void {
    this.sink.publish();
  }

  /** Level records of one message; the last one ends the event unless they belong to a snapshot. */
  levels(
    px: Float64Array,
    qty: Float64Array,
    first: number,
    bidCount: number,
    count: number,
    flags: number,
    instrument: number,
    exchTsNs: number,
    recvTsNs: number,
    idLo: number,
    idHi: number,
  ): void {
    const sink = this.sink;
    const last = (flags & FLAG_SNAPSHOT) !== 0 ? -1 : count - 1;
    for (let done = 0; done < count; ) {
      const at = sink.tryClaimRun(count - done);
      const end = done + sink.runLength;
      // Bids, then asks; a run may hold some of each.
      const bids = Math.max(done, Math.min(bidCount, end));
      const asksAt = at + (bids - done) * RECORD_BYTES;
      this.side(
        at,
        BID,
        px,
        qty,
        first + done,
        bids - done,
        flags,
        instrument,
        exchTsNs,
        recvTsNs,
        count,
        idLo,
        idHi,
      );
      this.side(
        asksAt,
        ASK,
        px,
        qty,
        first + bids,
        end - bids,
        flags,
        instrument,
        exchTsNs,
        recvTsNs,
        count,
        idLo,
        idHi,
      );
      if (end - 1 === last)
        sink.memory.u16[((at + (last - done) * RECORD_BYTES) >> 1) + HEADER_FLAGS] =
          flags | FLAG_END_OF_EVENT;
      done = end;
      sink.commitRun();
    }
  }

  /** What encodeDepthDelta writes, for `count` levels of one side: words that all share are made once. */
  private side(
    at: number,
    side: number,
    px: Float64Array,
    qty: Float64Array,
    first: number,
    count: number,
    flags: number,
    instrument: number,
    exchTsNs: number,
    recvTsNs: number,
    levelCount: number,
    idLo: number,
    idHi: number,
  ): void {
    const { i32, f64 } = this.sink.memory;
    const head = KIND_DEPTH_DELTA | (flags << 16);
    const lo = idLo | 0;
    const hi = idHi | 0;
    let sequence = this.sequence | 0;
    for (
      let k = 0, w = at >> 2, f = at >> 3;
      k < count;
      k++, w += RECORD_BYTES >> 2, f += RECORD_BYTES >> 3
    ) {
      i32[w] = head;
      i32[w + 1] = instrument;
      i32[w + HEADER_SEQUENCE] = sequence;
      i32[w + HEADER_SPARE] = 0;
      f64[f + HEADER_EXCH_TS_NS] = exchTsNs;
      f64[f + HEADER_RECV_TS_NS] = recvTsNs;
      f64[f + DEPTH_DELTA_PX_TICKS] = px[first + k]!;
      f64[f + DEPTH_DELTA_QTY_LOTS] = qty[first + k]!;
      i32[w + DEPTH_DELTA_SIDE] = side;
      i32[w + DEPTH_DELTA_LEVEL_COUNT] = levelCount;
      i32[w + DEPTH_DELTA_UPDATE_ID_LO] = lo;
      i32[w + DEPTH_DELTA_UPDATE_ID_HI] = hi;
      sequence = (sequence + 1) | 0;
    }
    this.sequence = sequence >>> 0;
  }

  snapshot(d: MarketDecoder, instrument: number, attempt: number, recvTsNs: number): void {
    const m = this.sink.memory;
    const n = d.levels.count;
    const exch = d.transactionMs > 0 ? this.sessionNs(d.transactionMs) : 0;
    const lo = d.finalLo;
    const hi = d.finalHi;
    let at = this.sink.tryClaim();
    encodeSnapshotBegin(
      m,
      at,
      FLAG_SNAPSHOT,
      instrument,
      0,
      this.take(),
      0,
      exch,
      recvTsNs,
      n,
      attempt,
      lo,
      hi,
    );
    this.sink.commit();
    const { px, qty } = d.levels;
    this.levels(px, qty, 0, d.bidCount, n, FLAG_SNAPSHOT, instrument, exch, recvTsNs, lo, hi);
    at = this.sink.tryClaim();
    const flags = FLAG_SNAPSHOT | FLAG_END_OF_EVENT;
    encodeSnapshotEnd(m, at, flags, instrument, 0, this.take(), 0, exch, recvTsNs, n, attempt, lo, hi);
    this.sink.commit();
  }

  status(
    instrument: number,
    recvTsNs: number,
    state: number,
    reason: number,
    gaps: number,
    resyncs: number,
    idLo: number,
    idHi: number,
    lagNs: number,
  ): boolean {
    if (!this.hasRoom(1)) return false;
    const at = this.sink.tryClaim();
    const m = this.sink.memory;
    encodeFeedStatus(
      m,
      at,
      FLAG_END_OF_EVENT,
      instrument,
      0,
      this.take(),
      0,
      0,
      recvTsNs,
      state,
      reason,
      gaps,
      resyncs,
      idLo,
      idHi,
      lagNs,
    );
    this.sink.commit();
    return true;
  }

  trade(d: MarketDecoder, instrument: number, recvTsNs: number): void {
    if (!this.hasRoomOrCounts()) return;
    const at = this.sink.tryClaim();
    const exch = this.sessionNs(d.transactionMs);
    const side = d.buyerIsMaker ? -1 : 1;
    const type = d.isMarketTrade ? 0 : 1;
    const m = this.sink.memory;
    const sequence = this.take();
    encodeTrade(
      m,
      at,
      FLAG_END_OF_EVENT,
      instrument,
      0,
      sequence,
      0,
      exch,
      recvTsNs,
      d.pxTicks,
      d.qtyLots,
      side,
      type,
      d.idLo,
      d.idHi,
    );
    this.sink.commit();
  }

  bbo(d: MarketDecoder, instrument: number, recvTsNs: number): void {
    if (!this.hasRoomOrCounts()) return;
    const at = this.sink.tryClaim();
    const exch = this.sessionNs(d.transactionMs);
    const bid = d.bidQtyLots > 0 ? d.bidPxTicks : Number.NaN;
    const ask = d.askQtyLots > 0 ? d.askPxTicks : Number.NaN;
    const m = this.sink.memory;
    const sequence = this.take();
    encodeBbo(
      m,
      at,
      FLAG_END_OF_EVENT,
      instrument,
      0,
      sequence,
      0,
      exch,
      recvTsNs,
      bid,
      d.bidQtyLots,
      ask,
      d.askQtyLots,
    );
    this.sink.commit();
  }

  markPrice(d: MarketDecoder, instrument: number, recvTsNs: number): void {
    if (!this.hasRoomOrCounts()) return;
    const at = this.sink.tryClaim();
    const exch = this.sessionNs(d.transactionMs);
    const next = d.nextFundingMs > 0 ? this.sessionNs(d.nextFundingMs) : 0;
    const m = this.sink.memory;
    const sequence = this.take();
    encodeMarkPrice(
      m,
      at,
      FLAG_END_OF_EVENT,
      instrument,
      0,
      sequence,
      0,
      exch,
      recvTsNs,
      d.markPxE8,
      d.indexPxE8,
      d.fundingRateE8,
      next,
    );
    this.sink.commit();
  }

  timer(timerId: number, intervalNs: number, scheduledTsNs: number, nowNs: number): void {
    if (!this.hasRoomOrCounts()) return;
    const at = this.sink.tryClaim();
    const m = this.sink.memory;
    encodeTimer(m, at, FLAG_END_OF_EVENT, 0, 0, this.take(), 0, 0, nowNs, timerId, intervalNs, scheduledTsNs);
    this.sink.commit();
  }

  private take(): number {
    const sequence = this.sequence;
    this.sequence = (sequence + 1) >>> 0;
    return sequence;
  }
}
