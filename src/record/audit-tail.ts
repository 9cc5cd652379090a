// Commands of operators from the audit log (control/audit-log.ts), one row per line. A line's place in the file and
// its text name its block, so that it is in the store once.
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import type { SessionManifest } from "../journal/session-manifest.ts";
import { Batch } from "./batch.ts";
import type { Block } from "./block.ts";
import { text } from "./columns.ts";
import type { BlockOrigin } from "./row-store.ts";

const MAX_BYTES = 1 << 20;
const NS_PER_MS = 1_000_000n;
const MS_PER_DAY = 86_400_000;

export interface AuditLine {
  readonly block: Block;
  readonly origin: BlockOrigin;
  /** Byte offset after the line. */
  readonly end: number;
}

/** Whole lines from byte `offset` on; a line that is no command is told and passed over. */
export function readAudit(
  file: string,
  offset: number,
  manifests: () => readonly SessionManifest[],
  told: (text: string) => void,
): AuditLine[] {
  if (!existsSync(file) || statSync(file).size <= offset) return [];
  const sessions = manifests();
  const bytes = Buffer.alloc(Math.min(MAX_BYTES, statSync(file).size - offset));
  const fd = openSync(file, "r");
  try {
    readSync(fd, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(fd);
  }
  const lines: AuditLine[] = [];
  for (let from = 0; ; ) {
    const newline = bytes.indexOf(0x0a, from);
    if (newline < 0) return lines;
    const at = offset + from;
    const line = parseLine(bytes.toString("utf8", from, newline), at, offset + newline + 1, sessions);
    if (typeof line === "string") told(`${file} at ${at}: ${line}`);
    else if (line !== null) lines.push(line);
    from = newline + 1;
  }
}

function parseLine(
  line: string,
  at: number,
  end: number,
  sessions: readonly SessionManifest[],
): AuditLine | string | null {
  if (line.trim() === "") return null;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return "not JSON";
  }
  const ms = Date.parse(String(entry["at"]));
  if (!Number.isFinite(ms)) return "no time";
  const session = sessionAt(sessions, BigInt(ms) * NS_PER_MS);
  const batch = new Batch();
  const c = batch.row("commands", Math.floor(ms / MS_PER_DAY));
  c["timestamp"]!.big(BigInt(ms) * NS_PER_MS);
  for (const name of ["command", "target"]) c[name]!.string(text(String(entry[name] ?? "")));
  c["arguments"]!.string(text(json(entry["arguments"])));
  for (const name of ["who", "scope", "why"]) c[name]!.string(text(String(entry[name] ?? "")));
  c["ok"]!.byte(entry["ok"] === true ? 1 : 0);
  for (const name of ["code", "message"]) c[name]!.string(text(String(entry[name] ?? "")));
  for (const name of ["before", "after"]) c[name]!.string(text(json(entry[name])));
  c["session"]!.string(text(session));
  c["wal_position"]!.long(at);
  const hash = createHash("sha256").update(line).digest("hex").slice(0, 16);
  const origin = { session, first: at, end, token: `audit:${at}:${hash}` };
  return { block: batch.blocks[0]!, origin, end };
}

const json = (value: unknown): string => (value === undefined ? "null" : JSON.stringify(value));

/** The session that ran when the line was written. */
function sessionAt(sessions: readonly SessionManifest[], unixNs: bigint): string {
  let found = "";
  let latest = -1n;
  for (const { session, createdUnixNs } of sessions) {
    const made = BigInt(createdUnixNs);
    // The audit log's clock has milliseconds only.
    if (made > unixNs + NS_PER_MS || made <= latest) continue;
    found = session;
    latest = made;
  }
  return found;
}
