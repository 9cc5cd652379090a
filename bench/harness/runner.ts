// Runs one bench: warm-up, then rounds of own and reference in turn, then the medians. The order within a
// pair changes each round, so that neither side always follows the other.
import {
  type Bench,
  type BenchSize,
  type Figures,
  type OpenBench,
  type Side,
  Unavailable,
} from "../harness.ts";
import { median, medianLowerBound } from "./statistics.ts";

/** One line of `--json` (DESIGN 14). */
export interface BenchResult {
  readonly name: string;
  readonly unit: string;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly perSecond: number;
  /** null: not measurable here (several threads or processes). */
  readonly bytesPerOp: number | null;
  readonly reference: { readonly name: string; readonly p50: number; readonly perSecond: number } | null;
  /** Own time ÷ reference time; null without a reference. */
  readonly ratio: number | null;
}

export interface BenchReport {
  readonly bench: Bench;
  readonly result: BenchResult;
  /** Per round: own time ÷ reference time. Empty without a reference. */
  readonly ratios: readonly number[];
  /** Per round: own time of one operation. */
  readonly times: readonly number[];
  /** What a reader should know: no reference, over the required figure. */
  readonly notes: readonly string[];
}

export type BenchOutcome = BenchReport | { readonly bench: Bench; readonly unavailable: string };

const WARM_UP_ROUNDS = 2;

export async function runBench(bench: Bench, size: BenchSize, rounds: number): Promise<BenchOutcome> {
  let opened: OpenBench;
  try {
    opened = await bench.open(size);
  } catch (error) {
    if (error instanceof Unavailable) return { bench, unavailable: error.message };
    throw error;
  }
  try {
    return await measure(bench, opened, size, rounds);
  } finally {
    await opened.own.close?.();
    await opened.reference?.close?.();
  }
}

async function measure(
  bench: Bench,
  opened: OpenBench,
  size: BenchSize,
  rounds: number,
): Promise<BenchReport> {
  const { own, reference } = opened;
  const warmUps =
    size === "tiny" ? Math.min(1, bench.warmUpRounds ?? 1) : (bench.warmUpRounds ?? WARM_UP_ROUNDS);
  for (let i = 0; i < warmUps; i++) {
    await own.round();
    await reference?.round();
  }
  const ours: Figures[] = [];
  const theirs: Figures[] = [];
  for (let i = 0; i < rounds; i++) {
    if (i % 2 === 0) ours.push(await own.round());
    if (reference !== null) theirs.push(await reference.round());
    if (i % 2 === 1) ours.push(await own.round());
  }
  checkSums(bench, ours, theirs);
  const times = ours.map((f) => timeOf(bench, f));
  const ratios = theirs.map((f, i) => times[i]! / timeOf(bench, f));
  const result = resultOf(
    bench,
    ours,
    reference === null ? null : { name: reference.name, theirs },
    ratios,
    own,
  );
  return { bench, result, ratios, times, notes: notesOf(bench, opened, ratios) };
}

/** Time of one operation, by the figure that the bench compares. */
function timeOf(bench: Bench, f: Figures): number {
  return bench.compare === "p50" ? f.p50 : 1e9 / f.perSecond;
}

function checkSums(bench: Bench, ours: readonly Figures[], theirs: readonly Figures[]): void {
  const compared = bench.sameChecksum === true ? [...ours, ...theirs] : ours;
  const wrong = compared.find((f) => !Object.is(f.checksum, ours[0]!.checksum));
  if (wrong !== undefined)
    throw new Error(`${bench.name}: checksum ${wrong.checksum}, expected ${ours[0]!.checksum}`);
}

function resultOf(
  bench: Bench,
  ours: readonly Figures[],
  reference: { name: string; theirs: readonly Figures[] } | null,
  ratios: readonly number[],
  own: Side,
): BenchResult {
  const of = (all: readonly Figures[], key: keyof Figures) => median(all.map((f) => f[key]));
  return {
    name: bench.name,
    unit: bench.unit,
    p50: of(ours, "p50"),
    p99: of(ours, "p99"),
    p999: of(ours, "p999"),
    perSecond: of(ours, "perSecond"),
    bytesPerOp: own.bytesPerOp?.() ?? null,
    reference:
      reference === null
        ? null
        : {
            name: reference.name,
            p50: of(reference.theirs, "p50"),
            perSecond: of(reference.theirs, "perSecond"),
          },
    ratio: ratios.length === 0 ? null : median(ratios),
  };
}

function notesOf(bench: Bench, opened: OpenBench, ratios: readonly number[]): string[] {
  const notes: string[] = [];
  if (opened.reference === null) notes.push(`no reference: ${opened.missing ?? "none declared"}`);
  if (bench.maxRatio !== undefined && ratios.length > 0 && median(ratios) > bench.maxRatio)
    notes.push(`over the required ratio ${bench.maxRatio}`);
  return notes;
}

/** True when the rounds show, at 95 %, that the required ratio is missed. */
export function missesRequired(report: BenchReport): boolean {
  const { maxRatio } = report.bench;
  return maxRatio !== undefined && report.ratios.length > 0 && medianLowerBound(report.ratios) > maxRatio;
}
