// `bun run wal inspect|verify|export|repair|load DIR`: what a journal holds, whether it is whole, and its records as text.
// DIR is a directory of segments or a data directory with `wal/` in it. Exit codes: 0 ok, 1 failed, 2 usage,
// 3 not whole.
import { basename, dirname } from "node:path";
import { parseArgs } from "node:util";
import { kindName } from "../journal/export-record.ts";
import { inspectWal, type WalInspection } from "../journal/inspect.ts";
import { lockDataDir } from "../journal/lock-file.ts";
import { recoverWal } from "../journal/recovery.ts";
import { walDirectory } from "./wal-directory.ts";
import { exportTo, type Output, problemText, UsageError } from "./wal-export.ts";
import { runLoad } from "./wal-load.ts";

const USAGE = `usage: bun run wal <command> DIR [options]
  inspect DIR [--json]     segments, batches, records by kind, gaps, time span, torn tail
  verify DIR [--json]      exit 0 when every batch is whole and in place, else 3
  export DIR --format jsonl|csv|parquet|npz [--out FILE] [--kind KIND]… [--stream N]… [--from POSITION] [--to POSITION]
                           csv and parquet take exactly one --kind; positions: from inclusive, to exclusive
                           npz: the market data of one --symbol as hftbacktest's event rows
  repair DIR               cuts torn tails off (kept beside the segment), as the next start would
  load DATA_DIR [--to embedded|jsonl|URL] [--config F] [--all]
                           what a store does not have yet goes into it; --all asks about everything`;

const console_: Output = { out: (line) => console.log(line), err: (line) => console.error(line) };

/** Runs one command; returns the exit code. */
export function runWalCommand(argv: readonly string[], output: Output = console_): number {
  try {
    return dispatch(argv, output);
  } catch (error) {
    if (error instanceof UsageError) {
      output.err(`${USAGE}\n${error.message}`);
      return 2;
    }
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === "EPIPE") return 0;
    output.err(message);
    return 1;
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        format: { type: "string" },
        symbol: { type: "string" },
        out: { type: "string" },
        kind: { type: "string", multiple: true },
        stream: { type: "string", multiple: true },
        from: { type: "string" },
        to: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function dispatch(argv: readonly string[], output: Output): number {
  const { values, positionals } = parse(argv);
  if (values.help) {
    output.out(USAGE);
    return 0;
  }
  const [command, given, ...rest] = positionals;
  if (command === undefined) throw new UsageError("no command");
  if (!["inspect", "verify", "export", "repair"].includes(command))
    throw new UsageError(`unknown command ${JSON.stringify(command)}`);
  if (given === undefined || rest.length > 0) throw new UsageError(`${command} needs one DIR`);
  const dir = walDirectory(given);
  if (dir === null) throw new UsageError(`${given}: no such directory`);
  if (command === "inspect") return inspect(dir, values.json, output);
  if (command === "verify") return verify(dir, values.json, output);
  if (command === "repair") return repair(dir, output);
  return exportTo(dir, values, output);
}

const utc = (ns: bigint): string =>
  `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}.${(ns % 1_000_000_000n).toString().padStart(9, "0")}Z`;

const named = (kinds: ReadonlyMap<number, number>): Record<string, number> =>
  Object.fromEntries(
    [...kinds].sort((a, b) => a[0] - b[0]).map(([kind, n]) => [kindName(kind) ?? `#${kind}`, n]),
  );

function asJson(found: WalInspection): string {
  const { firstUnixNs, lastUnixNs, kinds, streams, ...rest } = found;
  return JSON.stringify({
    ...rest,
    kinds: named(kinds),
    streams: Object.fromEntries(streams),
    firstUnixNs: firstUnixNs?.toString() ?? null,
    lastUnixNs: lastUnixNs?.toString() ?? null,
    whole: isWhole(found),
  });
}

const isWhole = (found: WalInspection): boolean =>
  found.problems.length === 0 && found.brokenGroups.length === 0;

function inspect(dir: string, json: boolean, output: Output): number {
  const found = inspectWal(dir);
  if (json) {
    output.out(asJson(found));
    return 0;
  }
  for (const s of found.segments)
    output.out(
      `${basename(s.file)}  from ${s.firstPosition}  ${s.batches} batches  ${s.records} records  ${s.validBytes} bytes`,
    );
  output.out(`${found.segments.length} segments, ${found.batches} batches, ${found.records} records`);
  for (const [kind, n] of Object.entries(named(found.kinds))) output.out(`  ${kind.padEnd(18)} ${n}`);
  for (const [stream, n] of found.streams) output.out(`  stream ${String(stream).padEnd(11)} ${n}`);
  if (found.firstUnixNs !== null) output.out(`time ${utc(found.firstUnixNs)} … ${utc(found.lastUnixNs!)}`);
  const lost = found.gaps.reduce((sum, gap) => sum + gap.lostCount, 0);
  output.out(
    `gaps: ${found.gaps.length}${found.gaps.length > 0 ? ` (${lost} records given up by their producers)` : ""}`,
  );
  reportProblems(found, (line) => output.out(line));
  return 0;
}

function verify(dir: string, json: boolean, output: Output): number {
  const found = inspectWal(dir);
  if (json) output.out(asJson(found));
  else {
    reportProblems(found, (line) => output.err(line));
    const verdict = isWhole(found)
      ? "whole"
      : `${found.problems.length + found.brokenGroups.length} problems`;
    output.out(
      `${verdict}: ${found.segments.length} segments, ${found.batches} batches, ${found.records} records`,
    );
  }
  return isWhole(found) ? 0 : 3;
}

function reportProblems(found: WalInspection, print: (line: string) => void): void {
  for (const problem of found.problems) print(problemText(problem));
  for (const position of found.brokenGroups) print(`position ${position}: a group of records is not whole`);
}

/** Cuts torn tails off, as the next start would; damage in the middle is told and left as it is. */
function repair(dir: string, output: Output): number {
  const lock = lockDataDir(dirname(dir));
  if (!lock.ok) {
    output.err(lock.error);
    return 1;
  }
  try {
    const { cuts, problems, manifestProblems } = recoverWal(dir, { repair: true, checkpoint: false });
    for (const { file, offset, bytes, keptAs } of cuts)
      output.out(`${basename(file)}: ${bytes} bytes cut at ${offset}, kept as ${basename(keptAs)}`);
    for (const problem of problems) if (problem.kind !== "torn") output.err(problemText(problem));
    for (const problem of manifestProblems) output.err(problem);
    const left = problems.filter((problem) => problem.kind !== "torn").length;
    output.out(left === 0 ? "whole" : `${left} problems are left: records are missing there`);
    return left === 0 ? 0 : 3;
  } finally {
    lock.lock.release();
  }
}

if (import.meta.main) {
  const argv = Bun.argv.slice(2);
  process.exit(argv[0] === "load" ? await runLoad(argv.slice(1)) : runWalCommand(argv));
}
