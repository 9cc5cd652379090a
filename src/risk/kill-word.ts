// The kill word: 4096 bytes of `<data-dir>/kill`, mapped by every lane and by `ctl kill`, so that one store
// stops trading in all of them and survives the process. Reading it is one Atomics.load (hot, any lane);
// latching and rearming are cold.
//
//   0        4         8           16          20    64              1088
//   | word   | magic   | unix ms   | text len  | …   | reason, UTF-8 | zeros … 4096
//   | i32    | i32     | f64       | u32       |
//
// SYNC POINT word: latch/rearm (any process) ↔ load (gate's observer, gateway before each socket write).
import { chmodSync, closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { KILL_ARMED, KILL_EMERGENCY, KILL_KILLED } from "../wire/codes.ts";

const FILE_BYTES = 4096;
const MAGIC = 0x314b4c48; // "HLK1"
const WORD = 0;
const MAGIC_I32 = 1;
const TIME_F64 = 1;
const LENGTH_U32 = 4;
const TEXT = 64;
const TEXT_BYTES = 1024;

/** For a lane that may look but not touch. */
export interface KillWordReader {
  /** KILL_… state. */
  load(): number;
}

export interface KillWordView {
  readonly state: number;
  /** "" when armed and never killed. */
  readonly reason: string;
  /** Unix ms of the last latch or rearm; 0 = never. */
  readonly sinceUnixMs: number;
}

export class KillWord implements KillWordReader {
  readonly path: string;
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private readonly lengths: Uint32Array;
  private readonly times: Float64Array;

  /** `bytes`: the mapped file. Use openKillWord. */
  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, FILE_BYTES / 4);
    this.lengths = new Uint32Array(bytes.buffer, bytes.byteOffset, FILE_BYTES / 4);
    this.times = new Float64Array(bytes.buffer, bytes.byteOffset, FILE_BYTES / 8);
  }

  /** An unknown value (a damaged file) counts as killed. */
  load(): number {
    const word = Atomics.load(this.words, WORD);
    return word === KILL_ARMED || word === KILL_EMERGENCY ? word : KILL_KILLED;
  }

  /**
   * Sets the word and returns the state that holds now. KILLED is never softened to EMERGENCY, and the first
   * reason stays until a stronger state replaces it.
   */
  latch(state: typeof KILL_KILLED | typeof KILL_EMERGENCY, reason: string, unixMs: number): number {
    const expected = state === KILL_KILLED ? this.load() : KILL_ARMED;
    const before =
      expected === KILL_KILLED ? KILL_KILLED : Atomics.compareExchange(this.words, WORD, expected, state);
    if (before === expected && expected !== KILL_KILLED) this.note(reason, unixMs);
    else if (state === KILL_KILLED && before === KILL_EMERGENCY) return this.latch(state, reason, unixMs);
    return this.load();
  }

  /** Clears the word. The caller has checked the right to do so and a clean reconciliation. */
  rearm(reason: string, unixMs: number): void {
    this.note(reason, unixMs);
    Atomics.store(this.words, WORD, KILL_ARMED);
    this.flush();
  }

  view(): KillWordView {
    const length = Math.min(this.lengths[LENGTH_U32], TEXT_BYTES);
    return {
      state: this.load(),
      reason: new TextDecoder().decode(this.bytes.slice(TEXT, TEXT + length)),
      sinceUnixMs: this.times[TIME_F64],
    };
  }

  /** The word itself is set before its story, so that nothing slow stands before the stop. */
  private note(reason: string, unixMs: number): void {
    this.times[TIME_F64] = unixMs;
    this.bytes.fill(0, TEXT, TEXT + TEXT_BYTES);
    const { written } = new TextEncoder().encodeInto(reason, this.bytes.subarray(TEXT, TEXT + TEXT_BYTES));
    this.lengths[LENGTH_U32] = written;
    this.flush();
  }

  /** To the disk: the latch holds through a power cut too. */
  private flush(): void {
    const file = openSync(this.path, "r+");
    fsyncSync(file);
    closeSync(file);
  }
}

export const killWordPath = (dataDir: string): string => join(dataDir, "kill");

/** Maps `<dataDir>/kill`, made with mode 0600 when absent. Throws Error naming the file when it is not ours. */
export function openKillWord(dataDir: string): KillWord {
  const path = killWordPath(dataDir);
  const file = openSync(path, "a+", 0o600);
  try {
    const size = fstatSync(file).size;
    if (size !== 0 && size !== FILE_BYTES)
      throw new Error(
        `${path}: ${size} bytes, expected a kill word of ${FILE_BYTES}; remove it only when nothing trades`,
      );
    if (size === 0) ftruncateSync(file, FILE_BYTES);
    chmodSync(path, 0o600);
  } finally {
    closeSync(file);
  }
  const bytes = Bun.mmap(path, { shared: true });
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, 2);
  // Two processes may make the file at once: both write the same magic.
  if (words[MAGIC_I32] === 0) words[MAGIC_I32] = MAGIC;
  if (words[MAGIC_I32] !== MAGIC) throw new Error(`${path}: not a kill word file`);
  return new KillWord(path, bytes);
}

/** The same word for a lane that only looks. */
export function openKillWordReader(dataDir: string): KillWordReader {
  return openKillWord(dataDir);
}

/** Test and backtest stand-in without a file. */
export class PrivateKillWord implements KillWordReader {
  state = KILL_ARMED;

  load(): number {
    return this.state;
  }
}
