import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prng } from "../../../../src/core/prng.ts";
import { L3FifoQueue } from "../../../../src/exchange/queue/l3-fifo.ts";
import { ASK, BID } from "../../../../src/market/l2-book.ts";
import { L3Book } from "../../../../src/market/l3-book.ts";

const SEED = 5_150;

function filledOf(queue: L3FifoQueue): (readonly [number, number])[] {
  return Array.from(
    { length: queue.filledCount },
    (_, k) => [queue.filled[k]!, queue.filledLots[k]!] as const,
  );
}

describe("L3 queue position", () => {
  test("an own order is filled by the fill of an order behind it, not of one in front", () => {
    const book = new L3Book();
    const queue = new L3FifoQueue(book, 4);
    book.add(0, 1, BID, 100, 10);
    queue.rest(0, BID, 100, 3);
    book.add(0, 2, BID, 100, 10);
    expect(queue.lotsAhead(0)).toBe(10);
    queue.onFill(0, 1, 4);
    expect(filledOf(queue)).toEqual([]);
    book.reduce(0, 1, 4);
    expect(queue.lotsAhead(0)).toBe(6);
    book.cancel(0, 1);
    expect(queue.lotsAhead(0)).toBe(0);
    queue.onFill(0, 2, 2);
    expect(filledOf(queue)).toEqual([[0, 2]]);
    queue.onFill(0, 2, 5);
    expect(filledOf(queue)).toEqual([[0, 1]]);
    queue.onFill(0, 2, 5);
    expect(filledOf(queue)).toEqual([]);
  });

  test("an order in front that moves or grows goes behind us", () => {
    const book = new L3Book();
    const queue = new L3FifoQueue(book, 1);
    book.add(0, 1, ASK, 100, 10);
    book.add(0, 2, ASK, 100, 5);
    queue.rest(0, ASK, 100, 3);
    book.modify(0, 1, 100, 8);
    expect(queue.lotsAhead(0)).toBe(13);
    book.modify(0, 2, 100, 6);
    expect(queue.lotsAhead(0)).toBe(8);
    queue.onFill(0, 2, 6);
    expect(filledOf(queue)).toEqual([[0, 3]]);
  });

  test("better prices are filled first; without partial fills each is filled whole", () => {
    for (const whole of [false, true]) {
      const book = new L3Book();
      const queue = new L3FifoQueue(book, 4, whole);
      queue.rest(0, BID, 99, 5);
      queue.rest(1, BID, 101, 5);
      queue.rest(2, BID, 100, 5);
      book.add(0, 1, BID, 100, 10);
      queue.onFill(0, 1, 7);
      expect(filledOf(queue)).toEqual(
        whole
          ? [
              [1, 5],
              [2, 5],
            ]
          : [
              [1, 5],
              [2, 2],
            ],
      );
    }
  });

  test("an opposite order at an own price would have been matched: the own order trades with what stands there", () => {
    const book = new L3Book();
    const queue = new L3FifoQueue(book, 2);
    queue.rest(0, BID, 100, 5);
    queue.rest(1, BID, 98, 5);
    book.add(0, 1, ASK, 99, 3);
    queue.onTouch();
    expect(filledOf(queue)).toEqual([[0, 3]]);
    expect(queue.leavesOf(0)).toBe(2);
  });

  /** Own orders as ordinary orders of one list: what an exchange would do with them. */
  test(`fills are those of one list in price-time order (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.nat(1 << 30), (seed) => {
        const prng = new Prng(seed);
        const book = new L3Book();
        const queue = new L3FifoQueue(book, 64);
        let list: { own: boolean; id: number; px: number; lots: number }[] = [];
        for (let i = 0; i < 120; i++) {
          const px = 100 + prng.nextBelow(3);
          const what = prng.nextBelow(10);
          if (what < 4) {
            book.add(0, i, BID, px, 1 + (i % 7));
            list.push({ own: false, id: i, px, lots: 1 + (i % 7) });
          } else if (what < 6 && i < 64) {
            queue.rest(i, BID, px, 1 + (i % 3));
            list.push({ own: true, id: i, px, lots: 1 + (i % 3) });
          } else {
            const market = list.filter((o) => !o.own);
            const order = market[prng.nextBelow(Math.max(1, market.length))];
            if (order === undefined) continue;
            const inFront = list
              .filter((o) => o.own)
              .filter((o) => o.px > order.px || (o.px === order.px && list.indexOf(o) < list.indexOf(order)))
              .sort((a, b) => b.px - a.px || list.indexOf(a) - list.indexOf(b));
            let left = order.lots;
            const want: [number, number][] = [];
            for (const o of inFront) {
              const take = Math.min(left, o.lots);
              if (take === 0) break;
              want.push([o.id, take]);
              o.lots -= take;
              left -= take;
            }
            queue.onFill(0, order.id, order.lots);
            expect(filledOf(queue)).toEqual(want);
            book.cancel(0, order.id);
            list = list.filter((o) => o !== order && o.lots > 0);
          }
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});
