// Reads `[["58710.20","0.014"],…]` into ticks and lots. Hot: feed lane; 0 bytes per message; one pass. Phase
// one of two: the whole message is read into these arrays and checked before phase two writes any record,
// so a malformed message leaves no trace.
//
// Two readers give the same result: the quick one in int32 for what the venue writes, the plain one, level by
// level, for anything else. Neither needs a bound check per byte: the caller guarantees that bytes[end − 1] is
// `}`, which no step accepts, and every look-ahead is behind a match of the byte before it. (Four characters
// at a time through 32-bit loads was measured: 15 ns a level against 9.)
import { SCAN_FAILED } from "./json-scan.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const WHOLE_DIGITS_MAX = 15;

/** 10^9 − 1 fits int32. */
const INT32_DIGITS = 9;

export class LevelScanner {
  /** Levels of the message in wire order: bids, then asks. */
  readonly px: Float64Array;
  readonly qty: Float64Array;
  readonly capacity: number;
  /** Levels read so far. */
  count: number;
  /** The failure was a value that is no multiple of its step. */
  offStep: boolean;
  /** The failure was a message of more levels than fit. */
  tooMany: boolean;
  private next: number;

  constructor(capacity: number) {
    this.px = new Float64Array(new ArrayBuffer(capacity * 8));
    this.qty = new Float64Array(new ArrayBuffer(capacity * 8));
    this.capacity = capacity;
    this.count = 0;
    this.offStep = false;
    this.tooMany = false;
    this.next = 0;
  }

  reset(): void {
    this.count = 0;
    this.offStep = false;
    this.tooMany = false;
  }

  /**
   * Appends the levels of the array at `at`. A tick is `pxStep` units of
   * 10^−pxDecimals, a lot likewise. Returns the position after `]`, or SCAN_FAILED.
   */
  scan(
    b: Uint8Array,
    at: number,
    pxDecimals: number,
    pxStep: number,
    qtyDecimals: number,
    qtyStep: number,
  ): number {
    const first = this.count;
    if (b[at] !== OPEN) return SCAN_FAILED;
    if (b[at + 1] === CLOSE) return at + 2;
    const after = this.scanLevels(b, at + 1, pxDecimals, qtyDecimals);
    if (after === SCAN_FAILED || (pxStep === 1 && qtyStep === 1)) return after;
    return toSteps(this.px, first, this.count, pxStep) && toSteps(this.qty, first, this.count, qtyStep)
      ? after
      : this.failOffStep();
  }

  private scanLevels(b: Uint8Array, at: number, pxDecimals: number, qtyDecimals: number): number {
    let i = at;
    for (;;) {
      i = this.quick(b, i, pxDecimals, qtyDecimals);
      i = this.plain(b, i, pxDecimals, qtyDecimals);
      if (i === SCAN_FAILED) return SCAN_FAILED;
      if (b[i] === CLOSE) return i + 1;
      if (b[i] !== COMMA) return SCAN_FAILED;
      i++;
    }
  }

  /**
   * Levels of the usual form: at most 9 digits before the end of a value's step, so that all of it stays in
   * int32 (`| 0` spares the overflow checks). Returns where it stopped: at the `[` of a level of another
   * form, or of the last one.
   */
  private quick(b: Uint8Array, at: number, pxDecimals: number, qtyDecimals: number): number {
    const px = this.px;
    const qty = this.qty;
    const capacity = this.capacity;
    const pxWhole = INT32_DIGITS - pxDecimals;
    const qtyWhole = INT32_DIGITS - qtyDecimals;
    let n = this.count;
    let level = at;
    while (n < capacity && b[level] === OPEN && b[level + 1] === QUOTE) {
      const pxAt = level + 2;
      let i = pxAt;
      let d = (b[i]! - ZERO) | 0;
      let p = 0;
      for (; d >>> 0 <= 9; d = (b[++i]! - ZERO) | 0) p = (p * 10 + d) | 0;
      if (i === pxAt || i - pxAt > pxWhole || d !== POINT - ZERO) break;
      const pxEnd = i + pxDecimals;
      if (i === pxEnd && b[i + 1] !== ZERO) break;
      while (i < pxEnd) {
        d = (b[++i]! - ZERO) | 0;
        if (d >>> 0 > 9) break;
        p = (p * 10 + d) | 0;
      }
      if (d >>> 0 > 9 && pxDecimals > 0) break;
      i++;
      while (b[i] === ZERO) i++;
      if (b[i] !== QUOTE || b[i + 1] !== COMMA || b[i + 2] !== QUOTE) break;

      const qtyAt = i + 3;
      i = qtyAt;
      let q = 0;
      d = (b[i]! - ZERO) | 0;
      for (; d >>> 0 <= 9; d = (b[++i]! - ZERO) | 0) q = (q * 10 + d) | 0;
      if (i === qtyAt || i - qtyAt > qtyWhole || d !== POINT - ZERO) break;
      const qtyEnd = i + qtyDecimals;
      if (i === qtyEnd && b[i + 1] !== ZERO) break;
      while (i < qtyEnd) {
        d = (b[++i]! - ZERO) | 0;
        if (d >>> 0 > 9) break;
        q = (q * 10 + d) | 0;
      }
      if (d >>> 0 > 9 && qtyDecimals > 0) break;
      i++;
      while (b[i] === ZERO) i++;
      if (b[i] !== QUOTE || b[i + 1] !== CLOSE || b[i + 2] !== COMMA) break;
      level = i + 3;
      px[n] = p;
      qty[n] = q;
      n++;
    }
    this.count = n;
    return level;
  }

  /** One level of any form; returns the position after its `]`, or SCAN_FAILED. */
  private plain(b: Uint8Array, at: number, pxDecimals: number, qtyDecimals: number): number {
    if (b[at] !== OPEN || b[at + 1] !== QUOTE) return SCAN_FAILED;
    const px = this.plainValue(b, at + 2, pxDecimals);
    if (px < 0) return SCAN_FAILED;
    let i = this.next;
    if (b[i] !== QUOTE || b[i + 1] !== COMMA || b[i + 2] !== QUOTE) return this.failAt(b[i]!);
    const qty = this.plainValue(b, i + 3, qtyDecimals);
    if (qty < 0) return SCAN_FAILED;
    i = this.next;
    if (b[i] !== QUOTE || b[i + 1] !== CLOSE) return this.failAt(b[i]!);
    if (this.count === this.capacity) {
      this.tooMany = true;
      return SCAN_FAILED;
    }
    this.px[this.count] = px;
    this.qty[this.count] = qty;
    this.count++;
    return i + 2;
  }

  private plainValue(b: Uint8Array, at: number, decimals: number): number {
    let v = 0;
    let i = at;
    for (let d = b[i]! - ZERO; d >>> 0 <= 9; d = b[++i]! - ZERO) v = v * 10 + d;
    if (i === at || i - at > WHOLE_DIGITS_MAX) return SCAN_FAILED;
    let missing = decimals;
    if (b[i] === POINT) {
      const start = ++i;
      for (let d = b[i]! - ZERO; missing > 0 && d >>> 0 <= 9; d = b[++i]! - ZERO, missing--) v = v * 10 + d;
      while (b[i] === ZERO) i++;
      if (i === start) return SCAN_FAILED;
    }
    for (; missing > 0; missing--) v *= 10;
    this.next = i;
    return v <= Number.MAX_SAFE_INTEGER ? v : SCAN_FAILED;
  }

  private failAt(byte: number): number {
    // A digit where the text should end: finer than the step.
    return (byte - ZERO) >>> 0 <= 9 ? this.failOffStep() : SCAN_FAILED;
  }

  private failOffStep(): number {
    this.offStep = true;
    return SCAN_FAILED;
  }
}

function toSteps(values: Float64Array, from: number, to: number, step: number): boolean {
  if (step === 1) return true;
  for (let i = from; i < to; i++) {
    if (values[i]! % step !== 0) return false;
    values[i] = values[i]! / step;
  }
  return true;
}
