// Event rows (hftbacktest .npz/.npy) as market records for a FactorHandler: rows with the LOCAL flag in file
// order, received at local_ts; consecutive rows of equal (exch_ts, local_ts) are one event. Streams: memory is
// a block of rows, whatever the file. Runs off the hot lanes; 0 bytes per row.

import { baseOfDayNs } from "../core/clock.ts";
import { allocateRecordMemory, copyRecord, type RecordHandler, type RecordMemory } from "../core/record.ts";
import { DataFileError } from "../data/data-file-error.ts";
import {
  EV_BUY,
  EV_LOCAL,
  EV_SELL,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_SNAPSHOT,
  KIND_FUNDING_RATE,
  KIND_INDEX_PRICE,
  KIND_MARK_PRICE,
  KIND_TRADE,
} from "../data/event-codes.ts";
import type { RowBlock, RowBlocks } from "../data/row-block.ts";
import {
  encodeDepthClear,
  encodeDepthDelta,
  encodeMarkPrice,
  encodeTrade,
  FLAG_END_OF_EVENT,
  FLAG_SNAPSHOT,
} from "../wire/messages.gen.ts";

const TWO_32 = 4_294_967_296;
const PENDING = 0;
const NEXT = 64;

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
  private readonly m: RecordMemory = allocateRecordMemory(2);
  private block: RowBlock | null;
  private row: number;
  private baseHi: number;
  private baseLo: number;
  private markPxE8: number;
  private indexPxE8: number;
  private fundingE8: number;
  /** ns since the epoch of session time 0; known once a row was read. */
  readonly baseNs: bigint;
  /** Rows read, and rows that no factor uses (other kinds, exchange side only). */
  rows: number;
  skipped: number;
  private readonly after: number;

  /** Reads the first block. Throws DataFileError for an empty or broken file. */
  constructor(blocks: RowBlocks, options: NpzSourceOptions) {
    this.blocks = blocks;
    this.options = options;
    this.block = blocks.next();
    if (this.block === null) throw new DataFileError("data", -1, "holds no rows");
    this.row = 0;
    const { i32, first } = this.block;
    const firstTs = (BigInt(i32[first * 16 + 5]!) << 32n) | BigInt(i32[first * 16 + 4]! >>> 0);
    this.baseNs = options.baseNs ?? baseOfDayNs(firstTs);
    this.baseHi = Number(this.baseNs >> 32n);
    this.baseLo = Number(this.baseNs & 0xffff_ffffn);
    this.after = options.afterNs === undefined ? -Infinity : Number(options.afterNs - this.baseNs);
    this.markPxE8 = NaN;
    this.indexPxE8 = NaN;
    this.fundingE8 = NaN;
    this.rows = 0;
    this.skipped = 0;
  }

  close(): void {
    this.blocks.close();
  }

  /** Sends up to about `rowLimit` rows, whole events only, to `handler`. False at the end of the data. */
  pump(handler: RecordHandler, rowLimit: number): boolean {
    let held = false;
    let left = rowLimit;
    for (;;) {
      if (this.block === null) break;
      if (this.row >= this.block.rows) {
        this.block = this.blocks.next();
        this.row = 0;
        continue;
      }
      const encoded = this.encode(this.block, this.block.first + this.row);
      if (encoded) {
        if (held) {
          const same = this.m.f64[(PENDING >> 3) + 2] === this.m.f64[(NEXT >> 3) + 2];
          const together = same && this.m.f64[(PENDING >> 3) + 3] === this.m.f64[(NEXT >> 3) + 3];
          this.deliver(handler, !together);
          // The row at hand starts the next call's first event.
          if (!together && left <= 0) return true;
        }
        copyRecord(this.m, NEXT, this.m, PENDING);
        held = true;
      } else this.skipped++;
      this.row++;
      this.rows++;
      left--;
    }
    if (held) this.deliver(handler, true);
    return false;
  }

  private deliver(handler: RecordHandler, last: boolean): void {
    if (last) this.m.u16[(PENDING >> 1) + 1] = this.m.u16[(PENDING >> 1) + 1]! | FLAG_END_OF_EVENT;
    handler.onRecord(this.m, PENDING);
  }

  private time(i32: Int32Array, word: number): number {
    return (i32[word + 1]! - this.baseHi) * TWO_32 + ((i32[word]! >>> 0) - this.baseLo);
  }

  /** Encodes a row at NEXT; false when it is not a row for us. */
  private encode(block: RowBlock, row: number): boolean {
    const ev = block.i32[row * 16]!;
    if ((ev & EV_LOCAL) === 0) return false;
    const local = this.time(block.i32, row * 16 + 4);
    if (local <= this.after) return false;
    const exch = this.time(block.i32, row * 16 + 2);
    const px = block.f64[row * 8 + 3]!;
    const qty = block.f64[row * 8 + 4]!;
    const { instrument, tickSize, lotSize } = this.options;
    const side = (ev & EV_BUY) !== 0 ? 1 : (ev & EV_SELL) !== 0 ? -1 : 0;
    const kind = ev & 0xff;
    switch (kind) {
      case KIND_DEPTH:
      case KIND_DEPTH_SNAPSHOT: {
        if (side === 0) return false;
        const flags = kind === KIND_DEPTH ? 0 : FLAG_SNAPSHOT;
        const ticks = Math.round(px / tickSize);
        encodeDepthDelta(
          this.m,
          NEXT,
          flags,
          instrument,
          0,
          0,
          0,
          exch,
          local,
          ticks,
          Math.round(qty / lotSize),
          side,
          0,
          0,
          0,
        );
        return true;
      }
      case KIND_TRADE: {
        const ticks = Math.round(px / tickSize);
        encodeTrade(
          this.m,
          NEXT,
          0,
          instrument,
          0,
          0,
          0,
          exch,
          local,
          ticks,
          Math.round(qty / lotSize),
          side,
          0,
          0,
          0,
        );
        return true;
      }
      case KIND_DEPTH_CLEAR:
        encodeDepthClear(
          this.m,
          NEXT,
          0,
          instrument,
          0,
          0,
          0,
          exch,
          local,
          side === 0 ? NaN : Math.round(px / tickSize),
          side,
        );
        return true;
      case KIND_MARK_PRICE:
      case KIND_INDEX_PRICE:
      case KIND_FUNDING_RATE:
        this.noteMark(kind, px);
        encodeMarkPrice(
          this.m,
          NEXT,
          0,
          instrument,
          0,
          0,
          0,
          exch,
          local,
          this.markPxE8,
          this.indexPxE8,
          this.fundingE8,
          0,
        );
        return true;
      default:
        return false;
    }
  }

  private noteMark(kind: number, px: number): void {
    if (kind === KIND_MARK_PRICE) this.markPxE8 = px * 1e8;
    else if (kind === KIND_INDEX_PRICE) this.indexPxE8 = px * 1e8;
    else this.fundingE8 = px * 1e8;
  }
}
