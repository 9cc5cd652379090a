// The page of a recorded session: the run's own (figures, equity, fills on price, position), and between result and
// instruments where the result came from, how orders were filled, and latency. Cold.
import type { EquityOptions } from "./equity-metrics.ts";
import { fillBlocks } from "./fill-blocks.ts";
import { latencyBlocks, speedFigures } from "./latency-blocks.ts";
import type { RunMetrics } from "./metrics.ts";
import type { Page } from "./page/page-model.ts";
import { causeBlocks, causeFigures, pnlTables } from "./pnl-blocks.ts";
import { runPage } from "./run-page.ts";
import type { SessionFacts } from "./session-facts.ts";

export function sessionPage(
  title: string,
  facts: SessionFacts,
  metrics: RunMetrics,
  options: EquityOptions,
): Page {
  const [first] = metrics.totals;
  return runPage(title, facts.result, metrics, options, {
    notes: facts.notes,
    lead: (currency) => [
      ...causeFigures(facts, currency),
      ...(currency === first?.currency ? speedFigures(facts) : []),
    ],
    result: (currency) => causeBlocks(facts, currency),
    parts: [
      { kind: "heading", title: "PnL" },
      ...pnlTables(facts),
      { kind: "heading", title: "Fills" },
      ...fillBlocks(facts),
      { kind: "heading", title: "Latency" },
      ...latencyBlocks(facts),
    ],
  });
}
