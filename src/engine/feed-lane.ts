// FEED: the venue's market data → records. Messages are handled in socket callbacks; the agent keeps the
// timers. Where the records go differs by topology: a ring to FACTOR with a copy to the journal, or straight
// into FACTOR's handler when both share a lane.
import type { RecordHandler, RunSink } from "../core/record.ts";
import type { Agent } from "../lane/agent.ts";
import { JournalSink } from "../lane/journal-sink.ts";
import { FusedPipe, JournaledPipe, TeeSink } from "../lane/pipe.ts";
import type { LaneTelemetry } from "../lane/telemetry.ts";
import type { RingProducer } from "../ring/spsc-ring.ts";
import { BinanceMarketData, type FeedCounters, newFeedCounters } from "../venue/binance/market-data.ts";
import { LINK_DEFAULTS, type LinkOptions } from "../venue/transport/link.ts";
import type { LaneContext } from "./lane-host.ts";
import { STREAM_MARKET } from "./layout.ts";
import { type EngineSettings, suspensionNs } from "./settings.ts";
import { COUNTERS } from "./telemetry-names.ts";
import { makeRest } from "./venue-access.ts";

const NS_PER_MS = 1e6;
const NS_PER_HOUR = 3600e9;
/** A market connection that answers pings but sends nothing for this many heartbeats is given up. */
const QUIET_HEARTBEATS = 3;
/** Counters are copied to the arena this often. */
const COUNTERS_EVERY_NS = 20 * NS_PER_MS;

export function linkOptions(settings: EngineSettings, heartbeatMs: number): LinkOptions {
  const { venue } = settings;
  return {
    ...LINK_DEFAULTS,
    heartbeatNs: heartbeatMs * NS_PER_MS,
    suspensionNs: suspensionNs(settings),
    rotationNs: venue.rotateHours * NS_PER_HOUR,
    bufferedBytesMax: venue.sendBufferBytes,
    backoffMinNs: venue.reconnectMinMs * NS_PER_MS,
    backoffMaxNs: venue.reconnectMaxMs * NS_PER_MS,
  };
}

/** `factor`: FACTOR's handler when it shares the lane; null when a ring leads to it. */
export function buildFeed(context: LaneContext, factor: RecordHandler | null): Agent {
  const { start, clock } = context;
  const { venue } = start.settings;
  const telemetry = context.telemetry("feed");
  const counters = newFeedCounters();
  const nowNs = () => clock.nowNs();
  const rest = makeRest(venue, null, context.edges.makeRest);
  if (start.requestLimits !== undefined) rest.budget.setLimits(start.requestLimits);
  const market = new MarketSink(context, factor);
  const stream = new BinanceMarketData({
    instruments: start.instruments,
    publicUrl: venue.publicUrl,
    marketUrl: venue.marketUrl,
    sink: market.sink,
    baseMs: context.baseMs,
    nowNs,
    connect: (handler) => context.edges.connect(handler, nowNs),
    snapshots: (symbol) => rest.depthSnapshot(symbol),
    link: {
      ...linkOptions(start.settings, venue.heartbeatMs),
      quietNs: QUIET_HEARTBEATS * venue.heartbeatMs * NS_PER_MS,
    },
    timerNs: start.marketTimerNs,
    seed: start.session.nonceLo,
    counters,
    decodeTimes: telemetry.histogram(start.layout.telemetry.feed, "decode"),
  });
  return new StreamAgent(stream, counters, telemetry, market, nowNs);
}

/** The sink of FEED, and the losses of its journal. */
export class MarketSink {
  readonly sink: RunSink;
  private readonly journal: JournalSink | null;

  constructor(context: LaneContext, factor: RecordHandler | null) {
    const { rings } = context.start.layout;
    this.journal = context.start.settings.journal.marketData
      ? new JournalSink(context.producer(rings.marketJournal, "writer"), {
          stream: STREAM_MARKET,
          stampSequence: false,
        })
      : null;
    if (factor !== null) {
      this.sink =
        this.journal === null ? new FusedPipe(factor) : new JournaledPipe(this.journal, factor, null);
    } else {
      const ring: RingProducer = context.producer(rings.market, "factor");
      this.sink = this.journal === null ? ring : new TeeSink(ring, this.journal);
    }
  }

  get lost(): number {
    return this.journal === null ? 0 : this.journal.lost;
  }
}

class StreamAgent implements Agent {
  readonly name = "feed";
  private readonly stream: BinanceMarketData;
  private readonly counters: FeedCounters;
  private readonly slots: Float64Array;
  private readonly market: MarketSink;
  private readonly nowNs: () => number;
  private copiedNs: number;

  constructor(
    stream: BinanceMarketData,
    counters: FeedCounters,
    telemetry: LaneTelemetry,
    market: MarketSink,
    nowNs: () => number,
  ) {
    this.stream = stream;
    this.counters = counters;
    this.slots = telemetry.counters;
    this.market = market;
    this.nowNs = nowNs;
    this.copiedNs = 0;
  }

  onStart(): void {
    this.stream.start();
  }

  doWork(): number {
    const now = this.nowNs();
    const work = this.stream.poll(now);
    if (now - this.copiedNs > COUNTERS_EVERY_NS) {
      this.copiedNs = now;
      this.copyCounters();
    }
    return work;
  }

  onClose(): void {
    this.stream.stop();
    this.copyCounters();
  }

  private copyCounters(): void {
    const c = this.counters;
    const { feeds } = this.stream.status();
    let gaps = 0;
    let resyncs = 0;
    for (const feed of feeds) {
      gaps += feed.gaps;
      // The first synchronisation is not a resync.
      resyncs += Math.max(0, feed.resyncs - 1);
    }
    const { publicLink, marketLink } = this.stream;
    const reconnects = Math.max(0, publicLink.connects - 1) + Math.max(0, marketLink.connects - 1);
    this.set("messages", c.messages);
    this.set("bytes", c.bytes);
    this.set("events", c.depthMessages);
    this.set("trades", c.trades);
    this.set("gaps", gaps);
    this.set("resyncs", resyncs);
    this.set("reconnects", reconnects);
    this.set("malformed", c.malformed + c.offStep + c.tooLarge + c.unknownSymbols + c.unknownEvents);
    this.set("overflows", this.stream.writer.lostRecords);
    this.set("journalLost", this.market.lost);
  }

  private set(name: (typeof COUNTERS.feed)[number], value: number): void {
    this.slots[COUNTERS.feed.indexOf(name)] = value;
  }
}
