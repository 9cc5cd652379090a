// The market book of a backtest's exchange side: lots per tick in a dense window, next best by a short walk, levels
// outside the window in a map. Made for runs of rows: `applyRows` does everything in locals until a row needs its
// caller. The pipeline's own L2Book stands on the trader's side, so the two sides check each other.
// Hot: 0 bytes per row; O(1) per row, plus the gap to the next level when the best goes; moving the window is cold.
import { type EventChunk, OP_ASK, OP_BID, OP_MASK, OP_NONE } from "../data/event-chunk.ts";
import type { MarketBook } from "./market-book.ts";

/** No best level: below every key. Keys are ticks of bids and −ticks of asks: higher is better on both sides. */
const NO_KEY = -2_147_483_648;
/** Ticks in the window: 8 MiB a side, of which only pages with levels become resident. */
const WINDOW_TICKS = 1_048_576;

/** Keys of rows that the caller of `applyRows` wants to handle itself, both ends inclusive. */
export interface KeyWatch {
  readonly bidLow: number;
  readonly bidHigh: number;
  readonly askLow: number;
  readonly askHigh: number;
}

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
      this.moveTo(key - WINDOW_TICKS / 2);
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
   * Applies depth rows [from, to) up to the first that is no level or that is watched, whose number is returned, or
   * `to`. `lotsPerUnit`: the rows' quantities are in units.
   */
  applyRows(chunk: EventChunk, from: number, to: number, lotsPerUnit: number, watch: KeyWatch): number {
    const { code, key, qty } = chunk;
    const { bid, ask } = this;
    const { bidLow, bidHigh, askLow, askHigh } = watch;
    let bidLots = bid.lots;
    let bidOrigin = bid.origin;
    let bidBest = bid.best;
    let bidLeast = bid.low;
    let askLots = ask.lots;
    let askOrigin = ask.origin;
    let askBest = ask.best;
    let askLeast = ask.low;
    let row = from;
    for (; row < to; row++) {
      const op = code[row]! & OP_MASK;
      const k = key[row]!;
      if (op === OP_BID) {
        if (k >= bidLow && k <= bidHigh) break;
        const at = k - bidOrigin;
        // The common row: a level worse than the best, not below the lowest, in the window.
        if (k < bidBest && k >= bidLeast && at >= 0 && at < bidLots.length) {
          bidLots[at] = Math.round(qty[row]! * lotsPerUnit);
          continue;
        }
        bid.set(k, Math.round(qty[row]! * lotsPerUnit));
        bidLots = bid.lots;
        bidOrigin = bid.origin;
        bidBest = bid.best;
        bidLeast = bid.low;
      } else if (op === OP_ASK) {
        if (k >= askLow && k <= askHigh) break;
        const at = k - askOrigin;
        if (k < askBest && k >= askLeast && at >= 0 && at < askLots.length) {
          askLots[at] = Math.round(qty[row]! * lotsPerUnit);
          continue;
        }
        ask.set(k, Math.round(qty[row]! * lotsPerUnit));
        askLots = ask.lots;
        askOrigin = ask.origin;
        askBest = ask.best;
        askLeast = ask.low;
      } else if (op !== OP_NONE) break;
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

  endEvent(): void {}

  clear(): void {
    this.bid.clear();
    this.ask.clear();
  }
}

const ticksOf = (key: number): number => (key === NO_KEY ? Number.NaN : key);
