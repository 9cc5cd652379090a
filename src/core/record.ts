// Records in memory, and the contract that every component of the pipeline shares. A component is a
// RecordHandler that writes to a RecordSink and knows nothing of threads. Rings, fused pipes and the backtest
// implement the same two interfaces, which is why live and backtest run the same code.
//
// RecordMemory: one buffer, one typed-array view per width. A lane makes ONE RecordMemory over the whole
// arena, so every ring, flyweight and handler in it shares the same views and speaks in absolute byte
// offsets. Offsets of records are multiples of RECORD_BYTES.
import type { LevelRun } from "./level-run.ts";

export const RECORD_BYTES = 64;

export class RecordMemory {
  readonly buffer: ArrayBufferLike;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }
}

/** Private memory for `records` records (backtest, tests, scratch slots). */
export function allocateRecordMemory(records: number): RecordMemory {
  return new RecordMemory(new ArrayBuffer(Math.max(records, 64) * RECORD_BYTES));
}

/**
 * Copies one record, bit for bit. Offsets in bytes.
 * Sixteen i32 moves, not eight f64 moves: a Float64Array load canonicalises NaN, so any word whose top
 * half looks like 0x7FF…/0xFFF… (a negative code, a wrapped counter, text) would be changed on the way.
 */
export function copyRecord(from: RecordMemory, fromOffset: number, to: RecordMemory, toOffset: number): void {
  const a = from.i32;
  const b = to.i32;
  const s = fromOffset >> 2;
  const d = toOffset >> 2;
  b[d] = a[s]!;
  b[d + 1] = a[s + 1]!;
  b[d + 2] = a[s + 2]!;
  b[d + 3] = a[s + 3]!;
  b[d + 4] = a[s + 4]!;
  b[d + 5] = a[s + 5]!;
  b[d + 6] = a[s + 6]!;
  b[d + 7] = a[s + 7]!;
  b[d + 8] = a[s + 8]!;
  b[d + 9] = a[s + 9]!;
  b[d + 10] = a[s + 10]!;
  b[d + 11] = a[s + 11]!;
  b[d + 12] = a[s + 12]!;
  b[d + 13] = a[s + 13]!;
  b[d + 14] = a[s + 14]!;
  b[d + 15] = a[s + 15]!;
}

/** Returned by tryClaim when the sink is full. */
export const NO_SLOT = -1;

export interface RecordHandler {
  /**
   * Called once per record, in order. `at` is the record's byte offset in `m`. Memory is valid only during
   * the call. Must not throw for bad market data: only a broken invariant throws, and that stops the lane.
   */
  onRecord(m: RecordMemory, at: number): void;
  /** `count` records, one behind the other from `at`: what onRecord for each would do, in one call. */
  onRecords?(m: RecordMemory, at: number, count: number): void;
  /** The levels of one depth message: what onRecord for each of their records would do. */
  onLevels?(run: LevelRun): void;
  /** End of a batch of records: a good moment to flush downstream. */
  onBatchEnd?(): void;
}

export interface RecordSink {
  /** Memory in which claimed records are encoded. */
  readonly memory: RecordMemory;
  /** True when `count` records can be claimed now: check before a multi-record event, so it is never partial. */
  hasRoom(count: number): boolean;
  /** Byte offset of the next record to encode, or NO_SLOT. */
  tryClaim(): number;
  /** The claimed record is complete. A pipe delivers it now, a ring with the next publish. */
  commit(): void;
  /** Everything committed becomes visible to the consumer. */
  publish(): void;
}

/** A sink that takes many records of one event in one call: the levels of a depth message. */
export interface RunSink extends RecordSink {
  /** Records that the last `tryClaimRun` claimed: at least 1, at most what was asked for. */
  readonly runLength: number;
  /** Claims up to `count` records that lie one behind the other; byte offset of the first, or NO_SLOT. */
  tryClaimRun(count: number): number;
  /** The `runLength` claimed records are complete; as `commit` for each. */
  commitRun(): void;
  /** Whether `levels` may be called: the consumer is in this lane and takes them without records. */
  readonly takesLevels?: boolean;
  /** The levels of one depth message; stands for its records in every respect. The caller has checked for room. */
  levels?(run: LevelRun): void;
}

/** Hands `count` records that lie one behind the other to `handler`. */
export function deliver(handler: RecordHandler, m: RecordMemory, at: number, count: number): void {
  if (handler.onRecords !== undefined) handler.onRecords(m, at, count);
  else for (let i = 0; i < count; i++) handler.onRecord(m, at + i * RECORD_BYTES);
}
