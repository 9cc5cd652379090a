// Moves the WAL into a store, exactly once: chunk after chunk, the next one being made while the last one is on its
// way, a checkpoint after the acknowledgement. Nothing here is waited for by trading; what the store does not take
// stays in the WAL.
//
//   WAL ─▶ WalTail ─▶ Chunks (RowWriter) ─▶ one insert per table and day, with its token ─▶ checkpoint
//
// After a start, chunks may come that the store has already: it is asked for the rows of each until one is missing
// whole. From then on, and for an insert whose answer was lost, the token keeps them single.
import { closeSync, existsSync, fdatasyncSync, openSync } from "node:fs";
import { readManifests } from "../journal/session-manifest.ts";
import { readAudit } from "./audit-tail.ts";
import type { Block } from "./block.ts";
import { type Checkpoint, readCheckpoint, STATE_VERSION, writeCheckpoint } from "./checkpoint.ts";
import { CHUNK_RULE, type Chunk, Chunks, MORE } from "./chunks.ts";
import { dropSegments, expiredSegments } from "./retention.ts";
import { type BlockOrigin, type RowStore, StoreFullError, StoreRefusedError } from "./row-store.ts";
import { RowWriter, type RowWriterOptions } from "./row-writer.ts";
import { WalTail } from "./wal-tail.ts";

export type RecorderLog = (level: "debug" | "info" | "warn" | "error", text: string) => void;

export interface RecorderOptions extends RowWriterOptions {
  readonly walDir: string;
  /** `<data-dir>/audit.jsonl` */
  readonly auditFile: string;
  readonly checkpointFile: string;
  readonly store: RowStore;
  /** Bring WAL files to the disk before their rows leave: after a power cut the store never has more than the WAL. */
  readonly syncWal: boolean;
  /** Hours that acknowledged segments are kept; 0 = for ever. */
  readonly keepHours: number;
  /** True while the store's disk runs low: market data is not sent, orders are. */
  readonly diskLow: () => boolean;
  /**
   * Ask the store about every chunk, not only the first ones, and give it what it lacks under a new token (a part that
   * was lost has left its old one behind); the aggregates are then made anew. Nothing else may write meanwhile.
   */
  readonly askAlways?: boolean;
  readonly log: RecorderLog;
}

export type RecorderState = "starting" | "recording" | "retrying" | "storeFull" | "refused" | "done";

export interface RecorderFigures {
  readonly target: string;
  readonly state: RecorderState;
  /** Rows acknowledged in this data directory, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Age of the oldest record without an acknowledgement. */
  readonly lagMs: number;
  readonly retries: number;
  /** Market rows not sent because the disk ran low. */
  readonly shedRows: number;
  /** Bytes of the log that this run passed over because they are damaged; torn tails apart. */
  readonly damagedBytes: number;
  /** "" = nothing is wrong. */
  readonly alarm: string;
}

const IDLE_MS = 100;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;
const CHECKPOINT_MS = 1_000;
const RETENTION_MS = 60_000;
const PARALLEL = 3;

export class Recorder {
  private readonly options: RecorderOptions;
  private readonly writer: RowWriter;
  private readonly rows: Record<string, number> = {};
  private storeState: RecorderState = "starting";
  private alarm = "";
  private retries = 0;
  private shedRows = 0;
  private damagedBytes = 0;
  private inFlight: Chunk | null = null;
  private chunks: Chunks | null = null;
  private asking = true;
  /** Started from a checkpoint: few chunks are asked for. */
  private resumed = false;
  /** Rows of the past were put in: more of them may follow. */
  private mended = false;
  /** What is derived from the rows may lack some of them. */
  private refillDue = false;
  private over = false;
  private stopped = false;
  private storeId = "";
  private auditOffset = 0;
  private checkpointedMs = Number.NEGATIVE_INFINITY;
  private retainedMs = Number.NEGATIVE_INFINITY;
  private resume: Checkpoint["resume"] = null;

  constructor(options: RecorderOptions) {
    this.options = options;
    this.writer = new RowWriter(options);
  }

  figures(nowMs: number = Date.now()): RecorderFigures {
    const oldest = this.inFlight?.writtenMs ?? this.chunks?.oldestMs ?? Number.NaN;
    return {
      target: this.options.store.name,
      state: this.storeState,
      rows: { ...this.rows },
      lagMs: Number.isNaN(oldest) ? 0 : Math.max(0, Math.round(nowMs - oldest)),
      retries: this.retries,
      shedRows: this.shedRows,
      damagedBytes: this.damagedBytes,
      alarm: this.alarm,
    };
  }

  /** Nobody writes the WAL any more: run() ends when all of it is in the store. */
  finish(): void {
    this.over = true;
  }

  /** run() ends soon, wherever it is. */
  stop(): void {
    this.stopped = true;
  }

  /** Resolves when finished or stopped; true = everything is in the store. */
  async run(): Promise<boolean> {
    const { store } = this.options;
    const opened = await this.persistently(() => store.open());
    if (opened === null) return false;
    this.storeId = opened.id;
    for (const warning of opened.warnings) this.options.log("error", warning);
    const start = await this.restore();
    const tail = new WalTail(this.options.walDir, start);
    this.chunks = new Chunks(tail, this.writer);
    this.storeState = "recording";
    try {
      return await this.work(this.chunks, tail);
    } finally {
      tail.close();
      await store.close();
    }
  }

  private async restore(): Promise<Checkpoint["resume"]> {
    const { checkpointFile, log, store } = this.options;
    const saved = readCheckpoint(checkpointFile, (words) => log("warn", words));
    if (saved === null || saved.store !== this.storeId) {
      if (saved !== null)
        log("warn", `${store.name} is another store than the one before: it gets the whole WAL`);
      await store.rollback(null);
      return null;
    }
    await store.rollback(saved.committed);
    Object.assign(this.rows, saved.rows);
    this.auditOffset = saved.auditOffset;
    if (saved.state !== null) this.writer.restore(saved.state);
    this.resume = saved.resume;
    this.resumed = saved.resume !== null;
    return saved.resume;
  }

  private async work(chunks: Chunks, tail: WalTail): Promise<boolean> {
    let chunk = chunks.next(this.over);
    while (!this.stopped) {
      this.tellDamage(tail);
      if (chunk === null) {
        const { over } = this;
        if (!(await this.sendAudit())) return false;
        chunk = chunks.next(over);
        if (chunk === null && over) {
          this.tellDamage(tail);
          return await this.complete();
        }
        if (chunk === null) await Bun.sleep(IDLE_MS);
        continue;
      }
      const present: Chunk = chunk;
      this.inFlight = present;
      if (this.options.syncWal) syncFile(tail.segment.file);
      const state = this.isDue() ? this.writer.save() : null;
      const sent = this.send(present);
      chunk = await this.makeBeside(chunks);
      if (!(await sent)) return false;
      this.inFlight = null;
      this.resume = present.resume;
      this.writer.recycle(present.batch);
      if (state !== null) await this.checkpoint(state);
      this.retain();
    }
    return false;
  }

  /** The next chunk, made while the last one is on its way: slice by slice, the sockets in between. */
  private async makeBeside(chunks: Chunks): Promise<Chunk | null> {
    for (;;) {
      const chunk = chunks.advance(this.over);
      if (chunk !== MORE) return chunk;
      await new Promise<void>((turn) => setImmediate(turn));
    }
  }

  private async complete(): Promise<boolean> {
    if (!(await this.refill())) return false;
    await this.checkpoint(this.writer.save());
    this.storeState = "done";
    return true;
  }

  private async refill(): Promise<boolean> {
    if (!this.refillDue) return true;
    const done = await this.persistently(async () => {
      await this.options.store.refill();
      return true;
    });
    if (done !== null) this.refillDue = false;
    return done !== null;
  }

  private isDue(): boolean {
    return performance.now() - this.checkpointedMs >= CHECKPOINT_MS;
  }

  private async checkpoint(state: Checkpoint["state"]): Promise<void> {
    const { checkpointFile, store } = this.options;
    const committed = await store.commit();
    writeCheckpoint(checkpointFile, {
      version: STATE_VERSION,
      store: this.storeId,
      resume: this.resume,
      state,
      auditOffset: this.auditOffset,
      committed,
      rows: this.rows,
    });
    this.checkpointedMs = performance.now();
  }

  /** All blocks of a chunk; false when stopped meanwhile. */
  private async send(chunk: Chunk): Promise<boolean> {
    const blocks = chunk.batch.blocks.filter((block) => !this.sheds(block));
    let missing = 0;
    let next = 0;
    const sendSome = async (): Promise<boolean> => {
      for (let i = next++; i < blocks.length; i = next++) {
        const there = await this.sendBlock(blocks[i]!, originOf(chunk, blocks[i]!), this.asking);
        if (there === null) return false;
        if (there === 0) missing++;
      }
      return true;
    };
    const done = await Promise.all(Array.from({ length: PARALLEL }, sendSome));
    if (!done.every(Boolean)) return false;
    if (!this.asking || this.mended || blocks.length === 0 || missing < blocks.length) return true;
    this.asking = this.options.askAlways === true;
    return this.asking || (await this.refill());
  }

  /** Rows of it that were there before; null when stopped meanwhile. */
  private async sendBlock(block: Block, origin: BlockOrigin, ask: boolean): Promise<number | null> {
    const { store } = this.options;
    const there = ask ? await this.persistently(() => store.count(block, origin)) : 0;
    if (there === null) return null;
    const done = there === block.rows ? this.leave(block, origin) : this.insert(block, origin, there);
    if (!(await done)) return null;
    this.rows[block.table] = (this.rows[block.table] ?? 0) + block.rows;
    return there;
  }

  /** The rows are there. Whether the aggregates that follow them are too, nobody knows. */
  private async leave(block: Block, origin: BlockOrigin): Promise<boolean> {
    if (this.options.askAlways === true || !this.resumed) {
      this.refillDue = true;
      return true;
    }
    const healed = await this.persistently(async () => {
      await this.options.store.heal(block, origin);
      return true;
    });
    return healed !== null;
  }

  /**
   * `there`: rows of this origin that the store has. Some, but not these (market data was chosen otherwise then): they
   * give way. A new token where the old one may have been used for rows that are gone.
   */
  private async insert(block: Block, known: BlockOrigin, there: number): Promise<boolean> {
    const { store, askAlways } = this.options;
    const again = askAlways === true || there > 0;
    const origin = again ? { ...known, token: `${known.token}:${crypto.randomUUID()}` } : known;
    this.mended ||= again;
    this.refillDue ||= again;
    let tries = 0;
    const inserted = await this.persistently(async () => {
      if (there > 0) await store.remove(block, origin);
      const single = await store.insert(block, origin, this.asking || tries++ > 0);
      this.refillDue ||= !single;
      return true;
    });
    return inserted !== null;
  }

  private sheds(block: Block): boolean {
    if (block.table !== "market_data" || !this.options.diskLow()) return false;
    if (this.shedRows === 0)
      this.options.log("error", "the store's disk runs low: market data is not recorded, orders are");
    this.shedRows += block.rows;
    this.alarm = `disk low: ${this.shedRows} market rows not recorded (they are in the WAL)`;
    return true;
  }

  /** Again and again with the same arguments until it is done; null when stopped. */
  private async persistently<T>(action: () => Promise<T>): Promise<T | null> {
    let delayMs = RETRY_MIN_MS;
    let said = "";
    while (!this.stopped) {
      try {
        const result = await action();
        if (said !== "") this.recovered();
        return result;
      } catch (error) {
        const words = (error as Error).message;
        this.retries++;
        this.storeState =
          error instanceof StoreFullError
            ? "storeFull"
            : error instanceof StoreRefusedError
              ? "refused"
              : "retrying";
        this.alarm = words;
        if (words !== said)
          this.options.log(
            this.storeState === "retrying" ? "warn" : "error",
            `${words}; the WAL keeps everything, trying again`,
          );
        said = words;
        await this.pause(delayMs);
        delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
      }
    }
    return null;
  }

  private recovered(): void {
    this.storeState = "recording";
    this.alarm = "";
    this.options.log("info", `${this.options.store.name}: records again`);
  }

  private async pause(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (!this.stopped && performance.now() < end) await Bun.sleep(Math.min(IDLE_MS, ms));
  }

  private async sendAudit(): Promise<boolean> {
    const { auditFile, walDir, log } = this.options;
    const sessions = () => (existsSync(walDir) ? [...readManifests(walDir).bySession.values()] : []);
    const lines = readAudit(auditFile, this.auditOffset, sessions, (words) => log("warn", words));
    for (const { block, origin, end } of lines) {
      if ((await this.sendBlock(block, origin, true)) === null) return false;
      this.auditOffset = end;
    }
    return true;
  }

  private tellDamage(tail: WalTail): void {
    for (const { kind, file, offset, bytes, reason } of tail.problems.splice(0)) {
      if (kind === "corrupt") this.damagedBytes += bytes;
      this.options.log("error", `${file} at ${offset}: ${bytes} bytes cannot be recorded: ${reason}`);
    }
  }

  private retain(): void {
    const { walDir, keepHours, log } = this.options;
    if (keepHours <= 0 || this.resume === null) return;
    if (performance.now() - this.retainedMs < RETENTION_MS) return;
    this.retainedMs = performance.now();
    const expired = expiredSegments(walDir, this.resume, keepHours, Date.now());
    dropSegments(expired);
    if (expired.length > 0)
      log("info", `${expired.length} WAL segments are in the store and past their time: removed`);
  }
}

function originOf(chunk: Chunk, block: Block): BlockOrigin {
  const { session, first, end } = chunk;
  return {
    session,
    first,
    end,
    token: `${session}:${first}-${end}:${block.table}:${block.day}:${CHUNK_RULE}`,
  };
}

function syncFile(file: string): void {
  const fd = openSync(file, "r");
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
