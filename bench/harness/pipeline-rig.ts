// The product's way from a market message to an order, in one lane, put together as src/engine does for `fused`:
// link handler → decoder → book sync → journaled pipe → books and graph → pipe → strategy, gate, order table →
// gateway → request bytes; journal rings, boards, notices and histograms on. Time is the capture's (virtual),
// but every clock call of the product is made. Answers come from the Responder.
//
// A rig plays the capture once. The factor state (and with it the generated graph function, which the JIT must
// know well) is shared and set back; everything else is new, so every play sends the same bytes.
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { monotonicNs } from "../../ffi/host.ts";
import { loadConfig } from "../../src/config/load.ts";
import { SessionClock } from "../../src/core/clock.ts";
import { type RecordHandler, RecordMemory } from "../../src/core/record.ts";
import { executionBoardSlots } from "../../src/engine/execution-board.ts";
import { FactorBoardTap, factorBoardSlots } from "../../src/engine/factor-board.ts";
import { TimedHandler } from "../../src/engine/factor-lane.ts";
import {
  type EngineLayout,
  planLayout,
  STREAM_MARKET,
  STREAM_ORDERS,
  STREAM_TELEMETRY,
} from "../../src/engine/layout.ts";
import { NoticeTap } from "../../src/engine/notice-tap.ts";
import { captureCheckpoint, restoreCheckpoint, sealCheckpoint } from "../../src/factor/checkpoint.ts";
import { type FactorState, makeFactorState } from "../../src/factor/factor-state.ts";
import { loadGraphFile } from "../../src/factor/graph-toml.ts";
import { FactorHandler } from "../../src/factor/handler.ts";
import { makeSignalRegistry, signalIndex } from "../../src/factor/signal-registry.ts";
import { BoardWriter } from "../../src/lane/board.ts";
import { JournalSink } from "../../src/lane/journal-sink.ts";
import { LaneLog } from "../../src/lane/notices.ts";
import { FusedPipe, JournaledPipe } from "../../src/lane/pipe.ts";
import { LaneTelemetry } from "../../src/lane/telemetry.ts";
import type { Instrument } from "../../src/market/instrument.ts";
import { ClientIdEncoder } from "../../src/order/client-id.ts";
import { createArena, openArena } from "../../src/ring/arena.ts";
import { RingConsumer, type RingLocation, RingProducer } from "../../src/ring/spsc-ring.ts";
import { PrivateKillWord } from "../../src/risk/kill-word.ts";
import type { RiskSettings } from "../../src/risk/limits.ts";
import obiMm from "../../src/strategy/builtin/obi-mm.ts";
import { ExecutionHandler } from "../../src/strategy/execution-handler.ts";
import { whyValues } from "../../src/strategy/why.ts";
import { Credentials } from "../../src/venue/binance/credentials.ts";
import { BinanceGateway, newGatewayCounters } from "../../src/venue/binance/gateway.ts";
import { BinanceMarketData, newFeedCounters } from "../../src/venue/binance/market-data.ts";
import { BUDGET_DEFAULTS, RequestBudget } from "../../src/venue/binance/request-budget.ts";
import { BinanceRest } from "../../src/venue/binance/rest.ts";
import type { TransportHandler } from "../../src/venue/contract.ts";
import { LINK_DEFAULTS } from "../../src/venue/transport/link.ts";
import { FEED_SYNCED } from "../../src/wire/codes.ts";
import {
  encodeFeedStatus,
  encodeTimer,
  FLAG_END_OF_EVENT,
  SCHEMA_VERSION,
} from "../../src/wire/messages.gen.ts";
import { CAPTURED_TRADE, type CaptureMessages } from "./capture-messages.ts";
import { MemoryTransport, Responder, WatchedGateway } from "./responder.ts";

const GRAPH = join(import.meta.dir, "../../config/graphs/obi_mm_factors.toml");
const RECEIVE_BYTES = 256 * 1024;
const TIMER_ID = 1;
/** The lane's own timer; the product's default is 10 ms, which here would be most of the records. */
const TIMER_NS = 100e6;
const DRAIN_EVERY = 64;
const LINK = { ...LINK_DEFAULTS, heartbeatNs: Number.POSITIVE_INFINITY };

export const BTCUSDT: Instrument = {
  id: 1,
  venue: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  settle: "USDT",
  tickSize: "0.10",
  lotSize: "0.001",
  contractSize: "1",
  pxDecimals: 2,
  qtyDecimals: 3,
  minPxTicks: 5_567,
  maxPxTicks: 45_294_810,
  minQtyLots: 1,
  maxQtyLots: 1_000_000,
  minNotionalTickLots: 1_000_000,
  orderTickStep: 1,
  percentUpE8: 105_000_000,
  percentDownE8: 95_000_000,
  makerFeeE8: 20_000,
  takerFeeE8: 50_000,
  trading: true,
};

/** Virtual session time; asking for it costs what the product's clock costs. */
class CaptureClock {
  virtualNs = 0.5;
  realNs = 0.5;
  readonly nowNs = (): number => {
    this.realNs = monotonicNs();
    return this.virtualNs;
  };
}

/** What all rigs of a process share. */
export class PipelineStage {
  readonly messages: CaptureMessages;
  readonly state: FactorState;
  readonly layout: EngineLayout;
  readonly arena: SharedArrayBuffer;
  readonly key: string;
  readonly risk: RiskSettings;
  readonly signals: Readonly<Record<string, number>>;
  private readonly blank: Uint8Array;

  private constructor(messages: CaptureMessages, state: FactorState, signals: Record<string, number>) {
    const lane = { name: "fused", agents: ["feed", "factor", "execution"], cpu: -1, wait: "park" } as const;
    const writer = { name: "writer", agents: ["writer"], cpu: -1, wait: "park" } as const;
    this.messages = messages;
    this.state = state;
    this.signals = signals;
    this.layout = planLayout(
      [lane, writer],
      {
        market: 16_384,
        signals: 16_384,
        marketJournal: 65_536,
        ordersJournal: 16_384,
        telemetryJournal: 16_384,
        control: 1024,
        notices: 4096,
      },
      { factor: factorBoardSlots(1, 3), why: whyValues(2), execution: executionBoardSlots(2, 2, 8) },
    );
    this.arena = createArena(this.layout.arena, SCHEMA_VERSION, messages.baseNs + 1n, monotonicNs());
    this.key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    this.risk = riskOf(loadConfig({ env: "sim" }));
    this.blank = sealCheckpoint(captureCheckpoint(state, messages.baseNs, 0n));
  }

  static async open(messages: CaptureMessages): Promise<PipelineStage> {
    const setups = [{ name: "obi", program: await loadGraphFile(GRAPH), instrument: 1 }];
    const registry = makeSignalRegistry(setups);
    const state = makeFactorState({ instruments: [BTCUSDT], graphs: setups });
    const signals = Object.fromEntries(
      registry.entries.map((e) => [e.output, signalIndex(registry, "obi", e.output)]),
    );
    return new PipelineStage(messages, state, signals);
  }

  /** The factor state as it was before any message. */
  reset(): void {
    restoreCheckpoint(this.state, this.blank);
  }
}

function riskOf(loaded: ReturnType<typeof loadConfig>): RiskSettings {
  if (!loaded.ok) throw new Error("config/base.toml does not load");
  return loaded.config.risk;
}

export interface RigOptions {
  /** Stage histograms as in the product; default on. */
  readonly telemetry?: boolean;
  /** The wanted price's move that leads to a request; given, the request limits are out of the way too. */
  readonly minMoveTicks?: number;
  /** What FACTOR sends goes nowhere: the way up to the graph. */
  readonly graphOnly?: boolean;
}

const MANY = 1_000_000;

export class PipelineRig {
  readonly responder: Responder;
  readonly handler: ExecutionHandler;
  readonly factor: FactorHandler;
  readonly feed: BinanceMarketData;
  /** Real ns spent on what is not the way of a message: answers, timers. */
  asideNs = 0;
  private readonly stage: PipelineStage;
  private readonly clock = new CaptureClock();
  private readonly consumers: RingConsumer[];
  private readonly observed: NoticeTap;
  private readonly gateway: BinanceGateway;
  private readonly buffer = new Uint8Array(new ArrayBuffer(RECEIVE_BYTES));
  private publicEnd: TransportHandler | null = null;
  private marketEnd: TransportHandler | null = null;
  private nextTimerNs = 0;

  constructor(stage: PipelineStage, options: RigOptions = {}) {
    const telemetry = options.telemetry ?? true;
    const often = options.minMoveTicks !== undefined;
    this.stage = stage;
    stage.reset();
    const memory = new RecordMemory(stage.arena);
    const { layout, arena, messages } = stage;
    const { rings } = layout;
    const baseMs = Number(messages.baseNs / 1_000_000n);
    const producer = (ring: RingLocation) => new RingProducer(memory, ring, null);
    const journalRings = [rings.marketJournal, rings.ordersJournal, rings.telemetryJournal];
    this.consumers = [...journalRings, rings.notices["fused"]!].map((r) => new RingConsumer(memory, r));
    this.drain();
    const journal = (ring: RingLocation, stream: number, stampSequence: boolean) =>
      new JournalSink(producer(ring), { stream, stampSequence });
    const real = new SessionClock(openArena(arena, SCHEMA_VERSION), monotonicNs);
    const log = new LaneLog(producer(rings.notices["fused"]!), 0, real);
    const ids = new ClientIdEncoder(0x1234567, 0x1fff);
    this.responder = new Responder(this.clock, baseMs, ids);
    const door = new WatchedGateway(this.responder);
    const lane = new LaneTelemetry(arena, layout.telemetry.execution);
    const factorLane = new LaneTelemetry(arena, layout.telemetry.factor);
    const feedLane = new LaneTelemetry(arena, layout.telemetry.feed);
    const orders = journal(rings.ordersJournal, STREAM_ORDERS, true);
    const named = (name: string) => lane.histogram(layout.telemetry.execution, name);
    this.handler = new ExecutionHandler({
      instruments: [BTCUSDT],
      strategies: [
        {
          name: "obi-mm",
          definition: obiMm,
          instruments: [1],
          params: often ? { min_move_ticks: options.minMoveTicks! } : {},
          limits: {},
          signals: stage.signals,
        },
      ],
      risk: often ? { ...stage.risk, maxOrdersPer10s: MANY, maxOrdersPerMin: 6 * MANY } : stage.risk,
      assets: ["", "USDT"],
      nonceLo: ids.nonceLo,
      nonceHi: ids.nonceHi,
      maxOrders: 1024,
      gateway: door,
      orders: new NoticeTap(orders, log),
      telemetry: new NoticeTap(journal(rings.telemetryJournal, STREAM_TELEMETRY, true), log),
      killWord: new PrivateKillWord(),
      latchKill: () => {},
      stampNs: () => real.nowNs(),
      timerId: TIMER_ID,
      counters: lane.counters,
      histograms: telemetry
        ? {
            tickToOrder: named("tickToOrder"),
            strategy: named("strategy"),
            risk: named("risk"),
            encode: named("encode"),
            roundTrip: named("roundTrip"),
          }
        : null,
      why: new Float64Array(arena, layout.why.offset, layout.why.bytes / 8),
      onException: (_strategy, error) => {
        throw error;
      },
    });
    const toExecution = new FusedPipe(this.handler);
    const fromFactor = options.graphOnly === true ? new FusedPipe({ onRecord: () => {} }) : toExecution;
    this.observed = new NoticeTap(new JournaledPipe(orders, this.handler, toExecution), log);
    const credentials = new Credentials("ed25519", "bench", stage.key);
    const rest = new BinanceRest({
      baseUrl: "http://127.0.0.1:9",
      credentials,
      recvWindowMs: 5000,
      timeoutMs: 1000,
      nowMs: () => baseMs + this.clock.virtualNs / 1e6,
      budget: new RequestBudget(
        often
          ? { weightPerMinute: 60 * MANY, ordersPerMinute: 6 * MANY, ordersPer10s: MANY, reserve: 0.1 }
          : BUDGET_DEFAULTS,
      ),
      defaultFees: { makerFeeE8: 0, takerFeeE8: 0 },
    });
    rest.depthSnapshot = async () => ({ ok: true, value: messages.snapshot });
    this.gateway = this.makeGateway(baseMs, ids, credentials, rest);
    door.open(this.gateway);
    this.factor = new FactorHandler({
      state: stage.state,
      sink: new FactorBoardTap(fromFactor, new BoardWriter(arena, layout.boards.factor), 1),
      baseNs: messages.baseNs,
    });
    const histogram = (name: string) => factorLane.histogram(layout.telemetry.factor, name);
    const entry: RecordHandler = telemetry
      ? new TimedHandler(this.factor, () => real.nowNs(), histogram("book"), histogram("graph"))
      : this.factor;
    this.feed = new BinanceMarketData({
      instruments: [BTCUSDT],
      publicUrl: "ws://bench/public",
      marketUrl: "ws://bench/market",
      sink: new JournaledPipe(journal(rings.marketJournal, STREAM_MARKET, false), entry, null),
      baseMs,
      nowNs: this.clock.nowNs,
      connect: (handler) => {
        if (this.publicEnd === null) this.publicEnd = handler;
        else this.marketEnd = handler;
        return new MemoryTransport(handler, () => {});
      },
      snapshots: (symbol) => rest.depthSnapshot(symbol),
      link: LINK,
      timerNs: 0,
      seed: 1,
      counters: newFeedCounters(),
      decodeTimes: telemetry ? feedLane.histogram(layout.telemetry.feed, "decode") : null,
    });
  }

  private makeGateway(baseMs: number, ids: ClientIdEncoder, credentials: Credentials, rest: BinanceRest) {
    let orderEnd: TransportHandler | null = null;
    const gateway = new BinanceGateway({
      instruments: [BTCUSDT],
      assets: ["", "USDT"],
      credentials,
      ids,
      rest,
      sink: this.observed,
      baseMs,
      nowNs: this.clock.nowNs,
      connect: (handler) => {
        orderEnd = handler;
        return new MemoryTransport(handler, (bytes, end) => this.responder.onSend(bytes, end));
      },
      link: LINK,
      wsApiUrl: "ws://bench/ws-fapi/v1",
      privateUrl: "ws://bench/private",
      recvWindowMs: 5000,
      orderTimeoutNs: Number.POSITIVE_INFINITY,
      killWord: () => 0,
      seed: 1,
      counters: newGatewayCounters(),
      reconcileEveryNs: Number.POSITIVE_INFINITY,
      foreignOrders: "adopt",
      workingOrders: () => [],
    });
    // The last transport made is the order connection's.
    this.responder.attach(gateway, orderEnd!);
    gateway.orders.start("ws://bench/ws-fapi/v1", this.clock.virtualNs);
    orderEnd!.onOpen();
    this.responder.acceptLogon();
    return gateway;
  }

  /** Connects, buffers, applies the snapshot: afterwards the book is live and trading is allowed. */
  async start(): Promise<void> {
    const { messages } = this.stage;
    const first = messages.early[0] ?? { recvNs: messages.snapshotNs };
    this.clock.virtualNs = first.recvNs - 1e6;
    this.feed.start();
    this.publicEnd!.onOpen();
    this.marketEnd!.onOpen();
    for (const { bytes, recvNs } of messages.early) {
      this.clock.virtualNs = recvNs;
      this.buffer.set(bytes);
      this.publicEnd!.onText(this.buffer, bytes.length, recvNs);
    }
    this.clock.virtualNs = messages.snapshotNs;
    this.feed.poll(messages.snapshotNs);
    await Promise.resolve();
    await Bun.sleep(0);
    if (this.feed.status().feeds[0]!.state !== FEED_SYNCED) throw new Error("the book did not synchronise");
    this.accountIsSynced(messages.snapshotNs);
    this.nextTimerNs = messages.snapshotNs;
    this.drain();
  }

  private accountIsSynced(nowNs: number): void {
    const { observed } = this;
    const at = observed.tryClaim();
    encodeFeedStatus(
      observed.memory,
      at,
      FLAG_END_OF_EVENT,
      0,
      0,
      0,
      0,
      0,
      nowNs,
      FEED_SYNCED,
      0,
      0,
      0,
      0,
      0,
      0,
    );
    observed.commit();
    observed.publish();
  }

  /** Copies message `i` into the receive buffer; what came due before it happens first. */
  prepare(i: number): void {
    const { messages } = this.stage;
    const recvNs = messages.recvNs[i]!;
    if (recvNs >= this.nextTimerNs || recvNs >= this.responder.dueNs) this.aside(recvNs);
    this.clock.virtualNs = recvNs;
    this.buffer.set(messages.bytes[i]!);
  }

  /** The way of message `i`: bytes in, orders out. */
  handle(i: number): void {
    const { messages } = this.stage;
    const isTrade = messages.kind[i] === CAPTURED_TRADE;
    const end = isTrade ? this.marketEnd! : this.publicEnd!;
    end.onText(this.buffer, messages.bytes[i]!.length, messages.recvNs[i]!);
    if (isTrade) this.responder.onTrade(messages.tradePxTicks[i]!);
    if ((i & (DRAIN_EVERY - 1)) === 0) this.drain();
  }

  /** Messages [from, to); returns real ns without what was done aside. */
  play(from: number, to: number): number {
    const asideBefore = this.asideNs;
    const started = monotonicNs();
    for (let i = from; i < to; i++) {
      this.prepare(i);
      this.handle(i);
    }
    return monotonicNs() - started - (this.asideNs - asideBefore);
  }

  private aside(untilNs: number): void {
    const started = monotonicNs();
    const { responder, clock } = this;
    while (this.nextTimerNs <= untilNs || responder.dueNs <= untilNs) {
      if (responder.dueNs <= this.nextTimerNs) {
        clock.virtualNs = responder.dueNs;
        responder.deliver(responder.dueNs);
      } else this.timer();
    }
    this.asideNs += monotonicNs() - started;
  }

  private timer(): void {
    const { observed } = this;
    const nowNs = this.nextTimerNs;
    this.nextTimerNs = nowNs + TIMER_NS;
    this.clock.virtualNs = nowNs;
    const at = observed.tryClaim();
    encodeTimer(observed.memory, at, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, nowNs, TIMER_ID, TIMER_NS, nowNs);
    observed.commit();
    observed.publish();
  }

  /** What the writer lane and main do: read and give back. */
  drain(): void {
    for (let k = 0; k < this.consumers.length; k++) {
      const consumer = this.consumers[k]!;
      consumer.release(consumer.availableNow());
    }
  }

  /** Orders sent and the hash of their bytes, in one exact number. */
  get checksum(): number {
    return this.responder.requests * 2 ** 32 + (this.responder.hash >>> 0);
  }
}
