// bun bench/recorder.ts [--orders N] [--no-fills] [--json]
//
// How fast a WAL full of orders gets into the embedded ClickHouse: the whole way, from segment files to acknowledged
// and checkpointed rows, and the same blocks of orders given to the engine ready-made (the limit that the engine sets,
// measured in the same run). Two orders of three are filled, so that of seven rows five are orders' and two are of fills
// and positions; --no-fills: every order is cancelled, all rows are orders'. Memory of the recorder is printed too: it
// must not follow the WAL's size.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Chunks } from "../src/record/chunks.ts";
import { ClickHouseStore } from "../src/record/clickhouse-store.ts";
import { EmbeddedEngine } from "../src/record/embedded/embedded-engine.ts";
import { findLibrary } from "../src/record/embedded/install.ts";
import { Recorder } from "../src/record/recorder.ts";
import { RowWriter } from "../src/record/row-writer.ts";
import { WalTail } from "../src/record/wal-tail.ts";
import { writeOrderWal } from "./harness/order-wal.ts";

const ORDERS = 400_000;
const ORDERS_PER_SECOND = 20_000;
/** Of /proc: USER_HZ. */
const CLOCK_TICKS = 100;
const MARKET = { market: new Set<never>(), statusReasons: [] };

const { values } = parseArgs({
  options: {
    orders: { type: "string", default: String(ORDERS) },
    "no-fills": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const library = findLibrary();
if (library === null)
  throw new Error("the embedded ClickHouse is not installed: (cd ops/chdb && bun install)");
const dir = mkdtempSync(join(tmpdir(), "hotlane-recorder-bench-"));
const engine = new EmbeddedEngine({
  ...{
    library,
    dir: join(dir, "clickhouse"),
    database: "hotlane",
    limits: { memoryBytes: 1 << 30, threads: 2 },
  },
  log: (_, text) => console.error(text),
});
try {
  const wal = writeOrderWal(dir, Number(values.orders), ORDERS_PER_SECOND, { filled: !values["no-fills"] });
  await engine.up(30_000);
  const access = () => (engine.url === null ? null : { url: engine.url, ...engine.access.writer });
  const options = { database: "hotlane", cluster: "", replicated: false, ttlDays: 0, marketTtlDays: 0 };
  const store = new ClickHouseStore("embedded", access, options);
  await store.open();
  const recorder = new Recorder({
    ...{
      walDir: join(dir, "wal"),
      auditFile: join(dir, "audit.jsonl"),
      checkpointFile: join(dir, "cp.json"),
      store,
    },
    ...{ syncWal: false, keepHours: 0, diskLow: () => false, ...MARKET },
    log: (_, text) => console.error(text),
  });
  recorder.finish();
  const engineCpu = cpuSeconds(engine.pid);
  const ownCpu = process.cpuUsage();
  const started = performance.now();
  await recorder.run();
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(ownCpu);
  const memory = { recorder: Math.round(process.memoryUsage().rss / 1e6), engine: rssMb(engine.pid) };
  const cpu = { recorder: (used.user + used.system) / 1e6, engine: cpuSeconds(engine.pid) - engineCpu };
  const { rows, retries } = recorder.figures();
  const all = Object.values(rows).reduce((sum, n) => sum + n, 0);
  const made = await encodeOnly(dir);
  const bare = await readyMade(dir, store);
  const result = {
    records: wal.records,
    orderRows: rows["orders"],
    expectedOrderRows: wal.orderRows,
    allRows: all,
    seconds,
    orderRowsPerSecond: Math.round(rows["orders"]! / seconds),
    allRowsPerSecond: Math.round(all / seconds),
    encodeRowsPerSecond: made,
    readyMadeOrderRowsPerSecond: bare,
    recorderCpuUsPerRow: perRow(cpu.recorder, all),
    engineCpuUsPerRow: perRow(cpu.engine, all),
    retries,
    recorderRssMb: memory.recorder,
    engineRssMb: memory.engine,
  };
  console.log(
    values.json
      ? JSON.stringify(result)
      : Object.entries(result)
          .map(([k, v]) => `${k.padEnd(28)} ${v}`)
          .join("\n"),
  );
  await store.close();
} finally {
  await engine.stop();
  rmSync(dir, { recursive: true, force: true });
}

/** WAL → blocks, without a store: rows per second. */
async function encodeOnly(dataDir: string): Promise<number> {
  const writer = new RowWriter(MARKET);
  const chunks = new Chunks(new WalTail(join(dataDir, "wal"), null), writer);
  const started = performance.now();
  let rows = 0;
  for (let chunk = chunks.next(true); chunk !== null; chunk = chunks.next(true)) {
    rows += chunk.batch.rows;
    for (const block of chunk.batch.blocks) block.encode();
    writer.recycle(chunk.batch);
  }
  return Math.round(rows / ((performance.now() - started) / 1000));
}

/** Blocks of `orders` alone, encoded before the clock starts: rows per second that the engine takes. */
async function readyMade(dataDir: string, store: ClickHouseStore): Promise<number> {
  await store.command("CREATE TABLE hotlane.bare AS hotlane.orders");
  const chunks = new Chunks(new WalTail(join(dataDir, "wal"), null), new RowWriter(MARKET));
  const blocks = [];
  for (let chunk = chunks.next(true); chunk !== null && blocks.length < 12; chunk = chunks.next(true))
    blocks.push(...chunk.batch.blocks.filter((block) => block.table === "orders"));
  for (const block of blocks) block.encode();
  const started = performance.now();
  let rows = 0;
  for (const [i, block] of blocks.entries()) {
    await store.insert(
      { ...block, table: "bare", encode: () => block.encode() } as never,
      {
        ...{ session: "", first: 0, end: 0, token: `bare ${i}` },
      },
      false,
    );
    rows += block.rows;
  }
  return Math.round(rows / ((performance.now() - started) / 1000));
}

function perRow(seconds: number, rows: number): number {
  return Number(((seconds * 1e6) / rows).toFixed(2));
}

/** Processor time of another process; NaN where there is no /proc. */
function cpuSeconds(pid: number): number {
  if (!existsSync(`/proc/${pid}/stat`)) return Number.NaN;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

function rssMb(pid: number): number {
  const { stdout } = Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]);
  return Math.round(Number(stdout.toString()) / 1000);
}
