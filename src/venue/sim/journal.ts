// The venue's own journal, the oracle of every test: one JSON object per line, appended before the reply or
// event it describes leaves the process. Each line has `k` (kind), `n` (counter), `mono` (CLOCK_MONOTONIC ns,
// comparable with other processes) and `ms` (the venue's clock). Large ids and money are strings.
// One process per journal: the caller holds the lock of its folder (cli/venue.ts).
import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { VenueClock } from "./venue-clock.ts";

export type FsyncPolicy = "none" | "flush" | "interval";

export type JournalKind =
  | "start"
  | "stop"
  | "request"
  | "match"
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
  /** Also every market message and request in the order in which matching saw them (`market`, `match`). */
  tracesMatching = false;
  private readonly file: number | null;
  private readonly clock: VenueClock;
  private readonly fsync: FsyncPolicy;
  private pending = "";
  /** Something waits that must be on file before what it describes leaves the process. */
  private binding = false;
  private counter: number;
  private lastSyncMs = 0;
  private failure: Error | null = null;
  private readonly path: string | null;
  private readonly onFailure: (error: Error) => void;

  /**
   * `path` null keeps no file. `onFailure` is told once when the file cannot be written; every flush after
   * that throws, so nothing leaves the process that the journal does not hold.
   */
  constructor(
    path: string | null,
    clock: VenueClock,
    fsync: FsyncPolicy,
    onFailure: (error: Error) => void = () => {},
  ) {
    this.path = path;
    this.clock = clock;
    this.fsync = fsync;
    this.onFailure = onFailure;
    this.counter = 0;
    if (path !== null) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.file = path === null ? null : openSync(path, "a", 0o600);
  }

  /** Goes on after the last line of an older run. */
  continueFrom(counter: number): void {
    this.counter = counter;
  }

  write(kind: JournalKind, fields: Readonly<Record<string, unknown>>): void {
    if (this.file === null) return;
    this.binding = true;
    const head = { k: kind, n: ++this.counter, mono: this.clock.monotonicNs(), ms: this.clock.nowMs() };
    this.pending += `${JSON.stringify({ ...head, ...fields })}\n`;
  }

  /** One depth update: matched, now handed to the sockets. */
  writeDepth(symbol: string, updateId: number): void {
    this.trace("market", `"s":"${symbol}","u":${updateId}`);
  }

  /** One public trade, likewise. `id` as the stream gives it. */
  writeTrade(symbol: string, id: string): void {
    this.trace("market", `"s":"${symbol}","t":${id}`);
  }

  /** An own order's request as it reaches matching. */
  writeMatch(action: "place" | "modify" | "cancel", symbol: string, clientId: string): void {
    this.trace("match", `"x":"${action}","s":"${symbol}","c":${JSON.stringify(clientId)}`);
  }

  /** Such a line goes with the next flush of anything else. */
  private trace(kind: JournalKind, fields: string): void {
    if (this.file === null || !this.tracesMatching) return;
    this.pending += `{"k":"${kind}","n":${++this.counter},"mono":${this.clock.monotonicNs()},"ms":${this.clock.nowMs()},${fields}}\n`;
  }

  /** Before a reply or event leaves: hands what was written to the operating system. */
  flush(): void {
    if (this.binding) this.flushAll();
  }

  /** The same, and lines that nothing waits for. */
  flushAll(): void {
    if (this.file === null || this.pending === "") return;
    if (this.failure !== null) throw this.failure;
    this.writeAll(this.file, Buffer.from(this.pending));
    this.pending = "";
    this.binding = false;
    const due = this.fsync === "interval" && Date.now() - this.lastSyncMs >= FSYNC_INTERVAL_MS;
    if (this.fsync !== "flush" && !due) return;
    fsyncSync(this.file);
    this.lastSyncMs = Date.now();
  }

  close(): void {
    if (this.file === null) return;
    try {
      if (this.failure === null) this.flushAll();
      fsyncSync(this.file);
    } finally {
      closeSync(this.file);
    }
  }

  /** A full disk takes a part and then refuses: the part is cut again, so that the file stays readable. */
  private writeAll(file: number, bytes: Uint8Array): void {
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(file, bytes, done);
    } catch (error) {
      const failure = new Error(`${this.path}: the journal cannot be written: ${(error as Error).message}`);
      this.failure = failure;
      if (done > 0) ftruncateSync(file, fstatSync(file).size - done);
      this.onFailure(failure);
      throw failure;
    }
  }
}
