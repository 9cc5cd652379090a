// Runs a recorded session again (DESIGN 10): the market stream through FACTOR, its records interleaved with
// what EXECUTION observed at the recorded places (`spare` = FACTOR records consumed before), through the same
// handlers as live; every record that EXECUTION writes is held against the recorded one. Cold.
//
//   market stream ─▶ FactorHandler ─▶ queue ─┐            ┌─▶ expected: orders stream
//                                            ├─▶ EXECUTION ┤
//   orders stream ── observed records ───────┘            └─▶ expected: telemetry stream
import {
  allocateRecordMemory,
  copyRecord,
  RECORD_BYTES,
  type RecordMemory,
  type RecordSink,
} from "../core/record.ts";
import { makeFactorState } from "../factor/factor-state.ts";
import { FactorHandler } from "../factor/handler.ts";
import { makeSignalRegistry } from "../factor/signal-registry.ts";
import type { Subscription } from "../factor/slots.ts";
import type { SessionManifest } from "../journal/session-manifest.ts";
import type { SegmentFile } from "../journal/wal-reader.ts";
import { type OrderGateway, SEND_OK } from "../order/gateway.ts";
import type { KillWordReader } from "../risk/kill-word.ts";
import { ExecutionHandler } from "../strategy/execution-handler.ts";
import { KILL_ARMED, OBSERVED_KILL_AT_SEND, OBSERVED_SEND_REFUSED } from "../wire/codes.ts";
import {
  GAP_REASON,
  HEADER_RECV_TS_NS,
  HEADER_SPARE,
  HEADER_STRATEGY,
  KIND_CONTROL_REPLY,
  KIND_OBSERVATION,
  KIND_ORDER_SENT,
  KIND_ORDER_STAMPS,
  KIND_POSITION,
  KIND_POSITION_DETAIL,
  KIND_RISK_STATE,
  KIND_STRATEGY_STATUS,
  OBSERVATION_CODE,
  OBSERVATION_VALUE0,
} from "../wire/messages.gen.ts";
import { EXECUTION_TIMER_ID } from "./execution-agent.ts";
import { strategySetup } from "./execution-lane.ts";
import { restoreStart } from "./factor-restore.ts";
import { STREAM_MARKET, STREAM_ORDERS, STREAM_TELEMETRY } from "./layout.ts";
import { restoreLedger } from "./recovered.ts";
import { StreamCursor } from "./replay-cursor.ts";
import { type Difference, differ, ExpectedSink } from "./replay-expected.ts";
import { type ReplaySetup, recordedGraphs } from "./replay-setup.ts";

/** FACTOR records of one market record: at most a whole book sent again. */
const QUEUE_RECORDS = 1 << 16;

export type ReplayResult =
  | { readonly verdict: "identical"; readonly figures: ReplayFigures }
  | { readonly verdict: "different"; readonly difference: Difference; readonly figures: ReplayFigures }
  | {
      readonly verdict: "notVerifiable";
      /** WAL position. */
      readonly from: number;
      readonly why: string;
      readonly figures: ReplayFigures;
    };

export interface ReplayFigures {
  readonly marketRecords: number;
  readonly factorRecords: number;
  readonly observedRecords: number;
  /** Output records that were equal. */
  readonly matched: number;
  /** Outputs after the recording's end (a killed session): they have nothing to be held against. */
  readonly beyond: number;
}

/** `segments` of one session; `note` is told what differs from the session's surroundings. */
export async function replaySession(
  segments: readonly SegmentFile[],
  manifest: SessionManifest,
  setup: ReplaySetup,
  note: (text: string) => void,
): Promise<ReplayResult> {
  const orders = new StreamCursor(segments, STREAM_ORDERS);
  const market = new StreamCursor(segments, STREAM_MARKET);
  const telemetry = new StreamCursor(segments, STREAM_TELEMETRY);
  try {
    const graphs = await recordedGraphs(setup.graphs, note);
    const queue = new OutputQueue();
    const state = makeFactorState({ instruments: manifest.instruments, graphs });
    const restored = restoreStart(state, segments[0]!.file, manifest.session);
    const factor = new FactorHandler({
      state,
      sink: queue,
      baseNs: BigInt(manifest.baseNs),
      subscriptions: setup.subscriptions as readonly Subscription[],
    });
    if (restored) factor.onRestored();
    const expected = { orders: new ExpectedSink(orders), telemetry: new ExpectedSink(telemetry) };
    const registry = makeSignalRegistry(graphs);
    const strategies = await Promise.all(setup.strategies.map((s) => strategySetup(s, { registry })));
    const execution = new ExecutionHandler({
      instruments: manifest.instruments,
      strategies,
      risk: setup.risk,
      instrumentLimits: setup.instrumentLimits,
      assets: setup.assets,
      nonceLo: manifest.nonceLo,
      nonceHi: manifest.nonceHi,
      maxOrders: setup.maxOrders,
      gateway: new RecordedGateway(orders),
      orders: expected.orders,
      telemetry: expected.telemetry,
      killWord: new RecordedKillWord(orders),
      latchKill: () => {},
      stampNs: () => 0,
      timerId: EXECUTION_TIMER_ID,
      positionSnapshotNs: setup.positionSnapshotNs ?? 0,
      journalsOpening: setup.journalsOpening ?? false,
      onException: (strategy, error) =>
        note(`strategy ${manifest.strategies[strategy]} threw: ${(error as Error).message}`),
    });
    restoreLedger(execution, setup.restored, {
      recoverSince: () => {},
      recoverSinceTime: () => {},
      recoverFunding: () => {},
    });
    return new Replay({ orders, market, telemetry, expected, queue, factor, execution }).run();
  } finally {
    for (const cursor of [orders, market, telemetry]) cursor.close();
  }
}

interface ReplayParts {
  readonly orders: StreamCursor;
  readonly market: StreamCursor;
  readonly telemetry: StreamCursor;
  readonly expected: { readonly orders: ExpectedSink; readonly telemetry: ExpectedSink };
  readonly queue: OutputQueue;
  readonly factor: FactorHandler;
  readonly execution: ExecutionHandler;
}

class Replay {
  private readonly parts: ReplayParts;
  private readonly scratch: RecordMemory;
  private marketRecords: number;
  private delivered: number;
  private observedRecords: number;

  constructor(parts: ReplayParts) {
    this.parts = parts;
    this.scratch = allocateRecordMemory(1);
    this.marketRecords = 0;
    this.delivered = 0;
    this.observedRecords = 0;
  }

  run(): ReplayResult {
    const { orders, telemetry } = this.parts;
    while (orders.has && this.difference === null) {
      if (orders.isGap) return this.notVerifiable(orders, "a Gap in the orders stream");
      if (telemetry.isGap) return this.notVerifiable(telemetry, "a Gap in the telemetry stream");
      const stopped = isOutput(orders) ? this.towardOutput() : this.towardObserved();
      if (stopped !== null) return stopped;
    }
    if (this.difference === null && orders.trouble !== "") return this.notVerifiable(orders, orders.trouble);
    if (this.difference === null) this.restOfTelemetry();
    const difference = this.difference;
    const figures = this.figures();
    return difference === null
      ? { verdict: "identical", figures }
      : { verdict: "different", difference, figures };
  }

  private get difference(): Difference | null {
    return this.parts.expected.orders.difference ?? this.parts.expected.telemetry.difference;
  }

  /** The recorded record is an output that some FACTOR record caused: the next ones, up to its time. */
  private towardOutput(): ReplayResult | null {
    const { orders, queue } = this.parts;
    const position = orders.position;
    const recvTsNs = orders.memory.f64[(orders.at >> 3) + HEADER_RECV_TS_NS]!;
    while (orders.position === position && this.difference === null) {
      if (queue.isEmpty && !this.fillQueue()) return this.marketEnded();
      if (queue.recvTsNs > recvTsNs) return this.missing();
      this.deliver();
    }
    return null;
  }

  /** The recorded record was observed when FACTOR had delivered `spare` records. */
  private towardObserved(): ReplayResult | null {
    const { orders, execution, queue } = this.parts;
    const wanted = orders.memory.u32[(orders.at >> 2) + HEADER_SPARE]!;
    const position = orders.position;
    while (this.delivered >>> 0 !== wanted) {
      if (queue.isEmpty && !this.fillQueue()) return this.marketEnded();
      this.deliver();
      if (this.difference !== null) return null;
      // An output of that FACTOR record would have moved the cursor, and been a difference.
      if (orders.position !== position) return null;
    }
    if (orders.kind === KIND_OBSERVATION && isWitness(orders)) return this.missing();
    copyRecord(orders.memory, orders.at, this.scratch, 0);
    orders.advance();
    this.observedRecords++;
    execution.onRecord(this.scratch, 0);
    return null;
  }

  private deliver(): void {
    this.delivered = (this.delivered + 1) >>> 0;
    this.parts.queue.deliver(this.parts.execution);
  }

  /** Denials that FACTOR records caused after the last orders record. */
  private restOfTelemetry(): void {
    const { telemetry, queue } = this.parts;
    while (telemetry.has && !telemetry.isGap && this.difference === null) {
      if (queue.isEmpty && !this.fillQueue()) return;
      this.deliver();
    }
  }

  /** Feeds FACTOR until it has written something. False: the market stream is over, or has a Gap here. */
  private fillQueue(): boolean {
    const { market, factor, queue } = this.parts;
    while (queue.isEmpty) {
      if (!market.has || this.isLoss(market)) return false;
      factor.onRecord(market.memory, market.at);
      this.marketRecords++;
      market.advance();
    }
    return true;
  }

  /** A Gap that FEED itself wrote (reason 0) reached FACTOR like this: nothing is missing from the journal. */
  private isLoss(market: StreamCursor): boolean {
    return market.isGap && market.memory.u32[(market.at >> 2) + GAP_REASON] !== 0;
  }

  private marketEnded(): ReplayResult {
    const { market } = this.parts;
    const why = market.has
      ? "a Gap in the market stream"
      : market.trouble || "the market stream ends before the orders stream";
    return this.notVerifiable(market, why);
  }

  private missing(): ReplayResult {
    const { orders } = this.parts;
    return { verdict: "different", difference: differ(orders, [], null, 0), figures: this.figures() };
  }

  private notVerifiable(cursor: StreamCursor, why: string): ReplayResult {
    return { verdict: "notVerifiable", from: cursor.position, why, figures: this.figures() };
  }

  private figures(): ReplayFigures {
    const { orders, telemetry } = this.parts.expected;
    return {
      marketRecords: this.marketRecords,
      factorRecords: this.delivered,
      observedRecords: this.observedRecords,
      matched: orders.matched + telemetry.matched,
      beyond: orders.beyond + telemetry.beyond,
    };
  }
}

/**
 * Written by EXECUTION. A Position of house is the venue's own word unless something that was just observed
 * caused it, and then the expected sink has taken it already.
 */
function isOutput(cursor: StreamCursor): boolean {
  const { kind, memory, at } = cursor;
  if (kind === KIND_POSITION || kind === KIND_POSITION_DETAIL)
    return memory.u16[(at >> 1) + HEADER_STRATEGY] !== 0;
  return (
    kind === KIND_ORDER_SENT ||
    kind === KIND_ORDER_STAMPS ||
    kind === KIND_STRATEGY_STATUS ||
    kind === KIND_RISK_STATE ||
    kind === KIND_CONTROL_REPLY
  );
}

function isWitness(cursor: StreamCursor): boolean {
  const code = cursor.memory.u32[(cursor.at >> 2) + OBSERVATION_CODE]!;
  return code === OBSERVED_SEND_REFUSED || code === OBSERVED_KILL_AT_SEND;
}

/** The value of the next recorded record if it is such an Observation (it is then consumed), else `fallback`. */
function takeWitness(cursor: StreamCursor, code: number, fallback: number): number {
  if (!cursor.has || cursor.kind !== KIND_OBSERVATION) return fallback;
  if (cursor.memory.u32[(cursor.at >> 2) + OBSERVATION_CODE] !== code) return fallback;
  const value = cursor.memory.f64[(cursor.at >> 3) + OBSERVATION_VALUE0]!;
  cursor.advance();
  return value;
}

/** Answers as the gateway did: what it refused stands in the orders stream. */
class RecordedGateway implements OrderGateway {
  readonly ready = true;
  private readonly orders: StreamCursor;

  constructor(orders: StreamCursor) {
    this.orders = orders;
  }

  place(): number {
    return takeWitness(this.orders, OBSERVED_SEND_REFUSED, SEND_OK);
  }

  cancel(): number {
    return takeWitness(this.orders, OBSERVED_SEND_REFUSED, SEND_OK);
  }

  modify(): number {
    return takeWitness(this.orders, OBSERVED_SEND_REFUSED, SEND_OK);
  }

  reconcile(): void {}

  cancelAll(): number {
    return takeWitness(this.orders, OBSERVED_SEND_REFUSED, SEND_OK);
  }
}

class RecordedKillWord implements KillWordReader {
  private readonly orders: StreamCursor;

  constructor(orders: StreamCursor) {
    this.orders = orders;
  }

  load(): number {
    return takeWitness(this.orders, OBSERVED_KILL_AT_SEND, KILL_ARMED);
  }
}

/** FACTOR's records until EXECUTION takes them. */
class OutputQueue implements RecordSink {
  readonly memory: RecordMemory;
  private head: number;
  private tail: number;

  constructor() {
    this.memory = allocateRecordMemory(QUEUE_RECORDS);
    this.head = 0;
    this.tail = 0;
  }

  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  /** Of the next record. */
  get recvTsNs(): number {
    return this.memory.f64[((this.head * RECORD_BYTES) >> 3) + HEADER_RECV_TS_NS]!;
  }

  deliver(to: ExecutionHandler): void {
    const at = this.head++ * RECORD_BYTES;
    to.onRecord(this.memory, at);
    if (this.isEmpty) {
      this.head = 0;
      this.tail = 0;
    }
  }

  hasRoom(count: number): boolean {
    return this.tail + count <= QUEUE_RECORDS;
  }

  tryClaim(): number {
    return this.hasRoom(1) ? this.tail * RECORD_BYTES : -1;
  }

  commit(): void {
    this.tail++;
  }

  publish(): void {}
}
