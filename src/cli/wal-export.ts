// `bun run wal export`: the records of a journal as text (jsonl, csv), as Parquet, or its market data as the event rows
// of hftbacktest. Memory is bounded but for npz, whose rows are corrected as a whole. Cold.
import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { importWal } from "../backtest/import/wal-market.ts";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "../data/npy.ts";
import { writeRows } from "../data/npz-write.ts";
import { PARQUET_GROUP_ROWS, type ParquetColumn, ParquetFile } from "../data/parquet-file.ts";
import { type ExportRecord, type ExportValue, kindOf } from "../journal/export-record.ts";
import { csvLine, exportWal } from "../journal/wal-export.ts";
import type { ReadFilter, WalProblem } from "../journal/wal-reader.ts";
import { MESSAGE_DESCRIPTORS } from "../wire/messages.gen.ts";

export class UsageError extends Error {}

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

export interface ExportValues {
  readonly format?: string;
  readonly out?: string;
  readonly symbol?: string;
  readonly kind?: readonly string[];
  readonly stream?: readonly string[];
  readonly from?: string;
  readonly to?: string;
}

export function problemText({ kind, file, offset, bytes, records, reason }: WalProblem): string {
  const size = bytes > 0 ? `, ${bytes} bytes` : records >= 0 ? `, ${records} records` : "";
  const note = kind === "torn" ? " (cut by the next start)" : "";
  return `${basename(file)} at ${offset}: ${kind}${size}: ${reason}${note}`;
}

/** Throws UsageError. Exit code: 0 ok, 3 not whole. */
export function exportTo(dir: string, values: ExportValues, output: Output): number {
  if (values.format === "npz") return exportNpz(dir, values, output);
  const kinds = (values.kind ?? []).map((name) => {
    const kind = kindOf(name);
    if (kind === undefined)
      throw new UsageError(
        `unknown kind ${JSON.stringify(name)}: one of ${MESSAGE_DESCRIPTORS.map((d) => d.name).join(", ")}`,
      );
    return kind;
  });
  const { format: wanted } = values;
  if (wanted !== "jsonl" && wanted !== "csv" && wanted !== "parquet")
    throw new UsageError("--format jsonl, csv, parquet or npz");
  if (wanted !== "jsonl" && kinds.length !== 1)
    throw new UsageError(`${wanted} takes exactly one --kind: its columns are that message's fields`);
  const filter: ReadFilter = {
    ...(kinds.length > 0 ? { kinds: new Set(kinds) } : {}),
    ...(values.stream === undefined
      ? {}
      : { streams: new Set(values.stream.map((n) => integer("--stream", n))) }),
    ...(values.from === undefined ? {} : { from: integer("--from", values.from) }),
    ...(values.to === undefined ? {} : { to: integer("--to", values.to) }),
  };
  if (wanted === "parquet") return exportParquet(dir, needed(values.out), filter, output);
  const sink = new LineSink(values.out);
  const format = values.format === "csv" ? csvFormat() : (row: object) => `${JSON.stringify(row)}\n`;
  try {
    const { problems } = exportWal(dir, (row) => sink.write(format(row)), filter);
    for (const problem of problems) output.err(problemText(problem));
    if (values.out !== undefined) output.out(`${values.out}: ${sink.lines} records`);
    return problems.some((p) => p.kind !== "torn") ? 3 : 0;
  } finally {
    sink.close();
  }
}

function exportParquet(dir: string, out: string, filter: ReadFilter, output: Output): number {
  const rows = new ParquetRows(out);
  const { problems } = exportWal(dir, (row) => rows.add(row), filter);
  rows.close();
  for (const problem of problems) output.err(problemText(problem));
  output.out(`${out}: ${rows.count} records`);
  return problems.some((p) => p.kind !== "torn") ? 3 : 0;
}

function exportNpz(dir: string, values: ExportValues, output: Output): number {
  const out = needed(values.out);
  const { symbol } = values;
  const { table, gaps } = importWal(dir, symbol === undefined ? {} : { symbol });
  writeRows(out, EVENT_FIELDS, table.bytes, EVENT_ROW_BYTES);
  output.out(`${out}: ${table.rows} event rows${gaps > 0 ? `, ${gaps} gaps` : ""}`);
  return 0;
}

function needed(out: string | undefined): string {
  if (out === undefined) throw new UsageError("this format is a file: --out FILE");
  return out;
}

/** One kind's records as a Parquet file: text stays text (decimals exact), times are int64, numbers double. */
class ParquetRows {
  count = 0;
  private readonly out: string;
  private file: ParquetFile | null = null;
  private columns: readonly ParquetColumn[] = [];
  private held: ExportRecord[] = [];

  constructor(out: string) {
    this.out = out;
  }

  add(row: ExportRecord): void {
    if (this.file === null) {
      this.columns = Object.entries(row).map(([name, value]) => ({ name, type: columnType(name, value) }));
      this.file = new ParquetFile(this.out, this.columns);
    }
    this.held.push(row);
    this.count++;
    if (this.held.length === PARQUET_GROUP_ROWS) this.flush();
  }

  /** Without a record there is no file: nothing says which columns it would have. */
  close(): void {
    this.flush();
    this.file?.close();
  }

  private flush(): void {
    const { held } = this;
    if (held.length === 0) return;
    this.file!.write(
      this.columns.map(({ name, type }) =>
        type === "double"
          ? Float64Array.from(held, (row) => Number(row[name] ?? Number.NaN))
          : held.map((row) => cellOf(row[name] ?? null, type)),
      ),
    );
    this.held = [];
  }
}

function columnType(name: string, value: ExportValue): ParquetColumn["type"] {
  if (name.endsWith("Ts") || name === "position") return "int64";
  return typeof value === "number" ? "double" : "text";
}

function cellOf(value: ExportValue, type: ParquetColumn["type"]): bigint | string | null {
  if (value === null) return null;
  return type === "int64" ? BigInt(value) : String(value);
}

function integer(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${flag}: found ${JSON.stringify(text)}, expected an integer ≥ 0`);
  return Number(text);
}

function csvFormat(): (row: Record<string, string | number | boolean | null>) => string {
  let columns = "";
  return (row) => {
    const own = csvLine(Object.keys(row));
    const head = columns === "" ? `${own}\n` : "";
    if (columns === "") columns = own;
    // Another instrument without a manifest has other column names: a row is never squeezed into wrong ones.
    if (own !== columns)
      throw new UsageError(
        `position ${row["position"]}: columns ${own} differ from ${columns}; use --format jsonl`,
      );
    return `${head}${csvLine(Object.values(row))}\n`;
  };
}

/** Buffered text to a file or stdout. */
class LineSink {
  lines = 0;
  private readonly fd: number;
  private readonly owned: boolean;
  private buffer = "";

  constructor(file: string | undefined) {
    this.owned = file !== undefined;
    this.fd = file === undefined ? 1 : openSync(file, "w");
  }

  write(text: string): void {
    this.lines++;
    this.buffer += text;
    if (this.buffer.length > 1 << 16) this.flush();
  }

  close(): void {
    this.flush();
    if (this.owned) closeSync(this.fd);
  }

  private flush(): void {
    const bytes = Buffer.from(this.buffer);
    this.buffer = "";
    for (let done = 0; done < bytes.length; ) done += this.writeSome(bytes, done);
  }

  /** A pipe may be full for a moment. */
  private writeSome(bytes: Buffer, from: number): number {
    try {
      return writeSync(this.fd, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
      return 0;
    }
  }
}
