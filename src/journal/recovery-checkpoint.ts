// What a start has gathered from the WAL, kept beside it, so that the next start reads only what came after: start
// time is bounded by the newest session, not by the archive. Every segment that exists at a start belongs to a
// session that is over, and does not change any more. Cold code.
//
//   <wal>/recovery.checkpoint:  "hotlane recovery 1 <wyhash of the rest, hex>\n"  serialised RecoveryCheckpoint
//
// It is a copy, never the truth: one that is damaged, of another version, or that does not fit the segments is not
// used, and the whole WAL is read. The oldest segments may have been given up (retention): what they told stays.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { RecoveredContent } from "./recovered-state.ts";
import type { RecoveredSession } from "./recovery.ts";
import type { SegmentFile, WalProblem } from "./wal-reader.ts";

const FILE_NAME = "recovery.checkpoint";
/** Raised with every change of what is kept. */
const VERSION = 1;
const MAGIC = `hotlane recovery ${VERSION} `;

/** A segment as it was when it was read. */
interface CoveredSegment {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface RecoveryCheckpoint {
  /** In position order. */
  readonly segments: readonly CoveredSegment[];
  /** Position after the last record. */
  readonly end: number;
  readonly sessions: readonly RecoveredSession[];
  /** Damage that stays in the files. */
  readonly problems: readonly WalProblem[];
  readonly content: RecoveredContent;
}

/** The checkpoint of `dir` and how many of `segments` it covers; a text says why there is none that can be used. */
export function loadCheckpoint(
  dir: string,
  segments: readonly SegmentFile[],
): { readonly checkpoint: RecoveryCheckpoint; readonly covered: number } | string {
  const checkpoint = readCheckpoint(join(dir, FILE_NAME));
  if (typeof checkpoint === "string") return checkpoint;
  const names = new Set(segments.map((s) => basename(s.file)));
  const left = checkpoint.segments.findIndex((s) => names.has(s.name));
  const expected = left < 0 ? [] : checkpoint.segments.slice(left);
  const changed = expected.find((s, i) => !isUnchanged(s, segments[i]));
  if (changed !== undefined) return `${changed.name} is not what it was`;
  return { checkpoint, covered: expected.length };
}

/** Atomically. Throws the file system's error. */
export function saveCheckpoint(
  dir: string,
  segments: readonly SegmentFile[],
  found: Omit<RecoveryCheckpoint, "segments">,
): void {
  const body = serialize({ ...found, segments: segments.map((s) => describe(s.file)) });
  const file = join(dir, FILE_NAME);
  const fd = openSync(`${file}.new`, "w", 0o640);
  try {
    writeSync(fd, Buffer.concat([Buffer.from(`${MAGIC}${checksum(body)}\n`), body]));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}

const checksum = (bytes: Uint8Array): string => Bun.hash.wyhash(bytes).toString(16);

function describe(file: string): CoveredSegment {
  const { size, mtimeMs } = statSync(file);
  return { name: basename(file), bytes: size, modifiedMs: mtimeMs };
}

function isUnchanged(covered: CoveredSegment, segment: SegmentFile | undefined): boolean {
  if (segment === undefined || basename(segment.file) !== covered.name) return false;
  const now = describe(segment.file);
  return now.bytes === covered.bytes && now.modifiedMs === covered.modifiedMs;
}

function readCheckpoint(file: string): RecoveryCheckpoint | string {
  try {
    const bytes = readFileSync(file);
    const head = bytes.indexOf("\n");
    const body = bytes.subarray(head + 1);
    if (bytes.toString("latin1", 0, head) !== `${MAGIC}${checksum(body)}`)
      return "damaged, or of another version";
    return deserialize(body) as RecoveryCheckpoint;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : (error as Error).message;
  }
}
