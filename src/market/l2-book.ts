// L2 order book: lots per integer tick, absolute updates, exact everywhere.
// Hot: factor lane (and execution, for orderbook subscribers); 0 bytes per update; an update inside the
// window touches one quantity and one bitmap word (two more when that becomes or was empty), finding the next
// best reads at most five.
//
//        far (sorted)          window [lo, hi)  (hi − lo ≤ W)              far (sorted)
//   ──────────────────┤ lots at [tick & (W−1)] + 3 bitmap summaries ├──────────────────── ticks
//
// Whether a level is new, changed or gone is as good as random (of real updates 19 %, 59 %, 18 %), so the
// common path has no branch that depends on it: bit and counts are computed, not chosen (ADR 0009).
//
// The window is addressed modulo W, so re-centring never copies it: a slice of SLICE ticks leaves at one end
// for the far arrays, another is taken in at the other end, and every look-up stays exact between slices
// because `lo` and `hi` say at any moment who holds a tick. After a jump beyond the window the levels there
// are simply far until `maintain` has caught up. DESIGN 5 names two windows for this; one ring with two moving
// ends does the same with half the memory.
//
// Crossed levels: the venue's absolute updates own the truth, so the book never deletes a level by itself.
// Between the records of one message a book may be crossed; `crossed` after an event means that the stream
// lost something (or that stale levels are left), and the caller decides (FEED resyncs).
import { assert } from "../core/assert.ts";
import { FarLevels } from "./far-levels.ts";
import { TickBitmap } from "./tick-bitmap.ts";

export const BID = 1;
export const ASK = -1;

/** Ticks moved by one re-centring slice (each side): bounds a slice at 4 × 256 levels, a few microseconds. */
const SLICE_TICKS = 256;
/** Ranges up to this many ticks are summed tick by tick, longer ones level by level. */
const DENSE_TICKS = 1024;
const DEFAULT_WINDOW_TICKS = 32_768;
const DEFAULT_FAR_LEVELS = 8_192;

export interface L2BookOptions {
  /** Power of two, 1,024 … 32,768 (three levels of 32-bit summaries reach 32^3). */
  readonly windowTicks?: number;
  /** Levels per side outside the window before an array has to grow. */
  readonly farLevels?: number;
  /** Depth bands (`addBand`). */
  readonly bands?: number;
}

export class L2Book {
  private readonly windowTicks: number;
  private readonly mask: number;
  /** Bids at 0 … W−1, asks at W … 2W−1, by tick & mask. */
  private readonly qty: Float64Array;
  /** One bit per element of `qty`: it is not 0. */
  private readonly bitmap: TickBitmap;
  private readonly one: Float64Array;
  private readonly farBids: FarLevels;
  private readonly farAsks: FarLevels;
  /** The window holds every level with lo ≤ tick < hi; multiples of SLICE_TICKS. */
  private lo: number;
  private hi: number;
  private targetLo: number;
  private moving: boolean;
  private bestBid: number;
  private bestAsk: number;
  private bidCount: number;
  private askCount: number;
  private bandCount: number;
  private readonly bandBidBound: Float64Array;
  /** −tick, so that on both sides what is inside is not below its bound. */
  private readonly bandAskBound: Float64Array;
  private readonly bandBidSum: Float64Array;
  private readonly bandAskSum: Float64Array;
  /** Re-centring slices done since the start. */
  slices: number;

  constructor(options: L2BookOptions = {}) {
    const w = options.windowTicks ?? DEFAULT_WINDOW_TICKS;
    assert(
      (w & (w - 1)) === 0 && w >= 1024 && w <= 32_768,
      "book window must be a power of two, 1024..32768",
    );
    this.windowTicks = w;
    this.mask = w - 1;
    this.qty = new Float64Array(2 * w);
    this.bitmap = new TickBitmap(w);
    this.one = new Float64Array(2);
    this.farBids = new FarLevels(BID, options.farLevels ?? DEFAULT_FAR_LEVELS);
    this.farAsks = new FarLevels(ASK, options.farLevels ?? DEFAULT_FAR_LEVELS);
    this.lo = 0;
    this.hi = 0;
    this.targetLo = 0;
    this.moving = false;
    this.bestBid = -Infinity;
    this.bestAsk = Infinity;
    this.bidCount = 0;
    this.askCount = 0;
    const bands = options.bands ?? 8;
    this.bandCount = 0;
    this.bandBidBound = new Float64Array(bands).fill(Infinity);
    this.bandAskBound = new Float64Array(bands).fill(Infinity);
    this.bandBidSum = new Float64Array(bands);
    this.bandAskSum = new Float64Array(bands);
    this.slices = 0;
  }

  /** Memory held: 2·W·8 lots + 2·W/8·(1 + 1/32 + …) bits + the far arrays. */
  get bytes(): number {
    return this.qty.byteLength + this.bitmap.bytes + this.farBids.bytes + this.farAsks.bytes;
  }

  get farGrowths(): number {
    return this.farBids.growths + this.farAsks.growths;
  }

  /** Best bid in ticks, NaN when the side is empty. */
  get bestBidTicks(): number {
    return this.bestBid === -Infinity ? NaN : this.bestBid;
  }

  /** Best ask in ticks, NaN when the side is empty. */
  get bestAskTicks(): number {
    return this.bestAsk === Infinity ? NaN : this.bestAsk;
  }

  get bestBidLots(): number {
    return this.bidCount === 0 ? 0 : this.qtyAt(BID, this.bestBid);
  }

  get bestAskLots(): number {
    return this.askCount === 0 ? 0 : this.qtyAt(ASK, this.bestAsk);
  }

  /** True when best bid ≥ best ask: see the header. */
  get crossed(): boolean {
    return this.bestBid >= this.bestAsk;
  }

  get levelCount(): number {
    return this.bidCount + this.askCount;
  }

  levelsOn(side: number): number {
    return side > 0 ? this.bidCount : this.askCount;
  }

  /** Sets the lots at a level; 0 deletes it. `side` +1 bid, −1 ask; both numbers integers, qtyLots ≥ 0. */
  apply(side: number, pxTicks: number, qtyLots: number): void {
    this.one[0] = pxTicks;
    this.one[1] = qtyLots;
    this.applyRun(side, this.one, 0, 2, 1);
  }

  /**
   * Sets `count` levels of one side, as `apply` would one by one. Level k: ticks at values[at + k·stride], lots
   * behind them (so records are read where they lie).
   */
  applyRun(side: number, values: Float64Array, at: number, stride: number, count: number): void {
    const { qty, bitmap, mask } = this;
    const bits = bitmap.words;
    const isBid = side > 0;
    const base = isBid ? 0 : this.windowTicks;
    const bounds = isBid ? this.bandBidBound : this.bandAskBound;
    const sums = isBid ? this.bandBidSum : this.bandAskSum;
    const bands = this.bandCount;
    const end = at + count * stride;
    // On both sides the better price has the greater key.
    const s = isBid ? 1 : -1;
    let lo = this.lo;
    let hi = this.hi;
    let best = isBid ? this.bestBid : -this.bestAsk;
    let added = 0;
    for (let v = at; v < end; v += stride) {
      const px = values[v]!;
      const lots = values[v + 1]!;
      if (px < lo || px >= hi) {
        this.setBest(isBid, s * best);
        this.applyFar(side, px, lots);
        lo = this.lo;
        hi = this.hi;
        best = isBid ? this.bestBid : -this.bestAsk;
        continue;
      }
      const i = base + (px & mask);
      const before = qty[i]!;
      qty[i] = lots;
      const isLevel = +(lots !== 0);
      added = (added + isLevel - +(before !== 0)) | 0;
      const word = bits[i >>> 5]!;
      const changed = (word & ~(1 << i)) | (isLevel << i);
      bits[i >>> 5] = changed;
      if ((changed === 0) !== (word === 0)) bitmap.summarize(i >>> 5);
      const key = s * px;
      for (let b = 0; b < bands; b++) if (key >= bounds[b]!) sums[b] = sums[b]! + (lots - before);
      if (key < best) continue;
      if (lots !== 0) best = key;
      else if (key === best) best = isBid ? this.previous(0, px) : -this.following(1, px);
    }
    this.setBest(isBid, s * best);
    if (isBid) this.bidCount += added;
    else this.askCount += added;
  }

  private setBest(isBid: boolean, best: number): void {
    if (isBid) this.bestBid = best;
    else this.bestAsk = best;
  }

  private applyFar(side: number, px: number, qtyLots: number): void {
    // Between two windows (`leaveDistant`) lo equals hi as well, but then levels are waiting in the far arrays.
    if (this.lo === this.hi && !this.moving) {
      this.openWindow(px);
      this.apply(side, px, qtyLots);
      return;
    }
    const before = side > 0 ? this.farBids.set(px, qtyLots) : this.farAsks.set(px, qtyLots);
    const added = qtyLots - before;
    const levels = (qtyLots === 0 ? 0 : 1) - (before === 0 ? 0 : 1);
    if (side > 0) {
      for (let b = 0; b < this.bandCount; b++) {
        if (px >= this.bandBidBound[b]!) this.bandBidSum[b] = this.bandBidSum[b]! + added;
      }
      this.bidCount += levels;
      if (levels > 0 && px > this.bestBid) this.bestBid = px;
      else if (levels < 0 && px === this.bestBid) this.bestBid = this.previous(0, px);
    } else {
      for (let b = 0; b < this.bandCount; b++) {
        if (-px >= this.bandAskBound[b]!) this.bandAskSum[b] = this.bandAskSum[b]! + added;
      }
      this.askCount += levels;
      if (levels > 0 && px < this.bestAsk) this.bestAsk = px;
      else if (levels < 0 && px === this.bestAsk) this.bestAsk = this.following(1, px);
    }
  }

  private openWindow(px: number): void {
    this.lo = this.alignedLo(px);
    this.hi = this.lo + this.windowTicks;
    this.moving = false;
    assert(this.farBids.count === 0 && this.farAsks.count === 0, "a window opens on an empty book");
  }

  private alignedLo(centre: number): number {
    return Math.floor((centre - (this.windowTicks >> 1)) / SLICE_TICKS) * SLICE_TICKS;
  }

  /** Empties the book; O(occupied words). The next level places the window. */
  clear(): void {
    this.clearSide(0);
    this.clearSide(1);
    this.farBids.clear();
    this.farAsks.clear();
    this.lo = 0;
    this.hi = 0;
    this.moving = false;
    this.bestBid = -Infinity;
    this.bestAsk = Infinity;
    this.bidCount = 0;
    this.askCount = 0;
    this.bandBidSum.fill(0);
    this.bandAskSum.fill(0);
  }

  private clearSide(s: number): void {
    const words = this.windowTicks >> 5;
    for (let w = s * words; w < (s + 1) * words; w++)
      if (this.bitmap.words[w] !== 0) this.qty.fill(0, w << 5, (w << 5) + 32);
    this.bitmap.clear(s);
  }

  /** The levels up to `endSnapshot` replace the book. */
  beginSnapshot(): void {
    this.clear();
  }

  /** The snapshot is complete: re-centring may start. */
  endSnapshot(): void {
    this.maintain();
  }

  /** Deletes levels of a side from the touch up to and including `pxTicks`; NaN = the whole side. */
  clearTo(side: number, pxTicks: number): void {
    if (side > 0) {
      while (this.bidCount > 0 && !(this.bestBid < pxTicks)) this.apply(BID, this.bestBid, 0);
    } else {
      while (this.askCount > 0 && !(this.bestAsk > pxTicks)) this.apply(ASK, this.bestAsk, 0);
    }
  }

  /** Lots at a level, 0 when there is none. */
  qtyAt(side: number, pxTicks: number): number {
    if (pxTicks >= this.lo && pxTicks < this.hi) {
      return this.qty[(side > 0 ? 0 : this.windowTicks) + (pxTicks & this.mask)]!;
    }
    return side > 0 ? this.farBids.qtyAt(pxTicks) : this.farAsks.qtyAt(pxTicks);
  }

  /** Greatest tick with a level of `side` strictly below `pxTicks`, NaN when there is none. */
  nextBelow(side: number, pxTicks: number): number {
    const tick = this.previous(side > 0 ? 0 : 1, pxTicks);
    return tick === -Infinity ? NaN : tick;
  }

  /** Least tick with a level of `side` strictly above `pxTicks`, NaN when there is none. */
  nextAbove(side: number, pxTicks: number): number {
    const tick = this.following(side > 0 ? 0 : 1, pxTicks);
    return tick === Infinity ? NaN : tick;
  }

  /** Lots of bids with tick ≥ `fromTick`. O(window words + far levels in range). */
  sumBids(fromTick: number): number {
    return this.sumBetween(0, fromTick, Infinity);
  }

  /** Lots of asks with tick ≤ `toTick`. */
  sumAsks(toTick: number): number {
    return this.sumBetween(1, -Infinity, toTick + 1);
  }

  /** Reserves a depth band (cold; at start). Returns its index. */
  addBand(): number {
    assert(this.bandCount < this.bandBidSum.length, "the book has no depth band left");
    return this.bandCount++;
  }

  /**
   * Band: bids with tick ≥ `fromTick` and asks with tick ≤ `toTick`. Every update keeps its sums; moving it is O(ticks
   * the bounds moved). Exact, because lots are integers.
   */
  moveBand(band: number, fromTick: number, toTick: number): void {
    const from = this.bandBidBound[band]!;
    if (fromTick !== from) {
      const moved =
        fromTick < from ? this.sumBetween(0, fromTick, from) : -this.sumBetween(0, from, fromTick);
      this.bandBidSum[band] = this.bandBidSum[band]! + moved;
      this.bandBidBound[band] = fromTick;
    }
    const to = -this.bandAskBound[band]!;
    if (toTick !== to) {
      const moved =
        toTick > to ? this.sumBetween(1, to + 1, toTick + 1) : -this.sumBetween(1, toTick + 1, to + 1);
      this.bandAskSum[band] = this.bandAskSum[band]! + moved;
      this.bandAskBound[band] = -toTick;
    }
  }

  /** Lowest bid tick of the band; Infinity before it was placed. */
  bandFrom(band: number): number {
    return this.bandBidBound[band]!;
  }

  bandBidLots(band: number): number {
    return this.bandBidSum[band]!;
  }

  bandAskLots(band: number): number {
    return this.bandAskSum[band]!;
  }

  /** Lots of side `s` at ticks in [from, to). */
  private sumBetween(s: number, from: number, to: number): number {
    if (!(from < to)) return 0;
    const far = s === 0 ? this.farBids : this.farAsks;
    let total = 0;
    if (far.count > 0) {
      if (from < this.lo) total += far.sum(from, Math.min(to, this.lo));
      if (to > this.hi) total += far.sum(Math.max(from, this.hi), to);
    }
    const first = Math.max(from, this.lo);
    const last = Math.min(to, this.hi);
    if (last - first <= DENSE_TICKS && last < 0x7fff_ffff)
      return total + this.sumDense(s * this.windowTicks, first, last);
    for (let t = this.windowAbove(s, first - 1); t < last; t = this.windowAbove(s, t)) {
      total += this.qty[s * this.windowTicks + (t & this.mask)]!;
    }
    return total;
  }

  /** Tick by tick; four sums at once, which is exact because lots are integers, and breaks the chain of additions. */
  private sumDense(side: number, first: number, last: number): number {
    const { qty, mask } = this;
    let t = first | 0;
    const end = last | 0;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (; t + 3 < end; t += 4) {
      s0 += qty[side + (t & mask)]!;
      s1 += qty[side + ((t + 1) & mask)]!;
      s2 += qty[side + ((t + 2) & mask)]!;
      s3 += qty[side + ((t + 3) & mask)]!;
    }
    for (; t < end; t++) s0 += qty[side + (t & mask)]!;
    return s0 + s1 + (s2 + s3);
  }

  /** Greatest tick of side `s` below `px`, or −Infinity. */
  private previous(s: number, px: number): number {
    const far = s === 0 ? this.farBids : this.farAsks;
    if (far.count > 0 && px > this.hi) {
      const tick = far.below(px);
      if (tick >= this.hi) return tick;
    }
    const tick = this.windowBelow(s, px);
    if (tick !== -Infinity || far.count === 0) return tick;
    return far.below(Math.min(px, this.lo));
  }

  private following(s: number, px: number): number {
    const far = s === 0 ? this.farBids : this.farAsks;
    if (far.count > 0 && px < this.lo - 1) {
      const tick = far.above(px);
      if (tick < this.lo) return tick;
    }
    const tick = this.windowAbove(s, px);
    if (tick !== Infinity || far.count === 0) return tick;
    return far.above(px >= this.hi ? px : this.hi - 1);
  }

  private windowBelow(s: number, px: number): number {
    const from = Math.min(px, this.hi);
    if (from <= this.lo) return -Infinity;
    const last = (from - 1) & this.mask;
    let at = this.bitmap.highest(s, last);
    if (at < 0) at = this.bitmap.highest(s, this.mask);
    if (at < 0) return -Infinity;
    const tick = from - 1 - ((last - at) & this.mask);
    return tick < this.lo ? -Infinity : tick;
  }

  private windowAbove(s: number, px: number): number {
    const from = px < this.lo ? this.lo : px + 1;
    if (from >= this.hi) return Infinity;
    const first = from & this.mask;
    let at = this.bitmap.lowest(s, first);
    if (at < 0) at = this.bitmap.lowest(s, 0);
    if (at < 0) return Infinity;
    const tick = from + ((at - first) & this.mask);
    return tick >= this.hi ? Infinity : tick;
  }

  /**
   * One bounded slice of re-centring: call once per event or idle turn. Starts when the touch comes within a
   * quarter of the window's ends. Returns true while work is left.
   */
  maintain(): boolean {
    if (!this.moving && !this.wantsMove()) return false;
    this.slices++;
    const targetHi = this.targetLo + this.windowTicks;
    if (this.hi <= this.targetLo || this.lo >= targetHi) return this.leaveDistant();
    if (this.lo < this.targetLo) this.evict(this.lo, this.lo + SLICE_TICKS);
    else if (this.hi > targetHi) this.evict(this.hi - SLICE_TICKS, this.hi);
    if (this.lo > this.targetLo && this.hi - this.lo < this.windowTicks) this.admitBelow();
    else if (this.hi < targetHi && this.hi - this.lo < this.windowTicks) this.admitAbove();
    this.moving = this.lo !== this.targetLo || this.hi !== targetHi;
    return this.moving;
  }

  private wantsMove(): boolean {
    if (this.isCalm() || this.lo === this.hi) return false;
    const bid = this.bestBid === -Infinity ? this.bestAsk : this.bestBid;
    const ask = this.bestAsk === Infinity ? this.bestBid : this.bestAsk;
    const touch = Math.floor((bid + ask) / 2);
    const quarter = this.windowTicks >> 2;
    // An empty book has an infinite touch and keeps its window.
    if (!(touch < this.lo + quarter || touch >= this.hi - quarter) || touch - touch !== 0) return false;
    this.targetLo = this.alignedLo(touch);
    this.moving = this.targetLo !== this.lo;
    return this.moving;
  }

  /** Both best prices lie in the inner half of the window. */
  private isCalm(): boolean {
    const from = this.lo + (this.windowTicks >> 2);
    const to = this.hi - (this.windowTicks >> 2);
    const { bestBid, bestAsk } = this;
    return bestBid >= from && bestBid < to && bestAsk >= from && bestAsk < to;
  }

  /** The new window does not touch the old one: empty the old one slice by slice, then start at the target. */
  private leaveDistant(): boolean {
    if (this.hi > this.lo && !(this.bitmap.isEmpty(0) && this.bitmap.isEmpty(1))) {
      this.evict(this.lo, this.lo + SLICE_TICKS);
    } else {
      const middle = this.targetLo + (this.windowTicks >> 1);
      this.lo = middle;
      this.hi = middle;
      this.admitAbove();
    }
    this.moving = true;
    return true;
  }

  /** Moves the window's levels in [from, to), which is one of its ends, to the far arrays. */
  private evict(from: number, to: number): void {
    this.evictSide(0, from, to);
    this.evictSide(1, from, to);
    if (from === this.lo) this.lo = to;
    else this.hi = from;
  }

  private evictSide(s: number, from: number, to: number): void {
    let count = 0;
    let highest = 0;
    for (let t = this.windowAbove(s, from - 1); t < to; t = this.windowAbove(s, t)) {
      count++;
      highest = t;
    }
    if (count === 0) return;
    const far = s === 0 ? this.farBids : this.farAsks;
    const lowest = this.windowAbove(s, from - 1);
    const block = far.openBlock(s === 0 ? lowest : -highest, count);
    let tick = lowest;
    for (let k = 0; k < count; k++) {
      const at = s * this.windowTicks + (tick & this.mask);
      const next = this.windowAbove(s, tick);
      far.put(s === 0 ? block + k : block + count - 1 - k, tick, this.qty[at]!);
      this.qty[at] = 0;
      this.bitmap.unmark(at);
      tick = next;
    }
  }

  private admitBelow(): void {
    const from = this.lo - SLICE_TICKS;
    this.admitSide(0, from, this.lo);
    this.admitSide(1, from, this.lo);
    this.lo = from;
  }

  private admitAbove(): void {
    const to = this.hi + SLICE_TICKS;
    this.admitSide(0, this.hi, to);
    this.admitSide(1, this.hi, to);
    this.hi = to;
  }

  private admitSide(s: number, from: number, to: number): void {
    const far = s === 0 ? this.farBids : this.farAsks;
    if (far.count === 0) return;
    const start = far.rangeStart(from, to);
    const end = far.rangeEnd(from, to);
    for (let k = start; k < end; k++) {
      if (far.qtyOf(k) === 0) continue;
      const at = s * this.windowTicks + (far.tickAt(k) & this.mask);
      this.qty[at] = far.qtyOf(k);
      this.bitmap.mark(at);
    }
    far.closeRange(start, end);
  }
}
