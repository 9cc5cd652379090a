// What a session's records mean: instruments, strategies and streams by number, as JSON beside the segments.
// Written at start, and again at an end that keeps the working orders; atomically. Numbers differ between sessions; names do not. Cold code.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Instrument } from "../market/instrument.ts";

export interface SessionManifest {
  /** See sessionName. */
  readonly session: string;
  readonly env: string;
  readonly schemaVersion: number;
  /** Decimal text: ns since the Unix epoch. */
  readonly baseNs: string;
  readonly createdUnixNs: string;
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly instruments: readonly Instrument[];
  /** Index = strategy id; [0] is "house". */
  readonly strategies: readonly string[];
  /** Index = asset id of fees and balances; [0] is unknown. */
  readonly assets?: readonly string[];
  /** Stream number → name. */
  readonly streams: Readonly<Record<string, string>>;
  /** Lane and stage by LatencyBucket.histogram; absent in older sessions. */
  readonly latencyStages?: readonly (readonly [string, string])[];
  /** It has ended in order and left its working orders at the venue, for the next one. */
  readonly ordersKept?: true;
  /** What the engine needs to run the session again (engine/replay-setup.ts); absent in older sessions. */
  readonly replay?: Readonly<Record<string, unknown>>;
}

/** Throws the file system's error. */
export function writeManifest(dir: string, manifest: SessionManifest): void {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${manifest.session}.json`);
  const fd = openSync(`${file}.new`, "w", 0o640);
  try {
    writeSync(fd, `${JSON.stringify(manifest, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}

/** By session name; a file that is no manifest is left out and named in `problems`. */
export function readManifests(dir: string): {
  readonly bySession: ReadonlyMap<string, SessionManifest>;
  readonly problems: readonly string[];
} {
  const bySession = new Map<string, SessionManifest>();
  const problems: string[] = [];
  for (const file of readdirSync(dir).filter((name) => name.endsWith(".json"))) {
    const manifest = parseManifest(join(dir, file));
    if (typeof manifest === "string") problems.push(manifest);
    else bySession.set(manifest.session, manifest);
  }
  return { bySession, problems };
}

function parseManifest(file: string): SessionManifest | string {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as Partial<SessionManifest>;
    const good =
      typeof value.session === "string" &&
      Array.isArray(value.instruments) &&
      Array.isArray(value.strategies);
    return good ? (value as SessionManifest) : `${file}: not a session manifest`;
  } catch (error) {
    return `${file}: ${(error as Error).message}`;
  }
}
