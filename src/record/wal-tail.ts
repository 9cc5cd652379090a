// Follows a WAL that is being written: batch after batch in position order, over segments and sessions, and null when
// there is nothing whole yet. Damage in the middle is passed over and told, never silently.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type SegmentHeader, segmentFileName } from "../journal/segment.ts";
import { type BadRange, SegmentScanner, scanWindow, type WalBatch } from "../journal/segment-scanner.ts";
import { listSegments, type SegmentFile } from "../journal/wal-reader.ts";

/** Up to where the WAL has been taken. */
export interface TailStart {
  readonly session: string;
  /** Position of the next record. */
  readonly position: number;
  /** Decimal: when the session's WAL was made, ns since the epoch; decides when its segments are gone. */
  readonly createdUnixNs: string;
}

export interface TailProblem extends BadRange {
  readonly file: string;
}

type Segment = SegmentFile & { readonly header: SegmentHeader };

/** How often a directory without news is listed. */
const LIST_MS = 1000;

export class WalTail {
  readonly dir: string;
  /** Emptied by who reads it. */
  readonly problems: TailProblem[] = [];
  private readonly window = scanWindow();
  private start: TailStart | null;
  private scanner: SegmentScanner | null = null;
  private current: Segment | null = null;
  private listedMs = Number.NEGATIVE_INFINITY;
  private readonly nowMs: () => number;

  constructor(dir: string, start: TailStart | null, nowMs: () => number = () => performance.now()) {
    this.dir = dir;
    this.start = start;
    this.nowMs = nowMs;
  }

  /** Whether a part of the session at hand had been taken before the start. */
  get isResumed(): boolean {
    return this.start !== null && this.current!.session === this.start.session;
  }

  /** Of the batch that was returned last. */
  get segment(): Segment {
    return this.current!;
  }

  /**
   * The next batch, valid until the next call; null: nothing whole follows yet. `over`: nobody writes any more, so the
   * directory is looked at whenever a file ends.
   */
  next(over: boolean): WalBatch | null {
    for (;;) {
      const { scanner } = this;
      if (scanner === null) {
        if (!this.openNext(over)) return null;
        continue;
      }
      if (scanner.advanceWhole()) {
        if (this.isTaken(scanner.batch)) continue;
        return scanner.batch;
      }
      const succeeded = this.hasSuccessor(over);
      if (!succeeded && !over) return null;
      // Closed for good: what is not whole now never will be.
      const more = scanner.advance();
      this.reportBad(scanner);
      if (more && !this.isTaken(scanner.batch)) return scanner.batch;
      if (more) continue;
      if (!succeeded) return null;
      this.closeScanner();
    }
  }

  close(): void {
    this.closeScanner();
  }

  private isTaken(batch: WalBatch): boolean {
    const { start, current } = this;
    return start !== null && current!.session === start.session && batch.position < start.position;
  }

  /** Torn is only the end of a session, as in WalReader: what another segment of it follows was whole once. */
  private reportBad(scanner: SegmentScanner): void {
    if (scanner.bad.length === 0) return;
    const last = !this.sessionGoesOn();
    for (const bad of scanner.bad.splice(0))
      this.problems.push({
        ...bad,
        kind: bad.kind === "torn" && last ? "torn" : "corrupt",
        file: scanner.file,
      });
  }

  private closeScanner(): void {
    this.scanner?.close();
    this.scanner = null;
  }

  /** Another segment follows the open one: of the same session, or of a later one. */
  private hasSuccessor(over: boolean): boolean {
    const { current } = this;
    if (current === null) return false;
    if (this.sessionGoesOn()) return true;
    return (over || this.mayList()) && this.following(this.segments()) !== undefined;
  }

  private sessionGoesOn(): boolean {
    const { session, index } = this.current!;
    return existsSync(join(this.dir, segmentFileName(session, 0, index + 1)));
  }

  private mayList(): boolean {
    const now = this.nowMs();
    if (now - this.listedMs < LIST_MS) return false;
    this.listedMs = now;
    return true;
  }

  private openNext(over: boolean): boolean {
    if (this.current === null && !over && !this.mayList()) return false;
    const next = this.following(this.segments());
    if (next === undefined) return false;
    this.current = next;
    this.scanner = new SegmentScanner(next.file, this.window);
    return true;
  }

  /** A segment without a header is being made, or was never begun: it holds nothing. */
  private segments(): Segment[] {
    if (!existsSync(this.dir)) return [];
    return listSegments(this.dir).filter((s): s is Segment => s.header !== null);
  }

  private following(segments: readonly Segment[]): Segment | undefined {
    const { current, start } = this;
    if (current !== null) return segments[segments.findIndex((s) => s.file === current.file) + 1];
    if (start === null) return segments[0];
    const same = segments.filter((s) => s.session === start.session);
    // The last one that begins at or before the wanted position.
    const begun = same.findLast((s) => s.header.firstPosition <= start.position) ?? same[0];
    if (begun !== undefined) return begun;
    return segments.find((s) => s.header.createdUnixNs > BigInt(start.createdUnixNs));
  }
}
