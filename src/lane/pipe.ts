// Sinks that need no ring of their own. Owning lane: whichever builds them; hot; 0 bytes per record; O(1).
//
//   FusedPipe       commit delivers to a handler in the same lane (backtest, `fused`)
//   JournaledPipe   claimed in the journal ring, delivered to the handler, then published to the writer lane
//   TeeSink         one encoded record to a primary sink and a copy to a journal
//
// A pipe may be used while another pipe is delivering (feed → factor → execution run nested). Using a pipe
// from inside its own delivery is allowed for fewer records than it has slots.
import { assert } from "../core/assert.ts";
import type { LevelRun } from "../core/level-run.ts";
import {
  allocateRecordMemory,
  copyRecord,
  deliver,
  RECORD_BYTES,
  type RecordHandler,
  type RecordMemory,
  type RunSink,
} from "../core/record.ts";
import { HEADER_SPARE } from "../wire/messages.gen.ts";
import type { JournalSink } from "./journal-sink.ts";

const PIPE_SLOTS = 8;

/** Anything that counts records mod 2^32: a RingConsumer, a RingProducer, a FusedPipe, an agent. */
export interface SequenceSource {
  readonly sequence: number;
}

/** Delivers each committed record to a handler at once; never full. */
export class FusedPipe implements RunSink {
  readonly memory: RecordMemory;
  /** One by one: a handler may use this pipe while it is delivering. */
  readonly runLength: number;
  readonly takesLevels: boolean;
  private readonly base: number;
  private readonly mask: number;
  private readonly handler: RecordHandler;
  private next: number;

  /** `slots`: power of two; at `offset` (a multiple of RECORD_BYTES) of `memory`, by default its own memory. */
  constructor(
    handler: RecordHandler,
    memory: RecordMemory = allocateRecordMemory(PIPE_SLOTS),
    offset = 0,
    slots = PIPE_SLOTS,
  ) {
    assert(slots >= 2 && (slots & (slots - 1)) === 0, "pipe slots must be a power of two");
    assert(offset % RECORD_BYTES === 0, "pipe slots must be record aligned");
    this.memory = memory;
    this.base = offset;
    this.mask = slots - 1;
    this.handler = handler;
    this.runLength = 1;
    this.takesLevels = handler.onLevels !== undefined;
    this.next = 0;
  }

  hasRoom(_count: number): boolean {
    return true;
  }

  tryClaim(): number {
    return this.base + (this.next & this.mask) * RECORD_BYTES;
  }

  commit(): void {
    const at = this.base + (this.next & this.mask) * RECORD_BYTES;
    this.next = (this.next + 1) | 0;
    this.handler.onRecord(this.memory, at);
  }

  tryClaimRun(_count: number): number {
    return this.tryClaim();
  }

  commitRun(): void {
    this.commit();
  }

  levels(run: LevelRun): void {
    this.next = (this.next + run.count) | 0;
    this.handler.onLevels!(run);
  }

  publish(): void {
    if (this.handler.onBatchEnd !== undefined) this.handler.onBatchEnd();
  }

  /** Records delivered, mod 2^32. */
  get sequence(): number {
    return this.next >>> 0;
  }
}

/**
 * What logic observes asynchronously: encoded in the journal, delivered to the handler by commit, visible to
 * the writer lane by publish. Outputs that the handler writes to the same journal while a record is being
 * delivered follow it there, so journal order is the order of cause and effect. A full journal never stops
 * delivery: the record then lives in a scratch slot and the journal counts it and raises its alarm.
 */
export class JournaledPipe implements RunSink {
  readonly memory: RecordMemory;
  private readonly journal: JournalSink;
  private readonly handler: RecordHandler;
  private readonly upstream: SequenceSource | null;
  /** A stamp of `upstream` needs records. */
  readonly takesLevels: boolean;
  private claimed: number;

  /** `upstream`: counts the records that the header's `spare` is stamped with; null leaves it to the caller. */
  constructor(journal: JournalSink, handler: RecordHandler, upstream: SequenceSource | null) {
    this.memory = journal.memory;
    this.journal = journal;
    this.handler = handler;
    this.upstream = upstream;
    this.takesLevels = handler.onLevels !== undefined && upstream === null;
    this.claimed = 0;
  }

  /** Delivery always has room; `journal.hasRoom` tells about the journal. */
  hasRoom(_count: number): boolean {
    return true;
  }

  tryClaim(): number {
    this.claimed = this.journal.tryClaim();
    return this.claimed;
  }

  commit(): void {
    const at = this.claimed;
    if (this.upstream !== null) this.memory.u32[(at >> 2) + HEADER_SPARE] = this.upstream.sequence;
    this.journal.commit();
    this.handler.onRecord(this.memory, at);
  }

  get runLength(): number {
    return this.journal.runLength;
  }

  tryClaimRun(count: number): number {
    this.claimed = this.journal.tryClaimRun(count);
    return this.claimed;
  }

  commitRun(): void {
    const at = this.claimed;
    const count = this.journal.runLength;
    for (let i = 0; this.upstream !== null && i < count; i++)
      this.memory.u32[((at + i * RECORD_BYTES) >> 2) + HEADER_SPARE] = this.upstream.sequence;
    this.journal.commitRun();
    deliver(this.handler, this.memory, at, count);
  }

  levels(run: LevelRun): void {
    this.journal.levels(run);
    this.handler.onLevels!(run);
  }

  publish(): void {
    this.journal.publish();
    if (this.handler.onBatchEnd !== undefined) this.handler.onBatchEnd();
  }
}

/** One encoded record to `primary` and a copy to `journal`. Room is the primary's: a full journal counts. */
export class TeeSink implements RunSink {
  readonly memory: RecordMemory;
  private readonly primary: RunSink;
  private readonly journal: JournalSink;
  private claimed: number;

  constructor(primary: RunSink, journal: JournalSink) {
    this.memory = primary.memory;
    this.primary = primary;
    this.journal = journal;
    this.claimed = 0;
  }

  hasRoom(count: number): boolean {
    return this.primary.hasRoom(count);
  }

  tryClaim(): number {
    this.claimed = this.primary.tryClaim();
    return this.claimed;
  }

  /** The copy is made first: a fused primary delivers in its commit and the slot may be reused after it. */
  commit(): void {
    const journal = this.journal;
    copyRecord(this.memory, this.claimed, journal.memory, journal.tryClaim());
    journal.commit();
    this.primary.commit();
  }

  get runLength(): number {
    return this.primary.runLength;
  }

  tryClaimRun(count: number): number {
    this.claimed = this.primary.tryClaimRun(count);
    return this.claimed;
  }

  commitRun(): void {
    const { journal, claimed } = this;
    const count = this.primary.runLength;
    for (let done = 0; done < count; done += journal.runLength) {
      const to = journal.tryClaimRun(count - done);
      for (let i = 0; i < journal.runLength; i++)
        copyRecord(this.memory, claimed + (done + i) * RECORD_BYTES, journal.memory, to + i * RECORD_BYTES);
      journal.commitRun();
    }
    this.primary.commitRun();
  }

  publish(): void {
    this.journal.publish();
    this.primary.publish();
  }
}
