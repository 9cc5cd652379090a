// What the FactorHandler keeps per graph and per instrument. Hot: factor lane; final-shape classes.
import type { L2Book } from "../market/l2-book.ts";
import { FEED_CONNECTING, FEED_REASON_NONE } from "../wire/codes.ts";
import type { InstrumentContext } from "./context.ts";
import type { GraphInstance } from "./program.ts";

/** Outputs that one Signal record carries. */
export const SIGNALS_PER_RECORD = 3;

/** One graph as the handler runs it. */
export class GraphSlot {
  readonly graph: GraphInstance;
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

  constructor(graph: GraphInstance, instrument: number, firstIndex: number, dueWord: number, baseNs: bigint) {
    const { trigger } = graph.program;
    this.graph = graph;
    this.firstIndex = firstIndex;
    this.signalRecords = Math.ceil(graph.outputCount / SIGNALS_PER_RECORD);
    this.dueWord = dueWord;
    this.intervalNs = trigger.on === "interval" ? trigger.intervalNs : 0;
    this.phaseNs =
      this.intervalNs === 0
        ? 0
        : (this.intervalNs - Number(baseNs % BigInt(this.intervalNs))) % this.intervalNs;
    this.instrument = instrument;
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
  /** Bit per record kind. */
  forwards: number;
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
    this.forwards = 0;
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
