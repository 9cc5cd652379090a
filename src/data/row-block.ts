// What readers of event rows hand on: a window of consecutive 64-byte rows of one file.

/** Rows per block of a stream: 256 KiB, a share of the second-level cache. */
export const BLOCK_ROWS = 4096;

/** Consecutive rows of one file. The object and the memory are reused by the next call of `next()`. */
export class RowBlock {
  i32: Int32Array = new Int32Array(0);
  f64: Float64Array = new Float64Array(0);
  /** Index of the first row in the views (64-byte rows: i32[row * 16], f64[row * 8]). */
  first = 0;
  rows = 0;
  file = "";
  /** Number of the first row in its file, from 0. */
  fileRow = 0;
}

export interface RowBlocks {
  /** The next block, or null at the end. Throws DataFileError. */
  next(): RowBlock | null;
  /** Gives memory and threads back; `next()` is not called again. */
  close(): void;
}
