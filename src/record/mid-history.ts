// The last mids of each instrument by venue time, so that a fill finds the mid that stood before its trade. Fed by Bbo
// records in WAL order, which is the order of writing: quotes of before a trade may come after its fill. So a mid
// that is asked for stays open until a quote of that time or later comes, at most until the end of the chunk.
const KEPT = 64;

/** By symbol: [exchTsNs, midTicks, …], oldest first; times in session ns. */
export type SavedMids = Readonly<Record<string, readonly number[]>>;

/** The answer to a question: NaN until it is decided, and when no mid is known. */
export interface AskedMid {
  readonly exchTsNs: number;
  midTicks: number;
}

class Mids {
  readonly timesNs = new Float64Array(KEPT);
  readonly ticks = new Float64Array(KEPT);
  next = 0;
  open: AskedMid[] = [];

  /** Time does not go back: a quote of an earlier time than the one before it stands at that one's. */
  add(exchTsNs: number, midTicks: number): void {
    if (this.open.length > 0) this.decide(exchTsNs);
    const slot = this.next % KEPT;
    this.timesNs[slot] = Math.max(exchTsNs, this.lastNs);
    this.ticks[slot] = midTicks;
    this.next++;
  }

  /** Answers what lies at or before `untilNs`. */
  decide(untilNs: number): void {
    for (const asked of this.open)
      if (asked.exchTsNs <= untilNs) asked.midTicks = this.before(asked.exchTsNs);
    this.open = this.open.filter((asked) => asked.exchTsNs > untilNs);
  }

  get lastNs(): number {
    return this.next === 0 ? Number.NEGATIVE_INFINITY : this.timesNs[(this.next - 1) % KEPT]!;
  }

  /** The last mid before the venue time, else the oldest kept; NaN when none is known. */
  before(exchTsNs: number): number {
    const oldest = Math.max(0, this.next - KEPT);
    for (let i = this.next - 1; i >= oldest; i--)
      if (this.timesNs[i % KEPT]! < exchTsNs || i === oldest) return this.ticks[i % KEPT]!;
    return Number.NaN;
  }
}

export class MidHistory {
  private readonly bySymbol = new Map<string, Mids>();

  add(symbol: string, exchTsNs: number, midTicks: number): void {
    this.of(symbol).add(exchTsNs, midTicks);
  }

  /** The mid before a venue time; decided at the latest by `decideAll`. */
  ask(symbol: string, exchTsNs: number): AskedMid {
    const mids = this.of(symbol);
    const asked = { exchTsNs, midTicks: Number.NaN };
    if (mids.lastNs >= exchTsNs) asked.midTicks = mids.before(exchTsNs);
    else mids.open.push(asked);
    return asked;
  }

  /** No quote follows that the open questions could wait for. */
  decideAll(): void {
    for (const mids of this.bySymbol.values()) mids.decide(Number.POSITIVE_INFINITY);
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

  private of(symbol: string): Mids {
    let mids = this.bySymbol.get(symbol);
    if (mids === undefined) {
      mids = new Mids();
      this.bySymbol.set(symbol, mids);
    }
    return mids;
  }
}
