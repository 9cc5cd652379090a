// Is the first order of a session as fast as the later ones? Starts `bun run live` against its simulated venue
// N times and reads each session's journal: tick-to-order (receive stamp of the record that caused a request →
// request written) of the first request against the median of the rest of that session. The figure is the
// median over the starts (issue 3: within 3). `--cold` leaves the warm-up out, for comparison.
//
//   bun bench/start.ts [--starts 20] [--for 5s] [--speed 6] [--cold] [--json]
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { RecordMemory } from "../src/core/record.ts";
import { readRecords } from "../src/journal/wal-reader.ts";
import { ACTION_MODIFY, ACTION_PLACE } from "../src/wire/codes.ts";
import { KIND_ORDER_SENT, KIND_ORDER_STAMPS, OrderSent, OrderStamps } from "../src/wire/messages.gen.ts";

const LIVE = resolve(import.meta.dir, "../src/cli/live.ts");

const { values } = parseArgs({
  options: {
    starts: { type: "string", default: "20" },
    for: { type: "string", default: "5s" },
    speed: { type: "string", default: "6" },
    cold: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

interface Start {
  readonly orders: number;
  readonly firstNs: number;
  readonly steadyNs: number;
  /** First against the median of the rest. */
  readonly ratio: number;
  readonly readyMs: number;
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

/** Tick-to-order of places and modifies, in order. Cancels have no tick. */
function latencies(walDir: string): number[] {
  const found: number[] = [];
  let trigger = Number.NaN;
  readRecords(
    walDir,
    {
      onRecord(m: RecordMemory, at: number) {
        if (m.u16[at >> 1] === KIND_ORDER_SENT) {
          const sent = new OrderSent(m).wrap(m, at);
          const ticked = sent.action === ACTION_PLACE || sent.action === ACTION_MODIFY;
          trigger = ticked ? sent.triggerTsNs : Number.NaN;
        } else if (trigger > 0) found.push(new OrderStamps(m).wrap(m, at).sentTsNs - trigger);
      },
    },
    {},
    { kinds: new Set([KIND_ORDER_SENT, KIND_ORDER_STAMPS]) },
  );
  return found;
}

async function start(): Promise<Start> {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-start-"));
  try {
    const config = join(dir, "start.toml");
    const warmup = values.cold ? "[engine]\nwarmup_messages = 0\n" : "";
    writeFileSync(config, `${warmup}[sim]\nspeed = ${Number(values.speed)}\n`);
    const args = [
      "--config",
      config,
      "--data-dir",
      join(dir, "data"),
      "--for",
      values.for,
      "--json",
      "--no-clickhouse",
    ];
    const begun = performance.now();
    const child = Bun.spawn(["bun", LIVE, ...args], { stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    if ((await child.exited) !== 0) throw new Error(`live ended with ${child.exitCode}:\n${err.slice(-800)}`);
    const { durationS } = JSON.parse(out.trim().split("\n").at(-1)!) as { durationS: number };
    const readyMs = performance.now() - begun - durationS * 1000;
    const [firstNs = Number.NaN, ...rest] = latencies(join(dir, "data/wal"));
    const steadyNs = median(rest);
    return { orders: rest.length + 1, firstNs, steadyNs, ratio: firstNs / steadyNs, readyMs };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const starts: Start[] = [];
for (let i = 0; i < Number(values.starts); i++) {
  starts.push(await start());
  const s = starts.at(-1)!;
  if (!values.json)
    console.log(
      `${i + 1}: ${s.orders} requests, first ${Math.round(s.firstNs / 1e3)} µs, median of the rest ${Math.round(s.steadyNs / 1e3)} µs, ratio ${s.ratio.toFixed(2)}`,
    );
}
const result = {
  starts: starts.length,
  warm: !values.cold,
  firstNs: median(starts.map((s) => s.firstNs)),
  steadyNs: median(starts.map((s) => s.steadyNs)),
  ratio: median(starts.map((s) => s.ratio)),
  startAndStopMs: median(starts.map((s) => s.readyMs)),
};
console.log(
  values.json
    ? JSON.stringify(result)
    : `median of ${result.starts} ${values.cold ? "cold" : "warm"} starts: first ${(result.firstNs / 1e3).toFixed(0)} µs, steady ${(result.steadyNs / 1e3).toFixed(0)} µs, ratio ${result.ratio.toFixed(2)}; start and stop ${(result.startAndStopMs / 1e3).toFixed(1)} s`,
);
