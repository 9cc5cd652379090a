// What the machine offers to lanes: clocks, thread affinity, thread names, memory locking, CPU lists.
// The only dlopen of libc. Every pointer handed out lies in an explicit ArrayBuffer: a small typed array is
// moved by the optimising compiler and the kernel would write into stale memory (oven-sh/bun issue 32054).
// Nothing here throws for a missing permission: operations return a HostResult that says what was refused.

import { dlopen, FFIType, type Pointer, ptr, read } from "bun:ffi";
import { readdirSync, readFileSync } from "node:fs";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const PRIO_PROCESS = 0;
const PR_SET_NAME = 15;
const MCL_CURRENT = 1;
const MCL_FUTURE = 2;
const MCL_ONFAULT = 4;
const CLOCK_READINGS = 32;
const CPU_SET_BYTES = 128;
const THREAD_NAME_BYTES = 16;

const libc = openLibc();

function openLibc() {
  const symbols = {
    clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
    sched_setaffinity: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
    gettid: { args: [], returns: FFIType.i32 },
    prctl: {
      args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.u64, FFIType.u64],
      returns: FFIType.i32,
    },
    setpriority: { args: [FFIType.i32, FFIType.u32, FFIType.i32], returns: FFIType.i32 },
    mlockall: { args: [FFIType.i32], returns: FFIType.i32 },
    __errno_location: { args: [], returns: FFIType.ptr },
  } as const;
  try {
    return dlopen("libc.so.6", symbols).symbols;
  } catch (error) {
    throw new Error(`hotlane needs Linux with glibc 2.30 or later: ${(error as Error).message}`);
  }
}

// One page per worker: a timespec at 0, a cpu set at 64, a thread name at 192.
const page = new ArrayBuffer(4096);
const pageU8 = new Uint8Array(page);
const pageU32 = new Uint32Array(page);
const pageAt = ptr(pageU8) as number;
const TIMESPEC = pageAt as Pointer;
const CPU_SET_OFFSET = 64;
const CPU_SET = (pageAt + CPU_SET_OFFSET) as Pointer;
const NAME_OFFSET = 192;
const NAME = (pageAt + NAME_OFFSET) as Pointer;
const clockGettime = libc.clock_gettime;

/** Done, or the reason why not, in words for an operator. */
export type HostResult = { readonly ok: true } | { readonly ok: false; readonly error: string };

const DONE: HostResult = { ok: true };
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: "not permitted (EPERM)",
  13: "not permitted (EACCES)",
  3: "no such thread (ESRCH)",
  12: "over the locked-memory limit (ENOMEM, see ulimit -l)",
  22: "invalid argument (EINVAL)",
};

function failed(what: string): HostResult {
  const location = libc.__errno_location();
  const errno = location === null ? 0 : read.i32(location, 0);
  return { ok: false, error: `${what}: ${ERRNO_NAMES[errno] ?? `errno ${errno}`}` };
}

/**
 * CLOCK_MONOTONIC in ns, comparable across threads and processes of this boot. Hot: ~25 ns, 0 bytes.
 * A double holds it exactly for 104 days of uptime and to 2 ns after that.
 */
export function monotonicNs(): number {
  clockGettime(CLOCK_MONOTONIC, TIMESPEC);
  return (pageU32[0]! + pageU32[1]! * 0x1_0000_0000) * 1e9 + pageU32[2]!;
}

/**
 * CLOCK_BOOTTIME in ns: CLOCK_MONOTONIC plus the time that the machine was suspended, at the same cost. Sessions
 * run on it, so that a suspension is a gap that everybody sees, and times sent to a venue are right after it.
 */
export function bootNs(): number {
  clockGettime(CLOCK_BOOTTIME, TIMESPEC);
  return (pageU32[0]! + pageU32[1]! * 0x1_0000_0000) * 1e9 + pageU32[2]!;
}

/** CLOCK_REALTIME in ns since the Unix epoch. Cold. */
export function realtimeNs(): bigint {
  clockGettime(CLOCK_REALTIME, TIMESPEC);
  const seconds = BigInt(pageU32[0]!) + (BigInt(pageU32[1]!) << 32n);
  return seconds * 1_000_000_000n + BigInt(pageU32[2]!);
}

/** CLOCK_REALTIME and CLOCK_BOOTTIME at one instant: the closest of a few readings, a process's first ones lie far apart. Cold. */
export function readClocks(): { readonly realtimeNs: bigint; readonly bootNs: number } {
  let best = { realtimeNs: 0n, bootNs: 0 };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < CLOCK_READINGS; i++) {
    const before = bootNs();
    const real = realtimeNs();
    const after = bootNs();
    if (after - before >= least) continue;
    least = after - before;
    best = { realtimeNs: real, bootNs: Math.floor((before + after) / 2) };
  }
  return best;
}

/** Kernel id of the calling thread; the main thread's equals the pid. */
export function gettid(): number {
  return libc.gettid();
}

/** Restricts a thread of this process to `cpus`. */
export function setAffinity(tid: number, cpus: readonly number[]): HostResult {
  if (cpus.length === 0) return { ok: false, error: `affinity of thread ${tid}: no cpu given` };
  pageU8.fill(0, CPU_SET_OFFSET, CPU_SET_OFFSET + CPU_SET_BYTES);
  for (const cpu of cpus) {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= CPU_SET_BYTES * 8)
      return { ok: false, error: `affinity of thread ${tid}: cpu ${cpu} is not in 0..1023` };
    pageU8[CPU_SET_OFFSET + (cpu >> 3)]! |= 1 << (cpu & 7);
  }
  const result = libc.sched_setaffinity(tid, CPU_SET_BYTES, CPU_SET);
  return result === 0 ? DONE : failed(`affinity of thread ${tid} to cpu ${cpus.join(",")}`);
}

/** Pins one thread of this process to one cpu. */
export function pinThread(tid: number, cpu: number): HostResult {
  return setAffinity(tid, [cpu]);
}

/** Nice value of one thread of this process, −20 … 19. Its later helper threads inherit it. */
export function setNice(tid: number, nice: number): HostResult {
  return libc.setpriority(PRIO_PROCESS, tid, nice) === 0 ? DONE : failed(`nice ${nice} of thread ${tid}`);
}

/** Names the calling thread as `ps -L`, `top -H` and perf show it. The kernel keeps 15 bytes. */
export function setThreadName(name: string): HostResult {
  pageU8.fill(0, NAME_OFFSET, NAME_OFFSET + THREAD_NAME_BYTES);
  new TextEncoder().encodeInto(name, pageU8.subarray(NAME_OFFSET, NAME_OFFSET + THREAD_NAME_BYTES - 1));
  return libc.prctl(PR_SET_NAME, NAME, 0, 0, 0) === 0 ? DONE : failed(`thread name ${name}`);
}

/**
 * Keeps every page that is touched from now on in memory. With ONFAULT: without it the call faults in
 * gigabytes of reserved heap (6 s).
 */
export function lockMemory(): HostResult {
  return libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) === 0 ? DONE : failed("mlockall");
}

export interface HostThread {
  readonly tid: number;
  readonly name: string;
  readonly cpus: readonly number[];
}

/** Threads of this process. One that ends while being read is left out. */
export function listThreads(): HostThread[] {
  const threads: HostThread[] = [];
  for (const entry of readdirSync("/proc/self/task")) {
    const folder = `/proc/self/task/${entry}`;
    const name = readText(`${folder}/comm`);
    const status = readText(`${folder}/status`);
    if (name === null || status === null) continue;
    const cpus = parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "");
    threads.push({ tid: Number(entry), name: name.trim(), cpus });
  }
  return threads;
}

/** Cpus that are online, in order. */
export function onlineCpus(): number[] {
  return parseCpuList(readText("/sys/devices/system/cpu/online") ?? "0");
}

/** Cpus that the kernel keeps free of other work (isolcpus=); usually none. */
export function isolatedCpus(): number[] {
  return parseCpuList(readText("/sys/devices/system/cpu/isolated") ?? "");
}

/** Cpus that the main thread may use (a container or taskset may allow fewer than are online): read before pinning. */
export function allowedCpus(): number[] {
  const status = readText("/proc/self/status") ?? "";
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  return list === undefined ? onlineCpus() : parseCpuList(list);
}

/** The kernel's list format, `0-3,8`; empty text is an empty list. Throws RangeError for anything else. */
export function parseCpuList(text: string): number[] {
  const trimmed = text.trim();
  if (trimmed === "") return [];
  return trimmed.split(",").flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw new RangeError(`not a cpu list: ${JSON.stringify(text)}`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  });
}

/** Model name of the first cpu: the key of stored bench baselines. */
export function cpuModel(): string {
  return /^model name\s*:\s*(.+)$/m.exec(readText("/proc/cpuinfo") ?? "")?.[1]?.trim() ?? "unknown";
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
