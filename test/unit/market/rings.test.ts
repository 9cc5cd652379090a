import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Prng } from "../../../src/core/prng.ts";
import { BookHistory, NOT_HELD } from "../../../src/market/book-history.ts";
import { ASK, BID, L2Book } from "../../../src/market/l2-book.ts";
import { addModular, MODULUS, signedBetween, unsignedBetween } from "../../../src/market/modular-sum.ts";
import { StepIntegral } from "../../../src/market/step-integral.ts";
import { TradeTape } from "../../../src/market/trade-tape.ts";

const SEED = 424_242;

describe("TradeTape", () => {
  test(`windows equal sums over a plain list, also after the ring has wrapped (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.nat(1 << 30), fc.nat(200), (seed, trades) => {
        const prng = new Prng(seed);
        const capacity = 32;
        const tape = new TradeTape(new Float64Array(TradeTape.words(capacity) + 3), 3, capacity);
        const list: { ts: number; px: number; qty: number; side: number }[] = [];
        let ts = 0;
        for (let i = 0; i < trades; i++) {
          ts += prng.nextBelow(5);
          const side = prng.nextBelow(3) - 1;
          // Tick·lots near 2^40 pass 2^45 within the ring.
          const [px, qty] = [600_000 + prng.nextBelow(1_000_000), 1 + prng.nextBelow(1_000_000)];
          tape.push(ts, px, qty, side);
          list.push({ ts, px, qty, side });
          const held = list.slice(-capacity);
          const from = ts - prng.nextBelow(60);
          const window = held.filter((t) => t.ts > from);
          const first = tape.firstAfter(from);
          expect(tape.count - first).toBe(window.length);
          expect(tape.qtySince(first)).toBe(window.reduce((s, t) => s + t.qty, 0));
          expect(tape.valueSince(first)).toBe(window.reduce((s, t) => s + t.qty * t.px, 0));
          expect(tape.signedQtySince(first)).toBe(window.reduce((s, t) => s + t.qty * t.side, 0));
        }
      }),
      { seed: SEED, numRuns: 15 },
    );
  });

  test("counts the windows that reach behind the oldest trade, and refuses counts it does not hold", () => {
    const tape = new TradeTape(new Float64Array(TradeTape.words(4)), 0, 4);
    for (let i = 1; i <= 4; i++) tape.push(i, 100, 1, 1);
    tape.firstAfter(0);
    expect(tape.overflows).toBe(0);
    tape.push(5, 100, 1, 1);
    expect([tape.firstAfter(0), tape.overflows]).toEqual([1, 1]);
    expect([tape.firstOfLast(4), tape.firstOfLast(5)]).toEqual([1, -1]);
  });
});

describe("modular sums", () => {
  test("stay exact when the prefix wraps", () => {
    const a = addModular(0, MODULUS - 5);
    const b = addModular(a, 12);
    expect(b).toBe(7);
    expect(unsignedBetween(b, a)).toBe(12);
    const c = addModular(b, -20);
    expect(signedBetween(c, b)).toBe(-20);
    expect(signedBetween(b, c)).toBe(20);
  });
});

describe("StepIntegral", () => {
  test(`the mean of a held value equals exact rational arithmetic, a day into the session (seed ${SEED})`, () => {
    const prng = new Prng(SEED);
    const ring = new StepIntegral(new Float64Array(StepIntegral.words(64)), 0, 64);
    const steps: { ts: number; value: number }[] = [];
    let ts = 1;
    for (let i = 0; i < 3_000; i++) {
      ts += 1 + prng.nextBelow(60_000_000_000);
      const value = 1_236_000 + prng.nextBelow(2_000);
      ring.push(ts, value);
      steps.push({ ts, value });
      const now = ts + prng.nextBelow(1_000_000_000);
      const duration = 1 + prng.nextBelow(20_000_000_000);
      const got = ring.mean(now, duration);
      if (now - duration < steps[0]!.ts) {
        expect(got).toBeNaN();
        continue;
      }
      let exact = 0n;
      steps.slice(-64).forEach((s, k, all) => {
        const end = all[k + 1]?.ts ?? now;
        const start = Math.max(s.ts, now - duration);
        if (end > start) exact += BigInt(s.value) * BigInt(end - start);
      });
      const mean = Number(exact / BigInt(duration)) + Number(exact % BigInt(duration)) / duration;
      expect(Math.abs(got - mean) / mean).toBeLessThan(1e-12);
    }
  });

  test("forgets the past when the value is unknown, and says when a window is cut", () => {
    const ring = new StepIntegral(new Float64Array(StepIntegral.words(4)), 0, 4);
    for (let i = 1; i <= 6; i++) ring.push(i * 10, i);
    expect(ring.mean(60, 50)).toBeNaN();
    expect(ring.overflows).toBe(1);
    expect(ring.mean(60, 20)).toBe(4.5);
    ring.push(70, NaN);
    expect(ring.mean(80, 1)).toBeNaN();
    ring.push(80, 9);
    expect(ring.mean(90, 10)).toBe(9);
  });
});

describe("BookHistory", () => {
  test("bookAt gives the last snapshot at or before an instant, or says it is not held", () => {
    const history = new BookHistory(new Float64Array(BookHistory.words(2, 3)), 0, 2, 3, 100);
    const book = new L2Book();
    history.start(30);
    for (let t = 0; t < 8; t++) {
      history.advance(40 + t * 100, book);
      book.apply(BID, 1_000 + t, 1 + t);
      if (t === 0) for (const px of [2_000, 2_001, 2_002]) book.apply(ASK, px, 7);
    }
    expect(history.count).toBe(7);
    const at = (ts: number): number => history.bookAt(ts);
    expect(at(499)).toBe(NOT_HELD);
    expect(history.tsOf(at(500))).toBe(500);
    expect(history.pxTicksOf(at(599), BID, 0)).toBe(1_004);
    expect(history.qtyLotsOf(at(10_000), BID, 1)).toBe(6);
    expect(history.depthOf(at(700), ASK)).toBe(2);
    expect([history.pxTicksOf(at(700), ASK, 2), history.qtyLotsOf(at(700), ASK, 2)]).toEqual([NaN, 0]);
  });
});
