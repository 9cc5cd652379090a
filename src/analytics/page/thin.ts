// Fewer points for a picture that looks the same: of each bucket of consecutive points the least and the greatest
// value stay, so no spike is lost. Cold.

export interface Points {
  readonly x: number[];
  readonly y: (number | null)[];
}

/** At most about `max` points of ascending x; NaN becomes null (a gap). */
export function thin(x: ArrayLike<number>, y: ArrayLike<number>, max = 4000): Points {
  const out: Points = { x: [], y: [] };
  const keep = (i: number): void => {
    out.x.push(x[i]!);
    out.y.push(Number.isFinite(y[i]!) ? y[i]! : null);
  };
  if (x.length <= max) {
    for (let i = 0; i < x.length; i++) keep(i);
    return out;
  }
  const buckets = Math.floor(max / 2);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * x.length) / buckets);
    const to = Math.floor(((bucket + 1) * x.length) / buckets);
    let [least, greatest] = [from, from];
    for (let i = from; i < to; i++) {
      if (y[i]! < y[least]! || Number.isNaN(y[least]!)) least = i;
      if (y[i]! > y[greatest]! || Number.isNaN(y[greatest]!)) greatest = i;
    }
    keep(Math.min(least, greatest));
    if (least !== greatest) keep(Math.max(least, greatest));
  }
  return out;
}

/** Every n-th point so that at most `max` are left; for scattered points. */
export function sample(x: readonly number[], y: readonly number[], max = 4000): Points {
  const step = Math.max(1, Math.ceil(x.length / max));
  const pick = (_: number, i: number): boolean => i % step === 0;
  return { x: x.filter(pick), y: y.filter(pick) };
}
