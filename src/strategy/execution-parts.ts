// Builds everything that EXECUTION runs on from validated plain data: table, ledger, limits, guards, gate, desk,
// contexts. Cold; throws RangeError with all problems of parameters, limits and subscriptions at once.
import type { Histogram } from "../core/histogram.ts";
import type { RecordSink } from "../core/record.ts";
import type { Instrument } from "../market/instrument.ts";
import { L2Book } from "../market/l2-book.ts";
import type { OrderGateway } from "../order/gateway.ts";
import { Ledger, moneyScale } from "../order/ledger.ts";
import { LifeCycle } from "../order/life-cycle.ts";
import { OrderTable } from "../order/order-table.ts";
import { TradeIds } from "../order/trade-ids.ts";
import { Gate } from "../risk/gate.ts";
import type { KillWordReader } from "../risk/kill-word.ts";
import { type InstrumentLimitOverrides, RiskLimits, type RiskSettings } from "../risk/limits.ts";
import { LossGuard } from "../risk/loss-guard.ts";
import { MarginAccount } from "../risk/margin.ts";
import { MarketView } from "../risk/market-view.ts";
import { RejectBreaker, RequestBudget } from "../risk/rate.ts";
import { StormGuard } from "../risk/storm-guard.ts";
import { TIF_GTC, TIF_GTX } from "../wire/codes.ts";
import { StrategyContext } from "./context.ts";
import type { AnyStrategy } from "./define-strategy.ts";
import { EXECUTION_COUNTERS } from "./execution-counters.ts";
import { type DeskHistograms, OrderDesk } from "./order-desk.ts";
import { Outputs } from "./outputs.ts";
import { type GivenParams, ParamSlots } from "./params.ts";
import type { RunPolicy } from "./runner.ts";
import { subscriptionBits, TOPIC_DEPTH } from "./topics.ts";
import { WhyRing, whyValues } from "./why.ts";

/** One configured strategy; its id is its place in the list + 1. */
export interface StrategySetup {
  readonly name: string;
  readonly definition: AnyStrategy;
  /** Instrument ids. */
  readonly instruments: readonly number[];
  readonly params: GivenParams;
  readonly limits: GivenParams;
  /** Global signal index of each output of its graph, by name. */
  readonly signals: Readonly<Record<string, number>>;
  /** Global alpha index by name. */
  readonly alphas?: Readonly<Record<string, number>>;
}

export interface ExecutionHistograms extends DeskHistograms {
  readonly roundTrip: Histogram;
}

/** Why a kill was latched by the execution lane itself. */
export const KILL_BY_DAILY_LOSS = 1;
export const KILL_BY_DRAWDOWN = 2;

export interface ExecutionOptions {
  /** Ids 1 … n, in order. */
  readonly instruments: readonly Instrument[];
  readonly strategies: readonly StrategySetup[];
  readonly risk: RiskSettings;
  readonly instrumentLimits?: readonly InstrumentLimitOverrides[];
  /** Asset id → name, as fills and balances carry it; element 0 = unknown. */
  readonly assets: readonly string[];
  /** Session nonce: whose reports are ours. */
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** Power of two. */
  readonly maxOrders: number;
  readonly gateway: OrderGateway;
  /** Never drops. */
  readonly orders: RecordSink;
  readonly telemetry: RecordSink;
  readonly killWord: KillWordReader;
  /** Sets the kill word: KILL_BY_… Called at most once per reason until a rearm. */
  readonly latchKill: (reason: number) => void;
  /** Session ns for latency stamps only; logic never sees it. */
  readonly stampNs: () => number;
  /** Timer records with this id drive housekeeping and system.tick. */
  readonly timerId: number;
  /** Interval of the Position records of open positions (FLAG_SNAPSHOT); 0 or absent = none. */
  readonly positionSnapshotNs?: number;
  /** Sums that earlier sessions left are journalled at the first timer. Default true. */
  readonly journalsOpening?: boolean;
  /** EXECUTION_COUNTERS and, behind them, whatever the caller keeps. */
  readonly counters?: Float64Array;
  readonly histograms?: ExecutionHistograms | null;
  /** whyValues(strategies + 1) values, e.g. in the arena. */
  readonly why?: Float64Array;
  /** A callback threw: for the log. */
  readonly onException?: (strategy: number, error: unknown) => void;
  /** Maintenance margin as a share of value. Default 0.005: no venue asks for more in its first bracket. */
  readonly maintenanceMarginRate?: number;
}

/** One strategy as the handler runs it. */
export interface RunningStrategy {
  readonly id: number;
  readonly definition: AnyStrategy;
  readonly context: StrategyContext;
  readonly params: ParamSlots;
  readonly policy: RunPolicy;
  /** Topic bits by instrument id. */
  readonly topics: Int32Array;
  started: boolean;
  nextTickNs: number;
}

export class ExecutionParts {
  readonly options: ExecutionOptions;
  /** Numbers of ids, 0 included. */
  readonly strategyCount: number;
  readonly instrumentCount: number;
  readonly table: OrderTable;
  readonly cycle: LifeCycle;
  readonly ledger: Ledger;
  readonly limits: RiskLimits;
  readonly market: MarketView;
  readonly budget: RequestBudget;
  readonly breaker: RejectBreaker;
  readonly loss: LossGuard;
  readonly storm: StormGuard;
  readonly margin: MarginAccount;
  readonly gate: Gate;
  readonly outputs: Outputs;
  readonly why: WhyRing;
  readonly counters: Float64Array;
  readonly desk: OrderDesk;
  /** By instrument id. */
  readonly books: readonly (L2Book | null)[];
  readonly tickE8: Float64Array;
  readonly strategies: readonly RunningStrategy[];
  /** Bits 1 << KILL_BY_… of kills latched since the last rearm. */
  latched: number;

  constructor(options: ExecutionOptions) {
    options.instruments.forEach((instrument, i) => {
      if (instrument.id !== i + 1)
        throw new RangeError(`${instrument.symbol}: instrument ids must be 1 … n in order`);
    });
    const { risk } = options;
    const instruments = [undefined, ...options.instruments];
    this.options = options;
    this.strategyCount = options.strategies.length + 1;
    this.instrumentCount = instruments.length;
    this.table = new OrderTable(options.maxOrders, this.strategyCount, this.instrumentCount);
    this.cycle = new LifeCycle(this.table, new TradeIds(this.instrumentCount));
    const scales = instruments.map((i) => i && moneyScale(i, Math.max(0, options.assets.indexOf(i.settle))));
    this.ledger = new Ledger(this.strategyCount, scales);
    this.limits = new RiskLimits(
      risk,
      instruments,
      [undefined, ...options.strategies],
      options.instrumentLimits,
    );
    this.market = new MarketView(this.instrumentCount);
    this.budget = new RequestBudget(risk.maxOrdersPer10s, risk.maxOrdersPerMin, risk.cancelReserve);
    this.breaker = new RejectBreaker(
      risk.breakerRejects,
      risk.breakerWindowMs * 1e6,
      risk.breakerPauseMs * 1e6,
    );
    this.loss = new LossGuard(this.limits, risk.resetMinuteUtc);
    this.storm = new StormGuard(risk.storm);
    this.margin = new MarginAccount(options.maintenanceMarginRate ?? 0.005);
    this.gate = new Gate(this);
    this.outputs = new Outputs(options.orders, options.telemetry);
    this.why = new WhyRing(options.why ?? new Float64Array(whyValues(this.strategyCount)));
    this.counters = options.counters ?? new Float64Array(Math.max(64, EXECUTION_COUNTERS.length));
    this.desk = new OrderDesk({
      table: this.table,
      cycle: this.cycle,
      gate: this.gate,
      market: this.market,
      budget: this.budget,
      gateway: options.gateway,
      killWord: options.killWord,
      outputs: this.outputs,
      why: this.why,
      stampNs: options.stampNs,
      counters: this.counters,
      histograms: options.histograms ?? null,
    });
    const topics = this.subscriptions();
    this.books = instruments.map((_, id) =>
      topics.some((t) => (t[id] & TOPIC_DEPTH) !== 0) ? new L2Book() : null,
    );
    this.tickE8 = new Float64Array(new ArrayBuffer(Math.max(4096, this.instrumentCount * 8)));
    for (const i of options.instruments) this.tickE8[i.id] = Number(i.tickSize) * 1e8;
    this.strategies = this.buildStrategies(topics);
    this.latched = 0;
  }

  /** Topic bits per strategy and instrument id. */
  private subscriptions(): Int32Array[] {
    return this.options.strategies.map((setup) => {
      const bits = new Int32Array(this.instrumentCount);
      for (const id of setup.instruments) {
        const instrument = this.options.instruments[id - 1];
        if (instrument === undefined) throw new RangeError(`strategy ${setup.name}: no instrument ${id}`);
        bits[id] = subscriptionBits(setup.definition.subscribe, instrument.symbol);
      }
      return bits;
    });
  }

  private buildStrategies(topics: readonly Int32Array[]): RunningStrategy[] {
    const problems: string[] = [];
    const lotsPerUnit = new Float64Array(new ArrayBuffer(Math.max(4096, this.instrumentCount * 8)));
    for (const i of this.options.instruments)
      lotsPerUnit[i.id] = 1 / (Number(i.lotSize) * (i.inverse === true ? 1 : Number(i.contractSize)));
    const running = this.options.strategies.map((setup, index) => {
      try {
        return this.buildStrategy(setup, index + 1, topics[index], lotsPerUnit);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        problems.push(error.message);
        return null;
      }
    });
    if (problems.length > 0) throw new RangeError(problems.join("\n"));
    return running.filter((r) => r !== null);
  }

  private buildStrategy(
    setup: StrategySetup,
    id: number,
    topics: Int32Array,
    lotsPerUnit: Float64Array,
  ): RunningStrategy {
    const { definition } = setup;
    const params = new ParamSlots(definition.params, setup.params, `strategy ${setup.name}: params`);
    for (const output of definition.factors ?? [])
      if (setup.signals[output] === undefined)
        throw new RangeError(
          `strategy ${setup.name}: its graph has no output "${output}"; it has: ${Object.keys(setup.signals).join(", ") || "none"}`,
        );
    const context = new StrategyContext({
      strategy: id,
      name: setup.name,
      instruments: setup.instruments,
      params,
      factorCount: definition.factors?.length ?? 0,
      alphaCount: definition.alphas?.length ?? 0,
      market: this.market,
      ledger: this.ledger,
      table: this.table,
      limits: this.limits,
      storm: this.storm,
      margin: this.margin,
      desk: this.desk,
      books: this.books,
      lotsPerUnit,
      tickStep: this.limits.tickStep,
    });
    const wanted = definition.policy;
    const policy: RunPolicy = {
      amend: wanted?.replace !== "cancel-replace",
      minMoveTicks: wanted?.minMoveTicks ?? 1,
      maxRequests: wanted?.maxRequests ?? 8,
      tif: wanted?.tif === "gtc" ? TIF_GTC : TIF_GTX,
    };
    return { id, definition, context, params, policy, topics, started: false, nextTickNs: 0 };
  }
}
