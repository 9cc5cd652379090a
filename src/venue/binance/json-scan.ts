// Byte-level reading of compact JSON (no white space between tokens: that is how the venue writes; anything
// else is refused). Hot: any lane; 0 bytes per call; one pass, bounded by the message. Nothing throws and no
// byte at or past `end` is read: each function returns the position after what it read, or SCAN_FAILED.

export const SCAN_FAILED = -1;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const DEPTH_MAX = 16;
/** 10^15 < 2^53: so many digits fit a double exactly. */
export const EXACT_DIGITS = 15;
const U32 = 4294967296;
const HALF_DIGITS = 9;
const POW10 = Float64Array.from({ length: HALF_DIGITS + 1 }, (_, n) => 10 ** n);

/** Position after the string that starts at `at`; escapes are refused (the venue's strings have none). */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end || bytes[at] !== QUOTE) return SCAN_FAILED;
  for (let i = at + 1; i < end; i++) {
    const c = bytes[i]!;
    if (c === QUOTE) return i + 1;
    if (c < 0x20 || c === BACKSLASH) return SCAN_FAILED;
  }
  return SCAN_FAILED;
}

function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i]! >= ZERO && bytes[i]! <= NINE) i++;
  return i === at ? SCAN_FAILED : i;
}

/** A JSON number, by its grammar (no leading zero, no bare point). */
export function skipNumber(bytes: Uint8Array, at: number, end: number): number {
  let i = at < end && bytes[at] === MINUS ? at + 1 : at;
  const whole = i;
  i = skipDigits(bytes, i, end);
  if (i === SCAN_FAILED || (bytes[whole] === ZERO && i - whole > 1)) return SCAN_FAILED;
  if (i < end && bytes[i] === POINT) {
    i = skipDigits(bytes, i + 1, end);
    if (i === SCAN_FAILED) return SCAN_FAILED;
  }
  if (i < end && (bytes[i]! | 0x20) === 0x65) {
    i++;
    if (i < end && (bytes[i] === MINUS || bytes[i] === 0x2b)) i++;
    return skipDigits(bytes, i, end);
  }
  return i;
}

function skipLiteral(bytes: Uint8Array, at: number, end: number): number {
  const c = bytes[at];
  if (c === 0x74) return at + 4 <= end && isTrue(bytes, at) ? at + 4 : SCAN_FAILED;
  if (c === 0x66) return at + 5 <= end && isFalse(bytes, at) ? at + 5 : SCAN_FAILED;
  if (c === 0x6e) return at + 4 <= end && isNull(bytes, at) ? at + 4 : SCAN_FAILED;
  return SCAN_FAILED;
}

const isTrue = (b: Uint8Array, at: number): boolean =>
  b[at] === 0x74 && b[at + 1] === 0x72 && b[at + 2] === 0x75 && b[at + 3] === 0x65;
const isFalse = (b: Uint8Array, at: number): boolean =>
  b[at] === 0x66 && b[at + 1] === 0x61 && b[at + 2] === 0x6c && b[at + 3] === 0x73 && b[at + 4] === 0x65;
const isNull = (b: Uint8Array, at: number): boolean =>
  b[at] === 0x6e && b[at + 1] === 0x75 && b[at + 2] === 0x6c && b[at + 3] === 0x6c;

function skipArray(bytes: Uint8Array, at: number, end: number, depth: number): number {
  let i = at + 1;
  if (i < end && bytes[i] === CLOSE_BRACKET) return i + 1;
  for (;;) {
    i = skipNested(bytes, i, end, depth + 1);
    if (i === SCAN_FAILED || i >= end) return SCAN_FAILED;
    const c = bytes[i++];
    if (c === CLOSE_BRACKET) return i;
    if (c !== COMMA) return SCAN_FAILED;
  }
}

function skipObject(bytes: Uint8Array, at: number, end: number, depth: number): number {
  let i = at + 1;
  if (i < end && bytes[i] === CLOSE_BRACE) return i + 1;
  for (;;) {
    i = skipString(bytes, i, end);
    if (i === SCAN_FAILED || i >= end || bytes[i] !== COLON) return SCAN_FAILED;
    i = skipNested(bytes, i + 1, end, depth + 1);
    if (i === SCAN_FAILED || i >= end) return SCAN_FAILED;
    const c = bytes[i++];
    if (c === CLOSE_BRACE) return i;
    if (c !== COMMA) return SCAN_FAILED;
  }
}

function skipNested(bytes: Uint8Array, at: number, end: number, depth: number): number {
  if (at >= end || depth > DEPTH_MAX) return SCAN_FAILED;
  const c = bytes[at]!;
  if (c === QUOTE) return skipString(bytes, at, end);
  if (c === OPEN_BRACE) return skipObject(bytes, at, end, depth);
  if (c === OPEN_BRACKET) return skipArray(bytes, at, end, depth);
  if (c === MINUS || (c >= ZERO && c <= NINE)) return skipNumber(bytes, at, end);
  return skipLiteral(bytes, at, end);
}

/** Position after the JSON value at `at`, fully checked, at most 16 levels deep. */
export function skipValue(bytes: Uint8Array, at: number, end: number): number {
  return skipNested(bytes, at, end, 0);
}

/** True when the bytes from `at` are exactly `text` and end before `end`. */
export function matches(bytes: Uint8Array, at: number, end: number, text: Uint8Array): boolean {
  const length = text.length;
  if (at < 0 || at + length > end) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** ASCII text → bytes, for constants (start-up only). */
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Constant text of four bytes or more, compared four bytes at a time. */
export class Literal {
  readonly length: number;
  private readonly words: Int32Array;
  /** The last four bytes, which may overlap the words before. */
  private readonly tail: number;

  constructor(text: string) {
    const bytes = ascii(text);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.length;
    this.words = Int32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getInt32(i * 4, true));
    this.tail = view.getInt32(bytes.length - 4, true);
  }

  /** True when the text stands at `at` and ends at or before `end`; `view` begins where the message does. */
  isAt(view: DataView, at: number, end: number): boolean {
    const length = this.length;
    if (at + length > end || view.getInt32(at + length - 4, true) !== this.tail) return false;
    const words = this.words;
    for (let i = 0; i < words.length; i++) {
      if (view.getInt32(at + (i << 2), true) !== words[i]) return false;
    }
    return true;
  }
}

/** Four digits at once (see level-reader.ts), negative when one of the bytes is none. */
function fourDigits(view: DataView, at: number): number {
  const x = view.getInt32(at, true) ^ 0x30303030;
  if ((((x + 0x06060606) | x) & 0xf0f0f0f0) !== 0) return SCAN_FAILED;
  return Math.imul((Math.imul(x, 10) + (x >>> 8)) & 0x00ff00ff, (100 << 16) | 1) >>> 16;
}

function eightDigits(view: DataView, at: number): number {
  const high = fourDigits(view, at);
  const low = fourDigits(view, at + 4);
  return (high | low) < 0 ? SCAN_FAILED : high * 10_000 + low;
}

/** Reads unsigned integers of up to 20 digits exactly, as a double (≤ 15 digits) or as two u32. */
export class NumberReader {
  /** Result of the last read. */
  value: number;
  lo: number;
  hi: number;
  /** The memory of the bytes that are read, when their owner has a view: long numbers are then read in words. */
  view: DataView | null;

  constructor() {
    this.view = null;
    // A double from the start: the fields hold values past int32, and a later change of kind re-optimises.
    this.value = 0.5;
    this.lo = 0.5;
    this.hi = 0.5;
  }

  /** Unsigned integer of at most 15 digits → `value`. No leading zero, as in JSON. */
  integer(bytes: Uint8Array, at: number, end: number): number {
    const i = this.digits(bytes, at, end);
    const count = i - at;
    if (count === 0 || count > EXACT_DIGITS || (count > 1 && bytes[at] === ZERO)) return SCAN_FAILED;
    return i;
  }

  /** Unsigned 64-bit integer → `lo`, `hi`. */
  id(bytes: Uint8Array, at: number, end: number): number {
    const i = this.digits(bytes, at, end);
    if (i === at || (i - at > 1 && bytes[at] === ZERO)) return SCAN_FAILED;
    if (i - at > EXACT_DIGITS) return this.longId(bytes, at, end);
    const value = this.value;
    this.lo = value >>> 0;
    this.hi = (value - this.lo) / U32;
    return i;
  }

  /** Digits at `at`, read in two int32 parts of at most nine → `value`; stops after the 18th at the latest. */
  private digits(bytes: Uint8Array, at: number, end: number): number {
    const view = this.view;
    let i = at;
    let low = 0;
    let high = view !== null && at + 8 <= end ? eightDigits(view, at) : SCAN_FAILED;
    if (high >= 0) i = at + 8;
    else {
      high = 0;
      const highEnd = Math.min(at + HALF_DIGITS, end);
      for (; i < highEnd; i++) {
        const d = (bytes[i]! - ZERO) | 0;
        if (d >>> 0 > 9) break;
        high = (high * 10 + d) | 0;
      }
    }
    const start = i;
    const lowEnd = Math.min(i + HALF_DIGITS, end);
    const third = i === at + 8 && view !== null && at + 12 <= end ? fourDigits(view, i) : SCAN_FAILED;
    if (third >= 0) {
      low = third;
      i += 4;
    }
    for (; i < lowEnd; i++) {
      const d = (bytes[i]! - ZERO) | 0;
      if (d >>> 0 > 9) break;
      low = (low * 10 + d) | 0;
    }
    this.value = high * POW10[i - start]! + low;
    return i;
  }

  /** 16 … 20 digits: value = a · 10^9 + b, multiplied out in pieces below 2^53. */
  private longId(bytes: Uint8Array, at: number, end: number): number {
    const after = skipDigits(bytes, at, Math.min(end, at + 21));
    if (after - at > 20) return SCAN_FAILED;
    let a = 0;
    let b = 0;
    for (let i = at; i < after - 9; i++) a = a * 10 + (bytes[i]! - ZERO);
    for (let i = after - 9; i < after; i++) b = b * 10 + (bytes[i]! - ZERO);
    const a0 = a % 65536;
    const p1 = ((a - a0) / 65536) * 1e9;
    const r = p1 % 65536;
    const s = r * 65536 + a0 * 1e9 + b;
    this.lo = s >>> 0;
    this.hi = (p1 - r) / 65536 + (s - this.lo) / U32;
    return this.hi < U32 ? after : SCAN_FAILED;
  }
}

/**
 * Reads the plain decimal text at `at` (digits, optional point and digits; no sign, no exponent) as an
 * integer of 10^−`decimals`. `position` holds where it ended; the result is −1 when the text is no decimal,
 * passes 15 digits, or has digits finer than `decimals` that are not zero (then `inexact` is set).
 */
export class DecimalReader {
  position: number;
  inexact: boolean;

  constructor() {
    this.position = 0;
    this.inexact = false;
  }

  unsigned(bytes: Uint8Array, at: number, end: number, decimals: number): number {
    const v = this.truncated(bytes, at, end, decimals);
    return this.inexact ? SCAN_FAILED : v;
  }

  /** The same, but finer digits are cut off (averages, which are no multiple of anything). */
  truncated(bytes: Uint8Array, at: number, end: number, decimals: number): number {
    this.inexact = false;
    const short = this.short(bytes, at, end, decimals);
    if (short >= 0) return short;
    let v = 0;
    let i = at;
    for (; i < end; i++) {
      const d = bytes[i]! - ZERO;
      if (d >>> 0 > 9) break;
      v = v * 10 + d;
    }
    if (i === at || i - at > EXACT_DIGITS) return SCAN_FAILED;
    let missing = decimals;
    if (i < end && bytes[i] === POINT) {
      const fraction = ++i;
      for (; i < end; i++) {
        const d = bytes[i]! - ZERO;
        if (d >>> 0 > 9) break;
        if (missing > 0) {
          v = v * 10 + d;
          missing--;
        } else if (d !== 0) this.inexact = true;
      }
      if (i === fraction) return SCAN_FAILED;
    }
    for (; missing > 0; missing--) v *= 10;
    this.position = i;
    return v <= Number.MAX_SAFE_INTEGER ? v : SCAN_FAILED;
  }

  /** The usual text: a point, all decimals, at most zeros behind them, and nine digits in all: int32 holds it. */
  private short(bytes: Uint8Array, at: number, end: number, decimals: number): number {
    let v = 0;
    let i = at;
    const wholeEnd = Math.min(end, at + HALF_DIGITS + 1);
    for (; i < wholeEnd; i++) {
      const d = (bytes[i]! - ZERO) | 0;
      if (d >>> 0 > 9) break;
      v = (v * 10 + d) | 0;
    }
    const fractionEnd = i + 1 + decimals;
    if (i === at || i - at + decimals > HALF_DIGITS || fractionEnd >= end || bytes[i] !== POINT)
      return SCAN_FAILED;
    for (i++; i < fractionEnd; i++) {
      const d = (bytes[i]! - ZERO) | 0;
      if (d >>> 0 > 9) return SCAN_FAILED;
      v = (v * 10 + d) | 0;
    }
    while (i < end && bytes[i] === ZERO) i++;
    if (bytes[i - 1] === POINT || (i < end && (bytes[i]! - ZERO) >>> 0 <= 9)) return SCAN_FAILED;
    this.position = i;
    return v;
  }
}
