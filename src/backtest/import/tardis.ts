// Tardis CSV (incremental_book_L2, trades, book_snapshot_N, quotes; .csv or .csv.gz) → event rows. Incremental books and
// trades as hftbacktest's own converter (tardis.py) does it: a run of snapshot rows becomes, side by side, a clear up to
// its last level and the levels. Times are µs. What a file is, its header says.
// Trades go before depth: a trade's own depth update would otherwise take its quantity from the queue twice.
import { type CsvRow, openCsv } from "../../data/csv-rows.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_BEST_ASK,
  KIND_BEST_BID,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_SNAPSHOT,
  KIND_TRADE,
} from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { ImportDraft, type ImportResult } from "./import-result.ts";
import { type Level, LevelChanges } from "./level-changes.ts";

/** Which runs of snapshot rows are taken: all, all but the one at the start of the day, none. */
export type SnapshotMode = "process" | "ignore-sod" | "ignore";

export interface TardisImportOptions {
  /** Only this symbol; needed when a file holds several. */
  readonly symbol?: string;
  readonly bookTicker?: boolean;
  readonly snapshots?: SnapshotMode;
  readonly baseLatencyNs?: bigint;
}

type FileKind = "trades" | "depth" | "books" | "quotes";

const NS_PER_US = 1000n;

/** Throws DataFileError with file and line. */
export async function importTardis(
  paths: readonly string[],
  options: TardisImportOptions = {},
): Promise<ImportResult> {
  const table = new EventTable(1 << 16);
  const draft = new ImportDraft(table);
  const kinds = await Promise.all(paths.map(async (path) => kindOf(path, (await openCsv(path)).header)));
  const order = paths.map((path, i) => ({ path, kind: kinds[i]! }));
  order.sort((a, b) => Number(b.kind === "trades") - Number(a.kind === "trades"));
  for (const { path, kind } of order) {
    const { header, rows } = await openCsv(path);
    const reader = readerOf(kind, table, draft, options, header);
    let symbol = options.symbol ?? null;
    for await (const row of rows) {
      draft.messages++;
      const own = row.text("symbol");
      symbol ??= own;
      if (own === symbol)
        reader.add(row, row.integer("timestamp") * NS_PER_US, row.integer("local_timestamp") * NS_PER_US);
      else if (options.symbol === undefined)
        throw row.fault(`symbol ${own} after ${symbol}: name one with --symbol`);
      else draft.skip(`other symbol ${own}`);
    }
    reader.end();
  }
  return draft.finish(options.baseLatencyNs);
}

function kindOf(path: string, header: readonly string[]): FileKind {
  const has = (...names: string[]): boolean => names.every((n) => header.includes(n));
  if (has("id", "side", "price", "amount")) return "trades";
  if (has("is_snapshot", "side", "price", "amount")) return "depth";
  if (has("asks[0].price", "bids[0].price")) return "books";
  if (has("ask_price", "bid_price")) return "quotes";
  throw new DataFileError(
    path,
    -1,
    `not a trades, incremental_book_L2, book_snapshot or quotes file: ${header.join(",")}`,
  );
}

interface Reader {
  add(row: CsvRow, exch: bigint, local: bigint): void;
  end(): void;
}

function readerOf(
  kind: FileKind,
  table: EventTable,
  draft: ImportDraft,
  options: TardisImportOptions,
  header: readonly string[],
): Reader {
  switch (kind) {
    case "trades":
      return {
        add: (row, exch, local) => {
          const side = row.text("side");
          const ev = KIND_TRADE | (side === "buy" ? EV_BUY : side === "sell" ? EV_SELL : 0);
          table.append(ev, exch, local, row.number64("price"), row.number64("amount"));
        },
        end: () => {},
      };
    case "depth":
      return new DepthReader(table, options.snapshots ?? "process");
    case "books":
      return booksReader(new LevelChanges(table), header);
    case "quotes":
      return quotesReader(table, draft, options.bookTicker === true);
  }
}

function quotesReader(table: EventTable, draft: ImportDraft, wanted: boolean): Reader {
  return {
    add: (row, exch, local) => {
      if (!wanted) {
        draft.skip("quotes");
        return;
      }
      table.append(KIND_BEST_BID, exch, local, row.number64("bid_price"), row.number64("bid_amount"));
      table.append(KIND_BEST_ASK, exch, local, row.number64("ask_price"), row.number64("ask_amount"));
    },
    end: () => {},
  };
}

function booksReader(book: LevelChanges, header: readonly string[]): Reader {
  const count = header.filter((name) => /^bids\[\d+\]\.price$/.test(name)).length;
  const side = (row: CsvRow, name: string): Level[] => {
    const levels: Level[] = [];
    for (let k = 0; k < count && row.text(`${name}[${k}].price`) !== ""; k++)
      levels.push([row.number64(`${name}[${k}].price`), row.number64(`${name}[${k}].amount`)]);
    return levels;
  };
  return {
    add: (row, exch, local) => book.add(exch, local, side(row, "bids"), side(row, "asks")),
    end: () => {},
  };
}

interface SnapshotLevel {
  readonly exch: bigint;
  readonly local: bigint;
  readonly px: number;
  readonly qty: number;
}

class DepthReader implements Reader {
  private readonly table: EventTable;
  private readonly mode: SnapshotMode;
  private startOfDay = true;
  private bids: SnapshotLevel[] = [];
  private asks: SnapshotLevel[] = [];

  constructor(table: EventTable, mode: SnapshotMode) {
    this.table = table;
    this.mode = mode;
  }

  add(row: CsvRow, exch: bigint, local: bigint): void {
    const side = row.text("side");
    const bid = side === "bid" || side === "buy";
    if (!bid && side !== "ask" && side !== "sell") throw row.fault(`side "${side}" is not bid or ask`);
    const [px, qty] = [row.number64("price"), row.number64("amount")];
    if (row.text("is_snapshot").toLowerCase() === "true") {
      if (this.mode === "ignore" || (this.mode === "ignore-sod" && this.startOfDay)) return;
      (bid ? this.bids : this.asks).push({ exch, local, px, qty });
      return;
    }
    this.startOfDay = false;
    this.end();
    this.table.append(KIND_DEPTH | (bid ? EV_BUY : EV_SELL), exch, local, px, qty);
  }

  /** Writes the snapshot that was collected. */
  end(): void {
    if (this.bids.length > 0) this.write(EV_BUY, this.bids);
    if (this.asks.length > 0) this.write(EV_SELL, this.asks);
    this.bids = [];
    this.asks = [];
  }

  private write(side: number, levels: readonly SnapshotLevel[]): void {
    const { exch, local } = levels[0]!;
    this.table.append(KIND_DEPTH_CLEAR | side, exch, local, levels.at(-1)!.px, 0);
    for (const l of levels) this.table.append(KIND_DEPTH_SNAPSHOT | side, l.exch, l.local, l.px, l.qty);
  }
}
