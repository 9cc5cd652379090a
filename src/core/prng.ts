// sfc32 (Chris Doty-Humphrey's small fast counter, PractRand): 128-bit state, seeded, the same stream on
// every machine. All randomness comes through an instance of this class.

export class Prng {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = (seed / 0x1_0000_0000) | 0;
    this.c = 0x9e3779b9 | 0;
    this.counter = 1;
    for (let i = 0; i < 15; i++) this.nextU32();
  }

  /** Uniform in 0 … 2^32−1. */
  nextU32(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1). */
  nextFloat(): number {
    return this.nextU32() / 0x1_0000_0000;
  }

  /** Uniform integer in [0, bound). */
  nextBelow(bound: number): number {
    return Math.floor(this.nextFloat() * bound);
  }

  /** Standard normal (Box–Muller, one of the pair). */
  nextNormal(): number {
    const u = (this.nextU32() + 1) / 0x1_0000_0001;
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.nextFloat());
  }
}
