// Event rows (hftbacktest .npz/.npy) as market records for a FactorHandler: rows with the LOCAL flag in file
// order, received at local_ts; consecutive rows of equal (exch_ts, local_ts) are one event. Rows that no factor
// reads (other kinds, depth without a side) move time: they become Timers. Market-by-order rows go through an L3 book
// and come out as the levels they changed. Streams: memory is a block of rows, whatever the file. Runs off the hot
// lanes; 0 bytes per row.

import { baseOfDayNs } from "../core/clock.ts";
import { allocateRecordMemory, copyRecord, type RecordHandler, type RecordMemory } from "../core/record.ts";
import { DataFileError } from "../data/data-file-error.ts";
import {
  EV_BUY,
  EV_LOCAL,
  EV_SELL,
  isOrderKind,
  KIND_ADD_ORDER,
  KIND_CANCEL_ORDER,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_SNAPSHOT,
  KIND_FILL,
  KIND_FUNDING_RATE,
  KIND_INDEX_PRICE,
  KIND_MARK_PRICE,
  KIND_TRADE,
} from "../data/event-codes.ts";
import type { RowBlock, RowBlocks } from "../data/row-block.ts";
import { L3Levels } from "../exchange/l3-levels.ts";
import {
  encodeDepthClear,
  encodeDepthDelta,
  encodeMarkPrice,
  encodeTimer,
  encodeTrade,
  FLAG_END_OF_EVENT,
  FLAG_SNAPSHOT,
  KIND_TIMER,
} from "../wire/messages.gen.ts";

const TWO_32 = 4_294_967_296;
const PENDING = 0;
const NEXT = 128;
/** The second record of a row that has two; behind either of the above. */
const ALSO = 64;
/** Times further from the base are not exact in f64 (2^53 ns = 104 days). */
const TIME_MAX_NS = 2 ** 53;

const isLevelOrTrade = (kind: number): boolean =>
  kind === KIND_DEPTH || kind === KIND_DEPTH_SNAPSHOT || kind === KIND_TRADE;

const sideOf = (ev: number): number => ((ev & EV_BUY) !== 0 ? 1 : (ev & EV_SELL) !== 0 ? -1 : 0);

export interface NpzSourceOptions {
  readonly instrument: number;
  /** Decimal strings' values. */
  readonly tickSize: number;
  readonly lotSize: number;
  /** Only events received after this instant (ns since the epoch): replay of what a checkpoint lacks. */
  readonly afterNs?: bigint;
  /** Base of session time; absent = 00:00 UTC of the first row's day. */
  readonly baseNs?: bigint;
}

export class NpzSource {
  private readonly blocks: RowBlocks;
  private readonly options: NpzSourceOptions;
  private readonly m: RecordMemory = allocateRecordMemory(4);
  private held: boolean;
  /** The row at NEXT, the pending row, has two records. */
  private also: boolean;
  private pendingAlso: boolean;
  /** Made with the first market-by-order row. */
  private l3: L3Levels | null;
  private block: RowBlock | null;
  private row: number;
  private baseHi: number;
  private baseLo: number;
  private after: number;
  private lastLocal: number;
  private markPxE8: number;
  private indexPxE8: number;
  private fundingE8: number;
  /** ns since the epoch of session time 0. */
  baseNs: bigint;
  /** Rows read. */
  rows: number;

  /** Reads the first block. Throws DataFileError for an empty or broken file. */
  constructor(blocks: RowBlocks, options: NpzSourceOptions) {
    this.blocks = blocks;
    this.options = options;
    this.block = blocks.next();
    if (this.block === null) throw new DataFileError("data", -1, "holds no rows");
    this.row = 0;
    const { i32, first } = this.block;
    const firstTs = (BigInt(i32[first * 16 + 5]!) << 32n) | BigInt(i32[first * 16 + 4]! >>> 0);
    this.baseNs = 0n;
    this.baseHi = 0;
    this.baseLo = 0;
    this.after = -Infinity;
    this.rebase(options.baseNs ?? baseOfDayNs(firstTs));
    this.held = false;
    this.also = false;
    this.pendingAlso = false;
    this.l3 = null;
    this.lastLocal = -Infinity;
    this.markPxE8 = NaN;
    this.indexPxE8 = NaN;
    this.fundingE8 = NaN;
    this.rows = 0;
  }

  close(): void {
    this.blocks.close();
  }

  /** See L3Levels. */
  get badIds(): number {
    return this.l3?.badIds ?? 0;
  }

  /** Session time counts from `baseNs`; before the first row is read. */
  rebase(baseNs: bigint): void {
    const { afterNs } = this.options;
    this.baseNs = baseNs;
    this.baseHi = Number(baseNs >> 32n);
    this.baseLo = Number(baseNs & 0xffff_ffffn);
    this.after = afterNs === undefined ? -Infinity : Number(afterNs - baseNs);
  }

  /** Session time of the event that `pump(handler, 0)` would send; Infinity at the end of the data. */
  nextEventNs(): number {
    while (!this.held && this.loadRow()) {
      if (this.take(this.block!, this.block!.first + this.row)) this.hold();
      this.row++;
      this.rows++;
    }
    return this.held ? this.m.f64[(PENDING >> 3) + 3]! : Infinity;
  }

  /** False at the end of the data. */
  private loadRow(): boolean {
    while (this.block !== null && this.row >= this.block.rows) {
      this.block = this.blocks.next();
      this.row = 0;
    }
    return this.block !== null;
  }

  /** What was taken is pending now: whether it ends its event, the next row says. */
  private hold(): void {
    copyRecord(this.m, NEXT, this.m, PENDING);
    if (this.also) copyRecord(this.m, NEXT + ALSO, this.m, PENDING + ALSO);
    this.pendingAlso = this.also;
    this.held = true;
  }

  /**
   * Sends up to about `rowLimit` rows, whole events only, to `handler`. False at the end of the data. Throws
   * DataFileError for a row whose local time goes back or is 104 days from the base, and for a level or trade whose
   * price or quantity is no number.
   */
  pump(handler: RecordHandler, rowLimit: number): boolean {
    let left = rowLimit;
    while (this.loadRow()) {
      const ended = this.take(this.block!, this.block!.first + this.row) && this.hand(handler);
      this.row++;
      this.rows++;
      left--;
      // The record at hand starts the next call's first event.
      if (ended && left <= 0) return true;
    }
    if (this.held) this.deliver(handler, true);
    this.held = false;
    return false;
  }

  /** The row at NEXT follows the pending one, or ends its event. True when it did end it. */
  private hand(handler: RecordHandler): boolean {
    const { m } = this;
    const same = m.f64[(PENDING >> 3) + 2] === m.f64[(NEXT >> 3) + 2];
    const together = this.held && same && m.f64[(PENDING >> 3) + 3] === m.f64[(NEXT >> 3) + 3];
    // A Timer inside an event says nothing new.
    if (together && m.u16[NEXT >> 1] === KIND_TIMER) return false;
    const ended = this.held && !together;
    if (this.held) this.deliver(handler, ended);
    this.hold();
    return ended;
  }

  private deliver(handler: RecordHandler, last: boolean): void {
    const end = this.pendingAlso ? PENDING + ALSO : PENDING;
    if (this.pendingAlso) handler.onRecord(this.m, PENDING);
    if (last) this.m.u16[(end >> 1) + 1] = this.m.u16[(end >> 1) + 1]! | FLAG_END_OF_EVENT;
    handler.onRecord(this.m, end);
  }

  private time(i32: Int32Array, word: number): number {
    return (i32[word + 1]! - this.baseHi) * TWO_32 + ((i32[word]! >>> 0) - this.baseLo);
  }

  /** Encodes a row at NEXT; false when it is of the exchange side only, or before what is wanted. */
  private take(block: RowBlock, row: number): boolean {
    const ev = block.i32[row * 16]!;
    if ((ev & EV_LOCAL) === 0) return false;
    const local = this.time(block.i32, row * 16 + 4);
    if (local < this.lastLocal || !(Math.abs(local) <= TIME_MAX_NS)) this.refuse(block, local);
    this.lastLocal = local;
    if (local <= this.after) return false;
    if (isLevelOrTrade(ev & 0xff)) this.checkNumbers(block, row);
    const exch = this.time(block.i32, row * 16 + 2);
    this.also = false;
    if (isOrderKind(ev & 0xff)) this.encodeL3(ev, exch, local, block, row);
    else this.encode(ev, exch, local, block.f64, row * 8 + 3);
    return true;
  }

  private refuse(block: RowBlock, local: number): never {
    const what =
      local < this.lastLocal ? "local_ts goes back" : "local_ts is 104 days from the first row's day";
    throw new DataFileError(block.file, block.fileRow + this.row, what);
  }

  private checkNumbers(block: RowBlock, row: number): void {
    const px = block.f64[row * 8 + 3]!;
    const qty = block.f64[row * 8 + 4]!;
    if (px - px === 0 && qty >= 0 && qty < Infinity) return;
    throw new DataFileError(
      block.file,
      block.fileRow + this.row,
      `px ${px}, qty ${qty}: not a level or trade`,
    );
  }

  /** `at`: index of px, qty follows. */
  private encode(ev: number, exch: number, local: number, f64: Float64Array, at: number): void {
    const { m } = this;
    const { instrument, tickSize, lotSize } = this.options;
    const side = sideOf(ev);
    const px = f64[at]!;
    const ticks = Math.round(px / tickSize);
    const lots = Math.round(f64[at + 1]! / lotSize);
    const kind = ev & 0xff;
    if ((kind === KIND_DEPTH || kind === KIND_DEPTH_SNAPSHOT) && side !== 0) {
      const flags = kind === KIND_DEPTH ? 0 : FLAG_SNAPSHOT;
      encodeDepthDelta(m, NEXT, flags, instrument, 0, 0, 0, exch, local, ticks, lots, side, 0, 0, 0);
    } else if (kind === KIND_TRADE) {
      encodeTrade(m, NEXT, 0, instrument, 0, 0, 0, exch, local, ticks, lots, side, 0, 0, 0);
    } else if (kind === KIND_DEPTH_CLEAR) {
      this.l3?.book.clear(side);
      // Of a market by order the whole side goes.
      const to = side === 0 || this.l3 !== null ? NaN : ticks;
      encodeDepthClear(m, NEXT, 0, instrument, 0, 0, 0, exch, local, to, side);
    } else if (kind === KIND_MARK_PRICE || kind === KIND_INDEX_PRICE || kind === KIND_FUNDING_RATE) {
      this.noteMark(kind, px);
      const { markPxE8, indexPxE8, fundingE8 } = this;
      encodeMarkPrice(m, NEXT, 0, instrument, 0, 0, 0, exch, local, markPxE8, indexPxE8, fundingE8, 0);
    } else encodeTimer(m, NEXT, 0, 0, 0, 0, 0, exch, local, 0, 0, local);
  }

  /** The levels that an order's change touched, as they are afterwards. */
  private encodeL3(ev: number, exch: number, local: number, block: RowBlock, row: number): void {
    const { m } = this;
    this.l3 ??= new L3Levels();
    const { l3 } = this;
    const { tickSize, lotSize } = this.options;
    const kind = ev & 0xff;
    if (kind !== KIND_CANCEL_ORDER && kind !== KIND_FILL) this.checkNumbers(block, row);
    if (sideOf(ev) === 0 && kind === KIND_ADD_ORDER)
      throw new DataFileError(block.file, block.fileRow + this.row, "an order is added without a side");
    const px = Math.round(block.f64[row * 8 + 3]! / tickSize);
    const lots = Math.round(block.f64[row * 8 + 4]! / lotSize);
    l3.apply(kind, sideOf(ev), block.i32[row * 16 + 11]!, block.i32[row * 16 + 10]!, px, lots);
    if (Number.isNaN(l3.pxTicks)) {
      encodeTimer(m, NEXT, 0, 0, 0, 0, 0, exch, local, 0, 0, local);
      return;
    }
    this.level(NEXT, exch, local, l3.pxTicks);
    this.also = !Number.isNaN(l3.leftTicks);
    if (this.also) this.level(NEXT + ALSO, exch, local, l3.leftTicks);
    l3.book.maintain();
  }

  private level(at: number, exch: number, local: number, px: number): void {
    const { side } = this.l3!;
    const lots = this.l3!.lotsAt(px);
    encodeDepthDelta(this.m, at, 0, this.options.instrument, 0, 0, 0, exch, local, px, lots, side, 0, 0, 0);
  }

  private noteMark(kind: number, px: number): void {
    if (kind === KIND_MARK_PRICE) this.markPxE8 = px * 1e8;
    else if (kind === KIND_INDEX_PRICE) this.indexPxE8 = px * 1e8;
    else this.fundingE8 = px * 1e8;
  }
}
