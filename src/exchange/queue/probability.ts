// Probability queue models of hftbacktest (models/queue.rs): a cancellation is behind us with probability
// P(front, back). LogProb2 is the default: f(x) = ln(1 + x), P = f(back) / f(back + front).
// Hot: 0 bytes; Math.log(1 + x), not log1p, which differs from the reference in the last bit.
import type { QueueModel } from "./queue-model.ts";

abstract class ProbabilityQueue implements QueueModel {
  /** Chance that a cancelled lot stood behind us. */
  protected abstract probability(front: number, back: number): number;

  frontAfterDepth(front: number, tradedLots: number, prevLots: number, nextLots: number): number {
    const cancelled = prevLots - nextLots - tradedLots;
    // The level grew: newcomers stand behind us.
    if (cancelled < 0) return Math.min(front, nextLots);
    const back = prevLots - front;
    const p = this.probability(front, back);
    const behind = p >= 0 && p <= 1 ? p : 1;
    const estimate = front - (1 - behind) * cancelled + Math.min(back - behind * cancelled, 0);
    return Math.max(0, Math.min(estimate, nextLots));
  }
}

/**
 * ln(1 + x) is not free of scale: `unit` says what x is measured in, as a multiple of a lot. 1 = lots (the simulated
 * venue); the lot size = base units (hftbacktest).
 */
abstract class LogQueue extends ProbabilityQueue {
  private readonly unit: number;

  constructor(unit = 1) {
    super();
    this.unit = unit;
  }

  protected f(lots: number): number {
    return Math.log(1 + lots * this.unit);
  }
}

/** P = f(b) / (f(b) + f(a)), f = ln(1 + x). */
export class LogProbQueue extends LogQueue {
  protected probability(front: number, back: number): number {
    return this.f(back) / (this.f(back) + this.f(front));
  }
}

/** P = f(b) / f(b + a), f = ln(1 + x). */
export class LogProb2Queue extends LogQueue {
  protected probability(front: number, back: number): number {
    return this.f(back) / this.f(back + front);
  }
}

/** P = f(b) / (f(b) + f(a)), f = x^n. */
export class PowerProbQueue extends ProbabilityQueue {
  private readonly exponent: number;

  constructor(exponent: number) {
    super();
    this.exponent = exponent;
  }

  protected probability(front: number, back: number): number {
    const b = back ** this.exponent;
    return b / (b + front ** this.exponent);
  }
}

/** P = f(b) / f(b + a), f = x^n. */
export class PowerProb2Queue extends ProbabilityQueue {
  private readonly exponent: number;

  constructor(exponent: number) {
    super();
    this.exponent = exponent;
  }

  protected probability(front: number, back: number): number {
    return back ** this.exponent / (back + front) ** this.exponent;
  }
}

/** P = 1 − f(a / (a + b)), f = x^n. */
export class PowerProb3Queue extends ProbabilityQueue {
  private readonly exponent: number;

  constructor(exponent: number) {
    super();
    this.exponent = exponent;
  }

  protected probability(front: number, back: number): number {
    return 1 - (front / (front + back)) ** this.exponent;
  }
}
