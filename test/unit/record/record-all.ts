// A data directory's whole log into a store, by the recorder.
import { join } from "node:path";
import { Recorder, type RecorderOptions } from "../../../src/record/recorder.ts";
import type { RowStore } from "../../../src/record/row-store.ts";

export function makeRecorder(dir: string, store: RowStore, more: Partial<RecorderOptions> = {}): Recorder {
  return new Recorder({
    walDir: join(dir, "wal"),
    auditFile: join(dir, "audit.jsonl"),
    checkpointFile: join(dir, "checkpoint.json"),
    store,
    syncWal: true,
    keepHours: 0,
    diskLow: () => false,
    market: new Set(["depth", "trades", "bbo", "mark"]),
    statusReasons: [],
    log: () => {},
    ...more,
  });
}

export async function recordAll(dir: string, store: RowStore, more: Partial<RecorderOptions> = {}) {
  const recorder = makeRecorder(dir, store, more);
  recorder.finish();
  return { complete: await recorder.run(), figures: recorder.figures() };
}
