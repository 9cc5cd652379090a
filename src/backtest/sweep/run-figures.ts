// The figures of one run of a sweep, flat: what is logged, ranked, written and drawn. Cold.
import type { RunMetrics } from "../../analytics/metrics.ts";

/** What a sweep can be judged by; the best is the greatest (least for drawdown). */
export const OBJECTIVES = [
  "sharpe",
  "sortino",
  "pnl",
  "returnOverDrawdown",
  "maxDrawdown",
  "fillRate",
  "makerShare",
  "turnover",
  "markOut100ms",
  "markOut1s",
  "markOut10s",
] as const;
export type Objective = (typeof OBJECTIVES)[number];

export const FIGURES = [...OBJECTIVES, "fees", "orders", "fills", "meanAbsPosition"] as const;
export type Figure = (typeof FIGURES)[number];
/** null: not a number in this run. */
export type RunFigures = Readonly<Record<Figure, number | null>>;

/** Of the first settlement currency; the inventory of the first instrument. */
export function runFigures(metrics: RunMetrics): RunFigures {
  const { equity, activity } = metrics.totals[0]!;
  const [m100, m1, m10] = activity.markOutsBps;
  const figures: Record<Figure, number> = {
    sharpe: equity.sharpe,
    sortino: equity.sortino,
    pnl: equity.pnl,
    returnOverDrawdown: equity.returnOverDrawdown,
    maxDrawdown: equity.maxDrawdown,
    fillRate: activity.fillRate,
    makerShare: activity.makerShare,
    turnover: activity.turnover,
    markOut100ms: m100!,
    markOut1s: m1!,
    markOut10s: m10!,
    fees: activity.fees,
    orders: activity.orders,
    fills: activity.fills,
    meanAbsPosition: metrics.instruments[0]!.inventory.meanAbs,
  };
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  ) as RunFigures;
}

export const needsMarkOuts = (objective: Objective): boolean => objective.startsWith("markOut");

/** Greater is better; a run without the figure is worst. */
export function score(figures: RunFigures | null, objective: Objective): number {
  const value = figures?.[objective] ?? null;
  if (value === null) return Number.NEGATIVE_INFINITY;
  return objective === "maxDrawdown" ? -value : value;
}
