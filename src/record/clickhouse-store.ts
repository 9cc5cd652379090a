// Rows into ClickHouse through @clickhouse/client: the embedded engine and a user's server take the same path.
// Inserts are synchronous (async_insert = 0) and carry a deduplication token, so a block that comes again, because
// its answer was lost, is in the table once, and in the aggregates that follow it too.
import { Readable } from "node:stream";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { Block } from "./block.ts";
import {
  aggregatesOf,
  literal,
  minutesOf,
  onCluster,
  refillAggregates,
  remakeMinutes,
  type StoreOptions,
  storageTable,
  table,
} from "./ddl.ts";
import { type Database, migrate } from "./migrations.ts";
import {
  type BlockOrigin,
  type RowStore,
  StoreFullError,
  type StoreOpened,
  StoreRefusedError,
} from "./row-store.ts";

export interface ClickHouseAccess {
  /** Base URL, without credentials. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

const REQUEST_MS = 60_000;
const SLICE_BYTES = 1 << 18;
const LATE_TRIES = 5;
const LATE_MS = 200;
const CODE_NOT_ENOUGH_SPACE = "243";
/** Authentication, rights, unknown table or column, type mismatch. */
const REFUSALS = new Set(["516", "497", "60", "16", "53", "81", "62"]);

export class ClickHouseStore implements RowStore, Database {
  readonly name: string;
  private readonly access: () => ClickHouseAccess | null;
  private readonly options: StoreOptions;
  private client: ClickHouseClient | null = null;
  private clientUrl = "";

  /** `access` null: the engine is not up; calls fail and are repeated by the recorder. */
  constructor(name: string, access: () => ClickHouseAccess | null, options: StoreOptions) {
    this.name = name;
    this.access = access;
    this.options = options;
  }

  async open(): Promise<StoreOpened> {
    await migrate(this, this.options);
    const [row] = await this.rows<{ made: string }>(
      `SELECT toString(min(applied)) AS made FROM ${storageTable("schema_migrations", this.options)}`,
    );
    return { id: row?.made ?? "", warnings: await this.brokenParts() };
  }

  async count(block: Block, origin: BlockOrigin): Promise<number> {
    const [row] = await this.rows<{ n: string }>(
      `SELECT count() AS n FROM ${storageTable(block.table, this.options)} WHERE ${ofOrigin(block, origin)}`,
    );
    return Number(row?.n ?? 0);
  }

  async remove(block: Block, origin: BlockOrigin): Promise<void> {
    const from = `${storageTable(block.table, this.options)}${onCluster(this.options)}`;
    await this.command(`DELETE FROM ${from} WHERE ${ofOrigin(block, origin)}`);
  }

  async insert(block: Block, origin: BlockOrigin, inDoubt: boolean): Promise<boolean> {
    await this.send(block, origin.token);
    if (!inDoubt || (await this.has(block, origin))) return true;
    // A server that dies between noting the token and having the part drops what comes under the token.
    await this.send(block, `${origin.token}:${crypto.randomUUID()}`);
    return false;
  }

  /** An insert under the same token may be about to end: its rows are waited for a while. */
  private async has(block: Block, origin: BlockOrigin): Promise<boolean> {
    for (let tries = 0; tries < LATE_TRIES; tries++) {
      if ((await this.count(block, origin)) > 0) return true;
      await Bun.sleep(LATE_MS);
    }
    return false;
  }

  /** A server that died between a part and the aggregates that follow it has the part only. */
  async heal(block: Block, origin: BlockOrigin): Promise<void> {
    for (const aggregate of aggregatesOf(block.table)) {
      const found = await this.rows<{ minute: number }>(
        minutesOf(aggregate, ofOrigin(block, origin), this.options),
      );
      const minutes = found.map((row) => row.minute);
      for (const sql of remakeMinutes(aggregate, minutes, this.options)) await this.command(sql);
    }
  }

  private async send(block: Block, token: string): Promise<void> {
    const bytes = block.encode();
    await this.guarded(async (client) => {
      const result = await client.exec({
        query: `INSERT INTO ${storageTable(block.table, this.options)} FORMAT Native`,
        values: Readable.from(slices(bytes), { objectMode: false }),
        clickhouse_settings: {
          async_insert: 0,
          insert_deduplicate: 1,
          insert_deduplication_token: token,
          deduplicate_blocks_in_dependent_materialized_views: 1,
          // One block in, one part out: never split, never merged with another.
          max_insert_block_size: "1048576",
          min_insert_block_size_rows: "1048576",
          wait_end_of_query: 1,
        },
      });
      for await (const _ of result.stream);
    });
  }

  async commit(): Promise<unknown> {
    return null;
  }

  async rollback(): Promise<void> {}

  async refill(): Promise<void> {
    for (const sql of refillAggregates(this.options)) await this.command(sql);
  }

  async close(): Promise<void> {
    await this.client?.close();
    this.client = null;
  }

  async command(sql: string): Promise<void> {
    await this.guarded(async (client) => {
      await client.command({ query: sql });
    });
  }

  async rows<T>(sql: string): Promise<T[]> {
    return this.guarded(async (client) => {
      const result = await client.query({
        query: sql,
        format: "JSONEachRow",
        clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
      });
      return (await result.json()) as T[];
    });
  }

  /** Table name as queries use it. */
  table(name: string): string {
    return table(name, this.options);
  }

  /** Parts that the server could not read at its start: it has put them aside and serves the rest. */
  private async brokenParts(): Promise<string[]> {
    const parts = await this.rows<{ table: string; reason: string; name: string }>(
      `SELECT table, reason, name FROM system.detached_parts
       WHERE database = ${literal(this.options.database)} AND reason LIKE '%broken%'`,
    );
    return parts.map(
      ({ table, reason, name }) =>
        `${this.name}: part ${name} of ${table} is ${reason} and was put aside by the server: rows are missing; bun run wal load --all brings back what the log still has`,
    );
  }

  private connection(): ClickHouseClient {
    const access = this.access();
    if (access === null) throw new Error(`${this.name}: not up`);
    if (this.client !== null && this.clientUrl === access.url) return this.client;
    void this.client?.close();
    this.clientUrl = access.url;
    this.client = createClient({
      url: access.url,
      username: access.user,
      password: access.password,
      application: "hotlane",
      request_timeout: REQUEST_MS,
      max_open_connections: 8,
      keep_alive: { enabled: true, idle_socket_ttl: 2500 },
      // Errors are ours to word and to log.
      log: { level: ClickHouseLogLevel.OFF },
    });
    return this.client;
  }

  private async guarded<T>(call: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    try {
      return await call(this.connection());
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      const words = `${this.name}: ${message.split("\n")[0]!.trim()}${code === undefined ? "" : ` (${code})`}`;
      if (code === CODE_NOT_ENOUGH_SPACE || code === "ENOSPC" || message.includes("No space left"))
        throw new StoreFullError(words);
      if (code !== undefined && REFUSALS.has(code)) throw new StoreRefusedError(words);
      throw new Error(words);
    }
  }
}

/** A body in one piece is copied once more by the HTTP client, and holds up everything else meanwhile. */
function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}

const ofOrigin = (block: Block, { session, first, end }: BlockOrigin): string =>
  `session = ${literal(session)} AND wal_position >= ${first} AND wal_position < ${end} AND toYYYYMMDD(${block.partitionBy}) = ${yyyymmdd(block.day)}`;

function yyyymmdd(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
}
