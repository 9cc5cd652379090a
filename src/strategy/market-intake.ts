// Market records into what EXECUTION knows of the market: view, own books, factor values, alphas. Returns the
// topic bit of each record, so that the handler can let strategies look once per event.
// Hot: execution lane; 0 bytes; O(1) per record, O(subscribers) per signal value.
import type { RecordMemory } from "../core/record.ts";
import { FEED_STALE, FEED_SYNCED } from "../wire/codes.ts";
import { KindSet } from "../wire/kind-set.ts";
import {
  ALPHA_SIGNAL_INDEX,
  ALPHA_VALUE,
  BBO_ASK_PX_TICKS,
  BBO_ASK_QTY_LOTS,
  BBO_BID_PX_TICKS,
  BBO_BID_QTY_LOTS,
  DEPTH_CLEAR_PX_TICKS,
  DEPTH_CLEAR_SIDE,
  DEPTH_DELTA_PX_TICKS,
  DEPTH_DELTA_QTY_LOTS,
  DEPTH_DELTA_SIDE,
  FEED_STATUS_STATE,
  HEADER_EXCH_TS_NS,
  HEADER_RECV_TS_NS,
  KIND_ALPHA,
  KIND_BBO,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_DELTA,
  KIND_FEED_STATUS,
  KIND_MARK_PRICE,
  KIND_SIGNAL,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
  KIND_TRADE,
  MARK_PRICE_FUNDING_RATE_E8,
  MARK_PRICE_MARK_PX_E8,
  MARK_PRICE_NEXT_FUNDING_TS_NS,
  SIGNAL_COUNT,
  SIGNAL_FIRST_INDEX,
  SIGNAL_VALUE0,
  TRADE_PX_TICKS,
  TRADE_QTY_LOTS,
  TRADE_SIDE,
} from "../wire/messages.gen.ts";
import type { ExecutionParts } from "./execution-parts.ts";
import {
  TOPIC_ALPHA,
  TOPIC_BBO,
  TOPIC_DEPTH,
  TOPIC_MARK,
  TOPIC_SIGNAL,
  TOPIC_STATUS,
  TOPIC_TRADE,
} from "./topics.ts";

/** What the book's own stream says; FACTOR repeats an unchanged touch, so a Bbo comes with every live book. */
const BOOK_KINDS = new KindSet([
  KIND_BBO,
  KIND_FEED_STATUS,
  KIND_DEPTH_DELTA,
  KIND_DEPTH_CLEAR,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
]);

/** Global index → the value slots that follow it, as compressed rows. */
class Fanout {
  readonly start: Int32Array;
  readonly targets: Float64Array[];
  readonly slots: Int32Array;

  constructor(rows: { readonly index: number; readonly target: Float64Array; readonly slot: number }[]) {
    const sorted = [...rows].sort((a, b) => a.index - b.index);
    const count = (sorted.at(-1)?.index ?? -1) + 1;
    this.start = new Int32Array(new ArrayBuffer(Math.max(4096, (count + 1) * 4)), 0, count + 1);
    this.targets = sorted.map((row) => row.target);
    this.slots = new Int32Array(new ArrayBuffer(Math.max(4096, sorted.length * 4)), 0, sorted.length);
    sorted.forEach((row, i) => {
      this.slots[i] = row.slot;
    });
    for (let index = 0, at = 0; index <= count; index++) {
      while (at < sorted.length && sorted[at].index < index) at++;
      this.start[index] = at;
    }
  }

  set(index: number, value: number): void {
    if (index + 1 >= this.start.length) return;
    for (let i = this.start[index]; i < this.start[index + 1]; i++) this.targets[i][this.slots[i]] = value;
  }
}

export class MarketIntake {
  private readonly parts: ExecutionParts;
  private readonly factors: Fanout;
  private readonly alphas: Fanout;
  private readonly alphaTimes: Fanout;
  private readonly marked: Uint8Array;

  constructor(parts: ExecutionParts) {
    this.parts = parts;
    const factors: { index: number; target: Float64Array; slot: number }[] = [];
    const alphas: { index: number; target: Float64Array; slot: number }[] = [];
    const times: { index: number; target: Float64Array; slot: number }[] = [];
    for (const { definition, context, id } of parts.strategies) {
      const setup = parts.options.strategies[id - 1];
      (definition.factors ?? []).forEach((name, slot) => {
        factors.push({ index: setup.signals[name], target: context.factors, slot });
      });
      (definition.alphas ?? []).forEach((name, slot) => {
        const index = setup.alphas?.[name];
        if (index === undefined) return;
        alphas.push({ index, target: context.alphas, slot });
        times.push({ index, target: context.alphaTsNs, slot });
      });
    }
    this.factors = new Fanout(factors);
    this.alphas = new Fanout(alphas);
    this.alphaTimes = new Fanout(times);
    this.marked = new Uint8Array(new ArrayBuffer(4096));
  }

  /** Topic bit of the record, 0 when it is none of ours. Instruments beyond the known ones are ignored. */
  apply(m: RecordMemory, at: number, kind: number, instrument: number): number {
    if (instrument >= this.parts.instrumentCount) return 0;
    const f = at >> 3;
    const w = at >> 2;
    const market = this.parts.market;
    // Only the book makes a book fresh: trades and mark prices come over another connection.
    if (BOOK_KINDS.has(kind)) market.recvTsNs[instrument] = m.f64[f + HEADER_RECV_TS_NS];
    switch (kind) {
      case KIND_BBO:
        market.bidPxTicks[instrument] = m.f64[f + BBO_BID_PX_TICKS];
        market.bidQtyLots[instrument] = m.f64[f + BBO_BID_QTY_LOTS];
        market.askPxTicks[instrument] = m.f64[f + BBO_ASK_PX_TICKS];
        market.askQtyLots[instrument] = m.f64[f + BBO_ASK_QTY_LOTS];
        this.noteLag(m, f, instrument);
        return TOPIC_BBO;
      case KIND_SIGNAL: {
        const first = m.u32[w + SIGNAL_FIRST_INDEX];
        const count = m.u32[w + SIGNAL_COUNT];
        for (let i = 0; i < count; i++) this.factors.set(first + i, m.f64[f + SIGNAL_VALUE0 + i]);
        return TOPIC_SIGNAL;
      }
      case KIND_TRADE:
        market.lastTradePxTicks[instrument] = m.f64[f + TRADE_PX_TICKS];
        market.lastTradeQtyLots[instrument] = m.f64[f + TRADE_QTY_LOTS];
        market.lastTradeSide[instrument] = m.i32[w + TRADE_SIDE];
        this.noteLag(m, f, instrument);
        return TOPIC_TRADE;
      case KIND_MARK_PRICE:
        this.mark(m, f, instrument);
        return TOPIC_MARK;
      case KIND_FEED_STATUS:
        this.status(instrument, m.u32[w + FEED_STATUS_STATE]);
        return TOPIC_STATUS;
      case KIND_ALPHA:
        this.alphas.set(m.u32[w + ALPHA_SIGNAL_INDEX], m.f64[f + ALPHA_VALUE]);
        this.alphaTimes.set(m.u32[w + ALPHA_SIGNAL_INDEX], m.f64[f + HEADER_RECV_TS_NS]);
        return TOPIC_ALPHA;
      default:
        return this.depth(m, at, kind, instrument);
    }
  }

  /** Instruments without a mark price of their own are marked at the mid, rounded down. */
  markAtMid(): void {
    const { market, ledger } = this.parts;
    for (let i = 1; i < this.parts.instrumentCount; i++) {
      if (this.marked[i] === 1) continue;
      const mid = market.midTicks(i);
      if (mid > 0) ledger.markTicks[i] = Math.floor(mid);
    }
  }

  private mark(m: RecordMemory, f: number, instrument: number): void {
    const { market, ledger } = this.parts;
    const price = m.f64[f + MARK_PRICE_MARK_PX_E8];
    market.fundingRateE8[instrument] = m.f64[f + MARK_PRICE_FUNDING_RATE_E8];
    market.nextFundingTsNs[instrument] = m.f64[f + MARK_PRICE_NEXT_FUNDING_TS_NS];
    if (!(price > 0)) return;
    ledger.markTicks[instrument] = Math.round(price / this.parts.tickE8[instrument]);
    this.marked[instrument] = 1;
  }

  /** A book that is not synced shows no prices: nothing can quote on what it last said. */
  private status(instrument: number, state: number): void {
    if (instrument === 0) return;
    const market = this.parts.market;
    market.setFeedState(instrument, state);
    if (state === FEED_SYNCED) return;
    market.bidPxTicks[instrument] = Number.NaN;
    market.askPxTicks[instrument] = Number.NaN;
    if (state === FEED_STALE) this.parts.books[instrument]?.clear();
  }

  private depth(m: RecordMemory, at: number, kind: number, instrument: number): number {
    const book = this.parts.books[instrument];
    if (book === null || book === undefined) return 0;
    const f = at >> 3;
    const w = at >> 2;
    if (kind === KIND_DEPTH_DELTA)
      book.apply(
        m.i32[w + DEPTH_DELTA_SIDE],
        m.f64[f + DEPTH_DELTA_PX_TICKS],
        m.f64[f + DEPTH_DELTA_QTY_LOTS],
      );
    else if (kind === KIND_DEPTH_CLEAR)
      book.clearTo(m.i32[w + DEPTH_CLEAR_SIDE], m.f64[f + DEPTH_CLEAR_PX_TICKS]);
    else if (kind === KIND_SNAPSHOT_BEGIN) book.beginSnapshot();
    else if (kind === KIND_SNAPSHOT_END) book.endSnapshot();
    else return 0;
    return TOPIC_DEPTH;
  }

  private noteLag(m: RecordMemory, f: number, instrument: number): void {
    const exchTsNs = m.f64[f + HEADER_EXCH_TS_NS];
    if (exchTsNs > 0 && this.parts.market.isSynced(instrument))
      this.parts.storm.seen(exchTsNs, m.f64[f + HEADER_RECV_TS_NS]);
  }
}
