// Decoded market messages → records in the feed's sink. Hot: feed lane; 0 bytes per record. The caller checks
// room for a whole event first, so no event is ever partial. Records that had to be left out are counted and
// marked by one Gap record as soon as there is room.
import { LevelRun } from "../../core/level-run.ts";
import type { RunSink } from "../../core/record.ts";
import { encodeLevels, endEvent } from "../../wire/level-records.ts";
import {
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
} from "../../wire/messages.gen.ts";
import type { MarketDecoder } from "./market-decoder.ts";

const NS_PER_MS = 1_000_000;
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
  private readonly takesLevels: boolean;
  private readonly run: LevelRun;

  /** `baseMs`: session base in ms since the epoch. */
  constructor(sink: RunSink, baseMs: number) {
    this.sink = sink;
    this.sequence = 0;
    this.lostRecords = 0;
    this.baseMs = baseMs;
    this.pendingLost = 0;
    this.takesLevels = sink.takesLevels === true;
    this.run = new LevelRun(new Float64Array(0));
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

  /**
   * The levels of one message, from element `first` of `values` on: ticks and lots in turn, bids first. The last one
   * ends the event unless they belong to a snapshot.
   */
  levels(
    values: Float64Array,
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
    const run = this.run;
    run.values = values;
    run.at = first;
    run.bidCount = bidCount;
    run.count = count;
    run.levelCount = count;
    run.instrument = instrument;
    run.sequence = this.sequence;
    run.exchTsNs = exchTsNs;
    run.recvTsNs = recvTsNs;
    run.updateIdLo = idLo;
    run.updateIdHi = idHi;
    this.sequence = (this.sequence + count) >>> 0;
    if (this.takesLevels && flags === 0 && count > 0) this.sink.levels!(run);
    else this.records(run, flags);
  }

  private records(run: LevelRun, flags: number): void {
    const { sink } = this;
    for (let done = 0; done < run.count; ) {
      const at = sink.tryClaimRun(run.count - done);
      const length = sink.runLength;
      encodeLevels(run, done, done + length, flags, sink.memory, at);
      done += length;
      if (done === run.count && (flags & FLAG_SNAPSHOT) === 0) endEvent(sink.memory, at, length);
      sink.commitRun();
    }
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
    this.levels(d.levels.values, 0, d.bidCount, n, FLAG_SNAPSHOT, instrument, exch, recvTsNs, lo, hi);
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
