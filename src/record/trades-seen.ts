// Which executions have a row already: a trade may come from the stream and again from the venue's history. Kept per
// symbol: the last 2048 ids, and below the lowest of them everything counts as seen (venues count upwards).
const KEPT = 2048;

/** By symbol: decimal ids, comma-separated, in the order they came. */
export type SavedTrades = Readonly<Record<string, string>>;

export class TradesSeen {
  private readonly bySymbol = new Map<string, Set<bigint>>();

  /** True the first time an id is shown. */
  take(symbol: string, id: bigint): boolean {
    let seen = this.bySymbol.get(symbol);
    if (seen === undefined) {
      seen = new Set();
      this.bySymbol.set(symbol, seen);
    }
    if (seen.has(id)) return false;
    if (seen.size >= KEPT) {
      const oldest = seen.values().next().value!;
      if (id < oldest) return false;
      seen.delete(oldest);
    }
    seen.add(id);
    return true;
  }

  save(): SavedTrades {
    return Object.fromEntries([...this.bySymbol].map(([symbol, ids]) => [symbol, [...ids].join(",")]));
  }

  restore(saved: SavedTrades): void {
    this.bySymbol.clear();
    for (const [symbol, ids] of Object.entries(saved))
      this.bySymbol.set(symbol, new Set(ids === "" ? [] : ids.split(",").map(BigInt)));
  }
}
