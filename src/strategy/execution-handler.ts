// The EXECUTION component: everything it receives (factor outputs, reports, fills, timers, control,
// observations) in, requests and records out. One record runs to completion before the next.
// Hot: execution lane; 0 bytes; per event O(strategies + what their quoters do).
//
// Logical time = max(previous, receive time of the record at hand); no clock is read but for latency stamps.
// Strategies look once per event (END_OF_EVENT), never at half of one. What makes an order wrong (book not
// synced or silent, account not reconciled, kill, halt, pause, error) cancels it here, whatever the strategy
// does; cancels are repeated by the sweep until their outcome is proven.

import type { RecordHandler, RecordMemory } from "../core/record.ts";
import { NO_ORDER } from "../order/order-table.ts";
import { LOSS_DRAWDOWN, LOSS_HARD, LOSS_NONE } from "../risk/loss-guard.ts";
import { STORM_HALT } from "../risk/storm-guard.ts";
import {
  FEED_SYNCED,
  KILL_ARMED,
  OBSERVED_DEAD_MAN,
  OBSERVED_KILL_WORD,
  OBSERVED_RATE_BUDGET,
  OBSERVED_SUSPENSION,
  SIDE_BUY,
  SIDE_SELL,
  STRATEGY_RUNNING,
  STRATEGY_STARTING,
} from "../wire/codes.ts";
import {
  FEED_STATUS_STATE,
  FLAG_END_OF_EVENT,
  FLAG_MORE,
  FLAG_SNAPSHOT,
  HEADER_EXCH_TS_NS,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  HEADER_RECV_TS_NS,
  KIND_ALPHA,
  KIND_BALANCE,
  KIND_CONTROL,
  KIND_FEED_STATUS,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_FUNDING,
  KIND_OBSERVATION,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  KIND_POSITION,
  KIND_POSITION_DETAIL,
  KIND_SIGNAL,
  KIND_TEXT,
  KIND_TIMER,
  OBSERVATION_CODE,
  OBSERVATION_VALUE0,
  OBSERVATION_VALUE1,
  TIMER_TIMER_ID,
} from "../wire/messages.gen.ts";
import { AccountIntake } from "./account-intake.ts";
import { CarryJournal } from "./carry.ts";
import { Closer } from "./closer.ts";
import { Commands } from "./commands.ts";
import { Controller, STATUS_DAILY_LOSS, STATUS_START } from "./controller.ts";
import { COUNT_RECORDS } from "./execution-counters.ts";
import {
  type ExecutionOptions,
  ExecutionParts,
  KILL_BY_DAILY_LOSS,
  KILL_BY_DRAWDOWN,
  type RunningStrategy,
} from "./execution-parts.ts";
import { MarketIntake } from "./market-intake.ts";
import { Quotes } from "./quotes.ts";
import { Runner } from "./runner.ts";
import {
  QUOTE_TOPICS,
  TOPIC_BBO,
  TOPIC_DEPTH,
  TOPIC_FILL,
  TOPIC_REPORT,
  TOPIC_SIGNAL,
  TOPIC_TICK,
  TOPIC_TRADE,
} from "./topics.ts";
import { WHY_BOOK, WHY_EXCEPTION, WHY_KILLED } from "./why.ts";

/** While killed, the venue's cancel-all is repeated this often until nothing is live. */
const KILL_REPEAT_NS = 500e6;
const DEFAULT_TICK_NS = 0;

const CALL_START = 0;
const CALL_SIGNAL = 1;
const CALL_TRADE = 2;
const CALL_BOOK = 3;
const CALL_ORDER = 4;
const CALL_TICK = 5;
const CALL_STOP = 6;
const CALL_QUOTE = 7;

export class ExecutionHandler implements RecordHandler {
  readonly parts: ExecutionParts;
  readonly account: AccountIntake;
  readonly controller: Controller;
  private readonly carry: CarryJournal;
  private readonly market: MarketIntake;
  private readonly runner: Runner;
  private readonly quotes: Quotes;
  private readonly commands: Commands;
  private readonly closer: Closer;
  private readonly pending: Int32Array;
  private nowNs: number;
  private heldKind: number;
  private controlDue: boolean;
  private lastCancelAllNs: number;
  private nextSnapshotNs: number;
  private openingDue: boolean;

  /** Throws RangeError with every problem of strategies, parameters and limits. */
  constructor(options: ExecutionOptions) {
    const parts = new ExecutionParts(options);
    this.parts = parts;
    this.carry = new CarryJournal(parts);
    this.account = new AccountIntake(parts, this.carry);
    this.controller = new Controller(
      parts.strategyCount,
      parts.table,
      parts.gate,
      parts.desk,
      parts.outputs,
      (strategy) => this.call(parts.strategies[strategy - 1], CALL_STOP),
    );
    this.market = new MarketIntake(parts);
    this.runner = new Runner(
      parts.table,
      parts.desk,
      parts.market,
      parts.budget,
      parts.limits.tickStep,
      parts.why,
    );
    this.quotes = new Quotes();
    this.closer = new Closer(parts);
    this.commands = new Commands(parts, this.controller, this.closer, (strategy) => this.start(strategy));
    this.pending = new Int32Array(new ArrayBuffer(Math.max(4096, parts.instrumentCount * 4)));
    this.nowNs = 0;
    this.heldKind = 0;
    this.controlDue = false;
    this.lastCancelAllNs = Number.NEGATIVE_INFINITY;
    this.nextSnapshotNs = 0;
    this.openingDue = options.journalsOpening ?? true;
  }

  onRecord(m: RecordMemory, at: number): void {
    const head = at >> 1;
    const kind = m.u16[head + HEADER_KIND];
    const flags = m.u16[head + HEADER_FLAGS];
    const recvTsNs = m.f64[(at >> 3) + HEADER_RECV_TS_NS];
    if (recvTsNs > this.nowNs) this.nowNs = recvTsNs;
    this.parts.desk.nowNs = this.nowNs;
    this.parts.desk.triggerTsNs = recvTsNs;
    this.parts.counters[COUNT_RECORDS]++;
    if (kind <= KIND_SIGNAL || kind === KIND_ALPHA) this.onMarketRecord(m, at, kind, flags);
    else this.onOtherRecord(m, at, kind, flags);
  }

  onBatchEnd(): void {
    this.parts.outputs.publish();
  }

  /** Live orders whose last request has no proven outcome. Cold. */
  inFlight(): number {
    const { table, cycle } = this.parts;
    let count = 0;
    for (let i = 1; i < table.instruments; i++)
      for (let side = SIDE_BUY; side <= SIDE_SELL; side++)
        for (let o = table.instrumentHead(i, side); o !== NO_ORDER; o = table.nextOfInstrument[o])
          if (cycle.inFlight(o)) count++;
    return count;
  }

  private onMarketRecord(m: RecordMemory, at: number, kind: number, flags: number): void {
    const instrument = m.u16[(at >> 1) + HEADER_INSTRUMENT];
    this.parts.desk.triggerExchNs = m.f64[(at >> 3) + HEADER_EXCH_TS_NS];
    if (kind === KIND_BALANCE || kind === KIND_FUNDING) {
      if (kind === KIND_BALANCE) this.account.onBalance(m, at);
      else this.account.onFunding(m, at);
      return;
    }
    const bit = this.market.apply(m, at, kind, instrument);
    if (instrument >= this.parts.instrumentCount) return;
    if (kind === KIND_ALPHA && instrument === 0) {
      this.onSharedAlpha(bit, flags);
      return;
    }
    this.pending[instrument] |= bit;
    if (kind === KIND_FEED_STATUS) this.onFeedStatus(instrument, m.u32[(at >> 2) + FEED_STATUS_STATE]);
    if ((flags & FLAG_END_OF_EVENT) !== 0) this.finishEvent(instrument);
  }

  /** A signal of no instrument is an event of each. */
  private onSharedAlpha(bit: number, flags: number): void {
    for (let i = 1; i < this.parts.instrumentCount; i++) {
      this.pending[i] |= bit;
      if ((flags & FLAG_END_OF_EVENT) !== 0) this.finishEvent(i);
    }
  }

  private onOtherRecord(m: RecordMemory, at: number, kind: number, flags: number): void {
    this.parts.desk.triggerExchNs = 0;
    switch (kind) {
      case KIND_ORDER_REPORT:
      case KIND_FILL:
      case KIND_POSITION:
        this.account.hold(m, at);
        this.heldKind = kind;
        return;
      case KIND_ORDER_REPORT_DETAIL:
        if (this.heldKind === KIND_ORDER_REPORT) this.onReport(m, at);
        break;
      case KIND_FILL_DETAIL:
        if (this.heldKind === KIND_FILL) this.onFill(m, at);
        break;
      case KIND_POSITION_DETAIL:
        if (this.heldKind === KIND_POSITION) this.account.onPosition();
        break;
      case KIND_TIMER:
        if (m.u32[(at >> 2) + TIMER_TIMER_ID] === this.parts.options.timerId) this.onTimer();
        break;
      case KIND_OBSERVATION:
        this.onObservation(m, at);
        break;
      case KIND_CONTROL:
        this.commands.read(m, at);
        this.controlDue = true;
        break;
      case KIND_TEXT:
        break;
      default:
        return;
    }
    this.heldKind = 0;
    // A command acts when its last continuation is here.
    if (this.controlDue && (flags & FLAG_MORE) === 0) {
      this.controlDue = false;
      this.commands.run();
      this.parts.desk.sweep();
      this.controller.settle(this.inFlight());
    }
  }

  // --- market -------------------------------------------------------------------------------------------

  private finishEvent(instrument: number): void {
    const bits = this.pending[instrument];
    this.pending[instrument] = 0;
    if (bits === 0 || instrument === 0) return;
    const strategies = this.parts.strategies;
    for (let s = 0; s < strategies.length; s++) {
      const strategy = strategies[s];
      const wanted = bits & strategy.topics[instrument];
      if (wanted === 0 || this.controller.state(strategy.id) !== STRATEGY_RUNNING) continue;
      strategy.context.instrument = instrument;
      if ((wanted & (TOPIC_BBO | TOPIC_DEPTH)) !== 0) this.call(strategy, CALL_BOOK);
      if ((wanted & TOPIC_TRADE) !== 0) this.call(strategy, CALL_TRADE);
      if ((wanted & TOPIC_SIGNAL) !== 0) this.call(strategy, CALL_SIGNAL);
      if ((wanted & QUOTE_TOPICS) !== 0) this.quote(strategy, instrument);
    }
  }

  private quote(strategy: RunningStrategy, instrument: number): void {
    if (strategy.definition.quote === undefined || !this.canQuote(instrument)) return;
    if (this.controller.state(strategy.id) !== STRATEGY_RUNNING) return;
    this.quotes.clear();
    if (this.call(strategy, CALL_QUOTE))
      this.runner.apply(strategy.id, instrument, this.quotes, strategy.policy);
  }

  private canQuote(instrument: number): boolean {
    const { gate, market, limits, storm } = this.parts;
    return (
      gate.isOpen(this.nowNs) &&
      storm.state !== STORM_HALT &&
      market.isSynced(instrument) &&
      market.midTicks(instrument) > 0 &&
      market.isFresh(instrument, this.nowNs, limits.freshnessNs)
    );
  }

  private onFeedStatus(instrument: number, state: number): void {
    if (instrument === 0) {
      this.account.onAccountStatus(state);
      if (state === FEED_SYNCED) this.startAll();
      else if (!this.controller.leavesOrders) this.parts.desk.requestCancelAll();
    } else if (state !== FEED_SYNCED && !this.controller.leavesOrders) this.cancelOn(instrument);
  }

  private cancelOn(instrument: number): void {
    if (this.parts.table.liveOfInstrument[instrument] === 0) return;
    if (this.parts.market.isAwaited(instrument, this.nowNs)) return;
    for (const strategy of this.parts.strategies)
      if (strategy.topics[instrument] !== 0)
        this.parts.why.note(strategy.id, this.nowNs, WHY_BOOK, instrument, 0, 0, 0, 0);
    this.parts.desk.requestCancelOn(instrument);
  }

  private startAll(): void {
    for (const strategy of this.parts.strategies) this.start(strategy);
  }

  private start(strategy: RunningStrategy): void {
    if (this.controller.state(strategy.id) !== STRATEGY_STARTING || !this.parts.gate.reconciled) return;
    if (!strategy.started) {
      strategy.started = true;
      this.commands.refreshPolicy(strategy);
      this.call(strategy, CALL_START);
      // onStart may have thrown: the state is then Error.
      if (this.controller.state(strategy.id) !== STRATEGY_STARTING) return;
    }
    this.controller.enter(strategy.id, STRATEGY_RUNNING, STATUS_START);
  }

  // --- account ------------------------------------------------------------------------------------------

  private onReport(m: RecordMemory, at: number): void {
    const slot = this.account.onReport(m, at);
    if (slot !== NO_ORDER) this.tell(TOPIC_REPORT);
    this.afterOrderEvent();
  }

  private onFill(m: RecordMemory, at: number): void {
    if (this.account.onFill(m, at)) this.tell(TOPIC_FILL);
    this.afterOrderEvent();
    this.actOnLosses();
  }

  private tell(topic: number): void {
    const { account, parts } = this;
    if (account.strategy === 0) return;
    const strategy = parts.strategies[account.strategy - 1];
    if ((strategy.topics[account.instrument] & topic) === 0 || strategy.definition.onOrder === undefined)
      return;
    const ctx = strategy.context;
    ctx.instrument = account.instrument;
    ctx.orderSlot = parts.cycle.slot;
    ctx.orderClientSeq = account.clientSeq;
    ctx.orderStateBefore = parts.cycle.stateBefore;
    ctx.orderState = parts.cycle.stateAfter;
    ctx.orderSide = account.side;
    ctx.orderRejectCode = account.rejectCode;
    ctx.fillPxTicks = account.fillPxTicks;
    ctx.fillQtyLots = account.fillQtyLots;
    ctx.fillMaker = account.fillMaker;
    this.call(strategy, CALL_ORDER);
  }

  private afterOrderEvent(): void {
    this.parts.cycle.finish();
    this.parts.desk.sweep();
    this.controller.settle(this.inFlight());
  }

  // --- time, kill, losses -------------------------------------------------------------------------------

  private onTimer(): void {
    const { parts, nowNs } = this;
    this.market.markAtMid();
    parts.ledger.refresh();
    parts.loss.update(parts.ledger, nowNs);
    this.actOnLosses();
    const softLoss = parts.loss.level !== LOSS_NONE;
    if (
      parts.storm.evaluate(nowNs, parts.breaker.isOpen(nowNs), softLoss) &&
      parts.storm.state === STORM_HALT
    )
      this.parts.desk.requestCancelAll();
    if (this.openingDue) this.carry.open(nowNs);
    this.openingDue = false;
    this.carry.note(nowNs);
    this.cancelStale();
    this.account.checkAccount(nowNs);
    this.tick();
    this.closer.work();
    if (parts.gate.killState !== KILL_ARMED) this.cancelKilled(false);
    parts.desk.sweep();
    this.controller.settle(this.inFlight());
    if (nowNs >= this.nextSnapshotNs) this.snapshotPositions(nowNs);
  }

  /** What is open, with its result at the present mark: for charts, and so that a young segment tells positions. */
  private snapshotPositions(nowNs: number): void {
    const { ledger, outputs, options } = this.parts;
    const interval = options.positionSnapshotNs ?? 0;
    this.nextSnapshotNs =
      interval > 0 ? (Math.floor(nowNs / interval) + 1) * interval : Number.POSITIVE_INFINITY;
    if (interval <= 0) return;
    for (let s = 0; s < this.parts.strategyCount; s++)
      for (let i = 1; i < this.parts.instrumentCount; i++)
        if (ledger.qtyLots[ledger.pair(s, i)] !== 0 && outputs.hasRoom)
          outputs.position(ledger, s, i, 0, nowNs, FLAG_SNAPSHOT);
  }

  /** Never skipped, whatever state the strategies are in. */
  private cancelStale(): void {
    const { market, limits, table } = this.parts;
    for (let i = 1; i < this.parts.instrumentCount; i++)
      if (table.liveOfInstrument[i] > 0 && !market.isFresh(i, this.nowNs, limits.freshnessNs))
        this.cancelOn(i);
  }

  private tick(): void {
    const strategies = this.parts.strategies;
    for (let s = 0; s < strategies.length; s++) {
      const strategy = strategies[s];
      if (this.controller.state(strategy.id) !== STRATEGY_RUNNING || !this.tickDue(strategy)) continue;
      const instruments = strategy.context.instruments;
      for (let i = 0; i < instruments.length; i++) {
        const instrument = instruments[i];
        if ((strategy.topics[instrument] & TOPIC_TICK) === 0) continue;
        strategy.context.instrument = instrument;
        this.call(strategy, CALL_TICK);
        this.quote(strategy, instrument);
      }
    }
  }

  private tickDue(strategy: RunningStrategy): boolean {
    if (this.nowNs < strategy.nextTickNs) return false;
    const { tickParam, tickMs } = strategy.definition;
    const values = strategy.params.values as Record<string, number>;
    const interval = tickParam !== undefined ? values[tickParam] * 1e6 : (tickMs ?? DEFAULT_TICK_NS) * 1e6;
    if (interval > 0) strategy.nextTickNs = (Math.floor(this.nowNs / interval) + 1) * interval;
    return true;
  }

  private onObservation(m: RecordMemory, at: number): void {
    const code = m.u32[(at >> 2) + OBSERVATION_CODE];
    const value = m.f64[(at >> 3) + OBSERVATION_VALUE0];
    if (code === OBSERVED_RATE_BUDGET)
      this.parts.budget.observe(value, m.f64[(at >> 3) + OBSERVATION_VALUE1]);
    else if (code === OBSERVED_SUSPENSION) this.onSuspension();
    else if (code === OBSERVED_DEAD_MAN) this.onDeadMan(value === 1);
    else if (code === OBSERVED_KILL_WORD) this.onKillWord(value);
  }

  /** Nothing that was received before may be believed: it is out of the freshness limit when the hold ends. */
  private onSuspension(): void {
    this.parts.gate.holdUntilNs = this.nowNs + this.parts.limits.freshnessNs;
    if (!this.controller.leavesOrders) this.parts.desk.requestCancelAll();
  }

  /** Orders that nothing would end must not stay. */
  private onDeadMan(armed: boolean): void {
    this.parts.gate.guarded = armed;
    if (!armed && !this.controller.leavesOrders) this.parts.desk.requestCancelAll();
  }

  private onKillWord(value: number): void {
    const gate = this.parts.gate;
    if (gate.killState === value) return;
    gate.killState = value;
    if (value === KILL_ARMED) this.parts.latched = 0;
    else this.cancelKilled(true);
  }

  private cancelKilled(atOnce: boolean): void {
    if (!atOnce && (this.parts.table.liveCount === 0 || this.nowNs - this.lastCancelAllNs < KILL_REPEAT_NS))
      return;
    this.lastCancelAllNs = this.nowNs;
    for (const strategy of this.parts.strategies)
      this.parts.why.note(strategy.id, this.nowNs, WHY_KILLED, 0, 0, 0, 0, this.parts.gate.killState);
    for (let i = 1; i < this.parts.instrumentCount; i++) this.parts.desk.cancelEverything(i);
  }

  private actOnLosses(): void {
    const { loss, options } = this.parts;
    if (loss.level === LOSS_HARD || loss.level === LOSS_DRAWDOWN) {
      const reason = loss.level === LOSS_HARD ? KILL_BY_DAILY_LOSS : KILL_BY_DRAWDOWN;
      if ((this.parts.latched & (1 << reason)) === 0) {
        this.parts.latched |= 1 << reason;
        options.latchKill(reason);
        this.parts.desk.requestCancelAll();
      }
    }
    for (let s = 1; s < this.parts.strategyCount; s++)
      if (loss.strategyHit[s] === 1 && this.controller.state(s) === STRATEGY_RUNNING)
        this.controller.pause(s, false, STATUS_DAILY_LOSS);
  }

  // --- callbacks ----------------------------------------------------------------------------------------

  /** False: there is no such callback, or it threw and the strategy is in state Error. */
  private call(strategy: RunningStrategy, which: number): boolean {
    const definition = strategy.definition;
    const ctx = strategy.context;
    const desk = this.parts.desk;
    ctx.nowNs = this.nowNs;
    desk.enteredTsNs =
      which <= CALL_SIGNAL || which === CALL_QUOTE ? this.parts.options.stampNs() : desk.enteredTsNs;
    try {
      switch (which) {
        case CALL_QUOTE:
          definition.quote?.(ctx, this.quotes);
          return true;
        case CALL_SIGNAL:
          definition.onSignal?.(ctx);
          return true;
        case CALL_TRADE:
          definition.onTrade?.(ctx);
          return true;
        case CALL_BOOK:
          definition.onBook?.(ctx);
          return true;
        case CALL_ORDER:
          definition.onOrder?.(ctx);
          return true;
        case CALL_TICK:
          definition.onTick?.(ctx);
          return true;
        case CALL_START:
          definition.onStart?.(ctx);
          return true;
        default:
          definition.onStop?.(ctx);
          return true;
      }
    } catch (error) {
      this.parts.why.note(strategy.id, this.nowNs, WHY_EXCEPTION, ctx.instrument, 0, 0, 0, which);
      this.controller.fail(strategy.id);
      this.parts.options.onException?.(strategy.id, error);
      return false;
    }
  }
}
