// The FACTOR component: market records in; books, contexts and graphs; Bbo, Signal, FeedStatus and what
// EXECUTION subscribed to out. Knows nothing of threads.
// Hot: factor lane; 0 bytes per record; per event: O(levels of the message) + one pass of each triggered graph.
//
// Triggers ([graph] trigger): "book" once per event that holds a depth, snapshot or clear record; "trade" once per
// event that holds a trade; an interval at its multiples since the Unix epoch, from the first one after the first
// record to the last one at or before the last record, each seeing every record received at or before that instant.
// So a multiple m fires when a record received after m arrives (market Timers make that timely), before that record
// is applied. `finish` fires a multiple equal to the last record's time.
//
// While an instrument is not SYNCED no graph that reads it runs: on leaving SYNCED its outputs are sent as NaN once,
// Bbo is withheld, and both return with the next event after SYNCED.
import { assert } from "../core/assert.ts";
import type { LevelRun } from "../core/level-run.ts";
import { RECORD_BYTES, type RecordHandler, type RecordMemory, type RecordSink } from "../core/record.ts";
import type { L2Book } from "../market/l2-book.ts";
import { FEED_REASON_OVERFLOW, FEED_STALE, FEED_SYNCED } from "../wire/codes.ts";
import { KindSet } from "../wire/kind-set.ts";
import {
  ALPHA_SIGNAL_INDEX,
  ALPHA_VALUE,
  DEPTH_CLEAR_PX_TICKS,
  DEPTH_CLEAR_SIDE,
  DEPTH_DELTA_LEVEL_COUNT,
  DEPTH_DELTA_PX_TICKS,
  DEPTH_DELTA_QTY_LOTS,
  DEPTH_DELTA_SIDE,
  FEED_STATUS_GAPS,
  FEED_STATUS_REASON,
  FEED_STATUS_RESYNCS,
  FEED_STATUS_STATE,
  FLAG_END_OF_EVENT,
  HEADER_EXCH_TS_NS,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  HEADER_RECV_TS_NS,
  HEADER_SEQUENCE,
  KIND_ALPHA,
  KIND_BOOK_STATS,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_DELTA,
  KIND_FEED_STATUS,
  KIND_MARK_PRICE,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
  KIND_TRADE,
  MARK_PRICE_FUNDING_RATE_E8,
  MARK_PRICE_INDEX_PX_E8,
  MARK_PRICE_MARK_PX_E8,
  SNAPSHOT_BEGIN_LEVEL_COUNT,
  TRADE_PX_TICKS,
  TRADE_QTY_LOTS,
  TRADE_SIDE,
} from "../wire/messages.gen.ts";
import { Emitter } from "./emitter.ts";
import { type FactorState, WORD_SEQUENCE } from "./factor-state.ts";
import { IntervalSchedule } from "./interval-schedule.ts";
import { applyLevels, applyRun, furtherLevels, LevelRecord } from "./level-run.ts";
import {
  bboChanged,
  clearLevels,
  dropFresh,
  freshenWithdrawn,
  freshRecords,
  GraphSlot,
  ownRecords,
  SIGNALS_PER_RECORD,
  Slot,
  type Subscription,
  subscribe,
  withdraw,
} from "./slots.ts";

export interface FactorHandlerOptions {
  readonly state: FactorState;
  readonly sink: RecordSink;
  /** ns since the Unix epoch. */
  readonly baseNs: bigint;
  /** Trade, MarkPrice, Funding, BookStats, Timer, DepthDelta (with DepthClear and snapshots), Alpha, Gap. */
  readonly subscriptions?: readonly Subscription[];
  /**
   * Data without FeedStatus (`.npz`): an instrument counts as SYNCED from its first depth record on. A graph runs once its
   * own instrument is; triggers before that send NaN.
   */
  readonly assumeSynced?: boolean;
  /** Depth of BookStats records, levels per side. */
  readonly statsLevels?: number;
  /** Run the interpreter instead of the generated function (tests). */
  readonly interpret?: boolean;
}

export class FactorHandler implements RecordHandler {
  readonly state: FactorState;
  private readonly out: Emitter;
  private readonly f64: Float64Array;
  private readonly slots: Slot[];
  /** Slot by instrument id, null = not ours. */
  private readonly byId: (Slot | null)[];
  private readonly graphs: GraphSlot[];
  private readonly intervals: IntervalSchedule;
  private readonly alwaysForwarded: KindSet;
  private readonly assumeSynced: boolean;
  private readonly statsLevels: number;
  private readonly interpret: boolean;
  private eventBook: boolean;
  private eventTrade: boolean;
  /** Book whose event is open and not forwarded: its further levels go straight there. Null between events. */
  private openBook: L2Book | null;
  private openId: number;
  /** Its levels are applied, as a run. */
  private openRun: Slot | null;
  private readonly level: LevelRecord;
  private forwardedInEvent: number;
  /** Records of instruments that are not configured here. */
  foreign: number;
  /** Events that left a book crossed (see L2Book). */
  crossedEvents: number;
  /** Graph updates done. */
  updates: number;
  /** Changes with every event: a copy of the state in slices is whole when this stayed the same. */
  version: number;

  constructor(options: FactorHandlerOptions) {
    const { state } = options;
    this.state = state;
    this.out = new Emitter(options.sink);
    this.f64 = state.f64;
    this.slots = state.contexts.map((c) => new Slot(c));
    this.byId = [];
    for (const slot of this.slots) {
      while (this.byId.length <= slot.id) this.byId.push(null);
      this.byId[slot.id] = slot;
    }
    this.graphs = [];
    this.intervals = new IntervalSchedule(this.f64);
    this.linkGraphs(options.baseNs);
    this.alwaysForwarded = new KindSet();
    for (const { kind, instrument } of options.subscriptions ?? [])
      subscribe(this.slots, this.alwaysForwarded, kind, instrument);
    this.assumeSynced = options.assumeSynced === true;
    this.statsLevels = options.statsLevels ?? 10;
    this.interpret = options.interpret === true;
    this.eventBook = false;
    this.eventTrade = false;
    this.openBook = null;
    this.openId = 0;
    this.openRun = null;
    this.level = new LevelRecord();
    this.forwardedInEvent = 0;
    this.foreign = 0;
    this.crossedEvents = 0;
    this.updates = 0;
    this.version = 0;
  }

  private linkGraphs(baseNs: bigint): void {
    let firstIndex = 0;
    this.state.graphs.forEach((graph, k) => {
      const setup = this.state.setups[k]!;
      const own = this.byId[setup.instrument];
      assert(own !== null && own !== undefined, "graph runs on an instrument that is not configured");
      const slot = new GraphSlot(graph, own.context, firstIndex, this.state.dueWords + k, baseNs);
      firstIndex += graph.outputCount;
      this.graphs.push(slot);
      const { on } = graph.program.trigger;
      if (on === "book") own.bookGraphs.push(slot);
      else if (on === "trade") own.tradeGraphs.push(slot);
      else this.intervals.graphs.push(slot);
      for (const s of this.slots) if (graph.reads(s.context)) s.readers.push(slot);
    });
  }

  /** Records that did not fit downstream. */
  get lost(): number {
    return this.out.lostTotal;
  }

  /** Windows that reached behind what the contexts keep, or lost samples because they were full. */
  get windowOverflows(): number {
    let total = 0;
    for (let i = 0; i < this.slots.length; i++) total += this.slots[i]!.context.overflows;
    for (let k = 0; k < this.graphs.length; k++) total += this.graphs[k]!.graph.cuts;
    return total;
  }

  /** True between events: arena and books are then the whole state. */
  get betweenEvents(): boolean {
    return !this.eventBook && !this.eventTrade;
  }

  /** Logical time: the latest receive time seen. */
  get nowNs(): number {
    return this.f64[0]!;
  }

  /**
   * The book to which further levels of the open event may go directly, as onRecord would hand them on: a sender in
   * the same thread saves a record per level. Null: no event of the instrument is open, or EXECUTION wants its levels.
   */
  openLevels(instrument: number): L2Book | null {
    return this.openId === instrument ? this.openBook : null;
  }

  onRecord(m: RecordMemory, at: number): void {
    if (this.openBook === null) this.onAnyRecord(m, at);
    else this.onRecords(m, at, 1);
  }

  onRecords(m: RecordMemory, at: number, count: number): void {
    let from = at;
    for (let left = count; left > 0; ) {
      const levels = this.openBook === null ? 0 : furtherLevels(m, from, left, this.openId, this.f64[0]!);
      if (levels > 0) applyLevels(this.openBook!, m, from, levels);
      else this.onAnyRecord(m, from);
      left -= Math.max(levels, 1);
      from += Math.max(levels, 1) * RECORD_BYTES;
    }
  }

  onLevels(run: LevelRun): void {
    this.applyLevels(run);
    this.endLevels(run);
  }

  /** All of an event but what its end brings about. */
  applyLevels(run: LevelRun): void {
    const slot = run.instrument < this.byId.length ? this.byId[run.instrument]! : null;
    const last = run.count - 1;
    if (slot === null || this.eventBook || slot.forwards.has(KIND_DEPTH_DELTA)) {
      for (let k = 0; k < last; k++) this.onAnyRecord(this.level.of(run, k), 0);
      return;
    }
    this.arrive(run.recvTsNs, run.exchTsNs, (run.sequence + last) >>> 0);
    slot.context.observe(this.f64[0]!);
    applyRun(slot.book, run);
    this.openEvent(slot);
    this.openRun = slot;
  }

  endLevels(run: LevelRun): void {
    const slot = this.openRun;
    this.openRun = null;
    if (slot === null) this.onAnyRecord(this.level.of(run, run.count - 1), 0);
    else this.endEvent(slot, run.exchTsNs, run.recvTsNs, null, 0);
  }

  /** A record, or the levels of a message: time moves on before they change anything. */
  private arrive(recvTsNs: number, exchTsNs: number, sequence: number): void {
    if (recvTsNs > this.f64[0]!) this.advance(recvTsNs, exchTsNs);
    this.version = (this.version + 1) | 0;
    this.f64[WORD_SEQUENCE] = sequence;
  }

  private onAnyRecord(m: RecordMemory, at: number): void {
    const recvTsNs = m.f64[(at >> 3) + HEADER_RECV_TS_NS]!;
    this.arrive(recvTsNs, m.f64[(at >> 3) + HEADER_EXCH_TS_NS]!, m.u32[(at >> 2) + HEADER_SEQUENCE]!);
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    const id = m.u16[(at >> 1) + HEADER_INSTRUMENT]!;
    const slot = id < this.byId.length ? this.byId[id]! : null;
    if (slot === null) {
      this.onForeign(m, at, kind, id);
      return;
    }
    slot.context.observe(this.f64[0]!);
    switch (kind) {
      case KIND_DEPTH_DELTA:
        slot.book.apply(
          m.i32[(at >> 2) + DEPTH_DELTA_SIDE]!,
          m.f64[(at >> 3) + DEPTH_DELTA_PX_TICKS]!,
          m.f64[(at >> 3) + DEPTH_DELTA_QTY_LOTS]!,
        );
        this.onDepth(slot, m, at, kind);
        break;
      case KIND_TRADE:
        slot.context.onTrade(
          this.f64[0]!,
          m.f64[(at >> 3) + TRADE_PX_TICKS]!,
          m.f64[(at >> 3) + TRADE_QTY_LOTS]!,
          m.i32[(at >> 2) + TRADE_SIDE]!,
        );
        this.eventTrade = true;
        this.onMarket(slot, m, at, kind);
        break;
      case KIND_DEPTH_CLEAR:
        clearLevels(
          slot.book,
          m.i32[(at >> 2) + DEPTH_CLEAR_SIDE]!,
          m.f64[(at >> 3) + DEPTH_CLEAR_PX_TICKS]!,
        );
        this.onDepth(slot, m, at, kind);
        break;
      case KIND_SNAPSHOT_BEGIN:
        slot.book.beginSnapshot();
        slot.context.flow.forget();
        this.onDepth(slot, m, at, kind);
        break;
      case KIND_SNAPSHOT_END:
        slot.book.endSnapshot();
        this.onDepth(slot, m, at, kind);
        break;
      case KIND_FEED_STATUS:
        this.onFeedStatus(slot, m, at);
        break;
      case KIND_MARK_PRICE:
        slot.context.onMarkPrice(
          m.f64[(at >> 3) + MARK_PRICE_MARK_PX_E8]!,
          m.f64[(at >> 3) + MARK_PRICE_INDEX_PX_E8]!,
          m.f64[(at >> 3) + MARK_PRICE_FUNDING_RATE_E8]!,
        );
        this.onMarket(slot, m, at, kind);
        break;
      case KIND_ALPHA:
        this.onAlpha(m, at);
        this.onMarket(slot, m, at, kind);
        break;
      default:
        this.onMarket(slot, m, at, kind);
    }
  }

  /** Idle or end of a batch: one re-centring slice per book that needs it; a FeedStatus that is owed. */
  onBatchEnd(): void {
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.slots[i]!;
      slot.book.maintain();
      if (slot.statusOwed) this.payStatus(slot);
    }
  }

  /** End of the data: fires what is due at or before the last record (not for live use). */
  finish(): void {
    if (this.intervals.nextDue <= this.f64[0]!) this.fireIntervals(this.f64[0]! + 1, 0);
  }

  /** After a restore: the touch and the timers follow from book and arena; everything is sent again. */
  onRestored(): void {
    for (let i = 0; i < this.slots.length; i++) {
      this.slots[i]!.context.refreshTouch();
      this.slots[i]!.bidPx = -1;
    }
    if (this.f64[0]! >= 0) this.intervals.settle();
  }

  private onForeign(m: RecordMemory, at: number, kind: number, id: number): void {
    if (kind === KIND_ALPHA) this.onAlpha(m, at);
    if (id !== 0) this.foreign++;
    if (this.alwaysForwarded.has(kind) && this.out.room(1)) {
      this.out.forward(m, at, true);
      this.out.publish();
    }
  }

  private onAlpha(m: RecordMemory, at: number): void {
    const index = m.u32[(at >> 2) + ALPHA_SIGNAL_INDEX]!;
    if (!this.state.alphas.set(index, m.f64[(at >> 3) + ALPHA_VALUE]!, this.f64[0]!)) this.foreign++;
  }

  /** A record of a book event, already applied. */
  private onDepth(slot: Slot, m: RecordMemory, at: number, kind: number): void {
    if (!this.eventBook) {
      this.openEvent(slot);
      if (slot.forwards.has(KIND_DEPTH_DELTA)) this.startForwarding(slot, m, at, kind);
    }
    if ((m.u16[(at >> 1) + HEADER_FLAGS]! & FLAG_END_OF_EVENT) !== 0) {
      this.endEventWith(slot, m, at, slot.forwarding);
      return;
    }
    if (slot.forwarding) this.forward(m, at);
    this.openBook = slot.forwarding ? null : slot.book;
    this.openId = slot.id;
  }

  private openEvent(slot: Slot): void {
    this.eventBook = true;
    if (!this.assumeSynced || slot.context.ready) return;
    slot.context.assumeReady(this.f64[0]!);
    slot.feedState = FEED_SYNCED;
  }

  /** All records of a depth event are forwarded, or none. */
  private startForwarding(slot: Slot, m: RecordMemory, at: number, kind: number): void {
    const levels =
      kind === KIND_DEPTH_DELTA
        ? m.u32[(at >> 2) + DEPTH_DELTA_LEVEL_COUNT]!
        : kind === KIND_SNAPSHOT_BEGIN
          ? m.u32[(at >> 2) + SNAPSHOT_BEGIN_LEVEL_COUNT]! + 2
          : 1;
    slot.forwarding = !slot.copyBroken && this.out.fits(levels + ownRecords(slot));
    if (slot.forwarding) return;
    slot.copyBroken = true;
    this.out.lose(levels);
  }

  private forward(m: RecordMemory, at: number): void {
    this.out.forward(m, at, false);
    this.forwardedInEvent++;
  }

  /** A record that is not part of the book: one that does not end its event only waits. */
  private onMarket(slot: Slot, m: RecordMemory, at: number, kind: number): void {
    const flagged = (m.u16[(at >> 1) + HEADER_FLAGS]! & FLAG_END_OF_EVENT) !== 0;
    const ends = flagged || (kind !== KIND_TRADE && kind !== KIND_MARK_PRICE);
    const forward = slot.forwards.has(kind);
    if (ends) this.endEventWith(slot, m, at, forward);
    else if (forward && this.out.room(1)) this.forward(m, at);
  }

  /** The event ends with a record, which goes on when `forward`. */
  private endEventWith(slot: Slot, m: RecordMemory, at: number, forward: boolean): void {
    const recvTsNs = m.f64[(at >> 3) + HEADER_RECV_TS_NS]!;
    this.endEvent(slot, m.f64[(at >> 3) + HEADER_EXCH_TS_NS]!, recvTsNs, forward ? m : null, at);
  }

  /** All of an event is applied: compute, then send, then tidy up. `m`: of a last record that goes on. */
  private endEvent(slot: Slot, exchTsNs: number, recvTsNs: number, m: RecordMemory | null, at: number): void {
    const now = this.f64[0]!;
    const book = this.eventBook;
    if (slot.statusOwed) this.payStatus(slot);
    if (book) slot.context.onBookEvent(now);
    if (book) this.run(slot.bookGraphs, now);
    if (this.eventTrade) this.run(slot.tradeGraphs, now);
    this.send(slot, exchTsNs, recvTsNs, m, at);
    this.eventBook = false;
    this.eventTrade = false;
    this.openBook = null;
    this.forwardedInEvent = 0;
    slot.forwarding = false;
    if (!book) return;
    if (slot.book.crossed) this.crossedEvents++;
    slot.book.maintain();
    if (slot.copyBroken) this.resendBook(slot);
  }

  private run(graphs: readonly GraphSlot[], now: number): void {
    for (let k = 0; k < graphs.length; k++) {
      const g = graphs[k]!;
      g.fresh = this.compute(g, now) || this.assumeSynced;
    }
  }

  /** False when the graph's feeds do not let it run. Without a feed state it runs once its own book has begun. */
  private compute(g: GraphSlot, now: number): boolean {
    if (!(this.assumeSynced ? g.own.ready : g.graph.ready)) return false;
    if (this.interpret) g.graph.interpret(now);
    else g.graph.update(now);
    g.withdrawn = false;
    this.updates++;
    return true;
  }

  /** The event's output: the record itself when subscribed, BookStats, Bbo, Signals; the last one ends it. */
  private send(slot: Slot, exchTsNs: number, recvTsNs: number, m: RecordMemory | null, at: number): void {
    const stats = this.eventBook && slot.context.ready && slot.forwards.has(KIND_BOOK_STATS);
    const signals = freshRecords(slot);
    // An event whose depth records went out must also end downstream, whatever its last record is.
    const open = this.forwardedInEvent > 0 && m === null && !stats && signals === 0 && slot.context.ready;
    const bbo = this.eventBook && (open || bboChanged(slot, this.f64[0]!));
    let left = (m === null ? 0 : 1) + (stats ? 1 : 0) + (bbo ? 1 : 0) + signals;
    if (left === 0) return;
    this.out.about(slot.id, exchTsNs, recvTsNs);
    if (!this.out.room(left)) {
      slot.bidPx = -1;
      if (slot.forwarding) slot.copyBroken = true;
      dropFresh(slot);
      return;
    }
    if (m !== null) this.out.forward(m, at, --left === 0);
    if (stats) this.out.statsOf(--left === 0, slot.book, this.statsLevels);
    if (bbo) this.sendBbo(slot, --left === 0);
    if (signals > 0) {
      left = this.sendFresh(slot.bookGraphs, left);
      this.sendFresh(slot.tradeGraphs, left);
    }
    this.out.publish();
  }

  private sendBbo(slot: Slot, last: boolean): void {
    const book = slot.book;
    slot.bidPx = book.bestBidTicks;
    slot.bidQty = book.bestBidLots;
    slot.askPx = book.bestAskTicks;
    slot.askQty = book.bestAskLots;
    slot.bboTsNs = this.f64[0]!;
    this.out.bbo(last, slot.bidPx, slot.bidQty, slot.askPx, slot.askQty);
  }

  /** Returns how many records of the event are left. */
  private sendFresh(graphs: readonly GraphSlot[], left: number): number {
    for (let k = 0; k < graphs.length; k++) {
      if (graphs[k]!.fresh) left = this.sendSignals(graphs[k]!, left);
    }
    return left;
  }

  private sendSignals(g: GraphSlot, left: number): number {
    const count = g.graph.outputCount;
    for (let i = 0; i < count; i += SIGNALS_PER_RECORD) {
      const n = Math.min(count - i, SIGNALS_PER_RECORD);
      const v0 = g.withdrawn ? NaN : g.graph.output(i);
      const v1 = g.withdrawn || n < 2 ? NaN : g.graph.output(i + 1);
      const v2 = g.withdrawn || n < 3 ? NaN : g.graph.output(i + 2);
      left--;
      this.out.signal(left === 0, g.firstIndex + i, n, v0, v1, v2);
    }
    g.fresh = false;
    return left;
  }

  private onFeedStatus(slot: Slot, m: RecordMemory, at: number): void {
    const state = m.u32[(at >> 2) + FEED_STATUS_STATE]!;
    const reason = m.u32[(at >> 2) + FEED_STATUS_REASON]!;
    const gaps = m.u32[(at >> 2) + FEED_STATUS_GAPS]!;
    const resyncs = m.u32[(at >> 2) + FEED_STATUS_RESYNCS]!;
    const wasReady = slot.context.ready;
    const ready = state === FEED_SYNCED;
    const same = state === slot.feedState && reason === slot.feedReason;
    if (same && gaps === slot.feedGaps && resyncs === slot.feedResyncs) return;
    slot.feedState = state;
    slot.feedReason = reason;
    slot.feedGaps = gaps;
    slot.feedResyncs = resyncs;
    if (ready !== wasReady) slot.context.setReady(ready, this.f64[0]!);
    const withdrawn = wasReady && !ready ? withdraw(slot) : 0;
    const bbo = ready && bboChanged(slot, this.f64[0]!);
    let left = 1 + withdrawn + (bbo ? 1 : 0);
    this.out.about(slot.id, m.f64[(at >> 3) + HEADER_EXCH_TS_NS]!, m.f64[(at >> 3) + HEADER_RECV_TS_NS]!);
    if (!this.out.room(left)) {
      slot.statusOwed = true;
      return;
    }
    this.out.status(--left === 0, state, reason, gaps, resyncs);
    if (bbo) this.sendBbo(slot, --left === 0);
    if (withdrawn > 0) this.sendFresh(slot.readers, left);
    this.out.publish();
  }

  /** The state that did not fit, with the withdrawn outputs; the Bbo follows with the next event. */
  private payStatus(slot: Slot): void {
    let records = 1 + freshenWithdrawn(slot);
    this.out.about(slot.id, 0, this.f64[0]!);
    if (!this.out.fits(records + 1) || !this.out.room(records)) {
      for (let k = 0; k < slot.readers.length; k++) slot.readers[k]!.fresh = false;
      return;
    }
    slot.statusOwed = false;
    slot.bidPx = -1;
    this.out.status(--records === 0, slot.feedState, slot.feedReason, slot.feedGaps, slot.feedResyncs);
    this.sendFresh(slot.readers, records);
    this.out.publish();
  }

  /** EXECUTION lost depth records: it is told STALE, then gets the whole book and the true state again. */
  private resendBook(slot: Slot): void {
    const levels = slot.book.levelCount;
    if (!this.out.room(levels + 4)) return;
    this.out.status(true, FEED_STALE, FEED_REASON_OVERFLOW, slot.feedGaps, slot.feedResyncs);
    this.out.snapshot(slot.book);
    this.out.status(true, slot.feedState, slot.feedReason, slot.feedGaps, slot.feedResyncs);
    slot.copyBroken = false;
    slot.bidPx = -1;
    this.out.publish();
  }

  /** Logical time moves to `recv`: first the instants that have passed. */
  private advance(recv: number, exchTsNs: number): void {
    for (let i = 0; i < this.slots.length; i++) this.slots[i]!.context.tick(recv);
    if (this.intervals.graphs.length > 0) {
      if (this.intervals.nextDue === Infinity) this.intervals.start(recv);
      else if (recv > this.intervals.nextDue) this.fireIntervals(recv, exchTsNs);
    }
    for (let i = 0; i < this.slots.length; i++) this.slots[i]!.context.nowNs = recv;
    this.f64[0] = recv;
  }

  /** Fires every instant before `recv`, in time order. */
  private fireIntervals(recv: number, exchTsNs: number): void {
    const { intervals } = this;
    while (intervals.nextDue < recv) {
      const due = intervals.nextDue;
      this.f64[0] = due;
      for (let k = 0; k < intervals.graphs.length; k++) {
        if (intervals.take(k, due)) this.fire(intervals.graphs[k]!, due, exchTsNs);
      }
      intervals.settle();
    }
  }

  private fire(g: GraphSlot, due: number, exchTsNs: number): void {
    if (!this.compute(g, due) && !this.assumeSynced) return;
    this.out.about(g.instrument, exchTsNs, due);
    if (!this.out.room(g.signalRecords)) return;
    this.sendSignals(g, g.signalRecords);
    this.out.publish();
  }
}
