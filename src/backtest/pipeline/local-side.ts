// The trader's view of one instrument's rows: at local_ts they become market records for FACTOR, one event per
// venue message, as FEED writes them. Hot: 0 bytes per row; one record slot is reused for all levels.
import { allocateRecordMemory, type RecordMemory } from "../../core/record.ts";
import { ChunkCursor } from "../../data/chunk-cursor.ts";
import {
  AT_LOCAL,
  type EventChunk,
  OP_ASK,
  OP_BID,
  OP_CLEAR_ASK,
  OP_CLEAR_BID,
  OP_CLEAR_BOTH,
  OP_NONE,
  OP_ORDER,
  OP_TRADE_BUY,
  OP_TRADE_SELL,
} from "../../data/event-chunk.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_FUNDING_RATE,
  KIND_INDEX_PRICE,
  KIND_MARK_PRICE,
} from "../../data/event-codes.ts";
import type { EventFeed } from "../../data/event-feed.ts";
import { L3Levels } from "../../exchange/l3-levels.ts";
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
  /** The feed keeps orders: levels are made of them. */
  readonly byOrder?: boolean;
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
  private readonly m: RecordMemory;
  private readonly orders: L3Levels | null;
  private synced = false;
  /** Of the event at hand: the slot holds the header of a level; a row touched the book. */
  private inLevels = false;
  /** Row behind the event's rows in the chunk at hand. */
  private partEnd = 0;
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
    this.m = allocateRecordMemory(2);
    this.orders = parts.byOrder === true ? new L3Levels() : null;
  }

  /** Market-by-order rows that changed nothing: their order was there already, or was not there. */
  get badIds(): number {
    return this.orders?.badIds ?? 0;
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
    let crossing = 1;
    for (;;) {
      const chunk = cursor.chunk!;
      const first = cursor.group;
      const group = this.lastGroup(chunk, first);
      const from = chunk.groupStart[first]!;
      const to = chunk.groupStart[group + 1]!;
      this.partEnd = to;
      for (let g = first; g < group; g++) this.rows(chunk, g, chunk.groupStart[g + 1]!);
      // The chunk stays readable until the next one is decoded.
      cursor.settle(group + 1);
      const goesOn = cursor.nextTs === recvNs && cursor.chunk!.groupExchTs[cursor.group] === exchNs;
      this.rows(chunk, group, goesOn ? to : to - 1);
      const open = goesOn || this.lastRow(chunk, group);
      if (open && this.book.crossed) crossing = crossingSide(chunk, from, to, this.touch) || crossing;
      if (goesOn) continue;
      if (open) this.uncross(crossing);
      break;
    }
    if (this.depth && !this.synced) this.sync();
  }

  /** Last of the groups from `first` on that are rows of the same event. */
  private lastGroup(chunk: EventChunk, first: number): number {
    const { groups, groupSides, groupExchTs, groupLocalTs } = chunk;
    let group = first + 1;
    while (
      group < groups &&
      groupLocalTs[group] === this.recvNs &&
      groupExchTs[group] === this.exchNs &&
      (groupSides[group]! & AT_LOCAL) !== 0
    )
      group++;
    return group - 1;
  }

  /** Rows of a group up to `to`: none of them ends the event. */
  private rows(chunk: EventChunk, group: number, to: number): void {
    const op = chunk.groupOp[group]!;
    let row = chunk.groupStart[group]!;
    if (op !== OP_BID && op !== OP_ASK) {
      for (; row < to; row++) this.other(chunk, group, row, 0);
      return;
    }
    const side = op === OP_BID ? 1 : -1;
    while (row < to) {
      // Once FACTOR knows of the event, its further levels concern only the book.
      const book = this.factor.openLevels(this.instrument);
      if (book !== null) {
        book.applyRun(side, chunk.levels, 2 * row, 2, to - row);
        return;
      }
      this.level(chunk, row, side);
      row++;
    }
  }

  private level(chunk: EventChunk, row: number, side: number): void {
    const { m } = this;
    if (!this.inLevels) this.startLevels(this.partEnd - row);
    m.i32[DEPTH_DELTA_SIDE] = side;
    m.f64[DEPTH_DELTA_PX_TICKS] = chunk.levels[2 * row]!;
    m.f64[DEPTH_DELTA_QTY_LOTS] = chunk.levels[2 * row + 1]!;
    this.factor.onRecord(m, LEVEL);
  }

  /** Ends the event. True when it did not, because that would leave the book crossed. */
  private lastRow(chunk: EventChunk, group: number): boolean {
    const { m } = this;
    const op = chunk.groupOp[group]!;
    const row = chunk.groupStart[group + 1]! - 1;
    if (op !== OP_BID && op !== OP_ASK) {
      this.other(chunk, group, row, FLAG_END_OF_EVENT);
      return false;
    }
    if (!this.inLevels) this.startLevels(1);
    const px = chunk.levels[2 * row]!;
    const lots = chunk.levels[2 * row + 1]!;
    m.i32[DEPTH_DELTA_SIDE] = op === OP_BID ? 1 : -1;
    m.f64[DEPTH_DELTA_PX_TICKS] = px;
    m.f64[DEPTH_DELTA_QTY_LOTS] = lots;
    const bid = Math.max(this.book.bestBidTicks, op === OP_BID && lots > 0 ? px : Number.NEGATIVE_INFINITY);
    const ask = Math.min(this.book.bestAskTicks, op === OP_ASK && lots > 0 ? px : Number.POSITIVE_INFINITY);
    const maybe = bid >= ask;
    m.u16[HEADER_FLAGS] = maybe ? 0 : FLAG_END_OF_EVENT;
    this.factor.onRecord(m, LEVEL);
    if (!maybe || this.book.crossed) return maybe;
    // The row took away what crossed: it is said again, as the end.
    m.u16[HEADER_FLAGS] = FLAG_END_OF_EVENT;
    this.factor.onRecord(m, LEVEL);
    return false;
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

  /** Of a market by order the whole side goes. */
  private clearedTo(px: number, ticks: number): number {
    return Number.isFinite(px) && this.orders === null ? ticks : Number.NaN;
  }

  private clear(side: number, pxTicks: number, flags: number): void {
    this.orders?.book.clear(side);
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
  private other(chunk: EventChunk, group: number, row: number, flags: number): void {
    const op = chunk.groupOp[group]!;
    const px = chunk.px[row]!;
    const ticks = chunk.levels[2 * row]!;
    switch (op) {
      case OP_CLEAR_BID:
      case OP_CLEAR_ASK:
        this.clear(op === OP_CLEAR_BID ? 1 : -1, this.clearedTo(px, ticks), flags);
        return;
      case OP_ORDER:
        this.order(chunk, group, row, flags);
        return;
      case OP_CLEAR_BOTH:
        this.clear(0, Number.NaN, flags);
        return;
      case OP_NONE:
        this.mark(chunk.groupEv[group]! & 0xff, px, flags);
        return;
      default:
        this.trade(op, ticks, chunk.levels[2 * row + 1]!, flags);
    }
  }

  /** The levels that a row about an order changes, the one that the order left first. */
  private order(chunk: EventChunk, group: number, row: number, flags: number): void {
    const orders = this.orders!;
    const ev = chunk.groupEv[group]!;
    const side = (ev & EV_BUY) !== 0 ? 1 : (ev & EV_SELL) !== 0 ? -1 : 0;
    const { levels, idHi, idLo } = chunk;
    orders.apply(ev & 0xff, side, idHi![row]!, idLo![row]!, levels[2 * row]!, levels[2 * row + 1]!);
    if (Number.isNaN(orders.pxTicks)) {
      if (flags !== 0 && (this.depth || this.traded)) this.end();
      return;
    }
    if (!Number.isNaN(orders.leftTicks)) this.orderLevel(orders.leftTicks, 0);
    this.orderLevel(orders.pxTicks, flags);
    orders.book.maintain();
  }

  private orderLevel(pxTicks: number, flags: number): void {
    const { m } = this;
    const orders = this.orders!;
    if (!this.inLevels) this.startLevels(1);
    m.u16[HEADER_FLAGS] = flags;
    m.i32[DEPTH_DELTA_SIDE] = orders.side;
    m.f64[DEPTH_DELTA_PX_TICKS] = pxTicks;
    m.f64[DEPTH_DELTA_QTY_LOTS] = orders.lotsAt(pxTicks);
    this.factor.onRecord(m, LEVEL);
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
