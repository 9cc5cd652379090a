// Walks the batches of one segment file through a sliding window, checks every one, and says how the file
// ends. Cold code; memory is bounded by the window whatever the file's size.
//
// A batch that fails its checks is a torn tail when nothing valid follows it in the file, else corruption:
// the scanner looks on for the next valid batch (64-byte steps, magic, nonce, crc) and reports what it
// passed over.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { RECORD_BYTES, RecordMemory } from "../core/record.ts";
import {
  BATCH_COUNT_U32,
  BATCH_CRC_U32,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_NONCE_U32,
  BATCH_SEGMENT_U32,
  BATCH_STREAM_U32,
  BATCH_WRITTEN_F64,
  batchPosition,
  decodeSegmentHeader,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./segment.ts";

const WINDOW_BYTES = 4 * 1024 * 1024;

/** One batch, valid until the scanner moves on. */
export class WalBatch {
  readonly memory: RecordMemory;
  /** Byte offset of the first record in `memory`. */
  at = 0;
  count = 0;
  stream = 0;
  /** WAL position of the first record. */
  position = 0;
  /** Session time at which it was written. */
  writtenNs = 0;
  /** Of the batch header in the file. */
  fileOffset = 0;

  constructor(memory: RecordMemory) {
    this.memory = memory;
  }
}

/** Bytes of a file that hold no valid batch. */
export interface BadRange {
  /** torn: up to the end of the file; corrupt: valid batches follow. */
  readonly kind: "torn" | "corrupt";
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export class SegmentScanner {
  readonly file: string;
  /** null: the file has no valid header; see `bad`. */
  readonly header: SegmentHeader | null;
  /** What was wrong so far, in file order. */
  readonly bad: BadRange[] = [];
  readonly batch: WalBatch;
  private readonly fd: number;
  private readonly memory: RecordMemory;
  private size = 0;
  private windowStart = 0;
  private windowEnd = 0;
  private next = SEGMENT_HEADER_BYTES;
  private ended = false;

  /** `memory`: a window to reuse, from scanWindow(). */
  constructor(file: string, memory: RecordMemory) {
    this.file = file;
    this.memory = memory;
    this.batch = new WalBatch(memory);
    this.fd = openSync(file, "r");
    this.size = fstatSync(this.fd).size;
    this.load(0);
    const header = decodeSegmentHeader(memory.u8.subarray(0, Math.min(this.fileBytes, SEGMENT_HEADER_BYTES)));
    this.header = typeof header === "string" ? null : header;
    if (typeof header === "string")
      this.bad.push({ kind: "torn", offset: 0, bytes: this.fileBytes, reason: header });
  }

  /** Of the file, as far as it has been looked at. */
  get fileBytes(): number {
    return this.size;
  }

  /** Byte offset after the last valid batch. */
  get validEnd(): number {
    return this.header === null ? 0 : this.next;
  }

  /** The next valid batch in `batch`, or false at the end of the file. */
  advance(): boolean {
    if (this.ended || this.header === null || this.next >= this.fileBytes) return false;
    const reason = this.check(this.next);
    if (reason === null) return this.take(this.next);
    const found = this.searchFrom(this.next + RECORD_BYTES);
    const end = found < 0 ? this.fileBytes : found;
    const kind = found < 0 ? "torn" : "corrupt";
    this.bad.push({ kind, offset: this.next, bytes: end - this.next, reason });
    this.ended = found < 0;
    return found < 0 ? false : this.take(found);
  }

  /** Like advance() for a file that is still written: false when no whole batch follows yet, and nothing is said. */
  advanceWhole(): boolean {
    if (this.ended || this.header === null) return false;
    if (this.next >= this.size) this.size = fstatSync(this.fd).size;
    if (this.next >= this.size) return false;
    if (this.check(this.next) === null) return this.take(this.next);
    // What is half written now is read again when it is asked for again.
    this.windowEnd = this.windowStart;
    this.size = fstatSync(this.fd).size;
    return false;
  }

  close(): void {
    closeSync(this.fd);
  }

  private take(offset: number): boolean {
    const at = offset - this.windowStart;
    const { u32, f64 } = this.memory;
    const { batch } = this;
    batch.at = at + BATCH_HEADER_BYTES;
    batch.count = u32[(at >> 2) + BATCH_COUNT_U32]!;
    batch.stream = u32[(at >> 2) + BATCH_STREAM_U32]!;
    batch.position = batchPosition(u32, at);
    batch.writtenNs = f64[(at >> 3) + BATCH_WRITTEN_F64]!;
    batch.fileOffset = offset;
    this.next = offset + BATCH_HEADER_BYTES + batch.count * RECORD_BYTES;
    return true;
  }

  /** null: a whole valid batch stands at `offset`, and the window holds it. */
  private check(offset: number): string | null {
    const left = this.fileBytes - offset;
    if (left < BATCH_HEADER_BYTES) return `batch header is cut at ${left} of ${BATCH_HEADER_BYTES} bytes`;
    this.need(offset, BATCH_HEADER_BYTES);
    const { u32 } = this.memory;
    let word = (offset - this.windowStart) >> 2;
    if (u32[word] !== BATCH_MAGIC) return "no batch here (magic)";
    const header = this.header!;
    const own =
      u32[word + BATCH_NONCE_U32] === header.nonceLo && u32[word + BATCH_NONCE_U32 + 1] === header.nonceHi;
    if (!own || u32[word + BATCH_SEGMENT_U32] !== header.index) return "batch of another session or segment";
    const count = u32[word + BATCH_COUNT_U32]!;
    if (count === 0 || count > MAX_BATCH_RECORDS)
      return `record count ${count}, expected 1 … ${MAX_BATCH_RECORDS}`;
    const bytes = BATCH_HEADER_BYTES + count * RECORD_BYTES;
    if (left < bytes) return `batch is cut at ${left} of ${bytes} bytes`;
    this.need(offset, bytes);
    word = (offset - this.windowStart) >> 2;
    return this.crcMatches(word, bytes) ? null : "checksum does not match";
  }

  private crcMatches(word: number, bytes: number): boolean {
    const { u8, u32 } = this.memory;
    const stored = u32[word + BATCH_CRC_U32]!;
    u32[word + BATCH_CRC_U32] = 0;
    const computed = Bun.hash.crc32(u8.subarray(word << 2, (word << 2) + bytes));
    u32[word + BATCH_CRC_U32] = stored;
    return computed === stored;
  }

  private searchFrom(offset: number): number {
    for (let at = offset; at + BATCH_HEADER_BYTES <= this.fileBytes; at += RECORD_BYTES) {
      this.need(at, BATCH_HEADER_BYTES);
      if (this.memory.u32[(at - this.windowStart) >> 2] === BATCH_MAGIC && this.check(at) === null) return at;
    }
    return -1;
  }

  /** Makes the window hold `bytes` from `offset`; bytes ≤ one largest batch. */
  private need(offset: number, bytes: number): void {
    if (offset < this.windowStart || offset + bytes > this.windowEnd) this.load(offset);
  }

  private load(offset: number): void {
    this.windowStart = offset;
    this.windowEnd = offset;
    const most = this.memory.u8.length;
    while (this.windowEnd - offset < most) {
      const got = readSync(
        this.fd,
        this.memory.u8,
        this.windowEnd - offset,
        most - (this.windowEnd - offset),
        this.windowEnd,
      );
      if (got === 0) return;
      this.windowEnd += got;
    }
  }
}

/** Memory for scanners; one may serve many files in turn. */
export function scanWindow(bytes: number = WINDOW_BYTES): RecordMemory {
  return new RecordMemory(new ArrayBuffer(Math.max(bytes, MAX_BATCH_BYTES)));
}
