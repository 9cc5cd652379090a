// Market lots that own takers have already consumed. The feed does not know of them, so without this a second
// taker would be filled from the same lots again. An entry ends with the level's next depth change.
// Hot: 0 bytes; a look-up is one integer compare while nothing is taken.

const CAPACITY = 256;

export class TakenLiquidity {
  private readonly sides = new Int8Array(CAPACITY);
  private readonly pxTicks = new Float64Array(CAPACITY);
  private readonly lots = new Float64Array(CAPACITY);
  private count = 0;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  takenAt(side: number, pxTicks: number): number {
    const at = this.find(side, pxTicks);
    return at < 0 ? 0 : this.lots[at]!;
  }

  take(side: number, pxTicks: number, lots: number): void {
    let at = this.find(side, pxTicks);
    if (at < 0) {
      // Full: the oldest entry gives way (its level has not changed for the longest time).
      if (this.count === CAPACITY) this.removeAt(0);
      at = this.count++;
      this.sides[at] = side;
      this.pxTicks[at] = pxTicks;
      this.lots[at] = 0;
    }
    this.lots[at]! += lots;
  }

  forget(side: number, pxTicks: number): void {
    if (this.count === 0) return;
    const at = this.find(side, pxTicks);
    if (at >= 0) this.removeAt(at);
  }

  clear(): void {
    this.count = 0;
  }

  private find(side: number, pxTicks: number): number {
    for (let i = 0; i < this.count; i++) {
      if (this.pxTicks[i] === pxTicks && this.sides[i] === side) return i;
    }
    return -1;
  }

  private removeAt(at: number): void {
    const end = this.count--;
    this.sides.copyWithin(at, at + 1, end);
    this.pxTicks.copyWithin(at, at + 1, end);
    this.lots.copyWithin(at, at + 1, end);
  }
}
