// Sets the kill word from outside the engine: `<data-dir>/kill`, one page, i32 at 0, mapped by every lane of a
// running instance and read by the next start. Works without any process of ours; needs only the file.
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { KILL_KILLED } from "../wire/codes.ts";

export const KILL_FILE = "kill";
const KILL_FILE_BYTES = 4096;
const OWNER_ONLY = 0o600;

export interface StoredKill {
  readonly path: string;
  /** The word as it was: KILL_… of wire/codes.ts. */
  readonly before: number;
}

/** Running lanes see it at their next order; on disk when this returns. Throws the file system's error. */
export function storeKillWord(dataDir: string): StoredKill {
  const path = join(dataDir, KILL_FILE);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, OWNER_ONLY);
  try {
    if (fstatSync(fd).size < KILL_FILE_BYTES) ftruncateSync(fd, KILL_FILE_BYTES);
    const page = Bun.mmap(path, { shared: true });
    const word = new Int32Array(page.buffer, page.byteOffset, 1);
    const before = Atomics.exchange(word, 0, KILL_KILLED);
    fsyncSync(fd);
    return { path, before };
  } finally {
    closeSync(fd);
  }
}
