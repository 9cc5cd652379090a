// Rows of a CSV file with a header, plain or gzip, as market-data vendors publish them: comma separated, no quoting.
// Streams. Cold code.
import { DataFileError } from "./data-file-error.ts";
import { readLines } from "./lines.ts";

/** One row; the object is reused by the next. */
export class CsvRow {
  readonly file: string;
  /** Column → place. */
  private readonly columns: ReadonlyMap<string, number>;
  private fields: string[] = [];
  private number = 0;

  constructor(file: string, header: readonly string[]) {
    this.file = file;
    this.columns = new Map(header.map((name, i) => [name.trim(), i]));
  }

  set(line: string, number: number): void {
    this.fields = line.split(",");
    this.number = number;
    if (this.fields.length !== this.columns.size)
      throw this.fault(`${this.fields.length} fields, the header has ${this.columns.size}`);
  }

  has(column: string): boolean {
    return this.columns.has(column);
  }

  /** Throws DataFileError when there is no such column. */
  text(column: string): string {
    const at = this.columns.get(column);
    if (at === undefined)
      throw this.fault(`no column ${column}; there are ${[...this.columns.keys()].join(", ")}`);
    return this.fields[at]!;
  }

  /** A finite decimal number. */
  number64(column: string): number {
    const text = this.text(column);
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) throw this.fault(`${column} "${text}" is not a number`);
    return value;
  }

  /** An integer, exact whatever its size. */
  integer(column: string): bigint {
    const text = this.text(column);
    if (!/^-?\d+$/.test(text)) throw this.fault(`${column} "${text}" is not an integer`);
    return BigInt(text);
  }

  fault(what: string): DataFileError {
    return new DataFileError(this.file, -1, `line ${this.number}: ${what}`);
  }
}

/** The header and the rows. Throws DataFileError with file and line. */
export async function openCsv(
  file: string,
): Promise<{ readonly header: readonly string[]; readonly rows: AsyncGenerator<CsvRow, void, void> }> {
  const lines = readLines(file);
  const first = await lines.next();
  if (first.done === true) throw new DataFileError(file, -1, "is empty, expected a header line");
  const decoder = new TextDecoder();
  const header = decoder.decode(first.value.bytes).split(",");
  async function* rows(): AsyncGenerator<CsvRow, void, void> {
    const row = new CsvRow(file, header);
    for await (const line of lines) {
      row.set(decoder.decode(line.bytes), line.number);
      yield row;
    }
  }
  return { header, rows: rows() };
}
