import { expect, test } from "bun:test";
import fc from "fast-check";
import { bookedFeeE8, exactFee } from "../../../src/exchange/fees.ts";
import {
  bookFill,
  emptyPosition,
  initialMarginE8,
  unrealizedE8,
} from "../../../src/exchange/margin-account.ts";

test("realised plus unrealised equals the cash flow of all fills, to the last unit (seed 11)", () => {
  const fill = fc.record({
    lots: fc.integer({ min: -50, max: 50 }).filter((n) => n !== 0),
    px: fc.integer({ min: 500_000, max: 700_000 }),
  });
  const property = fc.property(
    fc.array(fill, { maxLength: 60 }),
    fc.integer({ min: 1, max: 700_000 }),
    (fills, mark) => {
      const position = emptyPosition(10_000n, 20);
      let realized = 0n;
      let cash = 0n;
      let held = 0n;
      for (const { lots, px } of fills) {
        realized += bookFill(position, BigInt(lots), BigInt(px));
        cash -= BigInt(lots) * BigInt(px);
        held += BigInt(lots);
      }
      expect(position.qtyLots).toBe(held);
      if (held === 0n) expect(position.costTickLots).toBe(0n);
      const unrealized = unrealizedE8(position, BigInt(mark) * 100_000_000n);
      expect(realized * 10_000n + unrealized).toBe((cash + held * BigInt(mark)) * 10_000n);
    },
  );
  fc.assert(property, { seed: 11, numRuns: 1000 });
});

test("a fill through flat closes at the average and opens the rest at the fill price", () => {
  const position = emptyPosition(1n, 10);
  bookFill(position, 3n, 100n);
  bookFill(position, 1n, 101n);
  expect(bookFill(position, -6n, 110n)).toBe(4n * 110n - 401n);
  expect(position).toMatchObject({ qtyLots: -2n, costTickLots: -220n });
});

test("initial margin is that of the worse side of position and working orders", () => {
  const position = { ...emptyPosition(1n, 10), qtyLots: 5n, costTickLots: 500n };
  position.openBuyTickLots = 300n;
  position.openSellTickLots = 2_000n;
  expect(initialMarginE8(position, 100n * 100_000_000n)).toBe(150n);
  expect(initialMarginE8(position, 100n * 100_000_000n, 900n)).toBe(170n);
});

test("booked fees round half away from zero, exact fees do not round", () => {
  expect(bookedFeeE8(2_500n, 20_000)).toBe(1n);
  expect(bookedFeeE8(2_499n, 20_000)).toBe(0n);
  expect(bookedFeeE8(-2_500n, 20_000)).toBe(-1n);
  expect(bookedFeeE8(6_180_020_000_000n, -5_000)).toBe(-309_001_000n);
  expect(exactFee(618_002n, 20_000)).toBe(12_360_040_000n);
});
