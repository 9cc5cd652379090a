// A book as two sorted arrays, best level last: a change near the touch moves few bytes and far levels (a real
// book has bids 600,000 ticks away) cost nothing special.
// Hot: lane of the matching model; allocates only when the level count passes the capacity; O(log levels)
// plus one memmove per insert or delete.
import type { MarketBook } from "./market-book.ts";

const INITIAL_LEVELS = 4096;

class SortedSide {
  /** side · pxTicks, ascending: the best level is last on both sides. */
  keys = new Float64Array(INITIAL_LEVELS);
  qty = new Float64Array(INITIAL_LEVELS);
  count = 0;

  /** Index of the first key ≥ `key`. */
  lowerBound(key: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  set(key: number, qtyLots: number): void {
    const at = this.lowerBound(key);
    const exists = at < this.count && this.keys[at] === key;
    if (qtyLots > 0) {
      if (!exists) this.insert(at, key);
      this.qty[at] = qtyLots;
    } else if (exists) {
      this.keys.copyWithin(at, at + 1, this.count);
      this.qty.copyWithin(at, at + 1, this.count);
      this.count--;
    }
  }

  private insert(at: number, key: number): void {
    if (this.count === this.keys.length) this.grow();
    this.keys.copyWithin(at + 1, at, this.count);
    this.qty.copyWithin(at + 1, at, this.count);
    this.keys[at] = key;
    this.count++;
  }

  private grow(): void {
    const keys = new Float64Array(this.keys.length * 2);
    const qty = new Float64Array(this.keys.length * 2);
    keys.set(this.keys);
    qty.set(this.qty);
    this.keys = keys;
    this.qty = qty;
  }
}

export class SortedBook implements MarketBook {
  private readonly bids = new SortedSide();
  private readonly asks = new SortedSide();

  private of(side: number): SortedSide {
    return side > 0 ? this.bids : this.asks;
  }

  applyDelta(side: number, pxTicks: number, qtyLots: number): void {
    this.of(side).set(side * pxTicks, qtyLots);
  }

  qtyAt(side: number, pxTicks: number): number {
    const levels = this.of(side);
    const at = levels.lowerBound(side * pxTicks);
    return at < levels.count && levels.keys[at] === side * pxTicks ? levels.qty[at]! : 0;
  }

  bestTicks(side: number): number {
    const levels = this.of(side);
    return levels.count === 0 ? Number.NaN : side * levels.keys[levels.count - 1]!;
  }

  nextWorseTicks(side: number, pxTicks: number): number {
    const levels = this.of(side);
    const at = levels.lowerBound(side * pxTicks) - 1;
    return at < 0 ? Number.NaN : side * levels.keys[at]!;
  }

  endEvent(): void {}

  clear(): void {
    this.bids.count = 0;
    this.asks.count = 0;
  }

  levelCount(side: number): number {
    return this.of(side).count;
  }

  /** Level `rank` from the touch (0 = best), 0 ≤ rank < levelCount. */
  pxAtRank(side: number, rank: number): number {
    const levels = this.of(side);
    return side * levels.keys[levels.count - 1 - rank]!;
  }

  qtyAtRank(side: number, rank: number): number {
    const levels = this.of(side);
    return levels.qty[levels.count - 1 - rank]!;
  }
}
