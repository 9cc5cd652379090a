// Hash table from a pair of 32-bit integers to one: order ids (u64 as two words), price levels (side, tick).
// Hot: lane of the book; 0 bytes unless it has to grow (counted); O(1) expected, linear probing at ≤ half load.
//
// Deleting shifts the entries behind back, so there are no tombstones and a long run does not slow down.

export const NOT_FOUND = -1;
const WORDS = 3;

export class PairTable {
  /** Per cell: high word, low word, value + 1 (0 = empty). */
  private cells: Int32Array;
  private mask: number;
  count: number;
  /** How often the table had to be enlarged after start; each is one allocation on the lane. */
  growths: number;

  /** `capacity`: entries held before the first growth. */
  constructor(capacity: number) {
    let size = 16;
    while (size < 2 * capacity) size *= 2;
    this.cells = new Int32Array(size * WORDS);
    this.mask = size - 1;
    this.count = 0;
    this.growths = 0;
  }

  get bytes(): number {
    return this.cells.byteLength;
  }

  /** Cell of the pair, or of the empty place where it belongs. */
  private cellOf(hi: number, lo: number): number {
    let cell = hash(hi, lo) & this.mask;
    for (;;) {
      const at = cell * WORDS;
      if (this.cells[at + 2] === 0 || (this.cells[at + 1] === lo && this.cells[at] === hi)) return cell;
      cell = (cell + 1) & this.mask;
    }
  }

  /** Both words are read as signed 32-bit integers. NOT_FOUND when the pair is not there. */
  get(hi: number, lo: number): number {
    return this.cells[this.cellOf(hi | 0, lo | 0) * WORDS + 2]! - 1;
  }

  /** `value` ≥ 0. */
  set(hi: number, lo: number, value: number): void {
    const at = this.cellOf(hi | 0, lo | 0) * WORDS;
    if (this.cells[at + 2] === 0) this.count++;
    this.cells[at] = hi;
    this.cells[at + 1] = lo;
    this.cells[at + 2] = value + 1;
    if (2 * this.count > this.mask) this.grow();
  }

  /** Nothing happens when the pair is not there. */
  delete(hi: number, lo: number): void {
    let hole = this.cellOf(hi | 0, lo | 0);
    if (this.cells[hole * WORDS + 2] === 0) return;
    this.count--;
    let cell = hole;
    for (;;) {
      cell = (cell + 1) & this.mask;
      const at = cell * WORDS;
      if (this.cells[at + 2] === 0) break;
      const home = hash(this.cells[at]!, this.cells[at + 1]!) & this.mask;
      // The entry may fill the hole when its home does not lie between hole and cell.
      if (((cell - home) & this.mask) < ((cell - hole) & this.mask)) continue;
      this.cells.copyWithin(hole * WORDS, at, at + WORDS);
      hole = cell;
    }
    this.cells[hole * WORDS + 2] = 0;
  }

  clear(): void {
    this.cells.fill(0);
    this.count = 0;
  }

  private grow(): void {
    const old = this.cells;
    this.cells = new Int32Array(old.length * 2);
    this.mask = this.cells.length / WORDS - 1;
    this.count = 0;
    this.growths++;
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 2] !== 0) this.set(old[at]!, old[at + 1]!, old[at + 2]! - 1);
    }
  }
}

/** Finaliser of MurmurHash3 over both words. */
function hash(hi: number, lo: number): number {
  let h = Math.imul(hi, 0x9e37_79b1) ^ lo;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
