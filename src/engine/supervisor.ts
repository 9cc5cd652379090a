// Main's watch over the lanes: every 5 ms a sign of its own life, the kill word and the notices, every 100 ms the
// heartbeats. It decides nothing about trading; it says when a lane is dead or stalled, or when somebody pulled
// the kill. EXECUTION watches main in return (execution-agent.ts).
import { bootNs, monotonicNs } from "../../ffi/host.ts";
import type { LaneVitals } from "../lane/telemetry.ts";

export interface SupervisorHooks {
  /** Main runs. */
  readonly beat: () => void;
  readonly killWord: () => number;
  /** The kill word changed. */
  readonly onKill: (word: number) => void;
  readonly drainNotices: () => void;
  /** Vital signs of every lane, by name. */
  readonly vitals: () => readonly { readonly lane: string; readonly vitals: LaneVitals }[];
  /** Once per stall; `ageMs` of its heartbeat. */
  readonly onStall: (lane: string, ageMs: number) => void;
  /** Main itself was held up (SIGSTOP, suspended machine, a blocked event loop) for this long. */
  readonly onMainStall: (ms: number) => void;
}

const TICK_MS = 5;
const HEARTBEATS_EVERY_MS = 100;
const MAIN_STALL_MS = 1000;

export class Supervisor {
  private readonly hooks: SupervisorHooks;
  private readonly stallNs: number;
  private readonly stalled = new Set<string>();
  private timer: ReturnType<typeof setInterval> | null = null;
  private lastWord: number;
  private lastTickNs = 0;
  private lastHeartbeatsNs = 0;

  constructor(hooks: SupervisorHooks, stallMs: number) {
    this.hooks = hooks;
    this.stallNs = stallMs * 1e6;
    this.lastWord = hooks.killWord();
  }

  start(): void {
    this.lastTickNs = bootNs();
    this.lastHeartbeatsNs = this.lastTickNs;
    this.hooks.beat();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    const now = bootNs();
    const lateMs = (now - this.lastTickNs) / 1e6;
    this.lastTickNs = now;
    this.hooks.beat();
    const word = this.hooks.killWord();
    if (word !== this.lastWord) {
      this.lastWord = word;
      this.hooks.onKill(word);
    }
    this.hooks.drainNotices();
    if (lateMs > MAIN_STALL_MS) {
      this.hooks.onMainStall(lateMs);
      this.lastHeartbeatsNs = now;
    }
    if (now - this.lastHeartbeatsNs < HEARTBEATS_EVERY_MS * 1e6) return;
    this.lastHeartbeatsNs = now;
    this.checkHeartbeats(monotonicNs());
  }

  private checkHeartbeats(now: number): void {
    for (const { lane, vitals } of this.hooks.vitals()) {
      if (vitals.heartbeatNs === 0 || vitals.state === "stopped") continue;
      const ageNs = now - vitals.heartbeatNs;
      if (ageNs <= this.stallNs) {
        this.stalled.delete(lane);
      } else if (!this.stalled.has(lane)) {
        this.stalled.add(lane);
        this.hooks.onStall(lane, ageNs / 1e6);
      }
    }
  }
}
