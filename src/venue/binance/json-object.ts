// The fields of one flat JSON object, found by key in any order. Hot: any lane; 0 bytes per call; one pass
// over the object. The venue's keys are mostly one letter: those are an array look-up.
import { SCAN_FAILED, skipString, skipValue } from "./json-scan.ts";

const FIELDS_MAX = 64;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export class JsonObject {
  /** Value position by the code of a one-letter key; 0 = absent. */
  private readonly single: Int32Array;
  private readonly keyStart: Int32Array;
  private readonly keyEnd: Int32Array;
  private readonly valueAt: Int32Array;
  private readonly touched: Uint8Array;
  private touchedCount: number;
  private count: number;
  private bytes: Uint8Array;
  /** Objects under these one-letter keys are scanned by `nested` in the same pass. */
  private readonly nested: JsonObject | null;
  private readonly nestedKeys: string;

  /** `nested` takes apart the object under one of `nestedKeys` (one letter each) instead of skipping it. */
  constructor(nested: JsonObject | null = null, nestedKeys = "") {
    this.single = new Int32Array(128);
    this.keyStart = new Int32Array(FIELDS_MAX);
    this.keyEnd = new Int32Array(FIELDS_MAX);
    this.valueAt = new Int32Array(FIELDS_MAX);
    this.touched = new Uint8Array(128);
    this.touchedCount = 0;
    this.count = 0;
    this.bytes = new Uint8Array(0);
    this.nested = nested;
    this.nestedKeys = nestedKeys;
  }

  /**
   * Scans the object at `at`, values included. Returns the position after it, or SCAN_FAILED: not JSON, a key
   * twice, or more than 64 long keys.
   */
  scan(bytes: Uint8Array, at: number, end: number): number {
    this.clear(bytes);
    if (at >= end || bytes[at] !== OPEN_BRACE) return SCAN_FAILED;
    if (at + 1 < end && bytes[at + 1] === CLOSE_BRACE) return at + 2;
    let i = at;
    for (;;) {
      const keyAt = i + 2;
      const colon = skipString(bytes, i + 1, end);
      if (colon === SCAN_FAILED || colon >= end || bytes[colon] !== COLON) return SCAN_FAILED;
      if (!this.note(keyAt, colon - 1, colon + 1)) return SCAN_FAILED;
      i = this.isNested(keyAt, colon)
        ? this.nested!.scan(bytes, colon + 1, end)
        : skipValue(bytes, colon + 1, end);
      if (i === SCAN_FAILED || i >= end) return SCAN_FAILED;
      if (bytes[i] === CLOSE_BRACE) return i + 1;
      if (bytes[i] !== COMMA) return SCAN_FAILED;
    }
  }

  /** Value position of the one-letter key, or SCAN_FAILED. */
  letter(code: number): number {
    const at = this.single[code]!;
    return at === 0 ? SCAN_FAILED : at;
  }

  /** Value position of a longer key (its bytes without quotes), or SCAN_FAILED. */
  named(key: Uint8Array): number {
    for (let i = 0; i < this.count; i++) {
      if (this.keyEnd[i]! - this.keyStart[i]! === key.length && this.sameBytes(this.keyStart[i]!, key)) {
        return this.valueAt[i]!;
      }
    }
    return SCAN_FAILED;
  }

  private isNested(keyAt: number, colon: number): boolean {
    if (this.nested === null || colon - keyAt !== 2 || this.bytes[colon + 1] !== OPEN_BRACE) return false;
    const key = this.bytes[keyAt]!;
    for (let i = 0; i < this.nestedKeys.length; i++) if (this.nestedKeys.charCodeAt(i) === key) return true;
    return false;
  }

  private clear(bytes: Uint8Array): void {
    for (let i = 0; i < this.touchedCount; i++) this.single[this.touched[i]!] = 0;
    this.touchedCount = 0;
    this.count = 0;
    this.bytes = bytes;
  }

  private note(start: number, end: number, valueAt: number): boolean {
    const code = this.bytes[start]!;
    if (end - start === 1 && code < 128) {
      if (this.single[code] !== 0) return false;
      this.single[code] = valueAt;
      this.touched[this.touchedCount++] = code;
      return true;
    }
    if (this.count === FIELDS_MAX) return false;
    for (let i = 0; i < this.count; i++) {
      if (
        this.keyEnd[i]! - this.keyStart[i]! === end - start &&
        this.sameRange(this.keyStart[i]!, start, end)
      ) {
        return false;
      }
    }
    this.keyStart[this.count] = start;
    this.keyEnd[this.count] = end;
    this.valueAt[this.count] = valueAt;
    this.count++;
    return true;
  }

  private sameBytes(at: number, key: Uint8Array): boolean {
    const bytes = this.bytes;
    for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return false;
    return true;
  }

  private sameRange(a: number, b: number, bEnd: number): boolean {
    const bytes = this.bytes;
    for (let i = b; i < bEnd; i++, a++) if (bytes[a] !== bytes[i]) return false;
    return true;
  }
}
