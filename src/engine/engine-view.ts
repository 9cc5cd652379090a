// Main's window on the lanes: boards, counters, histograms, vital signs, ring depths. Reads never wait for a
// lane and decide nothing. Cold.
import { BoardReader } from "../lane/board.ts";
import type { LaneRole } from "../lane/placement.ts";
import { type LaneVitals, TelemetryReader } from "../lane/telemetry.ts";
import { HOUSE_NAME } from "../order/ledger.ts";
import { type RingLocation, ringDepth } from "../ring/spsc-ring.ts";
import type { EnginePlan } from "./engine-plan.ts";
import { ExecutionBoardView } from "./execution-board.ts";
import { FactorBoardView } from "./factor-board.ts";
import type { LaneStart } from "./lane-protocol.ts";
import type { MainLink } from "./main-link.ts";
import {
  type CurrencySummary,
  laneSummary,
  NO_ROWS,
  pnlByCurrency,
  positionSummary,
  quantiles,
  type RecorderSummary,
  type SessionSummary,
  volumeBySymbol,
  WAL_ONLY,
} from "./summary.ts";

const ROLES: readonly LaneRole[] = ["feed", "factor", "execution", "writer"];

export class EngineView {
  readonly start: LaneStart;
  readonly plan: EnginePlan;
  readonly factor: FactorBoardView;
  readonly execution: ExecutionBoardView;
  /** Decision rings, for readDecisions. */
  readonly whyValues: Float64Array;
  /** Whoever starts a recorder says here how it is doing. */
  recorder: () => RecorderSummary = () => WAL_ONLY;
  private readonly link: MainLink;
  private readonly telemetry: Readonly<Record<LaneRole, TelemetryReader>>;

  constructor(start: LaneStart, plan: EnginePlan, link: MainLink) {
    const { arena, layout, instruments } = start;
    this.start = start;
    this.plan = plan;
    this.link = link;
    this.whyValues = new Float64Array(arena, layout.why.offset, layout.why.bytes / 8);
    this.factor = new FactorBoardView(new BoardReader(arena, layout.boards.factor), instruments.length);
    this.execution = new ExecutionBoardView(
      new BoardReader(arena, layout.boards.execution),
      plan.strategies.length + 1,
      instruments.length + 1,
      start.assets.length,
    );
    this.telemetry = Object.fromEntries(
      ROLES.map((role) => [role, new TelemetryReader(arena, layout.telemetry[role])]),
    ) as Record<LaneRole, TelemetryReader>;
  }

  /** Results and fees by currency, as of the last refresh(). */
  pnl(): Readonly<Record<string, CurrencySummary>> {
    const { assets, instruments } = this.start;
    const fees = [...this.execution.otherFees()].map(([id, paid]) => [assets[id] ?? "", paid] as const);
    return pnlByCurrency(this.execution.pairs(), instruments, {
      fundingE8: this.execution.account().fundingE8,
      otherFees: new Map(fees),
    });
  }

  /** Takes new copies of the boards. */
  refresh(): void {
    this.factor.refresh();
    this.execution.refresh();
  }

  role(role: LaneRole): TelemetryReader {
    return this.telemetry[role];
  }

  /** Of every lane; a fused lane shows the vitals of its first role. */
  vitals(): { readonly lane: string; readonly vitals: LaneVitals }[] {
    return this.plan.placement.lanes.map((lane) => ({
      lane: lane.name,
      vitals: this.telemetry[lane.agents[0]!].vitals(),
    }));
  }

  strategyName(id: number): string {
    return id === 0 ? HOUSE_NAME : (this.plan.strategies[id - 1]?.name ?? `#${id}`);
  }

  /** Depth and capacity of every ring. */
  rings(): { readonly name: string; readonly depth: number; readonly capacity: number }[] {
    const { notices, ...rings } = this.plan.layout.rings;
    const all: RingLocation[] = [...Object.values(rings), ...Object.values(notices)];
    return all.map((ring) => ({
      name: ring.name,
      depth: ringDepth(this.link.memory, ring),
      capacity: ring.capacity,
    }));
  }

  /** Records that did not fit anywhere, a disk that ran low included. */
  drops(): number {
    const feed = this.role("feed").counters();
    const factor = this.role("factor").counters();
    const execution = this.role("execution").counters();
    return (
      feed["overflows"]! +
      feed["journalLost"]! +
      factor["overflows"]! +
      execution["ordersLost"]! +
      execution["telemetryLost"]! +
      this.role("writer").counters()["shed"]!
    );
  }

  summary(durationS: number, end: string): SessionSummary {
    const recorder = this.recorder();
    const { start, plan } = this;
    const pairs = this.execution.pairs();
    const feed = this.role("feed").counters();
    const orders = this.role("execution").counters();
    const journal = this.role("writer").counters();
    const fills = orders["fills"]!;
    const latency = ROLES.flatMap((role) =>
      start.layout.telemetry[role].histograms.map(
        (name) => [name, quantiles(this.role(role).histogram(name))] as const,
      ),
    );
    return {
      env: start.settings.env,
      session: start.session.text,
      durationS,
      lanes: plan.placement.lanes.map((lane, i) => laneSummary(lane, this.vitals()[i]!.vitals)),
      feed: pick(feed, ["messages", "events", "trades", "gaps", "resyncs", "reconnects", "malformed"]),
      orders: pick(orders, ["sent", "acked", "rejected", "canceled", "filled", "denied", "unknown"]),
      fills: {
        count: fills,
        makerShare: fills === 0 ? null : orders["makerFills"]! / fills,
        volume: volumeBySymbol(pairs, start.instruments),
      },
      positions: pairs.map((p) =>
        positionSummary(p, start.instruments[p.instrument - 1]!, this.strategyName(p.strategy)),
      ),
      pnl: this.pnl(),
      latencyNs: Object.fromEntries(latency),
      journal: pick(journal, ["records", "bytes", "segments", "unackedWindowUs"]),
      recorder: { ...recorder, rows: { ...NO_ROWS, ...recorder.rows } },
      drops: this.drops(),
      end,
    };
  }
}

function pick<K extends string>(from: Record<string, number>, names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? 0])) as Record<K, number>;
}
