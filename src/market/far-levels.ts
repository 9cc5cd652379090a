// Levels of one book side that lie outside the dense window, sorted by tick in two flat arrays.
// Hot: factor lane (and execution, for orderbook subscribers); 0 bytes unless it has to grow (counted);
// O(log n) to find, less where a level was found lately; one memmove of the smaller-distance part to insert.
//
// The same far levels come and go again and again (6 % of a feed's levels, among few ticks): a removed one keeps its
// place with quantity 0 until GONE_MAX of them are swept out, and a small table remembers where a key stood.
//
// Ascending in `direction · tick` (bids +1, asks −1), so the levels nearest to the touch are at the end and
// re-centring, which takes from or adds to that end, moves next to nothing.

/** Removed levels that keep their places: bounds what a search may have to step over, and a sweep's rarity. */
const GONE_MAX = 512;
/** Keys whose last place is remembered, by their lowest bits. */
const PLACES = 1024;

export class FarLevels {
  private readonly direction: number;
  /** direction · tick, ascending. */
  private keys: Float64Array;
  private qtys: Float64Array;
  private readonly places: Int32Array;
  private gone: number;
  /** Places in use, those of removed levels among them. */
  count: number;
  /** How often the arrays had to be enlarged after start; each is one allocation on the lane. */
  growths: number;

  /** `direction`: +1 bids, −1 asks. `capacity`: levels held before the first growth. */
  constructor(direction: number, capacity: number) {
    this.direction = direction;
    this.keys = new Float64Array(capacity);
    this.qtys = new Float64Array(capacity);
    this.places = new Int32Array(PLACES);
    this.gone = 0;
    this.count = 0;
    this.growths = 0;
  }

  get bytes(): number {
    return this.keys.byteLength + this.qtys.byteLength + this.places.byteLength;
  }

  clear(): void {
    this.count = 0;
    this.gone = 0;
  }

  /** As lowerBound. */
  private placeOf(key: number): number {
    const { keys, places } = this;
    const remembered = places[key & (PLACES - 1)]!;
    if (remembered < this.count && keys[remembered] === key) return remembered;
    const place = this.lowerBound(key);
    places[key & (PLACES - 1)] = place;
    return place;
  }

  /** First index whose key is ≥ `key`. No branch hangs on a comparison: each would be mispredicted half the time. */
  private lowerBound(key: number): number {
    const keys = this.keys;
    let low = 0;
    let left = this.count;
    while (left > 0) {
      const half = (left + 1) >>> 1;
      low += half & -(keys[low + half - 1]! < key);
      left -= half;
    }
    return low;
  }

  qtyAt(tick: number): number {
    const key = tick * this.direction;
    const i = this.placeOf(key);
    return i < this.count && this.keys[i] === key ? this.qtys[i]! : 0;
  }

  /** Sets a level (0 removes it) and returns what stood there before. */
  set(tick: number, qty: number): number {
    const key = tick * this.direction;
    const i = this.placeOf(key);
    if (!(i < this.count && this.keys[i] === key)) {
      if (qty !== 0) this.put(this.openBlock(key, 1), tick, qty);
      return 0;
    }
    const before = this.qtys[i]!;
    this.qtys[i] = qty;
    if (before === 0 && qty !== 0) this.gone--;
    else if (before !== 0 && qty === 0 && ++this.gone > GONE_MAX) this.sweep();
    return before;
  }

  /** Gives the places of removed levels back; one pass. */
  private sweep(): void {
    const { keys, qtys } = this;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (qtys[i] === 0) continue;
      keys[kept] = keys[i]!;
      qtys[kept] = qtys[i]!;
      kept++;
    }
    this.count = kept;
    this.gone = 0;
  }

  private open(at: number, howMany: number): void {
    this.keys.copyWithin(at + howMany, at, this.count);
    this.qtys.copyWithin(at + howMany, at, this.count);
    this.count += howMany;
  }

  private close(at: number, howMany: number): void {
    this.keys.copyWithin(at, at + howMany, this.count);
    this.qtys.copyWithin(at, at + howMany, this.count);
    this.count -= howMany;
  }

  private grow(howMany: number): void {
    const size = Math.max(this.keys.length * 2, this.count + howMany);
    const keys = new Float64Array(size);
    const qtys = new Float64Array(size);
    keys.set(this.keys);
    qtys.set(this.qtys);
    this.keys = keys;
    this.qtys = qtys;
    this.growths++;
  }

  /**
   * Room for `howMany` levels that all lie between two neighbours here, the lowest key of them being
   * `lowestKey`; returns the index of the first. Fill with `put` in ascending key order.
   */
  openBlock(lowestKey: number, howMany: number): number {
    if (this.count + howMany > this.keys.length && this.gone > 0) this.sweep();
    if (this.count + howMany > this.keys.length) this.grow(howMany);
    const at = this.lowerBound(lowestKey);
    this.open(at, howMany);
    return at;
  }

  put(index: number, tick: number, qty: number): void {
    this.keys[index] = tick * this.direction;
    this.qtys[index] = qty;
  }

  /** First index of ticks in [fromTick, toTick); with `rangeCount` and `closeRange` it takes a block out. */
  rangeStart(fromTick: number, toTick: number): number {
    return this.lowerBound(this.direction > 0 ? fromTick : 1 - toTick);
  }

  rangeEnd(fromTick: number, toTick: number): number {
    return this.lowerBound(this.direction > 0 ? toTick : 1 - fromTick);
  }

  closeRange(start: number, end: number): void {
    for (let i = start; i < end; i++) if (this.qtys[i] === 0) this.gone--;
    if (end > start) this.close(start, end - start);
  }

  tickAt(index: number): number {
    return this.keys[index]! * this.direction;
  }

  /** 0: a removed level. */
  qtyOf(index: number): number {
    return this.qtys[index]!;
  }

  /** Greatest tick < `tick`, or −Infinity. */
  below(tick: number): number {
    if (this.direction > 0) return this.levelBefore(tick);
    return -this.levelFrom(1 - tick);
  }

  /** Least tick > `tick`, or +Infinity. */
  above(tick: number): number {
    if (this.direction > 0) return this.levelFrom(tick + 1);
    return -this.levelBefore(-tick);
  }

  /** Least key ≥ `key` with a level, or +Infinity. */
  private levelFrom(key: number): number {
    let i = this.lowerBound(key);
    while (i < this.count && this.qtys[i] === 0) i++;
    return i < this.count ? this.keys[i]! : Infinity;
  }

  /** Greatest key < `key` with a level, or −Infinity. */
  private levelBefore(key: number): number {
    let i = this.lowerBound(key) - 1;
    while (i >= 0 && this.qtys[i] === 0) i--;
    return i >= 0 ? this.keys[i]! : -Infinity;
  }

  /** Quantity at ticks in [fromTick, toTick). */
  sum(fromTick: number, toTick: number): number {
    const end = this.rangeEnd(fromTick, toTick);
    let total = 0;
    for (let i = this.rangeStart(fromTick, toTick); i < end; i++) total += this.qtys[i]!;
    return total;
  }
}
