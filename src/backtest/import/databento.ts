// Databento CSV (mbo → L3 rows; mbp-1, mbp-10 and trades → L2 rows; .csv or .csv.gz) → event rows. MBO as hftbacktest's
// own converter (databento.py) does it: action A, C, M, F, T, R = add, cancel, modify, fill, trade, clear; the order id in
// order_id, the flags in ival; the rows of a snapshot after a clear carry the clear's receive time as exchange time,
// because the venue dates them by when the orders were entered. Times and prices in either of Databento's notations:
// ns integers or ISO 8601, 1e-9 units or decimals. Times are exact (the converter's pass through a double).
import { type CsvRow, openCsv } from "../../data/csv-rows.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_ADD_ORDER,
  KIND_CANCEL_ORDER,
  KIND_DEPTH_CLEAR,
  KIND_FILL,
  KIND_MODIFY_ORDER,
  KIND_TRADE,
} from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { ImportDraft, type ImportResult } from "./import-result.ts";
import { type Level, LevelChanges } from "./level-changes.ts";

export interface DatabentoImportOptions {
  /** Only this symbol; needed when a file holds several instruments. */
  readonly symbol?: string;
  readonly baseLatencyNs?: bigint;
}

const ACTIONS: Readonly<Record<string, number>> = {
  A: KIND_ADD_ORDER,
  C: KIND_CANCEL_ORDER,
  M: KIND_MODIFY_ORDER,
  R: KIND_DEPTH_CLEAR,
  T: KIND_TRADE,
  F: KIND_FILL,
};
/** Databento's "no price". */
const UNDEFINED_PX = "9223372036854775807";

/** Files in the order of time. Throws DataFileError with file and line. */
export async function importDatabento(
  paths: readonly string[],
  options: DatabentoImportOptions = {},
): Promise<ImportResult> {
  const table = new EventTable(1 << 16);
  const draft = new ImportDraft(table);
  for (const path of paths) {
    const { header, rows } = await openCsv(path);
    const reader = readerOf(path, header, table, draft);
    let instrument: string | null = null;
    for await (const row of rows) {
      draft.messages++;
      const symbol = row.has("symbol") ? row.text("symbol") : row.text("instrument_id");
      if (options.symbol !== undefined && symbol !== options.symbol) {
        draft.skip(`other symbol ${symbol}`);
        continue;
      }
      if (instrument !== null && symbol !== instrument)
        throw row.fault(`symbol ${symbol} after ${instrument}: name one with --symbol`);
      instrument = symbol;
      reader(row, timeOf(row, "ts_event"), timeOf(row, "ts_recv"));
    }
  }
  return draft.finish(options.baseLatencyNs);
}

type Reader = (row: CsvRow, exch: bigint, local: bigint) => void;

function readerOf(path: string, header: readonly string[], table: EventTable, draft: ImportDraft): Reader {
  if (header.includes("order_id")) return mboReader(table, draft);
  if (header.includes("bid_px_00")) return mbpReader(table, header);
  if (header.includes("action") && header.includes("price")) return tradesReader(table, draft);
  throw new DataFileError(path, -1, `not an mbo, mbp or trades file: ${header.join(",")}`);
}

function sideOf(row: CsvRow): number {
  const side = row.text("side");
  if (side === "B") return EV_BUY;
  if (side === "A") return EV_SELL;
  if (side === "N") return 0;
  throw row.fault(`side "${side}" is not B, A or N`);
}

function mboReader(table: EventTable, draft: ImportDraft): Reader {
  /** Receive time of the clear that opened the snapshot at hand; null outside. */
  let snapshot: bigint | null = null;
  return (row, exch, local) => {
    const action = row.text("action");
    if (action === "N") {
      draft.skip("action N");
      return;
    }
    const kind = ACTIONS[action];
    if (kind === undefined) throw row.fault(`action "${action}" is not one of A C M R T F N`);
    const side = sideOf(row);
    if (kind === KIND_DEPTH_CLEAR && side === 0) snapshot = local;
    else if (local !== snapshot) snapshot = null;
    const px = pxOf(row, "price");
    const flags = row.integer("flags");
    const orderId = row.integer("order_id");
    table.append(kind | side, snapshot ?? exch, local, px, row.number64("size"), orderId, flags);
  };
}

function mbpReader(table: EventTable, header: readonly string[]): Reader {
  const book = new LevelChanges(table);
  const names = header.filter((n) => /^bid_px_\d\d$/.test(n)).map((n) => n.slice(-2));
  const side = (row: CsvRow, name: string): Level[] =>
    names.flatMap((k): Level[] => {
      const px = pxOf(row, `${name}_px_${k}`);
      return Number.isNaN(px) ? [] : [[px, row.number64(`${name}_sz_${k}`)]];
    });
  return (row, exch, local) => {
    if (row.text("action") === "T")
      table.append(KIND_TRADE | sideOf(row), exch, local, pxOf(row, "price"), row.number64("size"));
    book.add(exch, local, side(row, "bid"), side(row, "ask"));
  };
}

function tradesReader(table: EventTable, draft: ImportDraft): Reader {
  return (row, exch, local) => {
    if (row.text("action") !== "T") draft.skip(`action ${row.text("action")}`);
    else table.append(KIND_TRADE | sideOf(row), exch, local, pxOf(row, "price"), row.number64("size"));
  };
}

/** NaN when the file says that there is none. */
function pxOf(row: CsvRow, column: string): number {
  const text = row.text(column);
  if (text === "" || text === UNDEFINED_PX) return NaN;
  return text.includes(".") ? row.number64(column) : Number(row.integer(column)) / 1e9;
}

/** ns since the epoch; the fraction of an ISO time to its last digit. */
function timeOf(row: CsvRow, column: string): bigint {
  const text = row.text(column);
  if (/^\d+$/.test(text)) return BigInt(text);
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)$/.exec(text);
  const ms = parts === null ? NaN : Date.parse(`${parts[1]}T${parts[2]}Z`);
  if (parts === null || Number.isNaN(ms))
    throw row.fault(`${column} "${text}" is not a time (ns or ISO 8601 in UTC)`);
  return BigInt(ms) * 1_000_000n + BigInt((parts[3] ?? "").padEnd(9, "0"));
}
