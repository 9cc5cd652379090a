// How orders were filled and what the market did around fills, as blocks of a page. Cold.
import { analyseFills, type FillAnalysis } from "./fill-analysis.ts";
import { bpsText, nsText, percentText } from "./page/html-text.ts";
import type { Block, Chart, Table } from "./page/page-model.ts";
import { quotesByDistance } from "./quote-analysis.ts";
import { half } from "./run-blocks.ts";
import { strategyName } from "./run-files.ts";
import { CURVE_NS, type SessionFacts } from "./session-facts.ts";

type Row = readonly (string | number | null)[];

export const fillBlocks = (facts: SessionFacts): Block[] => [
  fillTable(facts),
  half(markOutChart(facts)),
  half(slippageTable(facts)),
  quoteTable(facts),
];

/** Strategy and instrument of every group that traded, after the whole. */
export function fillGroups(facts: SessionFacts): { name: string; analysis: FillAnalysis }[] {
  const { result } = facts;
  const groups = [{ name: "all", analysis: analyseFills(facts, () => true) }];
  for (let s = 0; s <= result.strategies.length; s++)
    for (const one of result.instruments) {
      const analysis = analyseFills(
        facts,
        (strategy, instrument) => strategy === s && instrument === one.index,
      );
      if (analysis.orders + analysis.fills > 0)
        groups.push({ name: `${strategyName(result, s)} ${one.symbol}`, analysis });
    }
  return groups;
}

function fillTable(facts: SessionFacts): Table {
  const rows = fillGroups(facts).map(
    ({ name, analysis: a }): Row =>
      [
        name,
        a.orders,
        a.fills,
        percentText(a.fillRate),
        percentText(a.qtyFillRate),
        percentText(a.makerShare),
        percentText(a.cancelRatio),
        a.cancelsPerOrder,
        a.modifiesPerOrder,
        percentText(a.rejectRatio),
        nsText(a.timeToFillNs.p50),
        nsText(a.timeToFillNs.p90),
        nsText(a.queueWaitNs.p50),
        nsText(a.queueWaitNs.p90),
      ].map((cell) => (typeof cell === "number" ? rounded(cell) : cell)),
  );
  const head = [
    ...["strategy, symbol", "orders", "fills", "fill rate", "qty fill rate", "maker share", "canceled"],
    ...["cancels / order", "modifies / order", "refused", "time to fill p50", "p90", "queue wait p50", "p90"],
  ];
  return { kind: "table", title: "Orders and fills", head, rows };
}

const rounded = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(4)) : null;

function slippageTable(facts: SessionFacts): Table {
  const second = CURVE_NS.indexOf(1e9);
  const rows = fillGroups(facts).map(
    ({ name, analysis: a }): Row => [
      name,
      ...[a.slippageDecisionBps, a.slippageArrivalBps, a.slippageFillBps].map(bpsText),
      ...[a.markOutsBps[second]!, a.adverseBps[second]!].map(bpsText),
    ],
  );
  return {
    kind: "table",
    title: "Slippage and adverse selection (bps)",
    note: "Weighted by value. Slippage against the mid at decision, before arrival and before the fill: + is worse. 1 s after a fill: gain against its price, and the mid's own move in its favour",
    head: ["strategy, symbol", "decision", "arrival", "fill", "mark-out 1 s", "mid's move 1 s"],
    rows,
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function markOutChart(facts: SessionFacts): Chart {
  const all = analyseFills(facts, () => true);
  const x = CURVE_NS.map((ns) => ns / 1e9);
  return {
    kind: "chart",
    title: "Mark-out curve",
    note: "Gain against the fill's price, and the mid's own move since the fill (negative: adverse selection)",
    unit: "bps",
    x: "log",
    xLabel: "seconds after the fill",
    series: [
      { name: "mark-out", x, y: all.markOutsBps.map(finite), draw: "line", colour: "blue" },
      { name: "mid's move", x, y: all.adverseBps.map(finite), draw: "line", colour: "red" },
    ],
  };
}

function quoteTable(facts: SessionFacts): Table {
  return {
    kind: "table",
    title: "Quotes by distance from the mid",
    note: "Fifths of the orders that the venue took, by their price against the mid at their decision; mark-outs are means over the quotes that were filled",
    head: [
      "distance (bps)",
      "quotes",
      "fill rate",
      "rested p50",
      ...CURVE_NS.map((ns, h) => (h === 0 ? `mark-out (bps): ${nsText(ns)}` : nsText(ns))),
    ],
    rows: quotesByDistance(facts).map(
      (one): Row => [
        one.label,
        one.quotes,
        percentText(one.fillRate),
        nsText(one.restedP50Ns),
        ...one.markOutsBps.map(bpsText),
      ],
    ),
  };
}
