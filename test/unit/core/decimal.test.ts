import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDecimal, fromSteps, parseDecimal, scaleTo, toSteps } from "../../../src/core/decimal.ts";

const STEPS = ["1", "0.1", "0.01", "0.001", "0.00000001", "0.5", "0.25", "5", "10", "0.0025"];

describe("decimal", () => {
  test("format and parse are inverse for any integer mantissa (seed 11)", () => {
    const property = fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.nat(18),
      (units, decimals) => {
        const parsed = parseDecimal(formatDecimal(units, decimals));
        expect(parsed.units * 10n ** BigInt(decimals - parsed.decimals)).toBe(units);
      },
    );
    fc.assert(property, { seed: 11, numRuns: 500 });
  });

  test("steps round trip exactly, against BigInt arithmetic (seed 12)", () => {
    const property = fc.property(fc.maxSafeInteger(), fc.constantFrom(...STEPS), (steps, step) => {
      const text = fromSteps(steps, step);
      expect(toSteps(text, step)).toBe(steps);
      const s = parseDecimal(step);
      expect(scaleTo(parseDecimal(text), s.decimals)).toBe(BigInt(steps) * s.units);
    });
    fc.assert(property, { seed: 12, numRuns: 500 });
  });

  test("venue spellings are equal", () => {
    for (const text of ["60000.1", "60000.10", "+60000.1000", "060000.1"])
      expect(toSteps(text, "0.10")).toBe(600001);
    expect(toSteps("-0.001", "0.001")).toBe(-1);
    expect(fromSteps(0, "0.01")).toBe("0");
    expect(formatDecimal(-0n, 2)).toBe("0");
  });

  test("what is not a multiple, too large or not a number is refused by name", () => {
    expect(() => toSteps("1.05", "0.1")).toThrow("1.05 is not a multiple of 0.1");
    expect(() => toSteps("90071992547409.93", "0.01")).toThrow("more than 2^53 steps");
    expect(() => toSteps("1", "0")).toThrow("step must be positive");
    for (const text of ["", "1e5", "NaN", "0x10", "1.2.3", "--1", "1,5"])
      expect(() => parseDecimal(text)).toThrow(`not a decimal number: ${JSON.stringify(text)}`);
    expect(() => scaleTo(parseDecimal("0.123"), 2)).toThrow("0.123 has more than 2 decimals");
  });
});
