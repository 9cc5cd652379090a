// Symbol bytes → small integer, without a string. Hot: feed and execution lanes; 0 bytes per look-up; one
// hash, then as a rule one comparison. Built at start, never changed.
import { assert } from "../../core/assert.ts";
import { ascii } from "./json-scan.ts";

export const UNKNOWN_SYMBOL = -1;

export class SymbolTable {
  private readonly mask: number;
  /** Index + 1 per slot; 0 = free. */
  private readonly slots: Int32Array;
  private readonly starts: Int32Array;
  private readonly lengths: Int32Array;
  private readonly text: Uint8Array;

  /** `names[i]` is found as `i`. */
  constructor(names: readonly string[]) {
    assert(new Set(names).size === names.length, "symbol listed twice");
    const encoded = names.map(ascii);
    let size = 16;
    while (size < names.length * 4) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size);
    this.starts = new Int32Array(names.length);
    this.lengths = new Int32Array(names.length);
    this.text = new Uint8Array(encoded.reduce((sum, e) => sum + e.length, 0) + 1);
    let next = 0;
    for (const [index, bytes] of encoded.entries()) {
      this.starts[index] = next;
      this.lengths[index] = bytes.length;
      this.text.set(bytes, next);
      next += bytes.length;
      let slot = hash(bytes, 0, bytes.length) & this.mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = index + 1;
    }
  }

  /** Index of the name in `bytes[at … end)`, or UNKNOWN_SYMBOL. */
  find(bytes: Uint8Array, at: number, end: number): number {
    let slot = hash(bytes, at, end) & this.mask;
    for (;;) {
      const index = this.slots[slot]! - 1;
      if (index < 0) return UNKNOWN_SYMBOL;
      if (this.lengths[index] === end - at && this.same(index, bytes, at)) return index;
      slot = (slot + 1) & this.mask;
    }
  }

  private same(index: number, bytes: Uint8Array, at: number): boolean {
    const start = this.starts[index]!;
    const length = this.lengths[index]!;
    for (let i = 0; i < length; i++) if (this.text[start + i] !== bytes[at + i]) return false;
    return true;
  }
}

/** FNV-1a, 32 bit. */
function hash(bytes: Uint8Array, at: number, end: number): number {
  let h = 0x811c9dc5 | 0;
  for (let i = at; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h ^ (h >>> 15);
}
