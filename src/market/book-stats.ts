// Statistics of a book's best levels, each O(levels). Hot: factor lane; 0 bytes.
import { ASK, BID, type L2Book } from "./l2-book.ts";

/** Lots in the best `levels` levels of a side. */
export function depthOfLevels(book: L2Book, side: number, levels: number): number {
  let total = 0;
  let left = levels;
  let px = side > 0 ? book.bestBidTicks : book.bestAskTicks;
  while (left > 0 && !Number.isNaN(px)) {
    total += book.qtyAt(side, px);
    px = side > 0 ? book.nextBelow(BID, px) : book.nextAbove(ASK, px);
    left--;
  }
  return total;
}

/** Price of the `level`-th best level (0 = best) in ticks, NaN when there is none. */
export function pxOfLevel(book: L2Book, side: number, level: number): number {
  let px = side > 0 ? book.bestBidTicks : book.bestAskTicks;
  for (let k = 0; k < level && !Number.isNaN(px); k++) {
    px = side > 0 ? book.nextBelow(BID, px) : book.nextAbove(ASK, px);
  }
  return px;
}

/** Σ lots / rank over the best `levels` levels: nearer levels press harder. */
export function pressureOfSide(book: L2Book, side: number, levels: number): number {
  let total = 0;
  let px = side > 0 ? book.bestBidTicks : book.bestAskTicks;
  for (let rank = 1; rank <= levels && !Number.isNaN(px); rank++) {
    total += book.qtyAt(side, px) / rank;
    px = side > 0 ? book.nextBelow(BID, px) : book.nextAbove(ASK, px);
  }
  return total;
}

/** (bids − asks) / (bids + asks) of `pressureOfSide`: −1 … 1; NaN for an empty book. */
export function bookPressure(book: L2Book, levels: number): number {
  const bids = pressureOfSide(book, BID, levels);
  const asks = pressureOfSide(book, ASK, levels);
  return bids + asks === 0 ? NaN : (bids - asks) / (bids + asks);
}
