// Reads `[["58710.20","0.014"],…]` into ticks and lots. Hot: feed lane; 0 bytes per message; one pass. Phase
// one of two: the whole message is read into these arrays and checked before phase two writes any record,
// so a malformed message leaves no trace.
//
// Two readers give the same result: the quick one, generated for what the venue writes of an instrument
// (level-reader.ts), and the plain one, level by level, for anything else. The plain one needs no bound check
// per byte: the caller guarantees that bytes[end − 1] is `}`, which no step accepts, and every look-ahead is
// behind a match of the byte before it.
import { SCAN_FAILED } from "./json-scan.ts";
import type { LevelForm, LevelTarget } from "./level-reader.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const WHOLE_DIGITS_MAX = 15;

export class LevelScanner implements LevelTarget {
  /** Levels of the message in wire order, bids, then asks: ticks and lots in turn. */
  readonly values: Float64Array;
  readonly capacity: number;
  /** Levels read so far. */
  count: number;
  /** The failure was a value that is no multiple of its step. */
  offStep: boolean;
  /** The failure was a message of more levels than fit. */
  tooMany: boolean;
  private next: number;

  constructor(capacity: number) {
    this.values = new Float64Array(new ArrayBuffer(capacity * 16));
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
   * Appends the levels of the array at `at`, which end before `end`; `view` is the memory of `b`. Returns the
   * position after `]`, or SCAN_FAILED.
   */
  scan(b: Uint8Array, view: DataView, at: number, end: number, form: LevelForm): number {
    const first = this.count;
    const { px, qty } = form;
    if (b[at] !== OPEN) return SCAN_FAILED;
    if (b[at + 1] === CLOSE) return at + 2;
    const after = this.scanLevels(b, view, at + 1, end, form);
    if (after === SCAN_FAILED || (px.step === 1 && qty.step === 1)) return after;
    const last = 2 * this.count;
    return toSteps(this.values, 2 * first, last, px.step) &&
      toSteps(this.values, 2 * first + 1, last, qty.step)
      ? after
      : this.failOffStep();
  }

  private scanLevels(b: Uint8Array, view: DataView, at: number, end: number, form: LevelForm): number {
    let i = at;
    for (;;) {
      let after = form.read(view, i, end, this);
      if (after === i) after = this.plain(b, i, form.px.decimals, form.qty.decimals);
      if (after === SCAN_FAILED) return SCAN_FAILED;
      if (b[after] === CLOSE) return after + 1;
      if (b[after] !== COMMA) return SCAN_FAILED;
      i = after + 1;
    }
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
    this.values[2 * this.count] = px;
    this.values[2 * this.count + 1] = qty;
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

/** Every second value is one of its kind. */
function toSteps(values: Float64Array, from: number, to: number, step: number): boolean {
  if (step === 1) return true;
  for (let i = from; i < to; i += 2) {
    if (values[i]! % step !== 0) return false;
    values[i] = values[i]! / step;
  }
  return true;
}
