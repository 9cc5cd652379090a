// Code that reads a text of known form as 32-bit words: source lines for the generated readers (level-reader.ts,
// trade-reader.ts). Cold: generation at start; what it generates is hot.
//
// A word w is right when ((x + add | x) & check) is 0 for x = w ^ text: a digit becomes 0 … 9 (adding 6 must leave the
// upper half of its byte empty), every other character 0. Digits are then added up pair by pair with two
// multiplications.

const PAIRS = "0x00ff00ff";
/** In a text, a digit that counts; all other characters stand for themselves. */
export const DIGIT = "#";
/** A character that an earlier word has checked, or that nobody knows. */
const ANY = "?";

export interface Word {
  readonly at: number;
  readonly text: string;
}

/** Four characters each; the last one reaches back over characters that are read already. */
export function wordsOf(text: string): Word[] {
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

export function load(at: string, offset: number, text: string): string {
  const expected = literal(text, (c) => (c === ANY ? 0 : c === DIGIT ? 0x30 : c.charCodeAt(0)));
  const word = `v.getInt32(${at} + ${offset}, true) ^ ${hex(expected)}`;
  const keep = literal(text, (c) => (c === ANY ? 0 : 0xff));
  return keep === -1 ? word : `(${word}) & ${hex(keep)}`;
}

export function check(name: string, text: string): string {
  if (!text.includes(DIGIT)) return name;
  const add = literal(text, (c) => (c === DIGIT ? 6 : 0));
  const mask = literal(text, (c) => (c === DIGIT ? 0xf0 : 0xff));
  return `((${name} + ${hex(add)} | ${name}) & ${hex(mask)})`;
}

/** The digits of a word, the last one weighing `weight`. */
export function digitsOf(name: string, text: string, weight: number): string {
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
