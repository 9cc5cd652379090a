import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "../../src/data/npy.ts";
import { loadRows } from "../../src/data/npz-file.ts";
import { writeRows } from "../../src/data/npz-write.ts";

const ROOT = join(import.meta.dir, "../..");
const dir = mkdtempSync(join(tmpdir(), "backtest-cli-"));
afterAll(() => rmSync(dir, { recursive: true }));

function run(command: string, ...args: string[]): { code: number; out: string; err: string } {
  const child = Bun.spawnSync(["bun", join(ROOT, "src/cli", command), ...args], { cwd: ROOT });
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() };
}

test("the ported example gives hftbacktest's own series", () => {
  const { code, out } = run("backtest.ts", "examples/hftbacktest-port.toml", "--out", dir, "--json");
  expect(code).toBe(0);
  const summary = JSON.parse(out);
  expect(summary).toMatchObject({ returnCode: 1, endTimestamp: "1723161418398000000" });
  // hftbacktest.stats 2.4.4 on the same series: LinearAssetRecord(…).resample("1s"), 365 days.
  const { equity } = summary.metrics.instruments[0];
  expect(equity.sharpe).toBeCloseTo(-806.712672, 6);
  expect(equity.sortino).toBeCloseTo(-917.925726, 6);
  expect(equity.maxDrawdown).toBeCloseTo(0.615249, 6);
  const golden = join(ROOT, "test/data/golden/medium/btcusdt_200k.power.const.nopartial.hash.csv.gz");
  const numbers = (text: string): (string | number)[][] =>
    text
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.split(",").map((cell, i) => (i === 0 ? cell : Number(cell))));
  const expected = numbers(gunzipSync(readFileSync(golden)).toString());
  expect(numbers(readFileSync(join(dir, "state.csv"), "utf8"))).toEqual(expected);
}, 20_000);

test("parity ends with its count, 3 when something differs, 2 for wrong usage", () => {
  const same = run("parity.ts", join(ROOT, "test/data/golden/random"));
  expect([same.code, same.out.trimEnd().split("\n").at(-1)]).toEqual([0, "9 identical, 0 different"]);
  // Without --data the medium cases cannot run: each is different, and says why.
  const lost = run("parity.ts", join(ROOT, "test/data/golden/medium"));
  expect(lost.code).toBe(3);
  expect(lost.out).toMatch(/cannot run: btcusdt_200k\.npz is not in/);
  expect(lost.out.trimEnd().endsWith("0 identical, 28 different")).toBe(true);
  expect(run("parity.ts").code).toBe(2);
  expect(run("parity.ts", "/nonexistent").code).toBe(2);
}, 20_000);

test("data check names what is wrong and where; import and correct need an output", () => {
  const npz = join(ROOT, "test/data/npz");
  const good = run("data.ts", "check", join(npz, "btcusdt_200k.npz"));
  expect([good.code, good.out]).toEqual([
    0,
    expect.stringContaining("200000 rows (196125 exchange, 196125 local)"),
  ]);
  const bad = run("data.ts", "check", join(npz, "order_latency_btcusdt_20240808.npz"));
  expect([bad.code, bad.out]).toEqual([3, expect.stringContaining("wrong dtype")]);
  expect(run("data.ts", "import", "binance-usdm", "x").code).toBe(2);
  expect(run("data.ts", "correct", join(npz, "btcusdt_200k.npz"), "--out", join(dir, "x.npz")).err).toMatch(
    /corrected already/,
  );
}, 20_000);

test("rows that are not sorted, and no rows at all, are one line with the user's file, in both modes and in a sweep", () => {
  const rows = loadRows(join(ROOT, "test/data/npz/btcusdt_200k.npz"), EVENT_FIELDS).bytes.slice(0, 2000 * 64);
  const unsorted = join(dir, "unsorted.npz");
  const empty = join(dir, "empty.npz");
  writeRows(empty, EVENT_FIELDS, new Uint8Array(0), EVENT_ROW_BYTES);
  new BigInt64Array(rows.buffer)[1000 * 8 + 1]! -= 1_000_000_000_000n;
  writeRows(unsorted, EVENT_FIELDS, rows, EVENT_ROW_BYTES);
  const fault = `${unsorted}: row 1000: exch_ts is before that of an earlier row: rows are not sorted (see «data correct»)\n`;
  const descriptions = ["backtest", "hftbacktest-port"].map((name) => `examples/${name}.toml`);
  for (const config of descriptions) {
    const { code, err } = run("backtest.ts", config, "--data", unsorted);
    expect([config, code, err]).toEqual([config, 1, fault]);
  }
  const none = run("backtest.ts", descriptions[0]!, "--data", empty);
  expect([none.code, none.err]).toEqual([1, `${empty}: no rows, here or in any other file of the run\n`]);
  // hftbacktest says end of data.
  expect(run("backtest.ts", descriptions[1]!, "--data", empty).code).toBe(0);
  const out = join(dir, "sweep");
  const sweep = (file: string) =>
    run("sweep.ts", "examples/sweep.toml", "--data", file, "--out", out, "--jobs", "1");
  expect(sweep(unsorted)).toMatchObject({ code: 1, err: fault });
  expect(sweep(empty)).toMatchObject({ code: 1, err: `${empty}: no rows, here or in a later file\n` });
}, 60_000);
