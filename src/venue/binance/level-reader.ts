// Generates the quick reader of an instrument's levels (`["58710.20","0.014"],…`) at start: straight-line code
// with the form of its numbers as literals, as the factor graph does (ADR 0009 has the measurements).
//
// For each count of whole digits a number's text is fixed, so it is read as 32-bit words (text-words.ts).
// What is read is an integer of 10^−decimals below 10^9; any other text is left to the plain reader.
import type { Decimal } from "../../core/decimal.ts";
import { generatedReader } from "./generated-reader.ts";
import { check, DIGIT, digitsOf, load, wordsOf } from "./text-words.ts";

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
    this.read = generatedReader("v, at, end, into", source(px, qty));
  }
}

/** So many digits fit an int32. */
export const DIGITS_MAX = 9;
/** Likely counts first. */
const PX_WHOLE = [5, 4, 3, 6, 2, 1, 7, 8];
const QTY_WHOLE = [1, 2, 3, 4, 5, 6, 7, 8];
const POINT = 0x2e;
const QUOTE = 0x22;

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
