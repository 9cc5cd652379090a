// The gate: is any bench slower than the stored baseline? Compares ratios to the reference, which alternated
// with the bench in the same run, so that a slow phase of the machine is not taken for a slow program.
//   known CPU model      against its stored ratio (its stored time when there is no reference)
//   unknown CPU model    against the median stored ratio of all models; without a reference: not judged
// A bench falls back when the lower 95 % bound of its slow-down exceeds 10 %, or when the same bound of its
// ratio exceeds the required one.
import { type BenchReport, missesRequired } from "./runner.ts";
import { median, medianLowerBound } from "./statistics.ts";

export const SLOWDOWN_MAX = 1.1;
export const GATE_ROUNDS = 9;

export interface BaselineEntry {
  readonly ratio: number | null;
  /** Time of one operation in the bench's unit. */
  readonly time: number;
}

/** bench/baseline.json: CPU model → bench name → entry. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, BaselineEntry>>>>;

export interface Verdict {
  readonly name: string;
  readonly outcome: "held" | "fell back" | "not judged";
  readonly detail: string;
}

export function judge(report: BenchReport, baseline: Baseline, cpu: string): Verdict {
  const name = report.result.name;
  if (missesRequired(report)) {
    const bound = medianLowerBound(report.ratios);
    return {
      name,
      outcome: "fell back",
      detail: `ratio ≥ ${bound.toFixed(3)}, required ≤ ${report.bench.maxRatio}`,
    };
  }
  const slowdowns = slowdownsOf(report, baseline, cpu);
  if (typeof slowdowns === "string") return { name, outcome: "not judged", detail: slowdowns };
  const bound = medianLowerBound(slowdowns.values);
  const detail = `slow-down ${median(slowdowns.values).toFixed(3)} (≥ ${bound.toFixed(3)}) against ${slowdowns.against}`;
  return { name, outcome: bound > SLOWDOWN_MAX ? "fell back" : "held", detail };
}

function slowdownsOf(
  report: BenchReport,
  baseline: Baseline,
  cpu: string,
): { values: readonly number[]; against: string } | string {
  const name = report.result.name;
  const known = baseline[cpu]?.[name];
  if (known !== undefined && known.ratio !== null && report.ratios.length > 0) {
    const stored = known.ratio;
    return { values: report.ratios.map((r) => r / stored), against: "the stored ratio" };
  }
  if (known !== undefined)
    return { values: report.times.map((t) => t / known.time), against: "the stored time (no reference)" };
  if (baseline[cpu] !== undefined) return "no baseline for this bench";
  const others = Object.values(baseline).flatMap((benches) => benches[name]?.ratio ?? []);
  if (others.length === 0 || report.ratios.length === 0) return `no baseline for cpu "${cpu}"`;
  const stored = median(others);
  return { values: report.ratios.map((r) => r / stored), against: "the ratio on other cpus" };
}

/** The baseline with these reports stored for `cpu`. */
export function updated(baseline: Baseline, cpu: string, reports: readonly BenchReport[]): Baseline {
  const entries = reports.map((r): [string, BaselineEntry] => [
    r.result.name,
    { ratio: r.result.ratio === null ? null : round(r.result.ratio), time: round(median(r.times)) },
  ]);
  const merged = { ...baseline[cpu], ...Object.fromEntries(entries) };
  const sorted = Object.fromEntries(Object.entries(merged).sort(([a], [b]) => a.localeCompare(b)));
  return { ...baseline, [cpu]: sorted };
}

const round = (value: number): number => Number(value.toPrecision(4));
