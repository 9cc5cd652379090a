// Latest value and time of every named external signal. Hot: factor lane; 0 bytes; O(1).
// Names are resolved to indexes at start; Alpha records carry the index.

export class AlphaBoard {
  readonly names: readonly string[];
  private readonly f64: Float64Array;
  private readonly offset: number;

  static words(names: readonly string[]): number {
    return names.length * 2;
  }

  constructor(names: readonly string[], f64: Float64Array, offset: number) {
    this.names = names;
    this.f64 = f64;
    this.offset = offset;
    f64.fill(NaN, offset, offset + names.length * 2);
  }

  /** −1 when the signal is not declared (cold). */
  indexOf(name: string): number {
    return this.names.indexOf(name);
  }

  /** An index that is not declared is refused: false. */
  set(index: number, value: number, tsNs: number): boolean {
    if (index < 0 || index >= this.names.length) return false;
    this.f64[this.offset + 2 * index] = value;
    this.f64[this.offset + 2 * index + 1] = tsNs;
    return true;
  }

  value(index: number): number {
    return this.f64[this.offset + 2 * index]!;
  }

  tsNs(index: number): number {
    return this.f64[this.offset + 2 * index + 1]!;
  }
}
