import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { RECORD_BYTES } from "../../../src/core/record.ts";
import {
  decodeSegmentHeader,
  parseSegmentFileName,
  SEGMENT_HEADER_BYTES,
  sessionName,
} from "../../../src/journal/segment.ts";
import { WAL_OPEN } from "../../../src/journal/wal-writer.ts";
import { SCHEMA_VERSION } from "../../../src/wire/messages.gen.ts";
import {
  BASE_NS,
  type Group,
  hexOf,
  makeDir,
  makeSession,
  makeWriter,
  randomGroup,
  randomRecord,
  readBack,
  removeDir,
  segmentFiles,
  stageRecords,
} from "./wal-fixture.ts";

const SEED = 7_021;
let dir: string;
beforeEach(() => {
  dir = makeDir();
});
afterEach(() => removeDir(dir));

/** Writes random batches of whole groups; returns what was written, in order. */
function writeRandom(seed: number, turns: number, segmentBytes: number) {
  const prng = new Prng(seed);
  const { writer } = makeWriter(dir, { segmentBytes });
  expect(writer.open()).toBe(true);
  const written: { stream: number; hex: string }[] = [];
  const groups: Group[] = [];
  for (let turn = 0; turn < turns; turn++) {
    for (let batch = prng.nextBelow(3); batch >= 0; batch--) {
      const stream = 1 + prng.nextBelow(3);
      const own = Array.from({ length: 1 + prng.nextBelow(8) }, () => randomGroup(prng));
      const records = own.flat();
      if (records.length > writer.room()) continue;
      stageRecords(writer, stream, records);
      groups.push(...own);
      written.push(...records.map((record) => ({ stream, hex: hexOf(record) })));
    }
    expect(writer.flush()).toBe(true);
  }
  expect(writer.close()).toBe(true);
  return { written, groups, status: writer.status };
}

describe("what was written is read back", () => {
  test(`random streams with random batch splits and rotation, bit for bit, positions without a hole (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.constantFrom(8192, 16_384, 1 << 20),
        (seed, segmentBytes) => {
          removeDir(dir);
          const { written, status } = writeRandom(seed, 12, segmentBytes);
          const { records, result } = readBack(dir);
          expect(result.problems).toEqual([]);
          expect(result.end).toBe(written.length);
          expect(records).toEqual(written.map((record, position) => ({ position, ...record })));
          expect(status).toMatchObject({
            records: written.length,
            position: written.length,
            durablePosition: written.length,
          });
        },
      ),
      { seed: SEED, numRuns: 30 },
    );
  });

  test("a group is in one batch of one segment, whatever the rotation", () => {
    const { groups } = writeRandom(SEED, 60, 8192);
    expect(segmentFiles(dir).length).toBeGreaterThan(5);
    const { batches } = readBack(dir);
    const batchOf = new Map(batches.flatMap((batch, i) => batch.map((hex) => [hex, i] as const)));
    for (const group of groups)
      expect(new Set(group.map((record) => batchOf.get(hexOf(record)))).size).toBe(1);
  });

  test("no segment grows beyond its size, and names, headers and positions agree", () => {
    writeRandom(SEED, 60, 8192);
    let previousEnd = 0;
    segmentFiles(dir).forEach((file, index) => {
      const bytes = readFileSync(file);
      expect(bytes.length).toBeLessThanOrEqual(8192);
      expect(parseSegmentFileName(basename(file))).toEqual({ session: makeSession().name, stream: 0, index });
      const header = decodeSegmentHeader(bytes);
      expect(header).toMatchObject({
        index,
        baseNs: BASE_NS,
        schemaVersion: SCHEMA_VERSION,
        nonceLo: 0x89abcdef,
        nonceHi: 0x1234,
      });
      if (typeof header === "string") return;
      expect(header.firstPosition).toBeGreaterThanOrEqual(previousEnd);
      previousEnd = header.firstPosition;
    });
  });
});

describe("rotation and sessions", () => {
  test("a new day starts a new segment", () => {
    const { writer, clock } = makeWriter(dir);
    writer.open();
    const record = randomRecord(new Prng(1));
    for (const hours of [1, 23.9, 24.1, 25, 49]) {
      clock.advanceTo(hours * 3600e9);
      stageRecords(writer, 1, [record]);
      writer.flush();
    }
    writer.close();
    expect(segmentFiles(dir)).toHaveLength(3);
    expect(readBack(dir).result).toMatchObject({ end: 5, problems: [] });
  });

  test("the next session goes on where the last one ended, also when the wall clock stepped back", () => {
    const prng = new Prng(2);
    for (const [nonce, second, start] of [
      [1, 7200, 0],
      [2, 3600, 3],
    ] as const) {
      const { writer } = makeWriter(dir, { session: makeSession(nonce, second), startPosition: start });
      writer.open();
      stageRecords(writer, 1, [randomRecord(prng), randomRecord(prng), randomRecord(prng)]);
      writer.flush();
      writer.close();
    }
    expect(readBack(dir).result).toMatchObject({ end: 6, problems: [] });
  });

  test("a missing segment is a gap", () => {
    const { groups } = writeRandom(SEED, 60, 8192);
    const files = segmentFiles(dir);
    removeDir(files[2]!);
    const { result, records } = readBack(dir);
    expect(result.problems.map((p) => p.kind)).toEqual(["gap", "gap"]);
    expect(result.problems[0]!.reason).toContain("segment 3");
    expect(result.problems[1]!.records).toBe(groups.flat().length - records.length);
  });

  test("session names sort by time and carry the nonce", () => {
    expect(sessionName(BASE_NS + 25_681_000_000_000n, 0xffffffff, 0x1fffff)).toBe(
      "20241121T070801Z-2gosa7pa2gv",
    );
  });
});

describe("fsync policies", () => {
  const record = randomRecord(new Prng(3));
  test("batch: durable with the write; none: at close; interval: when the time has come", () => {
    for (const [fsync, afterWrite, afterTime] of [
      ["batch", 1, 1],
      ["none", 0, 0],
      ["interval", 0, 1],
    ] as const) {
      removeDir(dir);
      const { writer, clock } = makeWriter(dir, { fsync, fsyncIntervalMs: 50 });
      writer.open();
      writer.sync();
      stageRecords(writer, 1, [record]);
      writer.flush();
      writer.tick();
      expect(writer.status.durablePosition).toBe(afterWrite);
      clock.advanceTo(3600e9 + 51e6);
      writer.tick();
      expect(writer.status.durablePosition).toBe(afterTime);
      writer.close();
      expect(writer.status.durablePosition).toBe(1);
    }
  });

  test("status counts batches and bytes as the files have them", () => {
    const { writer } = makeWriter(dir, { fsync: "batch" });
    writer.open();
    stageRecords(writer, 1, [record]);
    stageRecords(writer, 2, [record, record]);
    writer.flush();
    expect(writer.status).toMatchObject({ state: WAL_OPEN, error: "", batches: 2, records: 3, segments: 1 });
    expect(writer.status.bytes).toBe(readFileSync(segmentFiles(dir)[0]!).length);
    writer.close();
  });
});

describe("damage", () => {
  /** One segment with batches of 3, 1 and 2 records. */
  function threeBatches(): { file: string; bytes: Uint8Array; hex: string[] } {
    removeDir(dir);
    const prng = new Prng(SEED);
    const { writer } = makeWriter(dir);
    writer.open();
    const hex: string[] = [];
    for (const count of [3, 1, 2]) {
      const records = Array.from({ length: count }, () => randomRecord(prng));
      stageRecords(writer, 1, records);
      writer.flush();
      hex.push(...records.map(hexOf));
    }
    writer.close();
    const [file] = segmentFiles(dir);
    return { file: file!, bytes: new Uint8Array(readFileSync(file!)), hex };
  }

  test("a tail torn at every byte of the last batch leaves exactly the batches before it", () => {
    const { file, bytes, hex } = threeBatches();
    const lastBatch = bytes.length - 3 * RECORD_BYTES;
    for (let length = lastBatch + 1; length < bytes.length; length++) {
      writeFileSync(file, bytes);
      truncateSync(file, length);
      const { records, result } = readBack(dir);
      expect(records.map((r) => r.hex)).toEqual(hex.slice(0, 4));
      expect(result.problems).toHaveLength(1);
      expect(result.problems[0]).toMatchObject({
        kind: "torn",
        offset: lastBatch,
        bytes: length - lastBatch,
      });
    }
  });

  test("a tail torn with zeros in place of the last pages is found too", () => {
    const { file, bytes, hex } = threeBatches();
    for (let from = bytes.length - 3 * RECORD_BYTES; from < bytes.length; from++) {
      if (bytes.subarray(from).every((byte) => byte === 0)) continue;
      const torn = bytes.slice();
      torn.fill(0, from);
      writeFileSync(file, torn);
      const { records, result } = readBack(dir);
      expect(records.map((r) => r.hex)).toEqual(hex.slice(0, 4));
      expect(result.problems[0]!.kind).toBe("torn");
    }
  });

  test(`every flipped bit is found, told with its offset, and no damaged record is accepted (seed ${SEED})`, () => {
    const { file, bytes, hex } = threeBatches();
    const starts = [
      SEGMENT_HEADER_BYTES,
      SEGMENT_HEADER_BYTES + 4 * RECORD_BYTES,
      SEGMENT_HEADER_BYTES + 6 * RECORD_BYTES,
    ];
    const counts = [3, 1, 2];
    fc.assert(
      fc.property(
        fc.integer({ min: SEGMENT_HEADER_BYTES, max: bytes.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
        (at, bit) => {
          const flipped = bytes.slice();
          flipped[at]! ^= 1 << bit;
          writeFileSync(file, flipped);
          const hit = starts.findLastIndex((start) => at >= start);
          const firstLost = counts.slice(0, hit).reduce((a, b) => a + b, 0);
          const expected = hex.filter((_, i) => i < firstLost || i >= firstLost + counts[hit]!);
          const { records, result } = readBack(dir);
          expect(records.map((r) => r.hex)).toEqual(expected);
          const kinds = result.problems.map((p) => p.kind).sort();
          expect(kinds).toEqual(hit === 2 ? ["torn"] : ["corrupt", "gap"]);
          expect(result.problems.find((p) => p.kind !== "gap")).toMatchObject({ file, offset: starts[hit]! });
        },
      ),
      { seed: SEED, numRuns: 400 },
    );
  });

  test("a flipped bit in the header page's fields makes the whole segment unreadable, and says so", () => {
    const { file, bytes } = threeBatches();
    for (let at = 0; at < 64; at++) {
      const flipped = bytes.slice();
      flipped[at]! ^= 4;
      writeFileSync(file, flipped);
      const { records, result } = readBack(dir);
      expect(records).toEqual([]);
      expect(result.problems[0]).toMatchObject({ file, offset: 0, bytes: bytes.length });
    }
  });

  test("a batch of another session is not taken for data", () => {
    const { file, bytes, hex } = threeBatches();
    removeDir(dir);
    const { writer } = makeWriter(dir, { session: makeSession(77) });
    writer.open();
    stageRecords(writer, 1, [randomRecord(new Prng(4))]);
    writer.flush();
    writer.close();
    const foreign = new Uint8Array(readFileSync(segmentFiles(dir)[0]!)).subarray(SEGMENT_HEADER_BYTES);
    removeDir(segmentFiles(dir)[0]!);
    writeFileSync(file, Buffer.concat([bytes, foreign]));
    const { records, result } = readBack(dir);
    expect(records.map((r) => r.hex)).toEqual(hex);
    expect(result.problems[0]).toMatchObject({ kind: "torn", reason: "batch of another session or segment" });
  });
});
