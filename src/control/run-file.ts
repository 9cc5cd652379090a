// `<data-dir>/run.json` (0600): how a client on this machine finds a running instance and its token. Written
// whole or not at all; an instance that was killed leaves it behind, so a reader asks whether the pid still is
// the process that wrote it (pids are used again).
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";

export const RUN_FILE = "run.json";
const OWNER_ONLY = 0o600;
const WRITABLE_BY_OTHERS = 0o022;

const runFileSchema = z.object({
  pid: z.int().positive(),
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  /** Control scope. */
  token: z.string().min(1),
  readToken: z.string().min(1),
  env: z.string(),
  startedAt: z.iso.datetime(),
  /** The process's start in kernel ticks since boot; see processStartTicks. */
  startTicks: z.int().nonnegative(),
  dataDir: z.string(),
});

export type RunInfo = Readonly<z.infer<typeof runFileSchema>>;

/** Between two looks at a process that is to end. */
const WATCH_MS = 20;

export type FoundInstance =
  | { readonly kind: "running"; readonly run: RunInfo }
  /** The process that wrote the file is gone. */
  | { readonly kind: "stale"; readonly run: RunInfo }
  | { readonly kind: "none" }
  /** Not to be trusted or understood; `problem` never quotes the content (it holds the token). */
  | { readonly kind: "bad"; readonly problem: string };

export const runFilePath = (dataDir: string): string => join(dataDir, RUN_FILE);

/** Throws the file system's error. Call after taking the data directory's lock: an old file is replaced. */
export function writeRunFile(info: RunInfo): string {
  const path = runFilePath(info.dataDir);
  const temporary = `${path}.${info.pid}`;
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, "wx", OWNER_ONLY);
  try {
    writeSync(fd, `${JSON.stringify(info, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  return path;
}

/** At exit. Leaves the file of a later instance alone; never throws. */
export function removeRunFile(info: Pick<RunInfo, "dataDir" | "pid" | "startedAt">): void {
  try {
    const found = readRunFile(info.dataDir);
    if (found !== null && found.pid === info.pid && found.startedAt === info.startedAt)
      rmSync(runFilePath(info.dataDir), { force: true });
  } catch {
    // A file that is gone or unreadable names no instance.
  }
}

export function findInstance(dataDir: string): FoundInstance {
  let run: RunInfo | null;
  try {
    run = readRunFile(dataDir);
  } catch (error) {
    return { kind: "bad", problem: (error as Error).message };
  }
  if (run === null) return { kind: "none" };
  return { kind: isSameProcess(run.pid, run.startTicks) ? "running" : "stale", run };
}

/** null: no file. Throws Error for a file that others could have written, or that is not what we write. */
function readRunFile(dataDir: string): RunInfo | null {
  const path = runFilePath(dataDir);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isFile()) throw new Error(`${path}: expected a plain file`);
  const me = process.getuid?.() ?? 0;
  if (stat.uid !== me && stat.uid !== 0 && me !== 0)
    throw new Error(`${path}: belongs to user ${stat.uid}, expected user ${me} or root`);
  if ((stat.mode & WRITABLE_BY_OTHERS) !== 0)
    throw new Error(`${path}: others can write it (mode ${(stat.mode & 0o777).toString(8)}), expected 600`);
  const parsed = runFileSchema.safeParse(jsonOrNull(readFileSync(path, "utf8")));
  if (parsed.success) return parsed.data;
  const keys = parsed.error.issues.map((issue) => issue.path.join(".") || "JSON").join(", ");
  throw new Error(`${path}: not a run file (wrong or missing: ${keys})`);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Does the process live that had this pid and started at this tick? A zombie is gone. */
export function isSameProcess(pid: number, startTicks: number): boolean {
  return processStartTicks(pid) === startTicks;
}

/** Waits until the instance's process is gone; false when it outlives the time-out. */
export async function processEnded(
  run: Pick<RunInfo, "pid" | "startTicks">,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isSameProcess(run.pid, run.startTicks)) {
    if (performance.now() > deadline) return false;
    await Bun.sleep(WATCH_MS);
  }
  return true;
}

/** Kernel ticks since boot when the process started: with the pid, its identity. null: gone, or a zombie. */
export function processStartTicks(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name may hold spaces and parentheses: fields count from the last ")".
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : Number(fields[19]);
  } catch {
    return null;
  }
}
