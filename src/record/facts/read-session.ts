// A recorded session (or all of a data directory) as facts for analysis: two passes over its WAL. Cold; memory grows
// with orders and fills, not with the market data.
import { makeTables, type ResultInstrument, type RunResult } from "../../analytics/run-result.ts";
import {
  CURVE_NS,
  type HourMids,
  hourOf,
  type OpeningPosition,
  type SessionFacts,
} from "../../analytics/session-facts.ts";
import { allocateRecordMemory } from "../../core/record.ts";
import { readManifests } from "../../journal/session-manifest.ts";
import { readRecords } from "../../journal/wal-reader.ts";
import { MARKET_KINDS, MarketPass } from "./market-pass.ts";
import { Names, OrdersPass, type PassOptions } from "./orders-pass.ts";

export interface SessionRange {
  /** ns since the Unix epoch; null = open. */
  readonly from: bigint | null;
  readonly to: bigint | null;
  /** null = all. */
  readonly strategy: string | null;
}

const HOUR_NS = 3600e9;
/** Columns of the fill table that are points of the mark-out curve. */
const FILL_CURVE = [
  ["mid100msTicks", 100e6],
  ["mid1sTicks", 1e9],
  ["mid10sTicks", 10e9],
] as const;
/** The state series has a row each second, or fewer when the session is long. */
const STATE_NS = 1e9;
const STATES_MAX = 20_000;

/** `walDir`: the directory of the segments. Throws the file system's error; RangeError: nothing of it is in range. */
export function readSession(walDir: string, range: SessionRange): SessionFacts {
  const manifests = readManifests(walDir).bySession;
  if (manifests.size === 0) throw new RangeError(`${walDir}: no session is recorded here`);
  const bases = [...manifests.values()].map((m) => BigInt(m.baseNs));
  const baseNs = bases.sort((a, b) => (a < b ? -1 : 1))[0]!;
  const options: PassOptions = {
    baseNs,
    fromNs: range.from === null ? Number.NEGATIVE_INFINITY : Number(range.from - baseNs),
    toNs: range.to === null ? Number.POSITIVE_INFINITY : Number(range.to - baseNs),
    strategy: range.strategy,
    manifests,
  };
  const names = new Names(options);
  if (range.strategy !== null && !names.strategies.includes(range.strategy))
    throw new RangeError(
      `no strategy ${range.strategy} is recorded here; there are ${names.strategies.join(", ")}`,
    );
  const pass = new OrdersPass(names, options);
  const read = readRecords(walDir, pass, pass.place);
  if (!(pass.lastNs >= pass.firstNs))
    throw new RangeError(`${walDir}: no record lies between --from and --to`);
  sortFills(pass);
  const notes = read.problems.map((p) => `WAL: ${p.kind} in ${p.file}: ${p.reason}`);
  if (pass.gaps > 0) notes.push(`${pass.gaps} records did not fit the journal and are missing`);
  return withMarket(walDir, names, pass, options, notes);
}

function withMarket(
  walDir: string,
  names: Names,
  pass: OrdersPass,
  options: PassOptions,
  notes: string[],
): SessionFacts {
  const { requests, tables, firstNs, lastNs } = pass;
  const { fills, orders } = tables;
  const market = new MarketPass(
    names,
    requests.values("triggerNs"),
    requests.values("eventExchNs"),
    allocateRecordMemory(1),
  );
  const curveTicks = CURVE_NS.map(() => new Float64Array(fills.rows));
  const [of, at, mid] = [fills.values("instrument"), fills.values("exchTsNs"), fills.values("mid0Ticks")];
  for (let row = 0; row < fills.rows; row++) {
    market.want(of[row]!, at[row]!, mid, row);
    for (const [h, ns] of CURVE_NS.entries()) market.want(of[row]!, at[row]! + ns, curveTicks[h]!, row);
  }
  const arrivalTicks = new Float64Array(orders.rows);
  const [on, arrived] = [orders.values("instrument"), orders.values("exchTsNs")];
  for (let row = 0; row < orders.rows; row++) market.want(on[row]!, arrived[row]!, arrivalTicks, row);
  const hourMids = names.instruments.map((one) => wantHours(market, one.index, firstNs, lastNs));
  const grid = stateGrid(firstNs, lastNs);
  const gridMids = names.instruments.map((one) => {
    const mids = new Float64Array(grid.length);
    for (let i = 0; i < grid.length; i++) market.want(one.index, grid[i]!, mids, i, true);
    return mids;
  });
  market.start();
  readRecords(walDir, market, market.place, { kinds: MARKET_KINDS });
  market.end();
  for (const [h, ns] of CURVE_NS.entries()) {
    const column = FILL_CURVE.find(([, horizon]) => horizon === ns);
    if (column !== undefined) fills.values(column[0]).set(curveTicks[h]!);
  }
  for (const one of names.instruments) {
    if (market.quotes[one.index] === 0)
      notes.push(
        `${one.symbol}: no best bid and offer is journalled, so nothing can be held against the mid`,
      );
    const { ticks } = hourMids[one.index]!;
    if (Number.isNaN(ticks[0]!)) ticks[0] = market.firstMid(one.index);
  }
  const states = makeStates(names.instruments, pass, grid, gridMids);
  const result: RunResult = {
    mode: "session",
    baseNs: options.baseNs,
    startTsNs: firstNs,
    endTsNs: lastNs,
    rows: market.records,
    instruments: names.instruments,
    strategies: names.strategies,
    startBalance: {},
    states,
    orders,
    fills,
    returnCode: null,
    failure: null,
  };
  return {
    result,
    requests,
    orderMids: { decisionTicks: Float64Array.from(pass.decisionTicks), arrivalTicks },
    orderOfFill: Int32Array.from(pass.orderOfFill),
    curveTicks,
    opening: pass.opening,
    hourMids,
    funding: pass.funding,
    feed: market.feedLatency,
    signals: new Map(),
    notes,
  };
}

/** Recovered fills come late: the table is in the order of venue time. */
function sortFills(pass: OrdersPass): void {
  const { fills } = pass.tables;
  const at = fills.values("exchTsNs");
  const order = Uint32Array.from(at, (_, row) => row).sort((a, b) => at[a]! - at[b]! || a - b);
  for (const name of fills.names) {
    const column = fills.values(name);
    column.set(Float64Array.from(order, (row) => column[row]!));
  }
  const orders = [...pass.orderOfFill];
  for (const [row, from] of order.entries()) pass.orderOfFill[row] = orders[from]!;
}

function wantHours(market: MarketPass, instrument: number, firstNs: number, lastNs: number): HourMids {
  const times = [firstNs];
  for (let hour = hourOf(firstNs) + 1; hour * HOUR_NS < lastNs; hour++) times.push(hour * HOUR_NS);
  times.push(lastNs);
  const ticks = new Float64Array(times.length);
  for (const [i, tsNs] of times.entries()) market.want(instrument, tsNs, ticks, i, true);
  return { timesNs: Float64Array.from(times), ticks };
}

function stateGrid(firstNs: number, lastNs: number): Float64Array {
  const interval = Math.max(STATE_NS, Math.ceil((lastNs - firstNs) / STATES_MAX / STATE_NS) * STATE_NS);
  const rows = Math.floor((lastNs - firstNs) / interval) + 2;
  return Float64Array.from({ length: rows }, (_, i) => Math.min(firstNs + i * interval, lastNs));
}

/** Money that a signed quantity costs at a price, settlement currency; of inverse contracts as their coin moves. */
function costOf(one: ResultInstrument, lots: number, ticks: number): number {
  const qty = lots * one.lotSize * one.contractSize;
  const price = ticks * one.tickSize;
  return one.kind === "linear" ? qty * price : -qty / price;
}

interface Held {
  lots: number;
  /** Value of what was held at the start: equity counts from there. */
  opening: number;
  balance: number;
  fee: number;
  funding: number;
  trades: number;
  volume: number;
  value: number;
}

/** The account at the instants of the grid, strategies together; equity is what was gained since the start. */
function makeStates(
  instruments: readonly ResultInstrument[],
  pass: Pick<OrdersPass, "tables" | "opening" | "funding">,
  grid: Float64Array,
  mids: readonly Float64Array[],
) {
  const { states } = makeTables();
  const { fills } = pass.tables;
  const held = instruments.map((one, i) => openHeld(one, pass.opening, mids[i]!));
  const at = fills.values("exchTsNs");
  const paid = [...pass.funding].sort((a, b) => a.tsNs - b.tsNs);
  let [fill, funding] = [0, 0];
  for (let row = 0; row < grid.length; row++) {
    for (; fill < fills.rows && at[fill]! <= grid[row]!; fill++) bookFill(instruments, held, fills, fill);
    for (; funding < paid.length && paid[funding]!.tsNs <= grid[row]!; funding++)
      held[paid[funding]!.instrument]!.funding += paid[funding]!.amount;
    for (const one of instruments)
      addState(states, one, held[one.index]!, grid[row]!, mids[one.index]![row]!);
  }
  return states;
}

function openHeld(one: ResultInstrument, opening: readonly OpeningPosition[], mids: Float64Array): Held {
  const lots = opening.filter((o) => o.instrument === one.index).reduce((sum, o) => sum + o.lots, 0);
  const first = mids.find((mid) => !Number.isNaN(mid)) ?? Number.NaN;
  const value = lots === 0 ? 0 : costOf(one, lots, first);
  return { lots, opening: value, balance: 0, fee: 0, funding: 0, trades: 0, volume: 0, value: 0 };
}

function bookFill(
  instruments: readonly ResultInstrument[],
  held: readonly Held[],
  fills: RunResult["fills"],
  row: number,
): void {
  const one = instruments[fills.at("instrument")[row]!]!;
  const to = held[one.index]!;
  const lots = fills.at("qtyLots")[row]!;
  const signed = fills.at("side")[row]! * lots;
  const cost = costOf(one, signed, fills.at("pxTicks")[row]!);
  const fee = fills.at("fee")[row]!;
  to.lots += signed;
  to.balance -= cost;
  to.fee += Number.isNaN(fee) ? 0 : fee;
  to.trades++;
  to.volume += lots * one.lotSize;
  to.value += Math.abs(cost);
}

function addState(
  states: RunResult["states"],
  one: ResultInstrument,
  held: Held,
  tsNs: number,
  midTicks: number,
): void {
  const row = states.add();
  const value = held.lots === 0 ? 0 : costOf(one, held.lots, midTicks);
  states.at("tsNs")[row] = tsNs;
  states.at("instrument")[row] = one.index;
  states.at("mid")[row] = midTicks * one.tickSize;
  states.at("position")[row] = held.lots * one.lotSize;
  states.at("balance")[row] = held.balance;
  states.at("fee")[row] = held.fee;
  states.at("funding")[row] = held.funding;
  states.at("numTrades")[row] = held.trades;
  states.at("tradingVolume")[row] = held.volume;
  states.at("tradingValue")[row] = held.value;
  states.at("equity")[row] = held.balance + value - held.opening - held.fee + held.funding;
}
