// The trader's side of a compat backtest over a market by order (hftbacktest proc/l3_local.rs): as with levels but for
// the rows, which can fail: an order whose id is taken, or that is not known, stops the run.
import { type EventChunk, isTradeOp, OP_MASK } from "../../data/event-chunk.ts";
import { RC_OK } from "./codes.ts";
import { CompatLocal, type CompatLocalParts } from "./compat-local.ts";
import { type CompatL3Book, isLevelOrTrade } from "./l3-book.ts";

export interface L3LocalParts extends CompatLocalParts {
  readonly book: CompatL3Book;
}

export class L3Local extends CompatLocal {
  private readonly l3: CompatL3Book;

  constructor(parts: L3LocalParts) {
    super(parts);
    this.l3 = parts.book;
  }

  /** An error code: the cursor stays on the row that failed. */
  override processRows(bound: number): number {
    const { cursor } = this;
    while (cursor.nextTs <= bound) {
      const chunk = cursor.chunk!;
      const { group, nextTs } = cursor;
      for (const end = chunk.groupStart[group + 1]!; cursor.row < end; cursor.row++) {
        const error = this.takeRow(chunk, cursor.row, group);
        if (error !== RC_OK) return error;
        this.feedExchTs = chunk.groupExchTs[group]!;
        this.feedLocalTs = nextTs;
      }
      cursor.settle(group + 1);
    }
    return RC_OK;
  }

  private takeRow(chunk: EventChunk, row: number, group: number): number {
    const op = chunk.code[row]! & OP_MASK;
    if (isTradeOp(op)) this.keepTrade(chunk, row, group);
    return isLevelOrTrade(op) ? RC_OK : this.l3.applyRow(chunk, row, chunk.groupEv[group]!);
  }
}
