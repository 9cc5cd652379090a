// pipe2(2): a pipe whose far end notices when this process dies. Bun's own "pipe" for a child's stdin is a socket,
// which a program that opens /dev/stdin by name cannot open.
import { dlopen, FFIType, ptr } from "bun:ffi";

const O_CLOEXEC = 0o2000000;

const libc = dlopen("libc.so.6", {
  pipe2: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
}).symbols;

export interface Pipe {
  /** For the child's stdin; close it here once the child runs. */
  readonly readFd: number;
  /** Closed by the kernel when this process ends; no other child inherits it. */
  readonly writeFd: number;
}

/** Throws when no descriptor is left. */
export function openPipe(): Pipe {
  const fds = new Int32Array(new ArrayBuffer(4096));
  if (libc.pipe2(ptr(fds), O_CLOEXEC) !== 0) throw new Error("pipe: no file descriptor is left");
  return { readFd: fds[0]!, writeFd: fds[1]! };
}
