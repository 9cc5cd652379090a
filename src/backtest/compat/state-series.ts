// The state of a backtest over time, as hftbacktest's recorder keeps it: one row per call and asset. Columns grow
// in typed arrays; csv has shortest round-trip doubles and exact times.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { CompatBacktest } from "./compat-backtest.ts";

export const STATE_COLUMNS = [
  "timestamp",
  "price",
  "position",
  "balance",
  "fee",
  "num_trades",
  "trading_volume",
  "trading_value",
  "equity",
] as const;

const WIDTH = STATE_COLUMNS.length;
const LINES_PER_WRITE = 4096;

export class StateSeries {
  rows = 0;
  private values = new Float64Array(1024 * WIDTH);
  private readonly backtest: CompatBacktest;
  private readonly asset: number;

  constructor(backtest: CompatBacktest, asset: number) {
    this.backtest = backtest;
    this.asset = asset;
  }

  /** Appends the present state; price = mid, NaN on an empty side. */
  record(): void {
    if ((this.rows + 1) * WIDTH > this.values.length) {
      const grown = new Float64Array(this.values.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    const { backtest, asset } = this;
    const depth = backtest.depth(asset);
    const state = backtest.stateValues(asset);
    const price = (depth.bestBid + depth.bestAsk) / 2;
    const at = this.rows++ * WIDTH;
    const to = this.values;
    to[at] = backtest.currentTsNs;
    to[at + 1] = price;
    to[at + 2] = state.position;
    to[at + 3] = state.balance;
    to[at + 4] = state.fee;
    to[at + 5] = state.numTrades;
    to[at + 6] = state.tradingVolume;
    to[at + 7] = state.tradingValue;
    to[at + 8] = backtest.equity(asset, price);
  }

  /** The last recorded equity that is a number, NaN when there is none. */
  get lastEquity(): number {
    for (let row = this.rows - 1; row >= 0; row--) {
      const equity = this.values[row * WIDTH + 8]!;
      if (!Number.isNaN(equity)) return equity;
    }
    return Number.NaN;
  }

  async writeCsv(path: string): Promise<void> {
    const out = createWriteStream(path);
    out.write(`${STATE_COLUMNS.join(",")}\n`);
    for (let row = 0; row < this.rows; row += LINES_PER_WRITE) {
      let text = "";
      for (let i = row; i < Math.min(this.rows, row + LINES_PER_WRITE); i++) text += this.line(i);
      if (!out.write(text)) await once(out, "drain");
    }
    out.end();
    await once(out, "finish");
  }

  private line(row: number): string {
    const at = row * WIDTH;
    let text = String(this.backtest.toUnixNs(this.values[at]!));
    for (let i = 1; i < WIDTH; i++) {
      const value = this.values[at + i]!;
      text += `,${Number.isNaN(value) ? "" : Object.is(value, -0) ? "-0" : value}`;
    }
    return `${text}\n`;
  }
}
