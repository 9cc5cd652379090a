// The page of a recorded session: the run's own (figures, equity, fills on price, position), then how orders were
// filled, where the result came from, and latency. Cold.
import type { EquityOptions } from "./equity-metrics.ts";
import { analyseFills, type FillAnalysis } from "./fill-analysis.ts";
import { feedGrid, type HourGrid, latencyByStage, latencyGrid, STAGES } from "./latency-analysis.ts";
import type { RunMetrics } from "./metrics.ts";
import { nsText, percentText } from "./page/html-text.ts";
import type { Block, HeatMap, Page } from "./page/page-model.ts";
import { attributeByHour, attributePnl, type PnlParts } from "./pnl-attribution.ts";
import { strategyName } from "./run-files.ts";
import { runPage, Seconds } from "./run-page.ts";
import { CURVE_NS, type SessionFacts } from "./session-facts.ts";
import { signalBuckets } from "./signal-buckets.ts";

type Row = readonly (string | number | null)[];

export function sessionPage(
  title: string,
  facts: SessionFacts,
  metrics: RunMetrics,
  options: EquityOptions,
): Page {
  const run = runPage(title, facts.result, metrics, options);
  const notes: Block[] = facts.notes.map((text) => ({ kind: "text", text }));
  return {
    ...run,
    blocks: [
      ...notes,
      ...run.blocks,
      fillTable(facts),
      markOutChart(facts),
      ...pnlTables(facts),
      stageTable(facts),
      ...latencyMaps(facts),
    ],
  };
}

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

function fillTable(facts: SessionFacts): Block {
  const rows = fillGroups(facts).map(
    ({ name, analysis: a }): Row => [
      name,
      a.orders,
      a.fills,
      percentText(a.fillRate),
      percentText(a.qtyFillRate),
      percentText(a.makerShare),
      percentText(a.cancelRatio),
      percentText(a.rejectRatio),
      finite(a.slippageDecisionBps),
      finite(a.slippageArrivalBps),
      finite(a.slippageFillBps),
      nsText(a.timeToFillNs.p50),
      nsText(a.queueWaitNs.p50),
      finite(a.markOutsBps[CURVE_NS.indexOf(1e9)]!),
      finite(a.adverseBps[CURVE_NS.indexOf(1e9)]!),
    ],
  );
  const head = [
    ...[
      "strategy, symbol",
      "orders",
      "fills",
      "fill rate",
      "qty fill rate",
      "maker share",
      "cancel ratio",
      "rejects",
    ],
    ...["slippage: decision", "arrival", "fill (bps)", "time to fill p50", "queue wait p50"],
    ...["mark-out 1 s (bps)", "adverse 1 s (bps)"],
  ];
  return {
    kind: "table",
    title: "Fills",
    note: "Slippage: + is worse than the mid; mark-out: + is a gain.",
    head,
    rows,
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function markOutChart(facts: SessionFacts): Block {
  const all = analyseFills(facts, () => true);
  const x = CURVE_NS.map((ns) => ns / 1e9);
  return {
    kind: "chart",
    title: "Mark-out curve",
    note: "Value-weighted: gain against the fill's price, and the mid's own move since the fill (negative: adverse selection)",
    unit: "bps",
    x: "number",
    xLabel: "seconds after the fill",
    series: [
      { name: "mark-out", x, y: all.markOutsBps.map(finite), draw: "line", colour: "blue" },
      { name: "mid's move", x, y: all.adverseBps.map(finite), draw: "line", colour: "red" },
    ],
  };
}

function pnlTables(facts: SessionFacts): Block[] {
  const { result } = facts;
  const { fills, instruments } = result;
  const [by, of] = [fills.values("strategy"), fills.values("instrument")];
  const currencies = [...new Set(instruments.map((i) => i.currency))];
  const key = (strategy: number, instrument: number): string =>
    `${strategyName(result, strategy)}\t${instruments[instrument]!.symbol}\t${instruments[instrument]!.currency}`;
  const pairs = attributePnl(facts, (row) => key(by[row]!, of[row]!), key);
  const whole = attributePnl(
    facts,
    (row) => instruments[of[row]!]!.currency,
    (_, instrument) => instruments[instrument]!.currency,
  );
  const rows = [
    ...[...pairs].map(([name, parts]): Row => [...name.split("\t"), ...partCells(parts)]),
    ...currencies.flatMap((c) => (whole.has(c) ? [["all", "all", c, ...partCells(whole.get(c)!)]] : [])),
  ];
  return [
    {
      kind: "table",
      title: "PnL by strategy and symbol",
      note: "Total = spread captured + inventory − fees + funding = the account's change at the mid",
      head: ["strategy", "symbol", "currency", ...PART_NAMES],
      rows,
    },
    hourTable(facts),
    ...signalTables(facts),
  ];
}

const PART_NAMES = ["fills", "spread captured", "inventory", "fees", "funding", "total"] as const;
const partCells = (p: PnlParts): number[] => [p.fills, p.spread, p.inventory, p.fees, p.funding, p.total];

function hourTable(facts: SessionFacts): Block {
  const rows: Row[] = [];
  for (const one of facts.result.instruments)
    for (const [hour, parts] of [...attributeByHour(facts, one.index)].sort(([a], [b]) => a - b))
      rows.push([hourText(facts, hour), one.symbol, one.currency, ...partCells(parts)]);
  return {
    kind: "table",
    title: "PnL by hour",
    head: ["hour (UTC)", "symbol", "currency", ...PART_NAMES],
    rows,
  };
}

const hourText = (facts: SessionFacts, hour: number): string =>
  new Date(new Seconds(facts.result).of(hour * 3600e9) * 1000).toISOString().slice(0, 13).replace("T", " ");

function signalTables(facts: SessionFacts): Block[] {
  return [...facts.signals].map(([name, values]): Block => {
    const buckets = signalBuckets(values);
    const parts = attributePnl(
      facts,
      (row) => {
        const order = facts.orderOfFill[row]!;
        return order < 0 ? "no order" : buckets.labelOf(values[order]!);
      },
      null,
    );
    return {
      kind: "table",
      title: `PnL by signal: ${name}`,
      note: "Value of the signal when the order was decided, in fifths of all orders; inventory from the fill to the end",
      head: ["signal", ...PART_NAMES],
      rows: [...buckets.labels, "not ready", "no order"].flatMap((label) =>
        parts.has(label) ? [[label, ...partCells(parts.get(label)!)]] : [],
      ),
    };
  });
}

function stageTable(facts: SessionFacts): Block {
  return {
    kind: "table",
    title: "Latency by stage",
    note: "Stages marked * cross from our clock to the venue's: they carry the offset and the venue's resolution (ms)",
    head: ["stage", "requests", "mean", "p50", "p90", "p99", "max"],
    rows: latencyByStage(facts).map(({ stage, spread: s }) => [
      stage.twoClocks ? `${stage.name} *` : stage.name,
      s.count,
      ...[s.mean, s.p50, s.p90, s.p99, s.max].map(nsText),
    ]),
  };
}

function latencyMaps(facts: SessionFacts): Block[] {
  const stage = (name: string) => STAGES.find((s) => s.name.startsWith(name))!;
  const map = (title: string, grid: HourGrid): HeatMap => ({
    kind: "heat",
    title,
    unit: "µs",
    rowTitle: "hour (UTC)",
    columnTitle: "symbol",
    rows: grid.hours.map((hour) => hourText(facts, hour)),
    columns: facts.result.instruments.map((i) => i.symbol),
    values: grid.values.map((row) => row.map((ns) => (Number.isFinite(ns) ? ns / 1e3 : null))),
  });
  return [
    map("Tick to order, p50", latencyGrid(facts, stage("tick to order"), "p50")),
    map("Tick to order, p99", latencyGrid(facts, stage("tick to order"), "p99")),
    map("Round trip, p50", latencyGrid(facts, stage("round trip"), "p50")),
    map("End to end, p50", latencyGrid(facts, stage("end to end"), "p50")),
    map("Market feed: received − venue's time, p50", feedGrid(facts, 0.5)),
  ];
}
