// exchangeInfo → Instrument. Cold. Tick and lot come from PRICE_FILTER and LOT_SIZE; everything that orders
// are checked against is taken over in integer ticks and lots.
import { parseDecimal, scaleTo, toSteps } from "../../core/decimal.ts";
import type { Instrument } from "../../market/instrument.ts";
import type { VenueResult } from "../contract.ts";

export interface FeeRates {
  readonly makerFeeE8: number;
  readonly takerFeeE8: number;
}

interface Filter {
  readonly filterType: string;
  readonly minPrice?: string;
  readonly maxPrice?: string;
  readonly tickSize?: string;
  readonly minQty?: string;
  readonly maxQty?: string;
  readonly stepSize?: string;
  readonly notional?: string;
  readonly multiplierUp?: string;
  readonly multiplierDown?: string;
}

interface SymbolInfo {
  readonly symbol: string;
  readonly status: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly marginAsset: string;
  readonly pricePrecision: number;
  readonly quantityPrecision: number;
  readonly filters: readonly Filter[];
}

export interface ExchangeInfo {
  readonly rateLimits: readonly {
    readonly rateLimitType: string;
    readonly interval: string;
    readonly intervalNum: number;
    readonly limit: number;
  }[];
  readonly symbols: readonly SymbolInfo[];
}

const ratioE8 = (text: string | undefined): number => (text === undefined ? 0 : toSteps(text, "0.00000001"));

/** Instruments in the order of `symbols`, ids from `firstId`. Names every symbol that is missing or unusable. */
export function instrumentsOf(
  info: ExchangeInfo,
  symbols: readonly string[],
  firstId: number,
  fees: (symbol: string) => FeeRates,
): VenueResult<Instrument[]> {
  const problems: string[] = [];
  const instruments: Instrument[] = [];
  for (const [index, symbol] of symbols.entries()) {
    const found = info.symbols.find((s) => s.symbol === symbol);
    if (found === undefined) {
      problems.push(`${symbol}: not listed`);
      continue;
    }
    try {
      instruments.push(instrumentOf(found, firstId + index, fees(symbol)));
    } catch (error) {
      problems.push(`${symbol}: ${(error as Error).message}`);
    }
  }
  if (problems.length === 0) return { ok: true, value: instruments };
  return { ok: false, unknown: false, status: 200, code: 0, message: problems.join("; ") };
}

function instrumentOf(s: SymbolInfo, id: number, fees: FeeRates): Instrument {
  const filter = (type: string): Filter | undefined => s.filters.find((f) => f.filterType === type);
  const price = filter("PRICE_FILTER");
  const lot = filter("LOT_SIZE");
  if (price?.tickSize === undefined || lot?.stepSize === undefined) {
    throw new RangeError("PRICE_FILTER or LOT_SIZE is missing");
  }
  const percent = filter("PERCENT_PRICE");
  const tickSize = price.tickSize;
  const lotSize = lot.stepSize;
  const maxPx = price.maxPrice ?? "0";
  return {
    id,
    venue: "binance",
    symbol: s.symbol,
    base: s.baseAsset,
    quote: s.quoteAsset,
    settle: s.marginAsset,
    tickSize,
    lotSize,
    contractSize: "1",
    pxDecimals: Math.max(s.pricePrecision, parseDecimal(tickSize).decimals),
    qtyDecimals: Math.max(s.quantityPrecision, parseDecimal(lotSize).decimals),
    minPxTicks: Math.max(1, stepsUp(price.minPrice ?? "0", tickSize)),
    maxPxTicks: Number(maxPx) === 0 ? Number.MAX_SAFE_INTEGER : stepsDown(maxPx, tickSize),
    minQtyLots: Math.max(1, stepsUp(lot.minQty ?? "0", lotSize)),
    maxQtyLots: stepsDown(lot.maxQty ?? "0", lotSize),
    minNotionalTickLots: notionalTickLots(filter("MIN_NOTIONAL")?.notional ?? "0", tickSize, lotSize),
    orderTickStep: 1,
    percentUpE8: ratioE8(percent?.multiplierUp),
    percentDownE8: ratioE8(percent?.multiplierDown),
    makerFeeE8: fees.makerFeeE8,
    takerFeeE8: fees.takerFeeE8,
    trading: s.status === "TRADING",
  };
}

/** numerator / denominator of `value` in `step`s. */
function ratio(value: string, step: string): readonly [bigint, bigint] {
  const v = parseDecimal(value);
  const s = parseDecimal(step);
  const decimals = Math.max(v.decimals, s.decimals);
  return [scaleTo(v, decimals), scaleTo(s, decimals)];
}

/** Bounds need not be multiples of the step: the least one inside. */
function stepsUp(value: string, step: string): number {
  const [n, d] = ratio(value, step);
  return Number((n + d - 1n) / d);
}

function stepsDown(value: string, step: string): number {
  const [n, d] = ratio(value, step);
  return Number(n / d);
}

function notionalTickLots(notional: string, tickSize: string, lotSize: string): number {
  const t = parseDecimal(tickSize);
  const l = parseDecimal(lotSize);
  const n = parseDecimal(notional);
  // notional / (tick · lot), rounded up: every factor of ten on its side of the fraction.
  const numerator = n.units * 10n ** BigInt(t.decimals + l.decimals);
  const denominator = t.units * l.units * 10n ** BigInt(n.decimals);
  return Number((numerator + denominator - 1n) / denominator);
}
