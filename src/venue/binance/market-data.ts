// Market data of Binance USD-M: two connections on the venue's split routes (public: depth and bookTicker,
// market: trade and markPrice), subscribed by URL, turned into records. Hot: feed lane; 0 bytes per message
// after the transport's own string. Time comes from messages' receive stamps and from poll; snapshots are the
// only thing that is awaited.
import { NS_PER_MS, NS_PER_S } from "../../core/clock.ts";
import { Prng } from "../../core/prng.ts";
import type { RunSink } from "../../core/record.ts";
import type { Instrument } from "../../market/instrument.ts";
import {
  FEED_REASON_DISCONNECTED,
  FEED_REASON_HEARTBEAT,
  FEED_REASON_MALFORMED,
  FEED_REASON_SNAPSHOT,
} from "../../wire/codes.ts";
import type { MarketDataStatus, MarketDataStream, TransportFactory, VenueResult } from "../contract.ts";
import { Backoff } from "../transport/backoff.ts";
import { CLOSED_BY_HEARTBEAT, Link, type LinkOptions, type LinkOwner } from "../transport/link.ts";
import { BookSync, SNAPSHOT_APPLIED, SNAPSHOT_NO_ROOM, SNAPSHOT_TOO_OLD } from "./book-sync.ts";
import { DepthBuffer } from "./depth-buffer.ts";
import { FeedWriter } from "./feed-writer.ts";
import {
  MarketDecoder,
  MESSAGE_AGG_TRADE,
  MESSAGE_BOOK_TICKER,
  MESSAGE_DEPTH,
  MESSAGE_MARK_PRICE,
  MESSAGE_REPLY,
  MESSAGE_SNAPSHOT,
  MESSAGE_TRADE,
  REFUSED_MALFORMED,
  REFUSED_OFF_STEP,
  REFUSED_TOO_LARGE,
  REFUSED_UNKNOWN_SYMBOL,
} from "./market-decoder.ts";

/** Plain numbers; whoever owns the lane maps them to its telemetry. */
export interface FeedCounters {
  messages: number;
  bytes: number;
  depthMessages: number;
  trades: number;
  bookTickers: number;
  markPrices: number;
  replies: number;
  /** Refused messages, by cause. */
  malformed: number;
  unknownSymbols: number;
  offStep: number;
  tooLarge: number;
  unknownEvents: number;
  /** bookTickers older than the last one. */
  staleTickers: number;
  snapshots: number;
  snapshotFailures: number;
  snapshotsTooOld: number;
}

export const newFeedCounters = (): FeedCounters => ({
  messages: 0,
  bytes: 0,
  depthMessages: 0,
  trades: 0,
  bookTickers: 0,
  markPrices: 0,
  replies: 0,
  malformed: 0,
  unknownSymbols: 0,
  offStep: 0,
  tooLarge: 0,
  unknownEvents: 0,
  staleTickers: 0,
  snapshots: 0,
  snapshotFailures: 0,
  snapshotsTooOld: 0,
});

/** Fetches the 1,000-level snapshot of a symbol as the venue's bytes. */
export type SnapshotSource = (symbol: string) => Promise<VenueResult<Uint8Array>>;

/** Takes durations in ns: a latency histogram. */
export interface DurationSink {
  record(ns: number): void;
}

export interface MarketDataOptions {
  readonly instruments: readonly Instrument[];
  /** `ws://host/public`, `ws://host/market`: routes without the `/stream` part. */
  readonly publicUrl: string;
  readonly marketUrl: string;
  readonly sink: RunSink;
  /** Session base, ms since the epoch. */
  readonly baseMs: number;
  readonly nowNs: () => number;
  readonly connect: TransportFactory;
  readonly snapshots: SnapshotSource;
  readonly link: LinkOptions;
  /** Market Timer interval; 0 = none. */
  readonly timerNs: number;
  /** Jitter of reconnects. */
  readonly seed: number;
  readonly counters: FeedCounters;
  /** Receive → records published, per depth message; null = not measured (saves a clock call). */
  readonly decodeTimes: DurationSink | null;
}

const FIRST_SNAPSHOT_DELAY_NS = 250 * NS_PER_MS;
const SNAPSHOT_RETRY_MIN_NS = 200 * NS_PER_MS;
const SNAPSHOT_RETRY_MAX_NS = 30 * NS_PER_S;
/** A book that stayed live so long has its retries forgiven. */
const STABLE_NS = 10 * NS_PER_S;
const SNAPSHOTS_IN_FLIGHT_MAX = 2;

/** One instrument's synchronisation and its snapshot schedule. */
class Feed {
  readonly symbol: string;
  readonly sync: BookSync;
  readonly retry: Backoff;
  fetching: boolean;
  /** When the next snapshot may be fetched, ns. */
  fetchAtNs: number;
  liveSinceNs: number;
  awaitsFirstEvent: boolean;
  tickerHi: number;
  tickerLo: number;

  constructor(symbol: string, sync: BookSync, retry: Backoff) {
    this.symbol = symbol;
    this.sync = sync;
    this.retry = retry;
    this.fetching = false;
    this.fetchAtNs = 0;
    this.liveSinceNs = 0;
    this.awaitsFirstEvent = false;
    this.tickerHi = 0;
    this.tickerLo = 0;
  }
}

export class BinanceMarketData implements MarketDataStream {
  readonly counters: FeedCounters;
  readonly writer: FeedWriter;
  readonly publicLink: Link;
  readonly marketLink: Link;
  private readonly options: MarketDataOptions;
  private readonly decoder: MarketDecoder;
  /** Snapshots are decoded apart, so that a late one cannot disturb a message. */
  private readonly snapshotDecoder: MarketDecoder;
  private readonly feeds: Feed[];
  private nextTimerNs: number;
  private fetches: number;
  private running: boolean;

  constructor(options: MarketDataOptions) {
    const { instruments, connect, link } = options;
    const prng = new Prng(options.seed);
    this.options = options;
    this.counters = options.counters;
    this.writer = new FeedWriter(options.sink, options.baseMs);
    this.decoder = new MarketDecoder(instruments);
    this.snapshotDecoder = new MarketDecoder(instruments);
    this.feeds = instruments.map((i) => {
      const sync = new BookSync(i.id, this.writer, new DepthBuffer());
      return new Feed(i.symbol, sync, new Backoff(prng, SNAPSHOT_RETRY_MIN_NS, SNAPSHOT_RETRY_MAX_NS));
    });
    this.publicLink = new Link(this.owner(true), connect, link, prng);
    this.marketLink = new Link(this.owner(false), connect, link, prng);
    this.nextTimerNs = 0;
    this.fetches = 0;
    this.running = false;
  }

  start(): void {
    const nowNs = this.options.nowNs();
    this.running = true;
    this.publicLink.start(this.streamUrl(this.options.publicUrl, ["@depth@0ms", "@bookTicker"]), nowNs);
    this.marketLink.start(this.streamUrl(this.options.marketUrl, ["@trade", "@markPrice@1s"]), nowNs);
  }

  stop(): void {
    this.running = false;
    this.publicLink.stop();
    this.marketLink.stop();
  }

  poll(nowNs: number): number {
    let work = this.publicLink.poll(nowNs) + this.marketLink.poll(nowNs) + this.pollTimer(nowNs);
    for (let i = 0; i < this.feeds.length; i++) work += this.pollFeed(this.feeds[i]!, i, nowNs);
    if (work > 0) this.writer.publish();
    return work;
  }

  status(): MarketDataStatus {
    return {
      connected: this.publicLink.isOpen && this.marketLink.isOpen,
      feeds: this.feeds.map(({ sync }) => ({
        instrument: sync.instrument,
        state: sync.state,
        reason: sync.reason,
        gaps: sync.gaps,
        resyncs: sync.resyncs,
      })),
    };
  }

  private streamUrl(base: string, suffixes: readonly string[]): string {
    const streams = this.feeds.flatMap((f) => suffixes.map((suffix) => f.symbol.toLowerCase() + suffix));
    return `${base}/stream?streams=${streams.join("/")}`;
  }

  private owner(isPublic: boolean): LinkOwner {
    return {
      onLinkOpen: () => {
        if (isPublic) this.publicOpened(this.options.nowNs());
      },
      onLinkText: (bytes, end, recvTsNs) => this.onMessage(bytes, end, recvTsNs, isPublic),
      onLinkClosed: (cause) => {
        if (isPublic) this.publicClosed(cause, this.options.nowNs());
      },
    };
  }

  private publicOpened(nowNs: number): void {
    for (const feed of this.feeds) {
      feed.sync.connected(nowNs);
      feed.fetchAtNs = nowNs + FIRST_SNAPSHOT_DELAY_NS;
      feed.awaitsFirstEvent = true;
      feed.tickerHi = 0;
      feed.tickerLo = 0;
    }
    this.writer.publish();
  }

  private publicClosed(cause: number, nowNs: number): void {
    const reason = cause === CLOSED_BY_HEARTBEAT ? FEED_REASON_HEARTBEAT : FEED_REASON_DISCONNECTED;
    for (const feed of this.feeds) feed.sync.disconnected(reason, nowNs);
    this.writer.publish();
  }

  private onMessage(bytes: Uint8Array, end: number, recvTsNs: number, isPublic: boolean): void {
    const c = this.counters;
    const d = this.decoder;
    c.messages++;
    c.bytes += end;
    const kind = d.decode(bytes, end);
    if (kind === MESSAGE_DEPTH) {
      c.depthMessages++;
      this.onDepth(d, recvTsNs);
    } else if (kind === MESSAGE_BOOK_TICKER) this.onTicker(d, recvTsNs);
    else if (kind === MESSAGE_TRADE || kind === MESSAGE_AGG_TRADE) this.onTrade(d, recvTsNs);
    else if (kind === MESSAGE_MARK_PRICE) {
      c.markPrices++;
      this.writer.markPrice(d, this.feeds[d.index]!.sync.instrument, recvTsNs);
    } else if (kind === MESSAGE_REPLY) c.replies++;
    else this.onRefused(kind, d.index, isPublic, recvTsNs);
    this.writer.publish();
    const times = this.options.decodeTimes;
    if (times !== null && kind === MESSAGE_DEPTH) times.record(this.options.nowNs() - recvTsNs);
  }

  private onDepth(d: MarketDecoder, recvTsNs: number): void {
    const feed = this.feeds[d.index]!;
    const wasLive = feed.sync.isLive;
    feed.sync.onDepth(d, recvTsNs);
    // The first event of a connection says that buffering has begun: the snapshot may be fetched.
    if (feed.awaitsFirstEvent) {
      feed.awaitsFirstEvent = false;
      feed.fetchAtNs = recvTsNs;
    } else if (wasLive && !feed.sync.isLive) this.scheduleResync(feed, recvTsNs);
  }

  private scheduleResync(feed: Feed, nowNs: number): void {
    const stable = nowNs - feed.liveSinceNs > STABLE_NS;
    if (stable) feed.retry.reset();
    feed.fetchAtNs = stable ? nowNs : nowNs + feed.retry.nextDelayNs();
  }

  private onTicker(d: MarketDecoder, recvTsNs: number): void {
    const feed = this.feeds[d.index]!;
    if (d.idHi < feed.tickerHi || (d.idHi === feed.tickerHi && d.idLo <= feed.tickerLo)) {
      this.counters.staleTickers++;
      return;
    }
    feed.tickerHi = d.idHi;
    feed.tickerLo = d.idLo;
    this.counters.bookTickers++;
    this.writer.bbo(d, feed.sync.instrument, recvTsNs);
  }

  private onTrade(d: MarketDecoder, recvTsNs: number): void {
    this.counters.trades++;
    // The venue reports settlements of its own with price and quantity 0 (`"X":"NA"`): not a trade.
    if (d.qtyLots > 0) this.writer.trade(d, this.feeds[d.index]!.sync.instrument, recvTsNs);
  }

  /** A depth message that could not be read breaks the chain of its book, or of all when it names none. */
  private onRefused(code: number, index: number, isPublic: boolean, nowNs: number): void {
    const c = this.counters;
    if (code === REFUSED_MALFORMED) c.malformed++;
    else if (code === REFUSED_OFF_STEP) c.offStep++;
    else if (code === REFUSED_TOO_LARGE) c.tooLarge++;
    else if (code === REFUSED_UNKNOWN_SYMBOL) c.unknownSymbols++;
    else c.unknownEvents++;
    const doubtful = code === REFUSED_MALFORMED || code === REFUSED_OFF_STEP || code === REFUSED_TOO_LARGE;
    if (!isPublic || !doubtful) return;
    for (let i = 0; i < this.feeds.length; i++) {
      if (index >= 0 && index !== i) continue;
      const feed = this.feeds[i]!;
      if (!feed.sync.isLive) continue;
      feed.sync.broken(FEED_REASON_MALFORMED, nowNs);
      this.scheduleResync(feed, nowNs);
    }
  }

  private pollTimer(nowNs: number): number {
    const intervalNs = this.options.timerNs;
    if (intervalNs === 0) return 0;
    if (this.nextTimerNs === 0) this.nextTimerNs = Math.ceil(nowNs / intervalNs) * intervalNs;
    if (nowNs < this.nextTimerNs) return 0;
    // A late poll gives one Timer: the missed ones would only say the same thing again.
    this.writer.timer(0, intervalNs, this.nextTimerNs, nowNs);
    this.nextTimerNs = (Math.floor(nowNs / intervalNs) + 1) * intervalNs;
    return 1;
  }

  private pollFeed(feed: Feed, index: number, nowNs: number): number {
    const work = feed.sync.poll(nowNs);
    if (!feed.sync.needsSnapshot || feed.fetching || nowNs < feed.fetchAtNs || !this.running) return work;
    if (this.fetches >= SNAPSHOTS_IN_FLIGHT_MAX) return work;
    feed.fetching = true;
    this.fetches++;
    feed.sync.snapshotRequested(nowNs);
    void this.fetch(feed, index);
    return work + 1;
  }

  private async fetch(feed: Feed, index: number): Promise<void> {
    const result = await this.options.snapshots(feed.symbol).catch(() => null);
    this.fetches--;
    feed.fetching = false;
    if (!this.running) return;
    const nowNs = this.options.nowNs();
    if (result?.ok) this.applySnapshot(feed, index, result.value, nowNs);
    else {
      this.counters.snapshotFailures++;
      feed.fetchAtNs = nowNs + feed.retry.nextDelayNs();
    }
    this.writer.publish();
  }

  private applySnapshot(feed: Feed, index: number, bytes: Uint8Array, nowNs: number): void {
    const d = this.snapshotDecoder;
    if (d.decodeSnapshot(bytes, bytes.length, index) !== MESSAGE_SNAPSHOT) {
      this.counters.snapshotFailures++;
      feed.sync.broken(FEED_REASON_SNAPSHOT, nowNs);
      feed.fetchAtNs = nowNs + feed.retry.nextDelayNs();
      return;
    }
    const outcome = feed.sync.onSnapshot(d, nowNs);
    if (outcome === SNAPSHOT_APPLIED) {
      this.counters.snapshots++;
      feed.liveSinceNs = nowNs;
      // The buffered events themselves had a gap: that resync waits its turn.
      if (feed.sync.needsSnapshot) feed.fetchAtNs = nowNs + feed.retry.nextDelayNs();
      return;
    }
    if (outcome === SNAPSHOT_TOO_OLD) this.counters.snapshotsTooOld++;
    if (outcome === SNAPSHOT_NO_ROOM) this.counters.snapshotFailures++;
    feed.fetchAtNs = nowNs + feed.retry.nextDelayNs();
  }
}
