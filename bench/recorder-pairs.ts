// bun bench/recorder-pairs.ts [--pairs 15] [--for 8s] [--speed 8] [--json]
//
// What the recorder costs trading: sessions with and without it, taking turns. Hot lane (one, fused) on cpu 1, main,
// writer, venue, recorder and ClickHouse on cpu 0, where the machine has two. Compared: tick-to-order p50 and p99 of
// each session; asked for: median ratio of p50 ≤ 1.05, of p99 ≤ 1.5. Exit code 1 above them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { SessionSummary } from "../src/engine/summary.ts";

const ROOT = resolve(import.meta.dir, "..");
const P50_MAX = 1.05;
const P99_MAX = 1.5;

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "15" },
    for: { type: "string", default: "8s" },
    speed: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});

const TOML = `
[lanes]
topology = "fused"
${availableParallelism() > 1 ? "[lanes.feed]\ncpu = 1\n[lanes.factor]\ncpu = 1\n[lanes.execution]\ncpu = 1\n" : ""}
[risk]
max_orders_per_10s = 100000
max_orders_per_min = 600000
`;

interface Session {
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  readonly rows: number;
}

/** The venue lives outside, on cpu 0, so that its work is the same in both. */
async function session(withRecorder: boolean): Promise<Session> {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-pairs-"));
  const credentials = join(dir, "credentials");
  const onZero = availableParallelism() > 1 ? ["taskset", "-c", "0"] : [];
  const venue = Bun.spawn(
    [
      ...onZero,
      process.execPath,
      join(ROOT, "src/cli/venue.ts"),
      "--port",
      "0",
      "--speed",
      values.speed,
    ].concat([
      ...[
        "--journal",
        join(dir, "venue.jsonl"),
        "--credentials-file",
        credentials,
        "--rate-limit-factor",
        "1000",
      ],
    ]),
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  try {
    const { value } = await venue.stdout.getReader().read();
    const { port } = JSON.parse(new TextDecoder().decode(value).split("\n")[0]!);
    const config = join(dir, "pairs.toml");
    const sim = `[sim]\nurl = "http://127.0.0.1:${port}"\n[venue]\ncredentials_file = "${credentials}"\n`;
    writeFileSync(config, `${TOML}${sim}`);
    const args = ["--config", config, "--data-dir", join(dir, "data"), "--for", values.for, "--json"];
    const live = Bun.spawn(
      [
        process.execPath,
        join(ROOT, "src/cli/live.ts"),
        ...args,
        ...(withRecorder ? [] : ["--no-clickhouse"]),
      ],
      { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const [out, err, code] = await Promise.all([
      new Response(live.stdout).text(),
      new Response(live.stderr).text(),
      live.exited,
    ]);
    if (code !== 0) throw new Error(`live ended with ${code}: ${err.slice(-1000)}`);
    const summary = JSON.parse(out.trimEnd().split("\n").at(-1)!) as SessionSummary;
    const rows = Object.values(summary.recorder.rows).reduce((sum, n) => sum + n, 0);
    if (withRecorder && summary.recorder.state !== "done")
      throw new Error(`not recorded: ${JSON.stringify(summary.recorder)}`);
    const { p50, p99, count } = summary.latencyNs["tickToOrder"]!;
    return { p50: p50!, p99: p99!, count, rows };
  } finally {
    venue.stdin.end();
    venue.kill("SIGTERM");
    await venue.exited;
    rmSync(dir, { recursive: true, force: true });
  }
}

const median = (all: readonly number[]): number => {
  const sorted = [...all].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
};

const pairs: { readonly with: Session; readonly without: Session }[] = [];
for (let i = 0; i < Number(values.pairs); i++) {
  // Who goes first changes: neither gets the warmer machine.
  const first = await session(i % 2 === 0);
  const second = await session(i % 2 !== 0);
  const pair = i % 2 === 0 ? { with: first, without: second } : { with: second, without: first };
  pairs.push(pair);
  if (!values.json)
    console.error(
      `pair ${i + 1}: p50 ${pair.with.p50} / ${pair.without.p50} ns, p99 ${pair.with.p99} / ${pair.without.p99} ns, ${pair.with.count} orders, ${pair.with.rows} rows`,
    );
}
const p50Ratio = median(pairs.map((p) => p.with.p50 / p.without.p50));
const p99Ratio = median(pairs.map((p) => p.with.p99 / p.without.p99));
const passed = p50Ratio <= P50_MAX && p99Ratio <= P99_MAX;
console.log(
  JSON.stringify({
    pairs: pairs.length,
    p50Ratio,
    p99Ratio,
    passed,
    ...(values.json ? { sessions: pairs } : {}),
  }),
);
process.exit(passed ? 0 : 1);
