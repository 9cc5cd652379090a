// What every importer gives: event rows, corrected as hftbacktest does it, and what was left out.
import type { EventTable } from "../../data/event-table.ts";

export interface ImportResult {
  readonly table: EventTable;
  /** Messages, CSV rows or records read. */
  readonly messages: number;
  /** What was not imported, by kind. */
  readonly skipped: ReadonlyMap<string, number>;
  /** By how much local times were moved, ns. */
  readonly localShiftNs: bigint;
  /** Places where the source itself says that something is missing (update ids that do not follow, Gap records). */
  readonly gaps: number;
}

/** Rows on their way to a result. */
export class ImportDraft {
  readonly skipped = new Map<string, number>();
  messages = 0;
  gaps = 0;
  private readonly table: EventTable;

  constructor(table: EventTable) {
    this.table = table;
  }

  skip(kind: string): void {
    this.skipped.set(kind, (this.skipped.get(kind) ?? 0) + 1);
  }

  /** Corrects times and order. `baseLatencyNs`: added to every feed latency when the recorder's clock was slow. */
  finish(baseLatencyNs = 0n): ImportResult {
    const { messages, skipped, gaps } = this;
    const localShiftNs = this.table.correctLocalTimestamps(baseLatencyNs);
    return { table: this.table.correctEventOrder(), messages, skipped, localShiftNs, gaps };
  }
}
