// Values of one column in the form in which ClickHouse's Native format takes them (block.ts). Cold lane, but built for
// millions of values: typed arrays that grow and are kept, no object per value, no allocation once they are grown.
import type { ColumnSpec } from "./tables.ts";

const INITIAL_BYTES = 512;
const TWO_32 = 0x1_0000_0000;
/** A limb has 52 bits: 32 of them in one word, 20 in the next, and 12 of the limb above. */
const LIMB_TOP = 2 ** 12;
const LIMB_SHIFT = 2 ** 20;
const DICTIONARY = "LowCardinality(String)";
/** Bytes of a value that is a number in the column's dictionary. */
const KEY_BYTES = 2;
const MAX_KEYS = 1 << (8 * KEY_BYTES);

/** Bytes per value; 0 = String. */
function widthOf(type: string): number {
  if (type === DICTIONARY) return KEY_BYTES;
  if (/^(Enum8|Bool|U?Int8)/.test(type)) return 1;
  if (/^U?Int16/.test(type)) return 2;
  if (/^U?Int32/.test(type)) return 4;
  if (/^(U?Int64|Float64|DateTime64|Decimal\((1[0-8])\b)/.test(type)) return 8;
  if (/^Decimal\((19|2\d|3[0-8])\b/.test(type)) return 16;
  if (type === "String") return 0;
  throw new RangeError(`no encoder for column type ${type}`);
}

const utf8 = new TextEncoder();

/** One column. Each method appends the value of the row at hand; every row puts exactly one. */
export class ColumnBuffer {
  readonly name: string;
  /** As the block states it; the server casts it to the table's own. */
  readonly type: string;
  readonly width: number;
  /** Its values are numbers of `keys`. */
  readonly isDictionary: boolean;
  bytes = 0;
  /** Of a dictionary column: its texts in the order in which they came. Empty otherwise. */
  readonly keys: Uint8Array[] = [];
  private readonly numbers = new Map<Uint8Array, number>();
  private lastKey: Uint8Array | null = null;
  private lastNumber = 0;
  private u8: Uint8Array;
  private u16: Uint16Array;
  private u32: Uint32Array;
  private f64: Float64Array;

  constructor(spec: ColumnSpec) {
    this.name = spec.name;
    this.type = spec.repeats ? DICTIONARY : spec.type;
    this.width = widthOf(this.type);
    this.isDictionary = this.type === DICTIONARY;
    const buffer = new ArrayBuffer(INITIAL_BYTES);
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  /** Empty again; the memory stays. */
  clear(): void {
    this.bytes = 0;
    if (this.keys.length === 0) return;
    this.keys.length = 0;
    this.numbers.clear();
    this.lastKey = null;
  }

  /** Enum8, Bool, Int8: −128 … 255. */
  byte(value: number): void {
    if (this.bytes + 1 > this.u8.length) this.grow(1);
    this.u8[this.bytes++] = value;
  }

  /** Int16, Int32 and their unsigned forms, by the column's width. */
  int(value: number): void {
    if (this.bytes + this.width > this.u8.length) this.grow(this.width);
    if (this.width === 2) this.u16[this.bytes >> 1] = value;
    else this.u32[this.bytes >> 2] = value;
    this.bytes += this.width;
  }

  /** 64 bits from an integer-valued double, |value| ≤ 2^53. */
  long(value: number): void {
    if (this.bytes + 8 > this.u8.length) this.grow(8);
    const high = Math.floor(value / TWO_32);
    const word = this.bytes >> 2;
    this.u32[word] = value - high * TWO_32;
    this.u32[word + 1] = high;
    this.bytes += 8;
  }

  words(low: number, high: number): void {
    if (this.bytes + 8 > this.u8.length) this.grow(8);
    const word = this.bytes >> 2;
    this.u32[word] = low;
    this.u32[word + 1] = high;
    this.bytes += 8;
  }

  float(value: number): void {
    if (this.bytes + 8 > this.u8.length) this.grow(8);
    this.f64[this.bytes >> 3] = value;
    this.bytes += 8;
  }

  /** hi · 2^52 + lo as in core/two-limb.ts, 64 or 128 bits by the column's width. */
  limbs(hi: number, lo: number): void {
    if (this.bytes + this.width > this.u8.length) this.grow(this.width);
    const { u32 } = this;
    const word = this.bytes >> 2;
    const above = Math.floor(hi / LIMB_TOP);
    u32[word] = lo;
    u32[word + 1] = Math.floor(lo / TWO_32) + (hi - above * LIMB_TOP) * LIMB_SHIFT;
    if (this.width === 16) {
      u32[word + 2] = above;
      u32[word + 3] = Math.floor(above / TWO_32);
    }
    this.bytes += this.width;
  }

  /** 64 or 128 bits, two's complement, by the column's width. */
  big(value: bigint): void {
    if (this.bytes + this.width > this.u8.length) this.grow(this.width);
    let rest = value;
    for (let word = this.bytes >> 2; word < (this.bytes + this.width) >> 2; word++) {
      this.u32[word] = Number(BigInt.asUintN(32, rest));
      rest >>= 32n;
    }
    this.bytes += this.width;
  }

  /**
   * UTF-8 with its length before it; see `text()`. A dictionary knows a text by its array: who puts one often makes it
   * once.
   */
  string(encoded: Uint8Array): void {
    if (this.isDictionary) {
      this.int(encoded === this.lastKey ? this.lastNumber : this.numberOf(encoded));
      return;
    }
    const length = encoded.length;
    if (this.bytes + length > this.u8.length) this.grow(length);
    const { u8, bytes } = this;
    for (let i = 0; i < length; i++) u8[bytes + i] = encoded[i]!;
    this.bytes = bytes + length;
  }

  private numberOf(encoded: Uint8Array): number {
    let number = this.numbers.get(encoded);
    if (number === undefined) {
      number = this.keys.length;
      if (number === MAX_KEYS) throw new RangeError(`${this.name}: more than ${MAX_KEYS} texts in one block`);
      this.keys.push(encoded);
      this.numbers.set(encoded, number);
    }
    this.lastKey = encoded;
    this.lastNumber = number;
    return number;
  }

  /** Everything put so far; valid until the next put. */
  data(): Uint8Array {
    return this.u8.subarray(0, this.bytes);
  }

  private grow(more: number): void {
    let size = this.u8.length * 2;
    while (size < this.bytes + more) size *= 2;
    const buffer = new ArrayBuffer(size);
    const u8 = new Uint8Array(buffer);
    u8.set(this.u8.subarray(0, this.bytes));
    this.u8 = u8;
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }
}

/** A string as a String column takes it: made once, put often. */
export function text(value: string): Uint8Array {
  const bytes = utf8.encode(value);
  const out = new Uint8Array(varintBytes(bytes.length) + bytes.length);
  out.set(bytes, writeVarint(out, 0, bytes.length));
  return out;
}

/** Bytes of a length as the Native format writes it. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Returns the offset after it. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 128;
  out[at++] = rest;
  return at;
}
