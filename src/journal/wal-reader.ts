// Reads a directory of segments, over all sessions, in the order of their positions. Every batch is checked;
// what is damaged or missing is reported in `problems`, never skipped in silence. Cold code.
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { RECORD_BYTES, type RecordHandler } from "../core/record.ts";
import { HEADER_KIND } from "../wire/messages.gen.ts";
import {
  decodeSegmentHeader,
  parseSegmentFileName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./segment.ts";
import { SegmentScanner, scanWindow, type WalBatch } from "./segment-scanner.ts";

export interface SegmentFile {
  readonly file: string;
  readonly session: string;
  readonly index: number;
  /** null when the header is not valid (a kill while the file was made, or damage). */
  readonly header: SegmentHeader | null;
}

export type WalProblemKind =
  /** The end of a session's last segment holds a batch that was not completed: expected after a kill. */
  | "torn"
  /** Bytes in the middle are damaged: records are lost. */
  | "corrupt"
  /** Positions are missing between two batches, or a segment file between two others. */
  | "gap"
  /** Positions that were given out twice. */
  | "overlap";

export interface WalProblem {
  readonly kind: WalProblemKind;
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  /** Records known to be missing; −1 when unknown. */
  readonly records: number;
  readonly reason: string;
}

export interface ReadFilter {
  /** Stream numbers; all when absent. */
  readonly streams?: ReadonlySet<number>;
  /** Message kinds; all when absent. */
  readonly kinds?: ReadonlySet<number>;
  /** WAL positions, from inclusive, to exclusive. */
  readonly from?: number;
  readonly to?: number;
}

/** Called per batch, in position order; `batch` is valid during the call. */
export type BatchVisitor = (
  batch: WalBatch,
  segment: SegmentFile & { readonly header: SegmentHeader },
) => void;

export interface ReadResult {
  /** Position after the last valid record; 0 for an empty directory. */
  readonly end: number;
  readonly problems: readonly WalProblem[];
  /** Per segment that was read: bytes up to the end of its last valid batch. */
  readonly validEnds: ReadonlyMap<string, number>;
}

/** The segments of a directory in position order. Throws the file system's error. */
export function listSegments(dir: string): SegmentFile[] {
  const files: SegmentFile[] = [];
  for (const name of readdirSync(dir)) {
    const parsed = parseSegmentFileName(name);
    if (parsed === null) continue;
    const file = join(dir, name);
    files.push({ file, session: parsed.session, index: parsed.index, header: readHeader(file) });
  }
  // Sessions by their first position (names carry the wall clock, which may step back), then by index.
  const starts = new Map<string, number>();
  for (const { session, header } of files)
    if (header !== null)
      starts.set(session, Math.min(starts.get(session) ?? header.firstPosition, header.firstPosition));
  const start = (segment: SegmentFile): number => starts.get(segment.session) ?? Number.POSITIVE_INFINITY;
  return files.sort(
    (a, b) => compare(start(a), start(b)) || compare(a.session, b.session) || a.index - b.index,
  );
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

function readHeader(file: string): SegmentHeader | null {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const fd = openSync(file, "r");
  try {
    const header = decodeSegmentHeader(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)));
    return typeof header === "string" ? null : header;
  } finally {
    closeSync(fd);
  }
}

/** Reads every batch of `dir` once. Damage does not stop the walk. */
export function readWal(dir: string, visit: BatchVisitor, filter: ReadFilter = {}): ReadResult {
  return readSegments(listSegments(dir), visit, filter);
}

/** `after`: what has been read already, so that the seam is checked as well. */
export function readSegments(
  segments: readonly SegmentFile[],
  visit: BatchVisitor,
  filter: ReadFilter = {},
  after: { readonly end: number; readonly last: SegmentFile } | null = null,
): ReadResult {
  const walk = new Walk(visit, filter, after);
  segments.forEach((segment, i) => {
    if (!walk.skips(segment, segments[i + 1])) walk.read(segment, segments[i + 1]);
  });
  return { end: walk.end, problems: walk.problems, validEnds: walk.validEnds };
}

class Walk {
  readonly problems: WalProblem[] = [];
  readonly validEnds = new Map<string, number>();
  end = 0;
  private started: boolean;
  private previous: SegmentFile | null;
  private readonly window = scanWindow();
  private readonly visit: BatchVisitor;
  private readonly filter: ReadFilter;

  constructor(
    visit: BatchVisitor,
    filter: ReadFilter,
    after: { readonly end: number; readonly last: SegmentFile } | null,
  ) {
    this.visit = visit;
    this.filter = filter;
    this.started = after !== null;
    this.previous = after?.last ?? null;
    this.end = after?.end ?? 0;
  }

  /** Segments wholly outside the wanted positions need not be opened. */
  skips(segment: SegmentFile, next: SegmentFile | undefined): boolean {
    const { from = 0, to = Number.POSITIVE_INFINITY } = this.filter;
    if (segment.header === null) return false;
    const nextFirst = next?.header?.firstPosition;
    return segment.header.firstPosition >= to || (nextFirst !== undefined && nextFirst <= from && from > 0);
  }

  read(segment: SegmentFile, next: SegmentFile | undefined): void {
    const scanner = new SegmentScanner(segment.file, this.window);
    try {
      this.checkOrder(segment);
      if (!this.started && segment.header !== null) {
        this.started = true;
        this.end = segment.header.firstPosition;
      }
      const lastOfSession = next === undefined || next.session !== segment.session;
      while (scanner.advance()) {
        this.reportBad(scanner, lastOfSession);
        this.take(scanner.batch, segment as SegmentFile & { header: SegmentHeader });
      }
      this.reportBad(scanner, lastOfSession);
      this.validEnds.set(segment.file, scanner.validEnd);
    } finally {
      scanner.close();
    }
  }

  /** Empties the scanner's list of bad ranges into `problems`. */
  private reportBad(scanner: SegmentScanner, lastOfSession: boolean): void {
    for (const bad of scanner.bad.splice(0)) {
      const kind = bad.kind === "torn" && lastOfSession ? "torn" : "corrupt";
      this.problems.push({ ...bad, kind, file: scanner.file, records: -1 });
    }
  }

  private checkOrder(segment: SegmentFile): void {
    const { previous } = this;
    this.previous = segment;
    const expected = previous?.session === segment.session ? previous.index + 1 : 0;
    // The first segments of a directory may have been given up on purpose (retention).
    if (previous === null || segment.index === expected || !this.wantsAll()) return;
    const reason = `segment ${segment.index} of session ${segment.session}, expected ${expected}`;
    this.problems.push({ kind: "gap", file: segment.file, offset: 0, bytes: 0, records: -1, reason });
  }

  private take(batch: WalBatch, segment: SegmentFile & { readonly header: SegmentHeader }): void {
    if (batch.position !== this.end) this.reportJump(batch, segment);
    this.end = Math.max(this.end, batch.position + batch.count);
    const { from = 0, to = Number.POSITIVE_INFINITY, streams } = this.filter;
    if (batch.position + batch.count <= from || batch.position >= to) return;
    if (streams === undefined || streams.has(batch.stream)) this.visit(batch, segment);
  }

  private reportJump(batch: WalBatch, segment: SegmentFile): void {
    const records = batch.position - this.end;
    const kind = records > 0 ? "gap" : "overlap";
    const reason = `position ${batch.position}, expected ${this.end}`;
    this.problems.push({ kind, file: segment.file, offset: batch.fileOffset, bytes: 0, records, reason });
  }

  private wantsAll(): boolean {
    return this.filter.from === undefined && this.filter.to === undefined;
  }
}

/** One record of a walk; the same object for every call. */
export interface RecordPlace {
  position: number;
  stream: number;
  segment: SegmentFile & { readonly header: SegmentHeader };
}

/** Like readWal, per record: `handler.onRecord` after `place` was set. Groups stay whole and in order. */
export function readRecords(
  dir: string,
  handler: RecordHandler,
  place: Partial<RecordPlace>,
  filter: ReadFilter = {},
): ReadResult {
  const { from = 0, to = Number.POSITIVE_INFINITY, kinds } = filter;
  return readWal(
    dir,
    (batch, segment) => {
      place.stream = batch.stream;
      place.segment = segment;
      for (let i = 0; i < batch.count; i++) {
        const position = batch.position + i;
        if (position < from || position >= to) continue;
        const at = batch.at + i * RECORD_BYTES;
        if (kinds !== undefined && !kinds.has(batch.memory.u16[(at >> 1) + HEADER_KIND]!)) continue;
        place.position = position;
        handler.onRecord(batch.memory, at);
      }
    },
    filter,
  );
}
