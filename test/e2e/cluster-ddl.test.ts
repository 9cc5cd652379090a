// The DDL for a cluster, statement by statement through the real server's parser: there is no cluster on a build
// machine, and a statement that no server can read would be found by a user only.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refillAggregates, type StoreOptions, storageTable, table } from "../../src/record/ddl.ts";
import { migrate } from "../../src/record/migrations.ts";
import { TABLE_NAMES, TABLES } from "../../src/record/tables.ts";
import { LIBRARY, type OpenEngine, openEngine, STORE } from "./embedded.ts";

const CLUSTER: StoreOptions = { ...STORE, cluster: "desk", ttlDays: 30, marketTtlDays: 7 };
const LAYOUTS: readonly StoreOptions[] = [
  CLUSTER,
  { ...CLUSTER, replicated: true },
  { ...STORE, replicated: true, ttlDays: 30 },
];
const START_MS = 60_000;

const dir = mkdtempSync(join(tmpdir(), "hotlane-cluster-ddl-"));
let server: OpenEngine | null = null;
beforeAll(async () => {
  if (LIBRARY !== null) server = await openEngine(join(dir, "clickhouse"));
}, START_MS);
afterAll(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
}, START_MS);

/** What a start on an empty database runs, in order. */
async function statements(options: StoreOptions): Promise<string[]> {
  const ran: string[] = [];
  const command = async (sql: string): Promise<void> => {
    ran.push(sql);
  };
  await migrate({ command, rows: async () => [] }, options);
  return [...ran, ...refillAggregates(options)];
}

/** The server reads the statement and does not run it. */
const parsed = (sql: string): string => `EXPLAIN AST ${sql}`;

for (const options of LAYOUTS) {
  const layout = `cluster "${options.cluster}", ${options.replicated ? "replicated" : "plain"}`;

  test.skipIf(LIBRARY === null)(
    `${layout}: the server reads every statement`,
    async () => {
      for (const sql of await statements(options)) await server!.store.command(parsed(sql));
    },
    START_MS,
  );

  test(`${layout}: every table is on all servers, in the engine that was asked for`, async () => {
    const all = await statements(options);
    const made = (name: string): string =>
      all.find(
        (sql) =>
          sql.startsWith(`CREATE TABLE IF NOT EXISTS ${name} `) ||
          sql.startsWith(`CREATE TABLE IF NOT EXISTS ${name}\n`),
      ) ?? "";
    for (const name of TABLE_NAMES) {
      const local = made(storageTable(name, options));
      expect(local).toContain(options.replicated ? "ENGINE = ReplicatedMergeTree(" : "ENGINE = MergeTree");
      expect(local).toContain(
        options.replicated ? "replicated_deduplication_window" : "non_replicated_deduplication_window",
      );
      for (const column of TABLES[name].columns) expect(local).toContain(`\`${column.name}\` ${column.type}`);
      if (options.cluster !== "")
        expect(made(table(name, options))).toContain(
          `Distributed('${options.cluster}', 'hotlane', '${name}_local'`,
        );
    }
    const ddl = all.filter((sql) => /^(CREATE|ALTER|TRUNCATE)/.test(sql));
    expect(ddl.filter((sql) => sql.includes(" ON CLUSTER `desk`")).length).toBe(
      options.cluster === "" ? 0 : ddl.length,
    );
  });
}

test.skipIf(LIBRARY === null)("a statement that is not SQL is refused by the same question", async () => {
  const [first] = await statements(CLUSTER);
  await expect(server!.store.command(parsed(`${first} ENGIN = Atomic`))).rejects.toThrow("Syntax error");
});
