// The market book of a backtest's exchange side: lots per tick in a dense window, next best by a short walk, levels
// outside the window in a map. Made for runs of rows: `applyRows` does everything in locals until a row needs its
// caller. The pipeline's own L2Book stands on the trader's side, so the two sides check each other.
// Hot: 0 bytes per row; O(1) per row, plus the gap to the next level when the best goes; moving the window is cold.
import type { EventChunk } from "../data/event-chunk.ts";
import type { MarketBook } from "./market-book.ts";

/** No best level: below every key. Keys are ticks of bids and −ticks of asks: higher is better on both sides. */
const NO_KEY = -2_147_483_648;
/** Ticks in the window: 8 MiB a side, of which only pages with levels become resident. */
const WINDOW_TICKS = 1_048_576;
/** Of these above the key that places the window: every level is worse than the best, some bids by all of the price. */
const HEADROOM_TICKS = WINDOW_TICKS / 8;

class DenseSide {
  best = NO_KEY;
  /** No level is below this key. */
  low = 2_147_483_647;
  /** Lots of key `origin + i`. */
  lots = new Float64Array(0);
  origin = 0;
  private readonly far = new Map<number, number>();

  /** Sets one level anywhere. */
  set(key: number, qtyLots: number): void {
    const at = key - this.origin;
    if (at >= 0 && at < this.lots.length) this.lots[at] = qtyLots;
    else if (!this.setOutside(key, qtyLots)) return;
    if (qtyLots > 0) {
      if (key > this.best) this.best = key;
      if (key < this.low) this.low = key;
    } else if (key === this.best) this.best = this.below(key);
  }

  get(key: number): number {
    const at = key - this.origin;
    return at >= 0 && at < this.lots.length ? this.lots[at]! : (this.far.get(key) ?? 0);
  }

  /** Highest key with a level below `key`, or NO_KEY. */
  below(key: number): number {
    const { lots, origin } = this;
    const to = Math.max(this.low - origin, 0);
    let found = NO_KEY;
    for (let i = Math.min(key - origin, lots.length) - 1; i >= to; i--) {
      if (lots[i]! > 0) {
        found = i + origin;
        break;
      }
    }
    if (this.far.size > 0) for (const one of this.far.keys()) if (one < key && one > found) found = one;
    return found;
  }

  clear(): void {
    if (this.best !== NO_KEY)
      this.lots.fill(0, Math.max(this.low - this.origin, 0), Math.max(this.best - this.origin + 1, 0));
    this.far.clear();
    this.best = NO_KEY;
    this.low = 2_147_483_647;
  }

  /** False when the row was the deletion of nothing. */
  private setOutside(key: number, qtyLots: number): boolean {
    if (qtyLots === 0) return this.far.delete(key);
    // The first level places the window, a best beyond it moves it; what else is outside is far.
    if (key > this.best) {
      this.moveTo(key + HEADROOM_TICKS - WINDOW_TICKS);
      this.lots[key - this.origin] = qtyLots;
    } else this.far.set(key, qtyLots);
    return true;
  }

  private moveTo(origin: number): void {
    const old = this.lots;
    const oldOrigin = this.origin;
    this.lots = new Float64Array(WINDOW_TICKS);
    this.origin = origin;
    for (let i = 0; i < old.length; i++) {
      if (old[i] === 0) continue;
      const at = oldOrigin + i - origin;
      if (at >= 0 && at < WINDOW_TICKS) this.lots[at] = old[i]!;
      else this.far.set(oldOrigin + i, old[i]!);
    }
    for (const [key, qty] of this.far) {
      const at = key - origin;
      if (at < 0 || at >= WINDOW_TICKS) continue;
      this.lots[at] = qty;
      this.far.delete(key);
    }
  }
}

export class DenseBook implements MarketBook {
  private readonly bid = new DenseSide();
  private readonly ask = new DenseSide();

  applyDelta(side: number, pxTicks: number, qtyLots: number): void {
    if (side > 0) this.bid.set(pxTicks, qtyLots);
    else this.ask.set(-pxTicks, qtyLots);
  }

  /**
   * Applies rows [from, to) of a chunk, levels of one side, up to the first whose key lies in low … high (both
   * inclusive; low > high: none does), and returns its number, or `to`.
   */
  applyRows(side: number, chunk: EventChunk, from: number, to: number, low: number, high: number): number {
    const { key, levels } = chunk;
    const one = side > 0 ? this.bid : this.ask;
    let { lots, origin, best, low: least } = one;
    let row = from;
    for (; row < to; row++) {
      const k = key[row]!;
      if (k >= low && k <= high) break;
      const at = k - origin;
      const qty = levels[2 * row + 1]!;
      // The common row: not above the best nor its deletion, not below the lowest, in the window.
      if ((k < best || (k === best && qty > 0)) && k >= least && at >= 0 && at < lots.length) {
        lots[at] = qty;
        continue;
      }
      one.set(k, qty);
      ({ lots, origin, best, low: least } = one);
    }
    return row;
  }

  qtyAt(side: number, pxTicks: number): number {
    return side > 0 ? this.bid.get(pxTicks) : this.ask.get(-pxTicks);
  }

  bestTicks(side: number): number {
    return side > 0 ? ticksOf(this.bid.best) : -ticksOf(this.ask.best);
  }

  nextWorseTicks(side: number, pxTicks: number): number {
    return side > 0 ? ticksOf(this.bid.below(pxTicks)) : -ticksOf(this.ask.below(-pxTicks));
  }

  get crossed(): boolean {
    return this.bid.best !== NO_KEY && this.ask.best !== NO_KEY && this.bid.best + this.ask.best >= 0;
  }

  endEvent(): void {}

  clear(): void {
    this.bid.clear();
    this.ask.clear();
  }
}

const ticksOf = (key: number): number => (key === NO_KEY ? Number.NaN : key);
