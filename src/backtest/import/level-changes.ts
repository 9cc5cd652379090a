// From whole books of a few levels (Hyperliquid's l2Book, Tardis' book_snapshot, Databento's mbp) to changes: levels that
// are new or have another quantity, then the levels that are gone.
import { EV_BUY, EV_SELL, KIND_DEPTH } from "../../data/event-codes.ts";
import type { EventTable } from "../../data/event-table.ts";

export type Level = readonly [px: number, qty: number];

export class LevelChanges {
  private readonly table: EventTable;
  private bids: ReadonlyMap<number, number> = new Map();
  private asks: ReadonlyMap<number, number> = new Map();

  constructor(table: EventTable) {
    this.table = table;
  }

  /** A book as it is now, best level first; levels without quantity count as absent. */
  add(exch: bigint, local: bigint, bids: readonly Level[], asks: readonly Level[]): void {
    const before = [this.bids, this.asks] as const;
    this.bids = new Map(bids.filter(([, qty]) => qty > 0));
    this.asks = new Map(asks.filter(([, qty]) => qty > 0));
    const now = [this.bids, this.asks] as const;
    const sides = [EV_BUY, EV_SELL] as const;
    for (const k of [0, 1] as const) {
      for (const [px, qty] of now[k])
        if (before[k].get(px) !== qty) this.table.append(KIND_DEPTH | sides[k], exch, local, px, qty);
    }
    for (const k of [0, 1] as const) {
      for (const px of before[k].keys())
        if (!now[k].has(px)) this.table.append(KIND_DEPTH | sides[k], exch, local, px, 0);
    }
  }
}
