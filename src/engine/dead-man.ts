// The venue's dead-man's switch: main tells the venue, over and over, to cancel everything unless it hears from
// us again in time (Binance: POST /fapi/v1/countdownCancelAll, per symbol). When main is gone, or stuck, or the
// whole machine, the venue ends our orders by itself. Cold: main.
import type { VenueAccount } from "../venue/contract.ts";
import type { EngineLog } from "./live-engine.ts";

/** Renewals per countdown: two may be lost before the venue acts. */
const RENEWALS_PER_COUNTDOWN = 3;

export class DeadManSwitch {
  private readonly account: VenueAccount;
  private readonly symbols: readonly string[];
  private readonly countdownMs: number;
  private readonly log: EngineLog;
  private timer: ReturnType<typeof setInterval> | null = null;
  private renewing: Promise<boolean> | null = null;
  private failing = false;

  /** `countdownMs` 0: never armed. */
  constructor(account: VenueAccount, symbols: readonly string[], countdownMs: number, log: EngineLog) {
    this.account = account;
    this.symbols = symbols;
    this.countdownMs = countdownMs;
    this.log = log;
  }

  /** Arms and keeps renewing. */
  async start(): Promise<void> {
    if (this.countdownMs === 0) return;
    await this.renew();
    this.timer = setInterval(() => void this.renew(), this.countdownMs / RENEWALS_PER_COUNTDOWN);
  }

  /** Renews no more: the venue will act when the countdown runs out. */
  stopRenewing(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** The orderly end: the venue forgets the countdown. False when it did not confirm for every symbol. */
  async disarm(): Promise<boolean> {
    if (this.countdownMs === 0) return true;
    this.stopRenewing();
    // A renewal under way must not land after the disarming.
    await this.renewing;
    return this.send(0);
  }

  private renew(): Promise<boolean> {
    this.renewing ??= this.send(this.countdownMs).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async send(countdownMs: number): Promise<boolean> {
    const results = await Promise.all(
      this.symbols.map((symbol) => this.account.countdownCancelAll(symbol, countdownMs)),
    );
    const refused = results.find((result) => !result.ok);
    if (refused !== undefined && !refused.ok && !this.failing)
      this.log("error", `dead-man's switch: the venue did not take it: ${refused.message}`);
    if (refused === undefined && this.failing) this.log("info", "dead-man's switch is armed again");
    this.failing = refused !== undefined;
    return refused === undefined;
  }
}
