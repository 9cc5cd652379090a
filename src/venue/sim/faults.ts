// Faults that a test or an operator switches on through POST /sim/fault. Each is either a count of occurrences
// still to come or a time until which it holds.
import type { VenueClock } from "./venue-clock.ts";

export const ROUTES = ["public", "market", "private", "legacy", "api"] as const;
export type Route = (typeof ROUTES)[number];

/**
 * Body of POST /sim/fault: {kind, …}.
 * gap, duplicate, reorder, malformed, truncated, huge {symbol, count}: the next depth messages of @depth@0ms
 * stall {route, ms}: nothing is sent, sockets stay open · cut {route}: sockets are terminated
 * delay {route?, ms}: added latency (api: replies and user events, private: order entry, else market data)
 * http5xx {count, status} · unknown {count, land}: -1007, the order lands or not · rejectCancel {count}
 * rateLimit {count}: 429 · ban {ms}: 418 · skew {ms} · listenKeyExpired · fillBeforeAck {count, ms} · clear
 */
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

export class FaultBoard {
  /** Orders answered -1007 still to come; `land` says whether they take effect. */
  unknownLeft = 0;
  unknownLand = true;
  http5xxLeft = 0;
  http5xxStatus = 503;
  rateLimitLeft = 0;
  rejectCancelLeft = 0;
  fillBeforeAckLeft = 0;
  fillBeforeAckMs = 20;
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
    this.unknownLeft = 0;
    this.http5xxLeft = 0;
    this.rateLimitLeft = 0;
    this.rejectCancelLeft = 0;
    this.fillBeforeAckLeft = 0;
    this.depth.clear();
    this.stalledUntilMs.clear();
  }
}
