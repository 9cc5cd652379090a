// A small engine in memory that implements EngineControl: state changes are real, markets are not.
import { checkValues } from "../../../src/control/check-values.ts";
import { done, failed, invalid, noSuchStrategy, refused } from "../../../src/control/command-results.ts";
import type {
  Actor,
  CommandResult,
  EngineControl,
  FillView,
  HealthView,
  KillState,
  LatencyView,
  OrdersFilter,
  OrderView,
  PnlView,
  PositionView,
  StatusView,
  StrategyStateName,
  StrategyView,
  ValueSpec,
  ValuesView,
  WhyView,
} from "../../../src/control/engine-control.ts";
import { ALL_STRATEGIES } from "../../../src/control/engine-control.ts";
import { engineMetrics } from "../../../src/control/engine-metrics.ts";
import type { MetricFamily } from "../../../src/control/metric-families.ts";
import { Histogram } from "../../../src/core/histogram.ts";

export const HOSTILE_TEXT = `<img src=x onerror="document.title='owned'">"\n\\é`;

const spec = (name: string, rest: Partial<ValueSpec>): ValueSpec => ({
  name,
  type: "decimal",
  default: "1",
  min: null,
  max: null,
  step: null,
  unit: "",
  values: [],
  description: name,
  ...rest,
});

export const PARAMETERS: readonly ValueSpec[] = [
  spec("halfSpread", { default: "1.5", min: "0.1", max: "5", step: "0.1", unit: "bps" }),
  spec("levels", { type: "int", min: "1", max: "10" }),
  spec("postOnly", { type: "bool", default: "true" }),
  spec("mode", { type: "enum", default: "join", values: ["join", "improve"] }),
];
export const LIMITS: readonly ValueSpec[] = [
  spec("maxPosition", { default: "0.05", min: "0", max: "1", step: "0.001", unit: "BTC" }),
  spec("maxOrderQty", { default: "0.01", min: "0", max: "1", step: "0.001", unit: "BTC" }),
];

interface Held {
  state: StrategyStateName;
  reason: string;
  orders: number;
  parameters: Record<string, string>;
  limits: Record<string, string>;
}

const defaults = (schema: readonly ValueSpec[]) => Object.fromEntries(schema.map((s) => [s.name, s.default]));
const START = "2026-11-21T00:00:00.000Z";

export class MemoryEngine implements EngineControl {
  readonly actors: Actor[] = [];
  kill_: KillState = "armed";
  reason = "";
  shutdownKeep: boolean | null = null;
  /** Makes the next command throw. */
  broken = false;
  private readonly strategies = new Map<string, Held>();
  private readonly tickToOrder = new Histogram();

  constructor(names: readonly string[] = ["maker", "clocked"]) {
    for (const name of names) {
      this.strategies.set(name, {
        state: "Running",
        reason: name === "maker" ? "" : HOSTILE_TEXT,
        orders: 2,
        parameters: defaults(PARAMETERS),
        limits: defaults(LIMITS),
      });
    }
    for (const ns of [150, 4_000, 4_100, 90_000]) this.tickToOrder.record(ns);
  }

  health(): HealthView {
    const ready = this.kill_ === "armed";
    return { live: true, ready, kill: this.kill_, problems: ready ? [] : [`kill word is ${this.kill_}`] };
  }

  status(): StatusView {
    const feeds = ["synced", "stale"] as const;
    return {
      env: "sim",
      version: "0.1.0",
      session: "abc123",
      startedAt: START,
      now: "2026-11-21T00:01:00.000Z",
      uptimeS: 60,
      reconciled: true,
      kill: { state: this.kill_, reason: this.reason, since: this.kill_ === "armed" ? null : START },
      storm: "NORMAL",
      margin: {
        ...{ currency: "USDT", wallet: "1000", equity: "1010.5", initial: "250", free: "760.5" },
        liquidationDistance: 0.125,
      },
      lanes: ["feed", "factor", "execution", "writer"].map((name, i) => ({
        name,
        agents: [name],
        state: "running",
        cpu: i - 1,
        wait: "park",
        heartbeatAgeMs: 0.5 + i,
        maxStallUs: 120,
        turns: 1000 * (i + 1),
        busyTurns: 900,
        parks: 50,
        gcCount: i,
      })),
      instruments: ["BTCUSDT", "ETHUSDT"].map((instrument, i) => ({
        instrument,
        venue: "binance",
        feed: feeds[i]!,
        feedReason: i === 0 ? "none" : "gap",
        feedAgeMs: i === 0 ? 12 : null,
        bid: i === 0 ? { price: "61234.5", qty: "3.2" } : null,
        ask: i === 0 ? { price: "61234.6", qty: "0.75" } : null,
        markPrice: i === 0 ? "61234.55" : null,
        factors: [
          { name: "obi", value: 0.25 },
          { name: HOSTILE_TEXT, value: null },
        ],
      })),
      strategies: [...this.strategies].map(([name, held]) => viewOf(name, held)),
      rings: [{ name: "market", depth: 3, capacity: 16_384 }],
      journal: { records: 1000, bytes: 64_000, segments: 1, unackedWindowUs: 800, failed: false },
      recorder: {
        target: "embedded",
        rows: { orders: 4, fills: 1 },
        lagMs: 5,
        retries: 0,
        state: "recording",
        shedRows: 0,
        alarm: "",
      },
      drops: 0,
    };
  }

  positions(): PositionView[] {
    const common = { strategy: "maker", currency: "USDT", fees: "0.0123" };
    return [
      {
        ...common,
        instrument: "BTCUSDT",
        qty: "-0.004",
        avgPrice: "61230.1",
        markPrice: "61234.55",
        realized: "1.25",
        unrealized: "-0.0178",
      },
    ];
  }

  pnl(): PnlView[] {
    return [
      {
        currency: "USDT",
        realized: "1.25",
        unrealized: "-0.0178",
        funding: "0",
        fees: "0.0123",
        net: "1.2199",
      },
    ];
  }

  orders(filter: OrdersFilter): OrderView[] {
    const all = [...this.strategies].flatMap(([name, held]) =>
      Array.from({ length: 3 }, (_, i) => orderOf(name, i, i < held.orders ? "working" : "canceled")),
    );
    return all
      .filter(
        (o) => (!filter.open || o.state === "working") && (filter.strategy ?? o.strategy) === o.strategy,
      )
      .slice(0, filter.limit);
  }

  fills(limit: number): FillView[] {
    const fill = {
      strategy: "maker",
      instrument: "BTCUSDT",
      side: "sell",
      price: "61230.1",
      qty: "0.002",
      fee: "0.0061",
      feeCurrency: "USDT",
      maker: true,
      recovered: false,
      at: START,
    } as const;
    return [2, 1].map((n) => ({ ...fill, tradeId: `${n}`, clientOrderId: `h0-1-${n}` })).slice(0, limit);
  }

  parameters(name: string): ValuesView | null {
    const held = this.strategies.get(name);
    return held === undefined ? null : { strategy: name, values: { ...held.parameters }, schema: PARAMETERS };
  }

  limits(name: string): ValuesView | null {
    const held = this.strategies.get(name);
    return held === undefined ? null : { strategy: name, values: { ...held.limits }, schema: LIMITS };
  }

  why(name: string): WhyView | null {
    const held = this.strategies.get(name);
    if (held === undefined) return null;
    const decision = {
      at: START,
      instrument: "BTCUSDT",
      source: "gate",
      code: "priceBand",
      detail: HOSTILE_TEXT,
    };
    return { strategy: name, state: held.state, decisions: [decision] };
  }

  latency(): LatencyView[] {
    const h = this.tickToOrder.snapshot();
    const [p50Ns, p99Ns, p999Ns] = [h.quantile(0.5), h.quantile(0.99), h.quantile(0.999)];
    const empty = { meanNs: null, p50Ns: null, p99Ns: null, p999Ns: null, maxNs: null };
    return [
      {
        name: "tickToOrder",
        lane: "execution",
        count: h.count,
        meanNs: h.mean,
        p50Ns,
        p99Ns,
        p999Ns,
        maxNs: h.max,
      },
      { name: "graph", lane: "factor", count: 0, ...empty },
    ];
  }

  metrics(): MetricFamily[] {
    return engineMetrics({
      status: this.status(),
      positions: this.positions(),
      pnl: this.pnl(),
      lanes: [
        {
          lane: "feed",
          counters: { messages: 5000, gaps: 1, odd: 3 },
          histograms: { decode: new Histogram().snapshot() },
        },
        {
          lane: "execution",
          counters: { sent: 9, denied: 2, fills: 4, makerFills: 3 },
          histograms: { tickToOrder: this.tickToOrder.snapshot() },
        },
      ],
    });
  }

  pause(name: string, options: { keepOrders: boolean }, actor: Actor): Promise<CommandResult> {
    return this.change(name, actor, (held) => {
      held.state = "Paused";
      if (!options.keepOrders) held.orders = 0;
    });
  }

  async resume(name: string, actor: Actor): Promise<CommandResult> {
    if (this.kill_ !== "armed") return refused(`kill word is ${this.kill_}: rearm first`, this.kill_);
    return this.change(name, actor, (held) => {
      held.state = "Running";
    });
  }

  stop(name: string, actor: Actor): Promise<CommandResult> {
    return this.change(name, actor, (held) => {
      held.state = "Stopped";
      held.orders = 0;
    });
  }

  kill(actor: Actor): Promise<CommandResult> {
    return this.setKill("killed", actor);
  }

  emergencyStop(_: { cancelOrders: boolean; closePosition: boolean }, actor: Actor): Promise<CommandResult> {
    return this.setKill("emergency", actor);
  }

  rearm(actor: Actor): Promise<CommandResult> {
    return this.setKill("armed", actor);
  }

  setParameters(name: string, values: Record<string, string>, actor: Actor): Promise<CommandResult> {
    return this.assign(name, "parameters", PARAMETERS, values, actor);
  }

  setLimits(name: string, values: Record<string, string>, actor: Actor): Promise<CommandResult> {
    return this.assign(name, "limits", LIMITS, values, actor);
  }

  cancelAll(name: string, actor: Actor): Promise<CommandResult> {
    return this.change(name, actor, (held) => {
      held.orders = 0;
    });
  }

  async shutdown(options: { keep: boolean }, actor: Actor): Promise<CommandResult> {
    this.actors.push(actor);
    this.shutdownKeep = options.keep;
    return done(options.keep ? "ending, orders stay" : "ending, orders are cancelled", "stopping");
  }

  private async change(name: string, actor: Actor, apply: (held: Held) => void): Promise<CommandResult> {
    this.actors.push(actor);
    if (this.broken) throw new Error("the execution lane does not answer");
    const names = name === ALL_STRATEGIES ? [...this.strategies.keys()] : [name];
    const held = names.map((n) => this.strategies.get(n));
    if (held.some((h) => h === undefined)) return noSuchStrategy(name, [...this.strategies.keys()]);
    const states = () => Object.fromEntries(names.map((n) => [n, this.strategies.get(n)!.state]));
    const before = states();
    for (const h of held) apply(h!);
    return done(`${name}: done`, held[0]!.state, before, states());
  }

  private async assign(
    name: string,
    kind: "parameters" | "limits",
    schema: readonly ValueSpec[],
    values: Record<string, string>,
    actor: Actor,
  ): Promise<CommandResult> {
    this.actors.push(actor);
    const held = this.strategies.get(name);
    if (held === undefined) return noSuchStrategy(name, [...this.strategies.keys()]);
    const checked = checkValues(schema, values);
    if (!checked.ok) return invalid("values", held.state);
    const before = { ...held[kind] };
    Object.assign(held[kind], checked.values);
    return done(`${name}: ${kind} set`, held.state, before, { ...held[kind] });
  }

  private async setKill(to: KillState, actor: Actor): Promise<CommandResult> {
    this.actors.push(actor);
    if (this.broken) return failed("a cancel is not confirmed", this.kill_);
    const before = this.kill_;
    this.kill_ = to;
    this.reason = actor.why;
    return done(`kill word is ${to}`, to, before, to);
  }
}

const viewOf = (name: string, held: Held): StrategyView => ({
  name,
  state: held.state,
  reason: held.reason,
  instruments: ["BTCUSDT"],
  workingOrders: held.orders,
  parameters: { ...held.parameters },
  limits: { ...held.limits },
});

const orderOf = (strategy: string, n: number, state: string): OrderView => ({
  clientOrderId: `h0-${strategy}-${n}`,
  venueOrderId: "8389765519992063345",
  strategy,
  instrument: "BTCUSDT",
  side: n % 2 === 0 ? "buy" : "sell",
  type: "limit",
  tif: "gtx",
  reduceOnly: false,
  price: "61234.5",
  qty: "0.002",
  execQty: "0",
  leavesQty: "0.002",
  state,
  createdAt: START,
  updatedAt: START,
  roundTripUs: 850,
});
