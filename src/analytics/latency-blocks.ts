// Latency of requests and of the feed, as blocks of a page. Cold.
import {
  feedGrid,
  type HourGrid,
  latencyByStage,
  latencyGrid,
  STAGES,
  type Stage,
} from "./latency-analysis.ts";
import { nsText } from "./page/html-text.ts";
import type { Block, Figure, HeatMap, Table } from "./page/page-model.ts";
import { hourText } from "./run-blocks.ts";
import type { SessionFacts } from "./session-facts.ts";

export const latencyBlocks = (facts: SessionFacts): Block[] => [stageTable(facts), ...latencyMaps(facts)];

const stageNamed = (name: string): Stage => STAGES.find((stage) => stage.name.startsWith(name))!;

export function speedFigures(facts: SessionFacts): Figure[] {
  const spreads = latencyByStage(facts);
  const figure = (name: string, stage: Stage): Figure => {
    const { p50, p99 } = spreads.find((one) => one.stage === stage)!.spread;
    return { name: `${name} p50`, value: nsText(p50), about: `${stage.name}; p99 ${nsText(p99)}` };
  };
  return [
    figure("Tick to order", stageNamed("tick to order")),
    figure("End to end", stageNamed("end to end")),
  ];
}

function stageTable(facts: SessionFacts): Table {
  return {
    kind: "table",
    title: "By stage",
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
  const map = (title: string, grid: HourGrid): HeatMap => ({
    kind: "heat",
    half: true,
    title,
    unit: "µs",
    rowTitle: "hour (UTC)",
    columnTitle: "symbol",
    rows: grid.hours.map((hour) => hourText(facts, hour)),
    columns: facts.result.instruments.map((i) => i.symbol),
    values: grid.values.map((row) => row.map((ns) => (Number.isFinite(ns) ? ns / 1e3 : null))),
  });
  const maps = [
    map("Tick to order, p50", latencyGrid(facts, stageNamed("tick to order"), "p50")),
    map("Tick to order, p99", latencyGrid(facts, stageNamed("tick to order"), "p99")),
    map("Round trip, p50", latencyGrid(facts, stageNamed("round trip"), "p50")),
    map("End to end, p50", latencyGrid(facts, stageNamed("end to end"), "p50")),
    map("Feed: best bid and offer received − venue's time, p50", feedGrid(facts, 0.5)),
  ];
  return maps.filter(({ values }) => values.flat().some((value) => value !== null));
}
