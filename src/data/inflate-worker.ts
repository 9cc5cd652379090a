// Worker of inflate-ahead.ts: reads and inflates arrays one after the other into the shared ring. It blocks in
// Atomics.wait when the ring is full; it owns no socket, so nothing starves.
import { createReadStream } from "node:fs";
import { workerData } from "node:worker_threads";
import { crc32, createInflateRaw } from "node:zlib";
import { DataFileError } from "./data-file-error.ts";
import {
  CONSUMED_WORD,
  ENDED_DATA,
  ENDED_ERROR,
  ENDED_WORD,
  type InflateJob,
  InflateRing,
  PUBLISHED_WORD,
  SLOT_WORDS,
  SLOTS,
  STOP_WORD,
  writeFault,
} from "./inflate-ahead.ts";
import { checkFields, EVENT_FIELDS, EVENT_ROW_BYTES, NPY_HEADER_MAX_BYTES, parseNpyHeader } from "./npy.ts";
import { type ArrayLocation, checkLength } from "./npz-file.ts";
import { BLOCK_ROWS } from "./row-block.ts";
import { METHOD_DEFLATE } from "./zip.ts";

const BLOCK_BYTES = BLOCK_ROWS * EVENT_ROW_BYTES;
const READ_BYTES = 1 << 18;
const INFLATE_BYTES = 1 << 20;

/** Fills slots with rows and publishes them. */
class SlotWriter {
  private readonly ring: InflateRing;
  private block = 0;
  private filled = 0;
  fileIndex = 0;

  constructor(ring: InflateRing) {
    this.ring = ring;
  }

  /** False when the reader asked to stop. */
  write(bytes: Uint8Array, from: number): boolean {
    let at = from;
    while (at < bytes.length) {
      if (this.filled === 0 && !this.waitForSlot()) return false;
      const take = Math.min(BLOCK_BYTES - this.filled, bytes.length - at);
      const slotAt = (this.block % SLOTS) * BLOCK_BYTES + this.filled;
      this.ring.bytes.set(take === bytes.length ? bytes : bytes.subarray(at, at + take), slotAt);
      at += take;
      this.filled += take;
      if (this.filled === BLOCK_BYTES) this.publish();
    }
    return true;
  }

  /** Publishes what is in the slot: the end of a file, or a fault. Whole rows only. */
  publish(): void {
    const rows = Math.floor(this.filled / EVENT_ROW_BYTES);
    this.filled = 0;
    if (rows === 0) return;
    const { control } = this.ring;
    const slot = this.block % SLOTS;
    control[SLOT_WORDS + slot * 2] = rows;
    control[SLOT_WORDS + slot * 2 + 1] = this.fileIndex;
    this.block++;
    Atomics.store(control, PUBLISHED_WORD, this.block);
    Atomics.notify(control, PUBLISHED_WORD);
  }

  private waitForSlot(): boolean {
    const { control } = this.ring;
    for (;;) {
      if (Atomics.load(control, STOP_WORD) !== 0) return false;
      const consumed = Atomics.load(control, CONSUMED_WORD);
      if (this.block - consumed < SLOTS) return true;
      Atomics.wait(control, CONSUMED_WORD, consumed, 1000);
    }
  }
}

async function run(job: InflateJob): Promise<void> {
  const ring = new InflateRing(job.buffer);
  const writer = new SlotWriter(ring);
  let ended = ENDED_DATA;
  let location = job.locations[0]!;
  try {
    for (let i = 0; i < job.locations.length; i++) {
      location = job.locations[i]!;
      writer.fileIndex = i;
      if (!(await streamArray(location, writer))) return;
    }
  } catch (error) {
    ended = ENDED_ERROR;
    const known = error instanceof DataFileError;
    const message = (error as Error).message;
    const what = known ? message.slice(location.file.length + 2) : message;
    writeFault(ring, [location.file, -1, what]);
  }
  writer.publish();
  Atomics.store(ring.control, ENDED_WORD, ended);
  Atomics.notify(ring.control, PUBLISHED_WORD);
}

async function streamArray(location: ArrayLocation, writer: SlotWriter): Promise<boolean> {
  let crc = 0;
  let total = 0;
  let header: ReturnType<typeof parseNpyHeader> | null = null;
  let head: Uint8Array = new Uint8Array(0);
  for await (const chunk of arrayBytes(location)) {
    crc = crc32(chunk, crc);
    total += chunk.length;
    if (header !== null) {
      if (!writer.write(chunk, 0)) return false;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < Math.min(NPY_HEADER_MAX_BYTES, location.bytes)) continue;
    header = parseNpyHeader(head, location.file);
    checkFields(header, EVENT_FIELDS, location.file);
    checkLength(header, location.bytes, location.file);
    if (!writer.write(head, header.dataOffset)) return false;
  }
  if (total !== location.bytes) {
    const what = `truncated: the member has ${total} bytes, the directory says ${location.bytes}`;
    throw new DataFileError(location.file, -1, what);
  }
  if (location.crc !== undefined && crc >>> 0 !== location.crc >>> 0) {
    throw new DataFileError(location.file, -1, "bad CRC: the member is damaged");
  }
  writer.publish();
  return true;
}

async function* arrayBytes(location: ArrayLocation): AsyncGenerator<Uint8Array, void, void> {
  const { file, offset, storedBytes } = location;
  if (storedBytes === 0) return;
  const source = createReadStream(file, {
    start: offset,
    end: offset + storedBytes - 1,
    highWaterMark: location.method === METHOD_DEFLATE ? READ_BYTES : INFLATE_BYTES,
  });
  if (location.method !== METHOD_DEFLATE) {
    yield* source as AsyncIterable<Uint8Array>;
    return;
  }
  const inflate = createInflateRaw({ chunkSize: INFLATE_BYTES });
  // pipe() does not forward errors: without this a read error would hang the consumer.
  source.once("error", (error) => inflate.destroy(error));
  yield* source.pipe(inflate) as AsyncIterable<Uint8Array>;
}

void run(workerData as InflateJob);
