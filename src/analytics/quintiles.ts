// Fifths of a sample (a signal's values, distances), so that each bucket holds about as many orders. Cold.
import { numberText } from "./page/html-text.ts";
import { quantile, sorted } from "./quantiles.ts";

export interface Quintiles {
  /** From the least values to the greatest. */
  readonly labels: readonly string[];
  /** "not ready" for NaN. */
  labelOf(value: number): string;
}

const PARTS = 5;

export function quintiles(values: Float64Array): Quintiles {
  const ascending = sorted(values);
  const edges = Array.from({ length: PARTS - 1 }, (_, i) => quantile(ascending, (i + 1) / PARTS));
  const bounds = [...new Set(edges)].filter((edge) => Number.isFinite(edge));
  const text = (value: number): string => numberText(Number(value.toPrecision(4)));
  const labels = [
    ...(bounds.length === 0 ? ["all"] : [`≤ ${text(bounds[0]!)}`]),
    ...bounds.slice(1).map((bound, i) => `${text(bounds[i]!)} … ${text(bound)}`),
    ...(bounds.length === 0 ? [] : [`> ${text(bounds[bounds.length - 1]!)}`]),
  ];
  return {
    labels,
    labelOf: (value) => {
      if (Number.isNaN(value)) return "not ready";
      const at = bounds.findIndex((bound) => value <= bound);
      return labels[at < 0 ? labels.length - 1 : at]!;
    },
  };
}
