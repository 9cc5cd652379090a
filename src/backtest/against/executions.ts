// The two ways to put a recorded session's market and requests in order (DESIGN 10, C2): as the venue's journal says
// matching saw them, or by time with latencies fitted from the session. Cold.
import { readFileSync } from "node:fs";
import {
  interpolatedLatency,
  type LatencyFactory,
  latencyTable,
} from "../../exchange/compat/order-latency.ts";
import { KindLatency, type LatencyByKind } from "../../exchange/request-latency.ts";
import type { SessionManifest } from "../../journal/session-manifest.ts";
import { parseClientId } from "../../order/client-id.ts";
import { ACTION_CANCEL, ACTION_MODIFY, ACTION_PLACE } from "../../wire/codes.ts";
import { ExecutionModel } from "./execution-model.ts";
import type { RecordedFill, RecordedSession, SentRequest } from "./recorded-session.ts";

const ACTIONS: Readonly<Record<string, number>> = {
  place: ACTION_PLACE,
  modify: ACTION_MODIFY,
  cancel: ACTION_CANCEL,
};

interface MatchLine {
  readonly k: string;
  readonly s: string;
  readonly u?: number;
  readonly x?: string;
  readonly c?: string;
}

/** Throws RangeError when the journal does not hold the order of matching. */
export function executionsByJournal(
  session: RecordedSession,
  manifest: SessionManifest,
  file: string,
): RecordedFill[] {
  const model = new ExecutionModel(manifest.instruments);
  const walk = new JournalWalk(session, manifest, model);
  let matches = 0;
  for (const text of readFileSync(file, "utf8").split("\n")) {
    if (text.startsWith('{"k":"market"')) walk.market(JSON.parse(text) as MatchLine, text);
    else if (text.startsWith('{"k":"match"')) {
      matches++;
      walk.match(JSON.parse(text) as MatchLine);
    }
  }
  if (matches === 0 && session.orders.size > 0)
    throw new RangeError(
      `${file}: no order of matching in it; record with sim.journal_market = true (venue --journal-market)`,
    );
  return model.fills;
}

class JournalWalk {
  private readonly session: RecordedSession;
  private readonly manifest: SessionManifest;
  private readonly model: ExecutionModel;
  private readonly ids: ReadonlyMap<string, number>;
  private readonly known = new Set<number>();
  private readonly next = new Map<number, number>();

  constructor(session: RecordedSession, manifest: SessionManifest, model: ExecutionModel) {
    this.session = session;
    this.manifest = manifest;
    this.model = model;
    this.ids = new Map(manifest.instruments.map((i) => [i.symbol, i.id]));
  }

  /** `text`: trade ids pass 2^53, so they are taken from the line itself. */
  market(line: MatchLine, text: string): void {
    const id = this.ids.get(line.s);
    if (id === undefined) return;
    const market = this.session.markets[id]!;
    if (line.u === undefined) {
      const trade = market.trades.get(/"t":(\d+)/.exec(text)?.[1] ?? "");
      if (trade !== undefined) this.model.trade(id, trade);
      return;
    }
    // The session's book begins with its snapshot; what came before is in it.
    if (line.u < market.firstSnapshot) return;
    if (!this.known.has(id)) {
      this.known.add(id);
      this.model.depth(id, market.depth.get(market.firstSnapshot)!);
      if (line.u === market.firstSnapshot) return;
    }
    const depth = market.depth.get(line.u);
    if (depth !== undefined && !depth.snapshot) this.model.depth(id, depth);
  }

  match(line: MatchLine): void {
    const client = parseClientId(line.c ?? "");
    const { nonceLo, nonceHi } = this.manifest;
    if (client === null || client.nonceLo !== nonceLo || client.nonceHi !== nonceHi) return;
    const sent = this.session.orders.get(client.clientSeq);
    if (sent === undefined) return;
    const action = ACTIONS[line.x ?? ""]!;
    const from = this.next.get(client.clientSeq) ?? 0;
    const at = sent.findIndex((r, i) => i >= from && r.action === action);
    if (at >= 0) {
      this.next.set(client.clientSeq, at + 1);
      this.model.request(sent[at]!);
    } else if (action === ACTION_CANCEL) this.model.cancel(sent[0]!.request);
  }
}

/** Round trips of each kind, half of each one way: the usual fit when the venue's clock is not to be trusted. */
export function fittedLatency(session: RecordedSession, baseNs: bigint): LatencyByKind {
  const of = (action: number): LatencyFactory => {
    const answered = [...session.orders.values()]
      .flat()
      .filter((r) => r.action === action && r.answeredNs > r.sentNs)
      .sort((a, b) => a.sentNs - b.sentNs);
    const rows = new BigInt64Array(Math.max(answered.length, 1) * 4);
    answered.forEach((r, i) => {
      const half = (r.answeredNs - r.sentNs) / 2;
      rows.set(
        [r.sentNs, r.sentNs + half, r.answeredNs, 0].map((ns) => baseNs + BigInt(Math.round(ns))),
        i * 4,
      );
    });
    if (answered.length === 0) rows.set([1n, 1n, 1n, 0n]);
    return interpolatedLatency(latencyTable([rows]));
  };
  return { place: of(ACTION_PLACE), modify: of(ACTION_MODIFY), cancel: of(ACTION_CANCEL) };
}

interface Instant {
  readonly atNs: number;
  /** Market before requests at one instant. */
  readonly rank: number;
  readonly run: (model: ExecutionModel) => void;
}

/** By time: the market at its exchange time, requests at sent + fitted latency. */
export function executionsByTime(session: RecordedSession, manifest: SessionManifest): RecordedFill[] {
  const baseNs = BigInt(manifest.baseNs);
  const latency = new KindLatency(fittedLatency(session, baseNs), baseNs);
  const instants: Instant[] = [];
  const feedNs = feedLatencyNs(session);
  session.markets.forEach((market, id) => {
    for (const depth of market.depth.values())
      instants.push({ atNs: depth.recvNs - feedNs, rank: 0, run: (model) => model.depth(id, depth) });
    for (const trade of market.trades.values())
      instants.push({ atNs: trade.recvNs - feedNs, rank: 0, run: (model) => model.trade(id, trade) });
  });
  const sent = [...session.orders.values()].flat().sort((a, b) => a.sentNs - b.sentNs);
  for (const request of sent) {
    if (isVenueRefusal(request)) continue;
    const atNs = request.sentNs + latency.entryNs(request.action, request.sentNs);
    instants.push({ atNs, rank: 1, run: (model) => model.request(request) });
  }
  instants.sort((a, b) => a.atNs - b.atNs || a.rank - b.rank);
  const model = new ExecutionModel(manifest.instruments);
  for (const { run } of instants) run(model);
  return model.fills;
}

/**
 * The venue stamps milliseconds, so the feed's latency is known to a millisecond: half of one is a message's expected
 * distance from its stamp, what is beyond in the median is the way.
 */
function feedLatencyNs(session: RecordedSession): number {
  const lags = session.markets
    .flatMap((m) => [...m.trades.values()].map((t) => t.recvNs - t.exchNs))
    .filter((ns) => ns > 0)
    .sort((a, b) => a - b);
  const median = lags[lags.length >> 1] ?? 0;
  return Math.max(0, median - 500_000);
}

/** Refused by a rule that the model does not know (filters, margin, rates): it never reached matching. */
const MATCHING_CODES = new Set([0, -5022, -5021, -2022, -2011, -2013]);
const isVenueRefusal = (r: SentRequest): boolean => !MATCHING_CODES.has(r.rejectCode);
