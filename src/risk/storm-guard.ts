// Storm guard: NORMAL → WARM → STORM → HALT from feed lag, rejects and loss. It rises at once and falls one
// state after each `holdNs` of calm, so it cannot flutter. Hot: execution lane; 0 bytes; O(1).
//
// Feed lag is receive time − exchange time, less the smallest of the last one to two `baselineMs`: what remains of it
// is delay, whatever the offset of the two clocks. A clock that is set back looks like delay; it is forgotten when the
// window has passed, and so is a delay that stays exactly as it is for that long.

export const STORM_NORMAL = 0;
/** Strategies see it and may widen; nothing is denied. */
export const STORM_WARM = 1;
/** Reducing orders only. */
export const STORM_STORM = 2;
/** Cancels only; working orders are cancelled. */
export const STORM_HALT = 3;
export const STORM_NAMES = ["NORMAL", "WARM", "STORM", "HALT"] as const;

export interface StormSettings {
  readonly warmLagMs: number;
  readonly stormLagMs: number;
  readonly haltLagMs: number;
  readonly holdMs: number;
  readonly baselineMs: number;
}

export class StormGuard {
  /** STORM_… state. */
  state: number;
  /** Worst lag since the last evaluate(). */
  lagNs: number;
  /** The lag that the last evaluate() judged. */
  calledByNs: number;
  private readonly warmNs: number;
  private readonly stormNs: number;
  private readonly haltNs: number;
  private readonly holdNs: number;
  private readonly baselineNs: number;
  /** Smallest lag of the window under way, and of that and the one before. */
  private smallestLagNs: number;
  private baseLagNs: number;
  private windowEndsNs: number;
  private calmSinceNs: number;

  constructor(settings: StormSettings) {
    this.state = STORM_NORMAL;
    this.lagNs = 0;
    this.calledByNs = 0;
    this.warmNs = settings.warmLagMs * 1e6;
    this.stormNs = settings.stormLagMs * 1e6;
    this.haltNs = settings.haltLagMs * 1e6;
    this.holdNs = settings.holdMs * 1e6;
    this.baselineNs = settings.baselineMs * 1e6;
    this.smallestLagNs = Number.POSITIVE_INFINITY;
    this.baseLagNs = Number.POSITIVE_INFINITY;
    this.windowEndsNs = Number.NEGATIVE_INFINITY;
    this.calmSinceNs = Number.NaN;
  }

  /** A market record of a synced book, with both times known. */
  seen(exchTsNs: number, recvTsNs: number): void {
    const lag = recvTsNs - exchTsNs;
    if (recvTsNs >= this.windowEndsNs) {
      this.windowEndsNs = recvTsNs + this.baselineNs;
      this.baseLagNs = this.smallestLagNs;
      this.smallestLagNs = lag;
    }
    if (lag < this.smallestLagNs) this.smallestLagNs = lag;
    if (lag < this.baseLagNs) this.baseLagNs = lag;
    const delay = lag - this.baseLagNs;
    if (delay > this.lagNs) this.lagNs = delay;
  }

  /** At each timer. `breakerOpen` and `softLoss` call for STORM by themselves. True when the state changed. */
  evaluate(nowNs: number, breakerOpen: boolean, softLoss: boolean): boolean {
    let level = this.levelOf(this.lagNs);
    if (level < STORM_STORM && (breakerOpen || softLoss)) level = STORM_STORM;
    this.calledByNs = this.lagNs;
    this.lagNs = 0;
    const before = this.state;
    if (level >= this.state) {
      this.state = level;
      this.calmSinceNs = Number.NaN;
    } else if (Number.isNaN(this.calmSinceNs)) this.calmSinceNs = nowNs;
    else if (nowNs - this.calmSinceNs >= this.holdNs) {
      this.state--;
      this.calmSinceNs = nowNs;
    }
    return this.state !== before;
  }

  private levelOf(lagNs: number): number {
    if (lagNs >= this.haltNs) return STORM_HALT;
    if (lagNs >= this.stormNs) return STORM_STORM;
    return lagNs >= this.warmNs ? STORM_WARM : STORM_NORMAL;
  }
}
