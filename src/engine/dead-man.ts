// The venue's dead-man's switch: main tells the venue, over and over, to cancel everything unless it hears from
// us again in time (Binance: POST /fapi/v1/countdownCancelAll, per symbol). When main is gone, or stuck, or the
// whole machine, the venue ends our orders by itself. Until when it will wait is told to EXECUTION, which lets no
// order out beyond that: one placed after the venue has acted would have nothing to end it. Cold: main.
import type { VenueAccount } from "../venue/contract.ts";
import type { EngineLog } from "./live-engine.ts";

/** Renewals per countdown: two may be lost before the venue acts. */
const RENEWALS_PER_COUNTDOWN = 3;

export interface DeadManOptions {
  readonly account: Pick<VenueAccount, "countdownCancelAll">;
  readonly symbols: readonly string[];
  /** 0: never armed. */
  readonly countdownMs: number;
  readonly log: EngineLog;
  /** Session time, ns. */
  readonly nowNs: () => number;
  /** Every symbol's countdown runs at least until this session time; Infinity when no switch is wanted. */
  readonly onGuarded: (untilNs: number) => void;
}

export class DeadManSwitch {
  private readonly options: DeadManOptions;
  private timer: ReturnType<typeof setInterval> | null = null;
  private renewing: Promise<boolean> | null = null;
  private failing = false;

  constructor(options: DeadManOptions) {
    this.options = options;
  }

  /** Arms and keeps renewing. */
  async start(): Promise<void> {
    const { countdownMs, onGuarded } = this.options;
    if (countdownMs === 0) {
      onGuarded(Number.POSITIVE_INFINITY);
      return;
    }
    await this.renew();
    this.timer = setInterval(() => void this.renew(), countdownMs / RENEWALS_PER_COUNTDOWN);
  }

  /** Renews no more: the venue will act when the countdown runs out. */
  stopRenewing(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** The orderly end: the venue forgets the countdown. False when it did not confirm for every symbol. */
  async disarm(): Promise<boolean> {
    if (this.options.countdownMs === 0) return true;
    this.stopRenewing();
    // A renewal under way must not land after the disarming.
    await this.renewing;
    return this.send(0);
  }

  /** At once, after a time in which the timer may not have run. Does nothing while the switch is not in use. */
  renewNow(): void {
    if (this.timer !== null) void this.renew();
  }

  private renew(): Promise<boolean> {
    this.renewing ??= this.send(this.options.countdownMs).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async send(countdownMs: number): Promise<boolean> {
    const { account, symbols, log, nowNs, onGuarded } = this.options;
    const sentNs = nowNs();
    const results = await Promise.all(symbols.map((s) => account.countdownCancelAll(s, countdownMs)));
    const refused = results.find((result) => !result.ok);
    if (refused === undefined && countdownMs > 0) onGuarded(sentNs + countdownMs * 1e6);
    if (refused !== undefined && !refused.ok && !this.failing)
      log("error", `dead-man's switch: the venue did not take it: ${refused.message}`);
    if (refused === undefined && this.failing) log("info", "dead-man's switch is armed again");
    this.failing = refused !== undefined;
    return refused === undefined;
  }
}
