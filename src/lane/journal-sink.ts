// The producing end of a ring to the writer lane, which never refuses: what does not fit is counted and
// marked by one Gap record when there is room again. Hot; any lane; 0 bytes per record; O(1).
//
// A run (head record with MORE and its continuations) enters the ring whole or not at all: the decision is
// made at its head, where `runRoom` records must fit. The Gap is written before the first record after the
// loss, or by publish, so it stands exactly where the records are missing.
import { assert } from "../core/assert.ts";
import type { LevelRun } from "../core/level-run.ts";
import { NO_SLOT, RECORD_BYTES, type RecordMemory, type RunSink } from "../core/record.ts";
import { type RingProducer, SCRATCH_SLOTS } from "../ring/spsc-ring.ts";
import { encodeLevel, PACKED_LEVELS_MAX, packedSlots, packLevels } from "../wire/level-records.ts";
import {
  encodeGap,
  FLAG_CONTINUATION,
  FLAG_END_OF_EVENT,
  FLAG_MORE,
  HEADER_FLAGS,
  HEADER_RECV_TS_NS,
  HEADER_SEQUENCE,
} from "../wire/messages.gen.ts";

/** Records that a head and its continuations may need; a longer run may be torn (and is counted). */
const RUN_ROOM = 16;
/** Room is asked for this many records at a time. */
const CLEAR_RECORDS = 64;
/** Gap.reason: the ring was full. */
export const GAP_RING_FULL = 1;

export interface JournalSinkOptions {
  /** Number of this stream in Gap records. */
  readonly stream: number;
  /** Stamp the header's sequence (one number per run); false leaves the caller's. */
  readonly stampSequence: boolean;
  /** Called at the first lost record, then not before a Gap was written. The never-drop ring kills here. */
  readonly onFull?: () => void;
  readonly runRoom?: number;
}

export class JournalSink implements RunSink {
  readonly memory: RecordMemory;
  runLength: number;
  private readonly ring: RingProducer;
  private readonly stream: number;
  private readonly stampSequence: boolean;
  private readonly onFull: (() => void) | null;
  private readonly runRoom: number;
  private scratchNext: number;
  private claimed: number;
  private inScratch: boolean;
  /** Records that surely fit, with room for a run behind them: no question is asked before they are used up. */
  private clear: number;
  private nextSequence: number;
  private gapFirst: number;
  private gapCount: number;
  private gapTsNs: number;
  private lostTotal: number;

  constructor(ring: RingProducer, options: JournalSinkOptions) {
    const runRoom = options.runRoom ?? Math.min(RUN_ROOM, ring.capacity >> 1);
    assert(runRoom >= 1 && runRoom < ring.capacity, "journal ring is smaller than one run");
    this.memory = ring.memory;
    this.ring = ring;
    this.stream = options.stream;
    this.stampSequence = options.stampSequence;
    this.onFull = options.onFull ?? null;
    this.runRoom = runRoom;
    this.scratchNext = 0;
    this.claimed = ring.scratchOffset;
    this.inScratch = false;
    this.clear = 0;
    this.runLength = 0;
    this.nextSequence = 0;
    this.gapFirst = 0;
    this.gapCount = 0;
    this.gapTsNs = 0;
    this.lostTotal = 0;
  }

  /** Whether `count` records would be journalled, a pending Gap included. */
  hasRoom(count: number): boolean {
    const wanted = Math.max(count, this.runRoom);
    return this.ring.hasRoom(this.gapCount > 0 ? wanted + 1 : wanted);
  }

  /** Never NO_SLOT. */
  tryClaim(): number {
    if (this.clear === 0) return this.claimCarefully();
    this.clear--;
    this.claimed = this.ring.tryClaim();
    return this.claimed;
  }

  private claimCarefully(): number {
    if (!this.inRun()) {
      this.inScratch = !this.hasRoom(1);
      if (!this.inScratch && this.gapCount > 0) this.writeGap();
      if (!this.inScratch && this.ring.hasRoom(this.runRoom + CLEAR_RECORDS)) this.clear = CLEAR_RECORDS - 1;
    }
    if (!this.inScratch) {
      const at = this.ring.tryClaim();
      if (at !== NO_SLOT) {
        this.claimed = at;
        return at;
      }
      this.inScratch = true;
    }
    // Slots rotate: a record that is being delivered survives the outputs that its handler loses too.
    this.claimed = this.ring.scratchOffset + this.scratchNext * RECORD_BYTES;
    this.scratchNext = (this.scratchNext + 1) & (SCRATCH_SLOTS - 1);
    return this.claimed;
  }

  commit(): void {
    if (this.stampSequence) this.stamp();
    if (this.inScratch) this.lose(this.claimed);
    else this.ring.commit();
  }

  /** Records that surely fit come as one run; else, and behind a Gap, one by one. */
  tryClaimRun(count: number): number {
    if (this.gapCount > 0 || this.inRun() || !this.ring.hasRoom(count + this.runRoom)) {
      this.runLength = 1;
      return this.tryClaim();
    }
    this.clear = 0;
    this.inScratch = false;
    this.claimed = this.ring.tryClaimRun(count);
    this.runLength = this.ring.runLength;
    return this.claimed;
  }

  commitRun(): void {
    const count = this.runLength;
    if (count === 1) {
      this.commit();
      return;
    }
    const first = this.claimed;
    for (let i = 0; this.stampSequence && i < count; i++) {
      this.claimed = first + i * RECORD_BYTES;
      this.stamp();
    }
    this.claimed = first + (count - 1) * RECORD_BYTES;
    this.ring.commitRun();
  }

  /**
   * The levels of one message, packed where they surely fit; else, and behind a Gap, as records. WRITER makes records
   * of both, so the order, the numbers and the losses are the same.
   */
  levels(run: LevelRun): void {
    for (let done = 0; done < run.count; ) {
      const some = Math.min(run.count, done + PACKED_LEVELS_MAX);
      if (this.stampSequence || !this.claimPacked(packedSlots(some - done))) {
        this.levelRecord(run, done++);
        continue;
      }
      packLevels(run, done, some, this.memory, this.claimed);
      this.ring.commitRun();
      done = some;
    }
  }

  private claimPacked(slots: number): boolean {
    if (this.gapCount > 0 || this.inRun() || !this.ring.hasRoom(slots + this.runRoom)) return false;
    const at = this.ring.tryClaimRun(slots);
    // Before the ring's end there may be less: records fill it.
    if (this.ring.runLength < slots) return false;
    this.clear = 0;
    this.inScratch = false;
    this.claimed = at;
    return true;
  }

  private levelRecord(run: LevelRun, k: number): void {
    encodeLevel(run, k, this.memory, this.tryClaim());
    this.commit();
  }

  /** A head takes the next number; its continuations repeat it. */
  private stamp(): void {
    const m = this.memory;
    const at = this.claimed;
    if ((m.u16[(at >> 1) + HEADER_FLAGS]! & FLAG_CONTINUATION) === 0)
      this.nextSequence = (this.nextSequence + 1) | 0;
    m.i32[(at >> 2) + HEADER_SEQUENCE] = this.nextSequence;
  }

  /** Whether the last record has continuations to come. Its slot is the producer's until the ring wraps. */
  private inRun(): boolean {
    return (this.memory.u16[(this.claimed >> 1) + HEADER_FLAGS]! & FLAG_MORE) !== 0;
  }

  publish(): void {
    if (this.gapCount > 0 && !this.inRun() && this.ring.hasRoom(this.runRoom + 1)) this.writeGap();
    this.ring.publish();
  }

  /** Records that never entered the ring. */
  get lost(): number {
    return this.lostTotal;
  }

  /** True from the first lost record until its Gap is written. */
  get full(): boolean {
    return this.gapCount > 0;
  }

  /** Records committed to the ring, mod 2^32. */
  get sequence(): number {
    return this.ring.sequence;
  }

  private lose(at: number): void {
    this.lostTotal++;
    this.gapTsNs = this.memory.f64[(at >> 3) + HEADER_RECV_TS_NS]!;
    if (this.gapCount++ > 0) return;
    this.gapFirst = this.memory.u32[(at >> 2) + HEADER_SEQUENCE]!;
    if (this.onFull !== null) this.onFull();
  }

  private writeGap(): void {
    const at = this.ring.tryClaim();
    if (this.stampSequence) this.nextSequence = (this.nextSequence + 1) | 0;
    const sequence = this.stampSequence ? this.nextSequence : this.gapFirst;
    encodeGap(
      this.memory,
      at,
      FLAG_END_OF_EVENT,
      0,
      0,
      sequence,
      0,
      0,
      this.gapTsNs,
      this.gapFirst,
      this.gapCount,
      this.stream,
      GAP_RING_FULL,
    );
    this.ring.commit();
    this.gapCount = 0;
  }
}
