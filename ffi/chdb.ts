// ClickHouse's own server code, from the chdb library: its command-line entry, which serves HTTP when the queries
// it is given say so. Blocks the calling thread until the last query ends: for a process of its own only.
import { dlopen, FFIType, ptr } from "bun:ffi";

/** Runs `clickhouse-local ARGS` in this process. Throws when the library cannot be opened. */
export function runClickHouse(library: string, args: readonly string[]): void {
  const { symbols } = dlopen(library, {
    chdb_query_cmdline: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.ptr },
  });
  const encoder = new TextEncoder();
  const texts = ["clickhouse-local", ...args].map((arg) => encoder.encode(`${arg}\0`));
  const pointersBytes = 8 * (texts.length + 1);
  const bytes = texts.reduce((sum, text) => sum + text.length, pointersBytes);
  // An explicit buffer: a small typed array is moved by the optimising compiler (oven-sh/bun issue 32054).
  const memory = new ArrayBuffer(Math.max(65_536, Math.ceil(bytes / 8) * 8));
  const u8 = new Uint8Array(memory);
  const pointers = new BigUint64Array(memory);
  const base = BigInt(ptr(u8));
  let at = pointersBytes;
  texts.forEach((text, i) => {
    pointers[i] = base + BigInt(at);
    u8.set(text, at);
    at += text.length;
  });
  symbols.chdb_query_cmdline(texts.length, ptr(u8));
}
