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
import { readManifests, type SessionManifest } from "./session-manifest.ts";
import { listSegments, readSegments, type SegmentFile, type WalProblem } from "./wal-reader.ts";

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
}

export interface RecoveryOptions {
  /** Cut torn tails. Default true. */
  readonly repair?: boolean;
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
  const { bySession, problems: manifestProblems } = readManifests(dir);
  const segments = listSegments(dir);
  const sessions = draftSessions(segments, bySession);
  const state = new RecoveredState(allocateRecordMemory(1), NO_SESSION);
  let current: SessionDraft | undefined;
  const result = readSegments(segments, (batch, segment) => {
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
  });
  state.settle();
  if (current !== undefined) current.maxClientSeq = state.maxClientSeq;
  const cuts = options.repair === false ? [] : cutTails(result.problems);
  return {
    endPosition: Math.max(result.end, ...segments.map((s) => s.header?.firstPosition ?? 0)),
    sessions: [...sessions.values()].map(describeSession),
    positions: [...state.positions.values(), ...state.estate.positions],
    openOrders: [...state.orders.values()],
    instruments: [...state.instruments.values()],
    risk: [...state.risk.values(), ...state.estate.risk],
    requests: state.requests,
    fees: state.fees,
    funding: { lastUnixNs: state.lastFundingUnixNs, recentIds: state.fundingIds },
    problems: result.problems,
    cuts,
    manifestProblems,
  };
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
