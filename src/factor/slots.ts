// What the FactorHandler keeps per graph and per instrument. Hot: factor lane; final-shape classes.
import { ASK, BID, type L2Book } from "../market/l2-book.ts";
import { FEED_CONNECTING, FEED_REASON_NONE } from "../wire/codes.ts";
import { KindSet } from "../wire/kind-set.ts";
import {
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_DELTA,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
} from "../wire/messages.gen.ts";
import type { InstrumentContext } from "./context.ts";
import type { GraphInstance } from "./program.ts";

/** Records of one event besides the forwarded ones: Bbo, BookStats and a Gap. */
const OWN_RECORDS = 3;
/** Half of the shortest freshness limit. */
const BBO_REFRESH_NS = 25e6;
/** Records that change a book. */
export const DEPTH_KINDS = new KindSet([
  KIND_DEPTH_DELTA,
  KIND_DEPTH_CLEAR,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
]);
/** Outputs that one Signal record carries. */
export const SIGNALS_PER_RECORD = 3;

/** A record kind that EXECUTION wants, of one instrument (0 = of all). */
export interface Subscription {
  readonly kind: number;
  readonly instrument: number;
}

/** One graph as the handler runs it. */
export class GraphSlot {
  readonly graph: GraphInstance;
  /** Context of the instrument it runs on. */
  readonly own: InstrumentContext;
  readonly firstIndex: number;
  readonly signalRecords: number;
  readonly dueWord: number;
  /** 0 for event triggers. */
  readonly intervalNs: number;
  /** Session time of a multiple of the interval, in 0 … interval − 1. */
  readonly phaseNs: number;
  readonly instrument: number;
  /** Computed in the event at hand and not yet sent. */
  fresh: boolean;
  /** The last sent values were all NaN because a feed was not synced. */
  withdrawn: boolean;

  constructor(
    graph: GraphInstance,
    own: InstrumentContext,
    firstIndex: number,
    dueWord: number,
    baseNs: bigint,
  ) {
    const { trigger } = graph.program;
    this.graph = graph;
    this.own = own;
    this.firstIndex = firstIndex;
    this.signalRecords = Math.ceil(graph.outputCount / SIGNALS_PER_RECORD);
    this.dueWord = dueWord;
    this.intervalNs = trigger.on === "interval" ? trigger.intervalNs : 0;
    this.phaseNs =
      this.intervalNs === 0
        ? 0
        : (this.intervalNs - Number(baseNs % BigInt(this.intervalNs))) % this.intervalNs;
    this.instrument = own.instrument.id;
    this.fresh = false;
    this.withdrawn = true;
  }
}

/** One instrument as the handler runs it. */
export class Slot {
  readonly id: number;
  readonly context: InstrumentContext;
  readonly book: L2Book;
  readonly bookGraphs: GraphSlot[];
  readonly tradeGraphs: GraphSlot[];
  /** Graphs that read this instrument (their outputs are withdrawn with it). */
  readonly readers: GraphSlot[];
  /** Record kinds that EXECUTION wants of it. */
  readonly forwards: KindSet;
  /** Last FeedStatus sent. */
  feedState: number;
  feedReason: number;
  feedGaps: number;
  feedResyncs: number;
  /** Last Bbo sent; NaN = send again. */
  bidPx: number;
  bidQty: number;
  askPx: number;
  askQty: number;
  /** Time of that event. */
  bboTsNs: number;
  /** EXECUTION's copy of the book lost records: send it whole. */
  copyBroken: boolean;
  /** A depth event's records are being forwarded / dropped. */
  forwarding: boolean;
  /** A FeedStatus did not fit: it is sent as soon as there is room. */
  statusOwed: boolean;

  constructor(context: InstrumentContext) {
    this.id = context.instrument.id;
    this.context = context;
    this.book = context.book;
    this.bookGraphs = [];
    this.tradeGraphs = [];
    this.readers = [];
    this.forwards = new KindSet();
    this.feedState = FEED_CONNECTING;
    this.feedReason = FEED_REASON_NONE;
    this.feedGaps = 0;
    this.feedResyncs = 0;
    this.bboTsNs = 0;
    this.bidPx = -1;
    this.bidQty = -1;
    this.askPx = -1;
    this.askQty = -1;
    this.copyBroken = false;
    this.forwarding = false;
    this.statusOwed = false;
  }
}

/** Records that one event of `slot` can add to the forwarded ones. */
export function ownRecords(slot: Slot): number {
  let count = OWN_RECORDS;
  for (let k = 0; k < slot.bookGraphs.length; k++) count += slot.bookGraphs[k]!.signalRecords;
  for (let k = 0; k < slot.tradeGraphs.length; k++) count += slot.tradeGraphs[k]!.signalRecords;
  return count;
}

/** Signal records of the graphs computed in the event at hand. */
export function freshRecords(slot: Slot): number {
  let count = 0;
  for (let k = 0; k < slot.bookGraphs.length; k++) {
    if (slot.bookGraphs[k]!.fresh) count += slot.bookGraphs[k]!.signalRecords;
  }
  for (let k = 0; k < slot.tradeGraphs.length; k++) {
    if (slot.tradeGraphs[k]!.fresh) count += slot.tradeGraphs[k]!.signalRecords;
  }
  return count;
}

/** Marks the graphs that read `slot` as not ready; returns how many Signal records say so. */
export function withdraw(slot: Slot): number {
  slot.bidPx = -1;
  let records = 0;
  for (let k = 0; k < slot.readers.length; k++) {
    const g = slot.readers[k]!;
    if (g.withdrawn) continue;
    g.withdrawn = true;
    g.fresh = true;
    records += g.signalRecords;
  }
  return records;
}

/** Marks what is withdrawn for sending again; returns how many Signal records that are. */
export function freshenWithdrawn(slot: Slot): number {
  let records = 0;
  for (let k = 0; k < slot.readers.length; k++) {
    const g = slot.readers[k]!;
    g.fresh = g.withdrawn;
    if (g.withdrawn) records += g.signalRecords;
  }
  return records;
}

export function dropFresh(slot: Slot): void {
  for (let k = 0; k < slot.bookGraphs.length; k++) slot.bookGraphs[k]!.fresh = false;
  for (let k = 0; k < slot.tradeGraphs.length; k++) slot.tradeGraphs[k]!.fresh = false;
}

/** The touch differs from the last Bbo sent, or that was long ago: EXECUTION takes one that nobody confirms for stale. */
export function bboChanged(slot: Slot, nowNs: number): boolean {
  if (!slot.context.ready) return false;
  const book = slot.book;
  return (
    nowNs - slot.bboTsNs >= BBO_REFRESH_NS ||
    book.bestBidLots !== slot.bidQty ||
    book.bestAskLots !== slot.askQty ||
    !Object.is(book.bestBidTicks, slot.bidPx) ||
    !Object.is(book.bestAskTicks, slot.askPx)
  );
}

/** A DepthClear: side 0 = both. */
export function clearLevels(book: L2Book, side: number, pxTicks: number): void {
  if (side >= 0) book.clearTo(BID, pxTicks);
  if (side <= 0) book.clearTo(ASK, pxTicks);
}

/** EXECUTION wants records of `kind` (with DepthDelta all that change the book); `instrument` 0 = of all. */
export function subscribe(slots: readonly Slot[], always: KindSet, kind: number, instrument: number): void {
  const kinds = kind === KIND_DEPTH_DELTA ? DEPTH_KINDS : new KindSet([kind]);
  if (instrument === 0) always.addAll(kinds);
  for (const slot of slots) if (instrument === 0 || instrument === slot.id) slot.forwards.addAll(kinds);
}
