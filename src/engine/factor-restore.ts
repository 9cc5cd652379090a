// Brings FACTOR's state back at the start of a session: the newest good checkpoint, then what the journal holds
// of the market stream after it (hybrid recovery); without a checkpoint, all that the journal holds of the day. The
// books are not used until the feed has synchronised them.
// Cold. What was restored is kept beside the journal, so that `replay --verify` starts from the same state.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { allocateRecordMemory, RECORD_BYTES, type RecordMemory, type RecordSink } from "../core/record.ts";
import { captureCheckpoint, restoreCheckpoint, restoreNewest, sealCheckpoint } from "../factor/checkpoint.ts";
import { type FactorState, WORD_NONCE_HI, WORD_NONCE_LO, WORD_SEQUENCE } from "../factor/factor-state.ts";
import { FactorHandler } from "../factor/handler.ts";
import { listSegments, readSegments, type SegmentFile } from "../journal/wal-reader.ts";
import { HEADER_KIND, HEADER_SEQUENCE, KIND_GAP } from "../wire/messages.gen.ts";
import { STREAM_MARKET } from "./layout.ts";

export interface RestoreOptions {
  readonly dir: string;
  readonly walDir: string;
  /** Base of the new session. */
  readonly baseNs: bigint;
  readonly session: { readonly nonceLo: number; readonly nonceHi: number; readonly text: string };
  /** Journal bytes that are worth reading; more, and the checkpoint alone must do. */
  readonly maxBytes?: number;
  readonly note: (text: string) => void;
}

const DEFAULT_MAX_BYTES = 1 << 30;
const NONE_YET = -1;

/** True when something was restored. Give the live handler `onRestored()` then. */
export function restoreFactor(state: FactorState, options: RestoreOptions): boolean {
  const { note, session } = options;
  const skipped = (path: string, why: string): void => note(`checkpoint ${path} is not used: ${why}`);
  const found = restoreNewest(state, options.dir, skipped, options.baseNs);
  const from = found?.info.nowNs ?? 0;
  const replayed = replayJournal(state, found === null ? null : found.info.position, options);
  const restored = found !== null || replayed > 0;
  if (restored) {
    const where = found === null ? "the journal alone:" : `${found.path} and`;
    const age = from === 0 ? "" : ` (${((state.f64[0]! - from) / 1e9).toFixed(1)} s) after it`;
    note(`factors restored from ${where} ${replayed} journal records${age}`);
    for (const context of state.contexts) context.setReady(false, state.f64[0]!);
  }
  state.f64[WORD_NONCE_LO] = session.nonceLo;
  state.f64[WORD_NONCE_HI] = session.nonceHi;
  state.f64[WORD_SEQUENCE] = NONE_YET;
  if (restored) keepStart(state, options);
  return restored;
}

/**
 * Market records after the checkpoint that was taken at `takenNs` since the epoch, all of the day for null; 0 when the
 * journal does not hold its session.
 */
function replayJournal(state: FactorState, takenNs: bigint | null, options: RestoreOptions): number {
  const segments = segmentsAfter(state, takenNs, options);
  if (segments.length === 0) return 0;
  const { f64 } = state;
  const [lo, hi] = [f64[WORD_NONCE_LO]!, f64[WORD_NONCE_HI]!];
  const last = takenNs === null ? NONE_YET : f64[WORD_SEQUENCE]!;
  const handler = new FactorHandler({ state, sink: new NoSink(), baseNs: options.baseNs });
  handler.onRestored();
  let records = 0;
  let gaps = 0;
  const visit: Parameters<typeof readSegments>[1] = ({ memory, at: first, count }, { header }) => {
    const same = header.nonceLo === lo && header.nonceHi === hi;
    for (let i = 0; i < count; i++) {
      const at = first + i * RECORD_BYTES;
      const sequence = memory.u32[(at >> 2) + HEADER_SEQUENCE]!;
      if (memory.u16[(at >> 1) + HEADER_KIND] === KIND_GAP) gaps++;
      else if (!same || last === NONE_YET || ((sequence - last) | 0) > 0) {
        handler.onRecord(memory, at);
        records++;
      }
    }
  };
  const { problems } = readSegments(segments, visit, { streams: new Set([STREAM_MARKET]) });
  if (gaps > 0) options.note(`the journal misses market records in ${gaps} places: windows miss them too`);
  for (const p of problems) if (p.kind !== "gap") options.note(`${p.file} at ${p.offset}: ${p.reason}`);
  return records;
}

/** Of the checkpoint's session and those after it, still written to when the checkpoint was taken or later. */
function segmentsAfter(state: FactorState, takenNs: bigint | null, options: RestoreOptions): SegmentFile[] {
  const { session, note, maxBytes = DEFAULT_MAX_BYTES } = options;
  const writtenMs = takenNs === null ? 0 : Number(takenNs / 1_000_000n);
  let all: SegmentFile[];
  try {
    all = listSegments(options.walDir);
  } catch {
    all = [];
  }
  const of = (s: SegmentFile, lo: number, hi: number): boolean =>
    s.header?.nonceLo === lo && s.header.nonceHi === hi;
  const own = (s: SegmentFile): boolean => of(s, state.f64[WORD_NONCE_LO]!, state.f64[WORD_NONCE_HI]!);
  const first = takenNs === null ? 0 : all.findIndex(own);
  if (first < 0) {
    note("the journal does not hold the checkpoint's session: the checkpoint alone is used");
    return [];
  }
  const later = all
    .slice(first)
    .filter((s) => !of(s, session.nonceLo, session.nonceHi) && s.header?.baseNs === options.baseNs)
    .filter((s) => statSync(s.file).mtimeMs >= writtenMs);
  const bytes = later.reduce((sum, s) => sum + statSync(s.file).size, 0);
  if (bytes <= maxBytes) return later;
  const instead = takenNs === null ? "factors start empty" : "the checkpoint alone is used";
  note(`${bytes} bytes of journal are too many to replay: ${instead}`);
  return [];
}

class NoSink implements RecordSink {
  readonly memory: RecordMemory = allocateRecordMemory(1);
  hasRoom(): boolean {
    return true;
  }
  tryClaim(): number {
    return 0;
  }
  commit(): void {}
  publish(): void {}
}

const startFile = (walDir: string, session: string): string => join(walDir, `${session}.factor-start`);

function keepStart(state: FactorState, options: RestoreOptions): void {
  const path = startFile(options.walDir, options.session.text);
  mkdirSync(options.walDir, { recursive: true });
  writeFileSync(`${path}.tmp`, sealCheckpoint(captureCheckpoint(state, options.baseNs, 0n)), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

/** For a replay: the state a recorded session started from. False = it started empty. Throws CheckpointError. */
export function restoreStart(state: FactorState, segment: string, session: string): boolean {
  let bytes: Buffer;
  try {
    bytes = readFileSync(startFile(dirname(segment), session));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  restoreCheckpoint(state, bytes);
  return true;
}
