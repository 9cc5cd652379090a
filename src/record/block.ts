// Rows of one table and one partition as one block of ClickHouse's Native format: the server takes it without parsing
// rows, and the same rows give the same bytes. (Native, not RowBinary: docs/adr/0012.)
//
//   block:   column count varint | row count varint | per column: name, type, values
//   values:  fixed width little-endian; String: varint length + bytes
//   values of LowCardinality(String):
//            u64 version | u64 flags, width of numbers | u64 count | texts | u64 count | numbers
import { ColumnBuffer, text, varintBytes, writeVarint } from "./columns.ts";
import type { TableSpec } from "./tables.ts";

const U64 = 8;
/** Over what is needed now, for the blocks to come. */
const ROOM = 1.25;
/** Dictionary with the block, not with the server. */
const KEYS_VERSION = 1;
/** HasAdditionalKeys | NeedUpdateDictionary | numbers of 16 bits. */
const KEYS_FLAGS = 0x601;

export class Block<Name extends string = string> {
  readonly table: string;
  /** Column of the partition. */
  readonly partitionBy: string;
  /** Days since the epoch: the partition. */
  day = 0;
  rows = 0;
  readonly columns: Readonly<Record<Name, ColumnBuffer>>;
  private readonly ordered: readonly ColumnBuffer[];
  /** Name and type of each column, as the block states them. */
  private readonly heads: readonly Uint8Array[];
  private out = new Uint8Array(0);
  private encodedBytes = 0;

  constructor(spec: TableSpec) {
    this.table = spec.name;
    this.partitionBy = spec.partitionBy;
    this.ordered = spec.columns.map((c) => new ColumnBuffer(c));
    this.columns = Object.fromEntries(this.ordered.map((c) => [c.name, c])) as Record<Name, ColumnBuffer>;
    this.heads = this.ordered.map((c) => Uint8Array.from([...text(c.name), ...text(c.type)]));
  }

  /** No rows, of another day; the memory stays. */
  begin(day: number): void {
    this.day = day;
    this.rows = 0;
    this.encodedBytes = 0;
    for (const column of this.ordered) column.clear();
  }

  get bytes(): number {
    return this.ordered.reduce((sum, c) => sum + c.bytes, 0);
  }

  /** The Native block; valid until begin(). Throws when some row lacks a value or has two. */
  encode(): Uint8Array {
    if (this.encodedBytes === 0) this.encodedBytes = this.write();
    return this.out.subarray(0, this.encodedBytes);
  }

  private write(): number {
    const { ordered, heads, rows } = this;
    const size = heads.reduce((sum, head, i) => sum + head.length + valueBytes(ordered[i]!), 0);
    const counts = varintBytes(ordered.length) + varintBytes(rows);
    if (counts + size > this.out.length) this.out = new Uint8Array(Math.ceil(ROOM * (counts + size)));
    const { out } = this;
    let at = writeVarint(out, writeVarint(out, 0, ordered.length), rows);
    for (const [i, column] of ordered.entries()) {
      if (column.width > 0 && column.bytes !== column.width * rows)
        throw new RangeError(`${this.table}.${column.name}: ${column.bytes} bytes for ${rows} rows`);
      at = put(out, at, heads[i]!);
      if (column.isDictionary) at = putKeys(out, at, column, rows);
      at = put(out, at, column.data());
    }
    return at;
  }
}

function valueBytes(column: ColumnBuffer): number {
  if (!column.isDictionary) return column.bytes;
  return 4 * U64 + column.keys.reduce((sum, key) => sum + key.length, 0) + column.bytes;
}

function putKeys(out: Uint8Array, start: number, { keys }: ColumnBuffer, rows: number): number {
  let at = putU64(out, putU64(out, putU64(out, start, KEYS_VERSION), KEYS_FLAGS), keys.length);
  for (const key of keys) at = put(out, at, key);
  return putU64(out, at, rows);
}

function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  out.set(bytes, at);
  return at + bytes.length;
}

/** A count below 2^32. */
function putU64(out: Uint8Array, at: number, value: number): number {
  for (let i = 0; i < U64; i++) out[at + i] = i < 4 ? (value >>> (8 * i)) & 0xff : 0;
  return at + U64;
}
