// The trader's side of a compat backtest over a market by order (hftbacktest proc/l3_local.rs): as with levels but for
// the rows, which can fail: an order whose id is taken, or that is not known, stops the run.
import {
  AT_LOCAL,
  OP_ASK,
  OP_BID,
  OP_MASK,
  OP_NONE,
  OP_TRADE_BUY,
  OP_TRADE_NO_SIDE,
  OP_TRADE_SELL,
} from "../../data/event-chunk.ts";
import { RC_OK } from "./codes.ts";
import { CompatLocal, type CompatLocalParts } from "./compat-local.ts";
import type { CompatL3Book } from "./l3-book.ts";

export interface L3LocalParts extends CompatLocalParts {
  readonly book: CompatL3Book;
}

const isTrade = (op: number): boolean =>
  op === OP_TRADE_BUY || op === OP_TRADE_SELL || op === OP_TRADE_NO_SIDE;

/** Rows that change no market by order. */
export const isLevelOrTrade = (op: number): boolean =>
  op === OP_NONE || op === OP_BID || op === OP_ASK || isTrade(op);

export class L3Local extends CompatLocal {
  private readonly l3: CompatL3Book;

  constructor(parts: L3LocalParts) {
    super(parts);
    this.l3 = parts.book;
  }

  /** An error code: the cursor stays on the row that failed. */
  override processRows(bound: number): number {
    const { cursor } = this;
    const chunk = cursor.chunk!;
    const { code, groupStart, groupSides, groupLocalTs, groups } = chunk;
    let { group, row } = cursor;
    let ts = cursor.nextTs;
    while (ts <= bound) {
      for (const end = groupStart[group + 1]!; row < end; row++) {
        const op = code[row]! & OP_MASK;
        if (isTrade(op)) this.keepTrade(chunk, row, group);
        else if (!isLevelOrTrade(op)) {
          const error = this.l3.applyRow(chunk, row, chunk.groupEv[group]!);
          if (error !== RC_OK) {
            cursor.group = group;
            cursor.row = row;
            cursor.nextTs = ts;
            return error;
          }
        }
        this.feedExchTs = chunk.groupExchTs[group]!;
        this.feedLocalTs = ts;
      }
      group++;
      while (group < groups && (groupSides[group]! & AT_LOCAL) === 0) group++;
      if (group >= groups) break;
      row = groupStart[group]!;
      ts = groupLocalTs[group]!;
    }
    cursor.group = group;
    cursor.row = row;
    cursor.nextTs = ts;
    if (group >= groups) cursor.settle(group);
    return RC_OK;
  }
}
