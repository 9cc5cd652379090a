// The venue's own journal, the oracle of every test: one JSON object per line, appended before the reply or
// event it describes leaves the process. Each line has `k` (kind), `n` (counter), `mono` (CLOCK_MONOTONIC ns,
// comparable with other processes) and `ms` (the venue's clock). Large ids and money are strings.
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { VenueClock } from "./venue-clock.ts";

export type FsyncPolicy = "none" | "flush" | "interval";

export type JournalKind =
  | "start"
  | "stop"
  | "request"
  | "order"
  | "fill"
  | "account"
  | "position"
  | "funding"
  | "deposit"
  | "leverage"
  | "connection"
  | "fault"
  | "market";

const FSYNC_INTERVAL_MS = 100;

export class Journal {
  private readonly file: number | null;
  private readonly clock: VenueClock;
  private readonly fsync: FsyncPolicy;
  private pending = "";
  private counter: number;
  private lastSyncMs = 0;

  /** `path` null keeps no file. `firstCounter` continues an older journal. */
  constructor(path: string | null, clock: VenueClock, fsync: FsyncPolicy, firstCounter = 0) {
    this.clock = clock;
    this.fsync = fsync;
    this.counter = firstCounter;
    if (path !== null) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.file = path === null ? null : openSync(path, "a", 0o600);
  }

  write(kind: JournalKind, fields: Readonly<Record<string, unknown>>): void {
    if (this.file === null) return;
    const head = { k: kind, n: ++this.counter, mono: this.clock.monotonicNs(), ms: this.clock.nowMs() };
    this.pending += `${JSON.stringify({ ...head, ...fields })}\n`;
  }

  /** One depth update as it was handed to the sockets. */
  writeMarket(symbol: string, updateId: number): void {
    if (this.file === null) return;
    this.pending += `{"k":"market","n":${++this.counter},"mono":${this.clock.monotonicNs()},"ms":${this.clock.nowMs()},"s":"${symbol}","u":${updateId}}\n`;
  }

  /** Hands everything written so far to the operating system. */
  flush(): void {
    if (this.file === null || this.pending === "") return;
    writeSync(this.file, this.pending);
    this.pending = "";
    const due = this.fsync === "interval" && Date.now() - this.lastSyncMs >= FSYNC_INTERVAL_MS;
    if (this.fsync !== "flush" && !due) return;
    fsyncSync(this.file);
    this.lastSyncMs = Date.now();
  }

  close(): void {
    if (this.file === null) return;
    this.flush();
    fsyncSync(this.file);
    closeSync(this.file);
  }
}
