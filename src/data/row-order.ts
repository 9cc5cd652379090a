// Event rows in the order of time, as every reader of them needs it: exchange times of rows that happen at the exchange,
// local times of those that the trader sees.
import { DataFileError } from "./data-file-error.ts";
import { EV_EXCH, EV_LOCAL } from "./event-codes.ts";
import type { RowBlock } from "./row-block.ts";

export function unsortedRow(file: string, row: number, field: string): DataFileError {
  const what = `${field} is before that of an earlier row: rows are not sorted (see «data correct»)`;
  return new DataFileError(file, row, what);
}

/** Goes along with the blocks of one asset, in the order of its files. */
export class RowOrder {
  private readonly exch = new LatestTime();
  private readonly local = new LatestTime();

  /** Throws DataFileError with file and row of the first row that is before an earlier one. */
  check(block: RowBlock): void {
    const { i32, first, rows } = block;
    for (let row = 0; row < rows; row++) {
      const at = (first + row) << 4;
      const ev = i32[at]!;
      if ((ev & EV_EXCH) !== 0 && !this.exch.reaches(i32[at + 3]!, i32[at + 2]! >>> 0))
        throw unsortedRow(block.file, block.fileRow + row, "exch_ts");
      if ((ev & EV_LOCAL) !== 0 && !this.local.reaches(i32[at + 5]!, i32[at + 4]! >>> 0))
        throw unsortedRow(block.file, block.fileRow + row, "local_ts");
    }
  }
}

/** 64-bit times as their halves: no BigInt per row. */
class LatestTime {
  private high = -(2 ** 31);
  private low = 0;

  /** False: earlier than the latest. */
  reaches(high: number, low: number): boolean {
    if (high < this.high || (high === this.high && low < this.low)) return false;
    this.high = high;
    this.low = low;
    return true;
  }
}
