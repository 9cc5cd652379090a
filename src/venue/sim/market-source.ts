// Where a symbol's market comes from (capture or generator) behind one contract. A source yields messages in
// its own time; ids continue for ever. `body` is the message's text after its ids and times, made once, so that
// sending a message is one concatenation.
import type { SortedBook } from "../../exchange/sorted-book.ts";

export const MARKET_DEPTH = 0;
export const MARKET_TRADE = 1;
export const MARKET_TICKER = 2;

/** One market message; a single object is reused for all of them. */
export class MarketMessage {
  kind = MARKET_DEPTH;
  /** E − T of the message, ms. */
  lagMs = 0;
  /** Depth: U, u, pu. Ticker: u in `finalId`. All below 2^53. */
  firstId = 0;
  finalId = 0;
  previousId = 0;
  /** Depth levels: [levelFrom, levelTo) of the source's level arrays. */
  levelFrom = 0;
  levelTo = 0;
  /** Trade: running number, price, lots, aggressor (+1 buy, -1 sell). */
  tradeNumber = 0;
  pxTicks = 0;
  qtyLots = 0;
  side = 0;
  /** Depth `"b":[…],"a":[…]}` · trade `"p":…,"q":…` · ticker `"b":…,"B":…,"a":…,"A":…`. */
  body = "";
}

export interface LevelArrays {
  side: Int8Array;
  pxTicks: Float64Array;
  qtyLots: Float64Array;
}

export interface MarketSource {
  readonly levels: LevelArrays;
  /** Final update id of the initial book. */
  readonly initialUpdateId: number;
  fillInitialBook(book: SortedBook): void;
  /** Source time of the next message, ns since the source's start; rises for ever. */
  nextAtNs(): number;
  /** Takes the next message. */
  read(into: MarketMessage): void;
}
