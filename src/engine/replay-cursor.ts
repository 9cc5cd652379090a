// One stream of one session, record by record, in WAL order: a pull reader, so that several streams can be
// walked side by side in bounded memory (one window each). What is damaged or missing ends the stream. Cold.
import { RECORD_BYTES, type RecordMemory } from "../core/record.ts";
import { SegmentScanner, scanWindow } from "../journal/segment-scanner.ts";
import type { SegmentFile } from "../journal/wal-reader.ts";
import { HEADER_KIND, KIND_GAP } from "../wire/messages.gen.ts";

export class StreamCursor {
  readonly stream: number;
  /** Of the record at hand. */
  position: number;
  at: number;
  /** Why the stream ended before its time; "" = it did not. */
  trouble: string;
  private readonly segments: readonly SegmentFile[];
  private readonly window: RecordMemory;
  private scanner: SegmentScanner | null;
  private segment: number;
  private left: number;
  private expected: number;

  /** `segments`: of one session, in order. */
  constructor(segments: readonly SegmentFile[], stream: number) {
    this.stream = stream;
    this.position = segments[0]?.header?.firstPosition ?? 0;
    this.at = 0;
    this.trouble = "";
    this.segments = segments;
    this.window = scanWindow();
    this.scanner = null;
    this.segment = 0;
    this.left = 0;
    this.expected = this.position;
    this.nextBatch();
  }

  get memory(): RecordMemory {
    return this.window;
  }

  /** True while a record is at hand. */
  get has(): boolean {
    return this.left > 0;
  }

  get kind(): number {
    return this.window.u16[(this.at >> 1) + HEADER_KIND]!;
  }

  get isGap(): boolean {
    return this.has && this.kind === KIND_GAP;
  }

  advance(): void {
    this.left--;
    this.at += RECORD_BYTES;
    this.position++;
    if (this.left === 0) this.nextBatch();
  }

  close(): void {
    this.scanner?.close();
    this.scanner = null;
    this.left = 0;
  }

  private nextBatch(): void {
    while (this.trouble === "") {
      if (this.scanner === null && !this.openSegment()) return;
      const scanner = this.scanner!;
      if (!scanner.advance()) {
        this.endSegment(scanner);
        continue;
      }
      const { batch } = scanner;
      if (batch.position !== this.expected) {
        this.stopAt(`position ${this.expected} is missing in ${scanner.file}`);
        return;
      }
      this.expected = batch.position + batch.count;
      if (batch.stream !== this.stream) continue;
      this.at = batch.at;
      this.left = batch.count;
      this.position = batch.position;
      return;
    }
  }

  private openSegment(): boolean {
    const found = this.segments[this.segment];
    if (found === undefined) return false;
    this.scanner = new SegmentScanner(found.file, this.window);
    return true;
  }

  /** Torn at the very end: a kill. Anywhere else records are lost. */
  private endSegment(scanner: SegmentScanner): void {
    const last = this.segment === this.segments.length - 1;
    const bad = scanner.bad.find((b) => b.kind === "corrupt" || !last);
    scanner.close();
    this.scanner = null;
    this.segment++;
    if (bad !== undefined) this.stopAt(`${scanner.file} at ${bad.offset}: ${bad.reason}`);
  }

  private stopAt(why: string): void {
    this.trouble = why;
    this.position = this.expected;
    this.left = 0;
  }
}
