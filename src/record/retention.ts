// Gives up WAL segments that the store has and that are older than asked. Recovery at start still needs the last word
// on every position, so the newest segments stay whatever their age.
import { statSync, unlinkSync } from "node:fs";
import { listSegments, type SegmentFile } from "../journal/wal-reader.ts";
import type { TailStart } from "./wal-tail.ts";

/** Segments of the newest two sessions, and the last eight: their position snapshots tell every position. */
const KEPT_SESSIONS = 2;
const KEPT_SEGMENTS = 8;
const MS_PER_HOUR = 3_600_000;

/** Files that may go: wholly acknowledged, last written more than `keepHours` ago. 0 = none ever. */
export function expiredSegments(
  dir: string,
  acknowledged: TailStart,
  keepHours: number,
  nowMs: number,
): SegmentFile[] {
  if (keepHours <= 0) return [];
  const segments = listSegments(dir);
  const sessions = [...new Set(segments.map((s) => s.session))];
  const kept = new Set(sessions.slice(-KEPT_SESSIONS));
  const acknowledgedUpTo = sessions.indexOf(acknowledged.session);
  return segments.slice(0, -KEPT_SEGMENTS).filter((segment, i) => {
    if (kept.has(segment.session) || segment.header === null) return false;
    const at = sessions.indexOf(segment.session);
    const next = segments[i + 1];
    const whole =
      at < acknowledgedUpTo ||
      (at === acknowledgedUpTo && (next?.header?.firstPosition ?? Infinity) <= acknowledged.position);
    return whole && nowMs - statSync(segment.file).mtimeMs > keepHours * MS_PER_HOUR;
  });
}

export function dropSegments(segments: readonly SegmentFile[]): void {
  for (const { file } of segments) unlinkSync(file);
}
