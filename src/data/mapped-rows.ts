// Rows of an uncompressed .npy mapped into memory: processes that read the same file share its pages, and nothing is
// copied. The file is mapped in windows that stay mapped as long as the process lives (address space, not memory).
import { EVENT_ROW_BYTES } from "./npy.ts";
import { RowBlock, type RowBlocks } from "./row-block.ts";

/** Rows [firstRow, firstRow + rows) of a file whose rows begin at `dataOffset` (a multiple of 64, as numpy has it). */
export interface MappedRows {
  readonly file: string;
  readonly dataOffset: number;
  readonly firstRow: number;
  readonly rows: number;
}

/** Rows of a window: 64 MiB, a multiple of every page size. */
const WINDOW_ROWS = 1 << 20;
const WINDOW_BYTES = WINDOW_ROWS * EVENT_ROW_BYTES;

interface Window {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
}

const windows = new Map<string, Window>();

function windowOf(file: string, index: number): Window {
  const key = `${index}:${file}`;
  const mapped = windows.get(key);
  if (mapped !== undefined) return mapped;
  const offset = index * WINDOW_BYTES;
  const bytes = Bun.mmap(file, { offset, size: Math.min(WINDOW_BYTES, Bun.file(file).size - offset) });
  const window = {
    i32: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2),
    f64: new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3),
  };
  windows.set(key, window);
  return window;
}

export class MappedBlocks implements RowBlocks {
  private readonly source: MappedRows;
  private readonly block = new RowBlock();
  private row: number;

  constructor(source: MappedRows) {
    this.source = source;
    this.row = source.firstRow;
    this.block.file = source.file;
  }

  next(): RowBlock | null {
    const { file, dataOffset, firstRow, rows } = this.source;
    const left = firstRow + rows - this.row;
    if (left <= 0) return null;
    const slot = this.row + dataOffset / EVENT_ROW_BYTES;
    const index = Math.floor(slot / WINDOW_ROWS);
    const first = slot - index * WINDOW_ROWS;
    const { i32, f64 } = windowOf(file, index);
    const block = this.block;
    block.i32 = i32;
    block.f64 = f64;
    block.first = first;
    block.rows = Math.min(left, WINDOW_ROWS - first);
    block.fileRow = this.row;
    this.row += block.rows;
    return block;
  }

  close(): void {
    this.row = this.source.firstRow + this.source.rows;
  }
}
