// A seeded market as hftbacktest rows, and as plain events for naive oracles.
import { Prng } from "../../../src/core/prng.ts";
import { EV_BUY, EV_EXCH, EV_LOCAL, EV_SELL, KIND_DEPTH, KIND_TRADE } from "../../../src/data/event-codes.ts";
import { EventTable } from "../../../src/data/event-table.ts";

export const TICK = 0.1;
export const LOT = 0.001;
export const BASE_NS = 1_723_161_600_000_000_000n;

export interface MarketEvent {
  /** ns since BASE_NS. */
  readonly tsNs: number;
  readonly levels: readonly (readonly [side: number, ticks: number, lots: number])[];
  readonly trades: readonly (readonly [ticks: number, lots: number, side: number])[];
}

/** Books that stay two-sided mostly, with deletions at the touch, gaps in time and bursts of trades. */
export function randomMarket(seed: number, events: number): MarketEvent[] {
  const prng = new Prng(seed);
  let mid = 600_000 + prng.nextBelow(1_000);
  let tsNs = 5_000_000_000;
  return Array.from({ length: events }, (_, n) => {
    tsNs += 1 + prng.nextBelow(prng.nextBelow(10) === 0 ? 900_000_000 : 60_000_000);
    mid += prng.nextBelow(5) - 2;
    const levels: [number, number, number][] = [];
    const trades: [number, number, number][] = [];
    const kind = prng.nextBelow(10);
    if (n === 0 || kind < 7) {
      for (let k = n === 0 ? 40 : prng.nextBelow(8); k >= 0; k--) {
        const side = k % 2 === 0 ? 1 : -1;
        const far = prng.nextBelow(6) === 0 ? 900 : 12;
        const px = mid - side * (1 + prng.nextBelow(far));
        levels.push([side, px, n > 0 && prng.nextBelow(3) === 0 ? 0 : 1 + prng.nextBelow(3_000)]);
      }
      // Levels of the other side that the walk has passed are gone, as on a venue.
      for (let d = 0; d < 14; d++) levels.push([1, mid + d, 0], [-1, mid - d, 0]);
    }
    if (n > 0 && kind >= 6) {
      for (let k = prng.nextBelow(3); k >= 0; k--) {
        trades.push([mid + prng.nextBelow(3) - 1, 1 + prng.nextBelow(500), prng.nextBelow(2) === 0 ? 1 : -1]);
      }
    }
    return { tsNs, levels, trades };
  });
}

export function toRows(events: readonly MarketEvent[]): Uint8Array {
  const table = new EventTable();
  const both = EV_EXCH | EV_LOCAL;
  for (const { tsNs, levels, trades } of events) {
    const local = BASE_NS + BigInt(tsNs);
    const exch = local - 1_000n;
    const side = (s: number): number => (s > 0 ? EV_BUY : EV_SELL);
    for (const [s, ticks, lots] of levels) {
      table.append(both | side(s) | KIND_DEPTH, exch, local, ticks * TICK, lots * LOT);
    }
    for (const [ticks, lots, s] of trades) {
      table.append(both | side(s) | KIND_TRADE, exch, local, ticks * TICK, lots * LOT);
    }
  }
  return table.bytes;
}
