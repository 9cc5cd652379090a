// Makes the store that a task names: the embedded engine (installed on first use, started as a child), the user's
// server, or files. Cold.
import { readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { ClickHouseStore } from "./clickhouse-store.ts";
import { EmbeddedEngine } from "./embedded/embedded-engine.ts";
import { CHDB_MB, findLibrary, installLibrary } from "./embedded/install.ts";
import { JsonlStore } from "./jsonl-store.ts";
import type { RecorderLog } from "./recorder.ts";
import type { RecorderTask, TargetKind } from "./recorder-settings.ts";
import type { RowStore } from "./row-store.ts";

export interface OpenedStore {
  readonly store: RowStore;
  /** Names the checkpoint file: one per store. */
  readonly id: string;
  readonly diskLow: () => boolean;
  /** Why this is not the store that was asked for; "" = it is. */
  readonly alarm: string;
  close(): Promise<void>;
}

/** A cold library takes a while to be read; after this its absence is told and tried on. */
const FIRST_UP_MS = 15_000;
const DISK_CHECK_MS = 1000;
const PASSWORD_VARIABLE = "HOTLANE_CLICKHOUSE_PASSWORD";

/** Throws when the embedded engine cannot be installed, or a password file is not private. */
export async function openStore(
  task: RecorderTask,
  kind: TargetKind,
  log: RecorderLog,
): Promise<OpenedStore> {
  if (kind === "jsonl") return openFiles(task, "");
  return kind === "server" ? openServer(task) : openEmbedded(task, log);
}

/** The same for a session, which is not left without any store: rows go to files where there is no engine. */
export async function openSessionStore(
  task: RecorderTask,
  kind: TargetKind,
  log: RecorderLog,
): Promise<OpenedStore> {
  try {
    return await openStore(task, kind, log);
  } catch (error) {
    if (kind !== "embedded") throw error;
    const alarm = `no embedded ClickHouse: ${(error as Error).message}`;
    log(
      "error",
      `recorder: ${alarm}; rows go to files of JSON lines in ${jsonlDir(task.dataDir)}; a start that has the engine records everything into it`,
    );
    return openFiles(task, alarm);
  }
}

function openFiles({ config, dataDir }: RecorderTask, alarm: string): OpenedStore {
  return {
    store: new JsonlStore(jsonlDir(dataDir)),
    id: "jsonl",
    diskLow: lowDisk(dataDir, config.minFreeBytes),
    alarm,
    close: nothing,
  };
}

function openServer({ config }: RecorderTask): OpenedStore {
  const { host } = new URL(config.url);
  const access = { url: config.url, user: config.user, password: serverPassword(config.passwordFile) };
  return {
    store: new ClickHouseStore(host, () => access, config),
    id: `${host.replaceAll(":", "-")}-${config.database}`,
    diskLow: () => false,
    alarm: "",
    close: nothing,
  };
}

async function openEmbedded({ config, dataDir }: RecorderTask, log: RecorderLog): Promise<OpenedStore> {
  const engine = new EmbeddedEngine({
    library: findLibrary() ?? (await install(log)),
    dir: engineDir(dataDir),
    database: config.database,
    limits: { memoryBytes: config.memoryMb * 1024 * 1024, threads: config.threads },
    log,
  });
  await engine.up(FIRST_UP_MS);
  const access = () => (engine.url === null ? null : { url: engine.url, ...engine.access.writer });
  return {
    store: new ClickHouseStore("embedded", access, config),
    id: "embedded",
    diskLow: lowDisk(dataDir, config.minFreeBytes),
    alarm: "",
    close: () => engine.stop(),
  };
}

const jsonlDir = (dataDir: string): string => join(dataDir, "jsonl");
export const engineDir = (dataDir: string): string => join(dataDir, "clickhouse");
export const checkpointFile = (dataDir: string, id: string): string =>
  join(dataDir, "recorder", `${id}.json`);

async function install(log: RecorderLog): Promise<string> {
  log(
    "info",
    `recorder: installing the embedded ClickHouse (chdb, ${CHDB_MB} MB on disk, once; --no-clickhouse goes without); the WAL keeps everything meanwhile`,
  );
  const library = await installLibrary();
  log("info", "recorder: the embedded ClickHouse is installed");
  return library;
}

export function serverPassword(file: string): string {
  if (file === "") return process.env[PASSWORD_VARIABLE] ?? "";
  const { mode } = statSync(file);
  if ((mode & 0o077) !== 0)
    throw new Error(`${file}: others may read it (mode ${(mode & 0o777).toString(8)}), expected 0600`);
  return readFileSync(file, "utf8").trim();
}

/** Looked at once a second. */
function lowDisk(dir: string, minFreeBytes: number): () => boolean {
  let low = false;
  let nextMs = 0;
  return () => {
    const now = performance.now();
    if (minFreeBytes > 0 && now >= nextMs) {
      nextMs = now + DISK_CHECK_MS;
      try {
        const disk = statfsSync(dir);
        low = disk.bavail * disk.bsize < minFreeBytes;
      } catch {
        // No answer about the space: the inserts themselves will tell.
      }
    }
    return low;
  };
}

async function nothing(): Promise<void> {}
