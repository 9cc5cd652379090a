// The last mids of each instrument by venue time, so that a fill finds the mid at the moment of its trade. Fed by
// Bbo records in WAL order.
const KEPT = 64;

/** By symbol: [exchTsNs, midTicks, …], oldest first; times in session ns. */
export type SavedMids = Readonly<Record<string, readonly number[]>>;

class Mids {
  readonly timesNs = new Float64Array(KEPT);
  readonly ticks = new Float64Array(KEPT);
  next = 0;
}

export class MidHistory {
  private readonly bySymbol = new Map<string, Mids>();

  add(symbol: string, exchTsNs: number, midTicks: number): void {
    let mids = this.bySymbol.get(symbol);
    if (mids === undefined) {
      mids = new Mids();
      this.bySymbol.set(symbol, mids);
    }
    const slot = mids.next % KEPT;
    mids.timesNs[slot] = exchTsNs;
    mids.ticks[slot] = midTicks;
    mids.next++;
  }

  /** The last mid not later than the venue time, else the oldest kept; NaN when none is known. */
  at(symbol: string, exchTsNs: number): number {
    const mids = this.bySymbol.get(symbol);
    if (mids === undefined) return Number.NaN;
    const oldest = Math.max(0, mids.next - KEPT);
    for (let i = mids.next - 1; i >= oldest; i--)
      if (mids.timesNs[i % KEPT]! <= exchTsNs || i === oldest) return mids.ticks[i % KEPT]!;
    return Number.NaN;
  }

  save(): SavedMids {
    const saved: Record<string, number[]> = {};
    for (const [symbol, mids] of this.bySymbol) {
      const pairs: number[] = [];
      for (let i = Math.max(0, mids.next - KEPT); i < mids.next; i++)
        pairs.push(mids.timesNs[i % KEPT]!, mids.ticks[i % KEPT]!);
      saved[symbol] = pairs;
    }
    return saved;
  }

  restore(saved: SavedMids): void {
    this.bySymbol.clear();
    for (const [symbol, pairs] of Object.entries(saved))
      for (let i = 0; i < pairs.length; i += 2) this.add(symbol, pairs[i]!, pairs[i + 1]!);
  }

  rebase(deltaNs: number): void {
    for (const mids of this.bySymbol.values())
      for (let i = 0; i < KEPT; i++) mids.timesNs[i] = mids.timesNs[i]! + deltaNs;
  }
}
