// What a recorder is told, as plain data that travels to its process as one JSON line.
import type { MarketKind } from "./market-rows.ts";

/** `[recorder]` of the configuration. */
export interface RecorderConfig {
  readonly target: "clickhouse" | "jsonl" | "none";
  readonly url: string;
  readonly user: string;
  readonly passwordFile: string;
  readonly database: string;
  readonly cluster: string;
  readonly replicated: boolean;
  readonly marketData: readonly MarketKind[];
  readonly ttlDays: number;
  readonly marketTtlDays: number;
  readonly walKeepHours: number;
  readonly memoryMb: number;
  readonly threads: number;
  readonly nice: number;
  readonly minFreeBytes: number;
  readonly finishMs: number;
}

export interface RecorderTask {
  readonly config: RecorderConfig;
  readonly dataDir: string;
  /** Bring the WAL to the disk before its rows leave. */
  readonly syncWal: boolean;
  /** Housekeeping cpus; empty = any. */
  readonly cpus: readonly number[];
}

export type TargetKind = "embedded" | "server" | "jsonl" | "none";

/** Where rows go. `noClickHouse`: --no-clickhouse, or HOTLANE_NO_CLICKHOUSE=1 (which a server's URL overrules). */
export function targetKind(config: RecorderConfig, noClickHouse: "flag" | "environment" | ""): TargetKind {
  if (config.target !== "clickhouse") return config.target;
  if (noClickHouse === "flag") return "none";
  if (config.url !== "") return "server";
  return noClickHouse === "environment" ? "none" : "embedded";
}
