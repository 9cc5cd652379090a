// Drains rings into the WAL. Writer lane; bounded: one staging buffer of batches per turn; per batch nothing
// but the copy. Inputs are served in the given order with equal shares, so put the never-drop ring first.
//
// A group (MORE … continuation) stays whole: a chunk ends at the last record without MORE, an unfinished
// group waits in its ring. Records are released only after the kernel has them; while the WAL is paused they
// stay, the rings fill, and their producers decide (orders: kill word; market data: counted Gap).
import { statfsSync } from "node:fs";
import { assert } from "../core/assert.ts";
import type { Clock } from "../core/clock.ts";
import { allocateRecordMemory, RECORD_BYTES, type RecordMemory } from "../core/record.ts";
import type { RingConsumer } from "../ring/spsc-ring.ts";
import {
  encodeGap,
  FLAG_END_OF_EVENT,
  FLAG_MORE,
  HEADER_FLAGS,
  HEADER_RECV_TS_NS,
} from "../wire/messages.gen.ts";
import { Unpacker } from "./unpacker.ts";
import type { WalWriter } from "./wal-writer.ts";

/** Gap.reason: the disk had too little free space; lostCount 0 opens the gap, the total closes it. */
export const GAP_DISK_LOW = 2;
const DISK_CHECK_NS = 1e9;
const NS_PER_US = 1000;
/** Per input: the header of its batch, and a Gap with its own. */
const SLOTS_BESIDE_RECORDS = 3;

export interface JournalInput {
  /** Written into every batch; 1 … 65535. */
  readonly streamId: number;
  readonly consumer: RingConsumer;
  /** Market data: given up when the disk runs low. Default false. */
  readonly sheddable?: boolean;
  /** The ring may hold packed levels, and no groups. Default false. */
  readonly packed?: boolean;
}

/** Records that come from the writer lane itself. */
export interface JournalSource {
  readonly streamId: number;
  readonly memory: RecordMemory;
  /** How many records are due; they stand at the start of `memory`. `last`: there is no later turn. */
  collect(nowNs: number, last: boolean): number;
  /** They are written; until then collect() is asked again. */
  written(nowNs: number): void;
}

export interface JournalAgentOptions {
  readonly writer: WalWriter;
  readonly inputs: readonly JournalInput[];
  readonly source?: JournalSource;
  /** Session time. */
  readonly clock: Clock;
  /** Free bytes below which sheddable inputs are not journalled; 0 = never. */
  readonly minFreeBytes?: number;
  /** The WAL's directory, for its free space. */
  readonly dir: string;
}

class Input {
  readonly streamId: number;
  readonly consumer: RingConsumer;
  readonly sheddable: boolean;
  readonly memory: RecordMemory;
  /** Byte offset of the ring's first slot. */
  readonly dataOffset: number;
  /** Null: the ring's slots are records. */
  readonly unpacker: Unpacker | null;
  /** Slots staged in this turn, released after the flush. */
  staged = 0;
  /** A group longer than a batch had to be split (it is written, not lost). */
  splitGroups = 0;
  shedding = false;
  shedTotal = 0;
  /** In the present gap. */
  shed = 0;
  /** lostCount of a Gap that is to be written, or −1. */
  pendingGap = -1;

  constructor(input: JournalInput, share: number) {
    this.unpacker = input.packed === true ? new Unpacker(input.consumer, share) : null;
    this.streamId = input.streamId;
    this.consumer = input.consumer;
    this.sheddable = input.sheddable ?? false;
    this.memory = input.consumer.memory;
    let least = input.consumer.offsetOf(0);
    for (let i = 1; i < input.consumer.capacity; i++) least = Math.min(least, input.consumer.offsetOf(i));
    this.dataOffset = least;
  }

  /** Records up to the end of the last complete group within `limit`. */
  completeRecords(limit: number): number {
    const seen = this.consumer.available();
    if (seen === 0) return 0;
    const complete = this.lastGroupEnd(Math.min(seen, limit));
    if (complete > 0) return complete;
    // The rest of the group may have been published since the cursor was last looked at.
    const available = this.consumer.availableNow();
    const most = Math.min(available, limit);
    const again = this.lastGroupEnd(most);
    if (again > 0 || (most === available && most < this.consumer.capacity)) return again;
    this.splitGroups++;
    return most;
  }

  private lastGroupEnd(most: number): number {
    const { u16 } = this.memory;
    for (let count = most; count > 0; count--)
      if ((u16[(this.consumer.offsetOf(count - 1) >> 1) + HEADER_FLAGS]! & FLAG_MORE) === 0) return count;
    return 0;
  }
}

export class JournalAgent {
  readonly name = "journal";
  /** Age of the oldest record at the moment it was written, last turn and worst, µs: what a kill would lose. */
  unackedWindowUs = 0;
  unackedWindowUsMax = 0;
  /** Slots left in the rings at the end: the WAL was paused, or a group was not finished. */
  unwritten = 0;
  private readonly writer: WalWriter;
  private readonly inputs: readonly Input[];
  private readonly clock: Clock;
  private readonly dir: string;
  private readonly minFreeBytes: number;
  private readonly gap: RecordMemory;
  private readonly source: JournalSource | null;
  private closing = false;
  /** Records of one input in one turn. */
  private readonly share: number;
  private diskLow = false;
  private nextDiskCheckNs = 0;

  constructor(options: JournalAgentOptions) {
    this.writer = options.writer;
    this.clock = options.clock;
    this.dir = options.dir;
    this.minFreeBytes = options.minFreeBytes ?? 0;
    this.gap = allocateRecordMemory(1);
    this.source = options.source ?? null;
    this.share = Math.floor(this.writer.maxBatchRecords / options.inputs.length) - SLOTS_BESIDE_RECORDS;
    assert(this.share > 0, "WAL staging buffer is too small for the number of inputs");
    this.inputs = options.inputs.map((input) => new Input(input, this.share));
  }

  /** Records written, or 0. While the WAL is paused: 0, and the records stay in their rings. */
  doWork(): number {
    this.writer.tick();
    if (!this.writer.ready()) {
      this.noteWindow();
      return 0;
    }
    if (this.minFreeBytes > 0) this.checkDisk();
    let staged = 0;
    for (let i = 0; i < this.inputs.length; i++) staged += this.stageInput(this.inputs[i]!, this.share);
    const own = this.stageSource();
    staged += own;
    if (staged === 0) return 0;
    const written = this.writer.flush();
    if (own > 0 && written) this.source!.written(this.clock.nowNs());
    // The window is read before the rings move on.
    this.noteWindow();
    this.finishTurn(written);
    return written ? staged : 0;
  }

  /** True when some ring holds records (true cursors): the last look before sleeping. */
  hasWork(): boolean {
    if (!this.writer.ready()) return false;
    for (let i = 0; i < this.inputs.length; i++) if (this.inputs[i]!.consumer.availableNow() > 0) return true;
    return false;
  }

  /** Opens the WAL. A failure shows in the writer's status; doWork retries. */
  onStart(): void {
    this.writer.open();
  }

  /** Drains what is left and closes the WAL; what cannot be written is counted in `unwritten`. */
  onClose(): void {
    this.writer.retryNow();
    while (this.hasWork() && this.doWork() > 0);
    this.diskLow = false;
    this.nextDiskCheckNs = Number.POSITIVE_INFINITY;
    this.closing = true;
    this.doWork();
    for (const input of this.inputs) this.unwritten += input.consumer.availableNow();
    this.writer.close();
  }

  /** Records that were given up because the disk ran low. */
  get shedRecords(): number {
    return this.inputs.reduce((sum, input) => sum + input.shedTotal, 0);
  }

  /** Groups that did not fit into one batch. */
  get splitGroups(): number {
    return this.inputs.reduce((sum, input) => sum + input.splitGroups, 0);
  }

  /** True while market data is not journalled for want of disk space. */
  get shedding(): boolean {
    return this.diskLow;
  }

  private stageInput(input: Input, share: number): number {
    const shed = input.sheddable && this.diskLow;
    if (shed !== input.shedding) {
      input.shedding = shed;
      input.pendingGap = shed ? 0 : input.shed;
      input.shed = 0;
    }
    const gaps = input.pendingGap >= 0 ? this.stageGap(input) : 0;
    return gaps + (shed ? this.shed(input) : this.stageRecords(input, share));
  }

  /** Only where they find room beside the rings' records. */
  private stageSource(): number {
    if (this.source === null || this.diskLow) return 0;
    const count = this.source.collect(this.clock.nowNs(), this.closing);
    if (count === 0 || count > this.writer.room()) return 0;
    this.writer.stage(this.source.streamId, this.source.memory, 0, count, 0, count);
    return count;
  }

  private stageRecords(input: Input, share: number): number {
    if (input.unpacker !== null) return this.stageUnpacked(input, input.unpacker);
    const count = input.completeRecords(share);
    if (count === 0) return 0;
    const offset = input.consumer.offsetOf(0);
    const toEnd = input.consumer.capacity - (offset - input.dataOffset) / RECORD_BYTES;
    this.writer.stage(input.streamId, input.memory, offset, Math.min(count, toEnd), input.dataOffset, count);
    input.staged = count;
    return count;
  }

  private stageUnpacked(input: Input, unpacker: Unpacker): number {
    unpacker.take();
    const { records } = unpacker;
    if (records > 0) this.writer.stage(input.streamId, unpacker.memory, 0, records, 0, records);
    input.staged = unpacker.slots;
    return records;
  }

  private finishTurn(written: boolean): void {
    for (let i = 0; i < this.inputs.length; i++) {
      const input = this.inputs[i]!;
      if (input.staged > 0 && written) input.consumer.release(input.staged);
      if (written) input.pendingGap = -1;
      input.staged = 0;
    }
  }

  private noteWindow(): void {
    const nowNs = this.clock.nowNs();
    let oldest = nowNs;
    for (let i = 0; i < this.inputs.length; i++) {
      const { consumer, memory } = this.inputs[i]!;
      if (consumer.available() === 0) continue;
      const recvTsNs = memory.f64[(consumer.offsetOf(0) >> 3) + HEADER_RECV_TS_NS]!;
      if (recvTsNs > 0 && recvTsNs < oldest) oldest = recvTsNs;
    }
    this.unackedWindowUs = (nowNs - oldest) / NS_PER_US;
    if (this.unackedWindowUs > this.unackedWindowUsMax) this.unackedWindowUsMax = this.unackedWindowUs;
  }

  private checkDisk(): void {
    const nowNs = this.clock.nowNs();
    if (nowNs < this.nextDiskCheckNs) return;
    this.nextDiskCheckNs = nowNs + DISK_CHECK_NS;
    try {
      const disk = statfsSync(this.dir);
      this.diskLow = disk.bavail * disk.bsize < this.minFreeBytes;
    } catch {
      // No answer about the space: the writes themselves will tell.
    }
  }

  private shed(input: Input): number {
    const { consumer, unpacker } = input;
    unpacker?.take();
    const slots = unpacker === null ? consumer.available() : unpacker.slots;
    const count = unpacker === null ? slots : unpacker.records;
    if (slots > 0) consumer.release(slots);
    input.shed += count;
    input.shedTotal += count;
    return count;
  }

  private stageGap(input: Input): number {
    const nowNs = this.clock.nowNs();
    const lost = input.pendingGap;
    encodeGap(this.gap, 0, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, nowNs, 0, lost, input.streamId, GAP_DISK_LOW);
    this.writer.stage(input.streamId, this.gap, 0, 1, 0, 1);
    return 1;
  }
}
