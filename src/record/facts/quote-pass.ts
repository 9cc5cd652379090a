// Second pass over recorded sessions: best bids and offers give the mids at wanted instants by the venue's clock, and the
// feed's latency by hour. Cold; only what is wanted is kept.
import { type FeedLatency, hourOf } from "../../analytics/session-facts.ts";
import { bucketOf, HISTOGRAM_BUCKETS, HistogramReader } from "../../core/histogram.ts";

/** Which quote answers: the last one before the instant, or the last one not after it. */
export type Instant = "before" | "at";

interface WantedMid {
  readonly tsNs: number;
  readonly strict: boolean;
  readonly out: Float64Array;
  readonly index: number;
  /** Beyond the last quote its mid is taken; else nothing is known there. */
  readonly orLast: boolean;
}

/** Mids of one instrument at instants that were asked for before the pass. */
class MidsWanted {
  quotes = 0;
  first = Number.NaN;
  private readonly wanted: WantedMid[] = [];
  private next = 0;
  private mid = Number.NaN;
  private lastNs = Number.NEGATIVE_INFINITY;

  add(wanted: WantedMid): void {
    if (Number.isNaN(wanted.tsNs)) wanted.out[wanted.index] = Number.NaN;
    else this.wanted.push(wanted);
  }

  /** At one instant "before" is asked first: a quote of that instant comes between the two. */
  sort(): void {
    this.wanted.sort((a, b) => a.tsNs - b.tsNs || Number(b.strict) - Number(a.strict));
  }

  onMid(exchNs: number, midTicks: number): void {
    this.quotes++;
    // Streams are in order but for a reconnection: time never goes back here.
    if (exchNs > this.lastNs) {
      for (; this.next < this.wanted.length && isDue(this.wanted[this.next]!, exchNs); this.next++)
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

/** A quote of `exchNs` comes too late for it. */
const isDue = ({ tsNs, strict }: WantedMid, exchNs: number): boolean =>
  strict ? tsNs <= exchNs : tsNs < exchNs;

export class QuotePass {
  private readonly mids: readonly MidsWanted[];
  private readonly feeds = new Map<number, { hour: number; instrument: number; counts: Float64Array }>();

  constructor(instruments: number) {
    this.mids = Array.from({ length: instruments }, () => new MidsWanted());
  }

  /** Writes the mid of `instrument` into out[index]. Before the pass. */
  want(
    instrument: number,
    when: Instant,
    tsNs: number,
    out: Float64Array,
    index: number,
    orLast = false,
  ): void {
    this.mids[instrument]!.add({ tsNs, strict: when === "before", out, index, orLast });
  }

  start(): void {
    for (const mids of this.mids) mids.sort();
  }

  onQuote(instrument: number, exchNs: number, recvNs: number, midTicks: number): void {
    this.mids[instrument]!.onMid(exchNs, midTicks);
    this.countLatency(instrument, exchNs, recvNs);
  }

  end(): void {
    for (const mids of this.mids) mids.end();
  }

  quotesOf(instrument: number): number {
    return this.mids[instrument]!.quotes;
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
