// The live pipeline under the backtest's clock (DESIGN 1, 11): FACTOR's and EXECUTION's own handlers, chained
// without rings; the market comes from event rows, orders go to an exchange inside the process.
//
//   rows ─┬─(local_ts)─▶ LocalSide ─▶ FactorHandler ─▶ ExecutionHandler ─▶ ModelExchange ◀─ ExchangeSide ◀─┐
//         │                                                 ▲  reports, after the response latency          │
//         └────────────────────────────(exch_ts)────────────┴──────────────────────────────────────────────┘
//
// Instants of the trader's side are market events, reports and timers; of the exchange's side market events and
// requests. The exchange never sees the trader's side but through requests, and a request arrives no earlier than
// it is sent: so everything of the exchange up to the trader's next instant, which may be a report that is made on the
// way, runs first. At one instant the order is market event, report, timer (trader), then market event, request
// (exchange), instruments in their order.
// Hot: 0 bytes per row.

import type { RunResult } from "../../analytics/run-result.ts";
import { allocateRecordMemory, type RecordMemory } from "../../core/record.ts";
import type { EventFeed } from "../../data/event-feed.ts";
import { DenseBook } from "../../exchange/dense-book.ts";
import { L3Levels } from "../../exchange/l3-levels.ts";
import { L3MarketBook } from "../../exchange/l3-market-book.ts";
import { ModelExchange, type ModelMarketOptions } from "../../exchange/model-exchange.ts";
import type { RequestLatency } from "../../exchange/request-latency.ts";
import { makeFactorState } from "../../factor/factor-state.ts";
import { FactorHandler } from "../../factor/handler.ts";
import type { GraphSetup } from "../../factor/signal-registry.ts";
import type { Subscription } from "../../factor/slots.ts";
import { FusedPipe } from "../../lane/pipe.ts";
import type { KillWordReader } from "../../risk/kill-word.ts";
import type { InstrumentLimitOverrides, RiskSettings } from "../../risk/limits.ts";
import { ExecutionHandler } from "../../strategy/execution-handler.ts";
import type { StrategySetup } from "../../strategy/execution-parts.ts";
import { KILL_ARMED, KILL_KILLED, OBSERVED_KILL_WORD } from "../../wire/codes.ts";
import { encodeObservation, encodeTimer, FLAG_END_OF_EVENT } from "../../wire/messages.gen.ts";
import { ExchangeSide } from "./exchange-side.ts";
import { LocalSide } from "./local-side.ts";
import { type FundingTerms, MarketFunding } from "./market-funding.ts";
import { RunRecorder } from "./run-recorder.ts";
import { TallySink } from "./sinks.ts";

const NEVER = Number.POSITIVE_INFINITY;
const TIMER_ID = 1;
const NONCE_LO = 1;

/** What a step was. */
export const STEP_NONE = 0;
export const STEP_MARKET = 1;
export const STEP_REPORT = 2;
export const STEP_TIMER = 3;

export interface PipelineMarket extends Omit<ModelMarketOptions, "book" | "byOrder"> {
  readonly feed: EventFeed;
  /** Market-by-order rows: own orders have exact places (l3-fifo), `queue` is not asked. */
  readonly marketByOrder?: boolean;
  /** Absent or null: nothing is paid. */
  readonly funding?: FundingTerms | null;
}

export interface PipelineOptions {
  /** Instrument ids 1 … n in order. */
  readonly markets: readonly PipelineMarket[];
  /** ns since the Unix epoch; every feed's base. */
  readonly baseNs: bigint;
  readonly graphs: readonly GraphSetup[];
  readonly strategies: readonly StrategySetup[];
  /** What EXECUTION wants forwarded. */
  readonly subscriptions: readonly Subscription[];
  readonly risk: RiskSettings;
  readonly instrumentLimits: readonly InstrumentLimitOverrides[];
  readonly maxOrders: number;
  readonly assets: readonly string[];
  readonly latency: RequestLatency;
  readonly walletE8: bigint;
  /** EXECUTION's own timer, ns. */
  readonly timerNs: number;
  /** Timer of the market stream, for interval triggers; 0 = none. */
  readonly marketTimerNs: number;
  readonly stateIntervalNs: number;
  /** A callback of a strategy threw. */
  readonly onException: (strategy: number, error: unknown) => void;
}

/** Set by EXECUTION's own limits; nobody else is there to set it. */
class RunKillWord implements KillWordReader {
  state = KILL_ARMED;

  load(): number {
    return this.state;
  }
}

export class PipelineBacktest {
  readonly execution: ExecutionHandler;
  readonly exchange: ModelExchange;
  readonly recorder: RunRecorder;
  readonly tally = new TallySink();
  /** Time of the trader's side, ns since the base. */
  nowNs = 0;
  /** Why EXECUTION killed itself, and when; "" = it did not. */
  killed = "";
  private readonly options: PipelineOptions;
  private readonly factor: FactorHandler;
  private readonly locals: readonly LocalSide[];
  private readonly exchanges: readonly ExchangeSide[];
  private readonly killWord = new RunKillWord();
  private readonly scratch: RecordMemory = allocateRecordMemory(1);
  private nextTimerNs = NEVER;
  private nextMarketTimerNs = NEVER;
  private nextFundingNs = NEVER;
  /** The rows are over. */
  ended = false;
  /** The first rows were read. */
  started = false;
  private killDue = false;

  constructor(options: PipelineOptions) {
    this.options = options;
    const { markets } = options;
    const instruments = markets.map((m) => m.instrument);
    this.recorder = new RunRecorder({
      markets,
      strategies: options.strategies.map((s) => s.name),
      stateIntervalNs: options.stateIntervalNs,
    });
    // EXECUTION needs the exchange and the exchange's reports need EXECUTION: the pipe is opened between them.
    const reports = new LateHandler();
    const books = markets.map((m) => (m.marketByOrder === true ? new L3Levels() : new DenseBook()));
    this.exchange = new ModelExchange({
      markets: markets.map((m, i) => ({ ...m, ...bookOf(books[i]!) })),
      latency: options.latency,
      sink: new FusedPipe(reports),
      assets: options.assets,
      nonceLo: NONCE_LO,
      nonceHi: 0,
      walletE8: options.walletE8,
      nowNs: () => this.execution.parts.desk.nowNs,
      observer: this.recorder,
    });
    this.execution = new ExecutionHandler({
      instruments,
      strategies: options.strategies,
      risk: options.risk,
      instrumentLimits: options.instrumentLimits,
      assets: options.assets,
      nonceLo: NONCE_LO,
      nonceHi: 0,
      maxOrders: options.maxOrders,
      gateway: this.exchange,
      orders: this.tally,
      telemetry: this.tally,
      killWord: this.killWord,
      latchKill: (reason) => this.latch(reason),
      stampNs: () => 0,
      timerId: TIMER_ID,
      onException: options.onException,
    });
    reports.handler = this.execution;
    const state = makeFactorState({ instruments, graphs: options.graphs });
    this.factor = new FactorHandler({
      state,
      sink: new FusedPipe(this.execution),
      baseNs: options.baseNs,
      subscriptions: options.subscriptions,
    });
    for (const { feed, instrument, marketByOrder } of markets) {
      feed.countLots(Number(instrument.lotSize));
      feed.treatOrders(marketByOrder === true ? "kept" : "refused");
    }
    this.locals = markets.map(
      (m, i) =>
        new LocalSide({
          feed: m.feed,
          factor: this.factor,
          book: state.contexts[i]!.book,
          instrument: m.instrument.id,
          byOrder: m.marketByOrder === true,
        }),
    );
    this.exchanges = markets.map(
      (m, i) =>
        new ExchangeSide(
          m.feed,
          this.exchange,
          m.instrument,
          books[i]!,
          new MarketFunding(m.funding ?? null),
          this.recorder.mids,
        ),
    );
  }

  /** ns since the Unix epoch of time 0. */
  get baseNs(): bigint {
    return this.options.baseNs;
  }

  /** Event rows decoded so far. */
  get rows(): number {
    return this.options.markets.reduce((sum, m) => sum + m.feed.rows, 0);
  }

  /** Decodes the first rows and starts the strategies. Throws DataFileError. */
  start(): void {
    for (const side of this.exchanges) side.cursor.start();
    for (const side of this.locals) side.cursor.start();
    const first = Math.min(this.nextLocalNs, this.nextExchangeRowNs);
    if (first === NEVER) return;
    const { timerNs, marketTimerNs } = this.options;
    this.nowNs = first;
    this.nextTimerNs = (Math.floor(first / timerNs) + 1) * timerNs;
    if (marketTimerNs > 0) this.nextMarketTimerNs = (Math.floor(first / marketTimerNs) + 1) * marketTimerNs;
    for (const { funding } of this.exchanges) funding.start(first, this.options.baseNs);
    this.setNextFunding();
    this.recorder.start(this.execution, first);
    this.started = true;
    this.exchange.open(first);
  }

  /** Runs to the end of the data. */
  runAll(): void {
    if (!this.started) this.start();
    while (this.step(NEVER) !== STEP_NONE);
  }

  /**
   * Processes the trader's next instant if it is at or before `untilNs`, and everything of the exchange before it.
   * Returns what it was: STEP_…; STEP_NONE: nothing is left up to `untilNs`, or the rows are over (`ended`).
   */
  step(untilNs: number): number {
    const local = this.earliestLocal();
    const localNs = local.cursor.nextTs;
    const nextNs = Math.min(localNs, this.exchange.nextReportNs, this.nextTimerNs, this.nextMarketTimerNs);
    const bound = Math.min(nextNs, untilNs);
    this.runExchange(bound);
    // A report may have been made that comes before.
    const reportNs = this.exchange.nextReportNs;
    if (localNs === NEVER && this.nextExchangeRowNs === NEVER && !(reportNs <= this.nowNs)) {
      this.ended = true;
      return STEP_NONE;
    }
    const atNs = Math.min(nextNs, reportNs);
    if (atNs > untilNs) return STEP_NONE;
    if (atNs > this.recorder.dueNs) this.recorder.advance(atNs);
    if (atNs > this.nowNs) this.nowNs = atNs;
    const what = localNs <= atNs ? STEP_MARKET : reportNs <= atNs ? STEP_REPORT : STEP_TIMER;
    if (what === STEP_MARKET) local.event();
    else if (what === STEP_REPORT) this.exchange.deliver();
    else if (this.nextMarketTimerNs <= atNs) this.marketTimer(atNs);
    else this.timer(atNs);
    if (this.killDue) this.observeKill();
    return what;
  }

  /** Nothing happened up to `tsNs`: EXECUTION's time moves there, as by a timer. */
  passTo(tsNs: number): void {
    if (tsNs > this.recorder.dueNs) this.recorder.advance(tsNs);
    this.nowNs = tsNs;
    this.encodeTimer(tsNs, this.options.timerNs);
    this.execution.onRecord(this.scratch, 0);
    if (this.killDue) this.observeKill();
  }

  /** The trader's book of an instrument, and the times of the last event that moved it. */
  local(instrument: number): LocalSide {
    return this.locals[instrument - 1]!;
  }

  /** The result so far. `failure`: why the run ended before its data. */
  finish(failure: string | null = null): RunResult {
    const { markets, baseNs, walletE8 } = this.options;
    const currency = markets[0]!.instrument.settle;
    return this.recorder.finish(this.nowNs, {
      baseNs,
      rows: this.rows,
      startBalance: { [currency]: Number(walletE8) / 1e8 },
      failure: failure ?? (this.killed === "" ? null : this.killed),
    });
  }

  close(): void {
    for (const m of this.options.markets) m.feed.close();
  }

  private get nextLocalNs(): number {
    return this.earliestLocal().cursor.nextTs;
  }

  private get nextExchangeRowNs(): number {
    let first = NEVER;
    for (let i = 0; i < this.exchanges.length; i++) first = Math.min(first, this.exchanges[i]!.cursor.nextTs);
    return first;
  }

  private earliestLocal(): LocalSide {
    let best = this.locals[0]!;
    for (let i = 1; i < this.locals.length; i++)
      if (this.locals[i]!.cursor.nextTs < best.cursor.nextTs) best = this.locals[i]!;
    return best;
  }

  /** Market rows, requests and funding of the exchange up to `bound`, in the order of time. */
  private runExchange(bound: number): void {
    const { exchange, exchanges } = this;
    const { mids } = this.recorder;
    if (this.asleep && this.nextFundingNs > bound && mids.nextNs > bound) return;
    for (;;) {
      const requestNs = exchange.nextRequestNs;
      const next = Math.min(requestNs, this.nextFundingNs, mids.nextNs);
      const to = Math.min(bound, next, exchange.nextReportNs);
      if (exchanges.length === 1) exchanges[0]!.run(to);
      else this.runMerged(to);
      // A row may have made a fill, whose mid comes first, or a report, at which the trader acts first.
      if (mids.nextNs < next) continue;
      if (!(next <= Math.min(bound, exchange.nextReportNs))) return;
      if (mids.nextNs === next) mids.take(this.exchangeMid);
      else if (requestNs === next) exchange.processRequest();
      else this.payFunding();
    }
  }

  /** By index of the instrument; NaN when a side is empty or the rows are over. */
  private readonly exchangeMid = (index: number): number => {
    const side = this.exchanges[index]!;
    const over = side.cursor.nextTs === NEVER && this.locals[index]!.cursor.nextTs === NEVER;
    return over ? Number.NaN : side.midTicks;
  };

  private payFunding(): void {
    for (const side of this.exchanges) if (side.funding.nextNs === this.nextFundingNs) side.payFunding();
    this.setNextFunding();
  }

  private setNextFunding(): void {
    this.nextFundingNs = Math.min(...this.exchanges.map((side) => side.funding.nextNs));
  }

  /**
   * No order works and none is under way: nobody can tell when rows move the exchange's books, so they wait, at most
   * until the trader's side leaves their chunk, and are then applied in one go.
   */
  private get asleep(): boolean {
    const { exchange, exchanges, locals } = this;
    if (exchange.nextRequestNs !== NEVER) return false;
    for (let i = 0; i < exchanges.length; i++) {
      const side = exchanges[i]!;
      if (!side.idle || side.cursor.chunk !== locals[i]!.cursor.chunk || side.cursor.chunk === null)
        return false;
    }
    return true;
  }

  /** Reports of several instruments leave in the order of time, so their events are merged. */
  private runMerged(bound: number): void {
    for (;;) {
      let best = this.exchanges[0]!;
      for (let i = 1; i < this.exchanges.length; i++)
        if (this.exchanges[i]!.cursor.nextTs < best.cursor.nextTs) best = this.exchanges[i]!;
      if (!(best.cursor.nextTs <= Math.min(bound, this.exchange.nextReportNs, this.recorder.mids.nextNs)))
        return;
      best.run(best.cursor.nextTs);
    }
  }

  private timer(atNs: number): void {
    const { timerNs } = this.options;
    this.nextTimerNs = atNs + timerNs;
    this.encodeTimer(atNs, timerNs);
    this.execution.onRecord(this.scratch, 0);
  }

  private marketTimer(atNs: number): void {
    const { marketTimerNs } = this.options;
    this.nextMarketTimerNs = atNs + marketTimerNs;
    this.encodeTimer(atNs, marketTimerNs);
    this.factor.onRecord(this.scratch, 0);
  }

  private encodeTimer(atNs: number, intervalNs: number): void {
    encodeTimer(this.scratch, 0, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, atNs, TIMER_ID, intervalNs, atNs);
  }

  /** A limit was broken: from here on only cancels, to the end of the data. */
  private latch(reason: number): void {
    if (this.killWord.state !== KILL_ARMED) return;
    this.killWord.state = KILL_KILLED;
    const why = reason === 1 ? "daily loss limit" : "drawdown limit";
    const at = new Date(
      Number((this.options.baseNs + BigInt(Math.floor(this.nowNs))) / 1_000_000n),
    ).toISOString();
    this.killed = `killed at ${at}: ${why}`;
    this.killDue = true;
  }

  /** As live: what the word says reaches EXECUTION as a record of its own. */
  private observeKill(): void {
    this.killDue = false;
    encodeObservation(
      this.scratch,
      0,
      FLAG_END_OF_EVENT,
      0,
      0,
      0,
      0,
      0,
      this.nowNs,
      OBSERVED_KILL_WORD,
      KILL_KILLED,
      0,
      0,
    );
    this.execution.onRecord(this.scratch, 0);
  }
}

/** What the matching engine needs of the exchange side's market. */
function bookOf(market: DenseBook | L3Levels): Pick<ModelMarketOptions, "book" | "byOrder"> {
  if (market instanceof DenseBook) return { book: market };
  return { book: new L3MarketBook(market.book), byOrder: market.book };
}

/** A handler that is known later than the pipe to it. */
class LateHandler {
  handler: ExecutionHandler | null = null;

  onRecord(m: RecordMemory, at: number): void {
    this.handler!.onRecord(m, at);
  }

  onBatchEnd(): void {
    this.handler!.onBatchEnd();
  }
}
