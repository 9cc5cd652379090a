import { expect, test } from "bun:test";
import { Prng } from "../../../src/core/prng.ts";
import { CHUNK_ROWS, EventChunk } from "../../../src/data/event-chunk.ts";
import { DenseBook } from "../../../src/exchange/dense-book.ts";
import { SortedBook } from "../../../src/exchange/sorted-book.ts";
import { L2Book } from "../../../src/market/l2-book.ts";

interface Row {
  readonly side: number;
  readonly px: number;
  readonly lots: number;
}

/** A walk with deletes, moves of the touch, and now and then a level or a touch far away. */
function randomRows(seed: number, count: number): Row[] {
  const random = new Prng(seed);
  let mid = 600_000;
  return Array.from({ length: count }, () => {
    if (random.nextFloat() < 0.002) mid = Math.max(1000, Math.floor(mid * (0.5 + random.nextFloat())));
    else mid += Math.floor(random.nextNormal() * 2);
    const side = random.nextFloat() < 0.5 ? 1 : -1;
    const far = random.nextFloat() < 0.02 ? random.nextBelow(900_000) : random.nextBelow(300);
    const px = Math.max(1, mid - side * (far + 1));
    return { side, px, lots: random.nextFloat() < 0.4 ? 0 : 1 + random.nextBelow(1000) };
  });
}

/** Rows from `from` on that lie on one side, as a decoded chunk holds them. */
function runOf(rows: readonly Row[], from: number, chunk: EventChunk): number {
  const { side } = rows[from]!;
  let count = 0;
  for (; count < CHUNK_ROWS && rows[from + count]?.side === side; count++) {
    const { px, lots } = rows[from + count]!;
    chunk.key[count] = side * px;
    chunk.levels[2 * count + 1] = lots;
  }
  return count;
}

const touchOf = (book: { bestTicks(side: number): number }) => [book.bestTicks(1), book.bestTicks(-1)];

test.each([1, 2, 3])("runs of rows leave the book that single updates leave (seed %d)", (seed) => {
  const rows = randomRows(seed, 30_000);
  const naive = new SortedBook();
  const dense = new DenseBook();
  const l2 = new L2Book();
  const chunk = new EventChunk();
  let looked = 0;
  for (let done = 0; done < rows.length; ) {
    const count = runOf(rows, done, chunk);
    const { side } = rows[done]!;
    expect(dense.applyRows(side, chunk, 0, count, 1, 0)).toBe(count);
    for (const { px, lots } of rows.slice(done, done + count)) {
      naive.applyDelta(side, px, lots);
      l2.apply(side, px, lots);
      l2.maintain();
    }
    done += count;
    if (done < looked && done < rows.length) continue;
    looked += 3000;
    expect(touchOf(dense)).toEqual(touchOf(naive));
    expect([l2.bestBidTicks, l2.bestAskTicks]).toEqual(touchOf(naive));
    for (const side of [1, -1]) {
      expect(l2.levelsOn(side)).toBe(naive.levelCount(side));
      let px = naive.bestTicks(side);
      for (let rank = 0; rank < naive.levelCount(side); rank++) {
        expect(naive.pxAtRank(side, rank)).toBe(px);
        const lots = naive.qtyAtRank(side, rank);
        expect([dense.qtyAt(side, px), l2.qtyAt(side, px)]).toEqual([lots, lots]);
        px = dense.nextWorseTicks(side, px);
      }
      expect(px).toBeNaN();
    }
  }
});

test("a watched row is left to the caller, the rows around it are not", () => {
  const book = new DenseBook();
  const chunk = new EventChunk();
  [100, 99, 98, 97].forEach((px, i) => {
    chunk.key[i] = px;
    chunk.levels[2 * i + 1] = i + 1;
  });
  expect(book.applyRows(1, chunk, 0, 4, 98, 99)).toBe(1);
  expect(book.applyRows(1, chunk, 1, 4, 98, 99)).toBe(1);
  expect(book.applyRows(1, chunk, 3, 4, 98, 99)).toBe(4);
  expect([100, 99, 98, 97].map((px) => book.qtyAt(1, px))).toEqual([1, 0, 0, 4]);
});
