// Text in records: a head record with MORE and `textLength`, followed by Text continuations of 32 bytes each.
// Used by LogLine and Control. Cold or rare: writing allocates nothing, assembling does.
import type { RecordMemory, RecordSink } from "../core/record.ts";
import {
  encodeText,
  FLAG_CONTINUATION,
  FLAG_MORE,
  HEADER_FLAGS,
  HEADER_KIND,
  HEADER_SEQUENCE,
  KIND_CONTROL,
  KIND_LOG_LINE,
  KIND_TEXT,
  TEXT_BYTES,
} from "../wire/messages.gen.ts";

export const TEXT_BYTES_PER_RECORD = 32;
/** Longest text of one run, in bytes: 15 continuations, so that a run fits a journal's run room of 16. */
export const MAX_TEXT_BYTES = 15 * TEXT_BYTES_PER_RECORD;

export function textRecords(bytes: number): number {
  return Math.ceil(bytes / TEXT_BYTES_PER_RECORD);
}

/** UTF-8 bytes of one text, reused. A text that is too long ends at a whole character with "…". */
export class TextBuffer {
  readonly bytes = new Uint8Array(new ArrayBuffer(MAX_TEXT_BYTES));
  length = 0;
  private readonly encoder = new TextEncoder();

  set(text: string): void {
    const { read, written } = this.encoder.encodeInto(text, this.bytes);
    this.length = written;
    if (read === text.length) return;
    const fitted = this.encoder.encodeInto(text, this.bytes.subarray(0, MAX_TEXT_BYTES - 3));
    this.encoder.encodeInto("…", this.bytes.subarray(fitted.written));
    this.length = fitted.written + 3;
  }
}

/**
 * Writes `length` bytes as Text continuations of the head that was just committed (with MORE and the same
 * sequence). The caller has checked hasRoom(1 + textRecords(length)).
 */
export function writeTextRecords(
  sink: RecordSink,
  bytes: Uint8Array,
  length: number,
  sequence: number,
  recvTsNs: number,
): void {
  for (let from = 0; from < length; from += TEXT_BYTES_PER_RECORD) {
    const at = sink.tryClaim();
    const last = from + TEXT_BYTES_PER_RECORD >= length;
    encodeText(sink.memory, at, FLAG_CONTINUATION | (last ? 0 : FLAG_MORE), 0, 0, sequence, 0, 0, recvTsNs);
    const target = at + TEXT_BYTES;
    for (let i = 0; i < TEXT_BYTES_PER_RECORD; i++)
      sink.memory.u8[target + i] = from + i < length ? bytes[from + i]! : 0;
    sink.commit();
  }
}

/** Collects the text of one run. Feed it every record of a stream; the text is whole when `push` says so. */
export class TextAssembler {
  private readonly bytes = new Uint8Array(MAX_TEXT_BYTES);
  private readonly decoder = new TextDecoder();
  private expected = 0;
  private filled = 0;
  private sequence = 0;
  private open = false;
  /** Runs that ended without all of their text. */
  torn = 0;

  /** A LogLine or Control head. True when it has no text to wait for. */
  begin(m: RecordMemory, at: number, textLength: number): boolean {
    if (this.open) this.torn++;
    this.expected = Math.min(textLength, MAX_TEXT_BYTES);
    this.filled = 0;
    this.sequence = m.u32[(at >> 2) + HEADER_SEQUENCE]!;
    this.open = (m.u16[(at >> 1) + HEADER_FLAGS]! & FLAG_MORE) !== 0;
    return !this.open;
  }

  /** A Text record. True when it completed the run; one that continues nothing is counted as torn. */
  push(m: RecordMemory, at: number): boolean {
    if (!this.open || m.u32[(at >> 2) + HEADER_SEQUENCE] !== this.sequence) {
      this.torn++;
      this.open = false;
      return false;
    }
    const take = Math.min(TEXT_BYTES_PER_RECORD, this.expected - this.filled);
    this.bytes.set(m.u8.subarray(at + TEXT_BYTES, at + TEXT_BYTES + take), this.filled);
    this.filled += take;
    this.open = (m.u16[(at >> 1) + HEADER_FLAGS]! & FLAG_MORE) !== 0;
    if (this.open) return false;
    if (this.filled < this.expected) this.torn++;
    return this.filled === this.expected;
  }

  text(): string {
    return this.decoder.decode(this.bytes.subarray(0, this.filled));
  }
}

export function isTextHead(m: RecordMemory, at: number): boolean {
  const kind = m.u16[(at >> 1) + HEADER_KIND];
  return kind === KIND_LOG_LINE || kind === KIND_CONTROL;
}

export function isText(m: RecordMemory, at: number): boolean {
  return m.u16[(at >> 1) + HEADER_KIND] === KIND_TEXT;
}
