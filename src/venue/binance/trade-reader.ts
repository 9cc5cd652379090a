// Generates the quick reader of an instrument's @trade messages at start: straight-line code with the stream's name,
// the symbol and the form of the numbers as literals (reader-source.ts). Any other text is left to the general way, which
// reads the same and says what is wrong. Hot: feed lane; 0 bytes; one pass.
import { generatedReader } from "./generated-reader.ts";
import { type DecimalForm, DIGITS_MAX } from "./level-reader.ts";
import { ID_DIGITS_MAX, idLines, messageHead, priceLines, quantityLines } from "./reader-source.ts";

export interface TradeTarget {
  eventMs: number;
  transactionMs: number;
  idLo: number;
  idHi: number;
  pxTicks: number;
  qtyLots: number;
  buyerIsMaker: boolean;
  isMarketTrade: boolean;
}

/** True when the message [0, end) at the view's start was a trade of the usual form: then all fields are set. */
export type TradeReader = (view: DataView, end: number, into: TradeTarget) => boolean;

/** Null when the instrument's steps are not powers of ten: the general way divides. */
export function tradeReader(symbol: string, px: DecimalForm, qty: DecimalForm): TradeReader | null {
  if (px.step !== 1 || qty.step !== 1) return null;
  return generatedReader("v, end, into", source(symbol, px, qty));
}

const TRUE = 0x65757274;
const FALSE = 0x736c6166;

function source(symbol: string, px: DecimalForm, qty: DecimalForm): string {
  const head = messageHead(symbol, "@trade", '{"e":"trade","E":', '","t":', "false");
  const behindId = ',"p":"';
  const behindPx = '","q":"';
  const behindQty = '","X":"MARKET","m":';
  const numbers =
    ID_DIGITS_MAX + behindId.length + 2 * (DIGITS_MAX + 10) + behindPx.length + behindQty.length;
  return `"use strict";
if (v.byteLength < ${head.length + numbers + 8}) return false;
${head.lines}
const a = ${head.length};
let id = 0, b = 0, p = 0, c = 0, q = 0, d = 0;
${idLines("a", behindId, "id", "b", "false")}
${priceLines(px, behindPx, "b", "p", "c")}
${quantityLines(qty, behindQty, "c", "q", "d")}
const maker = v.getInt32(d, true);
const isMaker = maker === ${TRUE};
if (isMaker ? v.getInt16(d + 4, true) !== 0x7d7d || d + 6 !== end : maker !== ${FALSE} || v.getUint8(d + 4) !== 0x65 || v.getInt16(d + 5, true) !== 0x7d7d || d + 7 !== end) return false;
if (wrong !== 0 || ${head.badTimes}) return false;
into.eventMs = E; into.transactionMs = T;
into.idLo = id >>> 0; into.idHi = Math.floor(id / 4294967296);
into.pxTicks = p; into.qtyLots = q;
into.buyerIsMaker = isMaker; into.isMarketTrade = true;
return true;`;
}
