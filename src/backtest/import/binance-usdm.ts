// Binance USD-M captures → event rows, as hftbacktest's own converter (data/utils/binancefutures.py) does it:
// depth updates, market trades, REST snapshots (a clear up to the last level, then the levels), and on request
// mark price (kinds 100–102) and book ticker (103, 104). Times: T of the message and the recorder's.
import { type CaptureLine, readCapture } from "../../data/capture.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_BEST_ASK,
  KIND_BEST_BID,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_SNAPSHOT,
  KIND_FUNDING_RATE,
  KIND_INDEX_PRICE,
  KIND_MARK_PRICE,
  KIND_TRADE,
} from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";

export interface BinanceImportOptions {
  readonly markPrice?: boolean;
  readonly bookTicker?: boolean;
  /** Added to every feed latency when the recorder's clock is corrected, ns. */
  readonly baseLatencyNs?: bigint;
}

export interface ImportResult {
  readonly table: EventTable;
  readonly messages: number;
  /** Messages of streams that are not imported, by event type. */
  readonly skipped: ReadonlyMap<string, number>;
  /** By how much local times were moved, ns. */
  readonly localShiftNs: bigint;
}

type Level = readonly [px: string, qty: string];

/** The fields of the messages that are read; `T` is ms since the epoch. */
interface Message {
  readonly e?: string;
  readonly T?: number;
  readonly p?: string;
  readonly q?: string;
  readonly X?: string;
  readonly m?: boolean;
  readonly b?: unknown;
  readonly a?: unknown;
  readonly B?: string;
  readonly A?: string;
  readonly i?: string;
  readonly r?: string;
  readonly bids?: readonly Level[];
  readonly asks?: readonly Level[];
  readonly data?: Message;
}

/** Reads a capture (combined or plain streams) and corrects times and order. Throws DataFileError, CaptureError. */
export async function importBinanceUsdm(
  path: string,
  options: BinanceImportOptions = {},
): Promise<ImportResult> {
  const table = new EventTable(1 << 16);
  const skipped = new Map<string, number>();
  let messages = 0;
  for await (const line of readCapture(path)) {
    messages++;
    const kind = appendMessage(table, parse(path, line), line.recvUnixNs, options);
    if (kind !== "") skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
  }
  const localShiftNs = table.correctLocalTimestamps(options.baseLatencyNs ?? 0n);
  return { table: table.correctEventOrder(), messages, skipped, localShiftNs };
}

function parse(path: string, line: CaptureLine): Message {
  try {
    return JSON.parse(new TextDecoder().decode(line.bytes)) as Message;
  } catch (error) {
    throw new DataFileError(path, -1, `line ${line.lineNumber}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Returns the type of a message that is not imported, else "". */
function appendMessage(
  table: EventTable,
  message: Message,
  local: bigint,
  options: BinanceImportOptions,
): string {
  const m = message.data ?? message;
  const exch = BigInt(m.T ?? 0) * 1_000_000n;
  switch (m.e) {
    case "trade":
      if (m.X !== "MARKET") return `trade ${m.X}`;
      table.append(KIND_TRADE | (m.m ? EV_SELL : EV_BUY), exch, local, Number(m.p), Number(m.q));
      return "";
    case "depthUpdate":
      appendLevels(table, KIND_DEPTH | EV_BUY, exch, local, m.b as readonly Level[]);
      appendLevels(table, KIND_DEPTH | EV_SELL, exch, local, m.a as readonly Level[]);
      return "";
    case "markPriceUpdate":
      if (!options.markPrice) return m.e;
      table.append(KIND_INDEX_PRICE, exch, local, Number(m.i), 0);
      table.append(KIND_MARK_PRICE, exch, local, Number(m.p), 0);
      table.append(KIND_FUNDING_RATE, exch, local, Number(m.r), 0);
      return "";
    case "bookTicker":
      if (!options.bookTicker) return m.e;
      table.append(KIND_BEST_BID, exch, local, Number(m.b), Number(m.B));
      table.append(KIND_BEST_ASK, exch, local, Number(m.a), Number(m.A));
      return "";
    case undefined:
      if (m.bids === undefined || m.asks === undefined) return "message without type";
      appendSnapshot(table, EV_BUY, exch, local, m.bids);
      appendSnapshot(table, EV_SELL, exch, local, m.asks);
      return "";
    default:
      return m.e;
  }
}

function appendLevels(
  table: EventTable,
  ev: number,
  exch: bigint,
  local: bigint,
  levels: readonly Level[],
): void {
  for (const [px, qty] of levels) table.append(ev, exch, local, Number(px), Number(qty));
}

function appendSnapshot(
  table: EventTable,
  side: number,
  exch: bigint,
  local: bigint,
  levels: readonly Level[],
): void {
  const last = levels[levels.length - 1];
  if (last === undefined) return;
  table.append(KIND_DEPTH_CLEAR | side, exch, local, Number(last[0]), 0);
  appendLevels(table, KIND_DEPTH_SNAPSHOT | side, exch, local, levels);
}
