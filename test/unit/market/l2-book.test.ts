import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { ASK, BID, L2Book } from "../../../src/market/l2-book.ts";
import { NaiveBook } from "./naive-book.ts";

const SEED = 20240808;

function expectSame(book: L2Book, naive: NaiveBook, deep: boolean): void {
  expect(book.bestBidTicks).toBe(naive.bestBid());
  expect(book.bestAskTicks).toBe(naive.bestAsk());
  expect(book.levelCount).toBe(naive.bids.size + naive.asks.size);
  if (!deep) return;
  const bids: number[] = [];
  for (let t = book.bestBidTicks; !Number.isNaN(t); t = book.nextBelow(BID, t))
    bids.push(t, book.qtyAt(BID, t));
  expect(bids).toEqual(naive.descendingBids().flat());
  const asks: number[] = [];
  for (let t = book.bestAskTicks; !Number.isNaN(t); t = book.nextAbove(ASK, t))
    asks.push(t, book.qtyAt(ASK, t));
  expect(asks).toEqual(naive.ascendingAsks().flat());
}

interface Walk {
  readonly seed: number;
  readonly steps: number;
  readonly windowTicks: number;
}

/** A random walk of the touch with jumps of up to ±50 %, levels near it and some far from it. */
function walk({ seed, steps, windowTicks }: Walk): void {
  const prng = new Prng(seed);
  const book = new L2Book({ windowTicks, farLevels: 4, bands: 2 });
  const naive = new NaiveBook();
  const band = book.addBand();
  let mid = 20_000 + prng.nextBelow(80_000);
  for (let step = 0; step < steps; step++) {
    const kind = prng.nextBelow(200);
    if (kind === 0) mid = Math.max(2_000, Math.floor(mid * (0.5 + prng.nextFloat())));
    else if (kind === 1) {
      book.clear();
      naive.clear();
    } else if (kind === 2) {
      const side = prng.nextBelow(2) === 0 ? BID : ASK;
      const px = side === BID ? naive.bestBid() - prng.nextBelow(40) : naive.bestAsk() + prng.nextBelow(40);
      book.clearTo(side, px);
      naive.clearTo(side, px);
    } else mid += prng.nextBelow(7) - 3;
    for (let k = prng.nextBelow(12); k >= 0; k--) {
      const side = prng.nextBelow(2) === 0 ? BID : ASK;
      const reach = prng.nextBelow(8) === 0 ? windowTicks * 2 : 60;
      const px = mid - side * (prng.nextBelow(reach) - (prng.nextBelow(20) === 0 ? 20 : 0));
      const qty = prng.nextBelow(3) === 0 ? 0 : 1 + prng.nextBelow(1_000);
      book.apply(side, px, qty);
      naive.apply(side, px, qty);
      // Deleting what is best is the interesting case.
      if (prng.nextBelow(6) === 0 && naive.bids.size > 0) {
        const best = naive.bestBid();
        book.apply(BID, best, 0);
        naive.apply(BID, best, 0);
      }
    }
    expectSame(book, naive, step % 16 === 0);
    const depth = prng.nextBelow(3) === 0 ? windowTicks : 30;
    book.moveBand(band, mid - depth, mid + depth);
    expect(book.bandBidLots(band)).toBe(naive.sumBids(mid - depth));
    expect(book.bandAskLots(band)).toBe(naive.sumAsks(mid + depth));
    expect(book.sumBids(mid - 4 * depth)).toBe(naive.sumBids(mid - 4 * depth));
    expect(book.sumAsks(mid + 4 * depth)).toBe(naive.sumAsks(mid + 4 * depth));
    book.maintain();
    expectSame(book, naive, step % 32 === 1);
  }
}

/** `count` levels of one side in the middle of records of `stride` words. */
function runOf(prng: Prng, side: number, mid: number, windowTicks: number, stride: number, count: number) {
  const values = new Float64Array(1 + count * stride).fill(NaN);
  for (let k = 0; k < count; k++) {
    const reach = prng.nextBelow(10) === 0 ? windowTicks * 2 : 40;
    values[1 + k * stride] = mid - side * (prng.nextBelow(reach) - 5);
    values[2 + k * stride] = prng.nextBelow(3) === 0 ? 0 : 1 + prng.nextBelow(1_000);
  }
  return values;
}

describe("L2Book", () => {
  test(`a run of levels does what its levels do one by one, from the first level of the book on (seed ${SEED})`, () => {
    const property = fc.property(fc.nat(1 << 30), fc.integer({ min: 2, max: 8 }), (seed, stride) => {
      const prng = new Prng(seed);
      const windowTicks = 1024;
      const book = new L2Book({ windowTicks, farLevels: 4, bands: 2 });
      const naive = new NaiveBook();
      const band = book.addBand();
      let mid = 50_000;
      for (let step = 0; step < 60; step++) {
        mid += prng.nextBelow(12) === 0 ? prng.nextBelow(3_000) - 1_500 : prng.nextBelow(7) - 3;
        const side = prng.nextBelow(2) === 0 ? BID : ASK;
        const count = prng.nextBelow(20);
        const values = runOf(prng, side, mid, windowTicks, stride, count);
        book.applyRun(side, values, 1, stride, count);
        for (let k = 0; k < count; k++) naive.apply(side, values[1 + k * stride]!, values[2 + k * stride]!);
        book.moveBand(band, mid - 30, mid + 30);
        expect(book.bandBidLots(band)).toBe(naive.sumBids(mid - 30));
        expect(book.bandAskLots(band)).toBe(naive.sumAsks(mid + 30));
        expectSame(book, naive, step % 8 === 0);
        book.maintain();
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  test(`equals a map of levels over random walks with ±50 % jumps, between every two re-centring slices (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.nat(1 << 30), fc.constantFrom(1024, 2048, 4096), (seed, windowTicks) => {
        walk({ seed, steps: 260, windowTicks });
      }),
      { seed: SEED, numRuns: 24 },
    );
  });

  test("keeps a first level that lies 31,000 ticks from the touch, and finds the touch at once", () => {
    const book = new L2Book();
    book.apply(BID, 587_102, 14);
    book.apply(BID, 618_002, 2_507);
    book.apply(ASK, 618_003, 3_330);
    expect([book.bestBidTicks, book.bestAskTicks]).toEqual([618_002, 618_003]);
    expect(book.nextBelow(BID, 618_002)).toBe(587_102);
    let slices = 0;
    while (book.maintain()) slices++;
    expect(slices).toBeGreaterThan(2);
    expect([book.bestBidTicks, book.bestAskTicks]).toEqual([618_002, 618_003]);
    expect(book.nextBelow(BID, 618_002)).toBe(587_102);
    expect(book.qtyAt(BID, 587_102)).toBe(14);
  });

  test("re-centres after a jump beyond the window in bounded slices and ends centred", () => {
    const book = new L2Book({ windowTicks: 4096 });
    for (let i = 1; i <= 1_000; i++) {
      book.apply(BID, 50_000 - i, i);
      book.apply(ASK, 50_000 + i, i);
    }
    for (let i = 1; i <= 1_000; i++) book.apply(ASK, 25_000 + i, i);
    for (let i = 1; i <= 1_000; i++) {
      book.apply(BID, 50_000 - i, 0);
      book.apply(BID, 25_000 - i, i);
    }
    expect([book.bestBidTicks, book.bestAskTicks]).toEqual([24_999, 25_001]);
    let slices = 0;
    while (book.maintain()) slices++;
    expect(slices).toBeLessThan(40);
    expect(book.sumBids(24_000)).toBe(500_500);
    expect(book.sumAsks(26_000)).toBe(500_500);
    expect(book.sumAsks(51_000)).toBe(1_001_000);
  });

  test("an empty side reads NaN and zero lots; a crossed book says so", () => {
    const book = new L2Book();
    expect([book.bestBidTicks, book.bestAskTicks]).toEqual([NaN, NaN]);
    expect([book.bestBidLots, book.bestAskLots]).toEqual([0, 0]);
    expect(book.crossed).toBe(false);
    book.apply(ASK, 100, 1);
    book.apply(BID, 100, 2);
    expect(book.crossed).toBe(true);
    book.apply(ASK, 100, 0);
    expect(book.crossed).toBe(false);
    expect(Number.isNaN(book.bestAskTicks)).toBe(true);
  });

  test("holds ticks beyond 2^31", () => {
    const book = new L2Book();
    const px = 6_000_000_000_000;
    book.apply(BID, px, 5);
    book.apply(ASK, px + 3, 7);
    book.apply(BID, px - 2_000_000, 9);
    expect([book.bestBidTicks, book.bestAskTicks, book.nextBelow(BID, px)]).toEqual([
      px,
      px + 3,
      px - 2_000_000,
    ]);
  });
});
