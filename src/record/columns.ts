// Rows of one table and one partition, kept by column and written as one block of ClickHouse's Native format: the
// server takes it without parsing rows, and the same rows give the same bytes. (Native, not RowBinary: docs/adr/0012.)
// Cold lane, but built for millions of values: typed arrays that grow, no object per value.
//
//   block:   column count varint | row count varint | per column: name, type, values
//   values:  fixed width little-endian; String: varint length + bytes
import type { ColumnSpec, TableSpec } from "./tables.ts";

const INITIAL_ROWS = 64;
/** Over the rows of the batch before. */
const ROOM = 1.25;
const STRING_BYTES = 16;
const TWO_32 = 0x1_0000_0000;

/** Bytes per value; 0 = String. */
function widthOf(type: string): number {
  if (/^(Enum8|Bool|U?Int8)/.test(type)) return 1;
  if (/^U?Int16/.test(type)) return 2;
  if (/^U?Int32/.test(type)) return 4;
  if (/^(U?Int64|Float64|DateTime64|Decimal\((1[0-8])\b)/.test(type)) return 8;
  if (/^Decimal\((19|2\d|3[0-8])\b/.test(type)) return 16;
  if (/^(String|LowCardinality\(String\))$/.test(type)) return 0;
  throw new RangeError(`no encoder for column type ${type}`);
}

const utf8 = new TextEncoder();

/** One column. `put…` appends the value of the row at hand; every row puts exactly one. */
export class ColumnBuffer {
  readonly name: string;
  /** As the block states it: LowCardinality is the server's business. */
  readonly type: string;
  readonly width: number;
  bytes = 0;
  private u8: Uint8Array;
  private u16: Uint16Array;
  private u32: Uint32Array;
  private f64: Float64Array;

  /** `rows`: room to start with. */
  constructor(spec: ColumnSpec, rows: number) {
    this.name = spec.name;
    this.type = spec.type === "LowCardinality(String)" ? "String" : spec.type;
    this.width = widthOf(spec.type);
    const bytes = Math.max(INITIAL_ROWS, rows * ROOM) * (this.width === 0 ? STRING_BYTES : this.width);
    const buffer = new ArrayBuffer(Math.ceil(bytes / 8) * 8);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  /** Enum8, Bool, Int8: −128 … 255. */
  byte(value: number): void {
    if (this.bytes + 1 > this.u8.length) this.grow(1);
    this.u8[this.bytes++] = value;
  }

  /** Int16, Int32 and their unsigned forms, by the column's width. */
  int(value: number): void {
    if (this.bytes + this.width > this.u8.length) this.grow(this.width);
    if (this.width === 2) this.u16[this.bytes >> 1] = value;
    else this.u32[this.bytes >> 2] = value;
    this.bytes += this.width;
  }

  /** 64 bits from an integer-valued double, |value| ≤ 2^53. */
  long(value: number): void {
    if (this.bytes + 8 > this.u8.length) this.grow(8);
    const high = Math.floor(value / TWO_32);
    const word = this.bytes >> 2;
    this.u32[word] = value - high * TWO_32;
    this.u32[word + 1] = high;
    this.bytes += 8;
  }

  words(low: number, high: number): void {
    if (this.bytes + 8 > this.u8.length) this.grow(8);
    const word = this.bytes >> 2;
    this.u32[word] = low;
    this.u32[word + 1] = high;
    this.bytes += 8;
  }

  float(value: number): void {
    if (this.bytes + 8 > this.u8.length) this.grow(8);
    this.f64[this.bytes >> 3] = value;
    this.bytes += 8;
  }

  /** 64 or 128 bits, two's complement, by the column's width. */
  big(value: bigint): void {
    if (this.bytes + this.width > this.u8.length) this.grow(this.width);
    let rest = value;
    for (let word = this.bytes >> 2; word < (this.bytes + this.width) >> 2; word++) {
      this.u32[word] = Number(BigInt.asUintN(32, rest));
      rest >>= 32n;
    }
    this.bytes += this.width;
  }

  /** UTF-8 with its length before it; see `text()`. */
  string(encoded: Uint8Array): void {
    const length = encoded.length;
    if (this.bytes + length > this.u8.length) this.grow(length);
    for (let i = 0; i < length; i++) this.u8[this.bytes + i] = encoded[i]!;
    this.bytes += length;
  }

  /** Everything put so far; valid until the next put. */
  data(): Uint8Array {
    return this.u8.subarray(0, this.bytes);
  }

  private grow(more: number): void {
    let size = Math.max(64, this.u8.length * 2);
    while (size < this.bytes + more) size *= 2;
    const buffer = new ArrayBuffer(size);
    const u8 = new Uint8Array(buffer);
    u8.set(this.u8.subarray(0, this.bytes));
    this.u8 = u8;
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }
}

/** A string as a String column takes it: made once, put often. */
export function text(value: string): Uint8Array {
  const bytes = utf8.encode(value);
  const out = new Uint8Array(varintBytes(bytes.length) + bytes.length);
  out.set(bytes, writeVarint(out, 0, bytes.length));
  return out;
}

/** Rows of one (table, day). */
export class Block<Name extends string = string> {
  readonly table: string;
  /** Days since the epoch: the partition. */
  readonly day: number;
  /** Column of the partition. */
  readonly partitionBy: string;
  rows = 0;
  readonly columns: Readonly<Record<Name, ColumnBuffer>>;
  private readonly ordered: readonly ColumnBuffer[];

  constructor(spec: TableSpec, day: number, usualRows = 0) {
    this.table = spec.name;
    this.day = day;
    this.partitionBy = spec.partitionBy;
    this.ordered = spec.columns.map((c) => new ColumnBuffer(c, usualRows));
    this.columns = Object.fromEntries(this.ordered.map((c) => [c.name, c])) as Record<Name, ColumnBuffer>;
  }

  get bytes(): number {
    return this.ordered.reduce((sum, c) => sum + c.bytes, 0);
  }

  /** The Native block. Throws when some row lacks a value or has two. */
  encode(): Uint8Array {
    const heads = this.ordered.map((c) => [text(c.name), text(c.type)] as const);
    const headBytes = heads.reduce((sum, [name, type]) => sum + name.length + type.length, 0);
    const counts = varintBytes(this.ordered.length) + varintBytes(this.rows);
    const out = new Uint8Array(counts + headBytes + this.bytes);
    let at = writeVarint(out, 0, this.ordered.length);
    at = writeVarint(out, at, this.rows);
    this.ordered.forEach((c, i) => {
      if (c.width > 0 && c.bytes !== c.width * this.rows)
        throw new RangeError(`${this.table}.${c.name}: ${c.bytes} bytes for ${this.rows} rows`);
      for (const part of [heads[i]![0], heads[i]![1], c.data()]) {
        out.set(part, at);
        at += part.length;
      }
    });
    return out;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeVarint(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  return at;
}
