// The market stream of our own write-ahead log → event rows of one symbol, over all sessions of the folder. A snapshot is
// a clear of both sides and its levels. Messages received in the same nanosecond are told apart by +1 ns, because rows of
// equal times are one event.
import { RECORD_BYTES } from "../../core/record.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import { readManifests, type SessionManifest } from "../../journal/session-manifest.ts";
import { type ReadFilter, readWal } from "../../journal/wal-reader.ts";
import type { ImportResult } from "./import-result.ts";
import { type WalInstrument, WalRows, type WalRowsOptions } from "./wal-rows.ts";

export interface WalImportOptions extends WalRowsOptions {
  /** Needed when the log holds several instruments. */
  readonly symbol?: string;
  readonly baseLatencyNs?: bigint;
}

/** Throws DataFileError for a folder without sessions, an unknown symbol or a damaged segment. */
export function importWal(dir: string, options: WalImportOptions = {}): ImportResult {
  const manifests = manifestsOf(dir);
  const symbol = options.symbol ?? onlySymbol(dir, [...manifests.values()]);
  if ([...manifests.values()].every((m) => instrumentOf(m, symbol).id === 0))
    throw new DataFileError(dir, -1, `no session knows ${symbol}`);
  const rows = new WalRows(options);
  readMarket(dir, manifests, new Map([[symbol, rows]]), {});
  return rows.finish(options.baseLatencyNs);
}

/** Session → what it knows. Throws DataFileError when `dir` is no folder. */
export function manifestsOf(dir: string): ReadonlyMap<string, SessionManifest> {
  try {
    return readManifests(dir).bySession;
  } catch (error) {
    throw new DataFileError(dir, -1, `cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Hands the market records that `filter` lets through to the rows of their symbols. */
export function readMarket(
  dir: string,
  manifests: ReadonlyMap<string, SessionManifest>,
  bySymbol: ReadonlyMap<string, WalRows>,
  filter: ReadFilter,
): void {
  const streams = new Map([...manifests].map(([name, m]) => [name, streamOf(m)]));
  const { problems } = readWal(
    dir,
    ({ memory, at, count, stream }, { session, header }) => {
      const manifest = manifests.get(session);
      if (manifest === undefined || stream !== streams.get(session)) return;
      for (const [symbol, rows] of bySymbol) {
        rows.open(instrumentOf(manifest, symbol), header.baseNs);
        for (let i = 0; i < count; i++) rows.add(memory, at + i * RECORD_BYTES);
      }
    },
    filter,
  );
  const damage = problems.find((p) => p.kind === "corrupt" || p.kind === "overlap");
  if (damage !== undefined) throw new DataFileError(damage.file, -1, `at ${damage.offset}: ${damage.reason}`);
  const gaps = problems.filter((p) => p.kind === "gap").length;
  for (const rows of bySymbol.values()) rows.miss(gaps);
}

function onlySymbol(dir: string, manifests: readonly SessionManifest[]): string {
  const symbols = [...new Set(manifests.flatMap((m) => m.instruments.map((i) => i.symbol)))];
  if (symbols.length === 1) return symbols[0]!;
  const what =
    symbols.length === 0 ? "holds no session" : `holds ${symbols.join(", ")}: name one with --symbol`;
  throw new DataFileError(dir, -1, what);
}

const NOT_KNOWN: WalInstrument = { id: 0, tickSize: "1", lotSize: "1" };

const instrumentOf = (manifest: SessionManifest, symbol: string): WalInstrument =>
  manifest.instruments.find((i) => i.symbol === symbol) ?? NOT_KNOWN;

function streamOf(manifest: SessionManifest): number {
  const found = Object.entries(manifest.streams).find(([, name]) => name === "market");
  return found === undefined ? -1 : Number(found[0]);
}
