// Generates the quick reader of the beginning of an instrument's @depth messages at start, up to the bids (see
// trade-reader.ts). Hot: feed lane; 0 bytes; one pass.
import { generatedReader } from "./generated-reader.ts";
import { ID_DIGITS_MAX, idLines, messageHead } from "./reader-source.ts";

export interface DepthTarget {
  eventMs: number;
  transactionMs: number;
  firstLo: number;
  firstHi: number;
  finalLo: number;
  finalHi: number;
  previousLo: number;
  previousHi: number;
}

/** Position of the bids' `[` when the message [0, end) begins as usual: then all fields are set; else NOT_USUAL. */
export type DepthReader = (view: DataView, end: number, into: DepthTarget) => number;

export const NOT_USUAL = 0;

export const depthReader = (symbol: string): DepthReader => generatedReader("v, end, into", source(symbol));

function source(symbol: string): string {
  const refused = String(NOT_USUAL);
  const head = messageHead(symbol, "@depth@0ms", '{"e":"depthUpdate","E":', '","U":', refused);
  const behind = [',"u":', ',"pu":', ',"b":'];
  const ids = 3 * ID_DIGITS_MAX + behind.join("").length;
  const put = (field: string, id: string): string =>
    `into.${field}Lo = ${id} >>> 0; into.${field}Hi = Math.floor(${id} / 4294967296);`;
  return `"use strict";
if (v.byteLength < ${head.length + ids + 4}) return ${refused};
${head.lines}
const a = ${head.length};
let U = 0, b = 0, u = 0, c = 0, pu = 0, d = 0;
${idLines("a", behind[0]!, "U", "b", refused)}
${idLines("b", behind[1]!, "u", "c", refused)}
${idLines("c", behind[2]!, "pu", "d", refused)}
if (wrong !== 0 || d >= end || ${head.badTimes}) return ${refused};
into.eventMs = E; into.transactionMs = T;
${put("first", "U")}
${put("final", "u")}
${put("previous", "pu")}
return d;`;
}
