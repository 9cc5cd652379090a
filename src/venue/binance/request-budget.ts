// What is left of the venue's request limits, from our own count corrected by what replies and headers say.
// Hot: execution lane; 0 bytes. Windows are the venue's: aligned to its clock.
//
// Places and modifies count as orders, everything but a place as weight. Queries leave `reserve` of the weight
// untouched and orders leave `reserve` of theirs, so that cancels and proofs of unknown orders always pass.

const MS_PER_S = 1_000;
const MS_PER_MINUTE = 60_000;
/** Without a time in the reply: the shortest ban, and one window of the order limits. */
const BAN_DEFAULT_S = 120;
const PAUSE_DEFAULT_S = 10;

/** What the venue allows the account. */
export interface RequestLimits {
  readonly weightPerMinute: number;
  readonly ordersPerMinute: number;
  readonly ordersPer10s: number;
}

export interface BudgetLimits extends RequestLimits {
  /** Fraction kept back from queries and new orders. */
  readonly reserve: number;
}

/** USD-M defaults; exchangeInfo says what holds for the account. */
export const BUDGET_DEFAULTS: BudgetLimits = {
  weightPerMinute: 2400,
  ordersPerMinute: 1200,
  ordersPer10s: 300,
  reserve: 0.1,
};

/** One fixed window of a limit. */
class Window {
  readonly lengthMs: number;
  limit: number;
  used: number;
  private index: number;

  constructor(lengthMs: number, limit: number) {
    this.lengthMs = lengthMs;
    this.limit = limit;
    this.used = 0;
    this.index = 0;
  }

  remaining(nowMs: number): number {
    this.roll(nowMs);
    return this.limit - this.used;
  }

  add(nowMs: number, count: number): void {
    this.roll(nowMs);
    this.used += count;
  }

  /** The venue's own count; never lowered by a reply that is older than what we sent since. */
  correct(nowMs: number, used: number): void {
    this.roll(nowMs);
    if (used > this.used) this.used = used;
  }

  private roll(nowMs: number): void {
    const index = Math.floor(nowMs / this.lengthMs);
    if (index === this.index) return;
    this.index = index;
    this.used = 0;
  }
}

export class RequestBudget {
  /** Requests that were not sent for want of budget. */
  refused: number;
  /** Venue time until which nothing may be sent (429, 418), ms. */
  blockedUntilMs: number;
  private readonly weight: Window;
  private readonly ordersMinute: Window;
  private readonly orders10s: Window;
  private readonly reserve: number;

  constructor(limits: BudgetLimits = BUDGET_DEFAULTS) {
    this.refused = 0;
    this.blockedUntilMs = 0;
    this.weight = new Window(MS_PER_MINUTE, limits.weightPerMinute);
    this.ordersMinute = new Window(MS_PER_MINUTE, limits.ordersPerMinute);
    this.orders10s = new Window(10 * MS_PER_S, limits.ordersPer10s);
    this.reserve = limits.reserve;
  }

  /** Limits from exchangeInfo; 0 = it does not say. */
  setLimits({ weightPerMinute, ordersPerMinute, ordersPer10s }: RequestLimits): void {
    if (weightPerMinute > 0) this.weight.limit = weightPerMinute;
    if (ordersPerMinute > 0) this.ordersMinute.limit = ordersPerMinute;
    if (ordersPer10s > 0) this.orders10s.limit = ordersPer10s;
  }

  get limits(): RequestLimits {
    return {
      weightPerMinute: this.weight.limit,
      ordersPerMinute: this.ordersMinute.limit,
      ordersPer10s: this.orders10s.limit,
    };
  }

  /** A place or modify: counts when it may go. */
  takeOrder(nowMs: number): boolean {
    if (this.ordersLeft(nowMs) < 1 || nowMs < this.blockedUntilMs) return this.refuse();
    this.ordersMinute.add(nowMs, 1);
    this.orders10s.add(nowMs, 1);
    return true;
  }

  /** A cancel: uses the reserve too. */
  takeCancel(nowMs: number): boolean {
    if (this.weight.remaining(nowMs) < 1 || nowMs < this.blockedUntilMs) return this.refuse();
    this.weight.add(nowMs, 1);
    return true;
  }

  /** A query of `weight`. `urgent`: may use the reserve. */
  takeQuery(nowMs: number, weight: number, urgent: boolean): boolean {
    const kept = urgent ? 0 : this.weight.limit * this.reserve;
    if (this.weight.remaining(nowMs) - kept < weight || nowMs < this.blockedUntilMs) return this.refuse();
    this.weight.add(nowMs, weight);
    return true;
  }

  /** Orders that may be sent now, the reserve taken off. */
  ordersLeft(nowMs: number): number {
    const minute = this.ordersMinute.remaining(nowMs) - this.ordersMinute.limit * this.reserve;
    const tenSeconds = this.orders10s.remaining(nowMs) - this.orders10s.limit * this.reserve;
    return Math.max(0, Math.floor(Math.min(minute, tenSeconds)));
  }

  weightLeft(nowMs: number): number {
    return this.weight.remaining(nowMs);
  }

  onWeightUsed(nowMs: number, used: number): void {
    this.weight.correct(nowMs, used);
  }

  /** `seconds`: the window the count is of (10 or 60). */
  onOrdersUsed(nowMs: number, seconds: number, used: number): void {
    if (seconds === 10) this.orders10s.correct(nowMs, used);
    else if (seconds === 60) this.ordersMinute.correct(nowMs, used);
  }

  /** 429 or 418: silence for `seconds`. */
  block(nowMs: number, seconds: number): void {
    this.blockedUntilMs = Math.max(this.blockedUntilMs, nowMs + seconds * MS_PER_S);
  }

  /** The same until the venue's own time (0 = it did not say). Going on during a ban makes it longer. */
  blockUntil(nowMs: number, status: number, retryAfterMs: number): void {
    if (retryAfterMs > 0) this.blockedUntilMs = Math.max(this.blockedUntilMs, retryAfterMs);
    else this.block(nowMs, status === 418 ? BAN_DEFAULT_S : PAUSE_DEFAULT_S);
  }

  private refuse(): boolean {
    this.refused++;
    return false;
  }
}
