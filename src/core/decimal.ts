// Decimal strings ↔ integers at the border (cold). Prices and quantities travel as integer ticks and lots;
// a decimal string is what venues, files and people see. Never goes through a binary float.

/** Decimal text as an integer mantissa: value = units · 10^−decimals. */
export interface Decimal {
  readonly units: bigint;
  readonly decimals: number;
}

const PATTERN = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/** Throws RangeError naming the text when it is not a plain decimal number (no exponent). */
export function parseDecimal(text: string): Decimal {
  const match = PATTERN.exec(text.trim());
  if (match === null) throw new RangeError(`not a decimal number: ${JSON.stringify(text)}`);
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  const units = BigInt(match[2]! + fraction);
  return { units: match[1] === "-" ? -units : units, decimals: fraction.length };
}

/** units · 10^−decimals as text, without trailing zeros. */
export function formatDecimal(units: bigint, decimals: number): string {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return `${negative && units !== 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** `decimal` expressed in units of 10^−decimals; throws when that would lose digits. */
export function scaleTo(decimal: Decimal, decimals: number): bigint {
  if (decimal.decimals <= decimals) return decimal.units * 10n ** BigInt(decimals - decimal.decimals);
  throw new RangeError(
    `${formatDecimal(decimal.units, decimal.decimals)} has more than ${decimals} decimals`,
  );
}

/**
 * `value` as an integer number of `step`s (both decimal strings).
 * Throws RangeError when `value` is not a multiple of `step` or passes 2^53.
 */
export function toSteps(value: string, step: string): number {
  const v = parseDecimal(value);
  const s = parseDecimal(step);
  const decimals = Math.max(v.decimals, s.decimals);
  const numerator = scaleTo(v, decimals);
  const denominator = scaleTo(s, decimals);
  if (denominator <= 0n) throw new RangeError(`step must be positive: ${step}`);
  if (numerator % denominator !== 0n) throw new RangeError(`${value} is not a multiple of ${step}`);
  const steps = Number(numerator / denominator);
  if (!Number.isSafeInteger(steps)) throw new RangeError(`${value} is more than 2^53 steps of ${step}`);
  return steps;
}

/** `steps · step` as decimal text. */
export function fromSteps(steps: number | bigint, step: string): string {
  const s = parseDecimal(step);
  return formatDecimal(BigInt(steps) * s.units, s.decimals);
}
