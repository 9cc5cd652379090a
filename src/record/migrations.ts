// Brings a database to the schema of this program: numbered steps, each of idempotent statements, noted in
// schema_migrations when all of its statements are done. A run that was cut short is simply run again. A database
// of a newer program is refused. Appended only: a step that was released never changes.
import {
  addColumn,
  alterTtl,
  createTable,
  minuteAggregates,
  onCluster,
  type StoreOptions,
  storageTable,
  table,
  views,
  wantsTtl,
} from "./ddl.ts";
import { TABLE_NAMES, TABLES } from "./tables.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: (o: StoreOptions) => readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "tables",
    statements: (o) => TABLE_NAMES.flatMap((name) => createTable(TABLES[name], o)),
  },
  { version: 2, name: "minute aggregates", statements: minuteAggregates },
  { version: 3, name: "views", statements: views },
  { version: 4, name: "risk state", statements: (o) => createTable(TABLES.risk_state, o) },
  {
    version: 5,
    name: "sessions, event time of orders",
    statements: (o) => [
      ...createTable(TABLES.sessions, o),
      ...addColumn("orders", "event_time", "wal_position", o),
      ...views(o),
    ],
  },
];

/** What a migration needs of a database. */
export interface Database {
  /** Runs one statement. */
  command(sql: string): Promise<void>;
  /** Rows as objects; 64-bit integers as text. */
  rows<T>(sql: string): Promise<T[]>;
}

export class SchemaError extends Error {}

/** Returns the versions that were applied now. Throws SchemaError for a database that is newer than the program. */
export async function migrate(db: Database, o: StoreOptions): Promise<number[]> {
  await db.command(`CREATE DATABASE IF NOT EXISTS \`${o.database}\`${onCluster(o)}`);
  const notes = storageTable("schema_migrations", o);
  const engine = o.replicated
    ? `ReplicatedMergeTree('/clickhouse/tables/{shard}/${o.database}/schema_migrations', '{replica}')`
    : "MergeTree";
  await db.command(`CREATE TABLE IF NOT EXISTS ${notes}${onCluster(o)}
(version UInt32, name String, applied DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ${engine} ORDER BY version`);
  const known = new Set(
    (await db.rows<{ version: number }>(`SELECT DISTINCT version FROM ${notes}`)).map((row) => row.version),
  );
  const newest = Math.max(0, ...known);
  const last = MIGRATIONS.at(-1)!.version;
  if (newest > last)
    throw new SchemaError(
      `database ${o.database} has schema version ${newest}, this hotlane knows ${last}: use the newer hotlane, or another database`,
    );
  const applied: number[] = [];
  for (const migration of MIGRATIONS) {
    if (known.has(migration.version)) continue;
    for (const sql of migration.statements(o)) await db.command(sql);
    await db.command(
      `INSERT INTO ${notes} (version, name) SETTINGS async_insert = 0 VALUES (${migration.version}, '${migration.name}')`,
    );
    applied.push(migration.version);
  }
  await applyTtl(db, o);
  return applied;
}

async function applyTtl(db: Database, o: StoreOptions): Promise<void> {
  for (const name of TABLE_NAMES) {
    const local = storageTable(name, o).replaceAll("`", "").split(".")[1]!;
    const [found] = await db.rows<{ create_table_query: string }>(
      `SELECT create_table_query FROM system.tables WHERE database = '${o.database}' AND name = '${local}'`,
    );
    const present = Number(/ TTL .*toIntervalDay\((\d+)\)/.exec(found?.create_table_query ?? "")?.[1] ?? 0);
    if (present !== wantsTtl(name, o)) await db.command(alterTtl(name, o));
  }
}

/** Table that inserts go to. */
export const insertTarget = storageTable;
/** Table that queries read. */
export const queryTarget = table;
