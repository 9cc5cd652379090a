// Generates the quick reader of an instrument's levels (`["58710.20","0.014"],…`) at start: straight-line code
// with the form of its numbers as literals, as the factor graph does (ADR 0009 has the measurements).
//
// For each count of whole digits a number's text is fixed, so it is read as 32-bit words. A word w is right when
// ((x + add | x) & check) is 0 for x = w ^ text: a digit becomes 0 … 9 (adding 6 must leave the upper half of
// its byte empty), every other character 0. Digits are then added up pair by pair with two multiplications.
// What is read is an integer of 10^−decimals below 10^9; any other text is left to the plain reader.
import type { Decimal } from "../../core/decimal.ts";

export interface LevelTarget {
  /** Ticks and lots in turn. */
  readonly values: Float64Array;
  readonly capacity: number;
  count: number;
}

/**
 * Appends levels from the `[` at `at` on, while they have the usual form. Returns the position after the last
 * one's `]`, or `at` when there was none. bytes[end − 1] must be a character that no level has (`}`): looks go
 * past it, within the view, but no level that reaches it is ever right.
 */
export type LevelReader = (view: DataView, at: number, end: number, into: LevelTarget) => number;

/** How the venue writes one of the two numbers. */
export class DecimalForm {
  /** Decimals of the step. */
  readonly decimals: number;
  /** Units of 10^−decimals in one step. */
  readonly step: number;
  /** Zeros that the venue writes behind them. */
  readonly zeros: number;

  /** `textDecimals`: digits behind the point in the venue's texts. */
  constructor(step: Decimal, textDecimals: number) {
    this.decimals = step.decimals;
    this.step = Number(step.units);
    this.zeros = Math.max(0, textDecimals - step.decimals);
  }
}

export class LevelForm {
  readonly px: DecimalForm;
  readonly qty: DecimalForm;
  readonly read: LevelReader;

  constructor(px: DecimalForm, qty: DecimalForm) {
    this.px = px;
    this.qty = qty;
    this.read = readerOf(px, qty);
  }
}

/** By source: what one decoder has warmed up is warm for the next one, as the code of a class is. */
const readers = new Map<string, LevelReader>();

function readerOf(px: DecimalForm, qty: DecimalForm): LevelReader {
  const body = source(px, qty);
  let reader = readers.get(body);
  if (reader === undefined) {
    reader = new Function("v", "at", "end", "into", body) as LevelReader;
    readers.set(body, reader);
  }
  return reader;
}

const DIGITS_MAX = 9;
/** Likely counts first. */
const PX_WHOLE = [5, 4, 3, 6, 2, 1, 7, 8];
const QTY_WHOLE = [1, 2, 3, 4, 5, 6, 7, 8];
const POINT = 0x2e;
const QUOTE = 0x22;
const PAIRS = "0x00ff00ff";

/** In a text, a digit that counts; all other characters stand for themselves. */
const DIGIT = "#";
/** A character that an earlier word has checked, or that nobody knows. */
const ANY = "?";

function source(px: DecimalForm, qty: DecimalForm): string {
  const prices = PX_WHOLE.map((whole) => branch(px, whole, '["', '",', "i", "p"));
  const quantities = QTY_WHOLE.map((whole) => branch(qty, whole, '"', '"]', "q", "l"));
  return `"use strict";
const values = into.values, capacity = into.capacity;
const last = Math.min(end - 1, v.byteLength - ${reach(px, '["', '",') + reach(qty, '"', '"]') + 1});
let n = into.count, i = at, p = 0, l = 0, q = 0, next = 0, wrong = 0;
while (i <= last && n < capacity) {
${prices.join("")}break;
${quantities.join("")}break;
if (wrong !== 0) break;
values[2 * n] = p; values[2 * n + 1] = l; n++;
i = next;
if (v.getUint8(i) !== 0x2c) { into.count = n; return i; }
i++;
}
into.count = n;
return i === at ? at : i - 1;`.replaceAll("wrong = 0 |", "wrong =");
}

/** Bytes of the longest text of a number. */
const reach = (form: DecimalForm, before: string, behind: string): number =>
  Math.max(4, before.length + DIGITS_MAX + 1 + form.zeros + behind.length);

/** `if (the text has so many whole digits) { read it } else `; nothing when it cannot. */
function branch(
  form: DecimalForm,
  whole: number,
  before: string,
  behind: string,
  at: string,
  value: string,
): string {
  if (whole + form.decimals > DIGITS_MAX) return "";
  const hasPoint = form.decimals + form.zeros > 0;
  const fraction = hasPoint ? `.${DIGIT.repeat(form.decimals)}${"0".repeat(form.zeros)}` : "";
  const text = before + DIGIT.repeat(whole) + fraction + behind;
  const words = wordsOf(text);
  let weight = 10 ** (whole + form.decimals);
  const sums: string[] = [];
  const checks: string[] = [];
  const lines = words.map((word, k) => {
    const name = `${value}${k}`;
    weight /= 10 ** [...word.text].filter((c) => c === DIGIT).length;
    checks.push(check(name, word.text));
    const sum = digitsOf(name, word.text, weight);
    if (sum !== "") sums.push(sum);
    return `const ${name} = ${load(at, word.at, word.text)};\n`;
  });
  const stop = hasPoint ? POINT : QUOTE;
  const go = at === "i" ? `q = i + ${text.length}; wrong = 0` : `next = q + ${text.length}; wrong = wrong`;
  return `if (v.getUint8(${at} + ${before.length + whole}) === ${stop}) {
${lines.join("")}${go} | ${checks.join(" | ")};
${value} = (${sums.join(" + ")}) | 0;
} else `;
}

interface Word {
  readonly at: number;
  readonly text: string;
}

/** Four characters each; the last one reaches back over characters that are read already. */
function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < text.length; at += 4) {
    const over = Math.min(at, Math.max(0, at + 4 - text.length));
    const part = ANY.repeat(over) + text.slice(at, at + 4);
    words.push({ at: at - over, text: part.padEnd(4, ANY) });
  }
  return words;
}

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;

/** One 32-bit literal of four bytes. */
const literal = (text: string, byte: (c: string) => number): number =>
  [...text].reduce((bits, c, k) => bits | (byte(c) << (8 * k)), 0);

function load(at: string, offset: number, text: string): string {
  const expected = literal(text, (c) => (c === ANY ? 0 : c === DIGIT ? 0x30 : c.charCodeAt(0)));
  const word = `v.getInt32(${at} + ${offset}, true) ^ ${hex(expected)}`;
  const keep = literal(text, (c) => (c === ANY ? 0 : 0xff));
  return keep === -1 ? word : `(${word}) & ${hex(keep)}`;
}

function check(name: string, text: string): string {
  if (!text.includes(DIGIT)) return name;
  const add = literal(text, (c) => (c === DIGIT ? 6 : 0));
  const mask = literal(text, (c) => (c === DIGIT ? 0xf0 : 0xff));
  return `((${name} + ${hex(add)} | ${name}) & ${hex(mask)})`;
}

/** The digits of a word, the last one weighing `weight`. */
function digitsOf(name: string, text: string, weight: number): string {
  const at = [...text].flatMap((c, k) => (c === DIGIT ? [k] : []));
  if (at.length <= 2) {
    return at
      .map((k, i) => `Math.imul(${name} >>> ${8 * k} & 0xff, ${weight * 10 ** (at.length - 1 - i)})`)
      .join(" + ");
  }
  // ddd. is read as .ddd; a point elsewhere makes the first pair weigh 10 instead of 100.
  const isLeft = at.at(-1) === 2;
  const word = isLeft ? `(${name} << 8)` : name;
  const inner = at.length === 3 && !isLeft && at[0] === 0;
  const pairs = `(Math.imul(${word}, 10) + (${word} >>> 8) & ${PAIRS})`;
  return `Math.imul(Math.imul(${pairs}, ${((inner ? 10 : 100) << 16) | 1}) >>> 16, ${weight})`;
}
