// Building pieces of the pages of runs: charts over session time, thinned for drawing. Cold.
import type { Bars, Chart, HeatMap, Series, Table } from "./page/page-model.ts";
import { thin } from "./page/thin.ts";
import type { RunResult } from "./run-result.ts";
import type { SessionFacts } from "./session-facts.ts";

export const half = <B extends Chart | Table | Bars | HeatMap>(block: B): B => ({ ...block, half: true });

export function chart(title: string, unit: string, series: readonly Series[]): Chart {
  return { kind: "chart", title, unit, x: "time", series };
}

export function line(
  name: string,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  draw: Series["draw"],
  colour: Series["colour"],
): Series {
  return { name, ...thin(x, y), draw, colour };
}

/** Session time → seconds since the Unix epoch, to the microsecond: what a chart's axis takes. */
export class Seconds {
  private readonly baseSeconds: number;

  constructor(result: Pick<RunResult, "baseNs">) {
    this.baseSeconds = Number(result.baseNs / 1_000_000_000n);
  }

  of(tsNs: number): number {
    return this.baseSeconds + tsNs / 1e9;
  }
}

/** The hour of a run as a reader writes it, UTC. */
export const hourText = (facts: SessionFacts, hour: number): string =>
  new Date(new Seconds(facts.result).of(hour * 3600e9) * 1000).toISOString().slice(5, 13).replace("T", " ");
