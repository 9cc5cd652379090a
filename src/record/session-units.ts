// What one session's integers mean to the store: ticks and lots as decimals of 8 digits, session time as Unix
// nanoseconds, numbers of instruments and strategies as encoded names. Made from the session's manifest.
import { parseDecimal } from "../core/decimal.ts";
import { MAX_FACTOR, TwoLimbSums } from "../core/two-limb.ts";
import type { SessionManifest } from "../journal/session-manifest.ts";
import { averagePxFraction, inverseScale } from "../market/contract-value.ts";
import { type Instrument, moneyUnit } from "../market/instrument.ts";
import { type ColumnBuffer, text } from "./columns.ts";

/** Decimals of price and quantity columns. */
const DECIMALS = 8;
/** Decimals of money columns. */
export const MONEY_DECIMALS = 18;
const NS_PER_DAY = 86_400e9;
const TWO_32 = 0x1_0000_0000;
const TWO_32_BIG = 0x1_0000_0000n;
const MAX_LONG = (1n << 63n) - 1n;

/** step · 10^8 as factor / divisor; divisor > 1 when the step is finer than 8 decimals. */
interface Scale {
  readonly factor: number;
  readonly divisor: number;
}

function scaleOf(step: string): Scale {
  const { units, decimals } = parseDecimal(step);
  const spare = DECIMALS - decimals;
  return spare >= 0
    ? { factor: Number(units * 10n ** BigInt(spare)), divisor: 1 }
    : { factor: Number(units), divisor: 10 ** -spare };
}

export class InstrumentUnits {
  readonly symbol: Uint8Array;
  readonly venue: Uint8Array;
  readonly currency: Uint8Array;
  /** One tick·lot of the settlement currency is mantissa · 10^−decimals. */
  readonly moneyMantissa: bigint;
  readonly moneyDecimals: number;
  /** As doubles, for figures that need not be exact. */
  readonly tickSize: number;
  readonly lotSize: number;
  readonly tickLotValue: number;
  private readonly tick: Scale;
  private readonly lot: Scale;
  private readonly inverse: number;
  /** mantissa · 10^spare by spare decimals, where it is a number that multiplies exactly; else NaN. */
  private readonly moneyFactors: readonly number[];

  constructor(i: Instrument) {
    this.symbol = text(i.symbol);
    this.venue = text(i.venue);
    this.currency = text(i.settle);
    const unit = moneyUnit(i);
    this.moneyMantissa = unit.mantissa;
    this.moneyDecimals = unit.decimals;
    this.tickSize = Number(i.tickSize);
    this.lotSize = Number(i.lotSize);
    this.tickLotValue = Number(unit.mantissa) / 10 ** unit.decimals;
    this.moneyFactors = Array.from({ length: MONEY_DECIMALS + 1 }, (_, spare) => {
      const factor = unit.mantissa * 10n ** BigInt(spare);
      return factor <= MAX_FACTOR ? Number(factor) : Number.NaN;
    });
    this.tick = scaleOf(i.tickSize);
    this.lot = scaleOf(i.lotSize);
    this.inverse = inverseScale(i);
  }

  /** Ticks (or a mid in half ticks) as Decimal(18, 8); NaN becomes 0. */
  price(column: ColumnBuffer, ticks: number): void {
    putScaled(column, ticks, this.tick);
  }

  qty(column: ColumnBuffer, lots: number): void {
    putScaled(column, lots, this.lot);
  }

  /** Average price of a position, rounded to 8 decimals; 0 when flat. */
  averagePrice(column: ColumnBuffer, costTickLots: number, lots: number): void {
    if (lots === 0 || !Number.isFinite(costTickLots) || (this.inverse !== 0 && costTickLots === 0)) {
      column.long(0);
      return;
    }
    const px = averagePxFraction(this.inverse, lots, costTickLots);
    const numerator = px.numerator * BigInt(this.tick.factor);
    column.big(clamp(divideRounded(numerator, px.denominator * BigInt(this.tick.divisor))));
  }

  /** tick·lots (times 10^−extra) with 18 decimals, or with 8 rounded, by the column's width. */
  money(column: ColumnBuffer, amount: Amount, extraDecimals = 0): void {
    const wanted = column.width === 16 ? MONEY_DECIMALS : DECIMALS;
    const spare = wanted - this.moneyDecimals - extraDecimals;
    const factor = this.moneyFactors[spare] ?? Number.NaN;
    if (
      typeof amount === "number" &&
      Math.abs(amount * factor) < (column.width === 16 ? Infinity : MAX_FACTOR)
    ) {
      product.clear(0);
      product.addProduct(0, amount, factor);
      column.limbs(product.hi[0]!, product.lo[0]!);
      return;
    }
    const scaled = BigInt(amount) * this.moneyMantissa;
    const value = spare >= 0 ? scaled * 10n ** BigInt(spare) : divideRounded(scaled, 10n ** BigInt(-spare));
    column.big(column.width === 16 ? value : clamp(value));
  }
}

/** An exact integer: a number up to MAX_FACTOR, which is multiplied quickly, or any bigint. */
export type Amount = number | bigint;

const product = new TwoLimbSums(1);

function putScaled(column: ColumnBuffer, steps: number, { factor, divisor }: Scale): void {
  if (!Number.isFinite(steps)) {
    column.long(0);
    return;
  }
  const value = divisor === 1 ? steps * factor : Math.round((steps * factor) / divisor);
  if (Number.isSafeInteger(value)) column.long(value);
  else if (Number.isInteger(steps))
    column.big(clamp(divideRounded(BigInt(steps) * BigInt(factor), BigInt(divisor))));
  else column.long(Math.round(value));
}

/** Nearest, halves away from zero. */
function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const n = numerator < 0n ? -numerator : numerator;
  const d = denominator < 0n ? -denominator : denominator;
  const quotient = (2n * n + d) / (2n * d);
  return negative ? -quotient : quotient;
}

/** Decimal(18, 8) ends at ±92 233 720 368; the integer columns beside it go on. */
const clamp = (value: bigint): bigint =>
  value > MAX_LONG ? MAX_LONG : value < -MAX_LONG ? -MAX_LONG : value;

/** Of records without an instrument, and of sessions whose manifest is lost. */
const unknownInstrument = (id: number): Instrument => ({
  id,
  venue: "",
  symbol: id === 0 ? "" : `#${id}`,
  base: "",
  quote: "",
  settle: "",
  tickSize: "1",
  lotSize: "1",
  contractSize: "1",
  pxDecimals: 0,
  qtyDecimals: 0,
  minPxTicks: 0,
  maxPxTicks: 0,
  minQtyLots: 0,
  maxQtyLots: 0,
  minNotionalTickLots: 0,
  orderTickStep: 1,
  percentUpE8: 0,
  percentDownE8: 0,
  makerFeeE8: 0,
  takerFeeE8: 0,
  trading: false,
});

export interface SessionHeader {
  readonly session: string;
  readonly baseNs: bigint;
  readonly nonceLo: number;
  readonly nonceHi: number;
}

export class SessionUnits {
  readonly name: string;
  readonly session: Uint8Array;
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly baseNs: bigint;
  private readonly baseDay: number;
  private readonly baseHigh: number;
  private readonly baseLow: number;
  private readonly instruments: InstrumentUnits[] = [];
  private readonly bySymbol = new Map<string, InstrumentUnits>();
  private readonly strategies: Uint8Array[] = [];
  private readonly names: readonly string[];
  private readonly known: ReadonlyMap<number, Instrument>;
  private readonly assets: readonly string[];
  private readonly assetNames: Uint8Array[] = [];
  private readonly stages: (readonly [Uint8Array, Uint8Array])[];
  private readonly streams: Readonly<Record<string, string>>;
  private readonly streamNames: Uint8Array[] = [];

  constructor(header: SessionHeader, manifest: SessionManifest | undefined) {
    this.name = header.session;
    this.session = text(header.session);
    this.nonceLo = header.nonceLo;
    this.nonceHi = header.nonceHi;
    this.baseNs = header.baseNs;
    this.baseDay = Number(header.baseNs / BigInt(NS_PER_DAY));
    this.baseHigh = Number(header.baseNs / TWO_32_BIG);
    this.baseLow = Number(header.baseNs % TWO_32_BIG);
    this.known = new Map((manifest?.instruments ?? []).map((i) => [i.id, i]));
    this.names = manifest?.strategies ?? [];
    this.assets = manifest?.assets ?? [];
    this.stages = (manifest?.latencyStages ?? []).map(([lane, stage]) => [text(lane), text(stage)] as const);
    this.streams = manifest?.streams ?? {};
  }

  instrument(id: number): InstrumentUnits {
    let units = this.instruments[id];
    if (units === undefined) {
      units = new InstrumentUnits(this.known.get(id) ?? unknownInstrument(id));
      this.instruments[id] = units;
    }
    return units;
  }

  /** By symbol, for orders of earlier sessions; without increments when this session does not trade it. */
  instrumentNamed(symbol: string): InstrumentUnits {
    let units = this.bySymbol.get(symbol);
    if (units === undefined) {
      const known = [...this.known.values()].find((i) => i.symbol === symbol);
      units =
        known === undefined
          ? new InstrumentUnits({ ...unknownInstrument(0), symbol })
          : this.instrument(known.id);
      this.bySymbol.set(symbol, units);
    }
    return units;
  }

  symbolOf(id: number): string {
    return this.known.get(id)?.symbol ?? (id === 0 ? "" : `#${id}`);
  }

  strategyName(id: number): string {
    return this.names[id] ?? (id === 0 ? "house" : `#${id}`);
  }

  strategy(id: number): Uint8Array {
    this.strategies[id] ??= text(this.strategyName(id));
    return this.strategies[id]!;
  }

  asset(id: number): Uint8Array {
    this.assetNames[id] ??= text(this.assets[id] ?? `#${id}`);
    return this.assetNames[id]!;
  }

  /** Lane and stage of a LatencyBucket. */
  latencyStage(index: number): readonly [Uint8Array, Uint8Array] {
    this.stages[index] ??= [text(""), text(`#${index}`)];
    return this.stages[index];
  }

  stream(id: number): Uint8Array {
    this.streamNames[id] ??= text(this.streams[String(id)] ?? `#${id}`);
    return this.streamNames[id];
  }

  /** Session time as DateTime64(9); 0 and NaN = not known = 1970-01-01. */
  time(column: ColumnBuffer, sessionNs: number): void {
    if (!(sessionNs !== 0) || !Number.isFinite(sessionNs)) {
      column.words(0, 0);
      return;
    }
    const ns = Math.round(sessionNs);
    const high = Math.floor(ns / TWO_32);
    const low = this.baseLow + (ns - high * TWO_32);
    const carry = low >= TWO_32 ? 1 : 0;
    column.words(low - carry * TWO_32, this.baseHigh + high + carry);
  }

  /** Days since the epoch: the partition of a time. */
  day(sessionNs: number): number {
    if (!(sessionNs !== 0) || !Number.isFinite(sessionNs)) return 0;
    return this.baseDay + Math.floor(Math.round(sessionNs) / NS_PER_DAY);
  }

  unixNs(sessionNs: number): bigint {
    return this.baseNs + BigInt(Math.round(sessionNs));
  }

  fromUnixNs(unixNs: bigint): number {
    return Number(unixNs - this.baseNs);
  }
}
