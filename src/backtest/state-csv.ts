// The state series of one instrument as csv with hftbacktest's column names: shortest round-trip doubles, exact
// times, empty for NaN.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { type BacktestResult, STATE_COLUMNS, type StateColumn, type StateTable } from "./result.ts";

const COLUMNS: readonly (readonly [csv: string, column: StateColumn])[] = [
  ["price", "mid"],
  ["position", "position"],
  ["balance", "balance"],
  ["fee", "fee"],
  ["num_trades", "numTrades"],
  ["trading_volume", "tradingVolume"],
  ["trading_value", "tradingValue"],
  ["equity", "equity"],
];
const PLACES = COLUMNS.map(([, column]) => STATE_COLUMNS.indexOf(column));
const LINES_PER_WRITE = 4096;

export async function writeStateCsv(result: BacktestResult, instrument: number, path: string): Promise<void> {
  const { states, baseNs } = result;
  const out = createWriteStream(path);
  out.write(`timestamp,${COLUMNS.map(([csv]) => csv).join(",")}\n`);
  for (let from = 0; from < states.rows; from += LINES_PER_WRITE) {
    let text = "";
    for (let row = from; row < Math.min(states.rows, from + LINES_PER_WRITE); row++)
      if (states.at("instrument")[row] === instrument) text += line(states, row, baseNs);
    if (!out.write(text)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}

function line(states: StateTable, row: number, baseNs: bigint): string {
  const values = PLACES.map((place) => {
    const value = states.get(row, place);
    return Number.isNaN(value) ? "" : Object.is(value, -0) ? "-0" : String(value);
  });
  return `${baseNs + BigInt(states.at("tsNs")[row]!)},${values.join(",")}\n`;
}

/** The last equity of an instrument that is a number, NaN when there is none. */
export function lastEquity(states: StateTable, instrument: number): number {
  const [equity, of] = [states.at("equity"), states.at("instrument")];
  for (let row = states.rows - 1; row >= 0; row--)
    if (of[row] === instrument && !Number.isNaN(equity[row]!)) return equity[row]!;
  return Number.NaN;
}
