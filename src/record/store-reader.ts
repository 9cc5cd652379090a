// A store opened for reading as a whole, for reports: the user's server, the engine of a session that runs, or the
// embedded engine of a data directory, started for the time being. Cold.
import { existsSync } from "node:fs";
import type { ClickHouseClient } from "@clickhouse/client";
import { ClickHouseStore } from "./clickhouse-store.ts";
import { EmbeddedEngine } from "./embedded/embedded-engine.ts";
import { findLibrary } from "./embedded/install.ts";
import type { StoreReader } from "./facts/store-source.ts";
import { engineDir } from "./open-store.ts";
import { embeddedUrl, readerClient } from "./reader-query.ts";
import type { RecorderConfig } from "./recorder-settings.ts";

const REQUEST_MS = 600_000;
const ENGINE_UP_MS = 30_000;

/** Throws when the store cannot be reached, or the embedded engine is not installed. */
export async function openStoreReader(
  config: RecorderConfig,
  kind: "embedded" | "server",
  dataDir: string,
): Promise<StoreReader> {
  if (kind === "server")
    return clientReader(
      new URL(config.url).host,
      readerClient(config.url, config, kind, dataDir, REQUEST_MS),
    );
  const name = engineDir(dataDir);
  if (!existsSync(name)) throw new RangeError(`${name}: no embedded engine has recorded here`);
  const running = embeddedUrl(dataDir);
  if (running !== null) {
    const client = readerClient(running, config, kind, dataDir, REQUEST_MS);
    // The embedded engine has no /ping of its own.
    if ((await client.ping({ select: true })).success) return clientReader(name, client);
    await client.close();
  }
  const engine = await startEngine(config, dataDir);
  return clientReader(name, readerClient(engine.url!, config, kind, dataDir, REQUEST_MS), () =>
    engine.stop(),
  );
}

/** Of a data directory that no session runs on; its schema is brought up to date. */
async function startEngine(config: RecorderConfig, dataDir: string): Promise<EmbeddedEngine> {
  const library = findLibrary();
  if (library === null)
    throw new RangeError("the embedded engine is not installed (ops/chdb): report from the log instead");
  const engine = new EmbeddedEngine({
    library,
    dir: engineDir(dataDir),
    database: config.database,
    limits: { memoryBytes: config.memoryMb * 1024 * 1024, threads: config.threads },
    log: (_, text) => console.error(text),
  });
  await engine.up(ENGINE_UP_MS);
  if (engine.url === null) {
    await engine.stop();
    throw new RangeError(`${engineDir(dataDir)}: the embedded engine does not come up`);
  }
  const store = new ClickHouseStore(
    "embedded",
    () => ({ url: engine.url!, ...engine.access.writer }),
    config,
  );
  await store.open();
  await store.close();
  return engine;
}

/** `close`: what else ends with it. */
export function clientReader(
  name: string,
  client: ClickHouseClient,
  close: () => Promise<void> = async () => {},
): StoreReader {
  const settings = { output_format_json_quote_64bit_integers: 0 } as const;
  return {
    name,
    async rows(sql) {
      const result = await client.query({
        query: sql,
        format: "JSONCompactEachRow",
        clickhouse_settings: settings,
      });
      return result.json();
    },
    async binary(sql) {
      return (await client.exec({ query: sql })).stream;
    },
    async close() {
      await client.close();
      await close();
    },
  };
}
