// Source lines that read the known texts and numbers of a venue message as 32-bit words (text-words.ts), for the readers
// that are generated at start (trade-reader.ts, depth-reader.ts). Cold.
//
// Generated code declares `wrong` and gathers in it what must be 0; one test at the end decides.
import { type DecimalForm, DIGITS_MAX } from "./level-reader.ts";
import { check, DIGIT, digitsOf, load, wordsOf } from "./text-words.ts";

/** Of Unix time in ms until the year 2286. */
const TIME_DIGITS = 13;
/** Likely counts first. */
const ID_DIGITS = [10, 13, 11, 12, 9, 14, 8, 7, 15];
export const ID_DIGITS_MAX = Math.max(...ID_DIGITS);
const PX_WHOLE = [5, 4, 3, 6, 2, 1, 7, 8];
const QTY_WHOLE = [1, 2, 3, 4, 5, 6, 7, 8];
const COMMA = 0x2c;
const POINT = 0x2e;
const QUOTE = 0x22;

/** `{"stream":"btcusdt@trade","data":{"e":"trade","E":…,"T":…,"s":"BTCUSDT","t":` */
export interface MessageHead {
  readonly length: number;
  /** Declares `wrong`, `E` and `T`; returns `refused` at once when another stream's message stands there. */
  readonly lines: string;
  /** Condition under which the times have a leading zero. */
  readonly badTimes: string;
}

/** `event`: `{"e":"trade","E":`; `idKey`: `","t":`. */
export function messageHead(
  symbol: string,
  stream: string,
  event: string,
  idKey: string,
  refused: string,
): MessageHead {
  const time = DIGIT.repeat(TIME_DIGITS);
  const between = ',"T":';
  const beginning = `{"stream":"${symbol.toLowerCase()}${stream}","data":${event}`;
  const rest = `${time}${between}${time},"s":"${symbol}${idKey}`;
  const first = read(beginning, "0", "s");
  const second = read(rest, "e", "t");
  const least = 10 ** (TIME_DIGITS - 1);
  return {
    length: beginning.length + rest.length,
    lines: `${first.lines}
if ((${first.checks}) !== 0) return ${refused};
const e = ${beginning.length};
${second.lines}
let wrong = ${second.checks};
const E = ${digitsFrom(rest, "t", 0, TIME_DIGITS)};
const T = ${digitsFrom(rest, "t", TIME_DIGITS + between.length, TIME_DIGITS)};`,
    badTimes: `E < ${least} || T < ${least}`,
  };
}

/** Reads an id at `at` and `behind`, which stands behind it: sets `value` and `next`, or returns `refused`. */
export function idLines(at: string, behind: string, value: string, next: string, refused: string): string {
  const branches = ID_DIGITS.map((n) => {
    const text = `${DIGIT.repeat(n)}${behind}`;
    const { lines, checks } = read(text, at, `${value}_`);
    // Ids are JSON numbers: no leading zero.
    return branch(
      at,
      n,
      COMMA,
      `${lines}
wrong |= ${checks};
${value} = ${digitsFrom(text, `${value}_`, 0, n)};
if (${value} < ${10 ** (n - 1)}) return ${refused};
${next} = ${at} + ${text.length};
`,
    );
  });
  return `${branches.join("")}return ${refused};`;
}

export const priceLines = (
  form: DecimalForm,
  behind: string,
  at: string,
  value: string,
  next: string,
): string => decimalLines(PX_WHOLE, form, behind, at, value, next);

export const quantityLines = (
  form: DecimalForm,
  behind: string,
  at: string,
  value: string,
  next: string,
): string => decimalLines(QTY_WHOLE, form, behind, at, value, next);

/** As idLines, of a decimal in a string, `whole` digits before its point; returns false. */
function decimalLines(
  wholes: readonly number[],
  { decimals, zeros }: DecimalForm,
  behind: string,
  at: string,
  value: string,
  next: string,
): string {
  const hasPoint = decimals + zeros > 0;
  const branches = wholes.map((whole) => {
    if (whole + decimals > DIGITS_MAX) return "";
    const point = hasPoint ? "." : "";
    const text = `${DIGIT.repeat(whole)}${point}${DIGIT.repeat(decimals)}${"0".repeat(zeros)}${behind}`;
    const { lines, checks } = read(text, at, `${value}_`);
    return branch(
      at,
      whole,
      hasPoint ? POINT : QUOTE,
      `${lines}
wrong |= ${checks};
${value} = ${decimalDigits(text, `${value}_`, whole + decimals)};
${next} = ${at} + ${text.length};
`,
    );
  });
  return `${branches.join("")}return false;`;
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

/** Digits around a point. */
function decimalDigits(text: string, name: string, count: number): string {
  let weight = 10 ** count;
  const sums = wordsOf(text).map((w, k) => {
    weight /= 10 ** [...w.text].filter((c) => c === DIGIT).length;
    return digitsOf(`${name}${k}`, w.text, weight);
  });
  return `(${sums.filter((s) => s !== "").join(" + ")}) | 0`;
}
