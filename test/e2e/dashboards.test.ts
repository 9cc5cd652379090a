// Every panel of ops/grafana runs its queries against what a live run filled: the embedded ClickHouse and a real
// Prometheus. An error, or a panel that shows nothing, fails. Skipped where one of them cannot be had. About 30 s.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DASHBOARDS } from "../../ops/grafana/dashboards.ts";
import { dashboard, VARIABLES } from "../../ops/grafana/grafana-json.ts";
import { LIBRARY } from "./embedded.ts";
import { ctl, endAll, LiveSession, makeDataDir, until } from "./live-session.ts";
import { expectFilledColumns } from "./store-checks.ts";

const DIR = join(import.meta.dir, "../../ops/grafana/dashboards");
const PROMETHEUS = Bun.which("prometheus");
const dir = mkdtempSync(join(tmpdir(), "hotlane-dashboards-"));
let prometheus: Bun.Subprocess | null = null;
afterAll(async () => {
  prometheus?.kill("SIGKILL");
  await prometheus?.exited;
  await endAll();
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
});

interface Target {
  readonly rawSql?: string;
  readonly expr?: string;
}
interface Panel {
  readonly title: string;
  readonly targets: readonly Target[];
}
const panelsOf = (file: string): Panel[] => JSON.parse(readFileSync(join(DIR, file), "utf8")).panels;

test("the dashboards' files are what their declarations give", () => {
  expect(readdirSync(DIR).sort()).toEqual(DASHBOARDS.map((d) => `${d.uid}.json`).sort());
  for (const spec of DASHBOARDS) {
    const text = readFileSync(join(DIR, `${spec.uid}.json`), "utf8");
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(dashboard(spec))));
  }
});

async function startPrometheus(session: LiveSession): Promise<string> {
  const { port, token } = session.runInfo()!;
  writeFileSync(join(dir, "token"), token);
  writeFileSync(
    join(dir, "prometheus.yml"),
    `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: hotlane
    authorization: { credentials_file: ${join(dir, "token")} }
    static_configs: [{ targets: ["127.0.0.1:${port}"] }]
`,
  );
  prometheus = Bun.spawn(
    [
      PROMETHEUS!,
      `--config.file=${join(dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(dir, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      "--log.level=info",
    ],
    // Into a file: a pipe that nobody reads would end it.
    { stdin: "ignore", stdout: "ignore", stderr: Bun.file(join(dir, "prometheus.log")) },
  );
  let address = "";
  await until("Prometheus", () => {
    const log = readFileSync(join(dir, "prometheus.log"), "utf8");
    address = /Listening on"? address=(127\.0\.0\.1:\d+)/.exec(log)?.[1] ?? "";
    return address !== "";
  });
  return `http://${address}`;
}

/** The store as a dashboard reads it: the read-only user over HTTP. The engine may start again, on another port. */
function reader(dataDir: string) {
  const engine = join(dataDir, "clickhouse");
  return async (sql: string): Promise<Record<string, unknown>[]> => {
    const port = readFileSync(join(engine, "port"), "utf8").trim();
    const { user, password } = JSON.parse(readFileSync(join(engine, "access.json"), "utf8")).reader;
    const response = await fetch(`http://127.0.0.1:${port}/?database=hotlane&default_format=JSON`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${user}:${password}`)}` },
      body: sql,
    });
    if (!response.ok) throw new Error(await response.text());
    return ((await response.json()) as { data: Record<string, unknown>[] }).data;
  };
}

/** Macros of Grafana's ClickHouse plugin, for the last quarter of an hour. */
async function expanded(sql: string, rows: ReturnType<typeof reader>): Promise<string> {
  let text = sql
    .replace(
      /\$__timeFilter\((\w+)\)/g,
      "($1 >= now() - INTERVAL 15 MINUTE AND $1 <= now() + INTERVAL 1 MINUTE)",
    )
    .replace(/\$__timeInterval\((\w+)\)/g, "toStartOfInterval(toDateTime($1), INTERVAL 5 second)");
  for (const [name, query] of Object.entries(VARIABLES)) {
    const placeholder = `\${${name}:singlequote}`;
    if (!text.includes(placeholder)) continue;
    const values = (await rows(query)).map((row) => `'${Object.values(row)[0]}'`);
    text = text.replaceAll(placeholder, values.join(","));
  }
  return text;
}

/** What is wrong with a target, or null: it shows something. */
async function problemOf(
  target: Target,
  rows: ReturnType<typeof reader>,
  url: string,
): Promise<string | null> {
  try {
    if (target.rawSql !== undefined) {
      const found = await rows(await expanded(target.rawSql, rows));
      return found.some((row) => Object.values(row).some((v) => v !== null)) ? null : "no rows";
    }
    const expr = target.expr!.replaceAll("$__rate_interval", "15s");
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data?: { result: { value: [number, string] }[] };
    };
    if (status !== "success") return `error: ${error}`;
    return data!.result.some(({ value }) => Number.isFinite(Number(value[1]))) ? null : "no value";
  } catch (error) {
    return (error as Error).message;
  }
}

test.skipIf(LIBRARY === null || PROMETHEUS === null)(
  "every panel of every dashboard shows something of a live run, and no column of the store stays empty",
  async () => {
    const dataDir = makeDataDir();
    // Three lanes: the hop from one to the next has a panel too.
    const toml = '[sim]\nspeed = 4\n[lanes]\ntopology = "lanes"\n';
    const session = await LiveSession.start({ dir: dataDir, toml, env: { HOTLANE_NO_CLICKHOUSE: "0" } });
    const url = await startPrometheus(session);
    const port = join(dataDir, "clickhouse", "port");
    await until(
      "the embedded engine",
      async () => (await Bun.file(port).exists()) && Bun.file(port).size > 0,
      60_000,
    );
    const rows = reader(dataDir);
    const count = async (table: string): Promise<number> =>
      Number((await rows(`SELECT count() AS n FROM ${table}`).catch(() => [{ n: 0 }]))[0]!["n"]);
    await until("recorded fills", async () => (await count("fills")) > 5, 60_000);
    // What the risk board shows does not happen by itself: refusals of the gate, and commands.
    expect((await ctl(dataDir, "limits", "tick-mm", "max_order_notional=1", "--why", "drill")).code).toBe(0);
    await ctl(dataDir, "pause", "obi-mm", "--why", "drill");
    await ctl(dataDir, "resume", "obi-mm", "--why", "drill over");
    await until(
      "recorded refusals",
      async () => (await count("risk_log")) > 0 && (await count("commands")) > 0,
      60_000,
    );
    const wanted = readdirSync(DIR).flatMap((file) =>
      panelsOf(file).flatMap((panel) =>
        panel.targets.map((target) => ({ name: `${file}: ${panel.title}`, target })),
      ),
    );
    expect(wanted.length).toBeGreaterThan(60);
    let open = wanted;
    const problems = new Map<string, string>();
    const deadline = performance.now() + 60_000;
    while (open.length > 0 && performance.now() < deadline) {
      const left: typeof open = [];
      problems.clear();
      for (const one of open) {
        const problem = await problemOf(one.target, rows, url);
        if (problem === null) continue;
        left.push(one);
        problems.set(`${one.name}: ${one.target.rawSql ?? one.target.expr}`, problem);
      }
      open = left;
      if (open.length > 0) await Bun.sleep(1000);
    }
    expect([...problems]).toEqual([]);
    await expectFilledColumns(rows);
    const { code } = await session.stop();
    expect(code).toBe(0);
  },
  240_000,
);
