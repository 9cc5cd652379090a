// The embedded ClickHouse for tests: installed from ops/chdb's lock file when it is not there, or the tests that need
// it are left out and say why. And queries against what a session has recorded.
import { join } from "node:path";
import { createClient } from "@clickhouse/client";
import { ClickHouseStore } from "../../src/record/clickhouse-store.ts";
import type { StoreOptions } from "../../src/record/ddl.ts";
import { EmbeddedEngine } from "../../src/record/embedded/embedded-engine.ts";
import { findLibrary, installLibrary } from "../../src/record/embedded/install.ts";
import type { StoreReader } from "../../src/record/facts/store-source.ts";
import { clientReader } from "../../src/record/store-reader.ts";

export const STORE: StoreOptions = {
  database: "hotlane",
  cluster: "",
  replicated: false,
  ttlDays: 0,
  marketTtlDays: 0,
};

async function library(): Promise<string | null> {
  const found = findLibrary();
  if (found !== null || process.env["HOTLANE_NO_CLICKHOUSE"] === "1") return found;
  try {
    return await installLibrary();
  } catch (error) {
    console.warn((error as Error).message);
    return null;
  }
}

/** null: not to be had here. */
export const LIBRARY: string | null = await library();
if (LIBRARY === null)
  console.warn("skipped: what needs the embedded ClickHouse (ops/chdb is not installed on this machine)");

export interface OpenEngine {
  readonly engine: EmbeddedEngine;
  readonly store: ClickHouseStore;
  /** As its read-only user. */
  reader(): StoreReader;
  rows<T = Record<string, string>>(sql: string): Promise<T[]>;
  close(): Promise<void>;
}

/** An engine on `dir`: a new one, or what a session left in `<data-dir>/clickhouse`. */
export async function openEngine(dir: string, options: Partial<StoreOptions> = {}): Promise<OpenEngine> {
  const engine = new EmbeddedEngine({
    library: LIBRARY!,
    dir,
    database: "hotlane",
    limits: { memoryBytes: 1 << 30, threads: 2 },
    log: () => {},
  });
  await engine.up(30_000);
  const access = () => (engine.url === null ? null : { url: engine.url, ...engine.access.writer });
  const store = new ClickHouseStore("embedded", access, { ...STORE, ...options });
  return {
    engine,
    store,
    reader: () => {
      const { url, access } = engine;
      const { user: username, password } = access.reader;
      return clientReader("embedded", createClient({ url: url!, username, password, database: "hotlane" }));
    },
    rows: (sql) => store.rows(sql),
    close: async () => {
      await store.close();
      await engine.stop();
    },
  };
}

export const sessionEngine = (dataDir: string): Promise<OpenEngine> =>
  openEngine(join(dataDir, "clickhouse"));
