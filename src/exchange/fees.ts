// Trading fees. Rates are in 1e-8 of the traded value, negative = rebate. Two forms of the same fee:
// exact tick·lots × rate for ledgers, and the amount a venue books, rounded to its 1e-8 of the settlement asset.
import { type Instrument, moneyUnit } from "../market/instrument.ts";

export const ASSET_DECIMALS = 8;

/** Value in tick·lots as 1e-8 units of the settlement asset; throws when the money unit is finer than 1e-8. */
export function assetE8PerTickLot(instrument: Instrument): bigint {
  const unit = moneyUnit(instrument);
  if (unit.decimals > ASSET_DECIMALS)
    throw new RangeError(`${instrument.symbol}: a tick·lot is finer than 1e-8 ${instrument.settle}`);
  return unit.mantissa * 10n ** BigInt(ASSET_DECIMALS - unit.decimals);
}

/** Fee in 1e-8 of the settlement asset, rounded half away from zero, as the venue books it. */
export function bookedFeeE8(valueE8: bigint, rateE8: number): bigint {
  const scaled = valueE8 * BigInt(rateE8);
  const half = 50_000_000n;
  return (scaled >= 0n ? scaled + half : scaled - half) / 100_000_000n;
}

/** Exact fee in 1e-8 tick·lots. */
export function exactFee(valueTickLots: bigint, rateE8: number): bigint {
  return valueTickLots * BigInt(rateE8);
}
