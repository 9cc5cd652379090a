// bun run report [DIR] [--env E] [--from T] [--to T] [--strategy S] --out D: what a recorded session's
// orders, fills and results were, from its WAL or from its store. Exit codes: 0 done, 1 the WAL cannot be read, 2 usage or nothing there.
import { mkdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fillGroups } from "../analytics/fill-blocks.ts";
import { activityFigures, equityFigures } from "../analytics/metric-figures.ts";
import { runMetrics } from "../analytics/metrics.ts";
import { reportPage } from "../analytics/page/report-page.ts";
import { writeRunFiles } from "../analytics/run-files.ts";
import type { SessionFacts } from "../analytics/session-facts.ts";
import { writeSessionFiles } from "../analytics/session-files.ts";
import { sessionPage } from "../analytics/session-page.ts";
import { loadConfig } from "../config/load.ts";
import { formatErrors } from "../config/problems.ts";
import { parseDuration } from "../factor/duration.ts";
import { readSession } from "../record/facts/read-session.ts";
import { addSignals } from "../record/facts/signals.ts";
import { storeSource } from "../record/facts/store-source.ts";
import { walSource } from "../record/facts/wal-source.ts";
import { openStoreReader } from "../record/store-reader.ts";
import { walDirectory } from "./wal-directory.ts";

const USAGE = `usage: bun run report [DIR] [options] --out D
  DIR             data directory, or its wal/ (default var/<env>)
  --env E         sim (default), paper, live
  --from T --to T UTC: 2026-11-28, 2026-11-28T14:30, or ns since the epoch
  --strategy S    only this strategy
  --capital X     what returns refer to
  --interval D    sampling of Sharpe and Sortino (1s)
  --store S       embedded, or the URL of a ClickHouse server, instead of the log
  --config F      your TOML file: [recorder] url, user, password_file, database
  --no-signals    do not run the factor graphs again for the PnL by signal`;

class UsageError extends Error {}

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      env: { type: "string", default: "sim" },
      from: { type: "string" },
      to: { type: "string" },
      strategy: { type: "string" },
      capital: { type: "string" },
      interval: { type: "string", default: "1s" },
      out: { type: "string" },
      store: { type: "string" },
      config: { type: "string" },
      "no-signals": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  if (positionals.length > 1) throw new UsageError(USAGE);
  if (values.out === undefined) throw new UsageError(`${USAGE}\n--out is missing`);
  const capital = values.capital === undefined ? null : Number(values.capital);
  if (capital !== null && !(capital > 0)) throw new UsageError(`--capital ${values.capital} is not above 0`);
  const intervalNs = parseDuration(values.interval);
  if (!(intervalNs > 0))
    throw new UsageError(`--interval ${values.interval}: expected a duration such as 1s, 5m`);
  const dir = positionals[0] ?? join("var", values.env);
  const store = storeOf(values.store, values.config);
  // A server of one's own may know nothing of the default data directory.
  const wal = store?.kind === "server" && positionals.length === 0 ? null : walDirectory(dir);
  if (wal === null && store?.kind !== "server") throw new UsageError(`${dir}: no such directory`);
  return {
    // The data directory, or its wal/, was given.
    dataDir: basename(resolve(dir)) === "wal" ? dirname(resolve(dir)) : dir,
    wal,
    store,
    range: {
      from: instant("from", values.from),
      to: instant("to", values.to),
      strategy: values.strategy ?? null,
    },
    equity: { capital, intervalNs, daysPerYear: 365 },
    out: values.out,
    signals: !values["no-signals"],
    json: values.json,
  };
}

/** null: from the log. */
function storeOf(store: string | undefined, file: string | undefined) {
  if (store === undefined) return null;
  const loaded = loadConfig(file === undefined ? {} : { file });
  if (!loaded.ok) throw new UsageError(formatErrors(loaded.errors));
  const { recorder } = loaded.config;
  if (store === "embedded") return { kind: "embedded", config: recorder } as const;
  if (!/^https?:/.test(store) || !URL.canParse(store))
    throw new UsageError(`--store ${store}: expected embedded or an address such as https://host:8443`);
  return { kind: "server", config: { ...recorder, url: store } } as const;
}

/** ns since the epoch; text without a zone is UTC. */
function instant(name: string, text: string | undefined): bigint | null {
  if (text === undefined) return null;
  if (/^\d{16,20}$/.test(text)) return BigInt(text);
  const zoned = /[zZ]$|[+-]\d\d:?\d\d$/.test(text) || !text.includes("T") ? text : `${text}Z`;
  const ms = Date.parse(zoned);
  if (Number.isNaN(ms))
    throw new UsageError(`--${name} ${text}: expected a time such as 2026-11-28T14:30 (UTC)`);
  return BigInt(ms) * 1_000_000n;
}

type Options = NonNullable<ReturnType<typeof parse>>;

async function readFacts({ dataDir, wal, store, range, signals }: Options): Promise<SessionFacts> {
  const reader = store === null ? null : await openStoreReader(store.config, store.kind, dataDir);
  try {
    const source = reader === null ? walSource(wal!) : await storeSource(reader);
    const read = await readSession(source, range);
    if (!signals) return read;
    if (wal !== null) return await addSignals(wal, source.names.sessions, read);
    return { ...read, notes: [...read.notes, "no PnL by signal: the factor graphs run over the log alone"] };
  } finally {
    await reader?.close();
  }
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parse(argv);
    if (options === null) {
      console.log(USAGE);
      return 0;
    }
    const facts = await readFacts(options);
    const metrics = runMetrics(facts.result, options.equity);
    mkdirSync(options.out, { recursive: true });
    writeRunFiles(facts.result, options.out);
    writeSessionFiles(facts, options.out);
    const groups = fillGroups(facts);
    const summary = {
      notes: facts.notes,
      metrics,
      fills: Object.fromEntries(groups.map((g) => [g.name, g.analysis])),
    };
    await Bun.write(join(options.out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
    const page = sessionPage(titleOf(facts), facts, metrics, options.equity);
    await Bun.write(join(options.out, "report.html"), await reportPage(page));
    if (options.json) console.log(JSON.stringify(summary));
    else {
      for (const note of facts.notes) console.error(`note: ${note}`);
      for (const total of metrics.totals) {
        console.log(total.currency);
        const figures = [
          ...equityFigures(total.equity, total.currency, options.equity),
          ...activityFigures(total.activity, total.currency),
        ];
        for (const { name, value } of figures) console.log(`  ${name.padEnd(32)} ${value}`);
      }
      console.log(`page: ${join(options.out, "report.html")}`);
    }
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError || error instanceof RangeError || error instanceof TypeError;
    console.error(
      usage || (error as { code?: string }).code !== undefined ? (error as Error).message : error,
    );
    return usage ? 2 : 1;
  }
}

function titleOf({ result }: SessionFacts): string {
  const symbols = result.instruments.map((i) => i.symbol).join(", ");
  return `Session report: ${result.strategies.join(", ")} on ${symbols}`;
}

process.exit(await main(process.argv.slice(2)));
