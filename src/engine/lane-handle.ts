// Main's side of a lane: starts the worker, waits for ready, says go, and knows how it ended. A lane's exit
// never means that orders are cancelled: that is the supervisor's business.
import type { FromLane, LaneStart, ToLane } from "./lane-protocol.ts";

export interface LaneEvents {
  /** The lane pinned itself, or could not. */
  onPinned(lane: string, tid: number, error: string | null): void;
  /** It ended without being asked: an exception, or the worker is gone. */
  onFailed(lane: string, reason: string): void;
}

/** A lane as the engine drives it. */
export interface Lane {
  readonly name: string;
  /** Built and warm. Rejects with the lane's own error. */
  readonly ready: Promise<void>;
  /** Ended, in order or not. Never rejects. */
  readonly done: Promise<void>;
  go(): void;
  /** Ends it, whatever it is doing. */
  terminate(): void;
}

/** A lane in a worker of its own. */
export class LaneHandle implements Lane {
  readonly name: string;
  tid: number;
  /** Set once; "" = running or ended in order. */
  failure: string;
  private readonly worker: Worker;
  private readonly events: LaneEvents;
  private readonly readyState: PromiseWithResolvers<void>;
  private readonly endState: PromiseWithResolvers<void>;
  private ended: boolean;

  constructor(start: LaneStart, entry: string, events: LaneEvents) {
    this.name = start.placement.name;
    this.tid = 0;
    this.failure = "";
    this.events = events;
    this.ended = false;
    this.readyState = Promise.withResolvers();
    this.endState = Promise.withResolvers();
    this.worker = new Worker(entry, { name: `hl-${this.name}` });
    this.worker.onmessage = (event: MessageEvent<FromLane>) => this.onMessage(event.data);
    this.worker.onerror = (event: ErrorEvent) => this.fail(event.message);
    this.worker.addEventListener("close", () => this.fail("the worker is gone"));
    this.post({ start });
  }

  get ready(): Promise<void> {
    return this.readyState.promise;
  }

  get done(): Promise<void> {
    return this.endState.promise;
  }

  go(): void {
    this.post({ go: true });
  }

  terminate(): void {
    this.ended = true;
    this.worker.terminate();
    this.endState.resolve();
  }

  private post(message: ToLane): void {
    this.worker.postMessage(message);
  }

  private onMessage(message: FromLane): void {
    if ("ready" in message) {
      this.tid = message.tid;
      this.readyState.resolve();
    } else if ("pinned" in message) this.events.onPinned(this.name, message.tid, message.error);
    else if ("failed" in message) this.fail(message.stack === "" ? message.failed : message.stack);
    else {
      this.ended = true;
      this.endState.resolve();
      this.worker.terminate();
    }
  }

  private fail(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = reason;
    this.readyState.reject(new Error(`lane ${this.name}: ${reason}`));
    this.endState.resolve();
    this.events.onFailed(this.name, reason);
  }
}
