// Writes ASCII into preallocated bytes: literals, integers, decimals. Hot: execution lane; 0 bytes per call.
// No bound checks: owners size the buffer for the longest request (request-encoder.ts shows the sum).

const ZERO = 0x30;
const POINT = 0x2e;
/** Text goes in words: up to this many bytes behind its end are overwritten, and the next write covers them. */
const OVERRUN = 3;
const INT_BOUND = 1_000_000_000;

/** Constant text as 32-bit words, made at start. */
export class AsciiText {
  readonly length: number;
  readonly words: Int32Array;

  constructor(text: string) {
    const bytes = new Uint8Array((text.length + OVERRUN) & ~OVERRUN);
    new TextEncoder().encodeInto(text, bytes);
    this.length = text.length;
    this.words = new Int32Array(bytes.buffer);
  }
}

export class AsciiWriter {
  readonly bytes: Uint8Array;
  /** Where the next byte goes. */
  at: number;
  private readonly view: DataView;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(new ArrayBuffer(capacity + OVERRUN));
    this.view = new DataView(this.bytes.buffer);
    this.at = 0;
  }

  literal(text: AsciiText): void {
    const { view, at } = this;
    const words = text.words;
    for (let i = 0; i < words.length; i++) view.setInt32(at + (i << 2), words[i]!, true);
    this.at = at + text.length;
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const bytes = this.bytes;
    let at = this.at;
    for (let i = start; i < end; i++) bytes[at++] = from[i]!;
    this.at = at;
  }

  /** `value`: an integer 0 … 2^53 − 1. */
  integer(value: number): void {
    this.digits(value, 1);
  }

  /** value · 10^−decimals with exactly `decimals` digits after the point. */
  decimal(value: number, decimals: number): void {
    if (decimals === 0) {
      this.digits(value, 1);
      return;
    }
    this.digits(value, decimals + 1);
    const bytes = this.bytes;
    const point = this.at - decimals;
    for (let i = this.at; i > point; i--) bytes[i] = bytes[i - 1]!;
    bytes[point] = POINT;
    this.at++;
  }

  private digits(value: number, least: number): void {
    let count = 1;
    for (let bound = 10; value >= bound && count < 16; bound *= 10) count++;
    if (count < least) count = least;
    const end = this.at + count;
    if (value < INT_BOUND) this.intDigits(value | 0, this.at, end);
    else {
      const high = Math.floor(value / INT_BOUND);
      this.intDigits((value - high * INT_BOUND) | 0, end - 9, end);
      this.intDigits(high | 0, this.at, end - 9);
    }
    this.at = end;
  }

  /** Digits of an int32 into bytes[start, end), zeros in front. */
  private intDigits(value: number, start: number, end: number): void {
    const bytes = this.bytes;
    let rest = value;
    for (let i = end - 1; i >= start; i--) {
      const next = (rest / 10) | 0;
      bytes[i] = ZERO + rest - next * 10;
      rest = next;
    }
  }
}
