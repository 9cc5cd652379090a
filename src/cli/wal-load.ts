// `bun run wal load DATA_DIR`: what a store does not have of a data directory's log goes into it, by the recorder's own
// code and under its tokens, so that running it again changes nothing. Exit codes: 0 ok, 1 failed, 2 usage.
import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "../config/load.ts";
import { formatErrors } from "../config/problems.ts";
import { lockDataDir } from "../journal/lock-file.ts";
import { MARKET_KINDS } from "../record/market-rows.ts";
import { checkpointFile, openStore } from "../record/open-store.ts";
import { Recorder, type RecorderLog } from "../record/recorder.ts";
import type { RecorderConfig, TargetKind } from "../record/recorder-settings.ts";
import { STATUS_REASON_NAMES } from "../strategy/controller.ts";

const USAGE = `usage: bun run wal load DATA_DIR [options]
  --to embedded|jsonl|URL  store (default: the embedded engine of the data directory, or recorder.url)
  --config F               your TOML file: [recorder] user, password_file, database, …
  --market KINDS           depth, trades, bbo, mark, separated by commas (default: recorder.market_data)
  --all                    begin at the beginning and ask the store about every part
  --json                   the last line of stdout is one JSON object`;

const FIGURES_MS = 1000;
const EXIT_USAGE = 2;
/** As of verify and export. */
const EXIT_DAMAGED = 3;

interface Task {
  readonly dataDir: string;
  readonly config: RecorderConfig;
  readonly kind: TargetKind;
  readonly all: boolean;
  readonly json: boolean;
}

export async function runLoad(argv: readonly string[]): Promise<number> {
  const task = readTask(argv);
  if (typeof task === "string") {
    console.error(`${USAGE}\n${task}`);
    return EXIT_USAGE;
  }
  const locked = lockDataDir(task.dataDir);
  if (!locked.ok) {
    console.error(`${locked.error}: its own recorder does this`);
    return 1;
  }
  try {
    return await load(task);
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  } finally {
    locked.lock.release();
  }
}

async function load({ dataDir, config, kind, all, json }: Task): Promise<number> {
  const log: RecorderLog = (level, text) => {
    if (level !== "debug") console.error(text);
  };
  const opened = await openStore({ config, dataDir, syncWal: false, cpus: [] }, kind, log);
  const checkpoint = checkpointFile(dataDir, all ? `${opened.id}-all` : opened.id);
  if (all) rmSync(checkpoint, { force: true });
  const recorder = new Recorder({
    walDir: join(dataDir, "wal"),
    auditFile: join(dataDir, "audit.jsonl"),
    checkpointFile: checkpoint,
    store: opened.store,
    syncWal: false,
    keepHours: 0,
    diskLow: opened.diskLow,
    askAlways: all,
    market: new Set(config.marketData),
    statusReasons: STATUS_REASON_NAMES,
    log,
  });
  recorder.finish();
  const progress = setInterval(() => {
    if (!json) console.error(`${total(recorder)} rows`);
  }, FIGURES_MS);
  process.once("SIGINT", () => recorder.stop());
  const complete = await recorder.run();
  clearInterval(progress);
  await opened.close();
  const { target, rows, retries, damagedBytes } = recorder.figures();
  const damage = damagedBytes === 0 ? "" : ` but for ${damagedBytes} damaged bytes of the log`;
  console.log(
    json
      ? JSON.stringify({ target, rows, retries, complete, damagedBytes })
      : `${target}: ${total(recorder)} rows, ${complete ? `complete${damage}` : "stopped before the end"}`,
  );
  if (!complete) return 1;
  return damagedBytes === 0 ? 0 : EXIT_DAMAGED;
}

const total = (recorder: Recorder): number =>
  Object.values(recorder.figures().rows).reduce((sum, n) => sum + n, 0);

/** What to do, or what is wrong with the arguments. */
function readTask(argv: readonly string[]): Task | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  const [dir, ...rest] = positionals;
  if (dir === undefined || rest.length > 0) return "load needs one DATA_DIR";
  if (!existsSync(join(dir, "wal"))) return `${dir}: no data directory (it has no wal/ in it)`;
  const loaded = loadConfig(values.config === undefined ? {} : { file: values.config });
  if (!loaded.ok) return formatErrors(loaded.errors);
  const market = values.market?.split(",").filter((kind) => kind !== "") ?? loaded.config.recorder.marketData;
  const unknown = market.find((kind) => !(MARKET_KINDS as readonly string[]).includes(kind));
  if (unknown !== undefined) return `--market ${unknown}: expected ${MARKET_KINDS.join(", ")}`;
  const { to } = values;
  if (to !== undefined && to !== "embedded" && to !== "jsonl" && !URL.canParse(to))
    return `--to ${to}: expected embedded, jsonl or a URL`;
  const url = to === undefined ? loaded.config.recorder.url : to === "embedded" || to === "jsonl" ? "" : to;
  const kind: TargetKind = to === "jsonl" ? "jsonl" : url === "" ? "embedded" : "server";
  const config = { ...loaded.config.recorder, url, marketData: market } as RecorderConfig;
  return { dataDir: resolve(dir), config, kind, all: values.all, json: values.json };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      to: { type: "string" },
      config: { type: "string" },
      market: { type: "string" },
      all: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
}
