// Writes the factor lane's output stream: numbers the records, counts what did not fit and marks the loss with
// one Gap record as soon as there is room again. Hot: factor lane; 0 bytes; O(1) per record.
import { copyRecord, type RecordMemory, type RecordSink } from "../core/record.ts";
import { depthOfLevels } from "../market/book-stats.ts";
import { ASK, BID, type L2Book } from "../market/l2-book.ts";
import {
  encodeBbo,
  encodeBookStats,
  encodeDepthDelta,
  encodeFeedStatus,
  encodeGap,
  encodeSignal,
  encodeSnapshotBegin,
  encodeSnapshotEnd,
  FLAG_END_OF_EVENT,
  FLAG_SNAPSHOT,
} from "../wire/messages.gen.ts";

/** Gap.stream of records that FACTOR could not hand to EXECUTION. */
export const GAP_STREAM_FACTOR = 2;
/** Gap.reason: the ring was full. */
export const GAP_REASON_FULL = 1;

export class Emitter {
  private readonly sink: RecordSink;
  private sequence: number;
  /** Records that did not fit since the last Gap. */
  private lost: number;
  private firstLost: number;
  /** All records ever lost. */
  lostTotal: number;
  private instrument: number;
  private exchTsNs: number;
  private recvTsNs: number;

  constructor(sink: RecordSink) {
    this.sink = sink;
    this.sequence = 0;
    this.lost = 0;
    this.firstLost = 0;
    this.lostTotal = 0;
    this.instrument = 0;
    this.exchTsNs = 0;
    this.recvTsNs = 0;
  }

  /** Header values of the records that follow. */
  about(instrument: number, exchTsNs: number, recvTsNs: number): void {
    this.instrument = instrument;
    this.exchTsNs = exchTsNs;
    this.recvTsNs = recvTsNs;
  }

  /** True when `count` records fit; else they are counted as lost. A Gap left over from before goes first. */
  room(count: number): boolean {
    if (this.lost === 0) {
      if (this.sink.hasRoom(count)) return true;
    } else if (this.sink.hasRoom(count + 1)) {
      this.gap();
      return true;
    }
    this.lose(count);
    return false;
  }

  /** True when `count` records fit; nothing is counted. */
  fits(count: number): boolean {
    return this.sink.hasRoom(count);
  }

  /** `count` records are left out. */
  lose(count: number): void {
    if (this.lost === 0) this.firstLost = this.sequence;
    this.lost += count;
    this.lostTotal += count;
    this.sequence = (this.sequence + count) >>> 0;
  }

  private gap(): void {
    const at = this.sink.tryClaim();
    encodeGap(
      this.sink.memory,
      at,
      0,
      0,
      0,
      this.sequence,
      0,
      this.exchTsNs,
      this.recvTsNs,
      this.firstLost,
      this.lost,
      GAP_STREAM_FACTOR,
      GAP_REASON_FULL,
    );
    this.lost = 0;
    this.commit();
  }

  private commit(): void {
    this.sequence = (this.sequence + 1) >>> 0;
    this.sink.commit();
  }

  publish(): void {
    this.sink.publish();
  }

  /** A record as it came; `last`: nothing of this event follows. */
  forward(m: RecordMemory, at: number, last: boolean): void {
    const to = this.sink.tryClaim();
    const memory = this.sink.memory;
    copyRecord(m, at, memory, to);
    const flags = memory.u16[(to >> 1) + 1]!;
    memory.u16[(to >> 1) + 1] = last ? flags | FLAG_END_OF_EVENT : flags & ~FLAG_END_OF_EVENT;
    memory.u32[(to >> 2) + 2] = this.sequence;
    this.commit();
  }

  bbo(last: boolean, bidPx: number, bidQty: number, askPx: number, askQty: number): void {
    encodeBbo(
      this.sink.memory,
      this.sink.tryClaim(),
      last ? FLAG_END_OF_EVENT : 0,
      this.instrument,
      0,
      this.sequence,
      0,
      this.exchTsNs,
      this.recvTsNs,
      bidPx,
      bidQty,
      askPx,
      askQty,
    );
    this.commit();
  }

  /** Of `book`, sums over `levels` levels of each side. */
  statsOf(last: boolean, book: L2Book, levels: number): void {
    const bid = book.bestBidTicks;
    const ask = book.bestAskTicks;
    const bids = depthOfLevels(book, BID, levels);
    this.stats(last, (bid + ask) / 2, ask - bid, bids, depthOfLevels(book, ASK, levels));
  }

  private stats(
    last: boolean,
    midTicks: number,
    spreadTicks: number,
    bidLots: number,
    askLots: number,
  ): void {
    encodeBookStats(
      this.sink.memory,
      this.sink.tryClaim(),
      last ? FLAG_END_OF_EVENT : 0,
      this.instrument,
      0,
      this.sequence,
      0,
      this.exchTsNs,
      this.recvTsNs,
      midTicks,
      spreadTicks,
      bidLots,
      askLots,
    );
    this.commit();
  }

  signal(last: boolean, firstIndex: number, count: number, v0: number, v1: number, v2: number): void {
    encodeSignal(
      this.sink.memory,
      this.sink.tryClaim(),
      last ? FLAG_END_OF_EVENT : 0,
      this.instrument,
      0,
      this.sequence,
      0,
      this.exchTsNs,
      this.recvTsNs,
      firstIndex,
      count,
      v0,
      v1,
      v2,
    );
    this.commit();
  }

  status(last: boolean, state: number, reason: number, gaps: number, resyncs: number): void {
    encodeFeedStatus(
      this.sink.memory,
      this.sink.tryClaim(),
      last ? FLAG_END_OF_EVENT : 0,
      this.instrument,
      0,
      this.sequence,
      0,
      this.exchTsNs,
      this.recvTsNs,
      state,
      reason,
      gaps,
      resyncs,
      0,
      0,
      0,
    );
    this.commit();
  }

  /** All levels of `book`, each side from the touch. */
  snapshot(book: L2Book): void {
    const levels = book.levelCount;
    this.snapshotEdge(true, levels);
    for (let px = book.bestBidTicks; !Number.isNaN(px); px = book.nextBelow(BID, px))
      this.level(BID, px, book.qtyAt(BID, px), levels);
    for (let px = book.bestAskTicks; !Number.isNaN(px); px = book.nextAbove(ASK, px))
      this.level(ASK, px, book.qtyAt(ASK, px), levels);
    this.snapshotEdge(false, levels);
  }

  private snapshotEdge(begin: boolean, levelCount: number): void {
    const encode = begin ? encodeSnapshotBegin : encodeSnapshotEnd;
    encode(
      this.sink.memory,
      this.sink.tryClaim(),
      begin ? FLAG_SNAPSHOT : FLAG_SNAPSHOT | FLAG_END_OF_EVENT,
      this.instrument,
      0,
      this.sequence,
      0,
      this.exchTsNs,
      this.recvTsNs,
      levelCount,
      0,
      0,
      0,
    );
    this.commit();
  }

  private level(side: number, pxTicks: number, qtyLots: number, levelCount: number): void {
    encodeDepthDelta(
      this.sink.memory,
      this.sink.tryClaim(),
      FLAG_SNAPSHOT,
      this.instrument,
      0,
      this.sequence,
      0,
      this.exchTsNs,
      this.recvTsNs,
      pxTicks,
      qtyLots,
      side,
      levelCount,
      0,
      0,
    );
    this.commit();
  }
}
