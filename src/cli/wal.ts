// `bun run wal inspect|verify|export DIR`: what a journal holds, whether it is whole, and its records as text.
// DIR is a directory of segments or a data directory with `wal/` in it. Exit codes: 0 ok, 1 failed, 2 usage,
// 3 not whole.
import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { kindName, kindOf } from "../journal/export-record.ts";
import { inspectWal, type WalInspection } from "../journal/inspect.ts";
import { csvLine, exportWal } from "../journal/wal-export.ts";
import type { ReadFilter, WalProblem } from "../journal/wal-reader.ts";
import { MESSAGE_DESCRIPTORS } from "../wire/messages.gen.ts";
import { walDirectory } from "./wal-directory.ts";

const USAGE = `usage: bun run wal <command> DIR [options]
  inspect DIR [--json]     segments, batches, records by kind, gaps, time span, torn tail
  verify DIR [--json]      exit 0 when every batch is whole and in place, else 3
  export DIR --format jsonl|csv [--out FILE] [--kind KIND]… [--stream N]… [--from POSITION] [--to POSITION]
                           csv takes exactly one --kind; positions: from inclusive, to exclusive`;

class UsageError extends Error {}

export interface Output {
  out(line: string): void;
  err(line: string): void;
}

const console_: Output = { out: (line) => console.log(line), err: (line) => console.error(line) };

/** Runs one command; returns the exit code. */
export function runWalCommand(argv: readonly string[], output: Output = console_): number {
  try {
    return dispatch(argv, output);
  } catch (error) {
    if (error instanceof UsageError) {
      output.err(`${error.message}\n${USAGE}`);
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

type Values = ReturnType<typeof parse>["values"];

function dispatch(argv: readonly string[], output: Output): number {
  const { values, positionals } = parse(argv);
  if (values.help) {
    output.out(USAGE);
    return 0;
  }
  const [command, given, ...rest] = positionals;
  if (command === undefined) throw new UsageError("no command");
  if (!["inspect", "verify", "export"].includes(command))
    throw new UsageError(`unknown command ${JSON.stringify(command)}`);
  if (given === undefined || rest.length > 0) throw new UsageError(`${command} needs one DIR`);
  const dir = walDirectory(given);
  if (dir === null) throw new UsageError(`${given}: no such directory`);
  if (command === "inspect") return inspect(dir, values.json, output);
  if (command === "verify") return verify(dir, values.json, output);
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

function problemText({ kind, file, offset, bytes, records, reason }: WalProblem): string {
  const size = bytes > 0 ? `, ${bytes} bytes` : records >= 0 ? `, ${records} records` : "";
  const note = kind === "torn" ? " (cut by the next start)" : "";
  return `${basename(file)} at ${offset}: ${kind}${size}: ${reason}${note}`;
}

function exportTo(dir: string, values: Values, output: Output): number {
  const kinds = (values.kind ?? []).map((name) => {
    const kind = kindOf(name);
    if (kind === undefined)
      throw new UsageError(
        `unknown kind ${JSON.stringify(name)}: one of ${MESSAGE_DESCRIPTORS.map((d) => d.name).join(", ")}`,
      );
    return kind;
  });
  if (values.format !== "jsonl" && values.format !== "csv") throw new UsageError("--format jsonl or csv");
  if (values.format === "csv" && kinds.length !== 1)
    throw new UsageError("csv takes exactly one --kind: its columns are that message's fields");
  const filter: ReadFilter = {
    ...(kinds.length > 0 ? { kinds: new Set(kinds) } : {}),
    ...(values.stream === undefined
      ? {}
      : { streams: new Set(values.stream.map((n) => integer("--stream", n))) }),
    ...(values.from === undefined ? {} : { from: integer("--from", values.from) }),
    ...(values.to === undefined ? {} : { to: integer("--to", values.to) }),
  };
  const sink = new LineSink(values.out);
  const format = values.format === "csv" ? csvFormat() : (row: object) => `${JSON.stringify(row)}\n`;
  try {
    const { problems } = exportWal(dir, (row) => sink.write(format(row)), filter);
    for (const problem of problems) output.err(problemText(problem));
    if (values.out !== undefined) output.out(`${values.out}: ${sink.lines} records`);
    return problems.some((p) => p.kind !== "torn") ? 3 : 0;
  } finally {
    sink.close();
  }
}

function integer(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${flag}: found ${JSON.stringify(text)}, expected an integer ≥ 0`);
  return Number(text);
}

function csvFormat(): (row: Record<string, string | number | boolean | null>) => string {
  let columns = "";
  return (row) => {
    const own = csvLine(Object.keys(row));
    const head = columns === "" ? `${own}\n` : "";
    if (columns === "") columns = own;
    // Another instrument without a manifest has other column names: a row is never squeezed into wrong ones.
    if (own !== columns)
      throw new UsageError(
        `position ${row["position"]}: columns ${own} differ from ${columns}; use --format jsonl`,
      );
    return `${head}${csvLine(Object.values(row))}\n`;
  };
}

/** Buffered text to a file or stdout. */
class LineSink {
  lines = 0;
  private readonly fd: number;
  private readonly owned: boolean;
  private buffer = "";

  constructor(file: string | undefined) {
    this.owned = file !== undefined;
    this.fd = file === undefined ? 1 : openSync(file, "w");
  }

  write(text: string): void {
    this.lines++;
    this.buffer += text;
    if (this.buffer.length > 1 << 16) this.flush();
  }

  close(): void {
    this.flush();
    if (this.owned) closeSync(this.fd);
  }

  private flush(): void {
    const bytes = Buffer.from(this.buffer);
    this.buffer = "";
    for (let done = 0; done < bytes.length; ) done += this.writeSome(bytes, done);
  }

  /** A pipe may be full for a moment. */
  private writeSome(bytes: Buffer, from: number): number {
    try {
      return writeSync(this.fd, bytes, from);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Bun.sleepSync(1);
      return 0;
    }
  }
}

if (import.meta.main) process.exit(runWalCommand(Bun.argv.slice(2)));
