// Inflate-ahead: a worker reads, inflates and checks large arrays and fills a ring of blocks in shared memory; the
// consumer takes them synchronously (it waits only when the worker is behind). Memory: the ring plus one inflate
// buffer, whatever the length of the files. Protocol: PUBLISHED and CONSUMED count blocks; the worker writes block
// n into slot n mod SLOTS when n < CONSUMED + SLOTS.
import { Worker } from "node:worker_threads";
import { DataFileError } from "./data-file-error.ts";
import type { ArrayLocation } from "./npz-file.ts";
import { BLOCK_ROWS, RowBlock, type RowBlocks } from "./row-block.ts";

/** 32 slots of 256 KiB: 8 MiB, a few milliseconds of reading ahead. */
export const SLOTS = 32;
const ROW_WORDS = 16;

/** Int32 words of the control block. SYNC POINT: published by the worker, consumed by the reader. */
export const PUBLISHED_WORD = 0;
export const CONSUMED_WORD = 32;
export const STOP_WORD = 64;
/** Set with the last block: 1 = end of data, 2 = error text follows. */
export const ENDED_WORD = 65;
export const ERROR_LENGTH_WORD = 66;
/** Two words per slot: rows, index of the file. */
export const SLOT_WORDS = 128;
const ERROR_AT = 1024;
const ERROR_BYTES_MAX = 3072;
const CONTROL_BYTES = 4096;

export const ENDED_DATA = 1;
export const ENDED_ERROR = 2;

/** The shared memory, seen by both sides. */
export class InflateRing {
  readonly buffer: SharedArrayBuffer;
  readonly control: Int32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly bytes: Uint8Array;
  readonly error: Uint8Array;

  constructor(buffer = new SharedArrayBuffer(CONTROL_BYTES + SLOTS * BLOCK_ROWS * ROW_WORDS * 4)) {
    this.buffer = buffer;
    this.control = new Int32Array(buffer, 0, CONTROL_BYTES / 4);
    this.i32 = new Int32Array(buffer, CONTROL_BYTES);
    this.f64 = new Float64Array(buffer, CONTROL_BYTES);
    this.bytes = new Uint8Array(buffer, CONTROL_BYTES);
    this.error = new Uint8Array(buffer, ERROR_AT, ERROR_BYTES_MAX);
  }
}

export interface InflateJob {
  readonly buffer: SharedArrayBuffer;
  readonly locations: readonly ArrayLocation[];
}

/** What a worker writes when a file is bad: file, row, what. */
export type InflateFault = readonly [file: string, row: number, what: string];

/** How long one wait for the worker lasts before its life is checked. */
const WAIT_MS = 1000;
/** A worker that has not written a block for this long is gone (it reads ahead, so disks have this long). */
const SILENCE_MS_MAX = 60_000;

export class InflateAhead implements RowBlocks {
  private readonly ring = new InflateRing();
  private readonly locations: readonly ArrayLocation[];
  private readonly worker: Worker;
  private readonly block = new RowBlock();
  private taken = 0;
  private fileIndex = -1;
  private fileRow = 0;

  constructor(locations: readonly ArrayLocation[]) {
    this.locations = locations;
    this.block.i32 = this.ring.i32;
    this.block.f64 = this.ring.f64;
    const job: InflateJob = { buffer: this.ring.buffer, locations };
    this.worker = new Worker(new URL("./inflate-worker.ts", import.meta.url), { workerData: job });
    this.worker.unref();
  }

  next(): RowBlock | null {
    const { control } = this.ring;
    if (this.taken > 0) {
      Atomics.store(control, CONSUMED_WORD, this.taken);
      Atomics.notify(control, CONSUMED_WORD);
    }
    if (!this.waitForBlock()) return null;
    const slot = this.taken % SLOTS;
    const file = control[SLOT_WORDS + slot * 2 + 1]!;
    if (file !== this.fileIndex) {
      this.fileIndex = file;
      this.fileRow = 0;
    }
    const block = this.block;
    block.first = slot * BLOCK_ROWS;
    block.rows = control[SLOT_WORDS + slot * 2]!;
    block.file = this.locations[file]!.file;
    block.fileRow = this.fileRow;
    this.fileRow += block.rows;
    this.taken++;
    return block;
  }

  close(): void {
    Atomics.store(this.ring.control, STOP_WORD, 1);
    Atomics.notify(this.ring.control, CONSUMED_WORD);
    void this.worker.terminate();
  }

  /** False at the end of data; throws what the worker found wrong, after the last good block. */
  private waitForBlock(): boolean {
    const { control } = this.ring;
    let silentMs = 0;
    for (;;) {
      // ENDED is read before PUBLISHED: the worker publishes the last block first, so none is missed.
      const ended = Atomics.load(control, ENDED_WORD);
      const published = Atomics.load(control, PUBLISHED_WORD);
      if (published > this.taken) return true;
      if (ended === ENDED_DATA) return false;
      if (ended === ENDED_ERROR) this.fail();
      if (Atomics.wait(control, PUBLISHED_WORD, published, WAIT_MS) === "timed-out") silentMs += WAIT_MS;
      if (silentMs >= SILENCE_MS_MAX) {
        throw new DataFileError(this.locations[0]!.file, -1, "the inflating worker gave no answer");
      }
    }
  }

  private fail(): never {
    const length = this.ring.control[ERROR_LENGTH_WORD]!;
    const text = new TextDecoder().decode(this.ring.error.slice(0, length));
    const [file, row, what] = JSON.parse(text) as InflateFault;
    throw new DataFileError(file, row, what);
  }
}

/** Worker side: the fault text, cut to what fits. */
export function writeFault(ring: InflateRing, fault: InflateFault): void {
  const [file, row, what] = fault;
  const text = new TextEncoder().encode(JSON.stringify([file.slice(0, 1000), row, what.slice(0, 500)]));
  ring.error.set(text.subarray(0, ERROR_BYTES_MAX));
  ring.control[ERROR_LENGTH_WORD] = Math.min(text.length, ERROR_BYTES_MAX);
}
