// Brings a factor lane back: rebuild from history, or hybrid (newest good checkpoint + what came after).
// Outputs afterwards equal an uninterrupted run bit for bit, because the state is a function of the records.
// Cold. WAL history comes as records through the same handler; this file reads `.npz`.
import { type EventSource, openRowBlocks } from "../data/row-blocks.ts";
import { restoreNewest } from "./checkpoint.ts";
import type { FactorHandler } from "./handler.ts";
import { NpzSource, type NpzSourceOptions } from "./npz-source.ts";

const STEP_ROWS = 1 << 18;

/** Feeds all of `sources` (after `options.afterNs`) to `handler`; returns the rows read. */
export function rebuildFromHistory(
  handler: FactorHandler,
  sources: readonly EventSource[],
  options: NpzSourceOptions,
): number {
  const source = new NpzSource(openRowBlocks(sources), options);
  while (source.pump(handler, STEP_ROWS));
  source.close();
  return source.rows;
}

export interface HybridResult {
  /** Path of the checkpoint used; null = rebuilt from the start. */
  readonly checkpoint: string | null;
  readonly skipped: readonly string[];
  readonly rows: number;
}

/** Newest good checkpoint of `dir`, then the rows received after its logical time. */
export function recover(
  handler: FactorHandler,
  dir: string,
  sources: readonly EventSource[],
  options: NpzSourceOptions,
): HybridResult {
  const skipped: string[] = [];
  const found = restoreNewest(handler.state, dir, (path, reason) => skipped.push(`${path}: ${reason}`));
  if (found === null) {
    return { checkpoint: null, skipped, rows: rebuildFromHistory(handler, sources, options) };
  }
  handler.onRestored();
  const afterNs = found.info.baseNs + BigInt(found.info.nowNs);
  const rows = rebuildFromHistory(handler, sources, { ...options, baseNs: found.info.baseNs, afterNs });
  return { checkpoint: found.path, skipped, rows };
}
