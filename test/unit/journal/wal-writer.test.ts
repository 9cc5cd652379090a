import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { Prng } from "../../../src/core/prng.ts";
import { WAL_OPEN, WAL_PAUSED } from "../../../src/journal/wal-writer.ts";
import { makeDir, makeWriter, randomRecord, readBack, removeDir, stageRecords } from "./wal-fixture.ts";

const DAY_NS = 86_400e9;
let dir: string;

beforeEach(() => {
  dir = makeDir();
});
afterEach(() => removeDir(dir));

test("a segment whose last fsync fails is not asked again: its records stay not durable, the next segment opens (seed 5)", () => {
  const prng = new Prng(5);
  const { writer, clock } = makeWriter(dir, { fsync: "interval", fsyncIntervalMs: 60_000 });
  expect(writer.open()).toBe(true);
  stageRecords(writer, 1, [randomRecord(prng)]);
  expect(writer.flush()).toBe(true);
  // A device that cannot be synced stands in for a disk that fails.
  const open = writer as unknown as { fd: number };
  closeSync(open.fd);
  open.fd = openSync("/dev/null", "w");
  clock.advanceTo(DAY_NS + 1e9);
  stageRecords(writer, 1, [randomRecord(prng)]);
  expect(writer.flush()).toBe(false);
  const { status } = writer;
  expect([status.state, status.syncFailures, status.durablePosition]).toEqual([WAL_PAUSED, 1, 0]);
  clock.advanceTo(DAY_NS + 10e9);
  stageRecords(writer, 1, [randomRecord(prng)]);
  expect(writer.flush()).toBe(true);
  expect([status.state, status.syncFailures, status.segments, status.position]).toEqual([WAL_OPEN, 1, 2, 2]);
  expect(writer.close()).toBe(true);
  expect(readBack(dir).records.map((record) => record.position)).toEqual([0, 1]);
});
