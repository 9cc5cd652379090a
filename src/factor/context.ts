// Factor context of one instrument: the book, the trade tape, order flow, time-weighted values and book
// history, with the window queries that factors (and strategies) ask. Live, backtest and replay use this class.
// Hot: factor lane; 0 bytes per call; O(1) or O(log capacity) each.
//
// Everything that has a past lies in the factor arena (one Float64Array), so a checkpoint of the arena and of
// the book's levels is a checkpoint of the context. Windows are (now − duration, now] in receive time.
import { parseDecimal } from "../core/decimal.ts";
import { BookHistory, NOT_HELD } from "../market/book-history.ts";
import { bookPressure } from "../market/book-stats.ts";
import { L2Book } from "../market/l2-book.ts";
import { OrderFlow } from "../market/order-flow.ts";
import { StepIntegral } from "../market/step-integral.ts";
import { TradeTape } from "../market/trade-tape.ts";
import type { AlphaBoard } from "./alpha-board.ts";

/** Capacities of one context; powers of two where a ring needs it. */
export interface ContextConfig {
  /** Trades kept. */
  readonly tradeCapacity: number;
  /** Book events kept for order flow; 0 levels = none kept. */
  readonly flowCapacity: number;
  readonly flowLevels: number;
  /** Changes of a held value kept for TWAP and windowed book pressure. */
  readonly integralCapacity: number;
  readonly midIntegral: boolean;
  /** One entry per time-weighted book pressure: its number of levels. */
  readonly pressureLevels: readonly number[];
  readonly snapshotIntervalNs: number;
  readonly historyDurationNs: number;
  /** Levels per snapshot and side; 0 = no history. */
  readonly historyLevels: number;
  readonly bands: number;
}

export const DEFAULT_CONTEXT: ContextConfig = {
  tradeCapacity: 16_384,
  flowCapacity: 16_384,
  flowLevels: 0,
  integralCapacity: 16_384,
  midIntegral: false,
  pressureLevels: [],
  snapshotIntervalNs: 100_000_000,
  historyDurationNs: 10_000_000_000,
  historyLevels: 0,
  bands: 0,
};

/** What a context must know of its instrument. */
export interface ContextInstrument {
  readonly id: number;
  readonly symbol: string;
  /** Decimal strings. */
  readonly tickSize: string;
  readonly lotSize: string;
}

const SCALARS = 16;
const MARK_PX = 0;
const INDEX_PX = 1;
const FUNDING_RATE = 2;
const START_TS = 3;
const BOOK_EVENTS = 4;
const BOOK_READY = 5;

const historyCapacity = (k: ContextConfig): number =>
  Math.ceil(k.historyDurationNs / k.snapshotIntervalNs) + 1;

/** Arena words of a context, term by term: what, and how many. */
export function contextTerms(k: ContextConfig): readonly (readonly [what: string, words: number])[] {
  const flow = k.flowLevels > 0 ? k.flowCapacity : 1;
  const snapshots = k.historyLevels > 0 ? historyCapacity(k) : 1;
  const pressures = k.pressureLevels.length;
  return [
    ["scalars", SCALARS],
    [`${k.tradeCapacity} trades`, TradeTape.words(k.tradeCapacity)],
    [`order flow of ${flow} events × ${k.flowLevels} levels`, OrderFlow.words(k.flowLevels, flow)],
    ["mids over time", StepIntegral.words(k.midIntegral ? k.integralCapacity : 1)],
    [`${pressures} pressures over time`, pressures * StepIntegral.words(k.integralCapacity)],
    [`${snapshots} snapshots × ${k.historyLevels} levels`, BookHistory.words(k.historyLevels, snapshots)],
  ];
}

export const contextWords = (k: ContextConfig): number =>
  contextTerms(k).reduce((sum, [, words]) => sum + words, 0);

export class InstrumentContext {
  readonly instrument: ContextInstrument;
  readonly config: ContextConfig;
  readonly book: L2Book;
  readonly trades: TradeTape;
  readonly flow: OrderFlow;
  readonly history: BookHistory;
  readonly alphas: AlphaBoard;
  private readonly mids: StepIntegral;
  private readonly pressures: StepIntegral[];
  private readonly f64: Float64Array;
  private readonly scalars: number;
  /** A tick is tickNumerator / tickDenominator, so ticks · n / d is the correctly rounded price. */
  readonly tickNumerator: number;
  readonly tickDenominator: number;
  readonly lotNumerator: number;
  readonly lotDenominator: number;
  readonly tickSize: number;
  readonly lotSize: number;
  /** Logical time of the trigger being computed, ns since the session base. */
  nowNs: number;
  /** Touch after the last book event, price units; NaN when the book is not ready or the side is empty. */
  bidPx: number;
  askPx: number;
  midPx: number;

  /** `offset`: first of contextWords(config) zeroed words of `f64`. */
  constructor(
    instrument: ContextInstrument,
    config: ContextConfig,
    f64: Float64Array,
    offset: number,
    alphas: AlphaBoard,
  ) {
    this.instrument = instrument;
    this.config = config;
    this.f64 = f64;
    this.scalars = offset;
    this.book = new L2Book({ bands: config.bands });
    let at = offset + SCALARS;
    this.trades = new TradeTape(f64, at, config.tradeCapacity);
    at += TradeTape.words(config.tradeCapacity);
    const flowCapacity = config.flowLevels > 0 ? config.flowCapacity : 1;
    this.flow = new OrderFlow(f64, at, config.flowLevels, flowCapacity);
    at += OrderFlow.words(config.flowLevels, flowCapacity);
    const midCapacity = config.midIntegral ? config.integralCapacity : 1;
    this.mids = new StepIntegral(f64, at, midCapacity);
    at += StepIntegral.words(midCapacity);
    this.pressures = [];
    for (let k = 0; k < config.pressureLevels.length; k++) {
      this.pressures.push(new StepIntegral(f64, at, config.integralCapacity));
      at += StepIntegral.words(config.integralCapacity);
    }
    const snapshots = config.historyLevels > 0 ? historyCapacity(config) : 1;
    this.history = new BookHistory(f64, at, config.historyLevels, snapshots, config.snapshotIntervalNs);
    this.alphas = alphas;
    const tick = parseDecimal(instrument.tickSize);
    const lot = parseDecimal(instrument.lotSize);
    this.tickNumerator = Number(tick.units);
    this.tickDenominator = 10 ** tick.decimals;
    this.lotNumerator = Number(lot.units);
    this.lotDenominator = 10 ** lot.decimals;
    this.tickSize = Number(instrument.tickSize);
    this.lotSize = Number(instrument.lotSize);
    this.nowNs = 0;
    this.bidPx = NaN;
    this.askPx = NaN;
    this.midPx = NaN;
    f64[offset + MARK_PX] = NaN;
    f64[offset + INDEX_PX] = NaN;
    f64[offset + FUNDING_RATE] = NaN;
    f64[offset + START_TS] = NaN;
  }

  /** Price units; correctly rounded when numerator · ticks < 2^53. */
  toPx(ticks: number): number {
    return (ticks * this.tickNumerator) / this.tickDenominator;
  }

  toQty(lots: number): number {
    return (lots * this.lotNumerator) / this.lotDenominator;
  }

  /** Windows that reached behind what is held: trades, order flow, held values. */
  get overflows(): number {
    let total = this.trades.overflows + this.flow.overflows + this.mids.overflows;
    for (let k = 0; k < this.pressures.length; k++) total += this.pressures[k]!.overflows;
    return total;
  }

  /** Receive time of the first record. */
  get startTsNs(): number {
    return this.f64[this.scalars + START_TS]!;
  }

  /** Book events so far. */
  get bookEvents(): number {
    return this.f64[this.scalars + BOOK_EVENTS]!;
  }

  /** True when the book may be used: the feed is synced. */
  get ready(): boolean {
    return this.f64[this.scalars + BOOK_READY] !== 0;
  }

  get markPx(): number {
    return this.f64[this.scalars + MARK_PX]!;
  }

  get indexPx(): number {
    return this.f64[this.scalars + INDEX_PX]!;
  }

  get fundingRate(): number {
    return this.f64[this.scalars + FUNDING_RATE]!;
  }

  /** First record of the instrument: windows by time are full when this lies behind them. */
  observe(tsNs: number): void {
    const start = this.scalars + START_TS;
    if (Number.isNaN(this.f64[start]!)) this.f64[start] = tsNs;
  }

  /** Before anything received at `tsNs` is applied anywhere: takes the snapshot whose instant has passed. */
  tick(tsNs: number): void {
    if (this.config.historyLevels > 0 && this.ready) this.history.advance(tsNs, this.book);
  }

  /** Data without a feed state: ready from now on, with the book event at hand as its first. */
  assumeReady(tsNs: number): void {
    this.f64[this.scalars + BOOK_READY] = 1;
    this.history.start(tsNs);
    this.flow.forget();
  }

  /** The feed's state changed; what the book says counts only while it is ready. */
  setReady(ready: boolean, tsNs: number): void {
    this.f64[this.scalars + BOOK_READY] = ready ? 1 : 0;
    if (ready) {
      this.history.start(tsNs);
      this.flow.forget();
      this.onBookEvent(tsNs);
    } else {
      this.refreshTouch();
      this.mids.push(tsNs, NaN);
      for (let k = 0; k < this.pressures.length; k++) this.pressures[k]!.push(tsNs, NaN);
    }
  }

  /** After the last record of an event that changed the book. */
  onBookEvent(tsNs: number): void {
    this.refreshTouch();
    if (this.f64[this.scalars + BOOK_READY] === 0) return;
    const config = this.config;
    this.f64[this.scalars + BOOK_EVENTS] = this.f64[this.scalars + BOOK_EVENTS]! + 1;
    if (config.flowLevels > 0) this.flow.update(tsNs, this.book);
    if (config.midIntegral) this.mids.push(tsNs, this.book.bestBidTicks + this.book.bestAskTicks);
    for (let k = 0; k < this.pressures.length; k++) {
      this.pressures[k]!.push(tsNs, bookPressure(this.book, config.pressureLevels[k]!));
    }
  }

  onTrade(tsNs: number, pxTicks: number, qtyLots: number, side: number): void {
    this.trades.push(tsNs, pxTicks, qtyLots, side);
  }

  /** In 1e-8 units, as the record carries them. */
  onMarkPrice(markPxE8: number, indexPxE8: number, fundingRateE8: number): void {
    this.f64[this.scalars + MARK_PX] = markPxE8 / 1e8;
    this.f64[this.scalars + INDEX_PX] = indexPxE8 / 1e8;
    this.f64[this.scalars + FUNDING_RATE] = fundingRateE8 / 1e8;
  }

  /** Recomputes the touch from the book (after an event, after a restore). */
  refreshTouch(): void {
    const ready = this.f64[this.scalars + BOOK_READY] !== 0;
    const bid = ready ? this.book.bestBidTicks : NaN;
    const ask = ready ? this.book.bestAskTicks : NaN;
    this.bidPx = (bid * this.tickNumerator) / this.tickDenominator;
    this.askPx = (ask * this.tickNumerator) / this.tickDenominator;
    this.midPx = (this.bidPx + this.askPx) / 2;
  }

  /** Handle of the last snapshot at or before `tsNs` (read it through `history`), NOT_HELD when that is too old. */
  bookAt(tsNs: number): number {
    return tsNs < this.nowNs - this.config.historyDurationNs ? NOT_HELD : this.history.bookAt(tsNs);
  }

  /** First trade of the window (sequence number); the window ends before `trades.count`. */
  tradesInWindow(durationNs: number): number {
    return this.trades.firstAfter(this.nowNs - durationNs);
  }

  /** Latest value of a named alpha (`alphas.indexOf(name)`), NaN when none came. */
  alpha(index: number): number {
    return this.alphas.value(index);
  }

  /** Age of that value in ns, NaN when none came. */
  alphaAgeNs(index: number): number {
    return this.nowNs - this.alphas.tsNs(index);
  }

  /** Σ px·qty / Σ qty of the window, price units; NaN without trades. */
  vwap(durationNs: number): number {
    const first = this.tradesInWindow(durationNs);
    return (this.trades.valueSince(first) / this.trades.qtySince(first)) * this.tickSize;
  }

  /** Time-weighted mean of the mid, price units; NaN while the history is shorter than the window. */
  twap(durationNs: number): number {
    return this.toPx(this.mids.mean(this.nowNs, durationNs) / 2);
  }

  /** Order-flow imbalance of the best level over the window, quantity units. */
  ofi(durationNs: number): number {
    return this.toQty(this.flow.sumSince(this.flow.firstAfter(this.nowNs - durationNs), 0));
  }

  /** Time-weighted mean of book pressure number `index` (see config.pressureLevels). */
  bookPressure(durationNs: number, index = 0): number {
    return this.pressures[index]!.mean(this.nowNs, durationNs);
  }

  /** Trades per second of the window. */
  tradeIntensity(durationNs: number): number {
    return ((this.trades.count - this.tradesInWindow(durationNs)) * 1e9) / durationNs;
  }
}
