// Exact sums beyond 2^53, for money: value = hi · 2^52 + lo with integer limbs, 0 ≤ lo < 2^52, |hi| < 2^53.
// The form is canonical (one value, one pair), so pairs in records compare and replay bit for bit.
// Hot: any lane; 0 bytes; O(1) (mulDivTrunc: at most 53 steps, and only when a product passes 2^53).

const LIMB = 0x10_0000_0000_0000; // 2^52
const PER_LIMB = 1 / LIMB;
const HALF = 0x400_0000; // 2^26
const PER_HALF = 1 / HALF;
const EXACT = 0x20_0000_0000_0000; // 2^53

/** Largest magnitude of a factor of addProduct: 2^52 − 1. */
export const MAX_FACTOR = LIMB - 1;

/** A fixed number of exact sums. Sums may reach ±2^105 before they lose digits. */
export class TwoLimbSums {
  readonly hi: Float64Array;
  readonly lo: Float64Array;

  constructor(slots: number) {
    // Page-sized buffers: small typed arrays may move (ffi) and cost no less.
    this.hi = new Float64Array(new ArrayBuffer(Math.max(slots, 8) * 8), 0, slots);
    this.lo = new Float64Array(new ArrayBuffer(Math.max(slots, 8) * 8), 0, slots);
  }

  clear(slot: number): void {
    this.hi[slot] = 0;
    this.lo[slot] = 0;
  }

  set(slot: number, hi: number, lo: number): void {
    this.hi[slot] = hi;
    this.lo[slot] = lo;
  }

  copy(slot: number, from: TwoLimbSums, fromSlot: number): void {
    this.hi[slot] = from.hi[fromSlot];
    this.lo[slot] = from.lo[fromSlot];
  }

  /** Adds an integer, |value| ≤ 2^53. */
  add(slot: number, value: number): void {
    const high = Math.floor(value * PER_LIMB);
    this.addLimbs(slot, high, value - high * LIMB);
  }

  /** Adds a · b exactly; integers, |a| and |b| ≤ MAX_FACTOR. */
  addProduct(slot: number, a: number, b: number): void {
    const product = a * b;
    if (product < EXACT && product > -EXACT) {
      this.add(slot, product);
      return;
    }
    const x = Math.abs(a);
    const y = Math.abs(b);
    const x1 = Math.floor(x * PER_HALF);
    const y1 = Math.floor(y * PER_HALF);
    const x0 = x - x1 * HALF;
    const y0 = y - y1 * HALF;
    const middle = x1 * y0 + x0 * y1;
    const middleHigh = Math.floor(middle * PER_HALF);
    const low = (middle - middleHigh * HALF) * HALF + x0 * y0;
    const carry = low >= LIMB ? 1 : 0;
    const high = x1 * y1 + middleHigh + carry;
    if (product > 0) this.addLimbs(slot, high, low - carry * LIMB);
    else this.subtractLimbs(slot, high, low - carry * LIMB);
  }

  /** Adds a sum of another (or the same) set. */
  addSum(slot: number, from: TwoLimbSums, fromSlot: number): void {
    this.addLimbs(slot, from.hi[fromSlot], from.lo[fromSlot]);
  }

  subtractSum(slot: number, from: TwoLimbSums, fromSlot: number): void {
    this.subtractLimbs(slot, from.hi[fromSlot], from.lo[fromSlot]);
  }

  /** −1, 0 or 1. */
  compare(slot: number, other: TwoLimbSums, otherSlot: number): number {
    const high = this.hi[slot] - other.hi[otherSlot];
    if (high !== 0) return high < 0 ? -1 : 1;
    const low = this.lo[slot] - other.lo[otherSlot];
    return low === 0 ? 0 : low < 0 ? -1 : 1;
  }

  /** Nearest double (within two roundings): exact below 2^53, for limits and display beyond it. */
  approximate(slot: number): number {
    return this.hi[slot] * LIMB + this.lo[slot];
  }

  /** Cold. */
  toBigInt(slot: number): bigint {
    return limbsToBigInt(this.hi[slot], this.lo[slot]);
  }

  /** Cold. */
  fromBigInt(slot: number, value: bigint): void {
    const low = BigInt.asUintN(52, value);
    this.hi[slot] = Number((value - low) >> 52n);
    this.lo[slot] = Number(low);
  }

  /** Adds a sum given as its limbs. */
  addLimbs(slot: number, high: number, low: number): void {
    const sum = this.lo[slot] + low;
    const carry = sum >= LIMB ? 1 : 0;
    this.lo[slot] = sum - carry * LIMB;
    this.hi[slot] += high + carry;
  }

  private subtractLimbs(slot: number, high: number, low: number): void {
    const difference = this.lo[slot] - low;
    const borrow = difference < 0 ? 1 : 0;
    this.lo[slot] = difference + borrow * LIMB;
    this.hi[slot] -= high + borrow;
  }
}

/** Cold: the pair that a record carries. */
export function limbsToBigInt(hi: number, lo: number): bigint {
  return (BigInt(hi) << 52n) + BigInt(lo);
}

/** The pair that a record carries as a double: exact below 2^53. */
export function limbsToNumber(hi: number, lo: number): number {
  return hi * LIMB + lo;
}

/**
 * trunc(c · r / q), toward zero, exact for integers |c| < 2^53, 0 ≤ r ≤ q, 0 < q < 2^53. The product is never
 * rounded: past 2^53 a bitwise long division takes one step per bit of `r`.
 */
export function mulDivTrunc(c: number, r: number, q: number): number {
  const product = c * r;
  if (product < EXACT && product > -EXACT) return Math.trunc(product / q) + 0;
  const magnitude = Math.abs(c);
  const rest = magnitude % q;
  const result = ((magnitude - rest) / q) * r + mulDivFloorBelow(rest, r, q);
  return c < 0 ? -result : result;
}

/** floor(s · r / q) for 0 ≤ s < q: Horner over the bits of r, the remainder kept below q throughout. */
function mulDivFloorBelow(s: number, r: number, q: number): number {
  const lack = q - s;
  let bit = 1;
  while (bit * 2 <= r) bit *= 2;
  let bits = r;
  let quotient = 0;
  let remainder = 0;
  for (; bit >= 1; bit /= 2) {
    quotient *= 2;
    if (remainder >= q - remainder) {
      remainder -= q - remainder;
      quotient++;
    } else remainder += remainder;
    if (bits < bit) continue;
    bits -= bit;
    // remainder + s may pass 2^53, so q − s is taken away instead.
    if (remainder >= lack) {
      remainder -= lack;
      quotient++;
    } else remainder += s;
  }
  return quotient;
}
