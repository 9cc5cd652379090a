// bun bench/run.ts [names…] [--json] [--tiny] [--gate] [--rounds N] [--dir D] [--baseline F] [--update-baseline]
//
// Runs the benches of bench/*.bench.ts (contract: bench/harness.ts) whose name contains one of `names`.
// --json prints {results:[…]} as the last line of stdout; --gate compares with the stored baseline and exits 1
// when one fell back, naming it. Exit codes: 0 ok, 1 fell back or failed, 2 usage.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { cpuModel } from "../ffi/host.ts";
import { type Baseline, GATE_ROUNDS, judge, updated, type Verdict } from "./harness/gate.ts";
import { type BenchReport, runBench } from "./harness/runner.ts";
import type { Bench } from "./harness.ts";

const ROUNDS = 5;

interface Options {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly tiny: boolean;
  readonly gate: boolean;
  readonly update: boolean;
  readonly rounds: number;
  readonly dir: string;
  readonly baseline: string;
}

function parse(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      tiny: { type: "boolean", default: false },
      gate: { type: "boolean", default: false },
      "update-baseline": { type: "boolean", default: false },
      rounds: { type: "string" },
      dir: { type: "string", default: import.meta.dir },
      baseline: { type: "string", default: join(import.meta.dir, "baseline.json") },
    },
  });
  const rounds = Number(values.rounds ?? (values.gate ? GATE_ROUNDS : values.tiny ? 1 : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds ${values.rounds}: a positive integer is expected`);
  if (values.gate && rounds < GATE_ROUNDS)
    throw new RangeError(`--gate needs at least ${GATE_ROUNDS} rounds`);
  return {
    names: positionals,
    json: values.json,
    tiny: values.tiny,
    gate: values.gate,
    update: values["update-baseline"],
    rounds,
    dir: resolve(values.dir),
    baseline: resolve(values.baseline),
  };
}

async function discover(options: Options): Promise<Bench[]> {
  const files = readdirSync(options.dir).filter((file) => file.endsWith(".bench.ts"));
  const found: Bench[] = [];
  for (const file of files.sort()) {
    const module = (await import(join(options.dir, file))) as { benches?: readonly Bench[] };
    if (module.benches === undefined) throw new Error(`${file}: exports no benches (see bench/harness.ts)`);
    found.push(...module.benches);
  }
  const twice = found.find((bench, i) => found.findIndex((b) => b.name === bench.name) !== i);
  if (twice !== undefined) throw new Error(`bench name ${twice.name} is declared twice`);
  const { names } = options;
  return names.length === 0 ? found : found.filter((b) => names.some((name) => b.name.includes(name)));
}

const figure = (value: number): string =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)}M` : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

function describe(report: BenchReport): string {
  const { result, bench } = report;
  const bytes = result.bytesPerOp === null ? "" : `  ${figure(result.bytesPerOp)} B/op`;
  const own = `p50 ${figure(result.p50)}  p99 ${figure(result.p99)}  p99.9 ${figure(result.p999)} ${result.unit}  ${figure(result.perSecond)}/s${bytes}`;
  const reference =
    result.reference === null
      ? ""
      : `\n  ${result.reference.name}: p50 ${figure(result.reference.p50)}  ${figure(result.reference.perSecond)}/s  ratio ${result.ratio!.toFixed(3)} (${bench.compare}${bench.maxRatio === undefined ? "" : `, required ≤ ${bench.maxRatio}`})`;
  return `${result.name}: ${bench.question}\n  ${own}${reference}${report.notes.map((n) => `\n  ${n}`).join("")}`;
}

function readBaseline(path: string): Baseline {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Baseline) : {};
}

/** True when nothing fell back. */
function gate(reports: readonly BenchReport[], options: Options, say: (line: string) => void): boolean {
  const baseline = readBaseline(options.baseline);
  const verdicts: Verdict[] = reports.map((report) => judge(report, baseline, cpuModel()));
  for (const v of verdicts) say(`gate: ${v.name} ${v.outcome}: ${v.detail}`);
  const fell = verdicts.filter((v) => v.outcome === "fell back").map((v) => v.name);
  say(fell.length === 0 ? "gate: held" : `gate: FELL BACK: ${fell.join(", ")}`);
  return fell.length === 0;
}

export async function main(argv: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parse(argv);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 2;
  }
  const say = (line: string): void => (options.json ? console.error(line) : console.log(line));
  const benches = await discover(options);
  if (benches.length === 0) {
    console.error(`bench: no bench matches ${options.names.join(" ") || options.dir}`);
    return 2;
  }
  const reports: BenchReport[] = [];
  for (const bench of benches) {
    const outcome = await runBench(bench, options.tiny ? "tiny" : "full", options.rounds);
    if ("unavailable" in outcome) say(`${bench.name}: not available here: ${outcome.unavailable}`);
    else {
      reports.push(outcome);
      say(describe(outcome));
    }
  }
  if (options.update) {
    const next = updated(readBaseline(options.baseline), cpuModel(), reports);
    await Bun.write(options.baseline, `${JSON.stringify(next, null, 2)}\n`);
    say(`baseline of ${reports.length} benches written for "${cpuModel()}"`);
  }
  const held = !options.gate || gate(reports, options, say);
  if (options.json) console.log(JSON.stringify({ results: reports.map((r) => r.result) }));
  return held ? 0 : 1;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
