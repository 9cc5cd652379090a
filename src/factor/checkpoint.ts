// Checkpoints of a factor lane: arena, book levels, logical time, journal position, bound to the graphs they
// were made with. `CheckpointCapture` copies in one pass; a hot lane copies in slices (checkpoint-slices.ts);
// everything else is cold and belongs to the writer lane or to start-up.
//
//   | "HLFACT01" | identity 32 B | base ns i64 | position i64 | arena words u32 | contexts u32 | arena f64… |
//   | per context: bids u32, asks u32, (px f64, qty f64)… | sha-256 of all before, 32 B |
//
// Files are written under a temporary name, synced and renamed, so a kill at any byte leaves the older ones;
// a damaged or foreign file is skipped in favour of the one before.
import { createHash } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { ASK, BID, type L2Book } from "../market/l2-book.ts";
import type { FactorState } from "./factor-state.ts";

const MAGIC = "HLFACT01";
export const MAGIC_BYTES = new TextEncoder().encode(MAGIC);
export const HEADER_BYTES = 64;
export const SUM_BYTES = 32;
const NAME = /^factor-(\d{20})\.ckpt$/;

export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/** What the state words mean: graphs, instruments and capacities. A checkpoint of another identity is refused. */
export function stateIdentity(state: FactorState): Buffer {
  const meaning = {
    graphs: state.setups.map((g) => [g.name, g.instrument, g.program.hash]),
    contexts: state.contexts.map((c) => [c.instrument, c.config]),
    alphas: state.alphas.names,
  };
  return createHash("sha256").update(JSON.stringify(meaning)).digest();
}

function writeSide(view: DataView, at: number, book: L2Book, side: number): number {
  const start = side > 0 ? book.bestBidTicks : book.bestAskTicks;
  for (let px = start; !Number.isNaN(px); ) {
    view.setFloat64(at, px, true);
    view.setFloat64(at + 8, book.qtyAt(side, px), true);
    at += 16;
    px = side > 0 ? book.nextBelow(BID, px) : book.nextAbove(ASK, px);
  }
  return at;
}

/**
 * Takes copies of a lane's state into memory of its own, allocated once: a copy is then one pass over arena and
 * books, in one turn of the lane (a torn copy would not be a state that ever was).
 */
export class CheckpointCapture {
  private readonly state: FactorState;
  private readonly identity: Buffer;
  private readonly baseNs: bigint;
  private bytes: Uint8Array<ArrayBuffer>;

  /** `levels`: book levels over all instruments before the memory has to grow. */
  constructor(state: FactorState, baseNs: bigint, levels = 32_768) {
    this.state = state;
    this.identity = stateIdentity(state);
    this.baseNs = baseNs;
    // Filled, so that the pages exist before the first copy.
    this.bytes = new Uint8Array(this.fixedBytes + levels * 16).fill(1);
  }

  private get fixedBytes(): number {
    return HEADER_BYTES + this.state.f64.byteLength + this.state.contexts.length * 8 + SUM_BYTES;
  }

  /**
   * The state now, without the checksum: `sealCheckpoint` adds it off the lane. A view that stays valid until
   * the next call. `position`: the journal position of the last record applied.
   */
  take(position: bigint): Uint8Array<ArrayBuffer> {
    const { state } = this;
    const levels = state.contexts.reduce((sum, c) => sum + c.book.levelCount, 0);
    const length = this.fixedBytes + levels * 16;
    if (length > this.bytes.length) this.bytes = new Uint8Array(2 * length);
    const view = new DataView(this.bytes.buffer);
    this.bytes.set(MAGIC_BYTES, 0);
    this.bytes.set(this.identity, 8);
    view.setBigInt64(40, this.baseNs, true);
    view.setBigInt64(48, position, true);
    view.setUint32(56, state.f64.length, true);
    view.setUint32(60, state.contexts.length, true);
    new Float64Array(this.bytes.buffer, HEADER_BYTES, state.f64.length).set(state.f64);
    let at = HEADER_BYTES + state.f64.byteLength;
    for (const { book } of state.contexts) {
      view.setUint32(at, book.levelsOn(BID), true);
      view.setUint32(at + 4, book.levelsOn(ASK), true);
      at = writeSide(view, at + 8, book, BID);
      at = writeSide(view, at, book, ASK);
    }
    return this.bytes.subarray(0, length);
  }
}

/** One checkpoint in memory of its own (tests, recovery tools). */
export function captureCheckpoint(
  state: FactorState,
  baseNs: bigint,
  position: bigint,
): Uint8Array<ArrayBuffer> {
  const levels = state.contexts.reduce((sum, c) => sum + c.book.levelCount, 0);
  return new CheckpointCapture(state, baseNs, levels).take(position);
}

const digest = (bytes: Uint8Array): Buffer =>
  createHash("sha256")
    .update(bytes.subarray(0, bytes.length - SUM_BYTES))
    .digest();

/** Writes the checksum into its place. */
export function sealCheckpoint(bytes: Uint8Array): Uint8Array {
  bytes.set(digest(bytes), bytes.length - SUM_BYTES);
  return bytes;
}

export interface CheckpointInfo {
  readonly baseNs: bigint;
  readonly position: bigint;
  /** Logical time, ns since the base. */
  readonly nowNs: number;
}

/** Throws CheckpointError when the bytes are damaged or belong to another state. Nothing is changed then. */
export function verifyCheckpoint(state: FactorState, bytes: Uint8Array): CheckpointInfo {
  const broken = (what: string): CheckpointError => new CheckpointError(`checkpoint ${what}`);
  if (bytes.length < HEADER_BYTES + SUM_BYTES) throw broken("is cut short");
  if (new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) throw broken("has another format");
  if (!digest(bytes).equals(bytes.subarray(bytes.length - SUM_BYTES))) throw broken("is damaged (checksum)");
  if (!stateIdentity(state).equals(bytes.subarray(8, 40)))
    throw broken("belongs to other graphs or capacities");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    baseNs: view.getBigInt64(40, true),
    position: view.getBigInt64(48, true),
    nowNs: view.getFloat64(HEADER_BYTES, true),
  };
}

/** Replaces the whole state; call `FactorHandler.onRestored` afterwards. Throws CheckpointError. */
export function restoreCheckpoint(state: FactorState, bytes: Uint8Array): CheckpointInfo {
  const info = verifyCheckpoint(state, bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const arena = bytes.subarray(HEADER_BYTES, HEADER_BYTES + state.f64.byteLength);
  new Uint8Array(state.f64.buffer, state.f64.byteOffset, state.f64.byteLength).set(arena);
  let at = HEADER_BYTES + state.f64.byteLength;
  for (const context of state.contexts) {
    const bids = view.getUint32(at, true);
    const levels = bids + view.getUint32(at + 4, true);
    at += 8;
    context.book.beginSnapshot();
    for (let k = 0; k < levels; k++, at += 16) {
      context.book.apply(k < bids ? BID : ASK, view.getFloat64(at, true), view.getFloat64(at + 8, true));
    }
    context.book.endSnapshot();
    context.refreshTouch();
  }
  return info;
}

/** Writes a sealed checkpoint durably and keeps the newest `keep`. Returns its path. */
export function saveCheckpoint(dir: string, bytes: Uint8Array, position: bigint, keep = 3): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `factor-${position.toString().padStart(20, "0")}.ckpt`);
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, "w", 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const folder = openSync(dir, "r");
  fsyncSync(folder);
  closeSync(folder);
  for (const old of checkpointFiles(dir).slice(keep)) rmSync(old);
  return path;
}

/** Newest first; none when the folder does not exist. */
export function checkpointFiles(dir: string): string[] {
  try {
    const names = readdirSync(dir).filter((name) => NAME.test(name));
    return names
      .sort()
      .reverse()
      .map((name) => join(dir, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export interface Recovery {
  readonly info: CheckpointInfo;
  readonly path: string;
}

/**
 * Restores the newest usable checkpoint of `dir`; null when there is none. `onSkipped` hears of every file
 * that was passed over, and why. `baseNs`: only one of this session base (times in the arena are relative to it).
 */
export function restoreNewest(
  state: FactorState,
  dir: string,
  onSkipped: (path: string, reason: string) => void,
  baseNs?: bigint,
): Recovery | null {
  for (const path of checkpointFiles(dir)) {
    try {
      const bytes = readFileSync(path);
      if (baseNs !== undefined && verifyCheckpoint(state, bytes).baseNs !== baseNs)
        throw new CheckpointError("checkpoint is of another day: its times have another base");
      return { info: restoreCheckpoint(state, bytes), path };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      onSkipped(path, error.message);
    }
  }
  return null;
}
