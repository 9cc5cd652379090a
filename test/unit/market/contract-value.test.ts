import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  averagePxFraction,
  averagePxTicks,
  heldValue,
  inverseScale,
  lotsWithin,
  tradedValue,
} from "../../../src/market/contract-value.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import { moneyText, moneyUnit } from "../../../src/market/instrument.ts";

const SEED = 29;
/** Binance COIN-M's BTCUSD_PERP: a contract is 100 USD. */
const BTCUSD = {
  symbol: "BTCUSD_PERP",
  settle: "BTC",
  tickSize: "0.1",
  lotSize: "1",
  contractSize: "100",
  inverse: true,
} as Instrument;
const SCALE = inverseScale(BTCUSD);

/** contractSize · lots · 1e8 / price, rounded half away from zero: doubled prices, so that mids are whole. */
function oracle(scale: number, lots: number, halfTicks: number): bigint {
  const numerator = 4n * BigInt(scale) * BigInt(Math.abs(lots));
  const denominator = 2n * BigInt(halfTicks);
  const value = (numerator + BigInt(halfTicks)) / denominator;
  return lots < 0 ? -value : value;
}

test("a contract of 100 USD is 1e11 money units at one tick of 0.1, and 166,667e-8 BTC at 60,000", () => {
  expect(SCALE).toBe(1e11);
  expect(tradedValue(SCALE, 1, 600_000)).toBe(166_667);
  expect(heldValue(SCALE, 1, 600_000)).toBe(-166_667);
  expect(moneyUnit(BTCUSD)).toEqual({ mantissa: 1n, decimals: 8 });
  expect(moneyText(BTCUSD, -166_667n)).toBe("-0.00166667");
  expect(inverseScale({ ...BTCUSD, inverse: false })).toBe(0);
});

test("sizes that make no whole number of money units are refused, with the sizes", () => {
  expect(() => inverseScale({ ...BTCUSD, tickSize: "0.3" })).toThrow(
    "BTCUSD_PERP: contract 100 × lot 1 / tick 0.3",
  );
  expect(() => inverseScale({ ...BTCUSD, contractSize: "100000000" })).toThrow("below 2^52");
  expect(inverseScale({ ...BTCUSD, tickSize: "0.00001", contractSize: "10" })).toBe(1e14);
});

test(`coins are the exact quotient rounded half away from zero, at ticks and at mids (seed ${SEED})`, () => {
  const scales = fc.constantFrom(1, 7, 1e9, 1e11, 1e13, 2 ** 52 - 1);
  const sizes = fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 });
  const prices = fc.integer({ min: 1, max: 2 ** 32 - 2 });
  fc.assert(
    fc.property(scales, sizes, prices, (scale, lots, halfTicks) => {
      const expected = oracle(scale, lots, halfTicks);
      fc.pre((expected < 0n ? -expected : expected) <= BigInt(Number.MAX_SAFE_INTEGER));
      expect(BigInt(tradedValue(scale, lots, halfTicks / 2))).toBe(expected);
      expect(BigInt(heldValue(scale, lots, halfTicks / 2))).toBe(-expected);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

test("halves go away from zero", () => {
  expect(tradedValue(1, 1, 2)).toBe(1);
  expect(tradedValue(1, -1, 2)).toBe(-1);
  expect(tradedValue(1, 3, 2)).toBe(2);
  expect(tradedValue(1, 1, 2.5)).toBe(0);
});

test(`the lots are worth no more than the value, one more would be (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 1, max: 2e6 }), (value, px) => {
      const lots = lotsWithin(SCALE, value, px);
      expect(tradedValue(SCALE, lots, px)).toBeLessThanOrEqual(value);
      expect(tradedValue(SCALE, lots + 1, px)).toBeGreaterThan(value);
      expect(lotsWithin(0, value, px)).toBe(Math.floor(value / px));
    }),
    { seed: SEED, numRuns: 2000 },
  );
  // Exact limits, where the estimate is one short.
  expect(lotsWithin(1e11, 7_000_000, 100_000)).toBe(7);
  expect(lotsWithin(1e11, 166_669, 599_990)).toBe(1);
});

test("the average price is the contracts over their coins, not the mean of prices", () => {
  const cost = heldValue(SCALE, 10, 500_000) + heldValue(SCALE, 10, 1_000_000);
  // 1000 USD at 50,000 and at 100,000 cost 0.02 + 0.01 BTC: 2000 / 0.03 = 66,666.67 USD.
  expect(averagePxTicks(SCALE, 20, cost)).toBeCloseTo(666_666.67, 2);
  const { numerator, denominator } = averagePxFraction(SCALE, 20, cost);
  expect(Number((numerator * 100n) / denominator)).toBe(66_666_666);
  expect(averagePxTicks(SCALE, 0, 0)).toBeNaN();
  expect(averagePxTicks(0, 20, 30_000_000)).toBe(1_500_000);
});
