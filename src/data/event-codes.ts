// Event codes of hftbacktest's 64-byte rows: low byte = kind, bits 28–31 = flags. Kinds 100–104 are written by
// its converters for streams that no book uses; every kind not listed counts as feed and changes nothing.

export const KIND_DEPTH = 1;
export const KIND_TRADE = 2;
export const KIND_DEPTH_CLEAR = 3;
export const KIND_DEPTH_SNAPSHOT = 4;
export const KIND_DEPTH_BBO = 5;
export const KIND_ADD_ORDER = 10;
export const KIND_CANCEL_ORDER = 11;
export const KIND_MODIFY_ORDER = 12;
export const KIND_FILL = 13;
/** Market by order: the row names one order. */
export const isOrderKind = (kind: number): boolean => kind >= KIND_ADD_ORDER && kind <= KIND_FILL;
export const KIND_INDEX_PRICE = 100;
export const KIND_MARK_PRICE = 101;
export const KIND_FUNDING_RATE = 102;
export const KIND_BEST_BID = 103;
export const KIND_BEST_ASK = 104;

/** The row is an event at the exchange, at exch_ts. */
export const EV_EXCH = 0x8000_0000;
/** The row is an event at the trader, at local_ts. */
export const EV_LOCAL = 0x4000_0000;
/** Bid side of the book; a trade started by a buyer. */
export const EV_BUY = 0x2000_0000;
export const EV_SELL = 0x1000_0000;
