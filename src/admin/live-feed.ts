// The page's live state as server-sent events. One state text is built per tick, whatever the number of
// listeners, and none without listeners. A slow listener skips ticks instead of queueing them: each pull
// answers with the newest state.
import type { EngineReads } from "../control/engine-control.ts";

const OPEN_ORDERS_SHOWN = 50;
const FILLS_SHOWN = 20;

/** Everything the page shows. */
export function liveState(engine: EngineReads) {
  return {
    health: engine.health(),
    status: engine.status(),
    positions: engine.positions(),
    pnl: engine.pnl(),
    orders: engine.orders({ open: true, strategy: null, limit: OPEN_ORDERS_SHOWN }),
    fills: engine.fills(FILLS_SHOWN),
    latency: engine.latency(),
  };
}

export type LiveState = ReturnType<typeof liveState>;

export class LiveFeed {
  readonly maxListeners: number;
  private readonly build: () => unknown;
  private readonly onError: (error: Error, where: string) => void;
  private readonly periodMs: number;
  private waiting: (() => void)[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;
  private frame = "";
  private open = 0;
  private total = 0;
  private ended = false;

  constructor(
    build: () => unknown,
    onError: (error: Error, where: string) => void,
    periodMs = 400,
    maxListeners = 16,
  ) {
    this.build = build;
    this.onError = onError;
    this.periodMs = periodMs;
    this.maxListeners = maxListeners;
  }

  get listeners(): number {
    return this.open;
  }

  /** Streams opened so far. */
  get opened(): number {
    return this.total;
  }

  /** null: there are as many listeners as there may be. */
  listen(): ReadableStream<Uint8Array> | null {
    if (this.open >= this.maxListeners) return null;
    this.open++;
    this.total++;
    const encoder = new TextEncoder();
    let counted = true;
    let first = true;
    const leave = () => {
      if (counted) this.open--;
      counted = false;
    };
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (first) this.refresh();
          else await this.nextTick();
          first = false;
          if (!counted) return;
          if (this.ended) {
            leave();
            controller.close();
          } else controller.enqueue(encoder.encode(this.frame));
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    );
  }

  /** Ends every listener's stream. */
  stop(): void {
    this.ended = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.wake();
  }

  private nextTick(): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.timer ??= setTimeout(() => {
        this.refresh();
        this.wake();
      }, this.periodMs);
    });
  }

  private refresh(): void {
    try {
      this.frame = `event: state\ndata: ${JSON.stringify(this.build())}\n\n`;
    } catch (error) {
      // A comment keeps the stream open; the page shows by itself that its state is old.
      this.frame = ": no state\n\n";
      this.onError(error as Error, "live state");
    }
  }

  private wake(): void {
    this.timer = null;
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
