// The page and the tables of a sweep: best runs, a heat map of the objective for every pair of parameters, the folds of
// a walk-forward. Cold.
import { numberText } from "../../analytics/page/html-text.ts";
import type { Block, HeatMap, Page } from "../../analytics/page/page-model.ts";
import type { FileColumn } from "../../data/column-files.ts";
import { FIGURES, score } from "./run-figures.ts";
import type { RunOutcome } from "./run-log.ts";
import type { Fold, SweepResult } from "./sweep.ts";
import type { SweepConfig } from "./sweep-config.ts";

const TABLE_ROWS = 200;
/** More values of a parameter than this are put into bins of equal width. */
const BINS = 12;

export function sweepPage(title: string, config: SweepConfig, result: SweepResult, seconds: number): Page {
  const names = Object.keys(config.params);
  const failed = result.runs.filter((run) => run.failure !== null);
  const shown = result.runs.filter((run) => run.failure === null).slice(0, TABLE_ROWS);
  const figures = FIGURES.filter((name) => shown.some((run) => run.figures![name] !== null));
  const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b): [string, string] => [a, b]));
  const blocks: Block[] = [
    ...(result.folds.length === 0 ? [] : [foldTable(result.folds, config)]),
    ...trainings(result.runs).flatMap((runs) => pairs.map(([a, b]) => objectiveMap(a, b, config, runs))),
    {
      kind: "table",
      title: `Runs, best ${config.objective} first`,
      note: `${shown.length} of ${result.runs.length} runs; ${failed.length} failed`,
      head: [...names, ...(result.folds.length === 0 ? [] : ["segments"]), ...figures, "seconds"],
      rows: shown.map((run) => [
        ...names.map((name) => run.params[name]!),
        ...(result.folds.length === 0 ? [] : [`${run.from}–${run.to}`]),
        ...figures.map((name) => run.figures![name]),
        run.seconds,
      ]),
    },
    ...(failed.length === 0 ? [] : [failureTable(failed)]),
  ];
  const subtitle = `${config.method}, ${result.runs.length} runs, objective ${config.objective}, ${numberText(Math.round(seconds))} s`;
  return { title, subtitle, blocks };
}

/** Runs by the segments they saw: one list without a walk-forward. */
function trainings(runs: readonly RunOutcome[]): RunOutcome[][] {
  const byRange = Map.groupBy(runs, (run) => run.from * 1e6 + run.to);
  return [...byRange.keys()].sort((a, b) => a - b).map((range) => byRange.get(range)!);
}

function failureTable(failed: readonly RunOutcome[]): Block {
  return {
    kind: "table",
    title: "Failed runs",
    head: ["run", "why"],
    rows: failed.slice(0, TABLE_ROWS).map((run) => [run.key, run.failure]),
  };
}

function foldTable(folds: readonly Fold[], { objective }: SweepConfig): Block {
  const sum = folds.reduce((total, { test }) => total + (test.figures?.pnl ?? 0), 0);
  return {
    kind: "table",
    title: "Walk-forward",
    note: `Chosen on the training segments, tested on the segment after them; PnL of all tests ${numberText(sum)}`,
    head: [
      "trained on",
      "parameters",
      `${objective} in training`,
      `${objective} in test`,
      "PnL in training",
      "PnL in test",
    ],
    rows: folds.map(({ train, test }) => [
      `segments ${train.from}–${train.to}`,
      train.key.replace(/ @.*$/, ""),
      train.figures?.[objective] ?? null,
      test.figures?.[objective] ?? null,
      train.figures?.pnl ?? null,
      test.figures?.pnl ?? null,
    ]),
  };
}

/** The best value over everything that the two axes do not name. */
function objectiveMap(a: string, b: string, config: SweepConfig, runs: readonly RunOutcome[]): HeatMap {
  const rows = axis(runs.map((run) => run.params[a]!));
  const columns = axis(runs.map((run) => run.params[b]!));
  const best: (RunOutcome | null)[][] = rows.labels.map(() => columns.labels.map(() => null));
  for (const run of runs) {
    if (run.figures === null) continue;
    const [r, c] = [rows.indexOf(run.params[a]!), columns.indexOf(run.params[b]!)];
    const held = best[r]![c] ?? null;
    if (held === null || score(run.figures, config.objective) > score(held.figures, config.objective))
      best[r]![c] = run;
  }
  const range = config.walkForward === null ? "" : `, segments ${runs[0]!.from}–${runs[0]!.to}`;
  return {
    kind: "heat",
    title: `${config.objective} over ${a} and ${b}${range}`,
    note: "The best run of each cell over all other parameters.",
    unit: config.objective,
    rowTitle: a,
    columnTitle: b,
    rows: rows.labels,
    columns: columns.labels,
    values: best.map((row) => row.map((run) => run?.figures?.[config.objective] ?? null)),
  };
}

function axis(values: readonly number[]): { labels: string[]; indexOf: (value: number) => number } {
  const distinct = [...new Set(values)].sort((x, y) => x - y);
  if (distinct.length <= BINS)
    return { labels: distinct.map((v) => String(v)), indexOf: (value) => distinct.indexOf(value) };
  const least = distinct[0]!;
  const width = (distinct[distinct.length - 1]! - least) / BINS;
  return {
    labels: Array.from(
      { length: BINS },
      (_, i) => `≥ ${numberText(Number((least + i * width).toPrecision(4)))}`,
    ),
    indexOf: (value) => Math.min(BINS - 1, Math.floor((value - least) / width)),
  };
}

/** All runs as columns, in their order of merit. */
export function runColumns(config: SweepConfig, runs: readonly RunOutcome[]): FileColumn[] {
  const number = (name: string, of: (run: RunOutcome) => number | null): FileColumn => ({
    name,
    type: "double",
    at: (row) => of(runs[row]!) ?? Number.NaN,
  });
  return [
    ...Object.keys(config.params).map((name) => number(name, (run) => run.params[name]!)),
    number("segment_from", (run) => run.from),
    number("segment_to", (run) => run.to),
    ...FIGURES.map((name) => number(name, (run) => run.figures?.[name] ?? null)),
    number("seconds", (run) => run.seconds),
    { name: "failure", type: "text", at: (row) => runs[row]!.failure },
  ];
}
