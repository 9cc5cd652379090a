// A WAL as text: one JSON object per record (jsonl), or one kind as csv. Rows go to a callback, so memory is
// bounded whatever the WAL's size. Cold code.
import type { RecordHandler, RecordMemory } from "../core/record.ts";
import type { Instrument } from "../market/instrument.ts";
import { type ExportContext, type ExportRecord, type ExportValue, exportRecord } from "./export-record.ts";
import type { SessionManifest } from "./session-manifest.ts";
import { readManifests } from "./session-manifest.ts";
import {
  type ReadFilter,
  type ReadResult,
  type RecordPlace,
  readRecords,
  type SegmentFile,
} from "./wal-reader.ts";

export type RowVisitor = (row: ExportRecord) => void;

/** Every record that passes `filter` as a plain object, in position order. */
export function exportWal(dir: string, visit: RowVisitor, filter: ReadFilter = {}): ReadResult {
  const handler = new RowHandler(readManifests(dir).bySession, visit);
  return readRecords(dir, handler, handler.place, filter);
}

class RowHandler implements RecordHandler {
  readonly place: Partial<RecordPlace> = {};
  private readonly manifests: ReadonlyMap<string, SessionManifest>;
  private readonly visit: RowVisitor;
  private context: ExportContext | null = null;
  private contextOf: SegmentFile | null = null;
  private streams: Readonly<Record<string, string>> = {};

  constructor(manifests: ReadonlyMap<string, SessionManifest>, visit: RowVisitor) {
    this.manifests = manifests;
    this.visit = visit;
  }

  onRecord(m: RecordMemory, at: number): void {
    const { segment, position, stream } = this.place as RecordPlace;
    if (this.context === null || this.contextOf !== segment) {
      const manifest = this.manifests.get(segment.session);
      this.context = contextOf(segment.header.baseNs, manifest);
      this.contextOf = segment;
      this.streams = manifest?.streams ?? {};
    }
    const extra = { session: segment.session, position, stream: this.streams[stream] ?? String(stream) };
    this.visit(exportRecord(m, at, this.context, extra));
  }
}

function contextOf(baseNs: bigint, manifest: SessionManifest | undefined): ExportContext {
  const instruments = new Map<number, Instrument>((manifest?.instruments ?? []).map((i) => [i.id, i]));
  const strategies = manifest?.strategies ?? [];
  const assets = manifest?.assets ?? [];
  return {
    baseNs,
    instrumentOf: (id) => instruments.get(id),
    strategyOf: (id) => strategies[id] ?? (id === 0 ? "house" : `#${id}`),
    assetOf: (id) => assets[id] || `#${id}`,
  };
}

export function csvLine(values: readonly ExportValue[]): string {
  return values.map(csvCell).join(",");
}

function csvCell(value: ExportValue): string {
  if (value === null) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
