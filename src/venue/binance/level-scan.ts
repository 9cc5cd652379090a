// Reads `[["58710.20","0.014"],…]` into ticks and lots. Hot: feed lane; 0 bytes per message; one pass. Phase
// one of two: the whole message is read into these arrays and checked before phase two writes any record,
// so a malformed message leaves no trace.
//
// Bounds: the caller guarantees bytes[end − 1] is `}`. No byte accepted here is `}`, and every look-ahead is
// behind a match of the byte before it, so the loops stop at end − 1 without a bound check per byte.
import { SCAN_FAILED } from "./json-scan.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const WHOLE_DIGITS_MAX = 15;

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

  constructor(capacity: number) {
    this.px = new Float64Array(new ArrayBuffer(capacity * 8));
    this.qty = new Float64Array(new ArrayBuffer(capacity * 8));
    this.capacity = capacity;
    this.count = 0;
    this.offStep = false;
    this.tooMany = false;
  }

  reset(): void {
    this.count = 0;
    this.offStep = false;
    this.tooMany = false;
  }

  /**
   * Appends the levels of the array at `at`. A tick is `pxStep` units of 10^−pxDecimals, a lot likewise.
   * Returns the position after `]`, or SCAN_FAILED.
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
    const after = this.scanUnits(b, at, pxDecimals, qtyDecimals);
    if (after === SCAN_FAILED || (pxStep === 1 && qtyStep === 1)) return after;
    return toSteps(this.px, first, this.count, pxStep) && toSteps(this.qty, first, this.count, qtyStep)
      ? after
      : this.failOffStep();
  }

  private scanUnits(b: Uint8Array, at: number, pxDecimals: number, qtyDecimals: number): number {
    const px = this.px;
    const qty = this.qty;
    const capacity = this.capacity;
    let n = this.count;
    let i = at;
    if (b[i] !== OPEN) return SCAN_FAILED;
    if (b[++i] === CLOSE) return i + 1;
    for (;;) {
      if (b[i] !== OPEN || b[i + 1] !== QUOTE) return SCAN_FAILED;
      i += 2;
      let start = i;
      let v = b[i]! - ZERO;
      if (v >>> 0 > 9) return SCAN_FAILED;
      let d = b[++i]! - ZERO;
      for (; d >>> 0 <= 9; d = b[++i]! - ZERO) v = v * 10 + d;
      if (i - start > WHOLE_DIGITS_MAX) return SCAN_FAILED;
      let missing = pxDecimals;
      if (d === POINT - ZERO) {
        start = ++i;
        for (d = b[i]! - ZERO; missing > 0 && d >>> 0 <= 9; d = b[++i]! - ZERO, missing--) v = v * 10 + d;
        while (b[i] === ZERO) i++;
        if (i === start) return SCAN_FAILED;
      }
      for (; missing > 0; missing--) v *= 10;
      if (b[i] !== QUOTE || b[i + 1] !== COMMA || b[i + 2] !== QUOTE) return this.failAt(b[i]!);

      i += 3;
      start = i;
      let q = b[i]! - ZERO;
      if (q >>> 0 > 9) return SCAN_FAILED;
      d = b[++i]! - ZERO;
      for (; d >>> 0 <= 9; d = b[++i]! - ZERO) q = q * 10 + d;
      if (i - start > WHOLE_DIGITS_MAX) return SCAN_FAILED;
      missing = qtyDecimals;
      if (d === POINT - ZERO) {
        start = ++i;
        for (d = b[i]! - ZERO; missing > 0 && d >>> 0 <= 9; d = b[++i]! - ZERO, missing--) q = q * 10 + d;
        while (b[i] === ZERO) i++;
        if (i === start) return SCAN_FAILED;
      }
      for (; missing > 0; missing--) q *= 10;
      if (b[i] !== QUOTE || b[i + 1] !== CLOSE) return this.failAt(b[i]!);
      i += 2;
      if (v > Number.MAX_SAFE_INTEGER || q > Number.MAX_SAFE_INTEGER) return SCAN_FAILED;
      if (n === capacity) return this.failTooMany();
      px[n] = v;
      qty[n] = q;
      n++;
      if (b[i] === COMMA) {
        i++;
        continue;
      }
      if (b[i] !== CLOSE) return SCAN_FAILED;
      this.count = n;
      return i + 1;
    }
  }

  private failAt(byte: number): number {
    // A digit where the text should end: finer than the step.
    return (byte - ZERO) >>> 0 <= 9 ? this.failOffStep() : SCAN_FAILED;
  }

  private failOffStep(): number {
    this.offStep = true;
    return SCAN_FAILED;
  }

  private failTooMany(): number {
    this.tooMany = true;
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
