// Alert rules in SQL against the real engine, as its read-only user: the rules that hotlane brings and those of the docs
// run, fire with their labels and end; what is not there yet, wrong or forbidden tells nobody anything false.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { readAlertConfig } from "../../src/control/alerts/alert-rules.ts";
import { AlertService } from "../../src/control/alerts/alert-service.ts";
import { readerQuery } from "../../src/record/reader-query.ts";
import { httpReceiver } from "../unit/control/alerts/receivers.ts";
import { LIBRARY, type OpenEngine, openEngine } from "./embedded.ts";
import { until } from "./live-session.ts";

const ROOT = join(import.meta.dir, "../..");
let dir = "";
let engine: OpenEngine;
const http = httpReceiver();
const logged: string[] = [];
let nowMs = Date.now();

beforeAll(async () => {
  if (LIBRARY === null) return;
  dir = mkdtempSync(join(tmpdir(), "hotlane-alerts-"));
  engine = await openEngine(join(dir, "clickhouse"));
});
afterAll(async () => {
  await http.stop();
  if (LIBRARY === null) return;
  await engine.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The SQL rule of docs/alerts.md. */
function documented(): string {
  const toml = /```toml\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, "docs/alerts.md"), "utf8"))![1]!;
  const found = toml.split("[[rules]]").find((one) => one.includes("sql = "))!;
  return `[[rules]]${found.split("[[routes]]")[0]}`;
}

function service(): AlertService {
  const file = join(dir, "alerts.toml");
  const shipped = readFileSync(join(ROOT, "config/alerts.toml"), "utf8");
  const more = ["wrong:SELECT nothing FROM nowhere", "writes:DROP TABLE risk_log"].map((one) => {
    const [name, sql] = one.split(":");
    return `[[rules]]\nname = "${name}"\nseverity = "critical"\nsql = "${sql}"\nabove = 0\n`;
  });
  const route = `[[routes]]\nname = "hook"\nkind = "webhook"\nseverity = "info"\nurl = "${http.url}/in"\n`;
  writeFileSync(file, [shipped, documented(), ...more, route].join("\n"));
  const loaded = loadConfig({});
  if (!loaded.ok) throw new Error("the shipped configuration is not valid");
  return new AlertService({
    config: readAlertConfig(file),
    dataDir: dir,
    source: "test",
    metrics: () => [],
    query: readerQuery(loaded.config.recorder, "embedded", dir),
    log: (level, text) => void logged.push(`${level} ${text}`),
    nowMs: () => nowMs,
  });
}

/** Rounds of every SQL rule until something has come of them. */
const rounds = (alerts: AlertService, what: string, done: () => boolean): Promise<void> =>
  until(what, async () => {
    nowMs += 120_000;
    alerts.look();
    await Bun.sleep(300);
    return done();
  });

test.skipIf(LIBRARY === null)(
  "SQL rules fire and end by what is recorded; an empty engine, wrong SQL and a forbidden statement fire nothing",
  async () => {
    const alerts = service();
    let looks = 0;
    await rounds(alerts, "three rounds", () => ++looks === 3);
    // Before the recorder has made its tables there is nothing to say, not even a warning.
    expect([logged, http.received]).toEqual([[], []]);
    await engine.store.open();
    await rounds(alerts, "complaints", () => new Set(logged).size >= 2);
    expect([...new Set(logged)].sort()).toEqual([
      expect.stringContaining("warn alert rule writes: "),
      expect.stringContaining("warn alert rule wrong: "),
    ]);
    expect(http.received).toEqual([]);
    await engine.store.command(
      `INSERT INTO hotlane.risk_log (timestamp, strategy_id, deny_reason) SELECT now64(9), if(number % 3 = 0, 'a', 'b'), 'rate' FROM numbers(3200)`,
    );
    await engine.store.command(
      `INSERT INTO hotlane.fills (exch_time, symbol, slippage_bps) VALUES (now64(9), 'XUSDT', 3), (now64(9), 'XUSDT', 5), (now64(9), 'YUSDT', 1)`,
    );
    await rounds(alerts, "alerts", () => http.received.length >= 3);
    const told = () =>
      http.received.map(({ body }) => [body["state"], body["rule"], body["labels"], body["value"]]);
    expect(told().sort()).toEqual([
      ["firing", "gate-refusals", { strategy: "a", reason: "rate" }, 1067],
      ["firing", "gate-refusals", { strategy: "b", reason: "rate" }, 2133],
      ["firing", "slow-fills", { symbol: "XUSDT" }, 4],
    ]);
    await engine.store.command("TRUNCATE TABLE hotlane.risk_log");
    await rounds(alerts, "the ends", () => http.received.length >= 5);
    const ended = told().filter(([state]) => state === "resolved");
    expect(ended.sort()).toEqual([
      ["resolved", "gate-refusals", { strategy: "a", reason: "rate" }, 1067],
      ["resolved", "gate-refusals", { strategy: "b", reason: "rate" }, 2133],
    ]);
    await alerts.stop(0);
  },
  60_000,
);
