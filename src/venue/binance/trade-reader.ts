// Generates the quick reader of an instrument's @trade messages at start: straight-line code with the stream's name,
// the symbol and the form of the numbers as literals (text-words.ts). Any other text is left to the general way, which
// reads the same and says what is wrong. Hot: feed lane; 0 bytes; one pass.
import { type DecimalForm, DIGITS_MAX } from "./level-reader.ts";
import { check, DIGIT, digitsOf, load, wordsOf } from "./text-words.ts";

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

/** By source: what one decoder has warmed up is warm for the next one. */
const readers = new Map<string, TradeReader>();

/** Null when the instrument's steps are not powers of ten: the general way divides. */
export function tradeReader(symbol: string, px: DecimalForm, qty: DecimalForm): TradeReader | null {
  if (px.step !== 1 || qty.step !== 1) return null;
  const body = source(symbol, px, qty);
  let reader = readers.get(body);
  if (reader === undefined) {
    reader = new Function("v", "end", "into", body) as TradeReader;
    readers.set(body, reader);
  }
  return reader;
}

/** Of Unix time in ms until the year 2286. */
const TIME_DIGITS = 13;
/** Likely counts first. */
const ID_DIGITS = [10, 11, 9, 12, 13, 8];
const PX_WHOLE = [5, 4, 3, 6, 2, 1, 7, 8];
const QTY_WHOLE = [1, 2, 3, 4, 5, 6, 7, 8];
const TRUE = 0x65757274;
const FALSE = 0x736c6166;
const COMMA = 0x2c;
const POINT = 0x2e;
const QUOTE = 0x22;

function source(symbol: string, px: DecimalForm, qty: DecimalForm): string {
  const time = DIGIT.repeat(TIME_DIGITS);
  const stream = `{"stream":"${symbol.toLowerCase()}@trade","data":{"e":"trade","E":`;
  const between = ',"T":';
  const known = `${stream}${time}${between}${time},"s":"${symbol}","t":`;
  const behindPx = '","q":"';
  const behindQty = '","X":"MARKET","m":';
  const longest =
    known.length + Math.max(...ID_DIGITS) + ',"p":"'.length + 2 * (DIGITS_MAX + 10) + behindPx.length;
  const ids = ID_DIGITS.map((n) => branch("a", n, COMMA, number(n, 0, 0, ',"p":"', "a", "id", "b")));
  const prices = PX_WHOLE.map((n) => decimalBranch(px, n, behindPx, "b", "p", "c"));
  const quantities = QTY_WHOLE.map((n) => decimalBranch(qty, n, behindQty, "c", "q", "d"));
  return `"use strict";
if (v.byteLength < ${longest + behindQty.length + 8}) return false;
${read(stream, "0", "s").lines}
if ((${read(stream, "0", "s").checks}) !== 0) return false;
const e = ${stream.length};
${read(known.slice(stream.length), "e", "t").lines}
let wrong = ${read(known.slice(stream.length), "e", "t").checks};
const E = ${digitsFrom(known.slice(stream.length), "t", 0, TIME_DIGITS)};
const T = ${digitsFrom(known.slice(stream.length), "t", TIME_DIGITS + between.length, TIME_DIGITS)};
const a = ${known.length};
let id = 0, b = 0, p = 0, c = 0, q = 0, d = 0;
${ids.join("")}return false;
${prices.join("")}return false;
${quantities.join("")}return false;
const maker = v.getInt32(d, true);
const isMaker = maker === ${TRUE};
if (isMaker ? v.getInt16(d + 4, true) !== 0x7d7d || d + 6 !== end : maker !== ${FALSE} || v.getUint8(d + 4) !== 0x65 || v.getInt16(d + 5, true) !== 0x7d7d || d + 7 !== end) return false;
if (wrong !== 0 || E < ${10 ** (TIME_DIGITS - 1)} || T < ${10 ** (TIME_DIGITS - 1)}) return false;
into.eventMs = E; into.transactionMs = T;
into.idLo = id >>> 0; into.idHi = Math.floor(id / 4294967296);
into.pxTicks = p; into.qtyLots = q;
into.buyerIsMaker = isMaker; into.isMarketTrade = true;
return true;`;
}

/** Declares the words of `text` at `at` and says what must be 0 when it stands there. */
function read(text: string, at: string, name: string): { lines: string; checks: string } {
  const words = wordsOf(text);
  return {
    lines: words.map((w, k) => `const ${name}${k} = ${load(at, w.at, w.text)};`).join("\n"),
    checks: words.map((w, k) => `(${check(`${name}${k}`, w.text)})`).join(" | "),
  };
}

/**
 * The number of `count` digits from `first` on in a text whose words are declared as `name`0, `name`1 …: two int32 sums
 * joined as a double where one would not hold it.
 */
function digitsFrom(text: string, name: string, first: number, count: number): string {
  const parts = wordsOf(text).map((w, k) => {
    const own = [...w.text]
      .map((c, i) => (c === DIGIT && isWithin(w.at + i, first, count) ? DIGIT : "?"))
      .join("");
    return { word: `${name}${k}`, text: own, digits: [...own].filter((c) => c === DIGIT).length };
  });
  let left = count;
  const low: string[] = [];
  const high: string[] = [];
  const lowDigits = lowPart(parts.map((p) => p.digits));
  for (const { word, text: own, digits } of parts) {
    if (digits === 0) continue;
    left -= digits;
    const isLow = left < lowDigits;
    (isLow ? low : high).push(digitsOf(masked(word, own), own, 10 ** (isLow ? left : left - lowDigits)));
  }
  const lowSum = `((${low.join(" + ")}) | 0)`;
  return high.length === 0 ? lowSum : `((${high.join(" + ")}) | 0) * ${10 ** lowDigits} + ${lowSum}`;
}

const isWithin = (at: number, first: number, count: number): boolean => at >= first && at < first + count;

/** Digits of the last words that together hold at most nine. */
function lowPart(digits: readonly number[]): number {
  let sum = 0;
  for (const n of digits.toReversed()) {
    if (sum + n > DIGITS_MAX) break;
    sum += n;
  }
  return sum;
}

/** A word may hold digits of two numbers: only those of one. */
function masked(word: string, text: string): string {
  const mask = [...text].reduce((bits, c, k) => bits | (c === DIGIT ? 0xff << (8 * k) : 0), 0);
  return mask === -1 ? word : `(${word} & ${mask})`;
}

function branch(at: string, stopAt: number, stop: number, body: string): string {
  return `if (v.getUint8(${at} + ${stopAt}) === ${stop}) {\n${body}} else `;
}

function decimalBranch(
  form: DecimalForm,
  whole: number,
  behind: string,
  at: string,
  value: string,
  next: string,
): string {
  if (whole + form.decimals > DIGITS_MAX) return "";
  const hasPoint = form.decimals + form.zeros > 0;
  return branch(
    at,
    whole,
    hasPoint ? POINT : QUOTE,
    number(whole, form.decimals, form.zeros, behind, at, value, next),
  );
}

/** Reads a number and what stands behind it; `value` and `next` are variables that it sets. */
function number(
  whole: number,
  decimals: number,
  zeros: number,
  behind: string,
  at: string,
  value: string,
  next: string,
): string {
  const point = decimals + zeros > 0 ? "." : "";
  const text = `${DIGIT.repeat(whole)}${point}${DIGIT.repeat(decimals)}${"0".repeat(zeros)}${behind}`;
  const { lines, checks } = read(text, at, `${value}_`);
  // Ids are JSON numbers: no leading zero. Prices stand in strings, where the general way takes one.
  const least = value === "id" && whole > 1 ? `if (${value} < ${10 ** (whole - 1)}) return false;\n` : "";
  const digits =
    value === "id"
      ? digitsFrom(text, `${value}_`, 0, whole)
      : decimalDigits(text, `${value}_`, whole + decimals);
  return `${lines}
wrong |= ${checks};
${value} = ${digits};
${least}${next} = ${at} + ${text.length};
`;
}

/** Digits around a point. */
function decimalDigits(text: string, name: string, count: number): string {
  let weight = 10 ** count;
  const sums = wordsOf(text).map((w, k) => {
    weight /= 10 ** [...w.text].filter((c) => c === DIGIT).length;
    return digitsOf(`${name}${k}`, w.text, weight);
  });
  return `(${sums.filter((s) => s !== "").join(" + ")}) | 0`;
}
