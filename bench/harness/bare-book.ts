// A book of one price range: lots per tick in flat arrays, best prices by direct scan, and the depth sums of an
// imbalance within 0.1 % of the mid kept up to date. For bare-loop.ts.

/** Ticks of 0.1 up to 209,715. */
const TICKS = 1 << 21;
const NEAR = 0.999;
const FAR = 1.001;

export class BareBook {
  bid = 0;
  ask = TICKS - 1;
  private readonly bids = new Int32Array(TICKS);
  private readonly asks = new Int32Array(TICKS);
  /** Bounds of the depth sums, and the sums. */
  private low = TICKS;
  private high = -1;
  private bidSum = 0;
  private askSum = 0;

  /** Both best prices in one number. */
  get touch(): number {
    return this.bid * 2 + this.ask;
  }

  /** Levels [0, bidCount) are bids, the rest up to `count` asks. */
  apply(px: Int32Array, qty: Int32Array, bidCount: number, count: number): void {
    const { bids, asks, low, high } = this;
    let best = this.bid;
    let sum = this.bidSum;
    for (let k = 0; k < bidCount; k++) {
      const t = px[k]!;
      const q = qty[k]!;
      if (t >= low) sum += q - bids[t]!;
      bids[t] = q;
      if (t < best) continue;
      if (q !== 0) best = t;
      else if (t === best) while (best > 0 && bids[best] === 0) best--;
    }
    this.bid = best;
    this.bidSum = sum;
    best = this.ask;
    sum = this.askSum;
    for (let k = bidCount; k < count; k++) {
      const t = px[k]!;
      const q = qty[k]!;
      if (t <= high) sum += q - asks[t]!;
      asks[t] = q;
      if (t > best) continue;
      if (q !== 0) best = t;
      else if (t === best) while (best < TICKS - 1 && asks[best] === 0) best++;
    }
    this.ask = best;
    this.askSum = sum;
  }

  /** (B − A)/(B + A) of what lies within 0.1 % of the mid. */
  imbalance(): number {
    const { bids, asks } = this;
    const mid = (this.bid + this.ask) / 2;
    const low = Math.ceil(mid * NEAR);
    const high = Math.floor(mid * FAR);
    for (; this.low > low; ) this.bidSum += bids[--this.low]!;
    for (; this.low < low; ) this.bidSum -= bids[this.low++]!;
    for (; this.high < high; ) this.askSum += asks[++this.high]!;
    for (; this.high > high; ) this.askSum -= asks[this.high--]!;
    return (this.bidSum - this.askSum) / (this.bidSum + this.askSum);
  }

  clear(): void {
    this.bids.fill(0);
    this.asks.fill(0);
    this.bid = 0;
    this.ask = TICKS - 1;
    this.low = TICKS;
    this.high = -1;
    this.bidSum = 0;
    this.askSum = 0;
  }
}
