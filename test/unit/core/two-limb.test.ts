import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  limbsToBigInt,
  limbsToNumber,
  MAX_FACTOR,
  mulDivTrunc,
  TwoLimbSums,
} from "../../../src/core/two-limb.ts";

const SEED = 7;
const TWO_53 = 2 ** 53;

/** Integers of every magnitude up to `max`, edges preferred. */
const integer = (max: number) =>
  fc.oneof(
    fc.integer({ min: -max, max }),
    fc.integer({ min: -1000, max: 1000 }),
    fc.constantFrom(0, 1, -1, max, -max, 2 ** 26, 2 ** 26 - 1, -(2 ** 26), max - 1, 2 ** 51),
  );
const step = fc.oneof(
  fc.record({ a: integer(TWO_53), b: fc.constant(null) }),
  fc.record({ a: integer(MAX_FACTOR), b: integer(MAX_FACTOR) }),
);

test(`sums of values and products equal BigInt's after every step (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const sums = new TwoLimbSums(3);
      let oracle = 0n;
      for (const { a, b } of steps) {
        if (b === null) {
          sums.add(1, a);
          oracle += BigInt(a);
        } else {
          sums.addProduct(1, a, b);
          oracle += BigInt(a) * BigInt(b);
        }
        expect(sums.toBigInt(1)).toBe(oracle);
        expect(sums.lo[1]).toBeGreaterThanOrEqual(0);
        expect(sums.lo[1]).toBeLessThan(2 ** 52);
        expect(Object.is(sums.hi[1], -0) || Object.is(sums.lo[1], -0)).toBe(false);
      }
      expect([sums.toBigInt(0), sums.toBigInt(2)]).toEqual([0n, 0n]);
    }),
    { seed: SEED, numRuns: 1500 },
  );
});

test(`one value has one pair of limbs, whatever led to it (seed ${SEED})`, () => {
  const wide = fc.bigInt({ min: -(2n ** 104n), max: 2n ** 104n });
  fc.assert(
    fc.property(wide, wide, (x, y) => {
      const sums = new TwoLimbSums(4);
      sums.fromBigInt(0, x);
      sums.fromBigInt(1, y);
      expect(sums.toBigInt(0)).toBe(x);
      expect(limbsToBigInt(sums.hi[0], sums.lo[0])).toBe(x);
      expect(sums.compare(0, sums, 1)).toBe(x < y ? -1 : x > y ? 1 : 0);
      sums.copy(2, sums, 0);
      sums.addSum(2, sums, 1);
      expect(sums.toBigInt(2)).toBe(x + y);
      sums.subtractSum(2, sums, 1);
      expect([sums.hi[2], sums.lo[2]]).toEqual([sums.hi[0], sums.lo[0]]);
      expect(sums.compare(2, sums, 0)).toBe(0);
    }),
    { seed: SEED, numRuns: 1500 },
  );
});

test("the double of a sum is exact below 2^53 and near it beyond", () => {
  const sums = new TwoLimbSums(1);
  for (const value of [0, 1, -1, 2 ** 52, -(2 ** 52), TWO_53 - 1, 1 - TWO_53]) {
    sums.clear(0);
    sums.add(0, value);
    expect(sums.approximate(0)).toBe(value);
    expect(limbsToNumber(sums.hi[0], sums.lo[0])).toBe(value);
  }
  sums.fromBigInt(0, 10n ** 30n);
  expect(Math.abs(sums.approximate(0) / 1e30 - 1)).toBeLessThan(1e-15);
  sums.set(0, 3, 4);
  expect(sums.toBigInt(0)).toBe(3n * 2n ** 52n + 4n);
});

test(`mulDivTrunc is trunc(c·r/q) to the last digit, also where c·r passes 2^53 (seed ${SEED})`, () => {
  const q = fc.oneof(fc.integer({ min: 1, max: TWO_53 - 1 }), fc.integer({ min: 1, max: 5000 }));
  const share = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
  fc.assert(
    fc.property(integer(TWO_53 - 1), q, share, (c, whole, part) => {
      const r = Math.min(whole, Math.floor(whole * part));
      const expected = (BigInt(c) * BigInt(r)) / BigInt(whole);
      expect(mulDivTrunc(c, r, whole)).toBe(Number(expected));
    }),
    { seed: SEED, numRuns: 5000 },
  );
});

test("mulDivTrunc at the edges of exactness", () => {
  const max = TWO_53 - 1;
  expect(mulDivTrunc(max, max, max)).toBe(max);
  expect(mulDivTrunc(-max, max, max)).toBe(-max);
  expect(mulDivTrunc(max, max - 1, max)).toBe(max - 1);
  expect(mulDivTrunc(max, 1, max)).toBe(1);
  expect(Object.is(mulDivTrunc(-1, 1, 2), 0)).toBe(true);
  expect(Object.is(mulDivTrunc(0, 0, 5), 0)).toBe(true);
});
