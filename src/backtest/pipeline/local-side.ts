// The trader's view of one instrument's rows: at local_ts they become market records for FACTOR, one event per
// venue message, as FEED writes them. Hot: 0 bytes per row; one record slot is reused for all levels.
import { allocateRecordMemory, type RecordMemory } from "../../core/record.ts";
import { ChunkCursor } from "../../data/chunk-cursor.ts";
import {
  AT_LOCAL,
  CHUNK_ROWS,
  type EventChunk,
  OP_ASK,
  OP_BID,
  OP_CLEAR_ASK,
  OP_CLEAR_BID,
  OP_CLEAR_BOTH,
  OP_MASK,
  OP_NONE,
  OP_TRADE_BUY,
  OP_TRADE_SELL,
} from "../../data/event-chunk.ts";
import { KIND_FUNDING_RATE, KIND_INDEX_PRICE, KIND_MARK_PRICE } from "../../data/event-codes.ts";
import type { EventFeed } from "../../data/event-feed.ts";
import type { FactorHandler } from "../../factor/handler.ts";
import type { L2Book } from "../../market/l2-book.ts";
import { FEED_REASON_NONE, FEED_SYNCED } from "../../wire/codes.ts";
import {
  DEPTH_DELTA_PX_TICKS,
  DEPTH_DELTA_QTY_LOTS,
  DEPTH_DELTA_SIDE,
  encodeDepthClear,
  encodeDepthDelta,
  encodeFeedStatus,
  encodeMarkPrice,
  encodeTimer,
  encodeTrade,
  FLAG_END_OF_EVENT,
  HEADER_FLAGS,
} from "../../wire/messages.gen.ts";
import { crossingSide } from "./crossing.ts";

export interface LocalSideParts {
  readonly feed: EventFeed;
  readonly factor: FactorHandler;
  /** FACTOR's book of the instrument. */
  readonly book: L2Book;
  readonly instrument: number;
  readonly lotsPerUnit: number;
}

/** A market trade as the trader saw it; `op`: OP_TRADE_…. */
export interface SeenTrade {
  readonly op: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly exchNs: number;
  readonly recvNs: number;
}

const LEVEL = 0;

export class LocalSide {
  readonly cursor: ChunkCursor;
  /** Events that left the book crossed (crossing.ts). */
  crossedEvents = 0;
  private readonly factor: FactorHandler;
  readonly book: L2Book;
  private readonly touch: { bestTicks(side: number): number };
  private readonly instrument: number;
  private readonly lotsPerUnit: number;
  private readonly m: RecordMemory;
  /** Ticks and lots of a run of levels. */
  private readonly levels = new Float64Array(2 * CHUNK_ROWS);
  private synced = false;
  /** Of the event at hand: the slot holds the header of a level; a row touched the book. */
  private inLevels = false;
  private depth = false;
  private traded = false;
  /** Times of the last event, ns since the base; NaN before the first. */
  exchNs = Number.NaN;
  recvNs = Number.NaN;
  /** Trades are kept here while it is an array. */
  trades: SeenTrade[] | null = null;
  private markPxE8 = Number.NaN;
  private indexPxE8 = Number.NaN;
  private fundingE8 = Number.NaN;

  constructor(parts: LocalSideParts) {
    this.cursor = new ChunkCursor(parts.feed, AT_LOCAL);
    this.factor = parts.factor;
    this.book = parts.book;
    this.touch = { bestTicks: (side) => (side > 0 ? parts.book.bestBidTicks : parts.book.bestAskTicks) };
    this.instrument = parts.instrument;
    this.lotsPerUnit = parts.lotsPerUnit;
    this.m = allocateRecordMemory(2);
  }

  /** Hands the next event to FACTOR, which runs it to the end of what follows from it. */
  event(): void {
    const { cursor } = this;
    const recvNs = cursor.nextTs;
    const exchNs = cursor.chunk!.groupExchTs[cursor.group]!;
    this.recvNs = recvNs;
    this.exchNs = exchNs;
    this.inLevels = false;
    this.depth = false;
    this.traded = false;
    let crossing = 0;
    for (;;) {
      const chunk = cursor.chunk!;
      const from = chunk.groupStart[cursor.group]!;
      const to = chunk.groupStart[cursor.group + 1]!;
      // The chunk stays readable until the next one is decoded.
      cursor.settle(cursor.group + 1);
      const goesOn = cursor.nextTs === recvNs && cursor.chunk!.groupExchTs[cursor.group] === exchNs;
      this.rows(chunk, from, goesOn ? to : to - 1);
      if (!goesOn) {
        crossing = this.lastRow(chunk, from, to - 1);
        break;
      }
    }
    if (crossing !== 0) this.uncross(crossing);
    if (this.depth && !this.synced) this.sync();
  }

  private rows(chunk: EventChunk, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      const op = chunk.code[row]! & OP_MASK;
      if (op !== OP_BID && op !== OP_ASK) {
        this.other(chunk, row, op, 0);
        continue;
      }
      this.level(chunk, row, op, to - row);
      // FACTOR knows of the event now; its further levels concern only the book.
      const book = this.factor.openLevels(this.instrument);
      if (book !== null) row = this.directly(book, chunk, row + 1, to) - 1;
    }
  }

  /** Levels from `from` on, up to a row that is none or `to`, go straight to the book. Returns the row after them. */
  private directly(book: L2Book, chunk: EventChunk, from: number, to: number): number {
    let row = from;
    while (row < to) {
      const op = chunk.code[row]! & OP_MASK;
      if (op !== OP_BID && op !== OP_ASK) return row;
      const end = this.run(chunk, row, to, op);
      book.applyRun(op === OP_BID ? 1 : -1, this.levels, 0, 2, end - row);
      row = end;
    }
    return to;
  }

  /** Ticks and lots of the rows of one side from `from` on into `levels`. Returns the row after them. */
  private run(chunk: EventChunk, from: number, to: number, op: number): number {
    const { code, key, qty } = chunk;
    const { levels, lotsPerUnit } = this;
    const sign = op === OP_BID ? 1 : -1;
    let at = 0;
    let row = from;
    for (; row < to && (code[row]! & OP_MASK) === op; row++) {
      levels[at] = sign * key[row]!;
      levels[at + 1] = Math.round(qty[row]! * lotsPerUnit);
      at += 2;
    }
    return row;
  }

  private level(chunk: EventChunk, row: number, op: number, left: number): void {
    const { m } = this;
    if (!this.inLevels) this.startLevels(left);
    m.i32[DEPTH_DELTA_SIDE] = op === OP_BID ? 1 : -1;
    m.f64[DEPTH_DELTA_PX_TICKS] = op === OP_BID ? chunk.key[row]! : -chunk.key[row]!;
    m.f64[DEPTH_DELTA_QTY_LOTS] = Math.round(chunk.qty[row]! * this.lotsPerUnit);
    this.factor.onRecord(m, LEVEL);
  }

  /** Ends the event, unless it would leave the book crossed: then the side that crossed is returned. */
  private lastRow(chunk: EventChunk, from: number, row: number): number {
    const { m } = this;
    const op = chunk.code[row]! & OP_MASK;
    if (op !== OP_BID && op !== OP_ASK) {
      this.other(chunk, row, op, FLAG_END_OF_EVENT);
      return 0;
    }
    if (!this.inLevels) this.startLevels(1);
    const px = op === OP_BID ? chunk.key[row]! : -chunk.key[row]!;
    const lots = Math.round(chunk.qty[row]! * this.lotsPerUnit);
    m.i32[DEPTH_DELTA_SIDE] = op === OP_BID ? 1 : -1;
    m.f64[DEPTH_DELTA_PX_TICKS] = px;
    m.f64[DEPTH_DELTA_QTY_LOTS] = lots;
    const bid = Math.max(this.book.bestBidTicks, op === OP_BID && lots > 0 ? px : Number.NEGATIVE_INFINITY);
    const ask = Math.min(this.book.bestAskTicks, op === OP_ASK && lots > 0 ? px : Number.POSITIVE_INFINITY);
    const crosses = bid >= ask;
    m.u16[HEADER_FLAGS] = crosses ? 0 : FLAG_END_OF_EVENT;
    this.factor.onRecord(m, LEVEL);
    return crosses && this.book.crossed ? crossingSide(chunk, from, row + 1, this.touch) : 0;
  }

  /** The header of the levels that follow. */
  private startLevels(levelCount: number): void {
    this.inLevels = true;
    this.depth = true;
    encodeDepthDelta(
      this.m,
      LEVEL,
      0,
      this.instrument,
      0,
      0,
      0,
      this.exchNs,
      this.recvNs,
      0,
      0,
      0,
      levelCount,
      0,
      0,
    );
  }

  private uncross(side: number): void {
    this.crossedEvents++;
    const px = this.touch.bestTicks(side);
    this.clear(-side, px, FLAG_END_OF_EVENT);
  }

  private clear(side: number, pxTicks: number, flags: number): void {
    this.depth = true;
    this.inLevels = false;
    const { m } = this;
    encodeDepthClear(m, LEVEL, flags, this.instrument, 0, 0, 0, this.exchNs, this.recvNs, pxTicks, side);
    this.factor.onRecord(m, LEVEL);
  }

  /** The first book is there: from here on it counts as synchronised. */
  private sync(): void {
    this.synced = true;
    const { m } = this;
    encodeFeedStatus(
      m,
      LEVEL,
      FLAG_END_OF_EVENT,
      this.instrument,
      0,
      0,
      0,
      this.exchNs,
      this.recvNs,
      FEED_SYNCED,
      FEED_REASON_NONE,
      0,
      1,
      0,
      0,
      this.recvNs - this.exchNs,
    );
    this.factor.onRecord(m, LEVEL);
  }

  /** Rows that are no levels. */
  private other(chunk: EventChunk, row: number, op: number, flags: number): void {
    const px = chunk.px[row]!;
    switch (op) {
      case OP_CLEAR_BID:
      case OP_CLEAR_ASK:
        this.clear(op === OP_CLEAR_BID ? 1 : -1, Number.isFinite(px) ? chunk.key[row]! : Number.NaN, flags);
        return;
      case OP_CLEAR_BOTH:
        this.clear(0, Number.NaN, flags);
        return;
      case OP_NONE:
        this.mark(chunk.ev[row]! & 0xff, px, flags);
        return;
      default:
        this.trade(op, chunk.key[row]!, Math.round(chunk.qty[row]! * this.lotsPerUnit), flags);
    }
  }

  private trade(op: number, pxTicks: number, qtyLots: number, flags: number): void {
    this.inLevels = false;
    this.traded = true;
    this.trades?.push({ op, pxTicks, qtyLots, exchNs: this.exchNs, recvNs: this.recvNs });
    const side = op === OP_TRADE_BUY ? 1 : op === OP_TRADE_SELL ? -1 : 0;
    const { m } = this;
    encodeTrade(
      m,
      LEVEL,
      flags,
      this.instrument,
      0,
      0,
      0,
      this.exchNs,
      this.recvNs,
      pxTicks,
      qtyLots,
      side,
      0,
      0,
      0,
    );
    this.factor.onRecord(m, LEVEL);
  }

  /** Mark and index price and funding rate come as rows of their own; the record carries all that is known. */
  private mark(kind: number, px: number, flags: number): void {
    if (kind === KIND_MARK_PRICE) this.markPxE8 = px * 1e8;
    else if (kind === KIND_INDEX_PRICE) this.indexPxE8 = px * 1e8;
    else if (kind === KIND_FUNDING_RATE) this.fundingE8 = px * 1e8;
    else {
      if (flags !== 0 && (this.depth || this.traded)) this.end();
      return;
    }
    this.inLevels = false;
    const { m } = this;
    encodeMarkPrice(
      m,
      LEVEL,
      flags,
      this.instrument,
      0,
      0,
      0,
      this.exchNs,
      this.recvNs,
      this.markPxE8,
      this.indexPxE8,
      this.fundingE8,
      0,
    );
    this.factor.onRecord(m, LEVEL);
  }

  /** The event's last row means nothing to us: a Timer of the instrument ends it. */
  private end(): void {
    const { m } = this;
    const { instrument, exchNs, recvNs } = this;
    encodeTimer(m, LEVEL, FLAG_END_OF_EVENT, instrument, 0, 0, 0, exchNs, recvNs, 0, 0, recvNs);
    this.factor.onRecord(m, LEVEL);
  }
}
