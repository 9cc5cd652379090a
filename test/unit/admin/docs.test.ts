// docs/api.md and docs/cli.md against the code they describe.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LoopLag } from "../../../src/admin/loop-lag.ts";
import { openApiDocument } from "../../../src/admin/openapi.ts";
import { runCtl } from "../../../src/cli/ctl.ts";
import { engineMetrics } from "../../../src/control/engine-metrics.ts";
import { Histogram } from "../../../src/core/histogram.ts";
import { HISTOGRAMS } from "../../../src/engine/telemetry-names.ts";
import { MemoryEngine } from "./memory-engine.ts";

const read = (name: string): string => readFileSync(join(import.meta.dir, "../../../docs", name), "utf8");

test("docs/api.md names every path of the API", () => {
  const text = read("api.md");
  const paths = Object.keys(openApiDocument("0")["paths"] as object);
  expect(paths.filter((path) => !text.includes(`${path}\``))).toEqual([]);
});

test("docs/api.md names every metric, those of the engine's own histograms included", () => {
  const text = read("api.md");
  const engine = new MemoryEngine();
  const lanes = Object.entries(HISTOGRAMS).map(([lane, names]) => ({
    lane,
    counters: {},
    histograms: Object.fromEntries(names.map((name) => [name, new Histogram().snapshot()])),
  }));
  const source = { status: engine.status(), positions: [], pnl: [], lanes };
  const families = [...engineMetrics(source), ...engine.metrics(), ...new LoopLag().families()];
  expect(families.map((f) => f.name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test("docs/cli.md names every command of ctl's usage", async () => {
  const text = read("cli.md");
  let usage = "";
  expect(
    await runCtl(["--help"], (said) => {
      usage += said;
    }),
  ).toBe(0);
  const commands = [...usage.matchAll(/(?:^ {2}|\| )([a-z][a-z-]+)/gm)].map((m) => m[1]!);
  expect(commands.length).toBeGreaterThan(15);
  expect(commands.filter((c) => !new RegExp(`\`${c}[ \`]`).test(text))).toEqual([]);
});
