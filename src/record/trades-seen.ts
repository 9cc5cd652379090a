// Which executions have a row already: a trade may come from the stream and again from the venue's history. Kept per
// symbol: the last 2048 ids, and what is below the oldest of them counts as seen (venues count upwards).
const KEPT = 2048;

/** By symbol: low and high words of the ids, in the order they came. */
export type SavedTrades = Readonly<Record<string, readonly number[]>>;

class Seen {
  /** Low words by high word. */
  readonly ids = new Map<number, Set<number>>();
  /** Ring of the ids in the order they came. */
  readonly low = new Uint32Array(KEPT);
  readonly high = new Uint32Array(KEPT);
  count = 0;

  has(low: number, high: number): boolean {
    return this.ids.get(high)?.has(low) === true;
  }

  add(low: number, high: number): void {
    const slot = this.count % KEPT;
    if (this.count >= KEPT) this.drop(this.low[slot]!, this.high[slot]!);
    this.low[slot] = low;
    this.high[slot] = high;
    this.count++;
    const lows = this.ids.get(high);
    if (lows === undefined) this.ids.set(high, new Set([low]));
    else lows.add(low);
  }

  /** Below the oldest id that is still kept, once ids have been dropped. */
  isBelow(low: number, high: number): boolean {
    if (this.count < KEPT) return false;
    const oldest = this.count % KEPT;
    return high < this.high[oldest]! || (high === this.high[oldest]! && low < this.low[oldest]!);
  }

  private drop(low: number, high: number): void {
    const lows = this.ids.get(high)!;
    lows.delete(low);
    if (lows.size === 0) this.ids.delete(high);
  }
}

export class TradesSeen {
  private readonly bySymbol = new Map<string, Seen>();

  /** True the first time an id is shown. */
  take(symbol: string, low: number, high: number): boolean {
    let seen = this.bySymbol.get(symbol);
    if (seen === undefined) {
      seen = new Seen();
      this.bySymbol.set(symbol, seen);
    }
    if (seen.has(low, high) || seen.isBelow(low, high)) return false;
    seen.add(low, high);
    return true;
  }

  save(): SavedTrades {
    const saved: Record<string, number[]> = {};
    for (const [symbol, { low, high, count }] of this.bySymbol) {
      const words: number[] = [];
      for (let i = Math.max(0, count - KEPT); i < count; i++) words.push(low[i % KEPT]!, high[i % KEPT]!);
      saved[symbol] = words;
    }
    return saved;
  }

  restore(saved: SavedTrades): void {
    this.bySymbol.clear();
    for (const [symbol, words] of Object.entries(saved)) {
      const seen = new Seen();
      for (let i = 0; i < words.length; i += 2) seen.add(words[i]!, words[i + 1]!);
      this.bySymbol.set(symbol, seen);
    }
  }
}
