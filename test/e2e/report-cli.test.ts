// bun run report over what a live session recorded, against the session's own books.
import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIBRARY, sessionEngine } from "./embedded.ts";
import { endAll, LiveSession, makeDataDir, run, until, walRows } from "./live-session.ts";
import { expectOrderHistory } from "./store-checks.ts";

const REPORT = join(import.meta.dir, "../../src/cli/report.ts");
afterAll(endAll);

test("the report of a live session has its fills, fees and positions, and finds every order in its WAL", async () => {
  const dir = makeDataDir();
  const session = await LiveSession.start({
    dir,
    env: { HOTLANE_NO_CLICKHOUSE: LIBRARY === null ? "1" : "0" },
  });
  const makers = async (): Promise<number> =>
    Number(/fills_total\{liquidity="maker"\} (\d+)/.exec(await session.text("/metrics"))?.[1] ?? 0);
  await until("fills", async () => (await makers()) > 4, 60_000);
  if (LIBRARY !== null) await expectWhileRecording(session, dir);
  const { summary, code } = await session.stop();
  expect(code).toBe(0);
  const out = join(dir, "report");
  const ran = await run(REPORT, [dir, "--out", out, "--json"]);
  expect([ran.code, ran.err]).toEqual([0, ""]);
  const { metrics, fills, notes } = JSON.parse(ran.out);
  expect(notes).toEqual([]);
  const [total] = metrics.totals;
  expect(total.activity.fills).toBe(summary.fills.count);
  expect(total.activity.fees).toBeCloseTo(Number(summary.pnl["USDT"]!.fees), 8);
  expect(total.activity.makerShare).toBeCloseTo(summary.fills.makerShare ?? Number.NaN, 2);
  for (const one of metrics.instruments) {
    const held = summary.positions.filter((p) => p.symbol === one.symbol);
    expect(one.inventory.end).toBeCloseTo(
      held.reduce((sum, p) => sum + Number(p.qty), 0),
      9,
    );
  }
  expect(fills.all.orders).toBe(summary.orders.sent);
  // Average cost and attribution cut the same money differently: together with what is held at the mid they agree.
  const parts = readFileSync(join(out, "pnl.csv"), "utf8").trimEnd().split("\n").slice(1);
  const whole = parts.map((line) => line.split(",")).filter((cells) => cells[3] === "");
  const sum = (column: number): number => whole.reduce((total, cells) => total + Number(cells[column]), 0);
  const positions = await walRows(dir, ["Position", "PositionDetail"]);
  let books = 0;
  for (const one of metrics.instruments) {
    const last = positions.findLast(
      (p) => p.kind === "Position" && p["instrument"] === one.symbol && !String(p["flags"]).includes("venue"),
    );
    const state = readFileSync(join(out, `state-${metrics.instruments.indexOf(one)}.csv`), "utf8")
      .trimEnd()
      .split("\n")
      .at(-1)!;
    const mid = Number(state.split(",")[1]);
    if (last !== undefined)
      books += Number(last["realized"]) + Number(last["qty"]) * mid - Number(last["cost"]);
  }
  expect(sum(5) + sum(6)).toBeCloseTo(books, 6);
  expect(sum(9)).toBeCloseTo(total.equity.pnl, 6);
  for (const file of ["report.html", "orders.csv", "fills.parquet", "requests.csv", "fill-analysis.csv"])
    expect([file, existsSync(join(out, file))]).toEqual([file, true]);
  if (LIBRARY === null) return;
  await expectSameFromStore(dir, out);
  const engine = await sessionEngine(dir);
  await expectOrderHistory(engine, session.journal());
  await engine.close();
}, 240_000);

/** While the session goes on, its own engine is asked. */
async function expectWhileRecording(session: LiveSession, dir: string): Promise<void> {
  const recorded = async (): Promise<boolean> =>
    Number(/recorder_rows_total\{table="fills"[^}]*\} (\d+)/.exec(await session.text("/metrics"))?.[1] ?? 0) >
    0;
  await until("recorded fills", recorded, 60_000);
  const fillsOf = async (from: readonly string[]): Promise<readonly [number, readonly string[]]> => {
    const ran = await run(REPORT, [...from, "--out", join(dir, "so-far"), "--json"]);
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const { metrics, notes } = JSON.parse(ran.out);
    return [metrics.totals[0].activity.fills, notes];
  };
  expect(await fillsOf([dir, "--store", "embedded"])).toEqual([expect.any(Number), []]);
  // The same engine as somebody's server, from anywhere: no data directory is at hand.
  const engine = join(dir, "clickhouse");
  const { user, password } = JSON.parse(readFileSync(join(engine, "access.json"), "utf8")).reader;
  writeFileSync(join(dir, "password"), password, { mode: 0o600 });
  writeFileSync(join(dir, "server.toml"), `[recorder]\nuser = "${user}"\npassword_file = "password"\n`);
  const url = `http://127.0.0.1:${readFileSync(join(engine, "port"), "utf8").trim()}`;
  const [fills, notes] = await fillsOf(["--store", url, "--config", join(dir, "server.toml")]);
  expect(fills).toBeGreaterThan(0);
  expect(notes).toEqual(["no PnL by signal: the factor graphs run over the log alone"]);
}

/** The engine's directory holds the same session: every file of its report is the log's, byte for byte. */
async function expectSameFromStore(dir: string, ofLog: string): Promise<void> {
  const [head, ...requests] = readFileSync(join(ofLog, "requests.csv"), "utf8").trimEnd().split("\n");
  const half = requests[requests.length >> 1]!.split(",")[head!.split(",").indexOf("sent_ts")]!;
  for (const range of [[], ["--from", half, "--strategy", "obi-mm"]]) {
    const [log, store] = [`${ofLog}-log`, `${ofLog}-store`];
    const ran = [
      await run(REPORT, [dir, "--out", log, ...range]),
      await run(REPORT, [dir, "--store", "embedded", "--out", store, ...range]),
    ];
    expect(ran.map(({ code, err }) => [code, err])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    const files = readdirSync(log);
    expect(readdirSync(store)).toEqual(files);
    const differ = files.filter(
      (name) => !readFileSync(join(log, name)).equals(readFileSync(join(store, name))),
    );
    expect(differ).toEqual([]);
  }
}

test("wrong use is told in words", async () => {
  const missing = await run(REPORT, ["/nonexistent", "--out", "/tmp/x"]);
  expect([missing.code, missing.err.trim()]).toEqual([2, "/nonexistent: no such directory"]);
  const store = await run(REPORT, ["--store", "sqlite", "--out", "/tmp/x"]);
  expect([store.code, store.err]).toEqual([2, expect.stringContaining("--store sqlite: expected embedded")]);
  expect((await run(REPORT, [])).code).toBe(2);
  const nothing = await run(REPORT, [makeDataDir(), "--store", "embedded", "--out", "/tmp/x"]);
  expect([nothing.code, nothing.err]).toEqual([
    2,
    expect.stringContaining("no embedded engine has recorded here"),
  ]);
  const badTime = await run(REPORT, [makeDataDir(), "--out", "/tmp/x", "--from", "soon"]);
  expect([badTime.code, badTime.err]).toEqual([2, expect.stringContaining("--from soon: expected a time")]);
  const empty = await run(REPORT, [makeDataDir(), "--out", "/tmp/x"]);
  expect([empty.code, empty.err]).toEqual([2, expect.stringContaining("no session is recorded here")]);
}, 60_000);
