// Reconnect delays: doubling from 1 s to 60 s, each with seeded jitter in [half, whole], so that many clients
// that lost one venue do not return in step.
import { NS_PER_S } from "../../core/clock.ts";
import type { Prng } from "../../core/prng.ts";

export class Backoff {
  private readonly prng: Prng;
  private readonly minNs: number;
  private readonly maxNs: number;
  private ceilingNs: number;

  constructor(prng: Prng, minNs = NS_PER_S, maxNs = 60 * NS_PER_S) {
    this.prng = prng;
    this.minNs = minNs;
    this.maxNs = maxNs;
    this.ceilingNs = minNs;
  }

  /** Delay before the next attempt, in ns; each call doubles the next one's ceiling. */
  nextDelayNs(): number {
    const ceilingNs = this.ceilingNs;
    this.ceilingNs = Math.min(ceilingNs * 2, this.maxNs);
    return Math.round(ceilingNs * (0.5 + this.prng.nextFloat() / 2));
  }

  /** The connection proved itself: start again from the least delay. */
  reset(): void {
    this.ceilingNs = this.minNs;
  }
}
