// A first-in-first-out line with a drawn delay per item: order entry, response, market data. Order is kept
// even when a later draw is shorter, as on one TCP connection. Delays below a timer's resolution are met by
// polling in setImmediate turns, so sockets are served meanwhile.
import type { Prng } from "../../core/prng.ts";

/** Below this a timer would overshoot: setTimeout(1) takes 1.06 ms and more. */
const POLL_BELOW_NS = 2_000_000;

export interface LatencyModel {
  readonly meanNs: number;
  /** Sigma of the logarithm; 0 = constant. */
  readonly sigma: number;
}

export function drawLatencyNs(model: LatencyModel, random: Prng): number {
  if (model.meanNs === 0) return 0;
  if (model.sigma === 0) return model.meanNs;
  return model.meanNs * Math.exp(model.sigma * random.nextNormal() - (model.sigma * model.sigma) / 2);
}

interface Waiting {
  readonly dueNs: number;
  readonly run: () => void;
}

export class LatencyLine {
  /** Added to every item from now on; the fault `delay` sets it. */
  extraNs = 0;
  private readonly model: LatencyModel;
  private readonly random: Prng;
  private readonly nowNs: () => number;
  private waiting: Waiting[] = [];
  private head = 0;
  private lastDueNs = 0;
  private scheduled = false;
  private held = false;

  constructor(model: LatencyModel, random: Prng, nowNs: () => number) {
    this.model = model;
    this.random = random;
    this.nowNs = nowNs;
  }

  get length(): number {
    return this.waiting.length - this.head;
  }

  /** True when items pass through at once: hot callers then skip the closure. */
  get passesThrough(): boolean {
    return this.model.meanNs === 0 && this.extraNs === 0 && this.length === 0 && !this.held;
  }

  /** Runs `run` after the drawn delay, at once when there is none and nothing waits. */
  push(run: () => void): void {
    const delayNs = drawLatencyNs(this.model, this.random) + this.extraNs;
    if (delayNs === 0 && this.length === 0 && !this.held) {
      run();
      return;
    }
    this.lastDueNs = Math.max(this.lastDueNs, this.nowNs() + delayNs);
    this.waiting.push({ dueNs: this.lastDueNs, run });
    this.schedule();
  }

  /** Resolves after the drawn delay. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.push(resolve));
  }

  /** Nothing leaves until release(). */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.held || this.length === 0) return;
    this.scheduled = true;
    const leftNs = this.waiting[this.head]!.dueNs - this.nowNs();
    if (leftNs > POLL_BELOW_NS) setTimeout(() => this.turn(), (leftNs - POLL_BELOW_NS) / 1e6);
    else setImmediate(() => this.turn());
  }

  private turn(): void {
    this.scheduled = false;
    const now = this.nowNs();
    while (!this.held && this.length > 0 && this.waiting[this.head]!.dueNs <= now) {
      const item = this.waiting[this.head]!;
      this.head++;
      item.run();
    }
    if (this.length === 0) {
      this.waiting = [];
      this.head = 0;
    } else if (this.head > 1024) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    this.schedule();
  }
}
