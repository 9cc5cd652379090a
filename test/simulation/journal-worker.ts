// A lane of the lanes-against-fused test: the product's host, duty cycle, rings, pipes, FACTOR and EXECUTION
// handlers and agents. Only the two ends differ: FEED reads a journal of market records, and the gateway
// answers by rule (rule-gateway.ts). Runs FEED, EXECUTION or all three (fused); FACTOR is the product's worker.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyRecord, RECORD_BYTES, type RecordHandler, RecordMemory } from "../../src/core/record.ts";
import { ExecutionAgent } from "../../src/engine/execution-agent.ts";
import { executionSinks, makeHandler } from "../../src/engine/execution-lane.ts";
import { buildFactor } from "../../src/engine/factor-lane.ts";
import { MarketSink } from "../../src/engine/feed-lane.ts";
import { hostLane, type LaneAgents, type LaneContext } from "../../src/engine/lane-host.ts";
import { STREAM_ORDERS, STREAM_TELEMETRY } from "../../src/engine/layout.ts";
import { NoticeTap } from "../../src/engine/notice-tap.ts";
import { COUNTERS } from "../../src/engine/telemetry-names.ts";
import { WitnessedGateway } from "../../src/engine/witness.ts";
import type { Agent } from "../../src/lane/agent.ts";
import { JournalSink } from "../../src/lane/journal-sink.ts";
import { FusedPipe, JournaledPipe } from "../../src/lane/pipe.ts";
import type { RingConsumer } from "../../src/ring/spsc-ring.ts";
import { LogicalDriver, RuleGateway } from "./rule-gateway.ts";

/** Messages per round: small enough that lanes overlap. */
const MESSAGES_PER_ROUND = 8;
/** A session time that never comes: the agent's own timer stays silent, the driver's is logical. */
const NO_TIME = -1;

class JournalFeed implements Agent {
  readonly name = "feed";
  private readonly market: MarketSink;
  private readonly records: RecordMemory;
  private readonly counts: Uint32Array;
  private readonly counters: Float64Array;
  private next = 0;
  private message = 0;

  constructor(context: LaneContext, factor: RecordHandler | null) {
    const dir = context.start.settings.engine.dataDir;
    this.market = new MarketSink(context, factor);
    this.records = new RecordMemory(readFileSync(join(dir, "market.bin")).slice().buffer);
    this.counts = new Uint32Array(readFileSync(join(dir, "counts.bin")).slice().buffer);
    this.counters = context.telemetry("feed").counters;
  }

  doWork(): number {
    let done = 0;
    while (done < MESSAGES_PER_ROUND && this.message < this.counts.length && this.send()) done++;
    this.counters[COUNTERS.feed.indexOf("messages")] = this.message;
    return done;
  }

  /** A message whole, or not yet: the ring is full. */
  private send(): boolean {
    const { sink } = this.market;
    const count = this.counts[this.message]!;
    if (!sink.hasRoom(count)) return false;
    for (let i = 0; i < count; i++) {
      copyRecord(this.records, this.next++ * RECORD_BYTES, sink.memory, sink.tryClaim());
      sink.commit();
    }
    sink.publish();
    this.message++;
    return true;
  }
}

interface Execution {
  readonly driver: LogicalDriver;
  readonly agent: Agent;
}

async function execution(context: LaneContext, signals: RingConsumer | null): Promise<Execution> {
  const { start } = context;
  const { rings } = start.layout;
  const killWord = context.edges.openKillWord(start.settings.engine.dataDir);
  const journal = (ring: typeof rings.ordersJournal, stream: number) =>
    new JournalSink(context.producer(ring, "writer"), { stream, stampSequence: true });
  const orders = journal(rings.ordersJournal, STREAM_ORDERS);
  const telemetry = journal(rings.telemetryJournal, STREAM_TELEMETRY);
  const door = new WitnessedGateway(orders);
  const sinks = executionSinks(context, orders, telemetry);
  const handler = await makeHandler(context, door, sinks, killWord);
  const driver = new LogicalDriver(handler);
  const observed = new NoticeTap(new JournaledPipe(orders, handler, driver), context.log);
  const { nonceLo, nonceHi } = start.session;
  const gateway = new RuleGateway(observed, handler.parts.desk, nonceLo, nonceHi);
  door.open(gateway, handler.parts.desk);
  driver.open(observed, gateway);
  const agent = new ExecutionAgent({
    signals,
    control: context.consumer(rings.control),
    handler: driver,
    observed,
    orders,
    telemetry,
    killWord,
    supervision: null,
    stallNs: Number.POSITIVE_INFINITY,
    suspensionNs: Number.POSITIVE_INFINITY,
    onMainSilent: () => {},
    timerNs: start.settings.engine.timerMs * 1e6,
    nowNs: () => NO_TIME,
    pollGateway: () => 0,
    venueLimits: null,
    onStart: () => {},
    onClose: () => writeFileSync(join(start.settings.engine.dataDir, "factor.bin"), driver.bytes()),
    writeBoard: () => {},
    counters: context.telemetry("execution").counters,
    reconnects: () => 0,
    noticesLost: () => context.log.lost,
    replies: sinks.orders,
  });
  return { driver, agent };
}

async function build(context: LaneContext): Promise<LaneAgents> {
  const parts = { ownsSocket: true, idleTimeoutMs: 10 };
  const { name } = context.start.placement;
  if (name === "feed") return { ...parts, agents: [new JournalFeed(context, null)] };
  const signals = context.start.layout.rings.signals;
  if (name === "execution")
    return { ...parts, agents: [(await execution(context, context.consumer(signals))).agent] };
  const { driver, agent } = await execution(context, null);
  const factor = await buildFactor(context, new FusedPipe(driver), null);
  return { ...parts, agents: [new JournalFeed(context, factor.entry), agent] };
}

hostLane(build);
