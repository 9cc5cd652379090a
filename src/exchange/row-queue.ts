// First in, first out, of fixed-width rows of numbers: what is under way between trader and exchange. A row never
// overtakes another. Hot: 0 bytes per row; the ring doubles when it is full (cold).
const FIRST_ROWS = 64;

export class RowQueue {
  /** Row fields at the offsets that `push` and `head` give. Replaced when the ring grows. */
  values: Float64Array;
  private readonly width: number;
  private mask: number;
  private first: number;
  private count: number;

  constructor(width: number) {
    this.width = width;
    this.mask = FIRST_ROWS - 1;
    this.values = new Float64Array(FIRST_ROWS * width);
    this.first = 0;
    this.count = 0;
  }

  get length(): number {
    return this.count;
  }

  /** Offset of a new last row; its fields are what an older row left. */
  push(): number {
    if (this.count > this.mask) this.grow();
    const row = (this.first + this.count++) & this.mask;
    return row * this.width;
  }

  /** Offset of the first row; the queue is not empty. */
  get head(): number {
    return this.first * this.width;
  }

  /** Lets go of the first row; its fields stay readable until the next push. */
  pop(): void {
    this.first = (this.first + 1) & this.mask;
    this.count--;
  }

  private grow(): void {
    const rows = this.mask + 1;
    const grown = new Float64Array(rows * 2 * this.width);
    const split = this.first * this.width;
    grown.set(this.values.subarray(split), 0);
    grown.set(this.values.subarray(0, split), rows * this.width - split);
    this.values = grown;
    this.first = 0;
    this.mask = rows * 2 - 1;
  }
}
