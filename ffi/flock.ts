// flock(2): a lock on an open file that the kernel releases when its holder dies, however it dies.
import { dlopen, FFIType, read } from "bun:ffi";

const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

const libc = dlopen("libc.so.6", {
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  __errno_location: { args: [], returns: FFIType.ptr },
}).symbols;

/** held: we have it now. busy: another open file has it. unsupported: this file system has no locks. */
export type FlockResult = "held" | "busy" | "unsupported";

/** Tries to take the exclusive lock of an open file; never waits. Closing the file gives it back. */
export function tryFlock(fd: number): FlockResult {
  if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) return "held";
  const location = libc.__errno_location();
  return location !== null && read.i32(location, 0) === EWOULDBLOCK ? "busy" : "unsupported";
}
