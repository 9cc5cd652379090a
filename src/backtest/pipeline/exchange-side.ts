// The exchange's view of one instrument's rows: at exch_ts they move the matching engine's market and fill own
// orders. Hot: 0 bytes per row; O(1) per row, plus own orders of the row's side.
import { ChunkCursor } from "../../data/chunk-cursor.ts";
import {
  AT_EXCH,
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
import { EV_BUY, EV_SELL, KIND_FILL } from "../../data/event-codes.ts";
import type { EventFeed } from "../../data/event-feed.ts";
import { DenseBook } from "../../exchange/dense-book.ts";
import type { L3Levels } from "../../exchange/l3-levels.ts";
import type { MatchingEngine } from "../../exchange/matching-engine.ts";
import type { ModelExchange } from "../../exchange/model-exchange.ts";
import type { Instrument } from "../../market/instrument.ts";
import { NO_L3_ORDER } from "../../market/l3-book.ts";
import { crossingSide } from "./crossing.ts";
import type { FillMidsQueue } from "./fill-mids-queue.ts";
import type { MarketFunding } from "./market-funding.ts";

/** An empty range of keys. */
const NOTHING_LOW = 2_147_483_647;
const NOTHING_HIGH = -2_147_483_648;

export class ExchangeSide {
  readonly cursor: ChunkCursor;
  private readonly exchange: ModelExchange;
  private readonly engine: MatchingEngine;
  /** The engine's own book; null with a market by order. */
  private readonly book: DenseBook | null;
  private readonly orders: L3Levels | null;
  readonly funding: MarketFunding;
  private readonly mids: FillMidsQueue;
  private readonly instrument: Instrument;
  /** Events that left the market crossed (crossing.ts). */
  crossedEvents = 0;

  /** `market`: the engine's own. */
  constructor(
    feed: EventFeed,
    exchange: ModelExchange,
    instrument: Instrument,
    market: DenseBook | L3Levels,
    funding: MarketFunding,
    mids: FillMidsQueue,
  ) {
    this.cursor = new ChunkCursor(feed, AT_EXCH);
    this.exchange = exchange;
    this.engine = exchange.market(instrument.id).engine;
    this.instrument = instrument;
    this.book = market instanceof DenseBook ? market : null;
    this.orders = market instanceof DenseBook ? null : market;
    this.funding = funding;
    this.mids = mids;
  }

  /** A payment is due, and everything before it is done. */
  payFunding(): void {
    const { exchange, funding, instrument } = this;
    exchange.exchNs = funding.nextNs;
    const mark = funding.markPx / Number(instrument.tickSize);
    exchange.payFunding(instrument.id, Number.isNaN(mark) ? this.midTicks : mark, funding.rateE8);
    funding.paid();
  }

  /** Of the book; NaN when a side is empty. */
  get midTicks(): number {
    const { book } = this.engine;
    return (book.bestTicks(1) + book.bestTicks(-1)) / 2;
  }

  /** No order rests: rows move nothing but the book. */
  get idle(): boolean {
    return this.engine.orders.count === 0;
  }

  /**
   * Processes events up to `bound`, inclusive, but none after a report that they make has reached the trader, or after
   * a fill whose mid is to be taken.
   */
  run(bound: number): void {
    const { cursor, exchange, mids } = this;
    for (let to = bound; cursor.nextTs <= to; to = Math.min(bound, exchange.nextReportNs, mids.nextNs))
      this.event();
  }

  /** One event: the groups of equal times, which may go on in the next chunk. */
  private event(): void {
    const { cursor, book } = this;
    const ts = cursor.nextTs;
    const local = cursor.chunk!.groupLocalTs[cursor.group]!;
    this.exchange.exchNs = ts;
    let depth = false;
    let crossing = 1;
    do {
      const chunk = cursor.chunk!;
      const { groups, groupStart, groupSides, groupExchTs, groupLocalTs } = chunk;
      const from = groupStart[cursor.group]!;
      let group = cursor.group;
      do {
        depth = this.rows(chunk, group) || depth;
        group++;
      } while (
        group < groups &&
        groupExchTs[group] === ts &&
        groupLocalTs[group] === local &&
        (groupSides[group]! & AT_EXCH) !== 0
      );
      if (depth && book?.crossed) crossing = crossingSide(chunk, from, groupStart[group]!, book) || crossing;
      cursor.settle(group);
    } while (cursor.nextTs === ts && cursor.chunk!.groupLocalTs[cursor.group] === local);
    if (!depth) return;
    if (book?.crossed) {
      this.crossedEvents++;
      this.engine.clearTo(-crossing, book.bestTicks(crossing));
    }
    this.engine.endDepth();
  }

  /** The rows of a group. True when they touched the book. */
  private rows(chunk: EventChunk, group: number): boolean {
    const op = chunk.groupOp[group]!;
    const from = chunk.groupStart[group]!;
    const to = chunk.groupStart[group + 1]!;
    switch (op) {
      case OP_BID:
      case OP_ASK:
        this.levels(op === OP_BID ? 1 : -1, chunk, from, to);
        return true;
      case OP_TRADE_BUY:
      case OP_TRADE_SELL:
        if (this.idle || this.orders !== null) return false;
        for (let row = from; row < to; row++)
          this.engine.onTrade(op === OP_TRADE_BUY ? 1 : -1, chunk.key[row]!, chunk.levels[2 * row + 1]!);
        return false;
      case OP_CLEAR_BID:
      case OP_CLEAR_ASK:
      case OP_CLEAR_BOTH:
        for (let row = from; row < to; row++) this.clear(chunk, row, op);
        return true;
      case OP_ORDER:
        this.orderRows(chunk, group, from, to);
        return true;
      case OP_NONE:
        for (let row = from; row < to; row++)
          this.funding.observe(chunk.groupEv[group]! & 0xff, chunk.px[row]!);
        return false;
      default:
        return false;
    }
  }

  /** Rows of a market by order: fills reach own orders before the rows that change the book for them. */
  private orderRows(chunk: EventChunk, group: number, from: number, to: number): void {
    const { engine } = this;
    const orders = this.orders!;
    const ev = chunk.groupEv[group]!;
    const side = (ev & EV_BUY) !== 0 ? 1 : (ev & EV_SELL) !== 0 ? -1 : 0;
    for (let row = from; row < to; row++) {
      const hi = chunk.idHi![row]!;
      const lo = chunk.idLo![row]!;
      const lots = chunk.levels[2 * row + 1]!;
      if ((ev & 0xff) === KIND_FILL) this.fill(hi, lo, lots);
      else {
        orders.apply(ev & 0xff, side, hi, lo, chunk.levels[2 * row]!, lots);
        engine.onOrderLevel(orders.side, orders.pxTicks);
        engine.onOrderLevel(orders.side, orders.leftTicks);
      }
    }
  }

  private fill(idHi: number, idLo: number, lots: number): void {
    const { book } = this.orders!;
    const order = book.find(idHi, idLo);
    if (order === NO_L3_ORDER) return;
    this.engine.onOrderFill(book.sideOf(order), book.pxTicksOf(order), book.sequenceOf(order), lots);
  }

  /** Levels that concern no own order go straight to the book. */
  private levels(side: number, chunk: EventChunk, from: number, to: number): void {
    const { engine } = this;
    const book = this.book!;
    const { key, levels } = chunk;
    // A model's queue moves with rows between its own orders.
    let low = NOTHING_LOW;
    let high = NOTHING_HIGH;
    if (engine.hasTaken) {
      low = NOTHING_HIGH;
      high = NOTHING_LOW;
    } else if (!Number.isNaN(engine.restingLow(side))) {
      low = side > 0 ? engine.restingLow(1) : -engine.restingHigh(-1);
      high = side > 0 ? engine.restingHigh(1) : -engine.restingLow(-1);
    }
    for (let row = from; row < to; row++) {
      row = book.applyRows(side, chunk, row, to, low, high);
      if (row < to) engine.onDepth(side, side * key[row]!, levels[2 * row + 1]!);
    }
  }

  private clear(chunk: EventChunk, row: number, op: number): void {
    if (op === OP_CLEAR_BOTH) {
      this.engine.onClear();
      return;
    }
    if (this.orders !== null) {
      this.orders.book.clear(op === OP_CLEAR_BID ? 1 : -1);
      return;
    }
    const price = Number.isFinite(chunk.px[row]!) ? chunk.key[row]! : Number.NaN;
    this.engine.clearTo(op === OP_CLEAR_BID ? 1 : -1, price);
  }
}
