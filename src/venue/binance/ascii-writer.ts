// Writes ASCII into preallocated bytes: literals, integers, decimals. Hot: execution lane; 0 bytes per call.
// No bound checks: owners size the buffer for the longest request (request-encoder.ts shows the sum).

const ZERO = 0x30;
const POINT = 0x2e;

export class AsciiWriter {
  readonly bytes: Uint8Array;
  /** Where the next byte goes. */
  at: number;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(new ArrayBuffer(capacity));
    this.at = 0;
  }

  literal(text: Uint8Array): void {
    const bytes = this.bytes;
    let at = this.at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text[i]!;
    this.at = at;
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
    const bytes = this.bytes;
    let rest = value;
    for (let i = this.at + count - 1; i >= this.at; i--) {
      const next = Math.floor(rest / 10);
      bytes[i] = ZERO + (rest - next * 10);
      rest = next;
    }
    this.at += count;
  }
}
