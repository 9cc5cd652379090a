// One side of a compat book: raw double quantities in a dense window of ticks, levels outside the window in a map.
// Both sides use one key order (bid: tick, ask: −tick), so «better» is always «higher». Equivalent to
// hftbacktest's hash-map book, or, when bounded, to its range-of-interest vector book, faults included.
// Hot: one update per row and side; allocates only when the window grows.
import { LOT_POSITIVE, LOT_ZERO } from "../../data/event-chunk.ts";
import { roundHalfAway } from "./rounding.ts";

/** No best level. Below every key. */
export const NO_KEY = -2_147_483_648;
/** «Lowest key ever set since the side was empty», when it is empty. Above every key. */
export const NO_LOW = 2_147_483_647;

/** Keys in a window at most: 32 MiB. */
const WINDOW_MAX = 4_194_304;
const WINDOW_MIN = 8192;

export class BookSide {
  /** Highest key with a level, by the original's bookkeeping; NO_KEY when none. */
  best = NO_KEY;
  /** Lowest key that a level was set at: how far searches for the next best go. */
  low = NO_LOW;
  /** Set once by the book. */
  opposite!: BookSide;
  /** The window: quantity of key `origin + i`. Read by CompatBook.applyRows. */
  qty = new Float64Array(0);
  origin = 0;
  private size = 0;
  private readonly bounded: boolean;
  private readonly searchesPastEmpty: boolean;
  private readonly far = new Map<number, number>();

  /**
   * Bounded: only keys loKey … hiKey exist (range of interest). Of such a book the original's ask search wraps
   * around when the side's extent is not known (i64::MIN − bound) and so goes on to the end of the range.
   */
  constructor(bounded: boolean, loKey = 0, hiKey = -1, searchesPastEmpty = false) {
    this.bounded = bounded;
    this.searchesPastEmpty = searchesPastEmpty;
    if (!bounded) return;
    this.origin = loKey;
    this.size = hiKey - loKey + 1;
    this.qty = new Float64Array(this.size);
  }

  /** Applies one depth row and returns the quantity that the level had. `code`: its LOT bits. */
  update(key: number, qty: number, code: number): number {
    const index = key - this.origin;
    if (index < 0 || index >= this.size) return this.updateOutside(key, qty, code);
    const prev = this.qty[index]!;
    this.qty[index] = (code & LOT_POSITIVE) !== 0 || this.bounded ? qty : 0;
    this.follow(key, code);
    return prev;
  }

  /** Best and low after a level was set. A negative quantity counts as a level here, and only here (theirs). */
  private follow(key: number, code: number): void {
    if ((code & LOT_ZERO) !== 0) {
      if (key === this.best) this.loseBest();
      return;
    }
    if (key > this.best) this.improve(key);
    if (key < this.low) this.low = key;
  }

  /** Quantity at a key; 0 when there is no level, NaN outside the range of interest. */
  qtyAt(key: number): number {
    const index = key - this.origin;
    if (index >= 0 && index < this.size) return this.qty[index]!;
    return this.bounded ? Number.NaN : (this.far.get(key) ?? 0);
  }

  /** Every level from the best on, in no order. Cold. */
  forEachLevel(visit: (key: number, qty: number) => void): void {
    for (let key = this.origin; key < this.origin + this.size && key <= this.best; key++)
      if (this.qty[key - this.origin]! > 0) visit(key, this.qty[key - this.origin]!);
    for (const [key, qty] of this.far) if (qty > 0 && key <= this.best) visit(key, qty);
  }

  /** Snapshot rows set levels without any rule. */
  setLevel(key: number, qty: number): void {
    if (!this.put(key, qty)) return;
    if (key > this.best) this.best = key;
    if (key < this.low) this.low = key;
  }

  /** Market by order: an order comes to a level, which may then be the best whatever its quantity (theirs). */
  addOrder(key: number, qty: number): void {
    this.shift(key, qty);
    this.follow(key, 0);
  }

  /** Market by order: an order leaves its level, which is gone when what is left rounds to no lot. */
  takeOrder(key: number, qty: number, lotSize: number): void {
    const left = this.qtyAt(key) - qty;
    if (Number.isNaN(left)) return;
    const gone = roundHalfAway(left / lotSize) === 0;
    this.put(key, gone ? 0 : left);
    if (gone && key === this.best) this.loseBest();
  }

  /** Changes a level's quantity and nothing else; outside a range of interest there is none. */
  shift(key: number, by: number): void {
    const before = this.qtyAt(key);
    if (!Number.isNaN(before)) this.put(key, before + by);
  }

  /** False: the key is outside the range of interest. */
  inRange(key: number): boolean {
    return !this.bounded || (key >= this.origin && key < this.origin + this.size);
  }

  /** False: the key is outside the range of interest, and nothing is done. */
  private put(key: number, qty: number): boolean {
    if (!this.inRange(key)) return false;
    if (!this.bounded) this.include(key);
    const at = key - this.origin;
    if (at >= 0 && at < this.size) this.qty[at] = qty;
    else this.far.set(key, qty);
    return true;
  }

  clear(): void {
    this.qty.fill(0);
    this.far.clear();
    this.best = NO_KEY;
    this.low = NO_LOW;
  }

  /** Finite DEPTH_CLEAR: levels from `key` to the best go; the search for the next best skips one level (theirs). */
  clearDownTo(key: number): void {
    if (this.best !== NO_KEY) this.deleteLevels(key, this.best);
    this.searchAfterClear(key);
  }

  /**
   * The same for the ask side of a range of interest, whose loop over indexes ends at tick + 1 − upper bound instead
   * of − lower bound: only a clear beyond the range deletes anything, and then the wrong levels.
   */
  clearDownToBroken(key: number): void {
    const hiKey = this.origin + this.size - 1;
    const count = Math.min(this.origin - key + 1, this.size);
    if (this.best !== NO_KEY && count > 0) this.deleteLevels(hiKey - count + 1, this.best);
    this.searchAfterClear(key);
  }

  private searchAfterClear(key: number): void {
    const low = this.low === NO_LOW && this.bounded ? this.origin : this.low;
    const inside = Math.max(this.origin, Math.min(key - 1, this.origin + this.size - 1));
    this.best = this.highestBetween(low, (this.bounded ? inside : key - 1) - 1);
    if (this.best === NO_KEY) this.low = NO_LOW;
  }

  private improve(key: number): void {
    this.best = key;
    const other = this.opposite;
    // Crossed: the other side's best moves behind our new best; the levels between stay in its book (theirs).
    if (other.best !== NO_KEY && key + other.best >= 0) other.best = other.highestBelow(-key);
  }

  private loseBest(): void {
    this.best = this.highestBelow(this.best);
    if (this.best === NO_KEY) this.low = NO_LOW;
  }

  /** Next best below `start`, as far as levels were ever set; NO_KEY when there is none. */
  private highestBelow(start: number): number {
    const low = this.low === NO_LOW && this.searchesPastEmpty ? this.origin : this.low;
    return this.highestBetween(low, start - 1);
  }

  /** Highest key with a quantity in [low, high], or NO_KEY. */
  private highestBetween(low: number, high: number): number {
    const from = Math.min(high, this.origin + this.size - 1) - this.origin;
    const to = Math.max(low, this.origin) - this.origin;
    const qty = this.qty;
    let found = NO_KEY;
    for (let i = from; i >= to; i--) {
      if (qty[i]! > 0) {
        found = i + this.origin;
        break;
      }
    }
    return this.far.size === 0 ? found : this.highestFar(low, high, found);
  }

  private highestFar(low: number, high: number, found: number): number {
    let best = found;
    for (const [key, qty] of this.far) {
      if (qty > 0 && key <= high && key >= low && key > best) best = key;
    }
    return best;
  }

  private deleteLevels(from: number, to: number): void {
    const first = Math.max(from - this.origin, 0);
    const last = Math.min(to - this.origin, this.size - 1);
    if (first <= last) this.qty.fill(0, first, last + 1);
    for (const key of this.far.keys()) if (key >= from && key <= to) this.far.delete(key);
  }

  private updateOutside(key: number, qty: number, code: number): number {
    if (this.bounded) return 0;
    const positive = (code & LOT_POSITIVE) !== 0;
    if (positive && this.include(key)) return this.update(key, qty, code);
    const prev = this.far.get(key) ?? 0;
    if (positive) this.far.set(key, qty);
    else this.far.delete(key);
    this.follow(key, code);
    return prev;
  }

  /** Makes the window hold `key` if its size allows; a new best beyond it moves the window. False: key is far. */
  private include(key: number): boolean {
    if (key >= this.origin && key < this.origin + this.size) return true;
    if (this.size === 0) {
      this.resize(key - WINDOW_MIN / 2, WINDOW_MIN);
      return true;
    }
    const end = this.origin + this.size;
    const lo = Math.min(this.origin, key);
    const hi = Math.max(end, key + 1);
    if (hi - lo <= WINDOW_MAX) {
      const size = Math.min(WINDOW_MAX, Math.max(hi - lo, this.size * 2));
      // What is left over goes to the side that grew.
      this.resize(key < this.origin ? hi - size : lo, size);
      return true;
    }
    if (key <= this.best) return false;
    this.resize(key - WINDOW_MAX / 2, WINDOW_MAX);
    return true;
  }

  private resize(origin: number, size: number): void {
    const old = this.qty;
    const oldOrigin = this.origin;
    this.qty = new Float64Array(size);
    this.origin = origin;
    this.size = size;
    const kept = Math.max(oldOrigin, origin);
    const keptEnd = Math.min(oldOrigin + old.length, origin + size);
    if (kept < keptEnd) this.qty.set(old.subarray(kept - oldOrigin, keptEnd - oldOrigin), kept - origin);
    for (let i = 0; i < old.length; i++) {
      const key = oldOrigin + i;
      if (old[i] !== 0 && (key < origin || key >= origin + size)) this.far.set(key, old[i]!);
    }
    for (const [key, qty] of this.far) {
      if (key < origin || key >= origin + size) continue;
      this.qty[key - origin] = qty;
      this.far.delete(key);
    }
  }
}
