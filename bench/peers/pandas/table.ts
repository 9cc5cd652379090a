// bun bench/peers/pandas/table.ts [--rounds 3]: document 2's graph by pandas against ours, on the BTCUSDT rows of the
// tests. pandas gets the mid and OBI columns ready made; ours starts from event rows, order book included, and is
// shown with and without that part. Values must agree. Alternating rounds, medians.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openColumnsWriter } from "../../../src/cli/factors-out.ts";
import { compileToml } from "../../../src/factor/graph-toml.ts";
import { openBatch } from "../../../src/factor/update-batch.ts";

const HERE = import.meta.dir;
const ROOT = join(HERE, "../../..");
const DATA = join(ROOT, "test/data/npz/btcusdt_200k.npz");
const GRAPH = join(ROOT, "config/graphs/obi_mm_factors.toml");
const TILES = 100;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" } } });
if (Bun.spawnSync(["sh", join(HERE, "install.sh")]).exitCode !== 0) throw new Error("pandas could not be installed");
const python = join(ROOT, "var/peers/pandas-venv/bin/python");

const text = readFileSync(GRAPH, "utf8");
const document2 = compileToml(text, GRAPH);
const withInputs = compileToml(text.replace("[outputs]", '[outputs]\nmid = "mid_price"\nobi = "obi"'), GRAPH);
const bare = compileToml(text.replace(/\[outputs\][^#[]*/, '[outputs]\nmid = "mid_price"\n'), GRAPH);

interface Own {
  readonly ns: number;
  readonly triggers: number;
  readonly rows: number;
}

function own(program: typeof document2): Own {
  let triggers = 0;
  const run = openBatch(program, [DATA], { tickSize: "0.1", lotSize: "0.001" }, (n) => {
    triggers += n;
  });
  const start = Bun.nanoseconds();
  while (run.step(1 << 18));
  const ns = Bun.nanoseconds() - start;
  run.close();
  return { ns, triggers, rows: run.rowsRead() };
}

interface Theirs {
  readonly rows: number;
  readonly column_ns: number;
  readonly live_ns: number;
  readonly alpha_error: number;
  readonly volatility_error: number;
  readonly stop_differs: number;
}

function theirs(file: string): Theirs {
  const run = Bun.spawnSync([python, join(HERE, "peer.py"), file, String(TILES)]);
  if (run.exitCode !== 0) throw new Error(run.stderr.toString());
  return JSON.parse(run.stdout.toString()) as Theirs;
}

const median = (xs: number[]): number => xs.toSorted((a, b) => a - b)[xs.length >> 1]!;

const dir = mkdtempSync(join(tmpdir(), "hotlane-pandas-"));
try {
  const file = join(dir, "columns.parquet");
  const names = withInputs.outputs.map((o) => o.name);
  const writer = openColumnsWriter(file, names);
  const run = openBatch(withInputs, [DATA], { tickSize: "0.1", lotSize: "0.001" }, (n, ts, columns) =>
    writer.write(run.baseNs, n, ts, columns),
  );
  while (run.step(1 << 18));
  run.close();
  writer.close();
  for (let k = 0; k < 20; k++) [document2, bare].map(own);
  const rounds = Array.from({ length: Number(values.rounds) }, () => ({
    theirs: theirs(file),
    whole: median(Array.from({ length: 9 }, () => own(document2).ns)),
    bare: median(Array.from({ length: 9 }, () => own(bare).ns)),
  }));
  const { triggers, rows } = own(document2);
  const last = rounds.at(-1)!.theirs;
  const column = median(rounds.map((r) => r.theirs.column_ns));
  const live = median(rounds.map((r) => r.theirs.live_ns));
  const whole = median(rounds.map((r) => r.whole)) / triggers;
  const graph = median(rounds.map((r) => r.whole - r.bare)) / triggers;
  const f = (x: number): string => x.toFixed(0);
  console.log(`document 2's graph, ns per trigger; ours over ${rows} rows = ${triggers} triggers`);
  console.log("| | ns per trigger | against that |\n|---|---|---|");
  console.log(`| ours, graph with its depth bands and records (whole − mid price only) | ${f(graph)} | 1 |`);
  console.log(`| ours, decode of rows + book + graph | ${f(whole)} | ${f(whole / graph)} |`);
  console.log(`| pandas, whole columns of ${last.rows} rows, mid and OBI given | ${f(column)} | ${f(column / graph)} |`);
  console.log(`| pandas, each update from the last 1062 rows, mid and OBI given | ${f(live)} | ${f(live / graph)} |`);
  const errors = `alpha ${last.alpha_error.toExponential(1)}, volatility ${last.volatility_error.toExponential(1)}`;
  console.log(`greatest relative differences: ${errors}; stop_loss differs at ${last.stop_differs} triggers`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
