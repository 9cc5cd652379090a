// Trading rules of the simulated symbols: what exchangeInfo says and the filters enforce. Prices are integer
// ticks, quantities integer lots; texts carry the decimals the venue prints.
import { fromSteps, parseDecimal, scaleTo } from "../../core/decimal.ts";

export interface SymbolSpec {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly tickSize: string;
  readonly lotSize: string;
  /** Decimals the venue prints; a text with more is refused with -1111. */
  readonly pxDecimals: number;
  readonly qtyDecimals: number;
  readonly minPxTicks: number;
  readonly maxPxTicks: number;
  readonly minQtyLots: number;
  readonly maxQtyLots: number;
  readonly maxMarketQtyLots: number;
  readonly minNotional: string;
  readonly percentUp: string;
  readonly percentDown: string;
  readonly maxOrders: number;
  /** False: listed, and refuses every order. */
  readonly trading: boolean;
  /** 1e-8 units of the quote asset in one tick·lot. */
  readonly e8PerTickLot: bigint;
  /** Printed price units (10^-pxDecimals) in one tick. */
  readonly unitsPerTick: number;
  readonly unitsPerLot: number;
}

type Rules = Omit<SymbolSpec, "e8PerTickLot" | "unitsPerTick" | "unitsPerLot" | "quote" | "trading">;

function makeSpec(rules: Rules): SymbolSpec {
  const tick = parseDecimal(rules.tickSize);
  const lot = parseDecimal(rules.lotSize);
  return {
    ...rules,
    quote: "USDT",
    trading: true,
    e8PerTickLot: tick.units * lot.units * 10n ** BigInt(8 - tick.decimals - lot.decimals),
    unitsPerTick: Number(scaleTo(tick, rules.pxDecimals)),
    unitsPerLot: Number(scaleTo(lot, rules.qtyDecimals)),
  };
}

export const BTCUSDT: SymbolSpec = makeSpec({
  symbol: "BTCUSDT",
  base: "BTC",
  tickSize: "0.10",
  lotSize: "0.001",
  pxDecimals: 2,
  qtyDecimals: 3,
  minPxTicks: 5_568,
  maxPxTicks: 45_297_640,
  minQtyLots: 1,
  maxQtyLots: 1_000_000,
  maxMarketQtyLots: 120_000,
  minNotional: "100",
  percentUp: "1.0500",
  percentDown: "0.9500",
  maxOrders: 200,
});

/** A generated USDT perpetual with ETHUSDT's increments. */
export function generatedSpec(symbol: string): SymbolSpec {
  if (!/^[A-Z0-9]{2,16}USDT$/.test(symbol))
    throw new RangeError(`symbol ${JSON.stringify(symbol)}: expected letters and digits ending in USDT`);
  return makeSpec({
    symbol,
    base: symbol.slice(0, -4),
    tickSize: "0.01",
    lotSize: "0.001",
    pxDecimals: 2,
    qtyDecimals: 3,
    minPxTicks: 3_986,
    maxPxTicks: 30_600_000,
    minQtyLots: 1,
    maxQtyLots: 10_000_000,
    maxMarketQtyLots: 2_000_000,
    minNotional: "20",
    percentUp: "1.0500",
    percentDown: "0.9500",
    maxOrders: 200,
  });
}

/** `units` of 10^-decimals as text with all its decimals: fixedText(618002, 1) = "61800.2". */
export function fixedText(units: number, decimals: number): string {
  if (units < 0) return `-${fixedText(-units, decimals)}`;
  if (decimals === 0) return String(units);
  const digits = String(units);
  if (digits.length <= decimals) return `0.${digits.padStart(decimals, "0")}`;
  const point = digits.length - decimals;
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

export const pxText = (s: SymbolSpec, ticks: number): string =>
  fixedText(ticks * s.unitsPerTick, s.pxDecimals);
export const qtyText = (s: SymbolSpec, lots: number): string =>
  fixedText(lots * s.unitsPerLot, s.qtyDecimals);

/** 1e-8 units as text with 8 decimals. */
export function e8Text(e8: bigint): string {
  const negative = e8 < 0n;
  const digits = (negative ? -e8 : e8).toString().padStart(9, "0");
  return `${negative ? "-" : ""}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

/** Ticks in 1e-8 ticks as a price text with 8 decimals. */
export function markText(s: SymbolSpec, ticksE8: bigint): string {
  const tickE8 = scaleTo(parseDecimal(s.tickSize), 8);
  return e8Text((ticksE8 * tickE8) / 100_000_000n);
}

/** exchangeInfo entry of a symbol. */
export function symbolInfo(s: SymbolSpec): Record<string, unknown> {
  return {
    symbol: s.symbol,
    pair: s.symbol,
    contractType: "PERPETUAL",
    deliveryDate: 4133404800000,
    onboardDate: 1569398400000,
    status: s.trading ? "TRADING" : "SETTLING",
    maintMarginPercent: "2.5000",
    requiredMarginPercent: "5.0000",
    baseAsset: s.base,
    quoteAsset: s.quote,
    marginAsset: s.quote,
    pricePrecision: s.pxDecimals,
    quantityPrecision: s.qtyDecimals,
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: "COIN",
    underlyingSubType: [],
    triggerProtect: "0.0500",
    liquidationFee: "0.012500",
    marketTakeBound: "0.05",
    maxMoveOrderLimit: 10000,
    filters: filtersOf(s),
    orderTypes: ["LIMIT", "MARKET"],
    timeInForce: ["GTC", "IOC", "FOK", "GTX"],
    permissionSets: ["GRID", "COPY"],
  };
}

function filtersOf(s: SymbolSpec): Record<string, unknown>[] {
  const px = (ticks: number) => fromSteps(ticks, s.tickSize);
  const qty = (lots: number) => fromSteps(lots, s.lotSize);
  return [
    {
      filterType: "PRICE_FILTER",
      minPrice: px(s.minPxTicks),
      maxPrice: px(s.maxPxTicks),
      tickSize: s.tickSize,
    },
    { filterType: "LOT_SIZE", minQty: qty(s.minQtyLots), maxQty: qty(s.maxQtyLots), stepSize: s.lotSize },
    {
      filterType: "MARKET_LOT_SIZE",
      minQty: qty(s.minQtyLots),
      maxQty: qty(s.maxMarketQtyLots),
      stepSize: s.lotSize,
    },
    { filterType: "MAX_NUM_ORDERS", limit: s.maxOrders },
    { filterType: "MAX_NUM_ALGO_ORDERS", limit: 10 },
    { filterType: "MIN_NOTIONAL", notional: s.minNotional },
    {
      filterType: "PERCENT_PRICE",
      multiplierUp: s.percentUp,
      multiplierDown: s.percentDown,
      multiplierDecimal: "4",
    },
  ];
}
