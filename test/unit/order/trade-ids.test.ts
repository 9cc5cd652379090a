import { expect, test } from "bun:test";
import { Prng } from "../../../src/core/prng.ts";
import { TRADE_FRESH, TradeIds } from "../../../src/order/trade-ids.ts";

const SEED = 91;

test(`knows() says beforehand what take() will say, and changes nothing (seed ${SEED})`, () => {
  const prng = new Prng(SEED);
  const ids = new TradeIds(3, 16);
  for (let i = 0; i < 5_000; i++) {
    const instrument = 1 + prng.nextBelow(2);
    const lo = prng.nextBelow(60) + Math.floor(i / 100) * 10;
    const known = ids.knows(instrument, lo, 1);
    expect(ids.knows(instrument, lo, 1)).toBe(known);
    expect(ids.take(instrument, lo, 1) === TRADE_FRESH).toBe(!known);
  }
});
