// Checkpoints of a factor lane: arena, book levels, logical time, journal position, bound to the graphs they
// were made with. `captureCheckpoint` copies (on the lane, one pass over arena and books); everything else is
// cold and belongs to the writer lane or to start-up.
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
const HEADER_BYTES = 64;
const SUM_BYTES = 32;
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

function bookBytes(book: L2Book): number {
  return 8 + book.levelCount * 16;
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
 * Copies the state into new bytes, without the checksum: `sealCheckpoint` adds it off the lane.
 * `position`: the journal position of the last record applied.
 */
export function captureCheckpoint(
  state: FactorState,
  baseNs: bigint,
  position: bigint,
): Uint8Array<ArrayBuffer> {
  const arenaBytes = state.f64.byteLength;
  const books = state.contexts.reduce((sum, c) => sum + bookBytes(c.book), 0);
  const bytes = new Uint8Array(HEADER_BYTES + arenaBytes + books + SUM_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC), 0);
  bytes.set(stateIdentity(state), 8);
  view.setBigInt64(40, baseNs, true);
  view.setBigInt64(48, position, true);
  view.setUint32(56, state.f64.length, true);
  view.setUint32(60, state.contexts.length, true);
  new Float64Array(bytes.buffer, HEADER_BYTES, state.f64.length).set(state.f64);
  let at = HEADER_BYTES + arenaBytes;
  for (const { book } of state.contexts) {
    view.setUint32(at, book.levelsOn(BID), true);
    view.setUint32(at + 4, book.levelsOn(ASK), true);
    at = writeSide(view, at + 8, book, BID);
    at = writeSide(view, at, book, ASK);
  }
  return bytes;
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
 * that was passed over, and why.
 */
export function restoreNewest(
  state: FactorState,
  dir: string,
  onSkipped: (path: string, reason: string) => void,
): Recovery | null {
  for (const path of checkpointFiles(dir)) {
    try {
      return { info: restoreCheckpoint(state, readFileSync(path)), path };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      onSkipped(path, error.message);
    }
  }
  return null;
}
