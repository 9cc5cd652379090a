import { expect, test } from "bun:test";
import { Prng } from "../../../src/core/prng.ts";
import { CHUNK_ROWS, EventChunk, OP_ASK, OP_BID, OP_TRADE_BUY } from "../../../src/data/event-chunk.ts";
import { DenseBook } from "../../../src/exchange/dense-book.ts";
import { SortedBook } from "../../../src/exchange/sorted-book.ts";
import { L2Book } from "../../../src/market/l2-book.ts";

const NOTHING = { bidLow: 2 ** 31 - 1, bidHigh: 0, askLow: 2 ** 31 - 1, askHigh: 0 };

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

/** Chunks of the rows with a trade now and then: `applyRows` stops there. */
function* chunksOf(rows: readonly Row[], random: Prng): Generator<{ chunk: EventChunk; rows: number }> {
  const chunk = new EventChunk();
  let at = 0;
  for (const row of rows) {
    if (random.nextFloat() < 0.05) {
      chunk.code[at] = OP_TRADE_BUY;
      chunk.key[at++] = row.px;
    }
    chunk.code[at] = row.side > 0 ? OP_BID : OP_ASK;
    chunk.key[at] = row.side * row.px;
    chunk.qty[at++] = row.lots / 1000;
    if (at > CHUNK_ROWS - 2) {
      yield { chunk, rows: at };
      at = 0;
    }
  }
  yield { chunk, rows: at };
}

const touchOf = (book: { bestTicks(side: number): number }) => [book.bestTicks(1), book.bestTicks(-1)];

test.each([1, 2, 3])("runs of rows leave the book that single updates leave (seed %d)", (seed) => {
  const rows = randomRows(seed, 30_000);
  const naive = new SortedBook();
  const dense = new DenseBook();
  const l2 = new L2Book();
  const random = new Prng(seed + 100);
  let done = 0;
  for (const { chunk, rows: count } of chunksOf(rows, random)) {
    for (let at = 0; at < count; at++) {
      const next = dense.applyRows(chunk, at, count, 1000, NOTHING);
      if (next < count) expect(chunk.code[next]).toBe(OP_TRADE_BUY);
      at = next;
    }
    for (let at = 0; at < count; at++) {
      if (chunk.code[at] === OP_TRADE_BUY) continue;
      const { side, px, lots } = rows[done++]!;
      naive.applyDelta(side, px, lots);
      l2.apply(side, px, lots);
      l2.maintain();
    }
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
  const rows = [100, 99, 98, 97].map((px, i) => ({ px, lots: i + 1 }));
  rows.forEach(({ px, lots }, i) => {
    chunk.code[i] = OP_BID;
    chunk.key[i] = px;
    chunk.qty[i] = lots;
  });
  const watch = { ...NOTHING, bidLow: 98, bidHigh: 99 };
  expect(book.applyRows(chunk, 0, 4, 1, watch)).toBe(1);
  expect(book.applyRows(chunk, 1, 4, 1, watch)).toBe(1);
  expect(book.applyRows(chunk, 3, 4, 1, watch)).toBe(4);
  expect([100, 99, 98, 97].map((px) => book.qtyAt(1, px))).toEqual([1, 0, 0, 4]);
});
