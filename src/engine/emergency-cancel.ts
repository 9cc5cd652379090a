// Cancelling without the execution lane: main owns one REST connection for it. Used when the kill word is
// set, when a lane is dead, and to prove at the end of a session that nothing works any more.
import type { VenueAccount } from "../venue/contract.ts";

export interface CancelReport {
  /** True when the venue showed no open order twice in a row. */
  readonly proven: boolean;
  readonly rounds: number;
  /** The venue's last refusal; "" when there was none. */
  readonly error: string;
}

export interface CancelOptions {
  readonly symbols: readonly string[];
  readonly deadlineMs: number;
  /** Requests that left and have no answer yet: a place among them may still arrive. */
  readonly inFlight: () => number;
  readonly nowMs: () => number;
}

const PAUSE_MS = 10;
const EMPTY_LOOKS = 2;

export class EmergencyCanceller {
  private readonly account: VenueAccount;
  private running: Promise<CancelReport> | null;

  constructor(account: VenueAccount) {
    this.account = account;
    this.running = null;
  }

  /** Cancels on every symbol, repeatedly, until the venue shows none open twice. One run at a time. */
  cancelUntilEmpty(options: CancelOptions): Promise<CancelReport> {
    this.running ??= this.run(options).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async run(options: CancelOptions): Promise<CancelReport> {
    const deadline = options.nowMs() + options.deadlineMs;
    let empty = 0;
    let rounds = 0;
    let error = "";
    while (options.nowMs() < deadline) {
      rounds++;
      if (empty === 0) {
        const results = await Promise.all(options.symbols.map((symbol) => this.account.cancelAll(symbol)));
        for (const result of results) if (!result.ok) error = result.message;
      }
      // Symbol by symbol: a fortieth of the weight of asking for all, and this loop must never run dry.
      const looks = await Promise.all(options.symbols.map((symbol) => this.account.openOrders(symbol)));
      for (const look of looks) if (!look.ok) error = look.message;
      const clear = looks.every((look) => look.ok && look.value.length === 0) && options.inFlight() === 0;
      empty = clear ? empty + 1 : 0;
      if (empty >= EMPTY_LOOKS) return { proven: true, rounds, error };
      await Bun.sleep(PAUSE_MS);
    }
    return { proven: false, rounds, error };
  }
}
