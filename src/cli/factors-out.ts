// Writers of factor columns, all streamed: csv, parquet, npz (one structured array `data`). What `write` is given has left
// memory when it returns (Parquet: at the end of a row group). Cold.
import { closeSync, openSync, writeFileSync } from "node:fs";
import { RowsWriter } from "../data/npz-write.ts";
import { parquetWriter } from "./factors-parquet.ts";

export interface ColumnsWriter {
  write(baseNs: bigint, rows: number, tsNs: Float64Array, columns: readonly Float64Array[]): void;
  close(): void;
}

/** By the end of the name. Throws RangeError for an unknown format. */
export function openColumnsWriter(path: string, names: readonly string[]): ColumnsWriter {
  if (path.endsWith(".csv")) return csvWriter(path, names);
  if (path.endsWith(".npz") || path.endsWith(".npy")) return npzWriter(path, names);
  if (path.endsWith(".parquet")) return parquetWriter(path, names);
  throw new RangeError(`${path}: the output must end in .csv, .parquet, .npz or .npy`);
}

const quoted = (name: string): string => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

function csvWriter(path: string, names: readonly string[]): ColumnsWriter {
  const file = openSync(path, "w");
  writeFileSync(file, `timestamp,${names.map(quoted).join(",")}\n`);
  return {
    write(baseNs, rows, tsNs, columns) {
      const lines: string[] = [];
      for (let i = 0; i < rows; i++) {
        let line = String(baseNs + BigInt(tsNs[i]!));
        for (const column of columns) line += `,${column[i]}`;
        lines.push(line);
      }
      writeFileSync(file, `${lines.join("\n")}\n`);
    },
    close: () => closeSync(file),
  };
}

function npzWriter(path: string, names: readonly string[]): ColumnsWriter {
  const stride = names.length + 1;
  const fields = [{ name: "timestamp", type: "<i8" }, ...names.map((name) => ({ name, type: "<f8" }))];
  const file = new RowsWriter(path, fields, 8 * stride);
  return {
    write(baseNs, rows, tsNs, columns) {
      const buffer = new ArrayBuffer(rows * 8 * stride);
      const i64 = new BigInt64Array(buffer);
      const f64 = new Float64Array(buffer);
      for (let i = 0; i < rows; i++) {
        i64[i * stride] = baseNs + BigInt(tsNs[i]!);
        for (let k = 0; k < columns.length; k++) f64[i * stride + 1 + k] = columns[k]![i]!;
      }
      file.write(new Uint8Array(buffer));
    },
    close: () => file.close(),
  };
}
