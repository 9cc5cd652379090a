// Appends batches of records to the WAL. Writer lane; per batch: one copy into the staging buffer, one crc,
// one write for all batches of a turn; nothing per record, no garbage but two views per chunk.
//
// Nothing is acknowledged before the kernel has it: `flush` returns true, then the caller gives its records
// back to their rings. When the disk is full or gone the writer pauses with the reason in `status`, the
// records stay in the rings, and every retry starts at the last committed byte, so a half-written batch is
// overwritten, never followed.
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../core/assert.ts";
import type { Clock } from "../core/clock.ts";
import { RECORD_BYTES, RecordMemory } from "../core/record.ts";
import { SCHEMA_VERSION } from "../wire/messages.gen.ts";
import {
  BATCH_COUNT_U32,
  BATCH_CRC_U32,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_NONCE_U32,
  BATCH_SEGMENT_U32,
  BATCH_STREAM_U32,
  BATCH_WRITTEN_F64,
  encodeSegmentHeader,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  SEGMENT_HEADER_BYTES,
  segmentFileName,
  setBatchPosition,
} from "./segment.ts";

const NS_PER_DAY = 86_400e9;
const NS_PER_MS = 1e6;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2000;
const NO_FILE = -1;

export type FsyncPolicy = "none" | "interval" | "batch";

/** Who writes; see sessionName. */
export interface WalSession {
  readonly name: string;
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** Session base, ns since the Unix epoch. */
  readonly baseNs: bigint;
}

export interface WalOptions {
  /** Directory of the segments; made when absent. */
  readonly dir: string;
  readonly session: WalSession;
  /** Position of the first record: what recovery found as the end of the WAL. */
  readonly startPosition: number;
  readonly segmentBytes: number;
  readonly fsync: FsyncPolicy;
  readonly fsyncIntervalMs: number;
  /** Session time: day rotation, fsync interval, retries. */
  readonly clock: Clock;
  /** Bytes of one turn's batches; default: one largest batch, at most a segment. */
  readonly stagingBytes?: number;
}

export const WAL_CLOSED = 0;
export const WAL_OPEN = 1;
/** Not writing; `error` says why. Retried with growing delay. */
export const WAL_PAUSED = 2;
export const WAL_STATE_NAMES = ["closed", "open", "paused"] as const;

/** Live counters; one object for the writer's life. */
export class WalStatus {
  /** WAL_… */
  state = WAL_CLOSED;
  error = "";
  records = 0;
  batches = 0;
  /** Bytes of batches, headers of segments included. */
  bytes = 0;
  segments = 0;
  /** The next record's position: all before it are written. */
  position = 0;
  /** All before it are on the disk (fsync). */
  durablePosition = 0;
  /** Failed attempts to write. */
  failures = 0;
  /** Failed fsyncs: what was written and not yet durable then may be missing after a power cut. */
  syncFailures = 0;
}

export class WalWriter {
  readonly status: WalStatus;
  /** Records that fit into one batch of this writer. */
  readonly maxBatchRecords: number;
  private readonly options: WalOptions;
  private readonly staging: RecordMemory;
  private readonly stagingBytes: number;
  private staged: number;
  private stagedRecords: number;
  private fd: number;
  /** Bytes of the open segment that hold committed batches. */
  private committed: number;
  private segmentDay: number;
  private nextIndex: number;
  private lastSyncNs: number;
  private retryAtNs: number;
  private retryMs: number;
  private readonly writeStep: () => void;

  constructor(options: WalOptions) {
    const room = options.segmentBytes - SEGMENT_HEADER_BYTES;
    const wanted = Math.min(options.stagingBytes ?? MAX_BATCH_BYTES, room);
    this.stagingBytes = wanted - (wanted % RECORD_BYTES);
    assert(this.stagingBytes >= BATCH_HEADER_BYTES + RECORD_BYTES, "WAL segment is too small for one record");
    this.options = options;
    this.staging = new RecordMemory(new ArrayBuffer(this.stagingBytes));
    this.maxBatchRecords = Math.min(MAX_BATCH_RECORDS, this.stagingBytes / RECORD_BYTES - 1);
    this.status = new WalStatus();
    this.status.position = options.startPosition;
    this.status.durablePosition = options.startPosition;
    this.staged = 0;
    this.stagedRecords = 0;
    this.fd = NO_FILE;
    this.committed = 0;
    this.segmentDay = 0;
    this.nextIndex = 0;
    this.lastSyncNs = 0;
    this.retryAtNs = 0;
    this.retryMs = RETRY_MIN_MS;
    this.writeStep = () => this.writeStaged();
  }

  /** Opens the first segment. False: paused, `status.error` names the reason. */
  open(): boolean {
    return this.attempt(() => this.openSegment());
  }

  /** False while paused and the next attempt is not due: nothing should be staged. */
  ready(): boolean {
    if (this.status.state === WAL_OPEN) return true;
    return this.status.state === WAL_PAUSED && this.options.clock.nowNs() >= this.retryAtNs;
  }

  /** The next attempt is due at once: the last chance before the end. */
  retryNow(): void {
    this.retryAtNs = 0;
  }

  /** Records that one more batch could take in this turn. */
  room(): number {
    const records = (this.stagingBytes - this.staged) / RECORD_BYTES - 1;
    return Math.min(records, this.maxBatchRecords);
  }

  /**
   * Puts one batch in the staging buffer: `count` records, the first `firstCount` of them at byte `offset`,
   * the rest at `restOffset` (a ring's wrap). count ≤ room(). Whole groups only (MORE … continuation).
   */
  stage(
    stream: number,
    from: RecordMemory,
    offset: number,
    firstCount: number,
    restOffset: number,
    count: number,
  ): void {
    assert(count > 0 && count <= this.room(), "WAL batch does not fit the staging buffer");
    const { u8, u32 } = this.staging;
    const at = this.staged;
    const word = at >> 2;
    u8.fill(0, at, at + BATCH_HEADER_BYTES);
    u32[word] = BATCH_MAGIC;
    u32[word + BATCH_STREAM_U32] = stream;
    u32[word + BATCH_COUNT_U32] = count;
    u32[word + BATCH_NONCE_U32] = this.options.session.nonceLo;
    u32[word + BATCH_NONCE_U32 + 1] = this.options.session.nonceHi;
    setBatchPosition(u32, at, this.status.position + this.stagedRecords);
    const body = at + BATCH_HEADER_BYTES;
    const firstBytes = firstCount * RECORD_BYTES;
    u8.set(from.u8.subarray(offset, offset + firstBytes), body);
    if (count > firstCount)
      u8.set(
        from.u8.subarray(restOffset, restOffset + (count - firstCount) * RECORD_BYTES),
        body + firstBytes,
      );
    this.staged = body + count * RECORD_BYTES;
    this.stagedRecords += count;
  }

  /** Writes what is staged. True: the kernel has all of it. False: none of it counts, the writer is paused. */
  flush(): boolean {
    if (this.staged === 0) return true;
    const done = this.attempt(this.writeStep);
    const batches = done ? this.countBatches() : 0;
    if (done) {
      this.committed += this.staged;
      this.status.bytes += this.staged;
      this.status.batches += batches;
      this.status.records += this.stagedRecords;
      this.status.position += this.stagedRecords;
      if (this.options.fsync === "batch") this.sync();
    }
    this.staged = 0;
    this.stagedRecords = 0;
    return done;
  }

  /** The fsync interval; call it every turn. */
  tick(): void {
    if (this.options.fsync !== "interval" || this.status.durablePosition === this.status.position) return;
    if (this.options.clock.nowNs() - this.lastSyncNs >= this.options.fsyncIntervalMs * NS_PER_MS) this.sync();
  }

  /** Brings everything written to the disk. A failure pauses the writer. */
  sync(): boolean {
    this.lastSyncNs = this.options.clock.nowNs();
    if (this.fd === NO_FILE) return false;
    const position = this.status.position;
    const done = this.attempt(() => fdatasyncSync(this.fd));
    if (done) this.status.durablePosition = position;
    // After a failed fsync the kernel may have dropped the pages: go on in a fresh segment.
    else {
      this.status.syncFailures++;
      this.closeFile();
    }
    return done;
  }

  /** Flushes, syncs and closes. False when something could not be written; see `status.error`. */
  close(): boolean {
    const flushed = this.flush();
    const synced = this.status.durablePosition === this.status.position || this.sync();
    this.closeFile();
    this.status.state = WAL_CLOSED;
    return flushed && synced;
  }

  private writeStaged(): void {
    const nowNs = this.options.clock.nowNs();
    if (this.fd === NO_FILE) this.openSegment();
    else if (
      this.committed + this.staged > this.options.segmentBytes ||
      Math.floor(nowNs / NS_PER_DAY) !== this.segmentDay
    )
      this.rotate();
    this.seal(nowNs);
    let done = 0;
    while (done < this.staged) {
      const written = writeSync(this.fd, this.staging.u8, done, this.staged - done, this.committed + done);
      if (written === 0) throw new Error("write made no progress");
      done += written;
    }
  }

  /** Stamps time, segment and crc into every staged batch. */
  private seal(nowNs: number): void {
    const { u8, u32, f64 } = this.staging;
    for (let at = 0; at < this.staged; ) {
      const bytes = BATCH_HEADER_BYTES + u32[(at >> 2) + BATCH_COUNT_U32]! * RECORD_BYTES;
      f64[(at >> 3) + BATCH_WRITTEN_F64] = nowNs;
      u32[(at >> 2) + BATCH_SEGMENT_U32] = this.nextIndex - 1;
      u32[(at >> 2) + BATCH_CRC_U32] = 0;
      u32[(at >> 2) + BATCH_CRC_U32] = Bun.hash.crc32(u8.subarray(at, at + bytes));
      at += bytes;
    }
  }

  private countBatches(): number {
    let batches = 0;
    for (let at = 0; at < this.staged; batches++)
      at += BATCH_HEADER_BYTES + this.staging.u32[(at >> 2) + BATCH_COUNT_U32]! * RECORD_BYTES;
    return batches;
  }

  private rotate(): void {
    try {
      if (this.options.fsync !== "none") {
        fdatasyncSync(this.fd);
        this.status.durablePosition = this.status.position;
      }
    } catch (error) {
      // A second fsync would say "done" of pages that the kernel has dropped: the file is not asked again.
      this.status.syncFailures++;
      throw error;
    } finally {
      this.closeFile();
    }
    this.openSegment();
  }

  private openSegment(): void {
    const { dir, session, clock } = this.options;
    const nowNs = clock.nowNs();
    mkdirSync(dir, { recursive: true });
    const file = join(dir, segmentFileName(session.name, 0, this.nextIndex));
    const header = encodeSegmentHeader({
      schemaVersion: SCHEMA_VERSION,
      baseNs: session.baseNs,
      nonceLo: session.nonceLo,
      nonceHi: session.nonceHi,
      index: this.nextIndex,
      stream: 0,
      firstPosition: this.status.position,
      createdUnixNs: session.baseNs + BigInt(Math.round(nowNs)),
    });
    // "w": an attempt that failed half-way left a file without a batch, which this one replaces.
    const fd = openSync(file, "w", 0o640);
    try {
      let done = 0;
      while (done < header.length) done += writeSync(fd, header, done, header.length - done, done);
      if (this.options.fsync !== "none") syncDirectory(dir);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.fd = fd;
    this.nextIndex++;
    this.committed = SEGMENT_HEADER_BYTES;
    this.segmentDay = Math.floor(nowNs / NS_PER_DAY);
    this.status.segments++;
    this.status.bytes += SEGMENT_HEADER_BYTES;
  }

  private closeFile(): void {
    const { fd } = this;
    this.fd = NO_FILE;
    if (fd !== NO_FILE) closeSync(fd);
  }

  /** Runs one step of I/O; a failure becomes the paused state with a retry time. */
  private attempt(step: () => void): boolean {
    try {
      step();
    } catch (error) {
      this.pause(error as NodeJS.ErrnoException);
      return false;
    }
    this.status.state = WAL_OPEN;
    this.status.error = "";
    this.retryMs = RETRY_MIN_MS;
    return true;
  }

  private pause(error: NodeJS.ErrnoException): void {
    this.status.state = WAL_PAUSED;
    this.status.error = `${this.options.dir}: ${describe(error)}`;
    this.status.failures++;
    this.retryAtNs = this.options.clock.nowNs() + this.retryMs * NS_PER_MS;
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
    this.cutTail();
    // A file size limit below segment_bytes: the next attempt begins a new segment.
    if (error.code === "EFBIG" && this.committed > SEGMENT_HEADER_BYTES) this.closeFile();
  }

  /** Takes a half-written batch off the file, so that a reader sees a clean end meanwhile. */
  private cutTail(): void {
    if (this.fd === NO_FILE) return;
    try {
      ftruncateSync(this.fd, this.committed);
    } catch {
      // The file cannot even be shortened: a reader will find a torn tail, and the retry overwrites it.
    }
  }
}

function syncDirectory(dir: string): void {
  const fd = openSync(dir, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk (ENOSPC)",
  EDQUOT: "disk quota used up (EDQUOT)",
  EROFS: "file system is read-only (EROFS)",
  EACCES: "no permission to write (EACCES)",
  EPERM: "not permitted (EPERM)",
  EFBIG: "file size limit reached (EFBIG)",
  EIO: "input/output error (EIO)",
  ENOTDIR: "not a directory (ENOTDIR)",
  EEXIST: "a file stands in its place (EEXIST)",
};

const describe = (error: NodeJS.ErrnoException): string =>
  REASONS[error.code ?? ""] ?? error.code ?? error.message;
