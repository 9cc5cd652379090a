// Trading fees. Rates are in 1e-8 of the traded value, negative = rebate. Two forms of the same fee:
// exact tick·lots × rate for ledgers, and the amount a venue books, rounded to its 1e-8 of the settlement asset.
import { type Instrument, inverseFactor, moneyUnit } from "../market/instrument.ts";

export const ASSET_DECIMALS = 8;

/** Money unit in 1e-8 of the settlement asset; throws when it is finer than that. */
export function assetE8PerTickLot(instrument: Instrument): bigint {
  const unit = moneyUnit(instrument);
  if (unit.decimals > ASSET_DECIMALS)
    throw new RangeError(`${instrument.symbol}: a tick·lot is finer than 1e-8 ${instrument.settle}`);
  return unit.mantissa * 10n ** BigInt(ASSET_DECIMALS - unit.decimals);
}

/** Fee in 1e-8 of the settlement asset, rounded half away from zero, as the venue books it. */
export function bookedFeeE8(valueE8: bigint, rateE8: number): bigint {
  return divideRounded(valueE8 * BigInt(rateE8), 100_000_000n);
}

/** Inverse contracts: 1e-8 coins that signed `lots` are worth at a price, rounded half away from zero. */
export function coinValue(instrument: Instrument, lots: bigint, pxTicks: bigint): bigint {
  const { numerator, denominator } = inverseFactor(instrument);
  return divideRounded(lots * numerator, pxTicks * denominator);
}

/** Inverse contracts: the fee of an execution, of its value before rounding. */
export function coinFeeE8(instrument: Instrument, lots: bigint, pxTicks: bigint, rateE8: number): bigint {
  const { numerator, denominator } = inverseFactor(instrument);
  return divideRounded(lots * numerator * BigInt(rateE8), pxTicks * denominator * 100_000_000n);
}

/** Half away from zero; `by` > 0. */
function divideRounded(value: bigint, by: bigint): bigint {
  return (value >= 0n ? 2n * value + by : 2n * value - by) / (2n * by);
}

/** Exact fee in 1e-8 tick·lots. */
export function exactFee(valueTickLots: bigint, rateE8: number): bigint {
  return valueTickLots * BigInt(rateE8);
}
