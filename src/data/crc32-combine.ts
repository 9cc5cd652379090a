// CRC-32 of two pieces from the CRC-32 of each: crc(AB) = crc(A)·x^(8·|B|) + crc(B) over GF(2), modulo the CRC's
// polynomial (bits reversed, as zlib computes it). For files whose first bytes are known last.

const POLYNOMIAL = 0xedb8_8320;
const ONE = 0x8000_0000;

/** a·b modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= b;
    b = (b & 1) !== 0 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}

/** CRC-32 of the bytes of A followed by those of B; `bytesOfB` < 2^53. */
export function combineCrc32(crcOfA: number, crcOfB: number, bytesOfB: number): number {
  // x^8, x^16, x^32, …: one squaring per bit of the length.
  let power = ONE >>> 8;
  let shift = ONE;
  for (let left = bytesOfB; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) shift = multiply(shift, power);
    power = multiply(power, power);
  }
  return (multiply(crcOfA >>> 0, shift) ^ crcOfB) >>> 0;
}
