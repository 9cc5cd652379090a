// Cancelling without the execution lane: main owns one REST connection for it. Used when the kill word is
// set, when a lane is dead, and to prove at the end of a session that nothing works any more.
//
// Whoever asks while a run is under way joins its rounds with a deadline of its own, and is answered by looks that
// began after it asked: what an earlier caller saw proves nothing about orders that were sent since.
import type { VenueResult } from "../venue/contract.ts";

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
}

/** What cancelling needs of an account (VenueAccount has it). */
export interface CancelAccount {
  cancelAll(symbol: string): Promise<VenueResult<unknown>>;
  openOrders(symbol: string): Promise<VenueResult<readonly unknown[]>>;
}

const PAUSE_MS = 10;
const EMPTY_LOOKS = 2;

/** One caller. */
interface Waiter {
  readonly options: CancelOptions;
  readonly resolve: (report: CancelReport) => void;
  timer: ReturnType<typeof setTimeout> | null;
  empty: number;
  rounds: number;
  error: string;
}

export class EmergencyCanceller {
  private readonly account: CancelAccount;
  private readonly waiters = new Set<Waiter>();
  private running = false;

  constructor(account: CancelAccount) {
    this.account = account;
  }

  /** Cancels on every symbol, repeatedly, until the venue shows none open twice, or the caller's own deadline. */
  cancelUntilEmpty(options: CancelOptions): Promise<CancelReport> {
    const { promise, resolve } = Promise.withResolvers<CancelReport>();
    const waiter: Waiter = { options, resolve, timer: null, empty: 0, rounds: 0, error: "" };
    // A venue that does not answer must not hold a caller beyond its deadline.
    waiter.timer = setTimeout(() => {
      waiter.error ||= "the venue did not answer in time";
      this.end(waiter, false);
    }, options.deadlineMs);
    this.waiters.add(waiter);
    if (!this.running) void this.run();
    return promise;
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiters.size > 0) {
      // Whoever asks from here on is not answered by this round.
      const asked = [...this.waiters];
      const { clear, error } = await this.cancelAndLook(asked);
      for (const waiter of asked) this.settle(waiter, clear, error);
      if (this.waiters.size > 0) await Bun.sleep(PAUSE_MS);
    }
    this.running = false;
  }

  private async cancelAndLook(
    asked: readonly Waiter[],
  ): Promise<{ readonly clear: boolean; readonly error: string }> {
    const { account } = this;
    const symbols = [...new Set(asked.flatMap((waiter) => waiter.options.symbols))];
    let error = "";
    const note = (results: readonly VenueResult<unknown>[]) => {
      for (const result of results) if (!result.ok) error = result.message;
    };
    if (asked.some((waiter) => waiter.empty === 0))
      note(await Promise.all(symbols.map((symbol) => account.cancelAll(symbol))));
    // Symbol by symbol: a fortieth of the weight of asking for all, and this loop must never run dry.
    const looks = await Promise.all(symbols.map((symbol) => account.openOrders(symbol)));
    note(looks);
    return { clear: looks.every((look) => look.ok && look.value.length === 0), error };
  }

  private settle(waiter: Waiter, clear: boolean, error: string): void {
    if (!this.waiters.has(waiter)) return;
    waiter.rounds++;
    if (error !== "") waiter.error = error;
    waiter.empty = clear && waiter.options.inFlight() === 0 ? waiter.empty + 1 : 0;
    if (waiter.empty >= EMPTY_LOOKS) this.end(waiter, true);
  }

  private end(waiter: Waiter, proven: boolean): void {
    if (!this.waiters.delete(waiter)) return;
    if (waiter.timer !== null) clearTimeout(waiter.timer);
    waiter.resolve({ proven, rounds: waiter.rounds, error: waiter.error });
  }
}
