// bun bench/load.ts [--speed S] [--for 60s] [--depth-only] [--wait park|spin] [--topology lanes|fused]
//                   [--venue-parks] [--idle] [--json]
//
// The product against the simulated venue at S times the capture's pace (272 messages/s: 18.4 = 5,000/s,
// 73.4 = 20,000/s; `--depth-only --speed 263` = 5,000 depth messages/s), limits raised. Passes (exit 0) when
// nothing was dropped, the books equal the venue's at the same update ids and the session ended clean.
// The venue polls, so that what is measured is our way and not its waking up; --venue-parks lets it sleep too.
// --idle: a market that stands still, the recorder into files beside it; passes when our processes take less than
// 10 % of a core.
import { parseArgs } from "node:util";
import { type Judgement, judge } from "./harness/load-judge.ts";
import { type LoadOptions, type LoadRun, runLoad } from "./harness/load-session.ts";

const IDLE_SPEED = 0.001;
const IDLE_CPU_MAX = 0.1;

function parse(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      speed: { type: "string", default: "18.4" },
      for: { type: "string", default: "60s" },
      "depth-only": { type: "boolean", default: false },
      wait: { type: "string" },
      topology: { type: "string" },
      "venue-parks": { type: "boolean", default: false },
      idle: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const seconds = /^(\d+)s?$/.exec(values.for)?.[1];
  const speed = Number(values.speed);
  if (seconds === undefined || Number(seconds) < 4) throw new RangeError(`--for ${values.for}: at least 4s`);
  if (!(speed > 0)) throw new RangeError(`--speed ${values.speed}: a positive number is expected`);
  if (values.wait !== undefined && values.wait !== "park" && values.wait !== "spin")
    throw new RangeError(`--wait ${values.wait}: park or spin`);
  if (values.topology !== undefined && values.topology !== "lanes" && values.topology !== "fused")
    throw new RangeError(`--topology ${values.topology}: lanes or fused`);
  const options: LoadOptions = {
    speed: values.idle ? IDLE_SPEED : speed,
    seconds: Number(seconds),
    depthOnly: values["depth-only"],
    venueParks: values["venue-parks"] || values.idle,
    records: values.idle,
    ...(values.wait === undefined ? {} : { wait: values.wait as "park" | "spin" }),
    ...(values.topology === undefined ? {} : { topology: values.topology as "lanes" | "fused" }),
  };
  return { options, idle: values.idle, json: values.json };
}

function problems(run: LoadRun, judged: Judgement, idle: boolean): string[] {
  const found: string[] = [];
  if (run.exitCode !== 0) found.push(`live ended with ${run.exitCode}: ${run.stderr.slice(-500)}`);
  if (run.summary.drops !== 0) found.push(`${run.summary.drops} drops`);
  if (judged.levelsWrong > 0) found.push(`${judged.levelsWrong} levels differ from the venue's book`);
  if (idle && run.cpu.live >= IDLE_CPU_MAX)
    found.push(`idle at ${(run.cpu.live * 100).toFixed(1)} % of a core`);
  if (!idle && judged.booksCompared === 0) found.push("no book could be compared");
  return found;
}

const us = (ns: number): string => `${(ns / 1000).toFixed(0)} µs`;

function report(run: LoadRun, judged: Judgement, options: LoadOptions): string {
  const { summary, cpu } = run;
  const { wireToWire: w } = judged;
  const rate = (summary.feed.messages / summary.durationS).toFixed(0);
  return [
    `speed ${options.speed}${options.depthOnly === true ? " depth only" : ""}, ${summary.durationS.toFixed(1)} s: ${rate} messages/s, ${(judged.levelRecords / summary.durationS / 1000).toFixed(0)}k levels/s, drops ${summary.drops}`,
    `books: ${judged.booksCompared} compared with the venue's, ${judged.levelsCompared} levels, ${judged.levelsWrong} wrong; gaps ${summary.feed.gaps}, resyncs ${summary.feed.resyncs}`,
    `venue send → order at the venue: p50 ${us(w.p50)}, p99 ${us(w.p99)} over ${w.count} orders; ${summary.orders.sent} sent, ${summary.fills.count} fills`,
    ...judged.legs.map((leg) => `  ${leg.name}: p50 ${us(leg.p50)}, p99 ${us(leg.p99)}`),
    `tick to order inside: p50 ${us(summary.latencyNs["tickToOrder"]?.p50 ?? Number.NaN)}, p99 ${us(summary.latencyNs["tickToOrder"]?.p99 ?? Number.NaN)}`,
    `cpu: ours ${(cpu.live * 100).toFixed(1)} %, venue ${(cpu.venue * 100).toFixed(1)} % of a core`,
  ].join("\n");
}

export async function main(argv: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    console.error(`load: ${(error as Error).message}`);
    return 2;
  }
  const run = await runLoad(parsed.options);
  try {
    const judged = judge(run);
    const found = problems(run, judged, parsed.idle);
    console.log(report(run, judged, parsed.options));
    for (const problem of found) console.log(`FAILED: ${problem}`);
    if (parsed.json) console.log(JSON.stringify({ summary: run.summary, judged, cpu: run.cpu }));
    return found.length === 0 ? 0 : 1;
  } finally {
    run.discard();
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
