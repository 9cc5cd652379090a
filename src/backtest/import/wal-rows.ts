// Market records of one instrument → event rows, message by message; for the import of a log and for the collector's
// rotation, which carries the book from file to file.
import { parseDecimal } from "../../core/decimal.ts";
import type { RecordMemory } from "../../core/record.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_BEST_ASK,
  KIND_BEST_BID,
  KIND_DEPTH,
  KIND_DEPTH_SNAPSHOT,
  KIND_FUNDING_RATE,
  KIND_INDEX_PRICE,
  KIND_DEPTH_CLEAR as ROW_CLEAR,
  KIND_MARK_PRICE as ROW_MARK_PRICE,
  KIND_TRADE as ROW_TRADE,
} from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { SortedBook } from "../../exchange/sorted-book.ts";
import {
  Bbo,
  DepthClear,
  DepthDelta,
  FLAG_END_OF_EVENT,
  FLAG_SNAPSHOT,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  KIND_BBO,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_DELTA,
  KIND_GAP,
  KIND_MARK_PRICE,
  KIND_SNAPSHOT_BEGIN,
  KIND_TRADE,
  MarkPrice,
  SnapshotBegin,
  Trade,
} from "../../wire/messages.gen.ts";
import { ImportDraft, type ImportResult } from "./import-result.ts";

export interface WalRowsOptions {
  readonly markPrice?: boolean;
  readonly bookTicker?: boolean;
}

/** One instrument in one session. */
export interface WalInstrument {
  /** 0: the session does not know it. */
  readonly id: number;
  readonly tickSize: string;
  readonly lotSize: string;
}

/** A step is numerator / denominator, so steps · n / d is the correctly rounded decimal. */
interface Scale {
  readonly numerator: number;
  readonly denominator: number;
}

function scaleOf(step: string): Scale {
  const { units, decimals } = parseDecimal(step);
  return { numerator: Number(units), denominator: 10 ** decimals };
}

const sideFlag = (side: number): number => (side > 0 ? EV_BUY : side < 0 ? EV_SELL : 0);

export class WalRows {
  private draft: ImportDraft;
  private table = new EventTable(1 << 16);
  private readonly options: WalRowsOptions;
  private instrument = 0;
  private tick: Scale = scaleOf("1");
  private lot: Scale = scaleOf("1");
  private baseNs = 0n;
  private lastExch = 0n;
  private lastLocal = 0n;
  private local = 0n;
  /** The record before ended its event. */
  private ended = true;

  /** The book so far, in the ticks of the session at hand; null when nobody asks for it. */
  private readonly book: SortedBook | null;

  /** `carryBook`: every table after the first begins with the book as it is then. */
  constructor(options: WalRowsOptions, carryBook = false) {
    this.options = options;
    this.draft = new ImportDraft(this.table);
    this.book = carryBook ? new SortedBook() : null;
  }

  /** The records that follow are of this session. */
  open(instrument: WalInstrument, baseNs: bigint): void {
    if (instrument.id === this.instrument && baseNs === this.baseNs) return;
    this.instrument = instrument.id;
    this.tick = scaleOf(instrument.tickSize);
    this.lot = scaleOf(instrument.lotSize);
    this.baseNs = baseNs;
    this.book?.clear();
  }

  /** Receive time of the table's first message, ns since the Unix epoch; null: nothing but the book of before. */
  firstReceived: bigint | null = null;

  /** Places where the log itself misses records. */
  miss(places: number): void {
    this.draft.gaps += places;
  }

  /** The rows so far, corrected; the next table begins. */
  finish(baseLatencyNs = 0n): ImportResult {
    const result = this.draft.finish(baseLatencyNs);
    this.table = new EventTable(1 << 16);
    this.draft = new ImportDraft(this.table);
    this.firstReceived = null;
    if (this.book !== null && this.book.levelCount(1) + this.book.levelCount(-1) > 0)
      this.writeBook(this.book);
    return result;
  }

  private writeBook(book: SortedBook): void {
    const local = ++this.lastLocal;
    this.table.append(ROW_CLEAR, this.lastExch, local, 0, 0);
    for (const side of [1, -1]) {
      const ev = KIND_DEPTH_SNAPSHOT | sideFlag(side);
      for (let k = 0; k < book.levelCount(side); k++)
        this.table.append(
          ev,
          this.lastExch,
          local,
          this.px(book.pxAtRank(side, k)),
          this.qty(book.qtyAtRank(side, k)),
        );
    }
  }

  add(m: RecordMemory, at: number): void {
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (kind === KIND_GAP) this.draft.gaps++;
    if (this.instrument === 0 || m.u16[(at >> 1) + HEADER_INSTRUMENT] !== this.instrument) return;
    this.draft.messages++;
    const flags = m.u16[(at >> 1) + HEADER_FLAGS]!;
    this.rowsOf(m, at, kind, (flags & FLAG_SNAPSHOT) !== 0);
    this.ended = (flags & FLAG_END_OF_EVENT) !== 0;
  }

  private rowsOf(m: RecordMemory, at: number, kind: number, snapshot: boolean): void {
    if (kind === KIND_DEPTH_DELTA) {
      const r = new DepthDelta(m).wrap(m, at);
      const row = (snapshot ? KIND_DEPTH_SNAPSHOT : KIND_DEPTH) | sideFlag(r.side);
      this.book?.applyDelta(r.side, r.pxTicks, r.qtyLots);
      this.row(r, row, this.px(r.pxTicks), this.qty(r.qtyLots));
    } else if (kind === KIND_DEPTH_CLEAR) {
      const r = new DepthClear(m).wrap(m, at);
      if (this.book !== null) clearTo(this.book, r.side, r.pxTicks);
      this.row(r, ROW_CLEAR | sideFlag(r.side), this.px(r.pxTicks), 0);
    } else if (kind === KIND_SNAPSHOT_BEGIN) {
      this.book?.clear();
      this.row(new SnapshotBegin(m).wrap(m, at), ROW_CLEAR, 0, 0);
    } else if (kind === KIND_TRADE) {
      const r = new Trade(m).wrap(m, at);
      this.row(r, ROW_TRADE | sideFlag(r.side), this.px(r.pxTicks), this.qty(r.qtyLots));
    } else if (kind === KIND_MARK_PRICE) this.markPrice(new MarkPrice(m).wrap(m, at));
    else if (kind === KIND_BBO) this.bookTicker(new Bbo(m).wrap(m, at));
  }

  private markPrice(r: MarkPrice): void {
    if (this.options.markPrice !== true) {
      this.draft.skip("MarkPrice");
      return;
    }
    this.row(r, KIND_INDEX_PRICE, r.indexPxE8 / 1e8, 0);
    this.row(r, ROW_MARK_PRICE, r.markPxE8 / 1e8, 0);
    this.row(r, KIND_FUNDING_RATE, r.fundingRateE8 / 1e8, 0);
  }

  private bookTicker(r: Bbo): void {
    if (this.options.bookTicker !== true) {
      this.draft.skip("Bbo");
      return;
    }
    this.row(r, KIND_BEST_BID, this.px(r.bidPxTicks), this.qty(r.bidQtyLots));
    this.row(r, KIND_BEST_ASK, this.px(r.askPxTicks), this.qty(r.askQtyLots));
  }

  private px(ticks: number): number {
    const { numerator, denominator } = this.tick;
    return (ticks * numerator) / denominator;
  }

  private qty(lots: number): number {
    const { numerator, denominator } = this.lot;
    return (lots * numerator) / denominator;
  }

  private row(
    r: { readonly exchTsNs: number; readonly recvTsNs: number },
    ev: number,
    px: number,
    qty: number,
  ): void {
    if (this.ended) {
      const received = this.baseNs + BigInt(r.recvTsNs);
      this.local = received > this.lastLocal ? received : this.lastLocal + 1n;
      this.lastLocal = this.local;
      this.firstReceived ??= this.local;
      this.ended = false;
    }
    this.lastExch = this.baseNs + BigInt(r.exchTsNs);
    this.table.append(ev, this.lastExch, this.local, px, qty);
  }
}

/** Side 0: both sides; no price: the whole side. */
function clearTo(book: SortedBook, side: number, pxTicks: number): void {
  for (const s of side === 0 ? [1, -1] : [side]) {
    while (book.levelCount(s) > 0 && !(side !== 0 && s * book.bestTicks(s) < s * pxTicks))
      book.applyDelta(s, book.bestTicks(s), 0);
  }
}
