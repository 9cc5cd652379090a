// Hyperliquid captures (l2Book and trades of one coin) → event rows, as hftbacktest's own converter (hyperliquid.py)
// does it: the channel sends whole books of 20 levels a side, so rows are the changes between them; a level that leaves
// the 20 is deleted, because nothing more is heard of it. Times: the message's (ms) and the recorder's.
import { readCapture } from "../../data/capture.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import { EV_BUY, EV_SELL, KIND_TRADE } from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { ImportDraft, type ImportResult } from "./import-result.ts";
import { type Level, LevelChanges } from "./level-changes.ts";

interface BookLevel {
  readonly px: string;
  readonly sz: string;
}

type Message =
  | {
      readonly channel: "l2Book";
      readonly data: {
        readonly coin: string;
        readonly time: number;
        readonly levels: readonly [readonly BookLevel[], readonly BookLevel[]];
      };
    }
  | {
      readonly channel: "trades";
      readonly data: readonly {
        readonly coin: string;
        readonly side: string;
        readonly px: string;
        readonly sz: string;
        readonly time: number;
      }[];
    }
  | { readonly channel: "other" };

export interface HyperliquidImportOptions {
  /** Only this coin; needed when the capture holds several. */
  readonly symbol?: string;
  readonly baseLatencyNs?: bigint;
}

/** Throws DataFileError, CaptureError. */
export async function importHyperliquid(
  path: string,
  options: HyperliquidImportOptions = {},
): Promise<ImportResult> {
  const table = new EventTable(1 << 14);
  const draft = new ImportDraft(table);
  const book = new LevelChanges(table);
  let coin = options.symbol ?? null;
  for await (const line of readCapture(path)) {
    draft.messages++;
    const fault = (what: string): DataFileError =>
      new DataFileError(path, -1, `line ${line.lineNumber}: ${what}`);
    const message = parse(line.bytes, fault);
    if (message.channel !== "l2Book" && message.channel !== "trades") {
      draft.skip(String(message.channel));
      continue;
    }
    const data = message.channel === "l2Book" ? [message.data] : message.data;
    for (const item of data) {
      if (options.symbol === undefined && coin !== null && item.coin !== coin)
        throw fault(`coin ${item.coin} after ${coin}: name one with --symbol`);
      coin ??= item.coin;
      if (item.coin !== coin) draft.skip(`other coin ${item.coin}`);
      else if ("levels" in item) {
        const [bids, asks] = item.levels;
        book.add(ns(item.time), line.recvUnixNs, bids.map(level), asks.map(level));
      } else {
        const side = item.side === "A" ? EV_SELL : EV_BUY;
        table.append(KIND_TRADE | side, ns(item.time), line.recvUnixNs, Number(item.px), Number(item.sz));
      }
    }
  }
  return draft.finish(options.baseLatencyNs);
}

const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n;
const level = ({ px, sz }: BookLevel): Level => [Number(px), Number(sz)];

function parse(bytes: Uint8Array, fault: (what: string) => DataFileError): Message {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Message;
  } catch (error) {
    throw fault((error as Error).message);
  }
}
