// Ring of the last trades with prefix sums, so that any window is two look-ups.
// Hot: factor lane; 0 bytes; push O(1), a time window O(log capacity), sums over it O(1).
//
// Lives in words of a shared Float64Array (the factor arena), so a checkpoint of the arena holds it:
//   | count | overflows | Σ qty | Σ px·qty | Σ signed qty | (3 spare)
//   | ts | pxTicks | qtyLots | signed qtyLots | the three sums before the trade |
// Trades are named by sequence number (0 = first of the session); a window is a half-open range of them.
// Sums are modulo 2^52 (modular-sum.ts): exact while one window holds less than 2^51 tick·lots.
import { addModular, signedBetween, unsignedBetween } from "./modular-sum.ts";

const HEADER_WORDS = 8;
/** First of the three sums over all trades. */
const TOTALS = 2;
const COLUMNS = 7;

export class TradeTape {
  private readonly f64: Float64Array;
  private readonly head: number;
  private readonly ts: number;
  private readonly px: number;
  private readonly qty: number;
  private readonly signed: number;
  private readonly sumQty: number;
  private readonly sumValue: number;
  private readonly sumSigned: number;
  private readonly mask: number;
  readonly capacity: number;

  static words(capacity: number): number {
    return HEADER_WORDS + COLUMNS * capacity;
  }

  /** `offset`: first of `words(capacity)` zeroed words of `f64`; capacity: a power of two. */
  constructor(f64: Float64Array, offset: number, capacity: number) {
    this.f64 = f64;
    this.head = offset;
    this.ts = offset + HEADER_WORDS;
    this.px = this.ts + capacity;
    this.qty = this.px + capacity;
    this.signed = this.qty + capacity;
    this.sumQty = this.signed + capacity;
    this.sumValue = this.sumQty + capacity;
    this.sumSigned = this.sumValue + capacity;
    this.mask = capacity - 1;
    this.capacity = capacity;
  }

  /** Trades of the session so far; the next one's sequence number. */
  get count(): number {
    return this.f64[this.head]!;
  }

  /** Sequence number of the oldest trade held. */
  get oldest(): number {
    const first = this.f64[this.head]! - this.capacity;
    return Math.max(first, 0);
  }

  /** How often a time window reached behind the oldest trade held, and so was cut. */
  get overflows(): number {
    return this.f64[this.head + 1]!;
  }

  /** `side`: aggressor, +1 buy, −1 sell, 0 unknown. Time stamps never go back. */
  push(tsNs: number, pxTicks: number, qtyLots: number, side: number): void {
    const f64 = this.f64;
    const totals = this.head + TOTALS;
    const n = f64[this.head]!;
    const i = n & this.mask;
    f64[this.ts + i] = tsNs;
    f64[this.px + i] = pxTicks;
    f64[this.qty + i] = qtyLots;
    f64[this.signed + i] = side * qtyLots;
    f64[this.sumQty + i] = f64[totals]!;
    f64[this.sumValue + i] = f64[totals + 1]!;
    f64[this.sumSigned + i] = f64[totals + 2]!;
    f64[totals] = addModular(f64[totals]!, qtyLots);
    f64[totals + 1] = addModular(f64[totals + 1]!, pxTicks * qtyLots);
    f64[totals + 2] = addModular(f64[totals + 2]!, side * qtyLots);
    f64[this.head] = n + 1;
  }

  /** Sequence number of the first trade received after `tsNs` (= count when there is none). */
  firstAfter(tsNs: number): number {
    let low = this.oldest;
    let high = this.f64[this.head]!;
    const cut = low > 0 && this.f64[this.ts + (low & this.mask)]! > tsNs;
    if (cut) this.f64[this.head + 1] = this.f64[this.head + 1]! + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.f64[this.ts + (middle & this.mask)]! > tsNs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Sequence number of the first of the last `n` trades, or −1 when fewer are held. */
  firstOfLast(n: number): number {
    const first = this.f64[this.head]! - n;
    return first >= this.oldest ? first : -1;
  }

  tsAt(sequence: number): number {
    return this.f64[this.ts + (sequence & this.mask)]!;
  }

  pxAt(sequence: number): number {
    return this.f64[this.px + (sequence & this.mask)]!;
  }

  qtyAt(sequence: number): number {
    return this.f64[this.qty + (sequence & this.mask)]!;
  }

  /** Lots, negative when the seller was the aggressor, 0 when that is not known. */
  signedQtyAt(sequence: number): number {
    return this.f64[this.signed + (sequence & this.mask)]!;
  }

  /** Lots traded from `first` on. */
  qtySince(first: number): number {
    if (first >= this.f64[this.head]!) return 0;
    return unsignedBetween(this.f64[this.head + TOTALS]!, this.f64[this.sumQty + (first & this.mask)]!);
  }

  /** Tick·lots traded from `first` on. */
  valueSince(first: number): number {
    if (first >= this.f64[this.head]!) return 0;
    return unsignedBetween(this.f64[this.head + TOTALS + 1]!, this.f64[this.sumValue + (first & this.mask)]!);
  }

  /** Aggressive buys − aggressive sells in lots from `first` on. */
  signedQtySince(first: number): number {
    if (first >= this.f64[this.head]!) return 0;
    return signedBetween(this.f64[this.head + TOTALS + 2]!, this.f64[this.sumSigned + (first & this.mask)]!);
  }
}
