// The account of a recorded session at the instants of a grid: what was held, paid and gained, from fills, funding and
// mids. Cold.
import { makeTables, type ResultInstrument, type RunResult } from "../../analytics/run-result.ts";
import type { OpeningPosition } from "../../analytics/session-facts.ts";
import type { SessionFold } from "./session-fold.ts";

/** The state series has a row each second, or fewer when the session is long. */
const STATE_NS = 1e9;
const STATES_MAX = 20_000;

export function stateGrid(firstNs: number, lastNs: number): Float64Array {
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
export function makeStates(
  instruments: readonly ResultInstrument[],
  fold: Pick<SessionFold, "tables" | "opening" | "funded">,
  grid: Float64Array,
  mids: readonly Float64Array[],
) {
  const { states } = makeTables();
  const { fills } = fold.tables;
  const held = instruments.map((one, i) => openHeld(one, fold.opening, mids[i]!));
  const at = fills.values("exchTsNs");
  const paid = [...fold.funded].sort((a, b) => a.tsNs - b.tsNs);
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
