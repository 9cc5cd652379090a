// Factor columns as Parquet: `timestamp` as exact nanoseconds since the Unix epoch and one DOUBLE column per
// output, NaN kept as NaN. Row groups are written as they fill, so memory is one row group. Cold.
import { PARQUET_GROUP_ROWS, ParquetFile } from "../data/parquet-file.ts";
import type { ColumnsWriter } from "./factors-out.ts";

export function parquetWriter(path: string, names: readonly string[]): ColumnsWriter {
  const file = new ParquetFile(path, [
    { name: "timestamp", type: "int64" },
    ...names.map((name) => ({ name, type: "double" as const })),
  ]);
  const timestamps = new BigInt64Array(PARQUET_GROUP_ROWS);
  const values = names.map(() => new Float64Array(PARQUET_GROUP_ROWS));
  let held = 0;
  const group = (): void => {
    file.write([timestamps.subarray(0, held), ...values.map((v) => v.subarray(0, held))]);
    held = 0;
  };
  return {
    write(baseNs, rows, tsNs, columns) {
      for (let i = 0; i < rows; i++) {
        timestamps[held] = baseNs + BigInt(tsNs[i]!);
        for (let k = 0; k < values.length; k++) values[k]![held] = columns[k]![i]!;
        if (++held === PARQUET_GROUP_ROWS) group();
      }
    },
    close() {
      group();
      file.close();
    },
  };
}
