// Order-flow imbalance events of the best levels, with prefix sums per level.
// Hot: factor lane; 0 bytes; one update per book event, O(levels); a window is O(log capacity).
//
// Cont, Kukanov, Stoikov, "The Price Impact of Order Book Events" (J. Financial Econometrics 12, 2014), eq. 4:
//   e = 1{Pb ≥ Pb'}·qb − 1{Pb ≤ Pb'}·qb' − 1{Pa ≤ Pa'}·qa + 1{Pa ≥ Pa'}·qa'      (' = before the event)
// and level by level for the m-th best prices: Xu, Gould, Howison, "Multi-Level Order-Flow Imbalance in a
// Limit Order Book" (Market Microstructure and Liquidity 4, 2018). A level that does not exist counts as an
// infinitely bad price with quantity 0. In lots, exact.
import { ASK, BID, type L2Book } from "./l2-book.ts";
import { addModular, signedBetween } from "./modular-sum.ts";

const HEADER_WORDS = 8;
/** bid px, bid qty, ask px, ask qty of the event before */
const LEVEL_WORDS = 4;

export class OrderFlow {
  private readonly f64: Float64Array;
  private readonly head: number;
  private readonly before: number;
  private readonly ts: number;
  private readonly sums: number;
  private readonly mask: number;
  readonly capacity: number;
  readonly levels: number;

  static words(levels: number, capacity: number): number {
    return HEADER_WORDS + levels * LEVEL_WORDS + capacity * (1 + levels);
  }

  /** `offset`: first of `words(levels, capacity)` zeroed words; capacity: a power of two. */
  constructor(f64: Float64Array, offset: number, levels: number, capacity: number) {
    this.f64 = f64;
    this.head = offset;
    this.before = offset + HEADER_WORDS;
    this.ts = this.before + levels * LEVEL_WORDS;
    this.sums = this.ts + capacity;
    this.mask = capacity - 1;
    this.capacity = capacity;
    this.levels = levels;
  }

  /** Book events seen; entry n is the n-th, the first of a session (or after `forget`) having no flow. */
  get count(): number {
    return this.f64[this.head]!;
  }

  get oldest(): number {
    const first = this.f64[this.head]! - this.capacity;
    return Math.max(first, 0);
  }

  get overflows(): number {
    return this.f64[this.head + 1]!;
  }

  /** The next event has no predecessor (the book was replaced). */
  forget(): void {
    this.f64[this.head + 2] = 0;
  }

  /** After the last record of a book event. */
  update(tsNs: number, book: L2Book): void {
    const f64 = this.f64;
    const n = f64[this.head]!;
    const i = n & this.mask;
    const known = f64[this.head + 2] !== 0;
    let bid = book.bestBidTicks;
    let ask = book.bestAskTicks;
    for (let m = 0; m < this.levels; m++) {
      const bidQty = !Number.isNaN(bid) ? book.qtyAt(BID, bid) : 0;
      const askQty = !Number.isNaN(ask) ? book.qtyAt(ASK, ask) : 0;
      const flow = this.flowOfLevel(
        m,
        !Number.isNaN(bid) ? bid : -Infinity,
        bidQty,
        !Number.isNaN(ask) ? ask : Infinity,
        askQty,
      );
      const column = this.sums + m * this.capacity;
      const sum = n === 0 ? 0 : f64[column + ((n - 1) & this.mask)]!;
      f64[column + i] = known ? addModular(sum, flow) : sum;
      if (m + 1 < this.levels) {
        bid = !Number.isNaN(bid) ? book.nextBelow(BID, bid) : NaN;
        ask = !Number.isNaN(ask) ? book.nextAbove(ASK, ask) : NaN;
      }
    }
    f64[this.ts + i] = tsNs;
    f64[this.head] = n + 1;
    f64[this.head + 2] = 1;
  }

  private flowOfLevel(m: number, bid: number, bidQty: number, ask: number, askQty: number): number {
    const f64 = this.f64;
    const at = this.before + m * LEVEL_WORDS;
    const bidBefore = f64[at]!;
    const askBefore = f64[at + 2]!;
    let flow = 0;
    if (bid >= bidBefore) flow += bidQty;
    if (bid <= bidBefore) flow -= f64[at + 1]!;
    if (ask <= askBefore) flow -= askQty;
    if (ask >= askBefore) flow += f64[at + 3]!;
    f64[at] = bid;
    f64[at + 1] = bidQty;
    f64[at + 2] = ask;
    f64[at + 3] = askQty;
    return flow;
  }

  /** First event received after `tsNs`. */
  firstAfter(tsNs: number): number {
    let low = this.oldest;
    let high = this.f64[this.head]!;
    if (low > 0 && this.f64[this.ts + (low & this.mask)]! > tsNs) {
      this.f64[this.head + 1] = this.f64[this.head + 1]! + 1;
    }
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.f64[this.ts + (middle & this.mask)]! > tsNs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** First of the last `n` events, −1 when the ring does not reach back that far. */
  firstOfLast(n: number): number {
    const first = this.f64[this.head]! - n;
    // One entry more than the window is needed: sums are differences of prefixes.
    return first > this.oldest || first === 0 ? first : -1;
  }

  /** Flow of level `m` (0 = best) from event `first` on, lots. A cut window starts after the oldest entry. */
  sumSince(first: number, m: number): number {
    const n = this.f64[this.head]!;
    if (first >= n) return 0;
    const column = this.sums + m * this.capacity;
    const last = this.f64[column + ((n - 1) & this.mask)]!;
    if (first === 0) return signedBetween(last, 0);
    const start = first > this.oldest ? first - 1 : this.oldest;
    return signedBetween(last, this.f64[column + (start & this.mask)]!);
  }

  /** Time of the first event held. */
  get oldestTsNs(): number {
    return this.f64[this.head]! === 0 ? NaN : this.f64[this.ts + (this.oldest & this.mask)]!;
  }
}
