// EXECUTION: strategies, gate, orders, ledger and the gateway. FACTOR's records come in order from a ring or a
// pipe; everything observed asynchronously passes the journaling pipe, so the journal holds it, with the
// number of FACTOR records before it, when the logic acts on it.
import type { RecordHandler, RecordSink } from "../core/record.ts";
import { signalIndex } from "../factor/signal-registry.ts";
import { BoardWriter } from "../lane/board.ts";
import { JournalSink } from "../lane/journal-sink.ts";
import { JournaledPipe, type SequenceSource } from "../lane/pipe.ts";
import { Supervision } from "../lane/supervision.ts";
import type { OrderGateway } from "../order/gateway.ts";
import type { RingConsumer } from "../ring/spsc-ring.ts";
import type { KillWord } from "../risk/kill-word.ts";
import { ExecutionHandler } from "../strategy/execution-handler.ts";
import type { StrategySetup } from "../strategy/execution-parts.ts";
import { KILL_KILLED, LOG_ERROR } from "../wire/codes.ts";
import { EXECUTION_TIMER_ID, ExecutionAgent } from "./execution-agent.ts";
import { ExecutionBoard, type ExecutionState } from "./execution-board.ts";
import { type ExecutionGateway, makeGateway } from "./execution-gateway.ts";
import type { LaneContext } from "./lane-host.ts";
import type { LaneStart } from "./lane-protocol.ts";
import { STREAM_ORDERS, STREAM_TELEMETRY } from "./layout.ts";
import { loadDefinition } from "./load-strategy.ts";
import { NoticeTap } from "./notice-tap.ts";
import { restoreLedger } from "./recovered.ts";
import { POSITION_SNAPSHOT_NS } from "./replay-setup.ts";
import { ReplyTap } from "./reply-tap.ts";
import { suspensionNs } from "./settings.ts";
import { WitnessedGateway, WitnessedKillWord } from "./witness.ts";

const KILL_REASONS = ["", "daily loss limit", "drawdown limit"];

export interface ExecutionParts {
  /** What FACTOR's records are handed to. */
  readonly entry: RecordHandler;
  readonly agent: ExecutionAgent;
}

/**
 * `signals`: the ring from FACTOR, or null when FACTOR shares the lane; `upstream` then counts what it delivered.
 */
export async function buildExecution(
  context: LaneContext,
  signals: RingConsumer | null,
  upstream: SequenceSource,
): Promise<ExecutionParts> {
  const { start, clock } = context;
  const { engine } = start.settings;
  const { rings } = start.layout;
  const killWord = context.edges.openKillWord(engine.dataDir);
  const orders = new JournalSink(context.producer(rings.ordersJournal, "writer"), {
    stream: STREAM_ORDERS,
    stampSequence: true,
    onFull: () => latch(context, killWord, "orders journal is full"),
  });
  const telemetry = new JournalSink(context.producer(rings.telemetryJournal, "writer"), {
    stream: STREAM_TELEMETRY,
    stampSequence: true,
  });
  const nowNs = () => clock.nowNs();
  // The gateway needs the pipe to the handler, and the handler the gateway: it is opened last.
  const door = new WitnessedGateway(orders);
  const sinks = executionSinks(context, orders, telemetry);
  const handler = await makeHandler(context, door, sinks, killWord);
  const observed = new NoticeTap(new JournaledPipe(orders, handler, upstream), context.log);
  const { gateway, entry } = await makeGateway({ context, handler, sink: observed, killWord });
  door.open(gateway, handler.parts.desk);
  restoreLedger(handler, start.restored, gateway);
  const board = new ExecutionBoard(
    new BoardWriter(start.arena, start.layout.boards.execution),
    start.assets.length,
  );
  const state = new StateOf(handler, gateway);
  const agent = new ExecutionAgent({
    signals,
    control: context.consumer(rings.control),
    handler: entry,
    observed,
    orders,
    telemetry,
    killWord,
    supervision: context.edges.isLive ? new Supervision(start.arena) : null,
    stallNs: engine.stallMs * 1e6,
    suspensionNs: suspensionNs(start.settings),
    onMainSilent: (ageNs) => latch(context, killWord, `main has not run for ${Math.round(ageNs / 1e6)} ms`),
    timerNs: engine.timerMs * 1e6,
    nowNs,
    pollGateway: (now) => gateway.poll(now),
    venueLimits: gateway,
    onStart: () => gateway.start(),
    onClose: () => gateway.stop(),
    writeBoard: () => board.write(handler.parts.ledger, state),
    counters: context.telemetry("execution").counters,
    reconnects: () => gateway.disconnects,
    noticesLost: () => context.log.lost,
    replies: sinks.orders,
  });
  return { entry, agent };
}

/** What the handler writes: to the journal, with copies to main. */
export interface ExecutionSinks {
  readonly journal: JournalSink;
  readonly orders: ReplyTap;
  readonly telemetry: RecordSink;
}

export function executionSinks(
  context: LaneContext,
  orders: JournalSink,
  telemetry: JournalSink,
): ExecutionSinks {
  const replies = context.toMain(context.start.layout.rings.replies);
  return {
    journal: orders,
    orders: new ReplyTap(new NoticeTap(orders, context.log), replies),
    telemetry: new NoticeTap(telemetry, context.log),
  };
}

/** The execution handler as the lane runs it. */
export async function makeHandler(
  context: LaneContext,
  gateway: OrderGateway,
  sinks: ExecutionSinks,
  killWord: KillWord,
): Promise<ExecutionHandler> {
  const { start, clock } = context;
  const { settings, layout } = start;
  const lane = context.telemetry("execution");
  const histogram = (name: string) => lane.histogram(layout.telemetry.execution, name);
  const lastLook = new WitnessedKillWord(killWord, sinks.journal);
  const handler = new ExecutionHandler({
    instruments: start.instruments,
    strategies: await Promise.all(start.strategies.map((s) => strategySetup(s, start))),
    risk: settings.risk,
    instrumentLimits: settings.instruments,
    assets: start.assets,
    nonceLo: start.session.nonceLo,
    nonceHi: start.session.nonceHi,
    maxOrders: settings.engine.maxOrders,
    gateway,
    orders: sinks.orders,
    telemetry: sinks.telemetry,
    killWord: lastLook,
    latchKill: (reason) => latch(context, killWord, KILL_REASONS[reason] ?? "limit"),
    stampNs: () => clock.nowNs(),
    timerId: EXECUTION_TIMER_ID,
    positionSnapshotNs: POSITION_SNAPSHOT_NS,
    counters: lane.counters,
    histograms: {
      tickToOrder: histogram("tickToOrder"),
      strategy: histogram("strategy"),
      risk: histogram("risk"),
      encode: histogram("encode"),
      roundTrip: histogram("roundTrip"),
    },
    why: new Float64Array(start.arena, layout.why.offset, layout.why.bytes / 8),
    onException: (strategy, error) =>
      context.log.log(
        LOG_ERROR,
        0,
        `strategy ${start.strategies[strategy - 1]?.name}: ${(error as Error).stack}`,
      ),
  });
  lastLook.open(handler.parts.desk);
  return handler;
}

/** A configured strategy as the execution handler takes it. Throws EngineError when its module is no strategy. */
export async function strategySetup(
  strategy: LaneStart["strategies"][number],
  start: Pick<LaneStart, "registry">,
): Promise<StrategySetup> {
  const definition = await loadDefinition(strategy);
  // A strategy on several instruments reads the outputs of its first one's graph.
  const graph = strategy.graphs[0] ?? "";
  const outputs = start.registry.entries.filter((e) => e.graph === graph).map((e) => e.output);
  return {
    name: strategy.name,
    definition,
    instruments: strategy.instruments,
    params: strategy.params,
    limits: strategy.limits,
    signals: Object.fromEntries(outputs.map((o) => [o, signalIndex(start.registry, graph, o)])),
  };
}

function latch(context: LaneContext, killWord: KillWord, reason: string): void {
  if (!context.edges.isLive) return;
  killWord.latch(KILL_KILLED, reason, Date.now());
  context.log.log(LOG_ERROR, 0, `kill word set: ${reason}`);
}

/** What the board shows besides the ledger. */
class StateOf implements ExecutionState {
  private readonly handler: ExecutionHandler;
  private readonly gateway: ExecutionGateway;

  constructor(handler: ExecutionHandler, gateway: ExecutionGateway) {
    this.handler = handler;
    this.gateway = gateway;
  }

  get reconciled(): number {
    return this.handler.parts.gate.reconciled ? 1 : 0;
  }

  get workingOrders(): number {
    return this.handler.parts.table.liveCount;
  }

  get inFlight(): number {
    return this.gateway.pending;
  }

  get unattributed(): number {
    return this.handler.account.unattributed;
  }

  get storm(): number {
    return this.handler.parts.storm.state;
  }

  get walletE8(): number {
    return this.handler.parts.margin.walletE8;
  }

  get equityE8(): number {
    return this.handler.parts.margin.equityE8(this.handler.parts.ledger);
  }

  get initialMarginE8(): number {
    return this.handler.parts.gate.initialMarginE8();
  }

  get liquidationDistance(): number {
    const { margin, ledger } = this.handler.parts;
    return margin.liquidationDistance(ledger, ledger.markedValueE8());
  }

  strategyState(strategy: number): number {
    return this.handler.parts.gate.strategyState[strategy]!;
  }

  strategyWorkingOrders(strategy: number): number {
    return this.handler.parts.table.liveOfStrategy[strategy]!;
  }
}
