// Queue position with market-by-order data: nothing is estimated. An own order takes a place in its price's queue (a
// sequence number of the L3 book); market orders with smaller numbers are in front, those with greater ones behind. When
// the feed reports the fill of a market order, every own order in front of it would have been filled before it.
// Hot: lane of the matching model; 0 bytes; per fill O(own resting orders of the side).
//
// How much: the fill's lots are what the aggressor still wanted when it reached that place. Own orders take from them in
// price-time order (`budget`), or, as hftbacktest's models without partial fills do it, are filled whole.
import { assert } from "../../core/assert.ts";
import { ASK, BID } from "../../market/l2-book.ts";
import { type L3Book, NO_L3_ORDER } from "../../market/l3-book.ts";

const NONE = -1;

export class L3FifoQueue {
  private readonly book: L3Book;
  private readonly side: Int8Array;
  private readonly px: Float64Array;
  private readonly leaves: Float64Array;
  private readonly seq: Float64Array;
  private readonly next: Int32Array;
  private headBid: number;
  private headAsk: number;
  private readonly whole: boolean;
  /** Own orders filled by the last call, best priority first: [0, filledCount). */
  readonly filled: Int32Array;
  readonly filledLots: Float64Array;
  filledCount: number;

  /** Own orders are named 0 … capacity − 1 by the caller. `whole`: fills are never partial. */
  constructor(book: L3Book, capacity: number, whole = false) {
    this.book = book;
    this.side = new Int8Array(capacity);
    this.px = new Float64Array(capacity);
    this.leaves = new Float64Array(capacity);
    this.seq = new Float64Array(capacity);
    this.next = new Int32Array(capacity).fill(NONE);
    this.headBid = NONE;
    this.headAsk = NONE;
    this.whole = whole;
    this.filled = new Int32Array(capacity);
    this.filledLots = new Float64Array(capacity);
    this.filledCount = 0;
  }

  /** The own order rests at the end of its price's queue. */
  rest(slot: number, side: number, pxTicks: number, lots: number): void {
    assert(this.side[slot] === 0, "an own order rests twice");
    this.side[slot] = side;
    this.px[slot] = pxTicks;
    this.leaves[slot] = lots;
    this.seq[slot] = this.book.takeSequence();
    let before = NONE;
    let after = side > 0 ? this.headBid : this.headAsk;
    while (after !== NONE && side * this.px[after]! >= side * pxTicks) {
      before = after;
      after = this.next[after]!;
    }
    this.next[slot] = after;
    if (before !== NONE) this.next[before] = slot;
    else this.setHead(side, slot);
  }

  /** Fewer lots, same place. */
  reduceTo(slot: number, lots: number): void {
    this.leaves[slot] = lots;
  }

  /** The own order rests no longer. Nothing happens when it does not. */
  leave(slot: number): void {
    const side = this.side[slot]!;
    if (side === 0) return;
    this.side[slot] = 0;
    let at = side > 0 ? this.headBid : this.headAsk;
    if (at === slot) {
      this.setHead(side, this.next[slot]!);
      return;
    }
    while (this.next[at] !== slot) at = this.next[at]!;
    this.next[at] = this.next[slot]!;
  }

  /** Market lots in front of a resting own order. */
  lotsAhead(slot: number): number {
    return this.book.lotsAhead(this.side[slot]!, this.px[slot]!, this.seq[slot]!);
  }

  leavesOf(slot: number): number {
    return this.leaves[slot]!;
  }

  /** The feed's fill of `lots` of a market order, before the book changes. Results in `filled`, `filledLots`. */
  onFill(idHi: number, idLo: number, lots: number): void {
    this.filledCount = 0;
    const order = this.book.find(idHi, idLo);
    if (order === NO_L3_ORDER) return;
    const px = this.book.pxTicksOf(order);
    this.match(this.book.sideOf(order), px, this.book.sequenceOf(order), lots);
  }

  /**
   * After the book changed: the opposite side has orders at own prices or better, which an exchange would have matched.
   * Own orders trade at their own price against what stands there.
   */
  onTouch(): void {
    this.filledCount = 0;
    const { bestAskTicks, bestBidTicks } = this.book.levels;
    if (this.headBid !== NONE && this.px[this.headBid]! >= bestAskTicks)
      this.match(BID, bestAskTicks, Infinity, this.lotsUpTo(ASK, this.px[this.headBid]!));
    if (this.headAsk !== NONE && this.px[this.headAsk]! <= bestBidTicks)
      this.match(ASK, bestBidTicks, Infinity, this.lotsUpTo(BID, this.px[this.headAsk]!));
  }

  /** Lots on `side` at `pxTicks` or better. */
  private lotsUpTo(side: number, pxTicks: number): number {
    const { levels } = this.book;
    let lots = 0;
    let px = side > 0 ? levels.bestBidTicks : levels.bestAskTicks;
    while (!Number.isNaN(px) && side * px >= side * pxTicks) {
      lots += levels.qtyAt(side, px);
      px = side > 0 ? levels.nextBelow(BID, px) : levels.nextAbove(ASK, px);
    }
    return lots;
  }

  /** Own orders of `side` in front of place `sequence` at `pxTicks` take up to `lots`. */
  private match(side: number, pxTicks: number, sequence: number, lots: number): void {
    let left = lots;
    let slot = side > 0 ? this.headBid : this.headAsk;
    while (slot !== NONE && (left > 0 || this.whole)) {
      const better = side * this.px[slot]! > side * pxTicks;
      if (!better && (this.px[slot] !== pxTicks || this.seq[slot]! > sequence)) return;
      const after = this.next[slot]!;
      const take = this.whole ? this.leaves[slot]! : Math.min(this.leaves[slot]!, left);
      left -= take;
      this.leaves[slot] = this.leaves[slot]! - take;
      this.filled[this.filledCount] = slot;
      this.filledLots[this.filledCount] = take;
      this.filledCount++;
      if (this.leaves[slot] === 0) this.leave(slot);
      slot = after;
    }
  }

  private setHead(side: number, slot: number): void {
    if (side > 0) this.headBid = slot;
    else this.headAsk = slot;
  }
}
