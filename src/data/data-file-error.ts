// One error for everything that can be wrong with a data file: which file, where in it, what is wrong.

export class DataFileError extends Error {
  override readonly name = "DataFileError";
  readonly file: string;
  /** 0-based row, or −1 when the fault is not in one row. */
  readonly row: number;

  constructor(file: string, row: number, what: string, options?: ErrorOptions) {
    super(row >= 0 ? `${file}: row ${row}: ${what}` : `${file}: ${what}`, options);
    this.file = file;
    this.row = row;
  }
}
