// Limits and venue rules in the units the gate compares in: ticks, lots, tick·lots per (strategy, instrument),
// per instrument, per strategy; 1e-8 of the settlement currency for the account. Cold code builds and changes
// them; the gate only reads.
//
// Money is decimal text in the configuration, an integer number of 1e-8 in setLimit (Control carries doubles),
// and is rounded DOWN to tick·lots, so a limit is never wider than what was written. Of inverse contracts money is in
// 1e-8 of the coin wherever it says tick·lots, and quantities are contracts, not base units.
import { parseDecimal, scaleTo } from "../core/decimal.ts";
import { inverseScale } from "../market/contract-value.ts";
import { type Instrument, moneyUnit } from "../market/instrument.ts";

/** [risk] of the configuration; money and quantities are decimal text, "" = the venue's bound only. */
export interface RiskSettings {
  readonly freshnessMs: number;
  readonly priceBandBps: number;
  readonly maxOrdersPer10s: number;
  readonly maxOrdersPerMin: number;
  readonly cancelReserve: number;
  readonly breakerRejects: number;
  readonly breakerWindowMs: number;
  readonly breakerPauseMs: number;
  readonly resetMinuteUtc: number;
  readonly account: {
    readonly maxPositionNotional: string;
    readonly maxWorkingOrders: number;
    readonly dailyLossSoft: string;
    readonly dailyLossHard: string;
    readonly maxDrawdown: string;
    readonly minMarginRatio: number;
    /** Positions are margined at 1 / the smaller of this and the venue's leverage. */
    readonly maxLeverage: number;
  };
  readonly instrument: {
    readonly maxOrderQty: string;
    readonly maxOrderNotional: string;
    readonly maxPositionQty: string;
    readonly maxPositionNotional: string;
    readonly maxWorkingOrders: number;
  };
  readonly strategy: {
    readonly maxOrderNotional: string;
    readonly maxPositionNotional: string;
    readonly maxWorkingOrders: number;
    readonly dailyLoss: string;
  };
  readonly storm: {
    readonly warmLagMs: number;
    readonly stormLagMs: number;
    readonly haltLagMs: number;
    readonly holdMs: number;
    readonly baselineMs: number;
  };
}

/** Overrides per instrument; "" and 0 = none. */
export interface InstrumentLimitOverrides {
  readonly symbol: string;
  readonly maxOrderQty: string;
  readonly maxPositionQty: string;
  readonly maxOrderNotional?: string;
  readonly maxPositionNotional?: string;
  readonly maxWorkingOrders?: number;
}

export interface StrategyLimitOverrides {
  readonly name: string;
  readonly limits: Readonly<Record<string, number | string | boolean>>;
}

export interface LimitSpec {
  readonly name: string;
  readonly kind: "money" | "qty" | "count";
  readonly description: string;
}

/** Limits of one strategy, in the order of CONTROL_SET_LIMIT's arg0. Append-only. */
export const STRATEGY_LIMITS: readonly LimitSpec[] = [
  { name: "max_order_notional", kind: "money", description: "value of one order" },
  {
    name: "max_position_notional",
    kind: "money",
    description: "value of the position on one instrument with working orders",
  },
  { name: "max_working_orders", kind: "count", description: "working and in-flight orders" },
  { name: "daily_loss", kind: "money", description: "loss of the day that pauses the strategy" },
  { name: "max_order_qty", kind: "qty", description: "quantity of one order, base units" },
  {
    name: "max_position_qty",
    kind: "qty",
    description: "position on one instrument with working orders, base units",
  },
];
export const LIMIT_ORDER_NOTIONAL = 0;
export const LIMIT_POSITION_NOTIONAL = 1;
export const LIMIT_WORKING_ORDERS = 2;
export const LIMIT_DAILY_LOSS = 3;
export const LIMIT_ORDER_QTY = 4;
export const LIMIT_POSITION_QTY = 5;

export const LIMIT_OK = 0;
export const LIMIT_UNKNOWN = 1;
export const LIMIT_OUT_OF_RANGE = 2;

const f64 = (n: number): Float64Array => new Float64Array(new ArrayBuffer(Math.max(n * 8, 4096)));
const MAX = Number.MAX_SAFE_INTEGER;

/** Decimal text → integer 1e-8, rounded down; throws RangeError naming the text. */
export function textToE8(text: string): number {
  const decimal = parseDecimal(text);
  const kept =
    decimal.decimals > 8
      ? { units: decimal.units / 10n ** BigInt(decimal.decimals - 8), decimals: 8 }
      : decimal;
  const value = Number(scaleTo(kept, 8));
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`limit out of range: ${text}`);
  return value;
}

export class RiskLimits {
  readonly strategies: number;
  readonly instruments: number;
  /** Index: strategy · instruments + instrument. */
  readonly orderTickLots: Float64Array;
  readonly orderLots: Float64Array;
  readonly positionTickLots: Float64Array;
  readonly positionLots: Float64Array;
  /** Index: strategy. */
  readonly strategyWorking: Float64Array;
  readonly strategyDailyLossE8: Float64Array;
  /** Index: instrument. */
  readonly instrumentOrderTickLots: Float64Array;
  readonly instrumentOrderLots: Float64Array;
  readonly instrumentPositionTickLots: Float64Array;
  readonly instrumentPositionLots: Float64Array;
  readonly instrumentWorking: Float64Array;
  readonly unitE8: Float64Array;
  /** Of contract-value.ts; 0 = linear. */
  readonly inverse: Float64Array;
  readonly minPxTicks: Float64Array;
  readonly maxPxTicks: Float64Array;
  readonly tickStep: Float64Array;
  readonly minQtyLots: Float64Array;
  readonly maxQtyLots: Float64Array;
  readonly minNotionalTickLots: Float64Array;
  readonly percentUpE8: Float64Array;
  readonly percentDownE8: Float64Array;
  readonly trading: Uint8Array;
  /** Initial margin as a share of value, by instrument. */
  readonly marginRate: Float64Array;
  accountPositionE8: number;
  accountWorking: number;
  dailyLossSoftE8: number;
  dailyLossHardE8: number;
  maxDrawdownE8: number;
  minMarginRatio: number;
  freshnessNs: number;
  /** |px − mid| ≤ bandRatio · mid. */
  bandRatio: number;
  /** Values as setLimit takes them: strategy · STRATEGY_LIMITS.length + limit; −1 = not limited. */
  readonly strategyValues: Float64Array;
  private readonly lotE8: Float64Array;

  /**
   * `instruments[id]` for ids 1 …, `strategies[id]` likewise; element 0 of both is not used.
   * Throws RangeError with one line per problem.
   */
  constructor(
    settings: RiskSettings,
    instruments: readonly (Instrument | undefined)[],
    strategies: readonly (StrategyLimitOverrides | undefined)[],
    overrides: readonly InstrumentLimitOverrides[] = [],
  ) {
    const pairs = strategies.length * instruments.length;
    this.strategies = strategies.length;
    this.instruments = instruments.length;
    this.orderTickLots = f64(pairs).fill(MAX);
    this.orderLots = f64(pairs).fill(MAX);
    this.positionTickLots = f64(pairs).fill(MAX);
    this.positionLots = f64(pairs).fill(MAX);
    this.strategyWorking = f64(strategies.length).fill(MAX);
    this.strategyDailyLossE8 = f64(strategies.length).fill(MAX);
    this.instrumentOrderTickLots = f64(instruments.length).fill(MAX);
    this.instrumentOrderLots = f64(instruments.length).fill(MAX);
    this.instrumentPositionTickLots = f64(instruments.length).fill(MAX);
    this.instrumentPositionLots = f64(instruments.length).fill(MAX);
    this.instrumentWorking = f64(instruments.length);
    this.unitE8 = f64(instruments.length);
    this.inverse = f64(instruments.length);
    this.minPxTicks = f64(instruments.length);
    this.maxPxTicks = f64(instruments.length);
    this.tickStep = f64(instruments.length).fill(1);
    this.minQtyLots = f64(instruments.length);
    this.maxQtyLots = f64(instruments.length);
    this.minNotionalTickLots = f64(instruments.length);
    this.percentUpE8 = f64(instruments.length);
    this.percentDownE8 = f64(instruments.length);
    this.marginRate = f64(instruments.length);
    this.trading = new Uint8Array(new ArrayBuffer(Math.max(instruments.length, 4096)));
    this.lotE8 = f64(instruments.length);
    this.strategyValues = f64(strategies.length * STRATEGY_LIMITS.length).fill(-1);
    this.accountPositionE8 = textToE8(settings.account.maxPositionNotional);
    this.accountWorking = settings.account.maxWorkingOrders;
    this.dailyLossSoftE8 = textToE8(settings.account.dailyLossSoft);
    this.dailyLossHardE8 = textToE8(settings.account.dailyLossHard);
    this.maxDrawdownE8 = textToE8(settings.account.maxDrawdown);
    this.minMarginRatio = settings.account.minMarginRatio;
    this.freshnessNs = settings.freshnessMs * 1e6;
    this.bandRatio = settings.priceBandBps / 10_000;
    this.fillInstruments(settings, instruments, overrides);
    this.fillStrategies(settings, strategies);
  }

  /**
   * Sets one limit of a strategy. `value`: 1e-8 of money or base units, or a count; not negative.
   * Returns a LIMIT_… code and changes nothing unless it is LIMIT_OK.
   */
  setStrategyLimit(strategy: number, limit: number, value: number): number {
    const spec = STRATEGY_LIMITS[limit];
    if (spec === undefined || !(strategy >= 1 && strategy < this.strategies)) return LIMIT_UNKNOWN;
    if (!(value >= 0) || !Number.isSafeInteger(value)) return LIMIT_OUT_OF_RANGE;
    this.strategyValues[strategy * STRATEGY_LIMITS.length + limit] = value;
    if (limit === LIMIT_WORKING_ORDERS) this.strategyWorking[strategy] = value;
    else if (limit === LIMIT_DAILY_LOSS) this.strategyDailyLossE8[strategy] = value;
    else {
      const target = this.pairLimit(limit);
      const unit = spec.kind === "money" ? this.unitE8 : this.lotE8;
      for (let i = 1; i < this.instruments; i++)
        target[strategy * this.instruments + i] = unit[i] > 0 ? Math.floor(value / unit[i]) : MAX;
    }
    return LIMIT_OK;
  }

  /** Value as setStrategyLimit takes it; −1 = not limited. */
  strategyLimit(strategy: number, limit: number): number {
    return this.strategyValues[strategy * STRATEGY_LIMITS.length + limit];
  }

  private pairLimit(limit: number): Float64Array {
    if (limit === LIMIT_ORDER_NOTIONAL) return this.orderTickLots;
    if (limit === LIMIT_POSITION_NOTIONAL) return this.positionTickLots;
    return limit === LIMIT_ORDER_QTY ? this.orderLots : this.positionLots;
  }

  private fillInstruments(
    settings: RiskSettings,
    instruments: readonly (Instrument | undefined)[],
    overrides: readonly InstrumentLimitOverrides[],
  ): void {
    const shared = settings.instrument;
    instruments.forEach((instrument, id) => {
      if (instrument === undefined || id === 0) return;
      const own = overrides.find((o) => o.symbol === instrument.symbol);
      const unit = moneyUnit(instrument);
      this.unitE8[id] = Number(unit.mantissa) * 10 ** (8 - unit.decimals);
      this.inverse[id] = inverseScale(instrument);
      const unitsPerContract = instrument.inverse === true ? "1" : instrument.contractSize;
      this.lotE8[id] = decimalE8(instrument.lotSize) * decimalE8(unitsPerContract) * 1e-8;
      this.instrumentOrderTickLots[id] = Math.floor(
        textToE8(own?.maxOrderNotional || shared.maxOrderNotional) / this.unitE8[id],
      );
      this.instrumentPositionTickLots[id] = Math.floor(
        textToE8(own?.maxPositionNotional || shared.maxPositionNotional) / this.unitE8[id],
      );
      this.instrumentOrderLots[id] = this.lots(id, own?.maxOrderQty || shared.maxOrderQty);
      this.instrumentPositionLots[id] = this.lots(id, own?.maxPositionQty || shared.maxPositionQty);
      this.instrumentWorking[id] = own?.maxWorkingOrders || shared.maxWorkingOrders;
      const most = settings.account.maxLeverage;
      this.marginRate[id] = 1 / Math.min(most, instrument.leverage ?? most);
      this.minPxTicks[id] = instrument.minPxTicks;
      this.maxPxTicks[id] = instrument.maxPxTicks;
      this.tickStep[id] = instrument.orderTickStep;
      this.minQtyLots[id] = instrument.minQtyLots;
      this.maxQtyLots[id] = instrument.maxQtyLots;
      this.minNotionalTickLots[id] = instrument.minNotionalTickLots;
      this.percentUpE8[id] = instrument.percentUpE8;
      this.percentDownE8[id] = instrument.percentDownE8;
      this.trading[id] = instrument.trading ? 1 : 0;
    });
  }

  private lots(id: number, text: string): number {
    return text === "" ? MAX : Math.floor(textToE8(text) / this.lotE8[id]);
  }

  private fillStrategies(
    settings: RiskSettings,
    strategies: readonly (StrategyLimitOverrides | undefined)[],
  ): void {
    const shared: Record<string, number | string | boolean> = {
      max_order_notional: settings.strategy.maxOrderNotional,
      max_position_notional: settings.strategy.maxPositionNotional,
      max_working_orders: settings.strategy.maxWorkingOrders,
      daily_loss: settings.strategy.dailyLoss,
    };
    const problems: string[] = [];
    strategies.forEach((strategy, id) => {
      if (strategy === undefined || id === 0) return;
      for (const [name, given] of Object.entries({ ...shared, ...strategy.limits })) {
        const limit = STRATEGY_LIMITS.findIndex((spec) => spec.name === name);
        const value = limit < 0 ? Number.NaN : limitValue(STRATEGY_LIMITS[limit], given);
        if (limit >= 0 && this.setStrategyLimit(id, limit, value) === LIMIT_OK) continue;
        const expected = limit < 0 ? STRATEGY_LIMITS.map((s) => s.name).join(", ") : "a number ≥ 0";
        problems.push(`strategy ${strategy.name}: limits.${name} = ${given}: expected ${expected}`);
      }
    });
    if (problems.length > 0) throw new RangeError(problems.join("\n"));
  }
}

const decimalE8 = (text: string): number => {
  const decimal = parseDecimal(text);
  return Number(decimal.units) * 10 ** (8 - decimal.decimals);
};

/** NaN when it cannot be one. */
function limitValue(spec: LimitSpec, given: number | string | boolean): number {
  if (typeof given === "boolean") return Number.NaN;
  if (spec.kind === "count") return Number(given);
  try {
    return textToE8(String(given));
  } catch {
    return Number.NaN;
  }
}
