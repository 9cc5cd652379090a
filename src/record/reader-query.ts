// Queries over the recorder's store from main: the user's server, or the embedded engine as its read-only user. One
// statement at a time, read only, bounded in time; trading never waits for one. Cold.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { accessFile, type EngineAccess } from "./embedded/files.ts";
import { engineDir, serverPassword } from "./open-store.ts";
import type { RecorderConfig, TargetKind } from "./recorder-settings.ts";

export type Row = Readonly<Record<string, unknown>>;

const REQUEST_MS = 20_000;

/** null: there is no database behind the session. A query answers null while the store is not up. */
export function readerQuery(
  config: RecorderConfig,
  kind: TargetKind,
  dataDir: string,
): ((sql: string) => Promise<readonly Row[] | null>) | null {
  if (kind !== "embedded" && kind !== "server") return null;
  let client: { readonly url: string; readonly to: ClickHouseClient } | null = null;
  return async (sql) => {
    const url = kind === "server" ? config.url : embeddedUrl(dataDir);
    if (url === null) return null;
    if (client?.url !== url) {
      await client?.to.close();
      client = { url, to: connect(url, config, kind, dataDir) };
    }
    const result = await client.to.query({ query: sql, format: "JSONEachRow" });
    return result.json<Row>();
  };
}

function connect(url: string, config: RecorderConfig, kind: TargetKind, dataDir: string): ClickHouseClient {
  const { user, password } =
    kind === "server"
      ? { user: config.user, password: serverPassword(config.passwordFile) }
      : (JSON.parse(readFileSync(accessFile(engineDir(dataDir)), "utf8")) as EngineAccess).reader;
  return createClient({
    url,
    username: user,
    password,
    database: config.database,
    request_timeout: REQUEST_MS,
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** The engine chooses its port at each start. */
function embeddedUrl(dataDir: string): string | null {
  const file = join(engineDir(dataDir), "port");
  const port = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  return port > 0 ? `http://127.0.0.1:${port}` : null;
}
