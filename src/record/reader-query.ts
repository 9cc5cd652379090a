// Reading from the recorder's store: the user's server, or the embedded engine as its read-only user. One statement at a
// time, bounded in time; trading never waits for one. Cold.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { accessFile, type EngineAccess } from "./embedded/files.ts";
import { MIGRATIONS } from "./migrations.ts";
import { engineDir, serverPassword } from "./open-store.ts";
import type { RecorderConfig, TargetKind } from "./recorder-settings.ts";

export type Row = Readonly<Record<string, unknown>>;

const REQUEST_MS = 20_000;
/** ClickHouse's codes of a table and a database that are not there. */
const ABSENT: ReadonlySet<string> = new Set(["60", "81"]);

/** null: there is no database behind the session. A query answers null while the store is not up, or not made yet. */
export function readerQuery(
  config: RecorderConfig,
  kind: TargetKind,
  dataDir: string,
): ((sql: string) => Promise<readonly Row[] | null>) | null {
  if (kind !== "embedded" && kind !== "server") return null;
  let client: { readonly url: string; readonly to: ClickHouseClient; made: boolean } | null = null;
  return async (sql) => {
    const url = kind === "server" ? config.url : embeddedUrl(dataDir);
    if (url === null) return null;
    if (client?.url !== url) {
      await client?.to.close();
      client = { url, to: readerClient(url, config, kind, dataDir, REQUEST_MS), made: false };
    }
    client.made ||= await isMade(client.to);
    if (!client.made) return null;
    const result = await client.to.query({ query: sql, format: "JSONEachRow" });
    return result.json<Row>();
  };
}

/** Whether the recorder has brought the schema up to date. */
async function isMade(client: ClickHouseClient): Promise<boolean> {
  try {
    const result = await client.query({
      query: "SELECT max(version) AS version FROM schema_migrations",
      format: "JSONEachRow",
    });
    const [row] = await result.json<{ readonly version: number }>();
    return Number(row?.version ?? 0) >= MIGRATIONS.at(-1)!.version;
  } catch (error) {
    if (ABSENT.has((error as { code?: string }).code ?? "")) return false;
    throw error;
  }
}

export function readerClient(
  url: string,
  config: RecorderConfig,
  kind: "embedded" | "server",
  dataDir: string,
  requestMs: number,
): ClickHouseClient {
  const { user, password } =
    kind === "server"
      ? { user: config.user, password: serverPassword(config.passwordFile) }
      : (JSON.parse(readFileSync(accessFile(engineDir(dataDir)), "utf8")) as EngineAccess).reader;
  return createClient({
    url,
    username: user,
    password,
    database: config.database,
    request_timeout: requestMs,
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** The engine chooses its port at each start; null: none is running, as far as its directory tells. */
export function embeddedUrl(dataDir: string): string | null {
  const file = join(engineDir(dataDir), "port");
  const port = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  return port > 0 ? `http://127.0.0.1:${port}` : null;
}
