// Messages on their way to one route, in order, each until it is taken or has been tried often enough: 1 s, 2 s, 4 s …
// 60 s between tries. The queue is bounded: when it is full the oldest goes, and that is counted. Cold.
import type { AlertRoute } from "./alert-rules.ts";
import { SEVERITIES } from "./alert-rules.ts";
import type { AlertMessage } from "./alert-states.ts";
import { deliver, RefusedError, type Sender } from "./channels.ts";

const QUEUE_MAX = 256;
const TRIES_MAX = 12;
const LONGEST_MS = 60_000;
/** What a receiver may ask for. */
const PATIENCE_MAX_MS = 600_000;

export type AlertLog = (
  level: "info" | "warn" | "error",
  text: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export class Delivery {
  delivered = 0;
  /** Given up, or pushed out of a full queue. */
  lost = 0;
  private readonly queue: AlertMessage[] = [];
  private readonly route: AlertRoute;
  private readonly sender: Sender;
  private readonly log: AlertLog;
  private readonly firstRetryMs: number;
  private running: Promise<void> | null = null;
  private readonly stopping = new AbortController();

  constructor(route: AlertRoute, sender: Sender, log: AlertLog, firstRetryMs = 1000) {
    this.route = route;
    this.sender = sender;
    this.log = log;
    this.firstRetryMs = firstRetryMs;
  }

  /** Messages below the route's severity are not for it. */
  add(message: AlertMessage): void {
    if (SEVERITIES.indexOf(message.severity) < SEVERITIES.indexOf(this.route.severity)) return;
    if (this.queue.length === QUEUE_MAX) {
      this.queue.shift();
      this.lost++;
    }
    this.queue.push(message);
    this.running ??= this.drain().finally(() => {
      this.running = null;
    });
  }

  /** Waits for what is queued, at most `ms`. */
  async stop(ms: number): Promise<void> {
    const timer = setTimeout(() => this.stopping.abort(), ms);
    await this.running;
    clearTimeout(timer);
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0 && !this.stopping.signal.aborted) await this.send(this.queue.shift()!);
  }

  private async send(message: AlertMessage): Promise<void> {
    for (let tries = 1; !this.stopping.signal.aborted; tries++) {
      try {
        await deliver(this.route, message, this.sender);
        this.delivered++;
        return;
      } catch (error) {
        const { name } = this.route;
        const fields = { route: name, alert: message.rule, error: (error as Error).message };
        if (tries === TRIES_MAX) {
          this.lost++;
          this.log("error", `alert route ${name}: given up after ${tries} tries`, fields);
          return;
        }
        this.log("warn", `alert route ${name}: not delivered, tried again`, fields);
        const asked = error instanceof RefusedError ? Math.min(error.patienceMs, PATIENCE_MAX_MS) : 0;
        await this.rest(Math.max(asked, Math.min(LONGEST_MS, this.firstRetryMs * 2 ** (tries - 1))));
      }
    }
  }

  private rest(ms: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
