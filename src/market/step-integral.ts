// Time integral of a value that is held between changes (mid price, book pressure): the time-weighted average
// over any window is two look-ups. Hot: factor lane; 0 bytes; push O(1), average O(log capacity).
//
// The integral runs for the whole session, so it is a double-double (Dekker 1971): a window of a second at the
// end of a day would lose 5 digits in one double.
//   | count | overflows | (6 spare) | ts | value | integral high | integral low |

const HEADER_WORDS = 8;
const COLUMNS = 4;
const SPLITTER = 134_217_729; // 2^27 + 1

export class StepIntegral {
  private readonly f64: Float64Array;
  private readonly head: number;
  private readonly ts: number;
  private readonly value: number;
  private readonly high: number;
  private readonly low: number;
  private readonly mask: number;
  readonly capacity: number;

  static words(capacity: number): number {
    return HEADER_WORDS + COLUMNS * capacity;
  }

  /** `offset`: first of `words(capacity)` zeroed words; capacity: a power of two. */
  constructor(f64: Float64Array, offset: number, capacity: number) {
    this.f64 = f64;
    this.head = offset;
    this.ts = offset + HEADER_WORDS;
    this.value = this.ts + capacity;
    this.high = this.value + capacity;
    this.low = this.high + capacity;
    this.mask = capacity - 1;
    this.capacity = capacity;
  }

  get count(): number {
    return this.f64[this.head]!;
  }

  get overflows(): number {
    return this.f64[this.head + 1]!;
  }

  /** From `tsNs` on the value is `value`; NaN (no value) forgets the past. Time stamps never go back. */
  push(tsNs: number, value: number): void {
    const f64 = this.f64;
    const n = f64[this.head]!;
    if (value - value !== 0) {
      f64[this.head] = 0;
      return;
    }
    const i = n & this.mask;
    const p = (n - 1) & this.mask;
    if (n === 0) {
      f64[this.high + i] = 0;
      f64[this.low + i] = 0;
    } else {
      if (f64[this.value + p] === value) return;
      this.extend(p, i, tsNs - f64[this.ts + p]!);
    }
    f64[this.ts + i] = tsNs;
    f64[this.value + i] = value;
    f64[this.head] = n + 1;
  }

  /** integral[i] = integral[p] + value[p]·elapsed, in double-double. */
  private extend(p: number, i: number, elapsed: number): void {
    const f64 = this.f64;
    const v = f64[this.value + p]!;
    const product = v * elapsed;
    const vHigh = v * SPLITTER - (v * SPLITTER - v);
    const vLow = v - vHigh;
    const eHigh = elapsed * SPLITTER - (elapsed * SPLITTER - elapsed);
    const eLow = elapsed - eHigh;
    const productError = vLow * eLow - (product - vHigh * eHigh - vLow * eHigh - vHigh * eLow);
    const before = f64[this.high + p]!;
    const sum = before + product;
    const part = sum - before;
    const error = before - (sum - part) + (product - part) + productError + f64[this.low + p]!;
    const high = sum + error;
    f64[this.high + i] = high;
    f64[this.low + i] = error - (high - sum);
  }

  /** Time-weighted mean over (nowNs − durationNs, nowNs]; NaN while the history is shorter than that. */
  mean(nowNs: number, durationNs: number): number {
    const f64 = this.f64;
    const n = f64[this.head]!;
    if (n === 0) return NaN;
    const from = nowNs - durationNs;
    const oldest = n > this.capacity ? n - this.capacity : 0;
    if (f64[this.ts + (oldest & this.mask)]! > from) {
      if (oldest > 0) f64[this.head + 1] = f64[this.head + 1]! + 1;
      return NaN;
    }
    let low = oldest;
    let high = n;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (f64[this.ts + (middle & this.mask)]! > from) high = middle;
      else low = middle + 1;
    }
    const k = (low - 1) & this.mask;
    const last = (n - 1) & this.mask;
    const whole = f64[this.high + last]! - f64[this.high + k]! + (f64[this.low + last]! - f64[this.low + k]!);
    const tail = f64[this.value + last]! * (nowNs - f64[this.ts + last]!);
    const lead = f64[this.value + k]! * (from - f64[this.ts + k]!);
    return (whole + (tail - lead)) / durationNs;
  }
}
