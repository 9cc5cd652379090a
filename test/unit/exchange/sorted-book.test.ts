import { expect, test } from "bun:test";
import fc from "fast-check";
import { SortedBook } from "../../../src/exchange/sorted-book.ts";

test("best, next-worse, quantity and rank equal a naive map over random changes (seed 7)", () => {
  const change = fc.record({
    side: fc.constantFrom(1, -1),
    px: fc.integer({ min: 1, max: 60 }),
    qty: fc.integer({ min: 0, max: 3 }),
  });
  const property = fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
    const book = new SortedBook();
    const levels = { 1: new Map<number, number>(), [-1]: new Map<number, number>() } as Record<
      number,
      Map<number, number>
    >;
    for (const { side, px, qty } of changes) {
      book.applyDelta(side, px, qty);
      if (qty > 0) levels[side]!.set(px, qty);
      else levels[side]!.delete(px);
    }
    for (const side of [1, -1]) {
      const sorted = [...levels[side]!.keys()].sort((a, b) => side * (b - a));
      expect(book.levelCount(side)).toBe(sorted.length);
      expect(book.bestTicks(side)).toBe(sorted[0] ?? Number.NaN);
      sorted.forEach((px, rank) => {
        expect(book.pxAtRank(side, rank)).toBe(px);
        expect(book.qtyAtRank(side, rank)).toBe(levels[side]!.get(px)!);
        expect(book.qtyAt(side, px)).toBe(levels[side]!.get(px)!);
        expect(book.nextWorseTicks(side, px)).toBe(sorted[rank + 1] ?? Number.NaN);
      });
      expect(book.qtyAt(side, 1000)).toBe(0);
    }
  });
  fc.assert(property, { seed: 7, numRuns: 300 });
});

test("a book grows past its first capacity and keeps every level", () => {
  const book = new SortedBook();
  for (let i = 1; i <= 10_000; i++) book.applyDelta(1, i, i);
  expect(book.levelCount(1)).toBe(10_000);
  expect(book.bestTicks(1)).toBe(10_000);
  expect(book.qtyAt(1, 1)).toBe(1);
});
