// Event rows of market-by-order data (kinds 10–13 and clears) applied to an L3 book. Databento's meaning: a cancel names
// the lots that leave (all when it names none or more than there are), a modification the price and quantity from now on;
// trades and fills change no book, the cancel or modification that follows them does.
// Hot where the book is: 0 bytes; O(1) per row.
import {
  KIND_ADD_ORDER,
  KIND_CANCEL_ORDER,
  KIND_DEPTH_CLEAR,
  KIND_MODIFY_ORDER,
} from "../data/event-codes.ts";
import { L3_OK, type L3Book } from "../market/l3-book.ts";

/**
 * `side` +1, −1, or 0 (clears: both sides; else: not said). L3_…: a duplicate or unknown id changes nothing. Rows of other
 * kinds are L3_OK.
 */
export function applyL3Row(
  book: L3Book,
  kind: number,
  side: number,
  idHi: number,
  idLo: number,
  pxTicks: number,
  qtyLots: number,
): number {
  switch (kind) {
    case KIND_ADD_ORDER:
      return book.add(idHi, idLo, side, pxTicks, qtyLots);
    case KIND_CANCEL_ORDER:
      return qtyLots > 0 ? book.reduce(idHi, idLo, qtyLots) : book.cancel(idHi, idLo);
    case KIND_MODIFY_ORDER:
      return book.modify(idHi, idLo, pxTicks, qtyLots);
    case KIND_DEPTH_CLEAR:
      book.clear(side);
      return L3_OK;
    default:
      return L3_OK;
  }
}
