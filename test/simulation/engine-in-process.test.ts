// The whole engine in this process (lanes fused and apart), against the simulated venue as a child: it trades,
// shows, obeys commands, and ends with an account that the venue's own state confirms.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import type { HotlaneConfig } from "../../src/config/schema.ts";
import type { Actor, EngineControl } from "../../src/control/engine-control.ts";
import { liveControl } from "../../src/control/live-control.ts";
import { LiveEngine } from "../../src/engine/live-engine.ts";
import { InlineLane } from "./inline-lane.ts";

setDefaultTimeout(60_000);

const ROOT = resolve(import.meta.dir, "../..");
const dirs: string[] = [];
const ACTOR: Actor = { who: "test", scope: "control", why: "a test" };

afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

function config(topology: "lanes" | "fused", dataDir: string): HotlaneConfig {
  const flags = { engine: { data_dir: dataDir }, lanes: { topology }, sim: { speed: 6 } };
  const loaded = loadConfig({ env: "sim", flags });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  return loaded.config;
}

interface Session {
  readonly engine: LiveEngine;
  readonly control: EngineControl;
  readonly lines: string[];
}

async function start(topology: "lanes" | "fused", dataDir: string): Promise<Session> {
  const lines: string[] = [];
  const engine = new LiveEngine(config(topology, dataDir), {
    log: (level, message) => lines.push(`${level}: ${message}`),
    onFailure: (reason) => lines.push(`failure: ${reason}`),
    venueEntry: join(ROOT, "src/cli/venue.ts"),
    workersDir: join(ROOT, "workers"),
    makeLane: (laneStart, entry, events) => new InlineLane(laneStart, entry, events),
  });
  await engine.start();
  return { engine, control: liveControl(engine, "0.0.0", () => {}), lines };
}

async function until(what: string, condition: () => boolean, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await Bun.sleep(20);
  }
}

const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "hotlane-inline-"));
  dirs.push(dir);
  return dir;
};

async function obeys(control: EngineControl): Promise<void> {
  const open = (strategy: string | null) => control.orders({ open: true, strategy, limit: 9 });
  const paused = await control.pause("tick-mm", { keepOrders: false }, ACTOR);
  expect(paused).toMatchObject({ ok: true, state: "Paused" });
  await until("its orders are gone", () => open("tick-mm").length === 0);
  expect((await control.setParameters("tick-mm", { order_qty: "0.1" }, ACTOR)).ok).toBe(true);
  expect((await control.setParameters("tick-mm", { order_qty: "-1" }, ACTOR)).code).toBe("invalid");
  expect((await control.setLimits("obi-mm", { max_working_orders: "4" }, ACTOR)).ok).toBe(true);
  expect((await control.pause("nobody", { keepOrders: false }, ACTOR)).code).toBe("notFound");
  expect(control.parameters("tick-mm")?.values["order_qty"]).toBe("0.1");
  expect((await control.resume("tick-mm", ACTOR)).ok).toBe(true);
  expect(control.why("tick-mm")?.decisions.length).toBeGreaterThan(0);
}

function shows(control: EngineControl): void {
  const status = control.status();
  expect(status.reconciled).toBe(true);
  expect(status.instruments.every((i) => i.feed === "synced" && i.bid !== null && i.ask !== null)).toBe(true);
  expect(control.latency().find((l) => l.name === "tickToOrder")?.count).toBeGreaterThan(0);
  expect(control.metrics().some((m) => m.name === "hotlane_info")).toBe(true);
  expect(control.pnl().length).toBe(1);
}

for (const topology of ["fused", "lanes"] as const) {
  test(`${topology}: trades, obeys, shows, ends clean, and the next session goes on from there`, async () => {
    const dir = newDir();
    const { engine, control, lines } = await start(topology, dir);
    await until("ready", () => control.health().ready);
    await until("fills", () => control.fills(100).length >= 5);
    await until("both strategies quote", () => {
      const all = control.orders({ open: false, strategy: null, limit: 1000 });
      return all.some((o) => o.strategy === "obi-mm") && all.some((o) => o.strategy === "tick-mm");
    });
    await obeys(control);
    shows(control);

    const { summary, proven } = await engine.stop();
    expect(proven).toBe(true);
    expect(summary).toMatchObject({ end: "clean", drops: 0 });
    expect(summary.fills.count).toBe(control.fills(1_000_000).length);
    expect(lines.filter((l) => l.startsWith("fatal") || l.startsWith("failure"))).toEqual([]);
    expect(summary.positions.length).toBeGreaterThan(0);

    const next = await start(topology, dir);
    await until("ready again", () => next.control.health().ready);
    expect(next.control.positions().length).toBeGreaterThanOrEqual(summary.positions.length);
    expect((await next.engine.stop()).proven).toBe(true);
  });
}

test("a kill stops trading at once, is latched, and keeps the next start from trading", async () => {
  const dir = newDir();
  const { engine, control } = await start("fused", dir);
  const open = () => control.orders({ open: true, strategy: null, limit: 9 });
  await until("orders", () => open().length > 0);
  expect(await control.kill(ACTOR)).toMatchObject({ ok: true, state: "killed" });
  await until("nothing works", () => open().length === 0);
  expect(control.health().ready).toBe(false);
  await Bun.sleep(300);
  expect(open()).toEqual([]);
  expect(await control.rearm(ACTOR)).toMatchObject({ ok: true, state: "armed" });
  await until("trades again", () => open().length > 0);
  await control.kill(ACTOR);
  expect((await engine.stop()).proven).toBe(true);
  expect(start("fused", dir)).rejects.toThrow(/kill word is set[\s\S]*ctl rearm/);
});

test("an emergency stop with closing leaves no order and no position", async () => {
  const { engine, control } = await start("fused", newDir());
  await until("a position", () => control.positions().some((p) => p.qty !== "0"));
  const stopped = await control.emergencyStop({ cancelOrders: true, closePosition: true }, ACTOR);
  expect(stopped).toMatchObject({ ok: true, state: "emergency" });
  const lots = (symbol: string) =>
    control
      .positions()
      .filter((p) => p.instrument === symbol)
      .reduce((sum, p) => sum + BigInt(Math.round(Number(p.qty) * 1e6)), 0n);
  await until("flat", () => ["BTCUSDT", "ETHUSDT"].every((symbol) => lots(symbol) === 0n));
  expect((await engine.stop()).proven).toBe(true);
});
