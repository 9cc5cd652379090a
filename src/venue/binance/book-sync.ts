// Book synchronisation of one instrument, by the venue's rule: buffer from the subscription on, take a
// snapshot with lastUpdateId L, drop events with u < L, the first applied one covers L, then pu must equal the
// previous u. Hot: feed lane; 0 bytes per event. Whatever breaks the chain makes the book STALE at once and
// starts again; nothing is emitted that the chain does not prove.
//
// First event: the venue's text says U ≤ L ≤ u. pu ≤ L < U is accepted too: no event lies between pu and U,
// so nothing is missing (a quiet instrument would otherwise never synchronise). SYNCED also needs one event
// over the present connection.
import {
  FEED_CONNECTING,
  FEED_REASON_GAP,
  FEED_REASON_NONE,
  FEED_REASON_OVERFLOW,
  FEED_REASON_SNAPSHOT,
  FEED_RESYNCING,
  FEED_STALE,
  FEED_SYNCED,
} from "../../wire/codes.ts";
import { DepthBuffer } from "./depth-buffer.ts";
import type { FeedWriter } from "./feed-writer.ts";
import type { MarketDecoder } from "./market-decoder.ts";

const PHASE_DOWN = 0;
const PHASE_BUFFERING = 1;
const PHASE_DRAINING = 2;
const PHASE_LIVE = 3;

export const SNAPSHOT_APPLIED = 0;
/** Nobody waits for one. */
export const SNAPSHOT_NOT_NEEDED = 1;
/** It ends before the buffered events begin: fetch again. */
export const SNAPSHOT_TOO_OLD = 2;
export const SNAPSHOT_NO_ROOM = 3;

/** a ≤ b for ids in two u32. */
function atMost(aHi: number, aLo: number, bHi: number, bLo: number): boolean {
  return aHi < bHi || (aHi === bHi && aLo <= bLo);
}

export class BookSync {
  readonly instrument: number;
  /** FEED_… state and FEED_REASON_… as last decided. */
  state: number;
  reason: number;
  gaps: number;
  resyncs: number;
  /** Events older than the book, ignored. */
  duplicates: number;
  bufferOverflows: number;
  private readonly writer: FeedWriter;
  private readonly buffer: DepthBuffer;
  private phase: number;
  private lastLo: number;
  private lastHi: number;
  private afterSnapshot: boolean;
  private attempts: number;
  /** A depth event has come over this connection: the stream is known to flow. */
  private streamSeen: boolean;
  private statusPending: boolean;
  private lagNs: number;

  constructor(instrument: number, writer: FeedWriter, buffer = new DepthBuffer()) {
    this.instrument = instrument;
    this.state = FEED_CONNECTING;
    this.reason = FEED_REASON_NONE;
    this.gaps = 0;
    this.resyncs = 0;
    this.duplicates = 0;
    this.bufferOverflows = 0;
    this.writer = writer;
    this.buffer = buffer;
    this.phase = PHASE_DOWN;
    this.lastLo = 0;
    this.lastHi = 0;
    this.afterSnapshot = false;
    this.attempts = 0;
    this.streamSeen = false;
    this.statusPending = true;
    this.lagNs = 0;
  }

  get needsSnapshot(): boolean {
    return this.phase === PHASE_BUFFERING;
  }

  get isLive(): boolean {
    return this.phase === PHASE_LIVE;
  }

  get hasBuffered(): boolean {
    return !this.buffer.isEmpty;
  }

  /** The subscription is up: events are buffered from here on. */
  connected(nowNs: number): void {
    this.buffer.clear();
    this.phase = PHASE_BUFFERING;
    this.streamSeen = false;
    this.setState(FEED_RESYNCING, this.reason, nowNs);
  }

  disconnected(reason: number, nowNs: number): void {
    this.buffer.clear();
    this.phase = PHASE_DOWN;
    this.setState(FEED_STALE, reason, nowNs);
  }

  /** The chain is broken (or a message could not be read): the book is stale until a new snapshot. */
  broken(reason: number, nowNs: number): void {
    if (this.phase === PHASE_DOWN) return;
    if (reason === FEED_REASON_GAP) this.gaps++;
    if (this.phase !== PHASE_BUFFERING) {
      this.phase = PHASE_BUFFERING;
      this.buffer.clear();
    }
    this.setState(FEED_STALE, reason, nowNs);
  }

  /** A snapshot has been asked for. */
  snapshotRequested(nowNs: number): void {
    this.attempts++;
    this.resyncs++;
    this.setState(FEED_RESYNCING, this.reason, nowNs);
  }

  onDepth(d: MarketDecoder, recvTsNs: number): void {
    const exchTsNs = this.writer.sessionNs(d.transactionMs);
    this.lagNs = recvTsNs - exchTsNs;
    this.streamSeen = true;
    if (this.phase === PHASE_LIVE) this.onLive(d, exchTsNs, recvTsNs);
    else if (this.phase !== PHASE_DOWN) {
      this.keep(d, exchTsNs, recvTsNs);
      if (this.phase === PHASE_DRAINING) this.drain(recvTsNs);
    }
  }

  private onLive(d: MarketDecoder, exchTsNs: number, recvTsNs: number): void {
    if (d.previousLo !== this.lastLo || d.previousHi !== this.lastHi || this.afterSnapshot) {
      if (!this.follows(d.previousHi, d.previousLo, d.finalHi, d.finalLo)) {
        if (this.isOld(d.finalHi, d.finalLo)) {
          this.duplicates++;
          return;
        }
        this.broken(FEED_REASON_GAP, recvTsNs);
        this.keep(d, exchTsNs, recvTsNs);
        return;
      }
    }
    const count = d.levels.count;
    if (!this.writer.hasRoom(count)) {
      this.writer.lost(count);
      this.broken(FEED_REASON_OVERFLOW, recvTsNs);
      return;
    }
    this.writer.levels(
      d.levels.values,
      0,
      d.bidCount,
      count,
      0,
      this.instrument,
      exchTsNs,
      recvTsNs,
      d.finalLo,
      d.finalHi,
    );
    this.advance(d.finalHi, d.finalLo);
    if (this.state !== FEED_SYNCED) this.setState(FEED_SYNCED, FEED_REASON_NONE, recvTsNs);
  }

  /** True when an event (pu, u) continues the book. */
  private follows(previousHi: number, previousLo: number, finalHi: number, finalLo: number): boolean {
    if (!this.afterSnapshot) return previousHi === this.lastHi && previousLo === this.lastLo;
    return (
      atMost(previousHi, previousLo, this.lastHi, this.lastLo) &&
      atMost(this.lastHi, this.lastLo, finalHi, finalLo)
    );
  }

  /** True when the book already contains the event: u < L after a snapshot, u ≤ previous u otherwise. */
  private isOld(finalHi: number, finalLo: number): boolean {
    if (!this.afterSnapshot) return atMost(finalHi, finalLo, this.lastHi, this.lastLo);
    return !atMost(this.lastHi, this.lastLo, finalHi, finalLo);
  }

  private advance(finalHi: number, finalLo: number): void {
    this.lastHi = finalHi;
    this.lastLo = finalLo;
    this.afterSnapshot = false;
  }

  private keep(d: MarketDecoder, exchTsNs: number, recvTsNs: number): void {
    if (this.buffer.push(d, exchTsNs, recvTsNs)) return;
    this.bufferOverflows++;
    this.buffer.clear();
    if (this.phase === PHASE_DRAINING) this.broken(FEED_REASON_OVERFLOW, recvTsNs);
    this.buffer.push(d, exchTsNs, recvTsNs);
  }

  /** The snapshot in `d` has arrived. Returns a SNAPSHOT_… code. */
  onSnapshot(d: MarketDecoder, nowNs: number): number {
    if (this.phase !== PHASE_BUFFERING) return SNAPSHOT_NOT_NEEDED;
    const buffer = this.buffer;
    while (!buffer.isEmpty) {
      const k = buffer.head;
      if (atMost(d.finalHi, d.finalLo, buffer.finalHi[k]!, buffer.finalLo[k]!)) break;
      buffer.drop();
    }
    if (!buffer.isEmpty) {
      const k = buffer.head;
      if (!atMost(buffer.previousHi[k]!, buffer.previousLo[k]!, d.finalHi, d.finalLo)) {
        this.reason = FEED_REASON_SNAPSHOT;
        return SNAPSHOT_TOO_OLD;
      }
    }
    if (!this.writer.hasRoom(d.levels.count + 2)) return SNAPSHOT_NO_ROOM;
    this.writer.snapshot(d, this.instrument, this.attempts, nowNs);
    this.advance(d.finalHi, d.finalLo);
    this.afterSnapshot = true;
    this.phase = PHASE_DRAINING;
    this.drain(nowNs);
    return SNAPSHOT_APPLIED;
  }

  /** Emits buffered events while there is room; LIVE when none is left. */
  private drain(nowNs: number): void {
    const b = this.buffer;
    while (!b.isEmpty) {
      const k = b.head;
      if (this.isOld(b.finalHi[k]!, b.finalLo[k]!)) {
        b.drop();
        continue;
      }
      if (!this.follows(b.previousHi[k]!, b.previousLo[k]!, b.finalHi[k]!, b.finalLo[k]!)) {
        this.broken(FEED_REASON_GAP, nowNs);
        return;
      }
      if (!this.writer.hasRoom(b.levelCount[k]!)) return;
      this.emitBuffered(k);
      b.drop();
    }
    this.phase = PHASE_LIVE;
    this.attempts = 0;
    // A snapshot alone proves nothing about the stream: a stalled one would look synchronised.
    if (this.streamSeen) this.setState(FEED_SYNCED, FEED_REASON_NONE, nowNs);
  }

  private emitBuffered(k: number): void {
    const b = this.buffer;
    const lo = b.finalLo[k]!;
    const hi = b.finalHi[k]!;
    this.writer.levels(
      b.values,
      2 * b.firstLevel[k]!,
      b.bidCount[k]!,
      b.levelCount[k]!,
      0,
      this.instrument,
      b.exchTsNs[k]!,
      b.recvTsNs[k]!,
      lo,
      hi,
    );
    this.advance(hi, lo);
  }

  /** Unfinished business: a drain that waited for room, a status that did not fit. Returns work done. */
  poll(nowNs: number): number {
    let work = 0;
    if (this.phase === PHASE_DRAINING) {
      this.drain(nowNs);
      work++;
    }
    if (this.statusPending) {
      this.emitStatus(nowNs);
      work++;
    }
    return work;
  }

  private setState(state: number, reason: number, nowNs: number): void {
    if (state === this.state && reason === this.reason && !this.statusPending) return;
    this.state = state;
    this.reason = reason;
    this.emitStatus(nowNs);
  }

  private emitStatus(nowNs: number): void {
    this.statusPending = !this.writer.status(
      this.instrument,
      nowNs,
      this.state,
      this.reason,
      this.gaps,
      this.resyncs,
      this.lastLo,
      this.lastHi,
      this.lagNs,
    );
  }
}
