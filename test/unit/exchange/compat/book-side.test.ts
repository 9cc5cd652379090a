import { expect, test } from "bun:test";
import fc from "fast-check";
import { LOT_POSITIVE, LOT_ZERO, OP_ASK, OP_BID } from "../../../../src/data/event-chunk.ts";
import { NO_KEY } from "../../../../src/exchange/compat/book-side.ts";
import { CompatBook } from "../../../../src/exchange/compat/compat-book.ts";

const NONE_BID = Number.NEGATIVE_INFINITY;
const NONE_ASK = Number.POSITIVE_INFINITY;

/** hftbacktest's hash-map book, word for word from its description: two maps and four ticks. */
class NaiveBook {
  bids = new Map<number, number>();
  asks = new Map<number, number>();
  bestBid = NONE_BID;
  bestAsk = NONE_ASK;
  lowBid = NONE_ASK;
  highAsk = NONE_BID;

  private highestBid(from: number): number {
    const found = [...this.bids].filter(([t, q]) => q > 0 && t >= this.lowBid && t <= from).map(([t]) => t);
    return found.length === 0 ? NONE_BID : Math.max(...found);
  }

  private lowestAsk(from: number): number {
    const found = [...this.asks].filter(([t, q]) => q > 0 && t <= this.highAsk && t >= from).map(([t]) => t);
    return found.length === 0 ? NONE_ASK : Math.min(...found);
  }

  bid(tick: number, qty: number): number {
    const prev = this.bids.get(tick) ?? 0;
    if (qty > 0) this.bids.set(tick, qty);
    else this.bids.delete(tick);
    if (qty === 0 && tick === this.bestBid) {
      this.bestBid = this.highestBid(tick - 1);
      if (this.bestBid === NONE_BID) this.lowBid = NONE_ASK;
    }
    if (qty > 0) {
      if (tick > this.bestBid) {
        this.bestBid = tick;
        if (tick >= this.bestAsk) this.bestAsk = this.lowestAsk(tick + 1);
      }
      this.lowBid = Math.min(this.lowBid, tick);
    }
    return prev;
  }

  ask(tick: number, qty: number): number {
    const prev = this.asks.get(tick) ?? 0;
    if (qty > 0) this.asks.set(tick, qty);
    else this.asks.delete(tick);
    if (qty === 0 && tick === this.bestAsk) {
      this.bestAsk = this.lowestAsk(tick + 1);
      if (this.bestAsk === NONE_ASK) this.highAsk = NONE_BID;
    }
    if (qty > 0) {
      if (tick < this.bestAsk) {
        this.bestAsk = tick;
        if (tick <= this.bestBid) this.bestBid = this.highestBid(tick - 1);
      }
      this.highAsk = Math.max(this.highAsk, tick);
    }
    return prev;
  }

  clearBid(tick: number): void {
    if (this.bestBid !== NONE_BID) for (let t = tick; t <= this.bestBid; t++) this.bids.delete(t);
    this.bestBid = this.highestBid(tick - 2);
    if (this.bestBid === NONE_BID) this.lowBid = NONE_ASK;
  }

  clearAsk(tick: number): void {
    if (this.bestAsk !== NONE_ASK) for (let t = this.bestAsk; t <= tick; t++) this.asks.delete(t);
    this.bestAsk = this.lowestAsk(tick + 2);
    if (this.bestAsk === NONE_ASK) this.highAsk = NONE_BID;
  }
}

const bits = (qty: number): number => (qty > 0 ? LOT_POSITIVE : LOT_ZERO);

function expectSame(book: CompatBook, naive: NaiveBook): void {
  expect(book.hasBid ? book.bestBidTick : NONE_BID).toBe(naive.bestBid);
  expect(book.hasAsk ? book.bestAskTick : NONE_ASK).toBe(naive.bestAsk);
}

/** Prices walk around a centre that sometimes jumps by half, so windows grow, move and overflow into the map. */
const operation = fc.record({
  kind: fc.integer({ min: 0, max: 19 }),
  away: fc.integer({ min: -6, max: 12 }),
  far: fc.constantFrom(0, 0, 0, 0, 0, 40, 31_000, 2_000_000),
  jump: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 0.5),
  qty: fc.constantFrom(0, 0, 1, 2.5),
});

test("the dense book equals the map book under jumps, far levels, crossings and clears (seed 5)", () => {
  const property = fc.property(fc.array(operation, { minLength: 20, maxLength: 300 }), (operations) => {
    const book = new CompatBook({ kind: "hash", tickSize: 1, lotSize: 1 });
    const naive = new NaiveBook();
    let centre = 600_000;
    for (const { kind, away, far, jump, qty } of operations) {
      centre = Math.min(50_000_000, Math.max(3_000_000, Math.round(centre * jump)));
      const isBid = kind % 2 === 0;
      const tick = isBid ? centre - away - far : centre + away + far;
      if (kind === 18 && naive.bestBid !== NONE_BID) {
        // Clears far from the best walk every tick in the naive book: keep them near.
        const at = naive.bestBid - away;
        naive.clearBid(at);
        book.bid.clearDownTo(at);
      } else if (kind === 19 && naive.bestAsk !== NONE_ASK) {
        const at = naive.bestAsk + away;
        naive.clearAsk(at);
        book.ask.clearDownTo(-at);
      } else if (isBid) {
        expect(book.bid.update(tick, qty, OP_BID | bits(qty))).toBe(naive.bid(tick, qty));
      } else {
        expect(book.ask.update(-tick, qty, OP_ASK | bits(qty))).toBe(naive.ask(tick, qty));
      }
      expectSame(book, naive);
      expect(book.bidQtyAtTick(tick)).toBe(naive.bids.get(tick) ?? 0);
      expect(book.askQtyAtTick(tick)).toBe(naive.asks.get(tick) ?? 0);
    }
    for (const [tick, qty] of naive.bids) expect(book.bidQtyAtTick(tick)).toBe(qty);
    for (const [tick, qty] of naive.asks) expect(book.askQtyAtTick(tick)).toBe(qty);
  });
  fc.assert(property, { seed: 5, numRuns: 25 });
});

test("a range-of-interest book ignores rows outside, answers NaN there and keeps sub-lot quantities", () => {
  const book = new CompatBook({ kind: "roi", tickSize: 0.5, lotSize: 1, roi: [50, 60] });
  expect(book.bid.update(99, 3, LOT_POSITIVE)).toBe(0);
  expect(book.hasBid).toBe(false);
  expect(book.bidQtyAtTick(99)).toBeNaN();
  book.bid.update(110, 3, LOT_POSITIVE);
  book.bid.update(109, 0.25, LOT_ZERO);
  book.bid.update(108, 1, LOT_POSITIVE);
  book.bid.update(110, 0, LOT_ZERO);
  // The vector book's search finds any quantity above zero, lots or not.
  expect(book.bestBidTick).toBe(109);
  // Their Python binding answers best_bid_qty of this book with the price.
  expect(book.bestBidQty).toBe(54.5);
});

test("a range-of-interest book's finite ask clear deletes nothing", () => {
  const book = new CompatBook({ kind: "roi", tickSize: 1, lotSize: 1, roi: [50, 70] });
  for (const tick of [60, 61, 62, 63, 64]) book.ask.update(-tick, 1, LOT_POSITIVE);
  book.ask.clearDownToBroken(-61);
  expect(book.askQtyAtTick(60)).toBe(1);
  // c + 1 is skipped by their search.
  expect(book.bestAskTick).toBe(63);
});

test("an empty range of interest is refused", () => {
  expect(() => new CompatBook({ kind: "roi", tickSize: 1, lotSize: 1, roi: [60, 50] })).toThrow(RangeError);
  expect(() => new CompatBook({ kind: "roi", tickSize: 1, lotSize: 1 })).toThrow(RangeError);
});

test("an empty side has no best and no quantity", () => {
  const book = new CompatBook({ kind: "hash", tickSize: 1, lotSize: 1 });
  expect(book.bid.best).toBe(NO_KEY);
  expect(book.bestBid).toBeNaN();
  expect(book.bestBidQty).toBe(0);
});
