// Which ticks of a book's window have a level: one bit per tick, per 32 ticks and per 1,024 ticks; bids first,
// then asks. Hot: factor lane; 0 bytes; a search reads at most five words.

export class TickBitmap {
  /** One bit per tick of the window, bids then asks. Who writes a word calls `summarize` when it became or was 0. */
  readonly words: Int32Array;
  private readonly bits1: Int32Array;
  private readonly bits2: Int32Array;
  private readonly sideWords: number;
  private readonly sideSummaries: number;

  /** `ticks` of one side: power of two, 1,024 … 32,768 = 32^3. */
  constructor(ticks: number) {
    this.words = new Int32Array((2 * ticks) >> 5);
    this.bits1 = new Int32Array((2 * ticks) >> 10);
    this.bits2 = new Int32Array(2);
    this.sideWords = ticks >> 5;
    this.sideSummaries = ticks >> 10;
  }

  get bytes(): number {
    return this.words.byteLength + this.bits1.byteLength + this.bits2.byteLength;
  }

  /** `at`: index of the tick, asks behind all bids. */
  mark(at: number): void {
    this.words[at >>> 5] |= 1 << at;
    this.summarize(at >>> 5);
  }

  unmark(at: number): void {
    this.words[at >>> 5] &= ~(1 << at);
    if (this.words[at >>> 5] === 0) this.summarize(at >>> 5);
  }

  /** Makes the summaries say what word `w` is. */
  summarize(w: number): void {
    const v = w >> 5;
    const before = this.bits1[v]!;
    const after = this.words[w] === 0 ? before & ~(1 << w) : before | (1 << w);
    this.bits1[v] = after;
    const s = v < this.sideSummaries ? 0 : 1;
    const bit = 1 << (v - s * this.sideSummaries);
    this.bits2[s] = after === 0 ? this.bits2[s]! & ~bit : this.bits2[s]! | bit;
  }

  isEmpty(s: number): boolean {
    return this.bits2[s] === 0;
  }

  clear(s: number): void {
    this.words.fill(0, s * this.sideWords, (s + 1) * this.sideWords);
    this.bits1.fill(0, s * this.sideSummaries, (s + 1) * this.sideSummaries);
    this.bits2[s] = 0;
  }

  /** Highest marked index ≤ i, or −1. */
  highest(s: number, i: number): number {
    const base0 = s * this.sideWords;
    const base1 = s * this.sideSummaries;
    let w = i >> 5;
    let found = this.words[base0 + w]! & (-1 >>> (31 - (i & 31)));
    if (found !== 0) return (w << 5) + 31 - Math.clz32(found);
    let v = w >> 5;
    found = this.bits1[base1 + v]! & ((1 << (w & 31)) - 1);
    if (found === 0) {
      found = this.bits2[s]! & ((1 << v) - 1);
      if (found === 0) return -1;
      v = 31 - Math.clz32(found);
      found = this.bits1[base1 + v]!;
    }
    w = (v << 5) + 31 - Math.clz32(found);
    return (w << 5) + 31 - Math.clz32(this.words[base0 + w]!);
  }

  /** Lowest marked index ≥ i, or −1. */
  lowest(s: number, i: number): number {
    const base0 = s * this.sideWords;
    const base1 = s * this.sideSummaries;
    let w = i >> 5;
    let found = this.words[base0 + w]! & (-1 << (i & 31));
    if (found !== 0) return (w << 5) + 31 - Math.clz32(found & -found);
    let v = w >> 5;
    found = this.bits1[base1 + v]! & (-2 << (w & 31));
    if (found === 0) {
      found = this.bits2[s]! & (-2 << v);
      if (found === 0) return -1;
      v = 31 - Math.clz32(found & -found);
      found = this.bits1[base1 + v]!;
    }
    w = (v << 5) + 31 - Math.clz32(found & -found);
    found = this.words[base0 + w]!;
    return (w << 5) + 31 - Math.clz32(found & -found);
  }
}
