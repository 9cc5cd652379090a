// Levels of one book side that lie outside the dense window, sorted by tick in two flat arrays.
// Hot: factor lane (and execution, for orderbook subscribers); 0 bytes unless it has to grow (counted);
// O(log n) to find, one memmove of the smaller-distance part to insert or remove.
//
// Ascending in `direction · tick` (bids +1, asks −1), so the levels nearest to the touch are at the end and
// re-centring, which takes from or adds to that end, moves next to nothing.

export class FarLevels {
  private readonly direction: number;
  /** direction · tick, ascending. */
  private keys: Float64Array;
  private qtys: Float64Array;
  count: number;
  /** How often the arrays had to be enlarged after start; each is one allocation on the lane. */
  growths: number;

  /** `direction`: +1 bids, −1 asks. `capacity`: levels held before the first growth. */
  constructor(direction: number, capacity: number) {
    this.direction = direction;
    this.keys = new Float64Array(capacity);
    this.qtys = new Float64Array(capacity);
    this.count = 0;
    this.growths = 0;
  }

  get bytes(): number {
    return this.keys.byteLength + this.qtys.byteLength;
  }

  clear(): void {
    this.count = 0;
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
    const i = this.lowerBound(key);
    return i < this.count && this.keys[i] === key ? this.qtys[i]! : 0;
  }

  /** Sets a level (0 removes it) and returns what stood there before. */
  set(tick: number, qty: number): number {
    const key = tick * this.direction;
    const i = this.lowerBound(key);
    const held = i < this.count && this.keys[i] === key;
    const before = held ? this.qtys[i]! : 0;
    if (qty !== 0) {
      if (!held) this.open(i, 1);
      this.keys[i] = key;
      this.qtys[i] = qty;
    } else if (held) this.close(i, 1);
    return before;
  }

  private open(at: number, howMany: number): void {
    if (this.count + howMany > this.keys.length) this.grow(howMany);
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
    if (end > start) this.close(start, end - start);
  }

  tickAt(index: number): number {
    return this.keys[index]! * this.direction;
  }

  qtyOf(index: number): number {
    return this.qtys[index]!;
  }

  /** Greatest tick < `tick`, or −Infinity. */
  below(tick: number): number {
    if (this.direction > 0) {
      const i = this.lowerBound(tick) - 1;
      return i >= 0 ? this.keys[i]! : -Infinity;
    }
    const i = this.lowerBound(1 - tick);
    return i < this.count ? -this.keys[i]! : -Infinity;
  }

  /** Least tick > `tick`, or +Infinity. */
  above(tick: number): number {
    if (this.direction > 0) {
      const i = this.lowerBound(tick + 1);
      return i < this.count ? this.keys[i]! : Infinity;
    }
    const i = this.lowerBound(-tick) - 1;
    return i >= 0 ? -this.keys[i]! : Infinity;
  }

  /** Quantity at ticks in [fromTick, toTick). */
  sum(fromTick: number, toTick: number): number {
    const end = this.rangeEnd(fromTick, toTick);
    let total = 0;
    for (let i = this.rangeStart(fromTick, toTick); i < end; i++) total += this.qtys[i]!;
    return total;
  }
}
