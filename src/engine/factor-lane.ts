// FACTOR: books and factor graphs between the market stream and EXECUTION.

import type { Histogram } from "../core/histogram.ts";
import type { LevelRun } from "../core/level-run.ts";
import { RECORD_BYTES, type RecordHandler, type RecordMemory, type RecordSink } from "../core/record.ts";
import { type FactorState, makeFactorState, memoryText } from "../factor/factor-state.ts";
import { loadGraphFile } from "../factor/graph-toml.ts";
import { FactorHandler } from "../factor/handler.ts";
import type { GraphSetup } from "../factor/signal-registry.ts";
import type { Subscription } from "../factor/slots.ts";
import type { Agent } from "../lane/agent.ts";
import { BoardWriter } from "../lane/board.ts";
import type { RingConsumer } from "../ring/spsc-ring.ts";
import { LOG_INFO } from "../wire/codes.ts";
import { FLAG_END_OF_EVENT, HEADER_FLAGS, HEADER_RECV_TS_NS } from "../wire/messages.gen.ts";
import { FactorBoardTap } from "./factor-board.ts";
import { CheckpointAgent } from "./factor-checkpoint.ts";
import { restoreFactor } from "./factor-restore.ts";
import type { LaneContext } from "./lane-host.ts";
import { COUNTERS } from "./telemetry-names.ts";
import { walDir } from "./writer-lane.ts";

/** One graph file on one instrument. */
export interface GraphStart {
  readonly name: string;
  readonly file: string;
  readonly instrument: number;
}

/** Compiles the graphs of a start. Throws GraphError naming file, line and node. */
export async function loadGraphs(graphs: readonly GraphStart[]): Promise<GraphSetup[]> {
  return Promise.all(
    graphs.map(async (g) => ({
      name: g.name,
      program: await loadGraphFile(g.file),
      instrument: g.instrument,
    })),
  );
}

export interface FactorParts {
  /** What FEED's records are handed to. */
  readonly entry: RecordHandler;
  readonly agent: Agent | null;
  /** Agents of the same lane, after `agent`. */
  readonly extra: readonly Agent[];
}

/**
 * `sink`: towards EXECUTION. `market`: the ring from FEED, or null when FEED shares the lane and calls `entry`.
 */
export async function buildFactor(
  context: LaneContext,
  sink: RecordSink,
  market: RingConsumer | null,
): Promise<FactorParts> {
  const { start } = context;
  const telemetry = context.telemetry("factor");
  const histogram = (name: string) => telemetry.histogram(start.layout.telemetry.factor, name);
  const state = makeFactorState({
    instruments: start.instruments,
    graphs: await loadGraphs(start.graphs),
  });
  const baseNs = BigInt(context.baseMs) * 1_000_000n;
  const restored = restore(context, state, baseNs);
  const board = new BoardWriter(start.arena, start.layout.boards.factor);
  const handler = new FactorHandler({
    state,
    sink: new FactorBoardTap(sink, board, start.instruments.length),
    baseNs,
    subscriptions: start.subscriptions as readonly Subscription[],
  });
  if (restored) handler.onRestored();
  for (const line of memoryText(state).split("\n")) context.log.log(LOG_INFO, 0, line);
  const nowNs = () => context.clock.nowNs();
  const timed = new TimedHandler(handler, nowNs, histogram("book"), histogram("graph"));
  const agent =
    market === null
      ? null
      : new FactorAgent(market, timed, handler, telemetry.counters, histogram("hop"), nowNs);
  const { checkpoint = null } = start;
  const extra = checkpoint === null ? [] : [new CheckpointAgent(checkpoint, handler, baseNs)];
  return { entry: timed, agent, extra };
}

/** From the newest checkpoint and the journal, when the graphs keep checkpoints. */
function restore(context: LaneContext, state: FactorState, baseNs: bigint): boolean {
  const { checkpoint = null, session, settings } = context.start;
  if (checkpoint === null) return false;
  return restoreFactor(state, {
    dir: checkpoint.dir,
    walDir: walDir(settings.engine.dataDir),
    baseNs,
    session,
    note: (text) => context.log.log(LOG_INFO, 0, text),
  });
}

/** After this many records the next whole event is timed by stage: two clock calls an event would cost more than the graph. */
const TIMED_EVERY_RECORDS = 512;

const isLast = (m: RecordMemory, at: number): boolean =>
  (m.u16[(at >> 1) + HEADER_FLAGS]! & FLAG_END_OF_EVENT) !== 0;

/** Hot; factor lane; 0 bytes. `book`: first record of an event → its last; `graph`: the last record itself. */
export class TimedHandler implements RecordHandler {
  private readonly inner: FactorHandler;
  private readonly nowNs: () => number;
  private readonly book: Histogram;
  private readonly graph: Histogram;
  private untimed: number;
  private atStart: boolean;
  private inEvent: boolean;
  private startedNs: number;

  constructor(inner: FactorHandler, nowNs: () => number, book: Histogram, graph: Histogram) {
    this.inner = inner;
    this.nowNs = nowNs;
    this.book = book;
    this.graph = graph;
    this.untimed = 0;
    this.atStart = true;
    this.inEvent = false;
    this.startedNs = 0;
  }

  onRecord(m: RecordMemory, at: number): void {
    if (this.untimed > 0) {
      this.untimed--;
      this.inner.onRecord(m, at);
    } else this.timed(m, at);
  }

  onRecords(m: RecordMemory, at: number, count: number): void {
    let done = Math.min(this.untimed, count);
    this.untimed -= done;
    if (done > 0) this.inner.onRecords(m, at, done);
    while (done < count) done += this.timedRun(m, at + done * RECORD_BYTES, count - done);
  }

  /** A whole event. */
  onLevels(run: LevelRun): void {
    const timed = this.untimed < run.count && !this.inEvent;
    this.untimed = Math.max(0, this.untimed - run.count);
    if (timed) this.timeLevels(run);
    else this.inner.onLevels(run);
    this.atStart = true;
  }

  private timeLevels(run: LevelRun): void {
    const started = this.nowNs();
    this.inner.applyLevels(run);
    const before = this.nowNs();
    this.inner.endLevels(run);
    this.graph.record(this.nowNs() - before);
    this.book.record(before - started);
    this.untimed = TIMED_EVERY_RECORDS;
  }

  onBatchEnd(): void {
    this.inner.onBatchEnd();
  }

  /** The records before the event's last one together, the last one alone. Returns how many that were. */
  private timedRun(m: RecordMemory, at: number, count: number): number {
    let n = 0;
    while (n < count && !isLast(m, at + n * RECORD_BYTES)) n++;
    if (n === 0) {
      this.onRecord(m, at);
      return 1;
    }
    if (this.atStart && !this.inEvent) this.start();
    this.inner.onRecords(m, at, n);
    return n;
  }

  private start(): void {
    this.inEvent = true;
    this.startedNs = this.nowNs();
  }

  /** The rest of the event at hand passes; the next one is timed from its first record to its last. */
  private timed(m: RecordMemory, at: number): void {
    const last = isLast(m, at);
    if (!this.atStart) {
      this.atStart = last;
      this.inner.onRecord(m, at);
      return;
    }
    if (!this.inEvent) this.start();
    if (last) this.timeLast(m, at);
    else this.inner.onRecord(m, at);
  }

  private timeLast(m: RecordMemory, at: number): void {
    const before = this.nowNs();
    this.inner.onRecord(m, at);
    this.graph.record(this.nowNs() - before);
    this.book.record(before - this.startedNs);
    this.inEvent = false;
    this.atStart = false;
    this.untimed = TIMED_EVERY_RECORDS;
  }
}

const DRAIN_LIMIT = 512;

const RECORDS = COUNTERS.factor.indexOf("records");
const EVENTS = COUNTERS.factor.indexOf("events");
const OVERFLOWS = COUNTERS.factor.indexOf("overflows");
const WINDOW_OVERFLOWS = COUNTERS.factor.indexOf("windowOverflows");

class FactorAgent implements Agent {
  readonly name = "factor";
  private readonly market: RingConsumer;
  private readonly entry: TimedHandler;
  private readonly handler: FactorHandler;
  private readonly slots: Float64Array;
  private readonly hop: Histogram;
  private readonly nowNs: () => number;

  constructor(
    market: RingConsumer,
    entry: TimedHandler,
    handler: FactorHandler,
    slots: Float64Array,
    hop: Histogram,
    nowNs: () => number,
  ) {
    this.market = market;
    this.entry = entry;
    this.handler = handler;
    this.slots = slots;
    this.hop = hop;
    this.nowNs = nowNs;
  }

  doWork(): number {
    const market = this.market;
    if (market.available() === 0) {
      market.flush();
      return 0;
    }
    const at = market.offsetOf(0);
    this.hop.record(this.nowNs() - market.memory.f64[(at >> 3) + HEADER_RECV_TS_NS]!);
    const count = market.drain(this.entry, DRAIN_LIMIT);
    this.slots[RECORDS]! += count;
    this.slots[EVENTS] = this.handler.updates;
    this.slots[OVERFLOWS] = this.handler.lost;
    this.slots[WINDOW_OVERFLOWS] = this.handler.windowOverflows;
    return count;
  }

  hasWork(): boolean {
    return this.market.availableNow() > 0;
  }
}
