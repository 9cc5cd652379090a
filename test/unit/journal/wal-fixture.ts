// Random record streams and writers for the journal's tests.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../../src/core/clock.ts";
import type { Prng } from "../../../src/core/prng.ts";
import { RECORD_BYTES, RecordMemory } from "../../../src/core/record.ts";
import { sessionName } from "../../../src/journal/segment.ts";
import { type ReadResult, readWal } from "../../../src/journal/wal-reader.ts";
import { type WalOptions, type WalSession, WalWriter } from "../../../src/journal/wal-writer.ts";
import { FLAG_CONTINUATION, FLAG_MORE, MESSAGE_DESCRIPTORS } from "../../../src/wire/messages.gen.ts";

export const BASE_NS = 1_732_147_200_000_000_000n; // 2024-11-21T00:00:00Z

export function makeDir(): string {
  return mkdtempSync(join(tmpdir(), "hotlane-wal-"));
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

export function makeSession(nonceLo = 0x89abcdef, secondsIntoDay = 3600): WalSession {
  const start = BASE_NS + BigInt(secondsIntoDay) * 1_000_000_000n;
  return { name: sessionName(start, nonceLo, 0x1234), nonceLo, nonceHi: 0x1234, baseNs: BASE_NS };
}

export interface TestWriter {
  readonly writer: WalWriter;
  readonly clock: ManualClock;
}

export function makeWriter(dir: string, options: Partial<WalOptions> = {}): TestWriter {
  const clock = new ManualClock(3600e9);
  const writer = new WalWriter({
    dir,
    session: makeSession(),
    startPosition: 0,
    segmentBytes: 1 << 20,
    fsync: "none",
    fsyncIntervalMs: 100,
    clock,
    ...options,
  });
  return { writer, clock };
}

/** A group: one record, or a head with MORE and its continuations; random bytes but for kind and flags. */
export type Group = readonly Uint8Array[];

export function randomGroup(prng: Prng): Group {
  const size = prng.nextBelow(5) === 0 ? 2 + prng.nextBelow(4) : 1;
  return Array.from({ length: size }, (_, i) => {
    const record = randomRecord(prng);
    const flags = (i > 0 ? FLAG_CONTINUATION : 0) | (i < size - 1 ? FLAG_MORE : 0);
    new DataView(record.buffer).setUint16(2, flags, true);
    return record;
  });
}

/** Random bytes (so also every NaN pattern) with a kind of the schema. */
export function randomRecord(prng: Prng): Uint8Array {
  const record = new Uint8Array(RECORD_BYTES);
  const view = new DataView(record.buffer);
  for (let i = 0; i < RECORD_BYTES; i += 4) view.setUint32(i, prng.nextU32(), true);
  view.setUint16(0, MESSAGE_DESCRIPTORS[prng.nextBelow(MESSAGE_DESCRIPTORS.length)]!.kind, true);
  return record;
}

/** Stages records as one batch. */
export function stageRecords(writer: WalWriter, stream: number, records: readonly Uint8Array[]): void {
  const memory = new RecordMemory(new ArrayBuffer(records.length * RECORD_BYTES));
  for (const [i, record] of records.entries()) memory.u8.set(record, i * RECORD_BYTES);
  writer.stage(stream, memory, 0, records.length, 0, records.length);
}

export interface ReadBack {
  readonly records: readonly { readonly position: number; readonly stream: number; readonly hex: string }[];
  readonly batches: readonly (readonly string[])[];
  readonly result: ReadResult;
}

export function readBack(dir: string): ReadBack {
  const records: { position: number; stream: number; hex: string }[] = [];
  const batches: string[][] = [];
  const result = readWal(dir, (batch) => {
    const batchRecords: string[] = [];
    for (let i = 0; i < batch.count; i++) {
      const at = batch.at + i * RECORD_BYTES;
      const hex = Buffer.from(batch.memory.u8.subarray(at, at + RECORD_BYTES)).toString("hex");
      records.push({ position: batch.position + i, stream: batch.stream, hex });
      batchRecords.push(hex);
    }
    batches.push(batchRecords);
  });
  return { records, batches, result };
}

export const hexOf = (record: Uint8Array): string => Buffer.from(record).toString("hex");

export function segmentFiles(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".wal"))
    .sort()
    .map((name) => join(dir, name));
}
