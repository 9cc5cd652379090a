// Event rows of files and arrays, block by block, whatever their size: small files are loaded whole, large ones
// are inflated ahead by a worker into a ring of blocks (inflate-ahead.ts), so memory does not grow with the file.
import { DataFileError } from "./data-file-error.ts";
import { InflateAhead } from "./inflate-ahead.ts";
import { MappedBlocks, type MappedRows } from "./mapped-rows.ts";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "./npy.ts";
import { type ArrayLocation, loadRows, locateArray } from "./npz-file.ts";
import { RowBlock, type RowBlocks } from "./row-block.ts";

/** Path of an .npz/.npy file, rows in memory (64-byte event rows, 8-byte aligned), or rows of a mapped file. */
export type EventSource = string | Uint8Array | MappedRows;

/** A file larger than this is streamed (bytes when inflated): up to here one load is faster than a worker. */
const WHOLE_BYTES_MAX = 33_554_432;

/** Rows of all sources in order. `wholeBytesMax`: files above it are streamed. */
export function openRowBlocks(sources: readonly EventSource[], wholeBytesMax = WHOLE_BYTES_MAX): RowBlocks {
  const parts: (() => RowBlocks)[] = [];
  let streamed: ArrayLocation[] = [];
  const flush = (): void => {
    const locations = streamed;
    streamed = [];
    if (locations.length > 0) parts.push(() => new InflateAhead(locations));
  };
  for (const source of sources) {
    if (typeof source !== "string") {
      flush();
      parts.push(() => (isMapped(source) ? new MappedBlocks(source) : new MemoryBlocks(source, "memory")));
      continue;
    }
    const location = locateArray(source);
    if (location.bytes > wholeBytesMax) {
      streamed.push(location);
      continue;
    }
    flush();
    parts.push(() => new MemoryBlocks(loadRows(source, EVENT_FIELDS).bytes, source));
  }
  flush();
  return new ChainedBlocks(parts);
}

const isMapped = (source: Uint8Array | MappedRows): source is MappedRows => !(source instanceof Uint8Array);

/** Number of rows in the sources, from the sizes that the archives state: nothing is inflated. */
export function countRows(sources: readonly EventSource[]): number {
  let rows = 0;
  for (const source of sources) {
    if (typeof source === "string") rows += Math.floor(locateArray(source).bytes / EVENT_ROW_BYTES);
    else rows += isMapped(source) ? source.rows : Math.floor(source.length / EVENT_ROW_BYTES);
  }
  return rows;
}

/** Rows of one array in memory, in blocks of views that stay below 2^31 elements. */
export class MemoryBlocks implements RowBlocks {
  private readonly bytes: Uint8Array;
  private readonly file: string;
  private readonly block = new RowBlock();
  private readonly rows: number;
  private row = 0;

  constructor(bytes: Uint8Array, file: string) {
    if (bytes.byteOffset % 8 !== 0)
      throw new DataFileError(file, -1, "rows in memory must be 8-byte aligned");
    if (bytes.length % EVENT_ROW_BYTES !== 0) {
      throw new DataFileError(
        file,
        -1,
        `${bytes.length} bytes are no whole number of ${EVENT_ROW_BYTES}-byte rows`,
      );
    }
    this.bytes = bytes;
    this.file = file;
    this.rows = bytes.length / EVENT_ROW_BYTES;
  }

  next(): RowBlock | null {
    const rows = Math.min(MEMORY_BLOCK_ROWS, this.rows - this.row);
    if (rows <= 0) return null;
    const { buffer, byteOffset } = this.bytes;
    const at = byteOffset + this.row * EVENT_ROW_BYTES;
    const block = this.block;
    block.i32 = new Int32Array(buffer as ArrayBuffer, at, rows * 16);
    block.f64 = new Float64Array(buffer as ArrayBuffer, at, rows * 8);
    block.first = 0;
    block.rows = rows;
    block.file = this.file;
    block.fileRow = this.row;
    this.row += rows;
    return block;
  }

  close(): void {
    this.row = this.rows;
  }
}

const MEMORY_BLOCK_ROWS = 1 << 20;

class ChainedBlocks implements RowBlocks {
  private readonly parts: (() => RowBlocks)[];
  private index = 0;
  private current: RowBlocks | null = null;

  constructor(parts: (() => RowBlocks)[]) {
    this.parts = parts;
  }

  next(): RowBlock | null {
    for (;;) {
      if (this.current === null) {
        const open = this.parts[this.index++];
        if (open === undefined) return null;
        this.current = open();
      }
      const block = this.current.next();
      if (block !== null) return block;
      this.current.close();
      this.current = null;
    }
  }

  close(): void {
    this.current?.close();
    this.current = null;
    this.index = this.parts.length;
  }
}
