// Ring of the last trades with prefix sums, so that any window is two look-ups.
// Hot: factor lane; 0 bytes; push O(1), a time window O(log capacity), sums over it O(1).
//
// Lives in words of a shared Float64Array (the factor arena), so a checkpoint of the arena holds it:
//   | count | overflows | (6 spare) | ts | pxTicks | signed qtyLots | Σ qty | Σ px·qty | Σ signed qty | Σ buys |
// Trades are named by sequence number (0 = first of the session); a window is a half-open range of them.
// Sums are modulo 2^52 (modular-sum.ts): exact while one window holds less than 2^51 tick·lots.
import { addModular, signedBetween, unsignedBetween } from "./modular-sum.ts";

const HEADER_WORDS = 8;
const COLUMNS = 7;

export class TradeTape {
  private readonly f64: Float64Array;
  private readonly head: number;
  private readonly ts: number;
  private readonly px: number;
  private readonly qty: number;
  private readonly sumQty: number;
  private readonly sumValue: number;
  private readonly sumSigned: number;
  private readonly sumBuys: number;
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
    this.sumQty = this.qty + capacity;
    this.sumValue = this.sumQty + capacity;
    this.sumSigned = this.sumValue + capacity;
    this.sumBuys = this.sumSigned + capacity;
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

  /** `side`: aggressor, +1 buy, −1 sell. Time stamps never go back. */
  push(tsNs: number, pxTicks: number, qtyLots: number, side: number): void {
    const f64 = this.f64;
    const n = f64[this.head]!;
    const i = n & this.mask;
    const p = (n - 1) & this.mask;
    const first = n === 0;
    const signed = side > 0 ? qtyLots : -qtyLots;
    f64[this.ts + i] = tsNs;
    f64[this.px + i] = pxTicks;
    f64[this.qty + i] = signed;
    f64[this.sumQty + i] = addModular(first ? 0 : f64[this.sumQty + p]!, qtyLots);
    f64[this.sumValue + i] = addModular(first ? 0 : f64[this.sumValue + p]!, pxTicks * qtyLots);
    f64[this.sumSigned + i] = addModular(first ? 0 : f64[this.sumSigned + p]!, signed);
    f64[this.sumBuys + i] = addModular(first ? 0 : f64[this.sumBuys + p]!, side > 0 ? qtyLots : 0);
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

  /** Lots, negative when the seller was the aggressor. */
  signedQtyAt(sequence: number): number {
    return this.f64[this.qty + (sequence & this.mask)]!;
  }

  /** Lots traded from `first` on. */
  qtySince(first: number): number {
    if (first >= this.f64[this.head]!) return 0;
    const own = this.f64[this.qty + (first & this.mask)]!;
    return (
      unsignedBetween(this.last(this.sumQty), this.f64[this.sumQty + (first & this.mask)]!) + Math.abs(own)
    );
  }

  /** Tick·lots traded from `first` on. */
  valueSince(first: number): number {
    if (first >= this.f64[this.head]!) return 0;
    const i = first & this.mask;
    const own = Math.abs(this.f64[this.qty + i]!) * this.f64[this.px + i]!;
    return unsignedBetween(this.last(this.sumValue), this.f64[this.sumValue + i]!) + own;
  }

  /** Aggressive buys − aggressive sells in lots from `first` on. */
  signedQtySince(first: number): number {
    if (first >= this.f64[this.head]!) return 0;
    const i = first & this.mask;
    return signedBetween(this.last(this.sumSigned), this.f64[this.sumSigned + i]!) + this.f64[this.qty + i]!;
  }

  /** Lots bought by aggressors from `first` on. */
  buyQtySince(first: number): number {
    if (first >= this.f64[this.head]!) return 0;
    const i = first & this.mask;
    const own = this.f64[this.qty + i]!;
    return unsignedBetween(this.last(this.sumBuys), this.f64[this.sumBuys + i]!) + Math.max(own, 0);
  }

  private last(column: number): number {
    return this.f64[column + ((this.f64[this.head]! - 1) & this.mask)]!;
  }
}
