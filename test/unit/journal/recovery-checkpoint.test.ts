// A start from a checkpoint finds what a start that reads everything finds, and one that cannot be trusted is not used.
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { type Recovery, recoverWal } from "../../../src/journal/recovery.ts";
import { readManifests, writeManifest } from "../../../src/journal/session-manifest.ts";
import { Session, Truth } from "./session-fixture.ts";
import { makeDir, removeDir, segmentFiles } from "./wal-fixture.ts";

const SEED = 52_300;
let dir: string;
beforeEach(() => {
  dir = makeDir();
});
afterEach(() => removeDir(dir));

function writeSession(truth: Truth, prng: Prng, number: number): void {
  const session = new Session(dir, truth, prng, number);
  // Every third session does not have the last strategy any more: what it left is house's.
  if (number % 3 === 1) {
    const manifest = [...readManifests(dir).bySession.values()].find((m) => m.nonceLo === session.nonceLo)!;
    writeManifest(dir, { ...manifest, strategies: manifest.strategies.slice(0, 2) });
  }
  for (let step = 0; step < 120; step++) session.step();
  session.writer.close();
}

/** What was found, without how it was found. */
function content(recovery: Recovery) {
  const { segmentsSkipped, checkpointProblem, cuts, manifestProblems, ...found } = recovery;
  return found;
}

const whole = () => content(recoverWal(dir, { repair: false }));
const checkpoint = () => join(dir, "recovery.checkpoint");

function threeSessions(): void {
  const truth = new Truth();
  const prng = new Prng(SEED);
  for (let i = 0; i < 3; i++) {
    writeSession(truth, prng, i);
    if (i < 2) recoverWal(dir);
  }
}

test(`each start of random sessions finds the same with and without the checkpoint (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 2, max: 4 }), (seed, sessions) => {
      removeDir(dir);
      const truth = new Truth();
      const prng = new Prng(seed);
      for (let i = 0; i < sessions; i++) {
        const before = i === 0 ? 0 : segmentFiles(dir).length;
        writeSession(truth, prng, i);
        // Some starts are not recorded: the next one has two sessions to read.
        if (i === 1 && seed % 3 === 0) continue;
        const expected = whole();
        const found = recoverWal(dir);
        expect(content(found)).toEqual(expected);
        expect(found.checkpointProblem).toBe("");
        if (i === 1) expect(found.segmentsSkipped).toBe(before);
      }
      expect(content(recoverWal(dir))).toEqual(whole());
      const again = recoverWal(dir);
      expect(again.segmentsSkipped).toBe(segmentFiles(dir).length);
      expect(content(again)).toEqual(whole());
    }),
    { seed: SEED, numRuns: 20 },
  );
});

test("only what came after the last start is read: damage before it is not seen again, damage after it is", () => {
  threeSessions();
  const files = segmentFiles(dir);
  const skipped = recoverWal(dir).segmentsSkipped;
  expect(skipped).toBeGreaterThan(0);
  expect(skipped).toBeLessThan(files.length);
  const truth = new Truth();
  truth.records = recoverWal(dir).endPosition;
  writeSession(truth, new Prng(7), 3);
  const newest = segmentFiles(dir).find((file) => !files.includes(file))!;
  const bytes = readFileSync(newest);
  bytes[4096 + 70]! ^= 1;
  writeFileSync(newest, bytes);
  const found = recoverWal(dir);
  expect(found.problems.map((p) => p.file)).toContain(newest);
  expect(content(found)).toEqual(whole());
  // It stays a problem of the archive.
  expect(content(recoverWal(dir))).toEqual(whole());
});

test("a torn tail of the newest session is cut, and the next start goes on from there", () => {
  threeSessions();
  appendFileSync(segmentFiles(dir).at(-1)!, "a write that was cut by a kill");
  const found = recoverWal(dir);
  expect(found.cuts).toHaveLength(1);
  const next = recoverWal(dir);
  expect(next).toMatchObject({ cuts: [], problems: [], segmentsSkipped: segmentFiles(dir).length });
  expect(content(next)).toEqual(whole());
});

test("a missing position between the checkpoint and the next session is a gap", () => {
  threeSessions();
  const truth = new Truth();
  truth.records = recoverWal(dir).endPosition + 5;
  writeSession(truth, new Prng(9), 3);
  const found = recoverWal(dir);
  expect(found.problems).toMatchObject([{ kind: "gap", records: 5 }]);
  expect(content(found)).toEqual(whole());
});

test("what the oldest segments told stays when they are given up", () => {
  threeSessions();
  const before = recoverWal(dir);
  rmSync(segmentFiles(dir)[0]!);
  const after = recoverWal(dir);
  expect(after.segmentsSkipped).toBe(segmentFiles(dir).length);
  expect(content(after)).toEqual(content(before));
});

for (const [what, spoil, reason] of [
  ["is damaged", () => flip(checkpoint()), "damaged, or of another version"],
  ["is cut short", () => truncateSync(checkpoint(), 40), "damaged, or of another version"],
  ["is empty", () => truncateSync(checkpoint(), 0), "damaged, or of another version"],
  ["has a segment that was changed", () => utimesSync(segmentFiles(dir)[1]!, 1, 1), "is not what it was"],
  ["has a segment that lost its end", () => truncateSync(segmentFiles(dir)[0]!, 4100), "is not what it was"],
  ["has a segment that is missing in the middle", () => rmSync(segmentFiles(dir)[1]!), "is not what it was"],
] as const) {
  test(`a checkpoint that ${what} is not used: everything is read, and it is said`, () => {
    threeSessions();
    spoil();
    const expected = whole();
    const found = recoverWal(dir);
    expect(found.segmentsSkipped).toBe(0);
    expect(found.checkpointProblem).toContain(reason);
    expect(content(found)).toEqual(expected);
    expect(recoverWal(dir).checkpointProblem).toBe("");
  });
}

test("reading without repair leaves no checkpoint behind", () => {
  writeSession(new Truth(), new Prng(1), 0);
  recoverWal(dir, { repair: false });
  expect(existsSync(checkpoint())).toBe(false);
});

function flip(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
}
