// bun bench/codecs.ts DATA_DIR [--json]
//
// Bytes per row and insert time of each table under several codecs, and of the two block formats, from the WAL of a
// real session (depth included): what the codecs in src/record/tables.ts and docs/recording.md were chosen by.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ClickHouseStore } from "../src/record/clickhouse-store.ts";
import { EmbeddedEngine } from "../src/record/embedded/embedded-engine.ts";
import { findLibrary } from "../src/record/embedded/install.ts";
import { Recorder } from "../src/record/recorder.ts";
import { TABLE_NAMES, TABLES } from "../src/record/tables.ts";
import { STATUS_REASON_NAMES } from "../src/strategy/controller.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
const [dataDir] = positionals;
if (dataDir === undefined) throw new Error("usage: bun bench/codecs.ts DATA_DIR [--json]");
const library = findLibrary();
if (library === null)
  throw new Error("the embedded ClickHouse is not installed: (cd ops/chdb && bun install)");

/** Codec of a column by its type; "" = the server's default (LZ4). */
const VARIANTS: Readonly<Record<string, (type: string, chosen: string) => string>> = {
  lz4: () => "",
  "zstd(1)": () => "ZSTD(1)",
  "zstd(3)": () => "ZSTD(3)",
  "doubledelta times, zstd(1)": (type) =>
    type.startsWith("DateTime64") ? "DoubleDelta, ZSTD(1)" : "ZSTD(1)",
  "delta numbers, zstd(1)": (type) =>
    /^(DateTime64|Decimal\(18|U?Int64)/.test(type) ? "Delta(8), ZSTD(1)" : "ZSTD(1)",
  chosen: (_, chosen) => chosen,
};

const dir = mkdtempSync(join(tmpdir(), "hotlane-codecs-"));
const log = (_: string, text: string) => console.error(text);
const engine = new EmbeddedEngine({
  ...{
    library,
    dir: join(dir, "clickhouse"),
    database: "hotlane",
    limits: { memoryBytes: 2 ** 31, threads: 2 },
    log,
  },
});
try {
  await engine.up(30_000);
  const access = () => (engine.url === null ? null : { url: engine.url, ...engine.access.writer });
  const options = { database: "hotlane", cluster: "", replicated: false, ttlDays: 0, marketTtlDays: 0 };
  const store = new ClickHouseStore("embedded", access, options);
  const recorder = new Recorder({
    ...{ walDir: join(dataDir, "wal"), auditFile: "", checkpointFile: join(dir, "checkpoint.json"), store },
    ...{ syncWal: false, keepHours: 0, diskLow: () => false, statusReasons: STATUS_REASON_NAMES, log },
    market: new Set(["depth", "trades", "bbo", "mark"] as const),
  });
  recorder.finish();
  await recorder.run();
  const results = [];
  for (const name of TABLE_NAMES) {
    const [{ n } = { n: "0" }] = await store.rows<{ n: string }>(`SELECT count() AS n FROM hotlane.${name}`);
    if (Number(n) === 0) continue;
    for (const [variant, codecOf] of Object.entries(VARIANTS)) {
      const columns = TABLES[name].columns
        .map((c) => [c.name, c.type, codecOf(c.type, c.codec)] as const)
        .map(([column, type, codec]) => `${column} ${type}${codec === "" ? "" : ` CODEC(${codec})`}`);
      await store.command("DROP TABLE IF EXISTS hotlane.variant SYNC");
      await store.command(
        `CREATE TABLE hotlane.variant (${columns.join(", ")}) ENGINE = MergeTree ORDER BY (${TABLES[name].orderBy.join(", ")})`,
      );
      const started = performance.now();
      await store.command(`INSERT INTO hotlane.variant SELECT * FROM hotlane.${name}`);
      const ms = performance.now() - started;
      await store.command("OPTIMIZE TABLE hotlane.variant FINAL");
      const [size] = await store.rows<{ bytes: string; raw: string }>(
        `SELECT sum(data_compressed_bytes) AS bytes, sum(data_uncompressed_bytes) AS raw FROM system.parts
         WHERE database = 'hotlane' AND table = 'variant' AND active`,
      );
      results.push({
        table: name,
        rows: Number(n),
        variant,
        bytesPerRow: Number((Number(size!.bytes) / Number(n)).toFixed(2)),
        rawBytesPerRow: Number((Number(size!.raw) / Number(n)).toFixed(1)),
        insertMs: Math.round(ms),
      });
    }
  }
  if (values.json) console.log(JSON.stringify(results));
  else console.table(results);
  await store.close();
} finally {
  await engine.stop();
  rmSync(dir, { recursive: true, force: true });
}
