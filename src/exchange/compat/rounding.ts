// Arithmetic of Rust's f64 where JavaScript's differs.

/** f64::round: halves away from zero. Exact: x − trunc(x) has no rounding error. */
export function roundHalfAway(x: number): number {
  const whole = Math.trunc(x);
  const rest = x - whole;
  return rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole;
}

/** f64::min: a NaN loses against a number (IEEE 754-2008 minNum). Math.min would return the NaN. */
export function minNum(a: number, b: number): number {
  return a < b || Number.isNaN(b) ? a : b;
}

/** `x.round() as i64` for values that are no exotic prices: NaN becomes 0. */
export function roundToInt(x: number): number {
  return Number.isNaN(x) ? 0 : roundHalfAway(x);
}
