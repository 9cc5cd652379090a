// Second pass over a recorded session: the market stream gives mids at wanted instants by the venue's clock (from Bbo
// records), the venue's time of the events that led to requests, and the feed's latency by hour. Cold; the WAL is
// read once, and only what is wanted is kept.
import { type FeedLatency, hourOf } from "../../analytics/session-facts.ts";
import { bucketOf, HISTOGRAM_BUCKETS, HistogramReader } from "../../core/histogram.ts";
import type { RecordHandler, RecordMemory } from "../../core/record.ts";
import type { RecordPlace } from "../../journal/wal-reader.ts";
import * as wire from "../../wire/messages.gen.ts";
import type { Names } from "./orders-pass.ts";

export const MARKET_KINDS: ReadonlySet<number> = new Set([
  wire.KIND_DEPTH_DELTA,
  wire.KIND_TRADE,
  wire.KIND_BBO,
  wire.KIND_MARK_PRICE,
]);

interface WantedMid {
  readonly tsNs: number;
  readonly out: Float64Array;
  readonly index: number;
  /** Beyond the last quote its mid is taken; else nothing is known there. */
  readonly orLast: boolean;
}

/** Mids of one instrument at instants that were asked for before the pass. */
class MidsWanted {
  private wanted: WantedMid[] = [];
  private next = 0;
  first = Number.NaN;
  private mid = Number.NaN;
  private lastNs = Number.NEGATIVE_INFINITY;

  add(wanted: WantedMid): void {
    if (Number.isNaN(wanted.tsNs)) wanted.out[wanted.index] = Number.NaN;
    else this.wanted.push(wanted);
  }

  sort(): void {
    this.wanted.sort((a, b) => a.tsNs - b.tsNs);
  }

  onMid(exchNs: number, midTicks: number): void {
    // Streams are in order but for a reconnection: time never goes back here.
    if (exchNs > this.lastNs) {
      for (; this.next < this.wanted.length && this.wanted[this.next]!.tsNs < exchNs; this.next++)
        this.take();
      this.lastNs = exchNs;
    }
    this.mid = midTicks;
    if (Number.isNaN(this.first)) this.first = midTicks;
  }

  end(): void {
    for (; this.next < this.wanted.length; this.next++) {
      const { tsNs, out, index, orLast } = this.wanted[this.next]!;
      if (orLast || tsNs <= this.lastNs) this.take();
      else out[index] = Number.NaN;
    }
  }

  private take(): void {
    const { out, index } = this.wanted[this.next]!;
    out[index] = this.mid;
  }
}

export class MarketPass implements RecordHandler {
  readonly place: Partial<RecordPlace> = {};
  /** Market records read. */
  records = 0;
  /** Quotes seen, by instrument. */
  readonly quotes: number[];
  private readonly names: Names;
  private readonly mids: MidsWanted[];
  private readonly triggers: { readonly tsNs: number; readonly row: number }[] = [];
  private readonly eventExchNs: Float64Array;
  private trigger = 0;
  private readonly feeds = new Map<number, { hour: number; instrument: number; counts: Float64Array }>();
  private readonly bbo: wire.Bbo;

  /** `eventExchNs`: by row of `triggerNs`, filled by the pass. */
  constructor(names: Names, triggerNs: Float64Array, eventExchNs: Float64Array, m: RecordMemory) {
    this.names = names;
    this.mids = names.instruments.map(() => new MidsWanted());
    this.quotes = names.instruments.map(() => 0);
    this.eventExchNs = eventExchNs;
    this.bbo = new wire.Bbo(m);
    for (const [row, tsNs] of triggerNs.entries()) if (!Number.isNaN(tsNs)) this.triggers.push({ tsNs, row });
    this.triggers.sort((a, b) => a.tsNs - b.tsNs);
  }

  /** Writes the mid of `instrument` at `tsNs` into out[index]. Before the pass. */
  want(instrument: number, tsNs: number, out: Float64Array, index: number, orLast = false): void {
    this.mids[instrument]!.add({ tsNs, out, index, orLast });
  }

  start(): void {
    for (const mids of this.mids) mids.sort();
  }

  end(): void {
    for (const mids of this.mids) mids.end();
  }

  /** NaN: no quote at all. */
  firstMid(instrument: number): number {
    return this.mids[instrument]!.first;
  }

  get feedLatency(): FeedLatency[] {
    return [...this.feeds.values()].map(({ hour, instrument, counts }) => ({
      hour,
      instrument,
      histogram: new HistogramReader(counts),
    }));
  }

  onRecord(m: RecordMemory, at: number): void {
    const { shiftNs, instrument: indexOf } = this.names.of(this.place.segment!);
    const instrument = indexOf(m.u16[(at >> 1) + wire.HEADER_INSTRUMENT]!);
    if (instrument < 0) return;
    this.records++;
    const exchNs = m.f64[(at >> 3) + wire.HEADER_EXCH_TS_NS]! + shiftNs;
    const recvNs = m.f64[(at >> 3) + wire.HEADER_RECV_TS_NS]! + shiftNs;
    this.matchTriggers(recvNs, exchNs);
    const flags = m.u16[(at >> 1) + wire.HEADER_FLAGS]!;
    if ((flags & wire.FLAG_SNAPSHOT) !== 0) return;
    if ((flags & wire.FLAG_END_OF_EVENT) !== 0) this.countLatency(instrument, exchNs, recvNs);
    if (m.u16[(at >> 1) + wire.HEADER_KIND] !== wire.KIND_BBO) return;
    const { bidPxTicks, askPxTicks } = this.bbo.wrap(m, at);
    this.quotes[instrument]!++;
    this.mids[instrument]!.onMid(exchNs, (bidPxTicks + askPxTicks) / 2);
  }

  /** A request carries the receipt of the event that led to it. */
  private matchTriggers(recvNs: number, exchNs: number): void {
    const { triggers } = this;
    while (this.trigger < triggers.length && triggers[this.trigger]!.tsNs < recvNs) this.trigger++;
    for (let i = this.trigger; i < triggers.length && triggers[i]!.tsNs === recvNs; i++)
      this.eventExchNs[triggers[i]!.row] = exchNs;
  }

  private countLatency(instrument: number, exchNs: number, recvNs: number): void {
    const hour = hourOf(recvNs);
    const key = hour * 65_536 + instrument;
    let feed = this.feeds.get(key);
    if (feed === undefined) {
      feed = { hour, instrument, counts: new Float64Array(HISTOGRAM_BUCKETS) };
      this.feeds.set(key, feed);
    }
    feed.counts[bucketOf(recvNs - exchNs)]!++;
  }
}
