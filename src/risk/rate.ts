// Request rates on logical time. A sliding window of buckets: never counts less than the true window, at most
// one bucket more. Hot: execution lane; 0 bytes; O(1) amortised (a bucket is cleared once per pass).
import { assert } from "../core/assert.ts";
import { NS_PER_MS, NS_PER_S } from "../core/clock.ts";

export class SlidingCount {
  private readonly bucketNs: number;
  private readonly buckets: number;
  private readonly counts: Float64Array;
  private newest: number;
  /** End of the newest bucket. */
  private untilNs: number;
  private total: number;

  /** Counts events of the last `buckets · bucketNs`, rounded up to whole buckets. */
  constructor(buckets: number, bucketNs: number) {
    assert(buckets > 0 && bucketNs > 0, "sliding window needs a length");
    this.bucketNs = bucketNs;
    this.buckets = buckets + 1;
    this.counts = new Float64Array(new ArrayBuffer(Math.max(this.buckets * 8, 4096)));
    this.newest = 0;
    this.untilNs = bucketNs;
    this.total = 0;
  }

  add(nowNs: number): void {
    this.advance(nowNs);
    this.counts[this.newest % this.buckets]++;
    this.total++;
  }

  count(nowNs: number): number {
    this.advance(nowNs);
    return this.total;
  }

  clear(): void {
    this.counts.fill(0);
    this.total = 0;
  }

  private advance(nowNs: number): void {
    if (nowNs >= this.untilNs) this.turn(Math.floor(nowNs / this.bucketNs));
  }

  private turn(bucket: number): void {
    const steps = Math.min(bucket - this.newest, this.buckets);
    for (let i = 1; i <= steps; i++) {
      const at = (this.newest + i) % this.buckets;
      this.total -= this.counts[at];
      this.counts[at] = 0;
    }
    this.newest = bucket;
    this.untilNs = (bucket + 1) * this.bucketNs;
  }
}

/**
 * The request budget that quoting and cancelling share. A place or modify passes only while the budget of
 * 10 s still has a request for it AND one cancel for every working order: cancels always have room and are
 * never refused here.
 */
export class RequestBudget {
  readonly per10s: number;
  readonly perMinute: number;
  readonly cancelReserve: number;
  private readonly orders10s: SlidingCount;
  private readonly ordersMinute: SlidingCount;
  private readonly all10s: SlidingCount;
  private venueRemaining: number;
  private venueUntilNs: number;

  constructor(per10s: number, perMinute: number, cancelReserve: number) {
    this.per10s = per10s;
    this.perMinute = perMinute;
    this.cancelReserve = cancelReserve;
    this.orders10s = new SlidingCount(100, 100 * NS_PER_MS);
    this.ordersMinute = new SlidingCount(120, NS_PER_S / 2);
    this.all10s = new SlidingCount(100, 100 * NS_PER_MS);
    this.venueRemaining = Number.POSITIVE_INFINITY;
    this.venueUntilNs = 0;
  }

  /** Places and modifies that may still go now, with `working` orders to be able to cancel. */
  room(nowNs: number, working: number): number {
    let room = this.per10s - this.orders10s.count(nowNs);
    room = Math.min(room, this.perMinute - this.ordersMinute.count(nowNs));
    // Each further place needs a cancel of its own as well.
    const shared = this.per10s + this.cancelReserve - this.all10s.count(nowNs) - working;
    room = Math.min(room, Math.floor(shared / 2));
    if (nowNs < this.venueUntilNs) room = Math.min(room, this.venueRemaining);
    return Math.max(room, 0);
  }

  orderSent(nowNs: number): void {
    this.orders10s.add(nowNs);
    this.ordersMinute.add(nowNs);
    this.all10s.add(nowNs);
    if (this.venueRemaining > 0) this.venueRemaining--;
  }

  cancelSent(nowNs: number): void {
    this.all10s.add(nowNs);
  }

  /** What the venue's reply headers say: `remaining` orders until `untilNs`; 0 = banned until then. */
  observe(remaining: number, untilNs: number): void {
    this.venueRemaining = remaining;
    this.venueUntilNs = untilNs;
  }
}

/** Opens for `pauseNs` when `limit` rejects fall into one window; the window starts anew then. */
export class RejectBreaker {
  private readonly limit: number;
  private readonly pauseNs: number;
  private readonly rejects: SlidingCount;
  private openUntilNs: number;
  /** Times it opened. */
  trips: number;

  constructor(limit: number, windowNs: number, pauseNs: number) {
    this.limit = limit;
    this.pauseNs = pauseNs;
    this.rejects = new SlidingCount(20, windowNs / 20);
    this.openUntilNs = Number.NEGATIVE_INFINITY;
    this.trips = 0;
  }

  rejected(nowNs: number): void {
    this.rejects.add(nowNs);
    if (this.rejects.count(nowNs) < this.limit) return;
    this.openUntilNs = nowNs + this.pauseNs;
    this.rejects.clear();
    this.trips++;
  }

  isOpen(nowNs: number): boolean {
    return nowNs < this.openUntilNs;
  }

  /** Session ns; −Infinity before the first trip. */
  get openUntil(): number {
    return this.openUntilNs;
  }

  /** Cold: as an earlier session left it. */
  restore(openUntilNs: number, trips: number): void {
    this.openUntilNs = openUntilNs;
    this.trips = trips;
  }
}
