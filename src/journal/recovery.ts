// The scan at start: where the WAL ends, what it holds of positions, fills and orders, and what is damaged.
// A torn tail (a kill in the middle of a write) is cut off and kept beside the segment; damage in the middle
// is reported and nothing is changed. Run it under the data directory's lock only. Cold code.
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { allocateRecordMemory, RECORD_BYTES } from "../core/record.ts";
import {
  type RecoveredFee,
  type RecoveredFunding,
  type RecoveredInstrument,
  type RecoveredOrder,
  type RecoveredPosition,
  type RecoveredRequest,
  type RecoveredRisk,
  RecoveredState,
  type SessionContext,
} from "./recovered-state.ts";
import { loadCheckpoint, type RecoveryCheckpoint, saveCheckpoint } from "./recovery-checkpoint.ts";
import { readManifests, type SessionManifest } from "./session-manifest.ts";
import {
  type BatchVisitor,
  listSegments,
  readSegments,
  type SegmentFile,
  type WalProblem,
} from "./wal-reader.ts";

export interface RecoveredSession {
  readonly session: string;
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly baseNs: bigint;
  readonly createdUnixNs: bigint;
  readonly segments: number;
  readonly firstPosition: number;
  readonly records: number;
  /** Highest clientSeq seen in it. */
  readonly maxClientSeq: number;
}

export interface CutTail {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  /** Where the cut bytes are kept. */
  readonly keptAs: string;
}

export interface Recovery {
  /** Position of the next record: WalOptions.startPosition of the session that begins. */
  readonly endPosition: number;
  readonly sessions: readonly RecoveredSession[];
  readonly positions: readonly RecoveredPosition[];
  /** Orders without a final state, by order of their sending. */
  readonly openOrders: readonly RecoveredOrder[];
  readonly instruments: readonly RecoveredInstrument[];
  readonly risk: readonly RecoveredRisk[];
  readonly requests: readonly RecoveredRequest[];
  readonly fees: readonly RecoveredFee[];
  readonly funding: RecoveredFunding;
  /** Torn tails that were cut, and everything else that is wrong. */
  readonly problems: readonly WalProblem[];
  readonly cuts: readonly CutTail[];
  /** Session manifests that could not be read: names fall back to numbers. */
  readonly manifestProblems: readonly string[];
  /** Segments whose content came from the checkpoint of an earlier start; the others were read. */
  readonly segmentsSkipped: number;
  /** Why the checkpoint was not used, or not written; "" = nothing is wrong. Costs time, nothing else. */
  readonly checkpointProblem: string;
}

export interface RecoveryOptions {
  /** Cut torn tails. Default true. */
  readonly repair?: boolean;
  /** Begin where the last start ended, and say where the next one begins. Default: as `repair`. */
  readonly checkpoint?: boolean;
}

interface SessionDraft extends SessionContext {
  readonly first: SegmentFile;
  segments: number;
  records: number;
  maxClientSeq: number;
  firstPosition: number;
}

/** An absent directory is an empty WAL. Throws the file system's error for one that cannot be read. */
export function recoverWal(dir: string, options: RecoveryOptions = {}): Recovery {
  if (!existsSync(dir)) return emptyRecovery();
  const { repair = true, checkpoint = repair } = options;
  const segments = listSegments(dir);
  const loaded = checkpoint ? loadCheckpoint(dir, segments) : "";
  const { bySession, problems: manifestProblems } = readManifests(dir);
  const earlier = typeof loaded === "string" ? null : loaded;
  const found = readOn(segments, bySession, earlier);
  const cuts = repair ? cutTails(found.problems) : [];
  const { orders, instruments, estate, requests, fees, lastFundingUnixNs, fundingIds } = found.content;
  const unused = typeof loaded === "string" ? loaded : "";
  const unsaved = checkpoint && segments.length > 0 ? save(dir, found) : "";
  return {
    endPosition: Math.max(found.end, ...segments.map((s) => s.header?.firstPosition ?? 0)),
    sessions: found.sessions,
    positions: [...found.content.positions, ...estate.positions],
    risk: [...found.content.risk, ...estate.risk],
    ...{ openOrders: orders, instruments, requests, fees },
    funding: { lastUnixNs: lastFundingUnixNs, recentIds: fundingIds },
    problems: found.problems,
    cuts,
    manifestProblems,
    segmentsSkipped: earlier?.covered ?? 0,
    checkpointProblem: unused || unsaved,
  };
}

type Found = Omit<RecoveryCheckpoint, "segments">;

/** What the segments tell, those that `earlier` covers left out. */
function readOn(
  segments: readonly SegmentFile[],
  manifests: ReadonlyMap<string, SessionManifest>,
  earlier: { readonly checkpoint: RecoveryCheckpoint; readonly covered: number } | null,
): Found {
  const covered = earlier?.covered ?? 0;
  const unread = segments.slice(covered);
  const sessions = draftSessions(unread, manifests);
  const state = new RecoveredState(allocateRecordMemory(1), NO_SESSION);
  if (earlier !== null) state.resume(earlier.checkpoint.content);
  const last = segments[covered - 1];
  const after = earlier === null || last === undefined ? null : { end: earlier.checkpoint.end, last };
  let current: SessionDraft | undefined;
  const visit: BatchVisitor = (batch, segment) => {
    const session = sessions.get(segment.session)!;
    if (session !== current) {
      if (current !== undefined) current.maxClientSeq = state.maxClientSeq;
      state.startSession(session);
      session.firstPosition = batch.position;
      current = session;
    }
    session.records += batch.count;
    for (let i = 0; i < batch.count; i++) {
      state.walPosition = batch.position + i;
      state.onRecord(batch.memory, batch.at + i * RECORD_BYTES);
    }
  };
  const { end, problems } = readSegments(unread, visit, {}, after);
  const { content } = state;
  if (current !== undefined) current.maxClientSeq = state.maxClientSeq;
  const known = earlier?.checkpoint;
  return {
    end: Math.max(end, known?.end ?? 0),
    sessions: [...(known?.sessions ?? []), ...[...sessions.values()].map(describeSession)],
    problems: [...(known?.problems ?? []), ...problems],
    content,
  };
}

/** A tail that was cut is no longer there. Returns what is wrong. */
function save(dir: string, found: Found): string {
  try {
    const problems = found.problems.filter((problem) => problem.kind !== "torn");
    saveCheckpoint(dir, listSegments(dir), { ...found, problems });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const NO_SESSION: SessionContext = {
  session: "",
  names: null,
  baseNs: 0n,
  nonce: 0n,
  symbolOf: (instrument) => `#${instrument}`,
  strategyOf: (strategy) => `#${strategy}`,
  assetOf: () => "",
};

function emptyRecovery(): Recovery {
  return {
    endPosition: 0,
    sessions: [],
    positions: [],
    openOrders: [],
    instruments: [],
    risk: [],
    requests: [],
    fees: [],
    funding: { lastUnixNs: 0n, recentIds: new Set() },
    problems: [],
    cuts: [],
    manifestProblems: [],
    segmentsSkipped: 0,
    checkpointProblem: "",
  };
}

function draftSessions(
  segments: readonly SegmentFile[],
  manifests: ReadonlyMap<string, SessionManifest>,
): Map<string, SessionDraft> {
  const drafts = new Map<string, SessionDraft>();
  for (const segment of segments) {
    const known = drafts.get(segment.session);
    if (known !== undefined) known.segments++;
    else if (segment.header !== null)
      drafts.set(segment.session, draftSession(segment, manifests.get(segment.session)));
  }
  return drafts;
}

function draftSession(first: SegmentFile, manifest: SessionManifest | undefined): SessionDraft {
  const header = first.header!;
  const symbols = new Map((manifest?.instruments ?? []).map((i) => [i.id, i.symbol]));
  const names = sessionNames(symbols, manifest?.strategies ?? [], manifest?.assets ?? []);
  return {
    ...names,
    session: first.session,
    names:
      manifest === undefined
        ? null
        : { strategies: manifest.strategies, symbols: manifest.instruments.map((i) => i.symbol) },
    baseNs: header.baseNs,
    nonce: (BigInt(header.nonceHi) << 32n) | BigInt(header.nonceLo),
    first,
    segments: 1,
    records: 0,
    maxClientSeq: 0,
    firstPosition: header.firstPosition,
  };
}

/** Names by number; `#3` where no manifest tells. */
function sessionNames(
  symbols: ReadonlyMap<number, string>,
  strategies: readonly string[],
  assets: readonly string[],
) {
  return {
    symbolOf: (instrument: number): string => symbols.get(instrument) ?? `#${instrument}`,
    strategyOf: (strategy: number): string =>
      strategies[strategy] ?? (strategy === 0 ? "house" : `#${strategy}`),
    assetOf: (asset: number): string => assets[asset] ?? "",
  };
}

function describeSession(draft: SessionDraft): RecoveredSession {
  const header = draft.first.header!;
  return {
    session: draft.session,
    nonceLo: header.nonceLo,
    nonceHi: header.nonceHi,
    baseNs: header.baseNs,
    createdUnixNs: header.createdUnixNs,
    segments: draft.segments,
    firstPosition: draft.firstPosition,
    records: draft.records,
    maxClientSeq: draft.maxClientSeq,
  };
}

/** Cuts torn tails; what is cut is kept as `<segment>.torn` (a segment without a header is renamed whole). */
function cutTails(problems: readonly WalProblem[]): CutTail[] {
  return problems
    .filter((problem) => problem.kind === "torn")
    .map(({ file, offset, bytes }) => {
      const keptAs = freeName(`${file}.torn`);
      if (offset === 0) renameSync(file, keptAs);
      else cutTail(file, offset, keptAs);
      return { file, offset, bytes, keptAs };
    });
}

function freeName(wanted: string): string {
  for (let i = 0; ; i++) {
    const name = i === 0 ? wanted : `${wanted}.${i}`;
    if (!existsSync(name)) return name;
  }
}

function cutTail(file: string, offset: number, keptAs: string): void {
  const fd = openSync(file, "r+");
  try {
    const tail = new Uint8Array(statSync(file).size - offset);
    readSync(fd, tail, 0, tail.length, offset);
    const kept = openSync(keptAs, "wx", 0o640);
    try {
      writeSync(kept, tail);
      fsyncSync(kept);
    } finally {
      closeSync(kept);
    }
    ftruncateSync(fd, offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
