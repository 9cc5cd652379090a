// Faults that a test or an operator switches on through POST /sim/fault. Each is either a count of occurrences
// still to come or a time until which it holds.
import type { VenueClock } from "./venue-clock.ts";

export const ROUTES = ["public", "market", "private", "legacy", "api"] as const;
export type Route = (typeof ROUTES)[number];

/** Kinds of POST /sim/fault; docs/venue.md says what each does and takes. */
export const FAULT_KINDS = [
  "gap",
  "duplicate",
  "reorder",
  "malformed",
  "truncated",
  "huge",
  "stall",
  "cut",
  "delay",
  "hold",
  "release",
  "fill",
  "http5xx",
  "unknown",
  "rateLimit",
  "ban",
  "skew",
  "listenKeyExpired",
  "fillBeforeAck",
  "rejectCancel",
  "clear",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const DEPTH_FAULTS = ["gap", "duplicate", "reorder", "malformed", "truncated", "huge"] as const;
export type DepthFault = (typeof DEPTH_FAULTS)[number];
/** Those that the user data stream can suffer too. */
export const USER_FAULTS = ["gap", "duplicate", "reorder"] as const;
export type UserFault = (typeof USER_FAULTS)[number];

/** How an order request may end without an answer that proves anything. */
export interface UnknownAnswers {
  left: number;
  /** The request takes effect all the same. */
  land: boolean;
}

export class FaultBoard {
  /** Order requests answered -1007 still to come. */
  readonly unknown: UnknownAnswers = { left: 0, land: true };
  /** Signed requests answered 5xx still to come; queries do not take effect anyhow. */
  readonly http5xx: UnknownAnswers & { status: number } = { left: 0, land: false, status: 503 };
  rateLimitLeft = 0;
  rejectCancelLeft = 0;
  fillBeforeAckLeft = 0;
  fillBeforeAckMs = 20;
  private user: { readonly fault: UserFault; left: number } | null = null;
  private readonly depth = new Map<string, { fault: DepthFault; left: number }>();
  private readonly stalledUntilMs = new Map<Route, number>();
  private readonly clock: VenueClock;

  constructor(clock: VenueClock) {
    this.clock = clock;
  }

  setDepth(symbol: string, fault: DepthFault, count: number): void {
    this.depth.set(symbol, { fault, left: count });
  }

  /** The fault to apply to this depth message, or null. */
  takeDepth(symbol: string): DepthFault | null {
    if (this.depth.size === 0) return null;
    const entry = this.depth.get(symbol);
    if (entry === undefined) return null;
    if (--entry.left <= 0) this.depth.delete(symbol);
    return entry.fault;
  }

  setUser(fault: UserFault, count: number): void {
    this.user = { fault, left: count };
  }

  /** The fault to apply to this event of the user data stream, or null. */
  takeUser(): UserFault | null {
    const entry = this.user;
    if (entry === null) return null;
    if (--entry.left <= 0) this.user = null;
    return entry.fault;
  }

  stall(route: Route, ms: number): void {
    this.stalledUntilMs.set(route, this.clock.monotonicNs() / 1e6 + ms);
  }

  /** True while messages of the route are dropped and its sockets stay open. */
  stalled(route: Route): boolean {
    if (this.stalledUntilMs.size === 0) return false;
    const until = this.stalledUntilMs.get(route);
    if (until === undefined) return false;
    if (this.clock.monotonicNs() / 1e6 < until) return true;
    this.stalledUntilMs.delete(route);
    return false;
  }

  clear(): void {
    this.unknown.left = 0;
    this.http5xx.left = 0;
    this.rateLimitLeft = 0;
    this.rejectCancelLeft = 0;
    this.fillBeforeAckLeft = 0;
    this.user = null;
    this.depth.clear();
    this.stalledUntilMs.clear();
  }
}
