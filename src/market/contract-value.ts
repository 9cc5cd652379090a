// What lots are worth at a price, in the instrument's money units (moneyUnit). Linear: lots · ticks, exact. Inverse
// (coin-margined: a contract is `contractSize` of the quote currency, paid in the coin): contractSize · contracts / price
// coins, rounded to the nearest 1e-8 of the coin, half away from zero, as venues book an execution. The rounding is of
// the exact quotient: no product or quotient on the way is rounded.
// Hot: execution lane; 0 bytes; O(1) (inverse: mulDivTrunc's bound).
import { mulDivTrunc } from "../core/two-limb.ts";
import { type Instrument, inverseFactor } from "./instrument.ts";

const LARGEST = Number.MAX_SAFE_INTEGER / 2;

/**
 * `scale` of the functions below: 0 for linear contracts, else 1e-8 coins of one lot at one tick. Cold. Throws RangeError
 * when that is no whole number below 2^52.
 */
export function inverseScale(instrument: Instrument): number {
  if (instrument.inverse !== true) return 0;
  const { numerator, denominator } = inverseFactor(instrument);
  const scale = Number(numerator / denominator);
  if (numerator % denominator !== 0n || scale > LARGEST)
    throw new RangeError(
      `${instrument.symbol}: contract ${instrument.contractSize} × lot ${instrument.lotSize} / tick ` +
        `${instrument.tickSize} must be a whole number of 1e-8 ${instrument.settle}, below 2^52`,
    );
  return scale;
}

/** Value of a trade or position, with the sign of `lots`. Inverse: `pxTicks` > 0 is a multiple of ½ (a mid is). */
export function tradedValue(scale: number, lots: number, pxTicks: number): number {
  return scale === 0 ? lots * pxTicks : coins(scale, lots, pxTicks);
}

/**
 * What a position is held for: grows with the price when `lots` > 0. Inverse: coins are owed for contracts held, so a
 * buyer of contracts at `pxTicks` is at −coins, and result = heldValue at exit − heldValue at entry for both kinds.
 */
export function heldValue(scale: number, lots: number, pxTicks: number): number {
  return scale === 0 ? lots * pxTicks : -coins(scale, lots, pxTicks);
}

/** Average price of a position whose sum of heldValue is `cost`, ticks; NaN when flat. */
export function averagePxTicks(scale: number, lots: number, cost: number): number {
  return scale === 0 ? cost / lots : (scale * lots) / -cost;
}

/** The same as an exact fraction. Cold. */
export function averagePxFraction(
  scale: number,
  lots: number,
  cost: number,
): { readonly numerator: bigint; readonly denominator: bigint } {
  return scale === 0
    ? { numerator: BigInt(cost), denominator: BigInt(lots) }
    : { numerator: BigInt(scale) * BigInt(lots), denominator: BigInt(-cost) };
}

/** The most whole lots that are worth no more than `value` at a price. */
export function lotsWithin(scale: number, value: number, pxTicks: number): number {
  if (scale === 0) return Math.floor(value / pxTicks);
  const lots = Math.floor((value / scale) * pxTicks);
  // The division rounds twice: the estimate is one too many, or one too few.
  if (coins(scale, lots + 1, pxTicks) <= value) return lots + 1;
  return coins(scale, lots, pxTicks) > value ? lots - 1 : lots;
}

/** floor(2x) decides where x rounds: floor((floor(2x) + 1) / 2), and doubling makes a price between ticks whole. */
function coins(scale: number, lots: number, pxTicks: number): number {
  const price = 2 * pxTicks;
  const rest = (2 * scale) % price;
  const whole = (2 * scale - rest) / price;
  const size = Math.abs(lots);
  const value = whole * size + Math.floor((mulDivTrunc(2 * size, rest, price) + 1) / 2);
  return lots < 0 ? -value : value;
}
