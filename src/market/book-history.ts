// Book snapshots at a fixed interval: `bookAt(ts)` is the last one at or before ts.
// Hot: factor lane; 0 bytes; O(levels) once per interval, look-up O(log snapshots).
//
// Snapshot instants are multiples of the interval since the Unix epoch (the session base is a whole day) and
// show every record received at or before that instant. When the book does not change over several
// intervals one snapshot stands for them all.
//   | count | next due | (6 spare) | snapshots × [ts, bids, asks, bid px × L, bid qty × L, ask px × L, ask qty × L] |
import { ASK, BID, type L2Book } from "./l2-book.ts";

const HEADER_WORDS = 8;
export const NOT_HELD = -1;

export class BookHistory {
  private readonly f64: Float64Array;
  private readonly head: number;
  private readonly data: number;
  private readonly stride: number;
  readonly intervalNs: number;
  readonly levels: number;
  readonly capacity: number;

  static words(levels: number, capacity: number): number {
    return HEADER_WORDS + capacity * (3 + 4 * levels);
  }

  /** `capacity` = history duration / interval + 1 snapshots, any integer ≥ 1. */
  constructor(f64: Float64Array, offset: number, levels: number, capacity: number, intervalNs: number) {
    this.f64 = f64;
    this.head = offset;
    this.data = offset + HEADER_WORDS;
    this.stride = 3 + 4 * levels;
    this.intervalNs = intervalNs;
    this.levels = levels;
    this.capacity = capacity;
  }

  get count(): number {
    return this.f64[this.head]!;
  }

  /** The book is valid from `tsNs` on: the next snapshot is the first instant at or after it. */
  start(tsNs: number): void {
    this.f64[this.head + 1] = Math.ceil(tsNs / this.intervalNs) * this.intervalNs;
  }

  /** Before the records received at `tsNs` are applied: takes the snapshot whose instant has passed. */
  advance(tsNs: number, book: L2Book): void {
    const due = this.f64[this.head + 1]!;
    if (tsNs <= due) return;
    this.take(due, book);
    this.start(tsNs);
  }

  private take(tsNs: number, book: L2Book): void {
    const f64 = this.f64;
    const n = f64[this.head]!;
    const at = this.data + (n % this.capacity) * this.stride;
    f64[at] = tsNs;
    let bids = 0;
    for (let px = book.bestBidTicks; !Number.isNaN(px) && bids < this.levels; px = book.nextBelow(BID, px)) {
      f64[at + 3 + bids] = px;
      f64[at + 3 + this.levels + bids] = book.qtyAt(BID, px);
      bids++;
    }
    let asks = 0;
    for (let px = book.bestAskTicks; !Number.isNaN(px) && asks < this.levels; px = book.nextAbove(ASK, px)) {
      f64[at + 3 + 2 * this.levels + asks] = px;
      f64[at + 3 + 3 * this.levels + asks] = book.qtyAt(ASK, px);
      asks++;
    }
    f64[at + 1] = bids;
    f64[at + 2] = asks;
    f64[this.head] = n + 1;
  }

  /** Handle of the last snapshot at or before `tsNs`, or NOT_HELD when it is older than the history. */
  bookAt(tsNs: number): number {
    const n = this.f64[this.head]!;
    let low = n > this.capacity ? n - this.capacity : 0;
    const oldest = low;
    let high = n;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.tsOf(middle) > tsNs) high = middle;
      else low = middle + 1;
    }
    return low === oldest ? NOT_HELD : low - 1;
  }

  private at(handle: number): number {
    return this.data + (handle % this.capacity) * this.stride;
  }

  tsOf(handle: number): number {
    return this.f64[this.at(handle)]!;
  }

  /** Levels held of a side, ≤ `levels`. */
  depthOf(handle: number, side: number): number {
    return this.f64[this.at(handle) + (side > 0 ? 1 : 2)]!;
  }

  /** Price of the `level`-th best (0 = best), NaN when there is none. */
  pxTicksOf(handle: number, side: number, level: number): number {
    if (level >= this.depthOf(handle, side)) return NaN;
    return this.f64[this.at(handle) + 3 + (side > 0 ? 0 : 2 * this.levels) + level]!;
  }

  /** Lots at the `level`-th best, 0 when there is none. */
  qtyLotsOf(handle: number, side: number, level: number): number {
    if (level >= this.depthOf(handle, side)) return 0;
    return this.f64[this.at(handle) + 3 + (side > 0 ? this.levels : 3 * this.levels) + level]!;
  }
}
