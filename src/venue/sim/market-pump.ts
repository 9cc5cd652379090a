// Plays all symbols against the wall clock at the configured speed. One timer for all; late messages are sent
// in slices so that requests are served between them.
import type { SymbolMarket } from "./symbol-market.ts";

const SLICE_MESSAGES = 256;
const MIN_SLEEP_MS = 1;
const MAX_SLEEP_MS = 50;

export class MarketPump {
  private readonly markets: readonly SymbolMarket[];
  private readonly speed: number;
  private readonly nowNs: () => number;
  /** Called after each slice: journal, own fills, interval streams. */
  private readonly afterSlice: () => void;
  private startNs = 0;
  private timer: ReturnType<typeof setTimeout> | ReturnType<typeof setImmediate> | null = null;
  private running = false;

  constructor(markets: readonly SymbolMarket[], speed: number, nowNs: () => number, afterSlice: () => void) {
    this.markets = markets;
    this.speed = speed;
    this.nowNs = nowNs;
    this.afterSlice = afterSlice;
  }

  start(): void {
    this.running = true;
    this.startNs = this.nowNs();
    this.schedule();
  }

  stop(): void {
    this.running = false;
    if (this.timer !== null) clearTimeout(this.timer as Timer);
  }

  private turn(): void {
    if (!this.running) return;
    const untilNs = (this.nowNs() - this.startNs) * this.speed;
    let left = SLICE_MESSAGES;
    for (; left > 0; left--) {
      const market = this.earliest();
      if (market === null || market.source.nextAtNs() > untilNs) break;
      market.step();
    }
    this.afterSlice();
    if (left === 0) setImmediate(() => this.turn());
    else this.schedule();
  }

  private schedule(): void {
    const market = this.earliest();
    if (!this.running || market === null) return;
    const dueNs = this.startNs + market.source.nextAtNs() / this.speed;
    const sleepMs = Math.min(Math.max((dueNs - this.nowNs()) / 1e6, MIN_SLEEP_MS), MAX_SLEEP_MS);
    this.timer = setTimeout(() => this.turn(), sleepMs);
  }

  private earliest(): SymbolMarket | null {
    let best: SymbolMarket | null = null;
    for (let i = 0; i < this.markets.length; i++) {
      const market = this.markets[i]!;
      if (best === null || market.source.nextAtNs() < best.source.nextAtNs()) best = market;
    }
    return best;
  }
}
