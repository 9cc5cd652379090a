// Factor columns as Parquet: `timestamp` as exact INT64 nanoseconds since the Unix epoch and one DOUBLE column per
// output, NaN kept as NaN. Row groups are written as they fill, so memory is one row group. Cold.
import { closeSync, openSync, writeSync } from "node:fs";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ColumnsWriter } from "./factors-out.ts";

const GROUP_ROWS = 65_536;

export function parquetWriter(path: string, names: readonly string[]): ColumnsWriter {
  const file = openSync(path, "w");
  const bytes = new ByteWriter();
  const toFile = (): void => {
    const chunk = new Uint8Array(bytes.buffer, 0, bytes.index);
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
    bytes.index = 0;
  };
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: [
      { name: "root", num_children: names.length + 1 },
      { name: "timestamp", type: "INT64", repetition_type: "REQUIRED" },
      ...names.map((name) => ({ name, type: "DOUBLE" as const, repetition_type: "REQUIRED" as const })),
    ],
    createdBy: "hotlane",
  });
  const timestamps = new BigInt64Array(GROUP_ROWS);
  const values = names.map(() => new Float64Array(GROUP_ROWS));
  let held = 0;
  const group = (): void => {
    if (held === 0) return;
    const plain = { encoding: "PLAIN" as const, statistics: false };
    parquet.write({
      columnData: [
        { name: "timestamp", data: timestamps.slice(0, held) },
        ...names.map((name, k) => ({ name, data: values[k]!.slice(0, held), ...plain })),
      ],
      rowGroupSize: GROUP_ROWS,
    });
    held = 0;
    toFile();
  };
  return {
    write(baseNs, rows, tsNs, columns) {
      for (let i = 0; i < rows; i++) {
        timestamps[held] = baseNs + BigInt(tsNs[i]!);
        for (let k = 0; k < values.length; k++) values[k]![held] = columns[k]![i]!;
        if (++held === GROUP_ROWS) group();
      }
    },
    async drain() {},
    async close() {
      group();
      parquet.finish();
      toFile();
      closeSync(file);
    },
  };
}
