// One process per data directory: `<dir>/lock` under flock, with the holder's pid inside for the message that
// the second one prints. The kernel frees it when the holder dies; the file itself stays. On a file system
// without flock the pid inside decides, as far as a pid can. Cold code.
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { tryFlock } from "../../ffi/flock.ts";

export interface DataDirLock {
  readonly file: string;
  /** Gives the directory back. Safe to call twice. */
  release(): void;
}

export type LockResult =
  | { readonly ok: true; readonly lock: DataDirLock }
  | { readonly ok: false; readonly error: string /** 0 = not known. */; readonly pid: number };

/** Takes the lock of a data directory, which is made when absent. Never waits, never throws. */
export function lockDataDir(dir: string): LockResult {
  const file = join(dir, "lock");
  let fd: number;
  try {
    mkdirSync(dir, { recursive: true });
    fd = openSync(file, "a+", 0o640);
  } catch (error) {
    return {
      ok: false,
      pid: 0,
      error: `${dir}: cannot be used as data directory (${(error as NodeJS.ErrnoException).code})`,
    };
  }
  const flock = tryFlock(fd);
  const pid = holderPid(file);
  if (flock === "busy" || (flock === "unsupported" && pid !== process.pid && isAlive(pid))) {
    closeSync(fd);
    return {
      ok: false,
      pid,
      error: `${dir}: in use by another hotlane process${pid > 0 ? ` (pid ${pid})` : ""}`,
    };
  }
  try {
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid}\n`);
  } catch (error) {
    closeSync(fd);
    return {
      ok: false,
      pid: 0,
      error: `${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`,
    };
  }
  return { ok: true, lock: holdLock(file, fd) };
}

function holdLock(file: string, fd: number): DataDirLock {
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    // Emptied, not removed: removing it would let a third process lock a file that nobody else can see.
    ftruncateSync(fd, 0);
    closeSync(fd);
  };
  return { file, release };
}

function holderPid(file: string): number {
  const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : 0;
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
