// Market-by-order rows as the levels they change: what a reader of levels makes of such data.
// Hot where the book is: 0 bytes; O(1) per row.
import { KIND_ADD_ORDER, KIND_FILL } from "../data/event-codes.ts";
import { L3_OK, L3Book, NO_L3_ORDER } from "../market/l3-book.ts";
import { applyL3Row } from "./l3-rows.ts";

export class L3Levels {
  readonly book = new L3Book();
  /** Rows whose order was there already (add) or was not there (others), or had no side: they changed nothing. */
  badIds = 0;
  /** Side and price of the level that the last row changed; NaN = none. */
  side = 0;
  pxTicks = Number.NaN;
  /** Price that the order left for it; NaN = none. */
  leftTicks = Number.NaN;

  /** `side`: what the row says, 0 = nothing; an order that is known has its own. Arguments as of applyL3Row. */
  apply(kind: number, side: number, idHi: number, idLo: number, pxTicks: number, qtyLots: number): void {
    const { book } = this;
    const before = book.find(idHi, idLo);
    const pxBefore = before === NO_L3_ORDER ? Number.NaN : book.pxTicksOf(before);
    this.side = before === NO_L3_ORDER ? side : book.sideOf(before);
    this.pxTicks = Number.NaN;
    this.leftTicks = Number.NaN;
    if (kind === KIND_FILL) return;
    const sideless = kind === KIND_ADD_ORDER && this.side === 0;
    if (sideless || applyL3Row(book, kind, this.side, idHi, idLo, pxTicks, qtyLots) !== L3_OK) {
      this.badIds++;
      return;
    }
    const after = book.find(idHi, idLo);
    this.pxTicks = after === NO_L3_ORDER ? pxBefore : book.pxTicksOf(after);
    if (pxBefore !== this.pxTicks) this.leftTicks = pxBefore;
  }

  /** Lots at a price of the last row's side. */
  lotsAt(pxTicks: number): number {
    return this.book.levels.qtyAt(this.side, pxTicks);
  }
}
