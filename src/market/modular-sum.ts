// Prefix sums of integers that never lose a unit: kept modulo 2^52, where adding two residues stays exact in
// an f64. The difference of two prefixes is exact as long as the true window sum is below 2^52 (2^51 signed),
// however long the session. Hot; 0 bytes.

export const MODULUS = 4_503_599_627_370_496;
const HALF = MODULUS / 2;

/** `prefix + x` modulo 2^52; |x| < 2^52. */
export function addModular(prefix: number, x: number): number {
  const sum = prefix + x;
  if (sum >= MODULUS) return sum - MODULUS;
  return sum < 0 ? sum + MODULUS : sum;
}

/** The window sum between two prefixes, known to be ≥ 0. */
export function unsignedBetween(to: number, from: number): number {
  const d = to - from;
  return d < 0 ? d + MODULUS : d;
}

/** The window sum between two prefixes, known to lie in −2^51 … 2^51. */
export function signedBetween(to: number, from: number): number {
  const d = to - from;
  if (d >= HALF) return d - MODULUS;
  return d < -HALF ? d + MODULUS : d;
}
