// Plays all symbols against the wall clock at the configured speed, each message at its own time. One timer for
// all; late messages are sent in slices so that requests are served between them.
//
// setTimeout knows only whole milliseconds and would send a fast market in bursts; a timed-out Atomics.waitAsync
// comes back within some 50 µs of its time and leaves the event loop free meanwhile.
import type { SymbolMarket } from "./symbol-market.ts";

/** Late messages are sent for this long, then requests have their turn. */
const SLICE_NS = 30_000;
const MAX_SLEEP_MS = 50;
/** Closer than this, a turn of the event loop is wait enough. */
const MIN_WAIT_MS = 0.02;
/** A timer of whole milliseconds for the rest; the last stretch is waited for exactly. */
const COARSE_MS = 2;

export class MarketPump {
  private readonly markets: readonly SymbolMarket[];
  private readonly speed: number;
  private readonly nowNs: () => number;
  /** Called after each slice: journal, own fills, interval streams. */
  private readonly afterSlice: () => void;
  private startNs = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly never = new Int32Array(new SharedArrayBuffer(4));
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
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private turn(): void {
    if (!this.running) return;
    const startedNs = this.nowNs();
    const untilNs = (startedNs - this.startNs) * this.speed;
    do {
      const market = this.earliest();
      if (market === null || market.source.nextAtNs() > untilNs) break;
      market.step();
    } while (this.nowNs() - startedNs < SLICE_NS);
    this.afterSlice();
    this.schedule();
  }

  private schedule(): void {
    const market = this.earliest();
    if (!this.running || market === null) return;
    const dueNs = this.startNs + market.source.nextAtNs() / this.speed;
    this.sleep(Math.min((dueNs - this.nowNs()) / 1e6, MAX_SLEEP_MS));
  }

  private sleep(ms: number): void {
    if (ms < MIN_WAIT_MS) setImmediate(() => this.turn());
    else if (ms > COARSE_MS) this.timer = setTimeout(() => this.turn(), ms - COARSE_MS);
    else void (Atomics.waitAsync(this.never, 0, 0, ms).value as Promise<string>).then(() => this.turn());
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
