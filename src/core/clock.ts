// Session time: f64 nanoseconds since the base, exact below 2^53 (104 days). The base is 00:00 UTC of the
// session's first day, so intervals and day boundaries are exact multiples. Only CLOCK_BOOTTIME advances session
// time (docs/adr/0011); CLOCK_REALTIME is read once at start.
import { assert } from "./assert.ts";

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;
export const NS_PER_DAY = 86_400_000_000_000n;

/** Source of logical time. Logic receives it by constructor and never reads the machine's clock. */
export interface Clock {
  /** Nanoseconds since the session base. */
  nowNs(): number;
}

/** 00:00 UTC of the day of `realtimeNs` (ns since the Unix epoch). */
export function baseOfDayNs(realtimeNs: bigint): bigint {
  return realtimeNs - (realtimeNs % NS_PER_DAY);
}

/** Fixed relation of one session's clocks; plain data, handed to every lane. */
export interface TimeBase {
  /** Session base, ns since the Unix epoch, a multiple of a day. */
  readonly baseNs: bigint;
  /** CLOCK_BOOTTIME reading that corresponds to `anchorNs`, in ns (a double: exact for 104 days of uptime). */
  readonly bootAnchorNs: number;
  /** Session time at the anchor. */
  readonly anchorNs: number;
}

export function makeTimeBase(realtimeNs: bigint, bootNs: number): TimeBase {
  assert(Number.isInteger(bootNs), "session time counts whole nanoseconds");
  const baseNs = baseOfDayNs(realtimeNs);
  return { baseNs, bootAnchorNs: bootNs, anchorNs: Number(realtimeNs - baseNs) };
}

export class SessionClock implements Clock {
  private readonly offsetNs: number;
  private readonly bootNs: () => number;

  constructor(base: TimeBase, bootNs: () => number) {
    this.offsetNs = base.anchorNs - base.bootAnchorNs;
    this.bootNs = bootNs;
  }

  nowNs(): number {
    return this.bootNs() + this.offsetNs;
  }
}

/** Clock that only moves when told: backtest, replay, tests. */
export class ManualClock implements Clock {
  private timeNs: number;

  constructor(startNs = 0) {
    this.timeNs = startNs;
  }

  nowNs(): number {
    return this.timeNs;
  }

  /** Logical time never goes back. */
  advanceTo(tsNs: number): void {
    if (tsNs > this.timeNs) this.timeNs = tsNs;
  }
}

/** Session time → ns since the Unix epoch. */
export function toUnixNs(baseNs: bigint, sessionNs: number): bigint {
  return baseNs + BigInt(Math.round(sessionNs));
}

/** Venue milliseconds since the epoch → session ns; `baseMs` = Number(baseNs / 1_000_000n). */
export function fromUnixMs(baseMs: number, unixMs: number): number {
  return (unixMs - baseMs) * NS_PER_MS;
}
