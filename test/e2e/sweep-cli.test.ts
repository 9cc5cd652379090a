import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMetrics } from "../../src/analytics/metrics.ts";
import { sampleMidTicks } from "../../src/backtest/fill-mids.ts";
import { reportConfig } from "../../src/backtest/report-config.ts";
import { runCompat } from "../../src/backtest/run-backtest.ts";
import { cacheMarkets, segmentRows } from "../../src/backtest/sweep/row-cache.ts";
import { runFigures } from "../../src/backtest/sweep/run-figures.ts";
import { baseOfDayNs } from "../../src/core/clock.ts";
import { readToml } from "../../src/core/toml.ts";
import { EVENT_FIELDS } from "../../src/data/npy.ts";
import { loadRows } from "../../src/data/npz-file.ts";

const ROOT = join(import.meta.dir, "../..");
const DATA = join(ROOT, "test/data/npz/btcusdt_200k.npz");
const dir = mkdtempSync(join(tmpdir(), "hotlane-sweep-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function description(
  name: string,
  sweep: string,
  module = join(ROOT, "examples/hftbacktest-port.ts"),
): string {
  const file = join(dir, `${name}.toml`);
  writeFileSync(
    file,
    `compat = "hftbacktest-2.4.4"
[strategy]
module = "${module}"
params = { half = 1.0, skew = 0.5, q = 0.001, maxp = 0.01 }
[[assets]]
data = ["${DATA}"]
tick_size = 0.1
lot_size = 0.001
latency = { model = "constant", entry_ns = 10_000_000, response_ns = 10_000_000 }
[sweep]
objective = "pnl"
${sweep}`,
  );
  return file;
}

const command = (...args: string[]) => ["bun", join(ROOT, "src/cli/sweep.ts"), ...args];
function sweep(...args: string[]): { code: number; out: string; err: string } {
  const child = Bun.spawnSync(command(...args), { cwd: ROOT });
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() };
}
const logged = (out: string): Record<string, unknown>[] =>
  readFileSync(join(out, "runs.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

const GRID = "[sweep.params]\nhalf = [1, 4, 8]\nskew = [0.25, 0.5]";

test("runs of a sweep equal the same backtests run alone, best first", async () => {
  const file = description("equal", GRID);
  const { code, out } = sweep(file, "--out", join(dir, "equal"), "--json");
  expect(code).toBe(0);
  const { runs, best } = JSON.parse(out);
  expect(runs.length).toBe(6);
  expect(best).toEqual(runs[0]);
  const pnls = runs.map((run: { figures: { pnl: number } }) => run.figures.pnl);
  expect(pnls).toEqual([...pnls].sort((a, b) => b - a));
  const document = readToml(file);
  const { params, figures } = runs[3];
  const { result } = await runCompat(document, { params, markOuts: false });
  expect(figures).toEqual(runFigures(runMetrics(result, reportConfig(document))));
  const csv = readFileSync(join(dir, "equal/runs.csv"), "utf8").trimEnd().split("\n");
  expect(csv.length).toBe(7);
  expect(csv[0]).toStartWith("half,skew,segment_from,segment_to,sharpe");
}, 30_000);

test("a sweep killed at any instant goes on where it was and ends with the same result", async () => {
  const file = description("killed", GRID);
  const out = join(dir, "killed");
  const child = Bun.spawn(command(file, "--out", out), { cwd: ROOT, stdout: "ignore", stderr: "ignore" });
  const deadline = performance.now() + 20_000;
  const rows = (): number => {
    try {
      return readFileSync(join(out, "runs.jsonl"), "utf8").split("\n").length - 1;
    } catch {
      return 0;
    }
  };
  while (rows() < 2 && performance.now() < deadline) await Bun.sleep(5);
  child.kill("SIGKILL");
  await child.exited;
  const before = rows();
  expect(before).toBeGreaterThanOrEqual(2);
  expect(before).toBeLessThan(6);
  // What a kill in the middle of a write leaves.
  appendFileSync(join(out, "runs.jsonl"), '{"key":"half=1 sk');
  const again = sweep(file, "--out", out, "--json");
  expect(again.code).toBe(0);
  expect(again.err).toContain(`${before} of 6 runs are done already`);
  const keys = logged(out).map((run) => run["key"]);
  expect([keys.length, new Set(keys).size]).toEqual([6, 6]);
  const whole = sweep(file, "--out", join(dir, "whole"), "--json", "--jobs", "1");
  const figures = (text: string) =>
    JSON.parse(text).runs.map((run: { key: string; figures: unknown }) => [run.key, run.figures]);
  expect(figures(again.out)).toEqual(figures(whole.out));
}, 60_000);

test("runs of another strategy are not mixed in; --fresh forgets them", () => {
  const module = join(dir, "strategy.ts");
  const source = readFileSync(join(ROOT, "examples/hftbacktest-port.ts"), "utf8").replaceAll(
    "../src",
    join(ROOT, "src"),
  );
  writeFileSync(module, source);
  const file = description("other", "[sweep.params]\nhalf = [1, 2]", module);
  const out = join(dir, "other");
  expect(sweep(file, "--out", out).code).toBe(0);
  writeFileSync(module, source.replace("100_000_000", "200_000_000"));
  const refused = sweep(file, "--out", out);
  expect([refused.code, refused.err]).toEqual([
    2,
    expect.stringContaining("another description, strategy or data"),
  ]);
  expect(sweep(file, "--out", out, "--fresh").code).toBe(0);
  expect(logged(out).length).toBe(2);
}, 30_000);

test("a run that throws and a job process that dies fail alone", () => {
  const module = join(dir, "faulty.ts");
  writeFileSync(
    module,
    `export default (hbt, { half }, record) => {
      if (half === 2) throw new Error("half of two");
      if (half === 3) process.kill(process.pid, "SIGKILL");
      hbt.elapse(1e9); record();
      return hbt.gotoEnd();
    };`,
  );
  const file = description("faulty", "[sweep.params]\nhalf = [1, 2, 3, 4]", module);
  const { code, out } = sweep(file, "--out", join(dir, "faulty"), "--json");
  expect(code).toBe(0);
  const runs = JSON.parse(out).runs.map((run: { params: { half: number }; failure: unknown }) => [
    run.params.half,
    run.failure,
  ]);
  expect(runs.sort()).toEqual([
    [1, null],
    [2, "half of two"],
    [3, "the job process ended with signal SIGKILL"],
    [4, null],
  ]);
}, 30_000);

test("segments hold every row once and begin with the exchange's book of that instant", () => {
  const market = { data: [DATA], tickSize: 0.1, lotSize: 0.001 };
  const [asset] = cacheMarkets([market], join(dir, "cache"), 4, () => {});
  expect(asset!.cuts.length).toBe(5);
  expect([asset!.cuts[0], asset!.cuts[4]]).toEqual([0, 200_000]);
  const { bytes } = loadRows(DATA, EVENT_FIELDS);
  const i64 = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const baseNs = baseOfDayNs(i64[1]!);
  for (const from of [1, 2, 3]) {
    const own = segmentRows(asset!, from, 4);
    const first = Number(i64[asset!.cuts[from]! * 8 + 1]! - baseNs);
    const times = Float64Array.from([first + 1e6, first + 1e9, first + 5e9]);
    expect([...sampleMidTicks({ ...market, ...own }, baseNs, times)]).toEqual([
      ...sampleMidTicks(market, baseNs, times),
    ]);
  }
}, 30_000);

test("walk-forward tests each fold's best on the segment after its training", () => {
  const walk = "walk_forward = { folds = 2, train = 2, anchored = true }\n";
  const file = description("walk", `${walk}[sweep.params]\nhalf = [1, 8]`);
  const { code, out } = sweep(file, "--out", join(dir, "walk"), "--json");
  expect(code).toBe(0);
  const { runs, folds } = JSON.parse(out);
  expect(runs.map((run: { from: number; to: number }) => `${run.from}-${run.to}`).sort()).toEqual([
    "0-2",
    "0-2",
    "0-3",
    "0-3",
  ]);
  for (const [i, { train, test: tested }] of folds.entries()) {
    const rivals = runs.filter((run: { to: number }) => run.to === i + 2);
    expect(train.figures.pnl).toBe(
      Math.max(...rivals.map((run: { figures: { pnl: number } }) => run.figures.pnl)),
    );
    expect([tested.params, tested.from, tested.to]).toEqual([train.params, i + 2, i + 3]);
  }
}, 30_000);
