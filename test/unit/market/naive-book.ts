// The oracle: a book as two maps, everything by sorting and adding.

export class NaiveBook {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();

  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }

  apply(side: number, px: number, qty: number): void {
    const levels = side > 0 ? this.bids : this.asks;
    if (qty === 0) levels.delete(px);
    else levels.set(px, qty);
  }

  clearTo(side: number, px: number): void {
    for (const tick of [...(side > 0 ? this.bids : this.asks).keys()]) {
      if (Number.isNaN(px) || (side > 0 ? tick >= px : tick <= px)) this.apply(side, tick, 0);
    }
  }

  bestBid(): number {
    let best = NaN;
    for (const px of this.bids.keys()) if (!(px <= best)) best = px;
    return best;
  }

  bestAsk(): number {
    let best = NaN;
    for (const px of this.asks.keys()) if (!(px >= best)) best = px;
    return best;
  }

  descendingBids(): [number, number][] {
    return [...this.bids].sort((a, b) => b[0] - a[0]);
  }

  ascendingAsks(): [number, number][] {
    return [...this.asks].sort((a, b) => a[0] - b[0]);
  }

  sumBids(from: number): number {
    let sum = 0;
    for (const [px, qty] of this.bids) if (px >= from) sum += qty;
    return sum;
  }

  sumAsks(to: number): number {
    let sum = 0;
    for (const [px, qty] of this.asks) if (px <= to) sum += qty;
    return sum;
  }
}
