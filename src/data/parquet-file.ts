// A Parquet file written row group by row group, so memory is one row group whatever the length. Cold.
import { closeSync, openSync, writeSync } from "node:fs";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";

/** Times are int64 too: ns since the Unix epoch (readers of JavaScript would cut a TIMESTAMP to ms). Nulls: not in double. */
export type ParquetType = "int64" | "double" | "text";
export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
}
export type ParquetValues = BigInt64Array | Float64Array | readonly (bigint | string | null)[];

const SCHEMA = {
  int64: { type: "INT64", repetition_type: "OPTIONAL" },
  double: { type: "DOUBLE", repetition_type: "REQUIRED" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
} as const;

export const PARQUET_GROUP_ROWS = 65_536;

export class ParquetFile {
  private readonly columns: readonly ParquetColumn[];
  private readonly file: number;
  private readonly bytes = new ByteWriter();
  private readonly parquet: ParquetWriter;

  /** Throws the file system's error. */
  constructor(path: string, columns: readonly ParquetColumn[]) {
    this.columns = columns;
    this.file = openSync(path, "w");
    this.parquet = new ParquetWriter({
      writer: this.bytes,
      schema: [
        { name: "root", num_children: columns.length },
        ...columns.map(({ name, type }) => ({ name, ...SCHEMA[type] })),
      ],
      createdBy: "hotlane",
    });
  }

  /** One row group: a column of equal length for each of the schema. The arrays may be reused afterwards. */
  write(values: readonly ParquetValues[]): void {
    if (values[0]!.length === 0) return;
    this.parquet.write({
      columnData: this.columns.map(({ name, type }, i) => ({
        name,
        data: values[i]!.slice() as BigInt64Array,
        ...(type === "double" ? { encoding: "PLAIN" as const, statistics: false } : {}),
      })),
      rowGroupSize: PARQUET_GROUP_ROWS,
    });
    this.flush();
  }

  close(): void {
    this.parquet.finish();
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    const chunk = new Uint8Array(this.bytes.buffer, 0, this.bytes.index);
    for (let at = 0; at < chunk.length; ) at += writeSync(this.file, chunk, at);
    this.bytes.index = 0;
  }
}
