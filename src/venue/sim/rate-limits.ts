// Request weight per minute and orders per 10 s and per minute, as fixed windows of the venue's clock. Going
// on after a 429 leads to a 418 ban.
import { type ApiError, banned, tooManyOrders, tooManyRequests } from "./api-error.ts";

export interface RateLimitOptions {
  readonly weightPerMinute: number;
  readonly ordersPer10s: number;
  readonly ordersPerMinute: number;
  /** Requests answered 429 within one window before the ban. */
  readonly refusalsBeforeBan: number;
  readonly banMs: number;
}

export const VENUE_RATE_LIMITS: RateLimitOptions = {
  weightPerMinute: 2_400,
  ordersPer10s: 300,
  ordersPerMinute: 1_200,
  refusalsBeforeBan: 10,
  banMs: 120_000,
};

class Window {
  private readonly lengthMs: number;
  private index = -1;
  private used = 0;

  constructor(lengthMs: number) {
    this.lengthMs = lengthMs;
  }

  at(nowMs: number): number {
    const index = Math.floor(nowMs / this.lengthMs);
    if (index !== this.index) {
      this.index = index;
      this.used = 0;
    }
    return this.used;
  }

  add(nowMs: number, amount: number): void {
    this.used = this.at(nowMs) + amount;
  }

  leftS(nowMs: number): number {
    return Math.ceil((this.lengthMs - (nowMs % this.lengthMs)) / 1000);
  }
}

export class RateLimits {
  readonly options: RateLimitOptions;
  private readonly nowMs: () => number;
  private readonly weight = new Window(60_000);
  private readonly orders10s = new Window(10_000);
  private readonly orders1m = new Window(60_000);
  private readonly refusals = new Window(60_000);
  private bannedUntilMs = 0;

  constructor(options: RateLimitOptions, nowMs: () => number) {
    this.options = options;
    this.nowMs = nowMs;
  }

  /** Counts a request. The error when it is over a limit; `orders` counts against the order limits. */
  charge(weight: number, orders: number): ApiError | null {
    const now = this.nowMs();
    if (now < this.bannedUntilMs) return this.ban(now);
    this.weight.add(now, weight);
    if (this.weight.at(now) > this.options.weightPerMinute)
      return this.refused(now, tooManyRequests(this.options.weightPerMinute, this.weight.leftS(now)));
    if (orders === 0) return null;
    this.orders10s.add(now, orders);
    this.orders1m.add(now, orders);
    if (this.orders10s.at(now) > this.options.ordersPer10s)
      return tooManyOrders(this.options.ordersPer10s, "10 SECOND", this.orders10s.leftS(now));
    if (this.orders1m.at(now) > this.options.ordersPerMinute)
      return tooManyOrders(this.options.ordersPerMinute, "1 MINUTE", this.orders1m.leftS(now));
    return null;
  }

  /** Bans as if limits had been ignored; used by the fault switch. */
  banFor(ms: number): void {
    this.bannedUntilMs = this.nowMs() + ms;
  }

  liftBan(): void {
    this.bannedUntilMs = 0;
  }

  headers(orders: boolean): Record<string, string> {
    const now = this.nowMs();
    const headers: Record<string, string> = { "X-MBX-USED-WEIGHT-1M": String(this.weight.at(now)) };
    if (orders) {
      headers["X-MBX-ORDER-COUNT-10S"] = String(this.orders10s.at(now));
      headers["X-MBX-ORDER-COUNT-1M"] = String(this.orders1m.at(now));
    }
    return headers;
  }

  /** The `rateLimits` array of a WS API reply. */
  replyText(orders: boolean): string {
    const now = this.nowMs();
    const o = this.options;
    const row = (type: string, interval: string, n: number, limit: number, count: number) =>
      `{"rateLimitType":"${type}","interval":"${interval}","intervalNum":${n},"limit":${limit},"count":${count}}`;
    const weight = row("REQUEST_WEIGHT", "MINUTE", 1, o.weightPerMinute, this.weight.at(now));
    if (!orders) return `[${weight}]`;
    const ten = row("ORDERS", "SECOND", 10, o.ordersPer10s, this.orders10s.at(now));
    return `[${ten},${row("ORDERS", "MINUTE", 1, o.ordersPerMinute, this.orders1m.at(now))},${weight}]`;
  }

  private refused(now: number, error: ApiError): ApiError {
    this.refusals.add(now, 1);
    if (this.refusals.at(now) <= this.options.refusalsBeforeBan) return error;
    this.bannedUntilMs = now + this.options.banMs;
    return this.ban(now);
  }

  private ban(now: number): ApiError {
    return banned(this.bannedUntilMs, Math.ceil((this.bannedUntilMs - now) / 1000));
  }
}
