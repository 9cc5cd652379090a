// What is known of a traded instrument. Plain data, resolved once at start from the venue's exchangeInfo and
// handed to every lane. Price = integer ticks, quantity = integer lots; tick and lot are the venue's finest
// increments, and one money unit of the instrument is tickSize · lotSize · contractSize of `settle`, or 1e-8 of the
// coin for inverse contracts (src/market/contract-value.ts).
import { formatDecimal, fromSteps, parseDecimal } from "../core/decimal.ts";

export interface Instrument {
  /** Small integer ≥ 1, carried by every record; 0 = none. */
  readonly id: number;
  readonly venue: string;
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  /** Settlement currency. */
  readonly settle: string;
  /** Decimal strings. */
  readonly tickSize: string;
  readonly lotSize: string;
  readonly contractSize: string;
  /** Coin-margined: a contract is `contractSize` of `quote`, and results are in the coin, `settle`. Absent = linear. */
  readonly inverse?: boolean;
  /** Decimals a venue expects in price and quantity text. */
  readonly pxDecimals: number;
  readonly qtyDecimals: number;
  /** Orders: bounds in ticks and lots, both inclusive. */
  readonly minPxTicks: number;
  readonly maxPxTicks: number;
  readonly minQtyLots: number;
  readonly maxQtyLots: number;
  /** Least order value in tick·lots; 0 = none. */
  readonly minNotionalTickLots: number;
  /** An order's price may use only multiples of this many ticks (1 unless the venue's price rule is coarser). */
  readonly orderTickStep: number;
  /** PERCENT_PRICE: buy ≤ mark·up, sell ≥ mark·down; in 1e-8. 0 = none. */
  readonly percentUpE8: number;
  readonly percentDownE8: number;
  /** Fee rates in 1e-8 of traded value; negative = rebate. */
  readonly makerFeeE8: number;
  readonly takerFeeE8: number;
  readonly trading: boolean;
  /** Of this account at the venue; absent = not known. */
  readonly leverage?: number;
}

export const priceText = (i: Instrument, pxTicks: number): string => fromSteps(pxTicks, i.tickSize);
export const qtyText = (i: Instrument, qtyLots: number): string => fromSteps(qtyLots, i.lotSize);

const COIN_DECIMALS = 8;

/** Decimals of one money unit (tickSize · lotSize · contractSize) and its mantissa: unit = mantissa · 10^−decimals. */
export function moneyUnit(i: Instrument): { readonly mantissa: bigint; readonly decimals: number } {
  if (i.inverse === true) return { mantissa: 1n, decimals: COIN_DECIMALS };
  const parts = [i.tickSize, i.lotSize, i.contractSize].map(parseDecimal);
  return {
    mantissa: parts.reduce((product, p) => product * p.units, 1n),
    decimals: parts.reduce((sum, p) => sum + p.decimals, 0),
  };
}

/** Inverse: money units of one lot at one tick, contractSize · lotSize / tickSize in 1e-8 coins, as a fraction. */
export function inverseFactor(i: Instrument): { readonly numerator: bigint; readonly denominator: bigint } {
  const [contract, lot, tick] = [i.contractSize, i.lotSize, i.tickSize].map(parseDecimal);
  return {
    numerator: contract!.units * lot!.units * 10n ** BigInt(tick!.decimals + COIN_DECIMALS),
    denominator: tick!.units * 10n ** BigInt(contract!.decimals + lot!.decimals),
  };
}

/** Money units as decimal text in the settlement currency. */
export function moneyText(i: Instrument, tickLots: bigint): string {
  const unit = moneyUnit(i);
  return formatDecimal(tickLots * unit.mantissa, unit.decimals);
}
