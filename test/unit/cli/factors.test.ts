import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVENT_FIELDS, EVENT_ROW_BYTES } from "../../../src/data/npy.ts";
import { loadRows } from "../../../src/data/npz-file.ts";
import { writeRows } from "../../../src/data/npz-write.ts";
import { compileToml } from "../../../src/factor/graph-toml.ts";
import { BASE_NS, randomMarket, toRows } from "../factor/event-rows.ts";

const CLI = join(import.meta.dir, "../../../src/cli/factors.ts");
const GRAPH = `[graph]
name = "g"
[[nodes]]
id = "m"
type = "MidPrice"
[[nodes]]
id = "s"
type = "Spread"
[outputs]
mid = "m"
spread = "s"
`;
let dir = "";

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-factors-"));
  writeFileSync(join(dir, "g.toml"), GRAPH);
  writeRows(join(dir, "d.npz"), EVENT_FIELDS, toRows(randomMarket(1, 50)), EVENT_ROW_BYTES);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(...args: string[]) {
  const result = Bun.spawnSync([process.execPath, CLI, ...args], { cwd: dir });
  return { code: result.exitCode, out: result.stdout.toString(), err: result.stderr.toString() };
}

/** Mid price of a random market at a time, from a plain map of levels. */
function mostRecentMids(seed: number): (tsNs: number) => number {
  return (tsNs) => {
    const books = new Map([
      [1, new Map<number, number>()],
      [-1, new Map<number, number>()],
    ]);
    for (const e of randomMarket(seed, 50)) {
      if (e.tsNs > tsNs) break;
      for (const [side, ticks, lots] of e.levels) {
        if (lots === 0) books.get(side)!.delete(ticks);
        else books.get(side)!.set(ticks, lots);
      }
    }
    return (Math.max(...books.get(1)!.keys()) + Math.min(...books.get(-1)!.keys())) / 20;
  };
}

describe("bun run factors", () => {
  test("writes one csv row per trigger with exact nanoseconds", () => {
    const result = run("g.toml", "--data", "d.npz", "--tick", "0.1", "--lot", "0.001", "--out", "o.csv");
    expect([result.code, result.out]).toEqual([0, ""]);
    const lines = readFileSync(join(dir, "o.csv"), "utf8").trimEnd().split("\n");
    const events = randomMarket(1, 50).filter((e) => e.levels.length > 0);
    expect(lines[0]).toBe("timestamp,mid,spread");
    expect(lines.slice(1).map((l) => l.split(",")[0])).toEqual(
      events.map((e) => String(BASE_NS + BigInt(e.tsNs))),
    );
    expect(Number(lines[1]!.split(",")[1])).toBeGreaterThan(59_000);
  });

  test("writes the same values as npz", () => {
    expect(run("g.toml", "d.npz", "--tick", "0.1", "--lot", "0.001", "--out", "o.npz", "--quiet").code).toBe(
      0,
    );
    const fields = [
      { name: "timestamp", type: "<i8" },
      { name: "mid", type: "<f8" },
      { name: "spread", type: "<f8" },
    ];
    const { bytes } = loadRows(join(dir, "o.npz"), fields);
    const csv = readFileSync(join(dir, "o.csv"), "utf8").trimEnd().split("\n").slice(1);
    const f64 = new Float64Array(bytes.slice().buffer);
    expect(csv.map((l) => Number(l.split(",")[1]))).toEqual(csv.map((_, i) => f64[i * 3 + 1]!));
  });

  test("draws a self-contained page", () => {
    const args = [
      "g.toml",
      "d.npz",
      "--tick",
      "0.1",
      "--lot",
      "0.001",
      "--out",
      "p.csv",
      "--plot",
      "p.html",
      "--quiet",
    ];
    expect(run(...args).code).toBe(0);
    const html = readFileSync(join(dir, "p.html"), "utf8");
    expect(html).toContain('"name":"spread"');
    expect(html).not.toMatch(/ (src|href)="(?!data:)/);
    expect(readFileSync(join(dir, "p.csv"), "utf8")).toBe(readFileSync(join(dir, "o.csv"), "utf8"));
  });

  test("wrong usage, a bad graph and missing data end with 2 and say what is wrong", () => {
    expect(run().code).toBe(2);
    expect(run("g.toml", "--data", "d.npz", "--tick", "0", "--lot", "1", "--out", "o.csv").err).toContain(
      "--tick 0 is not",
    );
    writeFileSync(join(dir, "bad.toml"), GRAPH.replace("MidPrice", "Mid"));
    const bad = run("bad.toml", "--data", "d.npz", "--tick", "0.1", "--lot", "0.001", "--out", "o.csv");
    expect([bad.code, bad.err.trim().split("\n")[0]!.slice(0, 42)]).toEqual([
      2,
      'bad.toml:3: node "m": unknown type "Mid"; ',
    ]);
    const absent = run("g.toml", "--data", "no.npz", "--tick", "0.1", "--lot", "0.001", "--out", "o.csv");
    expect(absent.code).toBe(2);
    expect(absent.err).toContain("no.npz");
    const format = run("g.toml", "--data", "d.npz", "--tick", "0.1", "--lot", "0.001", "--out", "o.xlsx");
    expect([format.code, format.err.includes("must end in .csv")]).toEqual([2, true]);
  });

  test("reads further instruments by their symbols, merged by receive time", () => {
    writeRows(join(dir, "spot.npz"), EVENT_FIELDS, toRows(randomMarket(2, 50)), EVENT_ROW_BYTES);
    const expr = "mid() - mid(instrument = SPOT)";
    writeFileSync(
      join(dir, "b.toml"),
      `[graph]\nname = "b"\n[[nodes]]\nid = "n"\nexpr = "${expr}"\n[outputs]\nbasis = "n"\n`,
    );
    const own = ["b.toml", "--data", "d.npz", "--tick", "0.1", "--lot", "0.001", "--quiet"];
    const alone = run(...own, "--out", "b.csv");
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining("reads instrument SPOT")]);
    const spot = ["--data", "SPOT=spot.npz", "--tick", "SPOT=0.1", "--lot", "SPOT=0.001"];
    expect(run(...own, ...spot, "--out", "b.csv").code).toBe(0);
    const lines = readFileSync(join(dir, "b.csv"), "utf8").trimEnd().split("\n").slice(1);
    // One row per own event, NaN until the other book is there; the last one from the two books as they then are.
    const mids = [1, 2].map((seed) => mostRecentMids(seed));
    const events = randomMarket(1, 50).filter((e) => e.levels.length > 0);
    const start = randomMarket(2, 50)[0]!.tsNs;
    expect(lines.length).toBe(events.length);
    expect(lines.filter((line) => line.endsWith(",NaN")).length).toBeGreaterThanOrEqual(
      events.filter((e) => e.tsNs < start).length,
    );
    const [ts, basis] = lines.at(-1)!.split(",");
    const at = Number(BigInt(ts!) - BASE_NS);
    expect(Number(basis)).toBeCloseTo(mids[0]!(at) - mids[1]!(at), 6);
    const stray = run(...own, "--tick", "PERP=1", "--out", "b.csv");
    expect([stray.code, stray.err.trimEnd().split("\n").at(-1)]).toEqual([
      2,
      "PERP=1: there is no --data for PERP",
    ]);
  });

  test("a time window that is full says which node it cut; an interval trigger gives it room for all", () => {
    const graph = (trigger: string, capacity: string): string =>
      `[graph]\nname = "w"\ntrigger = "${trigger}"\n[[nodes]]\nid = "m"\ntype = "MidPrice"\n[[nodes]]\nid = "mean"\n` +
      `type = "RollingMean"\ninputs = ["m"]\n[nodes.config]\nwindow = "1s"\n${capacity}[outputs]\nmean = "mean"\n`;
    const data = ["--data", "d.npz", "--tick", "0.1", "--lot", "0.001", "--quiet", "--out", "w.csv"];
    writeFileSync(join(dir, "w.toml"), graph("book", "capacity = 2\n"));
    expect(run("w.toml", ...data).err).toMatch(
      /^warning: node "mean": its time window was full, \d+ samples cut: raise its capacity\n$/,
    );
    writeFileSync(join(dir, "w.toml"), graph("50us", ""));
    expect(run("w.toml", ...data)).toMatchObject({ code: 0, err: "" });
    const held = compileToml(graph("50us", ""), "w.toml").nodes.find((n) => n.label === "mean")!;
    expect(held.plan.words).toBeGreaterThan(2 * 20_000);
  });

  test("lists the node types", () => {
    const { code, out } = run("list");
    expect(code).toBe(0);
    expect(out).toContain("OBI  (factor, obi())");
  });
});
