// What a LiveEngine shows to an operator: boards, counters and notices as EngineControl's plain views. Cold;
// reads never wait for a lane.
import { statfsSync } from "node:fs";
import { formatDecimal, parseDecimal } from "../core/decimal.ts";
import type { InstrumentNow } from "../engine/factor-board.ts";
import type { LiveEngine } from "../engine/live-engine.ts";
import { positionSummary } from "../engine/summary.ts";
import type { LaneRole } from "../lane/placement.ts";
import { type Instrument, moneyUnit, priceText, qtyText } from "../market/instrument.ts";
import { readDecisions } from "../strategy/why.ts";
import {
  FEED_REASON_NAMES,
  FEED_STATE_NAMES,
  FEED_SYNCED,
  KILL_ARMED,
  STRATEGY_STATE_NAMES,
} from "../wire/codes.ts";
import type {
  EngineReads,
  FillView,
  HealthView,
  InstrumentView,
  KillView,
  LaneView,
  LatencyView,
  MarginView,
  OrdersFilter,
  OrderView,
  PnlView,
  PositionView,
  QuoteView,
  StatusView,
  StrategyStateName,
  StrategyView,
  ValuesView,
  WhyView,
} from "./engine-control.ts";
import { engineMetrics, KILL_STATES, type LaneTelemetryView } from "./engine-metrics.ts";
import type { MetricFamily } from "./metric-families.ts";
import { isoTime, OrderViews } from "./order-views.ts";
import type { StrategyValues } from "./strategy-values.ts";

const ROLES: readonly LaneRole[] = ["feed", "factor", "execution", "writer"];
const STORM_NAMES = ["NORMAL", "WARM", "STORM", "HALT"] as const;
const HEARTBEAT_FRESH_MS = 1000;

export class LiveReads implements EngineReads {
  private readonly engine: LiveEngine;
  private readonly version: string;
  private readonly values: StrategyValues;
  private readonly orderViews: OrderViews;
  private readonly baseNs: bigint;
  private readonly startedAtNs: number;

  constructor(engine: LiveEngine, version: string, values: StrategyValues) {
    this.engine = engine;
    this.version = version;
    this.values = values;
    const { start } = engine.view;
    this.baseNs = engine.link.baseNs;
    this.startedAtNs = engine.link.clock.nowNs();
    this.orderViews = new OrderViews({
      instruments: start.instruments,
      nonceLo: start.session.nonceLo,
      nonceHi: start.session.nonceHi,
      baseNs: this.baseNs,
      memory: engine.link.memory,
      strategyName: (id) => engine.view.strategyName(id),
      assetName: (id) => start.assets[id] ?? `#${id}`,
    });
    engine.link.observe(this.orderViews);
  }

  health(): HealthView {
    const { view } = this.engine;
    view.refresh();
    const problems = this.lanes()
      .filter((l) => l.state === "failed" || l.heartbeatAgeMs > HEARTBEAT_FRESH_MS)
      .map((l) => `lane ${l.name}: ${l.state}, last heartbeat ${Math.round(l.heartbeatAgeMs)} ms ago`);
    const live = problems.length === 0;
    for (const i of this.instruments())
      if (i.feed !== FEED_STATE_NAMES[FEED_SYNCED])
        problems.push(`feed ${i.instrument}: ${i.feed} (${i.feedReason})`);
    if (!view.execution.account().reconciled) problems.push("the account is not reconciled");
    const kill = this.kill();
    if (kill.state !== "armed") problems.push(`kill word is set: ${kill.reason}`);
    return { live, ready: problems.length === 0, kill: kill.state, problems };
  }

  status(): StatusView {
    const { view, link, settings } = this.engine;
    view.refresh();
    const journal = view.role("writer").counters();
    const now = link.clock.nowNs();
    return {
      env: settings.env,
      version: this.version,
      session: view.start.session.text,
      startedAt: isoTime(this.baseNs, this.startedAtNs),
      now: isoTime(this.baseNs, now),
      uptimeS: (now - this.startedAtNs) / 1e9,
      reconciled: view.execution.account().reconciled,
      kill: this.kill(),
      storm: STORM_NAMES[view.execution.account().storm] ?? "NORMAL",
      margin: this.margin(),
      lanes: this.lanes(),
      instruments: this.instruments(),
      strategies: this.strategies(),
      rings: view.rings(),
      journal: {
        records: journal["records"]!,
        bytes: journal["bytes"]!,
        segments: journal["segments"]!,
        unackedWindowUs: Math.round(journal["unackedWindowUs"]!),
        failed: journal["failed"] === 1,
      },
      recorder: view.recorder(),
      drops: view.drops(),
    };
  }

  positions(): PositionView[] {
    const { view } = this.engine;
    view.refresh();
    return view.execution.pairs().map((pair) => {
      const i = view.start.instruments[pair.instrument - 1]!;
      const unit = moneyUnit(i);
      const { symbol, ...summary } = positionSummary(pair, i, view.strategyName(pair.strategy));
      return {
        ...summary,
        instrument: symbol,
        markPrice: pair.markTicks > 0 ? priceText(i, Math.round(pair.markTicks)) : null,
        fees: formatDecimal(pair.fees * unit.mantissa, unit.decimals + 8),
        currency: i.settle,
      };
    });
  }

  pnl(): PnlView[] {
    const { view } = this.engine;
    view.refresh();
    return Object.entries(view.pnl()).map(([currency, { realized, unrealized, fees, funding }]) => ({
      currency,
      realized,
      unrealized,
      fees,
      funding,
      net: addTexts([realized, unrealized, funding], [fees]),
    }));
  }

  orders(filter: OrdersFilter): OrderView[] {
    return this.orderViews.list(filter);
  }

  fills(limit: number): FillView[] {
    return this.orderViews.fills(limit);
  }

  parameters(strategy: string): ValuesView | null {
    return this.values.parameters(strategy);
  }

  limits(strategy: string): ValuesView | null {
    return this.values.limits(strategy);
  }

  why(strategy: string): WhyView | null {
    const { view } = this.engine;
    const found = view.plan.strategies.find((s) => s.name === strategy);
    if (found === undefined) return null;
    view.refresh();
    const decisions = readDecisions(view.whyValues, found.id).map((d) => {
      const i = view.start.instruments[d.instrument - 1];
      const order =
        i === undefined ? "" : `${["", "buy", "sell"][d.side] ?? ""} ${orderText(i, d.pxTicks, d.qtyLots)}`;
      return {
        at: isoTime(this.baseNs, d.tsNs),
        instrument: i?.symbol ?? "",
        source: d.source,
        code: d.name,
        detail: `${order.trim()}${d.observed === 0 ? "" : ` observed ${d.observed}`}`,
      };
    });
    return { strategy, state: this.stateOf(found.id), decisions };
  }

  latency(): LatencyView[] {
    const { view } = this.engine;
    return ROLES.flatMap((role) =>
      view.start.layout.telemetry[role].histograms.map((name) => {
        const h = view.role(role).histogram(name);
        const some = h.count > 0;
        return {
          name,
          lane: role,
          count: h.count,
          meanNs: some ? Math.round(h.mean) : null,
          p50Ns: some ? h.quantile(0.5) : null,
          p99Ns: some ? h.quantile(0.99) : null,
          p999Ns: some ? h.quantile(0.999) : null,
          maxNs: some ? h.max : null,
        };
      }),
    );
  }

  metrics(): MetricFamily[] {
    const { view } = this.engine;
    const lanes: LaneTelemetryView[] = ROLES.map((lane) => ({
      lane,
      counters: view.role(lane).counters(),
      histograms: Object.fromEntries(
        view.start.layout.telemetry[lane].histograms.map((name) => [name, view.role(lane).histogram(name)]),
      ),
    }));
    const diskFreeBytes = freeBytes(this.engine.settings.engine.dataDir);
    return engineMetrics({
      status: this.status(),
      positions: this.positions(),
      pnl: this.pnl(),
      lanes,
      ...(diskFreeBytes === null ? {} : { diskFreeBytes }),
    });
  }

  kill(): KillView {
    const { state, reason, sinceUnixMs } = this.engine.killWord.view();
    return {
      state: KILL_STATES[state] ?? "killed",
      reason: state === KILL_ARMED ? "" : reason,
      since: sinceUnixMs === 0 ? null : new Date(sinceUnixMs).toISOString(),
    };
  }

  stateOf(strategy: number): StrategyStateName {
    return STRATEGY_STATE_NAMES[this.engine.view.execution.strategyState(strategy)] ?? "Error";
  }

  private margin(): MarginView | null {
    const { view } = this.engine;
    const { walletE8, equityE8, initialMarginE8, liquidationDistance } = view.execution.account();
    if (Number.isNaN(walletE8) || Number.isNaN(equityE8)) return null;
    const money = (e8: number) => formatDecimal(BigInt(Math.round(e8)), 8);
    return {
      currency: view.start.instruments[0]!.settle,
      wallet: money(walletE8),
      equity: money(equityE8),
      initial: money(initialMarginE8),
      free: money(equityE8 - initialMarginE8),
      liquidationDistance: Number.isFinite(liquidationDistance) ? liquidationDistance : null,
    };
  }

  private lanes(): LaneView[] {
    const { view, link } = this.engine;
    const nowNs = link.monotonicNs();
    return view.vitals().map(({ lane, vitals }) => {
      const placement = view.plan.placement.lanes.find((l) => l.name === lane)!;
      return {
        name: lane,
        agents: placement.agents,
        state: vitals.state,
        cpu: placement.cpu,
        wait: placement.wait,
        heartbeatAgeMs: Math.max(0, (nowNs - vitals.heartbeatNs) / 1e6),
        maxStallUs: Math.round(vitals.maxStallNs / 1000),
        turns: vitals.turns,
        busyTurns: vitals.busyTurns,
        parks: vitals.parks,
        gcCount: vitals.collections,
      };
    });
  }

  private instruments(): InstrumentView[] {
    const { view, link } = this.engine;
    const now = link.clock.nowNs();
    return view.start.instruments.map((i) => {
      const n = view.factor.instrument(i.id);
      return {
        instrument: i.symbol,
        venue: i.venue,
        feed: FEED_STATE_NAMES[n.feedState] ?? "stale",
        feedReason: FEED_REASON_NAMES[n.feedReason] ?? "none",
        feedAgeMs: n.recvTsNs > 0 ? (now - n.recvTsNs) / 1e6 : null,
        bid: quote(i, n.bidPxTicks, n.bidQtyLots),
        ask: quote(i, n.askPxTicks, n.askQtyLots),
        markPrice: markText(n),
        factors: view.plan.registry.entries
          .filter((e) => e.instrument === i.id)
          .map((e) => ({ name: `${e.graph}.${e.output}`, value: finite(view.factor.output(e.index)) })),
      };
    });
  }

  private strategies(): StrategyView[] {
    const { view } = this.engine;
    return view.plan.strategies.map((s) => ({
      name: s.name,
      state: this.stateOf(s.id),
      reason: "",
      instruments: s.instruments.map((id) => view.start.instruments[id - 1]!.symbol),
      workingOrders: view.execution.strategyWorkingOrders(s.id),
      parameters: this.values.parameters(s.name)?.values ?? {},
      limits: this.values.limits(s.name)?.values ?? {},
    }));
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function quote(i: Instrument, pxTicks: number, qtyLots: number): QuoteView | null {
  return pxTicks > 0 ? { price: priceText(i, pxTicks), qty: qtyText(i, qtyLots) } : null;
}

/** What was asked for may have been no price and no quantity at all: that is why it was denied. */
function orderText(i: Instrument, pxTicks: number, qtyLots: number): string {
  if (pxTicks === 0) return "";
  const px = Number.isSafeInteger(pxTicks) ? priceText(i, pxTicks) : `${pxTicks} ticks`;
  const qty = Number.isSafeInteger(qtyLots) ? qtyText(i, qtyLots) : `${qtyLots} lots`;
  return `${qty} @ ${px}`;
}

function markText(n: InstrumentNow): string | null {
  return n.markPxE8 > 0 ? formatDecimal(BigInt(Math.round(n.markPxE8)), 8) : null;
}

/** Sum of `plus` minus sum of `minus`, exact. */
function addTexts(plus: readonly string[], minus: readonly string[]): string {
  const DECIMALS = 24;
  const scaled = (text: string) => {
    const d = parseDecimal(text);
    return d.units * 10n ** BigInt(DECIMALS - d.decimals);
  };
  const total = plus.reduce((sum, t) => sum + scaled(t), 0n) - minus.reduce((sum, t) => sum + scaled(t), 0n);
  return formatDecimal(total, DECIMALS);
}

/** null: no answer about the disk. */
function freeBytes(dir: string): number | null {
  try {
    const disk = statfsSync(dir);
    return disk.bavail * disk.bsize;
  } catch {
    return null;
  }
}
