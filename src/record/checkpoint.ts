// What a recorder that starts again must know: up to where the store has acknowledged, and what the rows after that
// depend on. One JSON file per store, replaced whole. Losing it costs time, not rows: the recorder then asks the store
// what it has.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { WriterState } from "./row-writer.ts";
import type { TailStart } from "./wal-tail.ts";

/** Of the form of `state`: another one is not understood, and the recorder begins at the beginning. */
export const STATE_VERSION = 2;

export interface Checkpoint {
  readonly version: number;
  /** RowStore.open() of the store that has the rows: another store begins at the beginning. */
  readonly store: string;
  readonly resume: TailStart | null;
  readonly state: WriterState | null;
  /** Bytes of the audit log that are in the store. */
  readonly auditOffset: number;
  /** RowStore.commit(). */
  readonly committed: unknown;
  /** Rows acknowledged so far, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** null: there is none, or it cannot be read (its text then goes to `told`). */
export function readCheckpoint(file: string, told: (text: string) => void): Checkpoint | null {
  if (!existsSync(file)) return null;
  try {
    const saved = JSON.parse(readFileSync(file, "utf8")) as Checkpoint;
    if (saved.version === STATE_VERSION) return saved;
    told(`${file}: of another version of hotlane: starting from the beginning of the WAL`);
    return null;
  } catch (error) {
    told(`${file}: ${(error as Error).message}: starting from the beginning of the WAL`);
    return null;
  }
}

/** Throws the file system's error. */
export function writeCheckpoint(file: string, checkpoint: Checkpoint): void {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(`${file}.new`, "w", 0o640);
  try {
    writeSync(fd, JSON.stringify(checkpoint));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}
