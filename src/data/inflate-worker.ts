// Worker of inflate-ahead.ts: reads and inflates arrays one after the other straight into the slots of the shared ring. It
// blocks in Atomics.wait when the ring is full; it owns no socket, so nothing starves.
import { workerData } from "node:worker_threads";
import { ArrayReader } from "./array-reader.ts";
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
import {
  checkFields,
  EVENT_FIELDS,
  EVENT_ROW_BYTES,
  NPY_HEADER_MAX_BYTES,
  npyDataOffset,
  parseNpyHeader,
} from "./npy.ts";
import { type ArrayLocation, checkLength } from "./npz-file.ts";
import { BLOCK_ROWS } from "./row-block.ts";

const BLOCK_BYTES = BLOCK_ROWS * EVENT_ROW_BYTES;

/** Hands slots to be filled and publishes them. */
class SlotWriter {
  private readonly ring: InflateRing;
  private block = 0;

  constructor(ring: InflateRing) {
    this.ring = ring;
  }

  /** Where the next block's bytes go, or −1 when the reader asked to stop. Waits for a free slot. */
  claim(): number {
    const { control } = this.ring;
    for (;;) {
      if (Atomics.load(control, STOP_WORD) !== 0) return -1;
      const consumed = Atomics.load(control, CONSUMED_WORD);
      if (this.block - consumed < SLOTS) return (this.block % SLOTS) * BLOCK_BYTES;
      Atomics.wait(control, CONSUMED_WORD, consumed, 1000);
    }
  }

  publish(rows: number, fileIndex: number): void {
    const { control } = this.ring;
    const slot = this.block % SLOTS;
    control[SLOT_WORDS + slot * 2] = rows;
    control[SLOT_WORDS + slot * 2 + 1] = fileIndex;
    this.block++;
    Atomics.store(control, PUBLISHED_WORD, this.block);
    Atomics.notify(control, PUBLISHED_WORD);
  }
}

function run(job: InflateJob): void {
  const ring = new InflateRing(job.buffer);
  const writer = new SlotWriter(ring);
  let ended = ENDED_DATA;
  let location = job.locations[0]!;
  try {
    for (let i = 0; i < job.locations.length; i++) {
      location = job.locations[i]!;
      if (!streamArray(location, i, ring, writer)) return;
    }
  } catch (error) {
    ended = ENDED_ERROR;
    const known = error instanceof DataFileError;
    const message = (error as Error).message;
    const what = known ? message.slice(location.file.length + 2) : message;
    writeFault(ring, [location.file, -1, what]);
  }
  Atomics.store(ring.control, ENDED_WORD, ended);
  Atomics.notify(ring.control, PUBLISHED_WORD);
}

/** False when the reader asked to stop. */
function streamArray(location: ArrayLocation, index: number, ring: InflateRing, writer: SlotWriter): boolean {
  const reader = new ArrayReader(location);
  try {
    readHeader(reader, location);
    for (;;) {
      const at = writer.claim();
      if (at < 0) return false;
      const rows = Math.floor(reader.read(ring.bytes, at, BLOCK_BYTES) / EVENT_ROW_BYTES);
      if (rows > 0) writer.publish(rows, index);
      if (rows < BLOCK_ROWS) break;
    }
    reader.finish();
    return true;
  } finally {
    reader.close();
  }
}

/** Reads up to the first row. The header is as long as its first 12 bytes say. */
function readHeader(reader: ArrayReader, location: ArrayLocation): void {
  const { file } = location;
  const head = new Uint8Array(NPY_HEADER_MAX_BYTES);
  let length = reader.read(head, 0, 12);
  const end = npyDataOffset(head);
  if (end > length && end <= head.length) length += reader.read(head, length, end - length);
  const header = parseNpyHeader(head.subarray(0, length), file);
  checkFields(header, EVENT_FIELDS, file);
  checkLength(header, location.bytes, file);
}

run(workerData as InflateJob);
