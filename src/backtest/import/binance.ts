// Binance captures (USD-M futures and spot) → event rows, as hftbacktest's own converter (binancefutures.py) does it:
// depth updates, market trades, REST snapshots (a clear up to the last level, then the levels), and on request mark
// price (kinds 100–102) and book ticker (103, 104). Times: T of the message (spot depth: E) and the recorder's.
// What has no time of its own (a spot snapshot or book ticker) gets that of the message before it.
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
import { ImportDraft, type ImportResult } from "./import-result.ts";

export interface BinanceImportOptions {
  readonly markPrice?: boolean;
  readonly bookTicker?: boolean;
  /** Only messages of this symbol; absent: of all (a capture of one symbol). */
  readonly symbol?: string;
  /** Added to every feed latency when the recorder's clock is corrected, ns. */
  readonly baseLatencyNs?: bigint;
}

type Level = readonly [px: string, qty: string];

/** The fields of the messages that are read; `T` and `E` are ms since the epoch. */
interface Message {
  readonly e?: string;
  readonly E?: number;
  readonly T?: number;
  readonly s?: string;
  readonly p?: string;
  readonly q?: string;
  readonly X?: string;
  readonly m?: boolean;
  readonly U?: number;
  readonly u?: number;
  readonly pu?: number;
  readonly b?: unknown;
  readonly a?: unknown;
  readonly B?: string;
  readonly A?: string;
  readonly i?: string;
  readonly r?: string;
  readonly bids?: readonly Level[];
  readonly asks?: readonly Level[];
  readonly stream?: string;
  readonly data?: Message;
}

const NS_PER_MS = 1_000_000n;

/** Reads a capture (combined or plain streams) and corrects times and order. Throws DataFileError, CaptureError. */
export async function importBinance(path: string, options: BinanceImportOptions = {}): Promise<ImportResult> {
  const importer = new BinanceImporter(options);
  for await (const line of readCapture(path)) importer.add(parse(path, line), line.recvUnixNs);
  return importer.draft.finish(options.baseLatencyNs);
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

class BinanceImporter {
  readonly draft: ImportDraft;
  private readonly table = new EventTable(1 << 16);
  private readonly options: BinanceImportOptions;
  /** Exchange time of the message before; null before the first. */
  private exch: bigint | null = null;
  /** Update id of the depth update before, by symbol. */
  private readonly updateIds = new Map<string, number>();

  constructor(options: BinanceImportOptions) {
    this.options = options;
    this.draft = new ImportDraft(this.table);
  }

  add(message: Message, local: bigint): void {
    this.draft.messages++;
    const m = message.data ?? message;
    const { symbol } = this.options;
    if (symbol !== undefined && m.s !== undefined && m.s !== symbol) {
      this.draft.skip(`other symbol ${m.s}`);
      return;
    }
    const time = m.T ?? m.E;
    if (time !== undefined) this.exch = BigInt(time) * NS_PER_MS;
    const exch = this.exch ?? local;
    const bookTicker = m.e === "bookTicker" || message.stream?.endsWith("@bookTicker") === true;
    if (bookTicker) this.addBookTicker(m, exch, local);
    else this.addTyped(m, exch, local);
  }

  private addTyped(m: Message, exch: bigint, local: bigint): void {
    switch (m.e) {
      case "trade":
        if (m.X !== undefined && m.X !== "MARKET") this.draft.skip(`trade ${m.X}`);
        else this.table.append(KIND_TRADE | (m.m ? EV_SELL : EV_BUY), exch, local, Number(m.p), Number(m.q));
        return;
      case "depthUpdate":
        this.checkUpdateIds(m);
        this.addLevels(KIND_DEPTH | EV_BUY, exch, local, m.b as readonly Level[]);
        this.addLevels(KIND_DEPTH | EV_SELL, exch, local, m.a as readonly Level[]);
        return;
      case "markPriceUpdate":
        this.addMarkPrice(m, exch, local);
        return;
      case undefined:
        if (m.bids === undefined || m.asks === undefined) {
          this.draft.skip("message without type");
          return;
        }
        this.addSnapshot(EV_BUY, exch, local, m.bids);
        this.addSnapshot(EV_SELL, exch, local, m.asks);
        return;
      default:
        this.draft.skip(m.e);
    }
  }

  /** Futures say the id before (`pu`), spot the first and last id of an update (`U`, `u`). */
  private checkUpdateIds(m: Message): void {
    const symbol = m.s ?? "";
    const before = this.updateIds.get(symbol);
    if (m.u === undefined) return;
    if (before !== undefined) {
      const follows = m.pu === undefined ? m.U === undefined || m.U <= before + 1 : m.pu === before;
      if (!follows) this.draft.gaps++;
    }
    this.updateIds.set(symbol, m.u);
  }

  private addMarkPrice(m: Message, exch: bigint, local: bigint): void {
    if (!this.options.markPrice) {
      this.draft.skip("markPriceUpdate");
      return;
    }
    this.table.append(KIND_INDEX_PRICE, exch, local, Number(m.i), 0);
    this.table.append(KIND_MARK_PRICE, exch, local, Number(m.p), 0);
    this.table.append(KIND_FUNDING_RATE, exch, local, Number(m.r), 0);
  }

  private addBookTicker(m: Message, exch: bigint, local: bigint): void {
    if (!this.options.bookTicker) {
      this.draft.skip("bookTicker");
      return;
    }
    this.table.append(KIND_BEST_BID, exch, local, Number(m.b), Number(m.B));
    this.table.append(KIND_BEST_ASK, exch, local, Number(m.a), Number(m.A));
  }

  private addLevels(ev: number, exch: bigint, local: bigint, levels: readonly Level[]): void {
    for (const [px, qty] of levels) this.table.append(ev, exch, local, Number(px), Number(qty));
  }

  private addSnapshot(side: number, exch: bigint, local: bigint, levels: readonly Level[]): void {
    const last = levels[levels.length - 1];
    if (last === undefined) return;
    this.table.append(KIND_DEPTH_CLEAR | side, exch, local, Number(last[0]), 0);
    this.addLevels(KIND_DEPTH_SNAPSHOT | side, exch, local, levels);
  }
}
