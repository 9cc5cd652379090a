// The collector's worker: from the log to one .npz per symbol and period. It keeps each symbol's book from file to file,
// so that every file begins with the whole book and is of use alone. Where the files end in the log stands in
// <dir>/npz/position: after a kill the next start makes the missing file first.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manifestsOf, readMarket } from "../backtest/import/wal-market.ts";
import { WalRows } from "../backtest/import/wal-rows.ts";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "../data/npy.ts";
import { writeRows } from "../data/npz-write.ts";

export type ExportJob =
  | {
      readonly kind: "open";
      readonly walDir: string;
      readonly outDir: string;
      readonly symbols: readonly string[];
    }
  /** Log positions below `to`. */
  | { readonly kind: "export"; readonly to: number };

export interface ExportedFile {
  readonly file: string;
  readonly rows: number;
  /** By how much local times were moved, ns. */
  readonly shiftNs: number;
}

export interface ExportReply {
  readonly files: readonly ExportedFile[];
  /** "" = none. */
  readonly error: string;
}

/** `20241121T100000Z`. */
const stampOf = (unixNs: bigint): string =>
  new Date(Number(unixNs / 1_000_000n)).toISOString().replace(/[-:]|\.\d+/g, "");

export class CollectExport {
  private readonly walDir: string;
  private readonly outDir: string;
  private readonly rows: ReadonlyMap<string, WalRows>;
  private position: number;

  constructor(walDir: string, outDir: string, symbols: readonly string[]) {
    mkdirSync(outDir, { recursive: true });
    this.walDir = walDir;
    this.outDir = outDir;
    this.rows = new Map(symbols.map((s) => [s, new WalRows({ markPrice: true, bookTicker: true }, true)]));
    this.position = readPosition(outDir);
  }

  /** Files of what is below position `to` and in no file yet. Throws DataFileError, or the file system's error. */
  run(to: number): readonly ExportedFile[] {
    // A log that was begun anew has smaller positions.
    if (to < this.position) this.position = 0;
    if (to === this.position) return [];
    readMarket(this.walDir, manifestsOf(this.walDir), this.rows, { from: this.position, to });
    const files: ExportedFile[] = [];
    for (const [symbol, rows] of this.rows) {
      const first = rows.firstReceived;
      if (first === null) continue;
      const { table, localShiftNs } = rows.finish();
      const file = this.freeName(symbol, first);
      writeRows(file, EVENT_FIELDS, table.bytes, EVENT_ROW_BYTES);
      files.push({ file, rows: table.rows, shiftNs: Number(localShiftNs) });
    }
    this.position = to;
    writePosition(this.outDir, to);
    return files;
  }

  private freeName(symbol: string, firstNs: bigint): string {
    const name = join(this.outDir, `${symbol}-${stampOf(firstNs)}`);
    for (let n = 1; ; n++) {
      const file = n === 1 ? `${name}.npz` : `${name}-${n}.npz`;
      if (!existsSync(file)) return file;
    }
  }
}

const positionFile = (outDir: string): string => join(outDir, "position");

function readPosition(outDir: string): number {
  const file = positionFile(outDir);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
}

function writePosition(outDir: string, position: number): void {
  writeFileSync(`${positionFile(outDir)}.new`, `${position}\n`);
  renameSync(`${positionFile(outDir)}.new`, positionFile(outDir));
}

/** Runs in the worker: answers each job in turn. */
export function hostExport(): void {
  let exporter: CollectExport | null = null;
  addEventListener("message", ({ data }: MessageEvent<ExportJob>) => {
    if (data.kind === "open") exporter = new CollectExport(data.walDir, data.outDir, data.symbols);
    else postMessage(answer(exporter!, data.to));
  });
}

function answer(exporter: CollectExport, to: number): ExportReply {
  try {
    return { files: exporter.run(to), error: "" };
  } catch (error) {
    return { files: [], error: (error as Error).message };
  }
}
