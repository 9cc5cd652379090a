// What became of each quote: how far from the mid it was placed, how long it rested, what of it was filled, and what the
// market did after its fills; and the same by distance. Definitions: docs/analytics.md. Cold.
import { ORDER_REJECTED } from "../wire/codes.ts";
import { ratio } from "./equity-metrics.ts";
import { quantile, sorted } from "./quantiles.ts";
import { quintiles } from "./quintiles.ts";
import { CURVE_NS, type SessionFacts } from "./session-facts.ts";

/** By row of `orders`; NaN = not known, or nothing of it was filled. */
export interface Quotes {
  /** side · (mid at the decision − price) ÷ mid: + = on its own side of the mid. */
  readonly distanceBps: Float64Array;
  /** Acceptance → end, venue time; to the end of the run while it rests. */
  readonly restedNs: Float64Array;
  readonly firstFillNs: Float64Array;
  /** Mean gain of its fills at CURVE_NS after them, weighted by quantity: [horizon][order]. */
  readonly markOutsBps: readonly Float64Array[];
}

export function analyseQuotes(facts: SessionFacts): Quotes {
  const { result, orderMids, orderOfFill, curveTicks } = facts;
  const { orders, fills } = result;
  const column = (name: (typeof orders.names)[number]): Float64Array => orders.values(name);
  const [side, px, exch, end] = [column("side"), column("pxTicks"), column("exchTsNs"), column("endTsNs")];
  const blank = (): Float64Array => new Float64Array(orders.rows).fill(Number.NaN);
  const firstFillNs = blank();
  const [at, of, fillPx, lots] = [
    fills.values("exchTsNs"),
    fills.values("side"),
    fills.values("pxTicks"),
    fills.values("qtyLots"),
  ];
  const means = CURVE_NS.map(() => ({ sum: blank().fill(0), lots: blank().fill(0) }));
  for (let row = 0; row < fills.rows; row++) {
    const order = orderOfFill[row]!;
    if (order < 0) continue;
    if (!(firstFillNs[order]! <= at[row]!)) firstFillNs[order] = at[row]!;
    for (const [h, mean] of means.entries()) {
      const after = curveTicks[h]![row]!;
      if (Number.isNaN(after)) continue;
      mean.sum[order]! += (lots[row]! * of[row]! * (after - fillPx[row]!)) / fillPx[row]!;
      mean.lots[order]! += lots[row]!;
    }
  }
  const decided = orderMids.decisionTicks;
  return {
    distanceBps: px.map((ticks, row) => ((side[row]! * (decided[row]! - ticks)) / decided[row]!) * 1e4),
    restedNs: exch.map((from, row) => (Number.isNaN(end[row]!) ? result.endTsNs : end[row]!) - from),
    firstFillNs: firstFillNs.map((ts, row) => ts - exch[row]!),
    markOutsBps: means.map(({ sum, lots: weight }) =>
      sum.map((value, row) => ratio(value, weight[row]!) * 1e4),
    ),
  };
}

export interface DistanceFigures {
  /** Bounds of the distance, bps. */
  readonly label: string;
  readonly quotes: number;
  /** Quotes with a fill ÷ quotes. */
  readonly fillRate: number;
  readonly restedP50Ns: number;
  /** Mean over its quotes with a fill, at CURVE_NS. */
  readonly markOutsBps: readonly number[];
}

/** Fifths of the quotes that the venue took, from the nearest to the farthest. */
export function quotesByDistance(
  facts: SessionFacts,
  quotes: Quotes = analyseQuotes(facts),
): DistanceFigures[] {
  const { orders } = facts.result;
  const [exch, state] = [orders.values("exchTsNs"), orders.values("state")];
  const taken = [...exch.keys()].filter((row) => !Number.isNaN(exch[row]!) && state[row] !== ORDER_REJECTED);
  const { labels, labelOf } = quintiles(Float64Array.from(taken, (row) => quotes.distanceBps[row]!));
  const groups = Map.groupBy(taken, (row) => labelOf(quotes.distanceBps[row]!));
  return labels.flatMap((label) => {
    const rows = groups.get(label) ?? [];
    if (rows.length === 0) return [];
    const filled = rows.filter((row) => !Number.isNaN(quotes.firstFillNs[row]!));
    return {
      label,
      quotes: rows.length,
      fillRate: filled.length / rows.length,
      restedP50Ns: quantile(sorted(rows.map((row) => quotes.restedNs[row]!)), 0.5),
      markOutsBps: quotes.markOutsBps.map((of) => meanOf(filled.map((row) => of[row]!))),
    };
  });
}

function meanOf(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return ratio(
    known.reduce((sum, value) => sum + value, 0),
    known.length,
  );
}
