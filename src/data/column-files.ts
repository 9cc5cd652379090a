// Columns as csv and Parquet, from accessors: csv with shortest round-trip doubles, times as exact ns since the Unix
// epoch, empty = none; Parquet the same as INT64, DOUBLE and strings, null = none (NaN in a DOUBLE). Cold.
import { closeSync, openSync, writeSync } from "node:fs";
import { PARQUET_GROUP_ROWS, ParquetFile, type ParquetValues } from "./parquet-file.ts";

export type FileColumn =
  | { readonly name: string; readonly type: "double"; readonly at: (row: number) => number }
  | { readonly name: string; readonly type: "int64"; readonly at: (row: number) => bigint | null }
  | { readonly name: string; readonly type: "text"; readonly at: (row: number) => string | null };

const LINES_PER_WRITE = 4096;

/** Writes `path`.csv and `path`.parquet. Throws the file system's error. */
export function writeColumns(path: string, columns: readonly FileColumn[], rows: number): void {
  writeCsv(`${path}.csv`, columns, rows);
  writeParquet(`${path}.parquet`, columns, rows);
}

export function writeCsv(path: string, columns: readonly FileColumn[], rows: number): void {
  const file = openSync(path, "w");
  try {
    writeAll(file, `${columns.map((c) => quoted(c.name)).join(",")}\n`);
    for (let from = 0; from < rows; from += LINES_PER_WRITE) {
      let text = "";
      for (let row = from; row < Math.min(rows, from + LINES_PER_WRITE); row++) {
        for (let i = 0; i < columns.length; i++) text += (i === 0 ? "" : ",") + csvCell(columns[i]!.at(row));
        text += "\n";
      }
      writeAll(file, text);
    }
  } finally {
    closeSync(file);
  }
}

export function writeParquet(path: string, columns: readonly FileColumn[], rows: number): void {
  const file = new ParquetFile(path, columns);
  try {
    for (let from = 0; from < rows; from += PARQUET_GROUP_ROWS)
      file.write(columns.map((c) => groupOf(c, from, Math.min(rows, from + PARQUET_GROUP_ROWS))));
  } finally {
    file.close();
  }
}

function groupOf(column: FileColumn, from: number, to: number): ParquetValues {
  const group = { length: to - from };
  return column.type === "double"
    ? Float64Array.from(group, (_, i) => column.at(from + i))
    : Array.from(group, (_, i) => column.at(from + i));
}

function csvCell(value: number | bigint | string | null): string {
  if (value === null || Number.isNaN(value)) return "";
  if (typeof value === "string") return quoted(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
