// Cuts the WAL into chunks, each of which goes to the store as one batch per table and day. Where a chunk ends is a
// function of the WAL alone: at the end of a session, before the WAL batch that was written in another interval of
// two seconds, or before the one that would pass the size. A recorder that starts again makes the same chunks.
import { RECORD_BYTES } from "../core/record.ts";
import type { WalBatch } from "../journal/segment-scanner.ts";
import { readManifests } from "../journal/session-manifest.ts";
import type { Batch } from "./batch.ts";
import type { RowWriter } from "./row-writer.ts";
import { SessionUnits } from "./session-units.ts";
import type { TailStart, WalTail } from "./wal-tail.ts";

/** Part of the tokens: another rule makes other tokens. */
export const CHUNK_RULE = 2;
const INTERVAL_NS = 2e9;
/** What one insert costs beside its rows (a part, the aggregates) is shared by up to these; their memory is bounded. */
const MAX_RECORDS = 262_144;
const SLICE_RECORDS = 4096;
export const MORE = "more";

export interface Chunk {
  readonly session: string;
  /** WAL positions, from inclusive, to exclusive. */
  readonly first: number;
  readonly end: number;
  readonly batch: Batch;
  /** When its last record was written, ms since the epoch: what the lag is measured by. */
  readonly writtenMs: number;
  readonly resume: TailStart;
}

interface Open {
  readonly session: string;
  readonly interval: number;
  readonly first: number;
  readonly createdUnixNs: bigint;
  readonly baseNs: bigint;
  end: number;
  writtenNs: number;
}

export class Chunks {
  private taken = 0;
  private readonly tail: WalTail;
  private readonly writer: RowWriter;
  private open: Open | null = null;
  /** Read from the tail and not taken: it begins the next chunk. */
  private waiting: WalBatch | null = null;
  private session = "";

  constructor(tail: WalTail, writer: RowWriter) {
    this.tail = tail;
    this.writer = writer;
  }

  /** The next whole chunk, or null. `over`: nobody writes any more, so the end of the WAL ends the chunk. */
  next(over: boolean): Chunk | null {
    for (;;) {
      const chunk = this.advance(over);
      if (chunk !== MORE) return chunk;
    }
  }

  /** The same in slices: MORE after some thousand records, so that what is being sent gets its turn meanwhile. */
  advance(over: boolean): Chunk | null | typeof MORE {
    const until = this.taken + SLICE_RECORDS;
    for (;;) {
      if (this.taken >= until) return MORE;
      const batch = this.waiting ?? this.tail.next(over);
      this.waiting = null;
      if (batch === null) return over && this.open !== null ? this.close() : null;
      if (this.open !== null && !this.belongs(batch, this.open)) {
        this.waiting = batch;
        return this.close();
      }
      this.add(batch);
    }
  }

  /** When the oldest record that is in no finished chunk was written, ms since the epoch; NaN = there is none. */
  get oldestMs(): number {
    return this.open === null ? Number.NaN : unixMs(this.open.baseNs, this.open.interval * INTERVAL_NS);
  }

  private belongs(batch: WalBatch, open: Open): boolean {
    return (
      this.tail.segment.session === open.session &&
      Math.floor(batch.writtenNs / INTERVAL_NS) === open.interval &&
      batch.position + batch.count - open.first <= MAX_RECORDS
    );
  }

  private add(batch: WalBatch): void {
    const { header, session } = this.tail.segment;
    if (session !== this.session) this.startSession(batch.position);
    this.open ??= {
      session,
      interval: Math.floor(batch.writtenNs / INTERVAL_NS),
      first: batch.position,
      createdUnixNs: header.createdUnixNs,
      baseNs: header.baseNs,
      end: batch.position,
      writtenNs: batch.writtenNs,
    };
    const { writer } = this;
    for (let i = 0; i < batch.count; i++) {
      writer.at(batch.position + i);
      writer.onRecord(batch.memory, batch.at + i * RECORD_BYTES);
    }
    this.taken += batch.count;
    this.open.end = batch.position + batch.count;
    this.open.writtenNs = batch.writtenNs;
  }

  private startSession(position: number): void {
    const { header, session } = this.tail.segment;
    const manifest = readManifests(this.tail.dir).bySession.get(session);
    this.writer.startSession(new SessionUnits({ ...header, session }, manifest));
    if (manifest !== undefined && !this.tail.isResumed) this.writer.describeSession(manifest, position);
    this.session = session;
  }

  private close(): Chunk {
    const { session, first, end, writtenNs, createdUnixNs, baseNs } = this.open!;
    this.open = null;
    return {
      session,
      first,
      end,
      batch: this.writer.take(),
      writtenMs: unixMs(baseNs, writtenNs),
      resume: { session, position: end, createdUnixNs: createdUnixNs.toString() },
    };
  }
}

const unixMs = (baseNs: bigint, sessionNs: number): number => Number(baseNs / 1_000_000n) + sessionNs / 1e6;
