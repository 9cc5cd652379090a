// Who commanded what, when, why, and what it changed: one JSON line per command in `<data-dir>/audit.jsonl`
// (0600, append-only). A line is handed to the kernel before the command's answer leaves, and reaches the disk
// by a background fdatasync: the main thread, which also watches the kill word, never waits for a disk.
import {
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Json, Scope } from "./engine-control.ts";

export const AUDIT_FILE = "audit.jsonl";
const OWNER_ONLY = 0o600;

export interface AuditEntry {
  readonly command: string;
  /** Strategy, "all" or "engine". */
  readonly target: string;
  readonly arguments: Json;
  readonly who: string;
  readonly scope: Scope | "none";
  readonly why: string;
  readonly ok: boolean;
  readonly code: string;
  readonly message: string;
  readonly before: Json;
  readonly after: Json;
}

export interface AuditSink {
  /** Throws when the line cannot be written. */
  append(entry: AuditEntry): void;
}

export class AuditLog implements AuditSink {
  readonly path: string;
  private readonly now: () => Date;
  private fd: number;
  private syncing = false;

  /** Creates the file, or goes on with it; a torn last line (power loss) is ended first. Throws on a bad path. */
  constructor(dataDir: string, now: () => Date = () => new Date()) {
    this.path = join(dataDir, AUDIT_FILE);
    this.now = now;
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    this.fd = openSync(this.path, flags, OWNER_ONLY);
    fchmodSync(this.fd, OWNER_ONLY);
    if (!endsWithNewline(this.fd)) writeSync(this.fd, "\n");
  }

  append(entry: AuditEntry): void {
    if (this.fd < 0) throw new Error(`${this.path}: the audit log is closed`);
    const line = Buffer.from(`${JSON.stringify({ at: this.now().toISOString(), ...entry })}\n`);
    const written = writeSync(this.fd, line);
    if (written !== line.length) throw new Error(`${this.path}: wrote ${written} of ${line.length} bytes`);
    this.syncSoon();
  }

  close(): void {
    if (this.fd < 0) return;
    const fd = this.fd;
    this.fd = -1;
    fdatasyncSync(fd);
    // A background sync that still runs owns the descriptor until it is done.
    if (!this.syncing) closeSync(fd);
  }

  private syncSoon(): void {
    if (this.syncing) return;
    this.syncing = true;
    const fd = this.fd;
    fdatasync(fd, () => {
      this.syncing = false;
      if (this.fd < 0) closeSync(fd);
    });
  }
}

function endsWithNewline(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}
