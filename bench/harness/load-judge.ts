// What a load run proves, from files alone: our book (rebuilt from the WAL's market stream) against the venue's at
// the same update id, and wire to wire latency (the venue's send of a depth update → the arrival there of the
// order that it triggered; both stamped by the venue with CLOCK_MONOTONIC, joined through the WAL).
import { readFileSync } from "node:fs";
import type { RecordHandler, RecordMemory } from "../../src/core/record.ts";
import { readRecords } from "../../src/journal/wal-reader.ts";
import { parseClientId } from "../../src/order/client-id.ts";
import * as wire from "../../src/wire/messages.gen.ts";
import type { LoadRun, VenueBook } from "./load-session.ts";
import { quantile } from "./statistics.ts";

const TICKS_PER_UNIT = 10;
const LOTS_PER_UNIT = 1000;
const TWO_32 = 2 ** 32;

export interface Judgement {
  /** Books compared; levels that differed in any of them. */
  readonly booksCompared: number;
  readonly levelsCompared: number;
  readonly levelsWrong: number;
  readonly levelRecords: number;
  /** ns; NaN without orders. */
  readonly wireToWire: { readonly p50: number; readonly p99: number; readonly count: number };
  /** Where that time goes, ns, in the order of the way. */
  readonly legs: readonly { readonly name: string; readonly p50: number; readonly p99: number }[];
}

/** Session times of one request. */
interface Sent {
  readonly triggerNs: number;
  decidedNs: number;
  sentNs: number;
}

const LEGS = [
  "venue's write → our handler",
  "→ decided",
  "→ written to the socket",
  "→ venue's handler",
] as const;

type Sides = readonly [Map<number, number>, Map<number, number>];

/** Replays the WAL: book by update id, and which update triggered which request. */
class Replay implements RecordHandler {
  /** Update id that was being applied at a receive time. */
  readonly idAt = new Map<number, number>();
  /** clientSeq → its requests, in the order in which they were sent. */
  readonly requests = new Map<number, Sent[]>();
  readonly wrong: number[] = [];
  levelRecords = 0;
  levelsCompared = 0;
  private last: Sent | null = null;
  private readonly book: Sides = [new Map(), new Map()];
  private readonly wanted: Map<number, VenueBook>;

  constructor(books: readonly VenueBook[]) {
    this.wanted = new Map(books.map((b) => [b.lastUpdateId, b]));
  }

  onRecord(m: RecordMemory, at: number): void {
    const kind = m.u16[at >> 1]!;
    if (kind === wire.KIND_SNAPSHOT_BEGIN) for (const side of this.book) side.clear();
    else if (kind === wire.KIND_DEPTH_DELTA) this.onLevel(m, at);
    else if (kind === wire.KIND_ORDER_SENT) {
      const sent = new wire.OrderSent(m).wrap(m, at);
      const known = this.requests.get(sent.clientSeq);
      this.last = { triggerNs: sent.triggerTsNs, decidedNs: Number.NaN, sentNs: Number.NaN };
      if (known === undefined) this.requests.set(sent.clientSeq, [this.last]);
      else known.push(this.last);
    } else if (kind === wire.KIND_ORDER_STAMPS && this.last !== null) {
      const stamps = new wire.OrderStamps(m).wrap(m, at);
      this.last.decidedNs = stamps.decidedTsNs;
      this.last.sentNs = stamps.sentTsNs;
    }
  }

  private onLevel(m: RecordMemory, at: number): void {
    const level = new wire.DepthDelta(m).wrap(m, at);
    const side = this.book[level.side > 0 ? 0 : 1];
    if (level.qtyLots === 0) side.delete(level.pxTicks);
    else side.set(level.pxTicks, level.qtyLots);
    this.levelRecords++;
    if ((level.flags & wire.FLAG_END_OF_EVENT) === 0) return;
    const id = level.updateIdHi * TWO_32 + level.updateIdLo;
    this.idAt.set(level.recvTsNs, id);
    const wanted = this.wanted.get(id);
    if (wanted !== undefined) this.compare(wanted);
  }

  /** Only the range of the first snapshot is known to us: the venue's deeper levels are not compared. */
  private compare(venue: VenueBook): void {
    let wrong = 0;
    [venue.bids, venue.asks].forEach((rows, s) => {
      const ours = this.book[s]!;
      const theirs = new Map(rows.map(([p, q]) => [scaled(p, TICKS_PER_UNIT), scaled(q, LOTS_PER_UNIT)]));
      for (const [px, qty] of ours) if (theirs.get(px) !== qty) wrong++;
      const best = scaled(rows[0]![0], TICKS_PER_UNIT);
      for (const [px] of theirs) if (Math.abs(px - best) < NEAR_TICKS && !ours.has(px)) wrong++;
      this.levelsCompared += ours.size;
    });
    this.wrong.push(wrong);
  }
}

/** A 1,000-level snapshot reaches further than this on both sides. */
const NEAR_TICKS = 400;
const scaled = (text: string, unit: number): number => Math.round(Number(text) * unit);

export function judge(run: LoadRun): Judgement {
  const replay = new Replay(run.books);
  const streams = readRecords(run.walDir, replay, {});
  const problem = streams.problems[0];
  if (problem !== undefined) throw new Error(`WAL: ${problem.kind} in ${problem.file}: ${problem.reason}`);
  const ways = wireTimes(readFileSync(run.venueJournal, "utf8"), replay, run.sessionMinusMonotonicNs);
  const times = Float64Array.from(ways, (legs) => legs.reduce((sum, ns) => sum + ns)).sort();
  return {
    booksCompared: replay.wrong.length,
    levelsCompared: replay.levelsCompared,
    levelsWrong: replay.wrong.reduce((sum, n) => sum + n, 0),
    levelRecords: replay.levelRecords,
    wireToWire: { p50: quantile(times, 0.5), p99: quantile(times, 0.99), count: times.length },
    legs: LEGS.map((name, k) => {
      const leg = Float64Array.from(ways, (legs) => legs[k]!).sort();
      return { name, p50: quantile(leg, 0.5), p99: quantile(leg, 0.99) };
    }),
  };
}

interface JournalLine {
  readonly k: string;
  readonly mono: number;
  /** Requests: CLOCK_MONOTONIC when the venue's handler was called. */
  readonly arrived?: number;
  readonly u?: number;
  readonly op?: string;
  readonly params?: { readonly newClientOrderId?: string; readonly origClientOrderId?: string };
}

/** The legs of each request, ns. Requests that no depth message triggered are left out. */
function wireTimes(journal: string, replay: Replay, offsetNs: number): number[][] {
  const sentNs = new Map<number, number>();
  const ways: number[][] = [];
  for (const text of journal.split("\n")) {
    if (text === "" || !(text.startsWith('{"k":"market"') || text.startsWith('{"k":"request"'))) continue;
    const line = JSON.parse(text) as JournalLine;
    if (line.k === "market") sentNs.set(line.u!, line.mono);
    const id = line.params?.newClientOrderId ?? line.params?.origClientOrderId;
    if (id === undefined || !line.op!.startsWith("order.")) continue;
    // Requests of one order leave and arrive in the same order.
    const request = replay.requests.get(parseClientId(id)?.clientSeq ?? 0)?.shift();
    const update = request === undefined ? undefined : replay.idAt.get(request.triggerNs);
    const leftNs = update === undefined ? undefined : sentNs.get(update);
    if (request === undefined || leftNs === undefined) continue;
    const stops = [
      leftNs + offsetNs,
      request.triggerNs,
      request.decidedNs,
      request.sentNs,
      line.arrived! + offsetNs,
    ];
    ways.push(LEGS.map((_, k) => stops[k + 1]! - stops[k]!));
  }
  return ways;
}
