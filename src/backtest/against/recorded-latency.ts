// Latencies of a live session as a backtest's model: round trips of each kind of request from its WAL, half of each
// one way, interpolated in the time of sending. Cold.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LatencyByKind } from "../../exchange/request-latency.ts";
import { readManifests } from "../../journal/session-manifest.ts";
import { listSegments } from "../../journal/wal-reader.ts";
import { BacktestConfigError } from "../compat/compat-config.ts";
import { fittedLatency } from "./executions.ts";
import { readSession } from "./recorded-session.ts";

/** Of the newest session of a data directory or its `wal/`. Throws BacktestConfigError when there is none with orders. */
export function recordedLatency(dir: string): LatencyByKind {
  const inner = join(dir, "wal");
  const wal = existsSync(inner) ? inner : dir;
  const all = listSegments(wal);
  const name = all.at(-1)?.session ?? "";
  const manifest = readManifests(wal).bySession.get(name);
  if (manifest === undefined) throw new BacktestConfigError(`${dir}: no recorded session`);
  const session = readSession(
    all.filter((s) => s.session === name),
    manifest,
  );
  if (session.orders.size === 0) throw new BacktestConfigError(`${dir}: session ${name} sent no orders`);
  return fittedLatency(session, BigInt(manifest.baseNs));
}
