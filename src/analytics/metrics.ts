// The figures of a run, per instrument and for the whole of each settlement currency. Definitions, units and
// annualisation: docs/analytics.md. Cold.
import { ORDER_REJECTED } from "../wire/codes.ts";
import {
  type EquityCurve,
  type EquityMetrics,
  type EquityOptions,
  equityMetrics,
  ratio,
} from "./equity-metrics.ts";
import { type Spread, spreadOf } from "./quantiles.ts";
import { stateRows } from "./run-files.ts";
import { MARK_OUT_NS, type ResultInstrument, type RunResult } from "./run-result.ts";

export const MARK_OUT_NAMES = ["100 ms", "1 s", "10 s"] as const;
const DAY_NS = 86_400e9;

/** What was traded. Values in the settlement currency. */
export interface ActivityMetrics {
  readonly orders: number;
  readonly fills: number;
  /** Orders with a fill ÷ orders that the exchange took. */
  readonly fillRate: number;
  /** Quantity filled ÷ quantity that the exchange took. */
  readonly qtyFillRate: number;
  readonly turnover: number;
  readonly turnoverPerDay: number;
  /** Share of the turnover that was made as maker. */
  readonly makerShare: number;
  readonly fees: number;
  /** Mean gain in bps of value at 100 ms, 1 s, 10 s after a fill, weighted by value. */
  readonly markOutsBps: readonly number[];
  readonly queueWaitNs: Spread;
  /** Request → exchange, exchange → answer, both. */
  readonly entryNs: Spread;
  readonly responseNs: Spread;
  readonly roundTripNs: Spread;
}

/** Of the position, weighted by the time it was held; base units (contracts). */
export interface InventoryMetrics {
  readonly mean: number;
  readonly meanAbs: number;
  readonly maxAbs: number;
  /** Share of time without a position. */
  readonly flatShare: number;
  readonly end: number;
}

export interface InstrumentMetrics {
  readonly symbol: string;
  readonly currency: string;
  readonly equity: EquityMetrics;
  readonly activity: ActivityMetrics;
  readonly inventory: InventoryMetrics;
}

export interface CurrencyMetrics {
  readonly currency: string;
  readonly equity: EquityMetrics;
  readonly activity: ActivityMetrics;
}

export interface RunMetrics {
  readonly days: number;
  readonly instruments: readonly InstrumentMetrics[];
  /** One per settlement currency, over all its instruments. */
  readonly totals: readonly CurrencyMetrics[];
}

export function runMetrics(result: RunResult, options: EquityOptions): RunMetrics {
  const days = (result.endTsNs - result.startTsNs) / DAY_NS;
  const instruments = result.instruments.map((one) => ({
    symbol: one.symbol,
    currency: one.currency,
    equity: equityMetrics(equityCurve(result, [one]), options),
    activity: activity(result, [one], days),
    inventory: inventory(result, one),
  }));
  const currencies = [...new Set(result.instruments.map((i) => i.currency))];
  const totals = currencies.map((currency) => {
    const members = result.instruments.filter((i) => i.currency === currency);
    return {
      currency,
      equity: equityMetrics(equityCurve(result, members), options),
      activity: activity(result, members, days),
    };
  });
  return { days, instruments, totals };
}

/** Sum over instruments at each instant; while a mid is unknown the instrument's last value stands (0 before any). */
export function equityCurve(result: RunResult, members: readonly ResultInstrument[]): EquityCurve {
  const { states } = result;
  const [ts, of, equity] = [states.values("tsNs"), states.values("instrument"), states.values("equity")];
  const last = new Float64Array(result.instruments.length);
  const wanted = new Set(members.map((m) => m.index));
  const tsNs: number[] = [];
  const sums: number[] = [];
  for (let row = 0; row < states.rows; row++) {
    const instrument = of[row]!;
    if (!wanted.has(instrument)) continue;
    if (!Number.isNaN(equity[row]!)) last[instrument] = equity[row]!;
    const at = tsNs.length > 0 && tsNs[tsNs.length - 1] === ts[row] ? tsNs.length - 1 : tsNs.length;
    tsNs[at] = ts[row]!;
    sums[at] = last.reduce((a, b) => a + b, 0);
  }
  return { tsNs: Float64Array.from(tsNs), equity: Float64Array.from(sums) };
}

/** Value of a fill's quantity at a price in ticks, settlement currency. */
export function valueOfLots(instrument: ResultInstrument, pxTicks: number, lots: number): number {
  const price = pxTicks * instrument.tickSize;
  const qty = lots * instrument.lotSize * instrument.contractSize;
  return instrument.kind === "linear" ? price * qty : qty / price;
}

function activity(result: RunResult, members: readonly ResultInstrument[], days: number): ActivityMetrics {
  const wanted = new Set(members.map((m) => m.index));
  return { ...ordersOf(result, wanted), ...fillsOf(result, wanted, days) };
}

type OrderMetrics = Pick<
  ActivityMetrics,
  "orders" | "fillRate" | "qtyFillRate" | "entryNs" | "responseNs" | "roundTripNs"
>;

function ordersOf(result: RunResult, wanted: ReadonlySet<number>): OrderMetrics {
  const { orders } = result;
  const [of, state] = [orders.values("instrument"), orders.values("state")];
  const [qty, filled] = [orders.values("qtyLots"), orders.values("filledLots")];
  const [sent, exch, answered] = [
    orders.values("requestTsNs"),
    orders.values("exchTsNs"),
    orders.values("responseTsNs"),
  ];
  let [count, taken, withFill, takenLots, filledLots] = [0, 0, 0, 0, 0];
  const [entry, response, roundTrip]: number[][] = [[], [], []];
  for (let row = 0; row < orders.rows; row++) {
    if (!wanted.has(of[row]!)) continue;
    count++;
    if (Number.isNaN(exch[row]!)) continue;
    entry!.push(exch[row]! - sent[row]!);
    response!.push(answered[row]! - exch[row]!);
    roundTrip!.push(answered[row]! - sent[row]!);
    if (state[row] === ORDER_REJECTED) continue;
    taken++;
    takenLots += qty[row]!;
    filledLots += filled[row]!;
    if (filled[row]! > 0) withFill++;
  }
  return {
    orders: count,
    fillRate: ratio(withFill, taken),
    qtyFillRate: ratio(filledLots, takenLots),
    entryNs: spreadOf(entry!),
    responseNs: spreadOf(response!),
    roundTripNs: spreadOf(roundTrip!),
  };
}

type FillMetrics = Omit<ActivityMetrics, keyof OrderMetrics>;

function fillsOf(result: RunResult, wanted: ReadonlySet<number>, days: number): FillMetrics {
  const { fills, instruments } = result;
  const column = (name: (typeof fills.names)[number]): Float64Array => fills.values(name);
  const [of, px, lots] = [column("instrument"), column("pxTicks"), column("qtyLots")];
  const [maker, fee, wait] = [column("maker"), column("fee"), column("queueWaitNs")];
  const gains = new MarkOuts(result);
  let [count, turnover, made, fees] = [0, 0, 0, 0];
  const waits: number[] = [];
  for (let row = 0; row < fills.rows; row++) {
    if (!wanted.has(of[row]!)) continue;
    count++;
    const value = valueOfLots(instruments[of[row]!]!, px[row]!, lots[row]!);
    turnover += value;
    if (maker[row] === 1) made += value;
    if (!Number.isNaN(fee[row]!)) fees += fee[row]!;
    waits.push(wait[row]!);
    gains.add(row, value);
  }
  return {
    fills: count,
    turnover,
    turnoverPerDay: ratio(turnover, days),
    makerShare: ratio(made, turnover),
    fees,
    markOutsBps: gains.meanBps(),
    queueWaitNs: spreadOf(waits),
  };
}

/** Gains after fills: side · (mid(t + h) − price) / price, weighted by value, over fills whose horizon is covered. */
class MarkOuts {
  private readonly side: Float64Array;
  private readonly px: Float64Array;
  private readonly mids: readonly Float64Array[];
  private readonly weighted = MARK_OUT_NS.map(() => 0);
  private readonly weight = MARK_OUT_NS.map(() => 0);

  constructor({ fills }: RunResult) {
    this.side = fills.values("side");
    this.px = fills.values("pxTicks");
    this.mids = [fills.values("mid100msTicks"), fills.values("mid1sTicks"), fills.values("mid10sTicks")];
  }

  add(row: number, value: number): void {
    for (let h = 0; h < this.mids.length; h++) {
      const mid = this.mids[h]![row]!;
      if (Number.isNaN(mid)) continue;
      this.weighted[h]! += (value * this.side[row]! * (mid - this.px[row]!)) / this.px[row]!;
      this.weight[h]! += value;
    }
  }

  meanBps(): number[] {
    return this.weighted.map((sum, h) => ratio(sum, this.weight[h]!) * 1e4);
  }
}

function inventory(result: RunResult, one: ResultInstrument): InventoryMetrics {
  const rows = stateRows(result, one.index);
  const [ts, position] = [result.states.values("tsNs"), result.states.values("position")];
  let [time, signed, absolute, flat, maxAbs, end] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < rows.length; i++) {
    end = position[rows[i]!]!;
    maxAbs = Math.max(maxAbs, Math.abs(end));
    if (i + 1 === rows.length) break;
    const held = ts[rows[i + 1]!]! - ts[rows[i]!]!;
    time += held;
    signed += held * end;
    absolute += held * Math.abs(end);
    if (end === 0) flat += held;
  }
  return {
    mean: ratio(signed, time),
    meanAbs: ratio(absolute, time),
    maxAbs,
    flatShare: ratio(flat, time),
    end,
  };
}
