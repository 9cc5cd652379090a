// The market's own book as the matching model sees it. Side is +1 for bids and -1 for asks.
// Structural contract: any integer book that offers these look-ups can stand here.

export interface MarketBook {
  /** Absolute quantity of one level; 0 deletes; deleting an absent level is normal. */
  applyDelta(side: number, pxTicks: number, qtyLots: number): void;
  /** Lots at a level, 0 when there is none. */
  qtyAt(side: number, pxTicks: number): number;
  /** Best price of a side, NaN when the side is empty (every comparison with it is then false). */
  bestTicks(side: number): number;
  /** Next existing level that is worse than `pxTicks`, NaN when there is none. */
  nextWorseTicks(side: number, pxTicks: number): number;
  /** End of a market event: a moment for bounded upkeep. */
  endEvent(): void;
  clear(): void;
}
