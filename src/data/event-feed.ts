// Event rows of one asset as a chain of decoded chunks. Decoding is the hot loop of a backtest: one pass per row,
// no allocation, timestamps from i64 words to exact f64 ns since the base (|relative| < 2^53 = 104 days), prices
// to ticks by hftbacktest's arithmetic (round half away from zero of the double quotient).
import { DataFileError } from "./data-file-error.ts";
import {
  AT_EXCH,
  AT_LOCAL,
  CHUNK_ROWS,
  EventChunk,
  LOT_POSITIVE,
  LOT_ZERO,
  OP_ASK,
  OP_BID,
  OP_CLEAR_ASK,
  OP_CLEAR_BID,
  OP_CLEAR_BOTH,
  OP_NONE,
  OP_ORDER,
  OP_TRADE_BUY,
  OP_TRADE_NO_SIDE,
  OP_TRADE_SELL,
} from "./event-chunk.ts";
import { isOrderKind, KIND_DEPTH, KIND_DEPTH_CLEAR, KIND_DEPTH_SNAPSHOT, KIND_TRADE } from "./event-codes.ts";
import type { RowBlock, RowBlocks } from "./row-block.ts";
import { unsortedRow } from "./row-order.ts";

export interface FeedOptions {
  readonly tickSize: number;
  readonly lotSize: number;
  /** Added to every local_ts, ns. */
  readonly latencyOffsetNs: number;
  /** Told of every decoded chunk: how many rows more. */
  readonly onRows?: (rows: number) => void;
}

/**
 * Market-by-order rows mean nothing (hftbacktest's level mode), are refused, are kept, and levels are refused, or are
 * the only ones that mean something (hftbacktest's order mode).
 */
export type OrderRows = "ignored" | "refused" | "kept" | "only";

const TWO_32 = 4_294_967_296;
/** |hi − baseHi| below this keeps the relative time below 2^53. */
const HI_MAX = 2_097_151;
/** Ticks are Int32, and the extremes stand for «none». */
const TICK_MAX = 2_147_483_000;
/** Readers of a chain: the exchange side and the local side. */
const READERS = 2;

export class EventFeed {
  /** Rows decoded so far. */
  rows = 0;
  private readonly blocks: RowBlocks;
  private readonly tickSize: number;
  private readonly latencyOffsetNs: number;
  private readonly onRows: ((rows: number) => void) | null;
  /** 0: quantities stay as they are. */
  private lotsPerUnit = 0;
  private orderRows: OrderRows = "ignored";
  private readonly lotOne: number;
  private readonly lotMinusOne: number;
  private baseHi = 0;
  private baseLo = 0;
  private block: RowBlock | null = null;
  private row = 0;
  private ended = false;
  private tail: EventChunk | null = null;
  private readonly pool: EventChunk[] = [];
  private lastExchTs = Number.NEGATIVE_INFINITY;
  private lastLocalTs = Number.NEGATIVE_INFINITY;

  constructor(blocks: RowBlocks, options: FeedOptions) {
    this.blocks = blocks;
    this.tickSize = options.tickSize;
    this.latencyOffsetNs = options.latencyOffsetNs;
    this.onRows = options.onRows ?? null;
    this.lotOne = leastWithQuotient(options.lotSize, 0.5);
    this.lotMinusOne = -this.lotOne;
  }

  /** exch_ts of the first row as it is in the file (ns since the epoch), or null when there is none. */
  firstExchTs(): bigint | null {
    if (!this.loadBlock()) return null;
    const { i32, first } = this.block!;
    return (BigInt(i32[first * 16 + 3]!) << 32n) | BigInt(i32[first * 16 + 2]! >>> 0);
  }

  /** Before the first chunk: the instant from which all times of this feed count. */
  setBase(baseNs: bigint): void {
    this.baseHi = Number(baseNs >> 32n);
    this.baseLo = Number(baseNs & 0xffff_ffffn);
  }

  /** Before the first chunk: quantities become whole lots, rounded, instead of the file's units. */
  countLots(lotSize: number): void {
    this.lotsPerUnit = 1 / lotSize;
  }

  /** Before the first chunk. */
  treatOrders(orderRows: OrderRows): void {
    this.orderRows = orderRows;
  }

  /** The chunk after `chunk`, or the first for null; null at the end. A reader leaves `chunk` by this call. */
  advance(chunk: EventChunk | null): EventChunk | null {
    const next = chunk === null ? this.firstChunk() : (chunk.next ?? this.decodeChunk());
    if (next !== null && chunk !== null && --chunk.readers === 0) {
      chunk.next = null;
      this.pool.push(chunk);
    }
    return next;
  }

  close(): void {
    this.ended = true;
    this.block = null;
    this.blocks.close();
  }

  private head: EventChunk | null = null;

  /** Both readers ask for the first chunk once. */
  private firstChunk(): EventChunk | null {
    if (this.head !== null) return this.head;
    this.head = this.decodeChunk();
    return this.head;
  }

  private loadBlock(): boolean {
    while (this.block === null && !this.ended) {
      this.block = this.blocks.next();
      this.row = 0;
      if (this.block === null) this.ended = true;
      else if (this.block.rows === 0) this.block = null;
    }
    return this.block !== null;
  }

  private decodeChunk(): EventChunk | null {
    if (!this.loadBlock()) return null;
    const block = this.block!;
    if (this.row === 0 && this.latencyOffsetNs !== 0) this.checkOffset(block);
    const chunk = this.pool.pop() ?? new EventChunk();
    const rows = Math.min(CHUNK_ROWS, block.rows - this.row);
    this.decodeRows(block, this.row, rows, chunk);
    if (this.orderRows === "kept" || this.orderRows === "only") keepIds(block, this.row, rows, chunk);
    chunk.rows = rows;
    chunk.readers = READERS;
    chunk.next = null;
    this.row += rows;
    this.rows += rows;
    this.onRows?.(rows);
    if (this.row === block.rows) this.block = null;
    if (this.tail !== null) this.tail.next = chunk;
    this.tail = chunk;
    return chunk;
  }

  /**
   * hftbacktest refuses a file, when it loads it, if the offset leaves a row whose local time is not after its
   * exchange time. A streamed file is refused at the block that holds the row.
   */
  private checkOffset(block: RowBlock): void {
    const { i32 } = block;
    for (let row = 0; row < block.rows; row++) {
      const word = (block.first + row) << 4;
      const hi = i32[word + 5]! - i32[word + 3]!;
      const lo = (i32[word + 4]! >>> 0) - (i32[word + 2]! >>> 0);
      if (hi * TWO_32 + lo + this.latencyOffsetNs > 0) continue;
      const what = `local_ts is not after exch_ts with the latency offset of ${this.latencyOffsetNs} ns`;
      throw new DataFileError(block.file, block.fileRow + row, what);
    }
  }

  private decodeRows(block: RowBlock, from: number, rows: number, chunk: EventChunk): void {
    const { i32, f64, first } = block;
    const { code, key, levels, px } = chunk;
    const { tickSize, lotOne, lotMinusOne, lotsPerUnit } = this;
    let exchLo = 0;
    let exchHi = 0;
    let localLo = 0;
    let localHi = 0;
    let ev = 0;
    let op = OP_NONE;
    let groups = 0;
    for (let i = 0; i < rows; i++) {
      const word = (first + from + i) << 4;
      if (
        i32[word] !== ev ||
        i32[word + 2] !== exchLo ||
        i32[word + 4] !== localLo ||
        i32[word + 3] !== exchHi ||
        i32[word + 5] !== localHi ||
        groups === 0
      ) {
        ev = i32[word]!;
        exchLo = i32[word + 2]!;
        exchHi = i32[word + 3]!;
        localLo = i32[word + 4]!;
        localHi = i32[word + 5]!;
        op = OPS[(ev & 0xff) | ((ev >>> 20) & 0x300)]!;
        if (this.orderRows !== "ignored") op = this.orderOp(ev & 0xff, op, block, from + i);
        chunk.groupStart[groups] = i;
        chunk.groupEv[groups] = ev;
        chunk.groupOp[groups] = op;
        this.startGroup(chunk, groups++, ev >>> 30, block, from + i);
      }
      const cell = word >> 1;
      const price = f64[cell + 3]!;
      const quantity = f64[cell + 4]!;
      const ratio = price / tickSize;
      let tick = (ratio + 0.5) | 0;
      const rest = ratio - tick;
      if (!(rest > -0.5 && rest < 0.5)) tick = this.roundTick(ratio, op, block, from + i);
      // Computed, not chosen: which quantities are none is as good as random.
      const positive = +(quantity >= lotOne);
      const atLeastZero = +!(quantity <= lotMinusOne);
      code[i] = op | (positive * LOT_POSITIVE) | ((positive ^ atLeastZero) * LOT_ZERO);
      key[i] = op === OP_ASK ? -tick : tick;
      levels[2 * i] = tick;
      levels[2 * i + 1] = lotsPerUnit === 0 ? quantity : Math.round(quantity * lotsPerUnit);
      if (op > OP_ASK || op === OP_NONE) px[i] = price;
    }
    chunk.groups = groups;
    chunk.groupStart[groups] = rows;
  }

  private orderOp(kind: number, op: number, block: RowBlock, row: number): number {
    const { orderRows } = this;
    if (isOrderKind(kind)) {
      if (orderRows !== "refused") return OP_ORDER;
      const what = `a market-by-order row (kind ${kind}): it needs queue = { model = "l3-fifo" }`;
      throw new DataFileError(block.file, block.fileRow + row, what);
    }
    if (op !== OP_BID && op !== OP_ASK) return op;
    if (orderRows === "only") return OP_NONE;
    if (orderRows === "kept")
      throw new DataFileError(
        block.file,
        block.fileRow + row,
        "a level, where l3-fifo needs market-by-order rows",
      );
    return op;
  }

  private startGroup(chunk: EventChunk, group: number, sides: number, block: RowBlock, at: number): void {
    const word = (block.first + at) << 4;
    const { i32 } = block;
    const exch = this.relative(i32[word + 3]!, i32[word + 2]!, block, at, "exch_ts");
    const local = this.relative(i32[word + 5]!, i32[word + 4]!, block, at, "local_ts") + this.latencyOffsetNs;
    if ((sides & AT_EXCH) !== 0) {
      if (exch < this.lastExchTs) this.unsorted(block, at, "exch_ts");
      this.lastExchTs = exch;
    }
    if ((sides & AT_LOCAL) !== 0) {
      if (local < this.lastLocalTs) this.unsorted(block, at, "local_ts");
      this.lastLocalTs = local;
    }
    chunk.groupSides[group] = sides;
    chunk.groupExchTs[group] = exch;
    chunk.groupLocalTs[group] = local;
  }

  /** i64 words → exact ns since the base. */
  private relative(hi: number, lo: number, block: RowBlock, row: number, field: string): number {
    const high = hi - this.baseHi;
    if (high > HI_MAX || high < -HI_MAX) {
      const value = (BigInt(hi) << 32n) | BigInt(lo >>> 0);
      const base = (BigInt(this.baseHi) << 32n) + BigInt(this.baseLo);
      const what = `${field} ${value} is more than 104 days from the run's first day (${base})`;
      throw new DataFileError(block.file, block.fileRow + row, what);
    }
    return high * TWO_32 + ((lo >>> 0) - this.baseLo);
  }

  /** Cold half of the rounding: halves, negative prices, NaN and what passes Int32. */
  private roundTick(ratio: number, op: number, block: RowBlock, row: number): number {
    if (ratio >= -TICK_MAX && ratio <= TICK_MAX) {
      const truncated = ratio | 0;
      const rest = ratio - truncated;
      return rest >= 0.5 ? truncated + 1 : rest <= -0.5 ? truncated - 1 : truncated;
    }
    // Rust: NaN as i64 = 0. Clears with a non-finite price clear the side and look at px, not at the tick.
    if (Number.isNaN(ratio) || op >= OP_CLEAR_BID || op === OP_NONE) return 0;
    const what = `price ${ratio * this.tickSize} is more than ${TICK_MAX} ticks of ${this.tickSize}`;
    throw new DataFileError(block.file, block.fileRow + row, what);
  }

  private unsorted(block: RowBlock, row: number, field: string): never {
    throw unsortedRow(block.file, block.fileRow + row, field);
  }
}

function keepIds(block: RowBlock, from: number, rows: number, chunk: EventChunk): void {
  chunk.idHi ??= new Int32Array(CHUNK_ROWS);
  chunk.idLo ??= new Int32Array(CHUNK_ROWS);
  const { idHi, idLo } = chunk;
  const { i32, first } = block;
  for (let i = 0; i < rows; i++) {
    const word = (first + from + i) << 4;
    idLo[i] = i32[word + 10]!;
    idHi[i] = i32[word + 11]!;
  }
}

/** The least positive double x with x / divisor >= quotient, so that a comparison replaces the division. */
export function leastWithQuotient(divisor: number, quotient: number): number {
  const bits = new BigInt64Array(1);
  const value = new Float64Array(bits.buffer);
  value[0] = divisor * quotient;
  while (value[0]! / divisor >= quotient) bits[0]!--;
  while (value[0]! / divisor < quotient) bits[0]!++;
  return value[0]!;
}

/** Operation by kind (8 bits) and side flags (bit 8 SELL, bit 9 BUY), in hftbacktest's order of tests. */
const OPS: Uint8Array = buildOps();

function buildOps(): Uint8Array {
  const ops = new Uint8Array(1024);
  for (let flags = 0; flags < 4; flags++) {
    const at = flags << 8;
    const side = (buy: number, sell: number, none: number): number =>
      (flags & 2) !== 0 ? buy : (flags & 1) !== 0 ? sell : none;
    ops[at | KIND_DEPTH] = side(OP_BID, OP_ASK, OP_NONE);
    ops[at | KIND_DEPTH_SNAPSHOT] = side(OP_BID, OP_ASK, OP_NONE);
    ops[at | KIND_TRADE] = side(OP_TRADE_BUY, OP_TRADE_SELL, OP_TRADE_NO_SIDE);
    ops[at | KIND_DEPTH_CLEAR] = side(OP_CLEAR_BID, OP_CLEAR_ASK, OP_CLEAR_BOTH);
  }
  return ops;
}
