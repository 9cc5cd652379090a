import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { ASK, BID } from "../../../src/market/l2-book.ts";
import { L3_DUPLICATE, L3_OK, L3_UNKNOWN, L3Book, NO_L3_ORDER } from "../../../src/market/l3-book.ts";
import { NOT_FOUND, PairTable } from "../../../src/market/pair-table.ts";

const SEED = 1_313;

describe("PairTable", () => {
  test(`holds what a Map holds over random sets and deletes, with u32 words (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.nat(1 << 30), (seed) => {
        const prng = new Prng(seed);
        const table = new PairTable(4);
        const map = new Map<string, number>();
        const keys = Array.from({ length: 60 }, () => [prng.nextU32(), prng.nextBelow(4)] as const);
        for (let i = 0; i < 600; i++) {
          const [hi, lo] = keys[prng.nextBelow(keys.length)]!;
          if (prng.nextBelow(2) === 0) {
            table.set(hi, lo, i);
            map.set(`${hi}:${lo}`, i);
          } else {
            table.delete(hi, lo);
            map.delete(`${hi}:${lo}`);
          }
          expect(table.count).toBe(map.size);
        }
        for (const [hi, lo] of keys) expect(table.get(hi, lo)).toBe(map.get(`${hi}:${lo}`) ?? NOT_FOUND);
      }),
      { seed: SEED, numRuns: 40 },
    );
  });
});

interface NaiveOrder {
  readonly id: number;
  readonly side: number;
  px: number;
  qty: number;
}

/** Orders in the order of their priority among those of one price. */
class NaiveL3 {
  orders: NaiveOrder[] = [];

  at(side: number, px: number): NaiveOrder[] {
    return this.orders.filter((o) => o.side === side && o.px === px);
  }

  modify(id: number, px: number, qty: number): void {
    const o = this.orders.find((x) => x.id === id)!;
    const keeps = px === o.px && qty <= o.qty;
    if (!keeps || qty <= 0) this.orders = this.orders.filter((x) => x !== o);
    if (qty <= 0) return;
    if (keeps) o.qty = qty;
    else this.orders.push({ ...o, px, qty });
  }
}

describe("L3Book", () => {
  test(`equals a list of orders over random changes, growing from two (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.nat(1 << 30), (seed) => {
        const prng = new Prng(seed);
        const book = new L3Book({ orders: 2, windowTicks: 1024 });
        const naive = new NaiveL3();
        const hi = prng.nextU32();
        for (let i = 0; i < 400; i++) {
          const any = naive.orders[prng.nextBelow(Math.max(1, naive.orders.length))];
          const px = 1_000_000 + prng.nextBelow(12) * (prng.nextBelow(30) === 0 ? 5_000 : 1);
          const what = prng.nextBelow(10);
          if (what < 5 || any === undefined) {
            const side = prng.nextBelow(2) === 0 ? BID : ASK;
            const order = { id: i, side, px: side > 0 ? px - 20 : px, qty: 1 + prng.nextBelow(9) };
            expect(book.add(hi, i, side, order.px, order.qty)).toBe(L3_OK);
            naive.orders.push(order);
          } else if (what < 7) {
            expect(book.cancel(hi, any.id)).toBe(L3_OK);
            naive.orders = naive.orders.filter((o) => o !== any);
          } else if (what < 8) {
            const lots = 1 + prng.nextBelow(9);
            expect(book.reduce(hi, any.id, lots)).toBe(L3_OK);
            naive.modify(any.id, any.px, Math.max(0, any.qty - lots));
          } else {
            const to = prng.nextBelow(2) === 0 ? any.px : any.side > 0 ? px - 20 : px;
            const qty = 1 + prng.nextBelow(9);
            expect(book.modify(hi, any.id, to, qty)).toBe(L3_OK);
            naive.modify(any.id, to, qty);
          }
          if (prng.nextBelow(100) === 0) {
            const side = prng.nextBelow(3) - 1;
            book.clear(side);
            naive.orders = side === 0 ? [] : naive.orders.filter((o) => o.side !== side);
          }
          book.maintain();
        }
        expect(book.orderCount).toBe(naive.orders.length);
        for (const side of [BID, ASK]) {
          for (const px of new Set(naive.orders.map((o) => o.px))) {
            const queue: number[] = [];
            for (let o = book.firstAt(side, px); o !== NO_L3_ORDER; o = book.behind(o))
              queue.push(book.idLoOf(o), book.qtyLotsOf(o));
            const want = naive.at(side, px);
            expect(queue).toEqual(want.flatMap((o) => [o.id, o.qty]));
            expect(book.levels.qtyAt(side, px)).toBe(want.reduce((s, o) => s + o.qty, 0));
          }
          const prices = naive.orders.filter((o) => o.side === side).map((o) => o.px);
          const best = side > 0 ? Math.max(...prices) : Math.min(...prices);
          const got = side > 0 ? book.levels.bestBidTicks : book.levels.bestAskTicks;
          expect(got).toBe(prices.length === 0 ? NaN : best);
        }
      }),
      { seed: SEED, numRuns: 30 },
    );
  });

  test("says what it cannot do, and changes nothing then", () => {
    const book = new L3Book();
    expect(book.add(1, 2, BID, 100, 5)).toBe(L3_OK);
    expect(book.add(1, 2, ASK, 105, 5)).toBe(L3_DUPLICATE);
    expect([book.cancel(0, 2), book.reduce(0, 2, 1), book.modify(0, 2, 1, 1)]).toEqual([
      L3_UNKNOWN,
      L3_UNKNOWN,
      L3_UNKNOWN,
    ]);
    expect([book.orderCount, book.levels.bestBidTicks, book.levels.bestAskTicks]).toEqual([1, 100, NaN]);
  });
});
