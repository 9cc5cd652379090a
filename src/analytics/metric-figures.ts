// The metrics of a run as named figures, for the command's output and the page: one list, one wording. Cold.
import type { EquityMetrics, EquityOptions } from "./equity-metrics.ts";
import { type ActivityMetrics, type InventoryMetrics, MARK_OUT_NAMES } from "./metrics.ts";
import { amountText, bpsText, nsText, numberText, percentText, toneOf } from "./page/html-text.ts";
import type { Figure } from "./page/page-model.ts";

/** What a reader wants to know first. */
export function leadFigures(equity: EquityMetrics, activity: ActivityMetrics, currency: string): Figure[] {
  const second = activity.markOutsBps[MARK_OUT_NAMES.indexOf("1 s")]!;
  return [
    {
      name: `PnL (${currency})`,
      value: amountText(equity.pnl),
      about: "Equity at the end − at the start, after fees and funding",
      tone: toneOf(equity.pnl),
    },
    { name: `Max drawdown (${currency})`, value: amountText(equity.maxDrawdown) },
    { name: `Turnover (${currency})`, value: amountText(activity.turnover) },
    {
      name: "Fills",
      value: `${numberText(activity.fills)}`,
      about: `of ${numberText(activity.orders)} orders`,
    },
    { name: "Fill rate", value: percentText(activity.fillRate) },
    { name: "Maker share", value: percentText(activity.makerShare) },
    { name: "Mark-out 1 s (bps)", value: bpsText(second), tone: toneOf(second) },
  ];
}

export function equityFigures(m: EquityMetrics, currency: string, options: EquityOptions): Figure[] {
  const sampled = `sampled each ${nsText(options.intervalNs)}, annualised with ${options.daysPerYear} days`;
  const ofCapital: Figure[] =
    m.return === null || m.maxDrawdownOfCapital === null
      ? []
      : [
          { name: "Return", value: percentText(m.return), about: "PnL ÷ capital" },
          { name: "Max drawdown ÷ capital", value: percentText(m.maxDrawdownOfCapital) },
        ];
  return [
    {
      name: `PnL (${currency})`,
      value: numberText(m.pnl),
      about: "Equity at the end − at the start, after fees",
      tone: toneOf(m.pnl),
    },
    ...ofCapital,
    { name: "Sharpe", value: numberText(m.sharpe), about: `mean ÷ deviation of equity changes, ${sampled}` },
    { name: "Sortino", value: numberText(m.sortino), about: `mean ÷ downside deviation, ${sampled}` },
    {
      name: `Max drawdown (${currency})`,
      value: numberText(m.maxDrawdown),
      about: "Largest fall from a running peak of equity",
    },
    { name: "Longest drawdown", value: nsText(m.longestDrawdownNs) },
    { name: "PnL ÷ max drawdown", value: numberText(m.returnOverDrawdown) },
  ];
}

export function activityFigures(m: ActivityMetrics, currency: string): Figure[] {
  return [
    { name: "Orders", value: numberText(m.orders) },
    { name: "Fills", value: numberText(m.fills) },
    {
      name: "Fill rate",
      value: percentText(m.fillRate),
      about: "Orders with a fill ÷ orders that the exchange took",
    },
    { name: "Quantity fill rate", value: percentText(m.qtyFillRate) },
    { name: `Turnover (${currency})`, value: numberText(m.turnover) },
    { name: `Turnover per day (${currency})`, value: numberText(m.turnoverPerDay) },
    { name: "Maker share", value: percentText(m.makerShare), about: "Of the turnover" },
    { name: `Fees (${currency})`, value: numberText(m.fees), about: "Negative: rebates" },
    ...m.markOutsBps.map((bps, i) => ({
      name: `Mark-out ${MARK_OUT_NAMES[i]} (bps)`,
      value: numberText(bps),
      about: "Mid after the fill against its price, in favour of the fill, weighted by value",
    })),
    {
      name: "Queue wait p50",
      value: nsText(m.queueWaitNs.p50),
      about: "Resting at its price → fill, makers",
    },
    { name: "Order entry p50 / p99", value: `${nsText(m.entryNs.p50)} / ${nsText(m.entryNs.p99)}` },
    { name: "Round trip p50 / p99", value: `${nsText(m.roundTripNs.p50)} / ${nsText(m.roundTripNs.p99)}` },
  ];
}

export function inventoryFigures(m: InventoryMetrics): Figure[] {
  return [
    { name: "Mean position", value: numberText(m.mean), about: "Weighted by time" },
    { name: "Mean |position|", value: numberText(m.meanAbs), about: "Weighted by time" },
    { name: "Max |position|", value: numberText(m.maxAbs) },
    { name: "Time flat", value: percentText(m.flatShare) },
    { name: "Position at the end", value: numberText(m.end) },
  ];
}
