// @depth, @depth@100ms, @depth@500ms: changed levels collected over an interval and sent with their latest
// quantities, ids chained from message to message.
import type { SortedBook } from "../../exchange/sorted-book.ts";
import { pxText, qtyText, type SymbolSpec } from "./symbol-spec.ts";

export class DepthThrottle {
  readonly intervalMs: number;
  private readonly spec: SymbolSpec;
  private readonly bids = new Set<number>();
  private readonly asks = new Set<number>();
  private firstId = 0;
  private finalId = 0;
  private previousId = 0;

  constructor(spec: SymbolSpec, intervalMs: number, updateId: number) {
    this.spec = spec;
    this.intervalMs = intervalMs;
    this.previousId = updateId;
  }

  add(side: number, pxTicks: number): void {
    (side > 0 ? this.bids : this.asks).add(pxTicks);
  }

  noteIds(firstId: number, finalId: number): void {
    if (this.firstId === 0) this.firstId = firstId;
    this.finalId = finalId;
  }

  /** The message of the interval, "" when nothing changed. */
  take(book: SortedBook, nowMs: number): string {
    if (this.firstId === 0) return "";
    const text =
      `{"e":"depthUpdate","E":${nowMs},"T":${nowMs},"s":"${this.spec.symbol}","U":${this.firstId},` +
      `"u":${this.finalId},"pu":${this.previousId},"b":${this.sideText(1, this.bids, book)},` +
      `"a":${this.sideText(-1, this.asks, book)}}`;
    this.previousId = this.finalId;
    this.firstId = 0;
    this.bids.clear();
    this.asks.clear();
    return text;
  }

  private sideText(side: number, changed: Set<number>, book: SortedBook): string {
    const rows = [...changed].sort((a, b) => a - b);
    const level = (px: number) =>
      `["${pxText(this.spec, px)}","${qtyText(this.spec, book.qtyAt(side, px))}"]`;
    return `[${rows.map(level).join(",")}]`;
  }
}
