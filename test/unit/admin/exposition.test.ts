import { expect, test } from "bun:test";
import { exposition } from "../../../src/admin/exposition.ts";
import { LoopLag } from "../../../src/admin/loop-lag.ts";
import { counter, gauge, histogramSample } from "../../../src/control/metric-families.ts";
import { Histogram } from "../../../src/core/histogram.ts";
import { parseExposition } from "./exposition-parser.ts";
import { HOSTILE_TEXT, MemoryEngine } from "./memory-engine.ts";

test("the engine's metrics pass a strict reader, names and units included", () => {
  const families = parseExposition(exposition(new MemoryEngine().metrics()));
  for (const name of families.keys()) expect(name).toMatch(/^hotlane_[a-z0-9_]+$/);
  const value = (family: string, labels: Record<string, string> = {}) =>
    families.get(family)?.samples.find((s) => Object.entries(labels).every(([k, v]) => s.labels[k] === v))
      ?.value;
  expect(value("hotlane_kill_state")).toBe(0);
  expect(value("hotlane_feed_messages_total")).toBe(5000);
  expect(value("hotlane_orders_total", { event: "sent" })).toBe(9);
  expect(value("hotlane_orders_total", { event: "denied" })).toBe(2);
  expect(value("hotlane_fills_total", { liquidity: "maker" })).toBe(3);
  expect(value("hotlane_fills_total", { liquidity: "taker" })).toBe(1);
  expect(value("hotlane_lane_events_total", { lane: "feed", event: "odd" })).toBe(3);
  expect(value("hotlane_lane_heartbeat_age_seconds", { lane: "feed" })).toBe(0.0005);
  expect(value("hotlane_feed_state", { instrument: "BTCUSDT", state: "synced" })).toBe(1);
  expect(value("hotlane_feed_state", { instrument: "ETHUSDT", state: "synced" })).toBe(0);
  expect(value("hotlane_position", { instrument: "BTCUSDT" })).toBe(-0.004);
  expect(value("hotlane_pnl", { part: "unrealized" })).toBe(-0.0178);
  expect(value("hotlane_ring_depth_records", { ring: "market" })).toBe(3);
  expect(value("hotlane_drops_total")).toBe(0);
  expect(families.get("hotlane_lane_events_total")?.samples).toHaveLength(1);
});

test("a shared histogram becomes cumulative buckets in seconds", () => {
  const recorded = new Histogram();
  for (const ns of [150, 4_000, 4_100, 90_000, 2e10]) recorded.record(ns);
  const family = { name: "x_seconds", help: "x", type: "histogram" } as const;
  const text = exposition([{ ...family, samples: [histogramSample(recorded.snapshot(), { lane: "a" })] }]);
  const samples = parseExposition(text).get("x_seconds")!.samples;
  const upTo = (le: string) => samples.find((s) => s.labels["le"] === le)!.value;
  expect([upTo("1e-7"), upTo("2e-7"), upTo("0.000005"), upTo("0.0001"), upTo("10"), upTo("+Inf")]).toEqual([
    0, 1, 3, 4, 4, 5,
  ]);
  const sum = samples.find((s) => s.name === "x_seconds_sum")!.value;
  expect(Math.abs(sum - 20.000_098_25)).toBeLessThan(20 / 64);
});

test("labels and help are escaped, special numbers spelled, families without samples left out", () => {
  const text = exposition([
    gauge("a", "two\nlines \\ here", [[{ name: HOSTILE_TEXT }, Number.NaN]]),
    gauge("b", "inf", [
      [{ at: "up" }, Number.POSITIVE_INFINITY],
      [{ at: "down" }, Number.NEGATIVE_INFINITY],
    ]),
    counter("c_total", "nothing yet", []),
  ]);
  const families = parseExposition(text);
  expect(families.get("a")!.samples[0]!.labels["name"]).toBe(HOSTILE_TEXT);
  expect(families.get("a")!.help).toBe("two\\nlines \\\\ here");
  expect(families.get("b")!.samples.map((s) => s.value)).toEqual([Infinity, -Infinity]);
  expect(families.has("c_total")).toBe(false);
});

test("late timers of the main thread are counted as lag", () => {
  const lag = new LoopLag();
  lag.start();
  lag.stop();
  const now = performance.now();
  lag.sample(now + 5_000);
  lag.sample(now + 5_200);
  const samples = parseExposition(exposition(lag.families())).get("hotlane_main_loop_lag_seconds")!.samples;
  const upTo = (le: string) => samples.find((s) => s.labels["le"] === le)!.value;
  expect([upTo("0.001"), upTo("2"), upTo("5")]).toEqual([1, 1, 2]);
});

test("the reader of this test refuses what the format forbids", () => {
  const head = "# HELP a_total x\n# TYPE a_total counter\n";
  for (const bad of [
    "a_total{x=y} 1",
    'a_total{x="1",x="2"} 1',
    "a_total 1 2 3",
    "a_total one",
    "b 1",
    "a_total -1",
  ])
    expect(() => parseExposition(`${head}${bad}\n`)).toThrow();
  expect(() => parseExposition(`${head}a_total 1\na_total 2\n`)).toThrow("twice");
});

const promtool = Bun.which("promtool");
test.skipIf(promtool === null)("promtool finds nothing to object to", async () => {
  const lag = new LoopLag();
  const child = Bun.spawn([promtool!, "check", "metrics"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  child.stdin.write(exposition([...new MemoryEngine().metrics(), ...lag.families()]));
  await child.stdin.end();
  const said = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  expect(said).toBe("");
  expect(await child.exited).toBe(0);
});
