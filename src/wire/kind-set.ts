// A set of record kinds for hot code. A table, not a bit mask: `1 << kind` wraps at 32, where kind 33 would pass
// for kind 1 without a sound. Hot: 0 bytes; one byte load per look.

/** Above every kind that the schema declares (a test checks it); a record of a higher one is in no set. */
export const KIND_LIMIT = 256;

export class KindSet {
  private readonly table: Uint8Array;

  constructor(kinds: readonly number[] = []) {
    this.table = new Uint8Array(new ArrayBuffer(4096), 0, KIND_LIMIT);
    for (const kind of kinds) this.add(kind);
  }

  has(kind: number): boolean {
    return this.table[kind] === 1;
  }

  /** Throws RangeError for a number that no record can carry as its kind. */
  add(kind: number): void {
    if (!(kind >= 1 && kind < KIND_LIMIT))
      throw new RangeError(`record kind ${kind}: expected 1 … ${KIND_LIMIT - 1}`);
    this.table[kind] = 1;
  }

  addAll(other: KindSet): void {
    for (let kind = 1; kind < KIND_LIMIT; kind++) if (other.has(kind)) this.add(kind);
  }
}
