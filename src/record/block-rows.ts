// A block's rows as plain objects, for files of text: decimals and 64-bit integers as text, times as ISO 8601 with
// nanoseconds, enums by name. The inverse of what columns.ts puts. Cold.
import { formatDecimal } from "../core/decimal.ts";
import type { Block } from "./block.ts";
import type { ColumnBuffer } from "./columns.ts";

export type RowValue = string | number | boolean;
export type Row = Record<string, RowValue>;

type Decode = (view: DataView, row: number) => RowValue;

export function blockRows(block: Block): Row[] {
  const rows: Row[] = Array.from({ length: block.rows }, () => ({}));
  for (const column of Object.values(block.columns)) {
    const values = valuesOf(column, block.rows);
    values.forEach((value, i) => {
      rows[i]![column.name] = value;
    });
  }
  return rows;
}

function valuesOf(column: ColumnBuffer, rows: number): RowValue[] {
  if (column.isDictionary) return words(column, rows);
  return column.width === 0 ? strings(column.data(), rows) : numbers(column, rows);
}

function words(column: ColumnBuffer, count: number): string[] {
  const texts = column.keys.map((key) => strings(key, 1)[0]!);
  const data = column.data();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: count }, (_, row) => texts[view.getUint16(row * 2, true)]!);
}

function numbers(column: ColumnBuffer, count: number): RowValue[] {
  const data = column.data();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const decode = decoderOf(column.type);
  return Array.from({ length: count }, (_, row) => decode(view, row));
}

function decoderOf(type: string): Decode {
  const enumNames = type.startsWith("Enum8") ? enumMembers(type) : null;
  if (enumNames !== null) return (view, row) => enumNames.get(view.getInt8(row)) ?? `#${view.getInt8(row)}`;
  const scale = /^Decimal\((\d+), (\d+)\)/.exec(type);
  if (scale !== null) {
    const decimals = Number(scale[2]);
    return Number(scale[1]) <= 18
      ? (view, row) => formatDecimal(view.getBigInt64(row * 8, true), decimals)
      : (view, row) =>
          formatDecimal(
            (view.getBigInt64(row * 16 + 8, true) << 64n) | view.getBigUint64(row * 16, true),
            decimals,
          );
  }
  if (type.startsWith("DateTime64")) return (view, row) => isoTime(view.getBigInt64(row * 8, true));
  return PLAIN[type]!;
}

const PLAIN: Readonly<Record<string, Decode>> = {
  Bool: (view, row) => view.getUint8(row) === 1,
  UInt16: (view, row) => view.getUint16(row * 2, true),
  UInt32: (view, row) => view.getUint32(row * 4, true),
  Int32: (view, row) => view.getInt32(row * 4, true),
  UInt64: (view, row) => view.getBigUint64(row * 8, true).toString(),
  Int64: (view, row) => view.getBigInt64(row * 8, true).toString(),
  Float64: (view, row) => view.getFloat64(row * 8, true),
};

function enumMembers(type: string): Map<number, string> {
  return new Map([...type.matchAll(/'([^']+)' = (-?\d+)/g)].map((m) => [Number(m[2]), m[1]!]));
}

function strings(data: Uint8Array, count: number): string[] {
  const decoder = new TextDecoder();
  const values: string[] = [];
  let at = 0;
  for (let row = 0; row < count; row++) {
    let length = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = data[at++]!;
      length += (byte & 127) * shift;
      if (byte < 128) break;
    }
    values.push(decoder.decode(data.subarray(at, at + length)));
    at += length;
  }
  return values;
}

const NS = 1_000_000_000n;

function isoTime(unixNs: bigint): string {
  const seconds = unixNs / NS;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}.${(unixNs % NS).toString().padStart(9, "0")}Z`;
}
