// Document 2's graph recomputed naively from event rows: maps, slices and two-pass formulas.
import { NaiveBook } from "../market/naive-book.ts";

export interface ExampleRow {
  readonly timestamp: bigint;
  readonly alpha: number;
  readonly volatility: number;
  readonly stopLoss: number;
}

const LOCAL = 0x4000_0000n;
const BUY = 0x2000_0000n;
const SELL = 0x1000_0000n;

function deviation(xs: readonly number[]): { mean: number; std: number } {
  const base = xs[0]!;
  if (xs.every((x) => x === base)) return { mean: base, std: 0 };
  const mean = xs.reduce((s, x) => s + (x - base), 0) / xs.length;
  return {
    mean: base + mean,
    std: Math.sqrt(xs.reduce((s, x) => s + (x - base - mean) ** 2, 0) / xs.length),
  };
}

/** `rows`: 64-byte event rows; tick 0.1, lot 0.001. */
export function exampleOracle(rows: Uint8Array): ExampleRow[] {
  const i64 = new BigInt64Array(rows.buffer, rows.byteOffset, rows.length / 8);
  const f64 = new Float64Array(rows.buffer, rows.byteOffset, rows.length / 8);
  const book = new NaiveBook();
  const out: ExampleRow[] = [];
  const [obis, returns, volatilities]: [number[], number[], number[]] = [[], [], []];
  let midBefore = NaN;
  const trigger = (timestamp: bigint): void => {
    const bid = book.bestBid() / 10;
    const ask = book.bestAsk() / 10;
    const mid = (bid + ask) / 2;
    const b = book.sumBids(Math.ceil((mid * (1 - 0.001)) / 0.1));
    const a = book.sumAsks(Math.floor((mid * (1 + 0.001)) / 0.1));
    const obi = Number.isNaN(mid) || a + b === 0 ? NaN : (b - a) / (b + a);
    if (!Number.isNaN(obi)) obis.push(obi);
    const change = mid / midBefore - 1;
    if (!Number.isNaN(mid)) midBefore = mid;
    if (!Number.isNaN(change)) returns.push(change);
    const z = deviation(obis.slice(-100));
    const alpha = Number.isNaN(obi) || obis.length < 100 ? NaN : z.std === 0 ? 0 : (obi - z.mean) / z.std;
    const volatility = Number.isNaN(change) || returns.length < 60 ? NaN : deviation(returns.slice(-60)).std;
    if (!Number.isNaN(volatility)) volatilities.push(volatility);
    const mean = volatilities.slice(-1000).reduce((s, x) => s + x, 0) / 1000;
    const fires = volatility > 3 * mean || Math.abs(change) > 3 * volatility;
    const stopLoss = Number.isNaN(volatility) || volatilities.length < 1000 ? NaN : fires ? 1 : 0;
    out.push({ timestamp, alpha, volatility, stopLoss });
  };
  let depth = false;
  for (let at = 0; at < i64.length; at += 8) {
    const ev = i64[at]!;
    if ((ev & LOCAL) === 0n) continue;
    const kind = Number(ev & 0xffn);
    if (kind === 1 || kind === 4) {
      book.apply((ev & BUY) !== 0n ? 1 : -1, Math.round(f64[at + 3]! * 10), Math.round(f64[at + 4]! * 1000));
      depth = true;
    }
    if (kind === 3) {
      const px = Math.round(f64[at + 3]! * 10);
      if ((ev & SELL) === 0n) book.clearTo(1, (ev & BUY) === 0n ? NaN : px);
      if ((ev & BUY) === 0n) book.clearTo(-1, (ev & SELL) === 0n ? NaN : px);
      depth = true;
    }
    let next = at + 8;
    while (next < i64.length && (i64[next]! & LOCAL) === 0n) next += 8;
    const ends = next >= i64.length || i64[next + 1] !== i64[at + 1] || i64[next + 2] !== i64[at + 2];
    if (ends && depth) trigger(i64[at + 2]!);
    if (ends) depth = false;
  }
  return out;
}
