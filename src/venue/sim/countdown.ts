// The dead-man's switch (countdownCancelAll): per symbol, all orders are cancelled unless it is armed again in
// time; 0 disarms.

const TIMER_MOST_MS = 2 ** 31 - 1;

export class CountdownTimers {
  private readonly timers = new Map<string, Timer>();
  private readonly fire: (symbol: string) => void;

  constructor(fire: (symbol: string) => void) {
    this.fire = fire;
  }

  arm(symbol: string, ms: number): void {
    const old = this.timers.get(symbol);
    if (old !== undefined) clearTimeout(old);
    this.timers.delete(symbol);
    if (ms === 0) return;
    // A timer past its range would fire at once.
    const timer = setTimeout(
      () => {
        this.timers.delete(symbol);
        this.fire(symbol);
      },
      Math.min(ms, TIMER_MOST_MS),
    );
    this.timers.set(symbol, timer);
  }

  armed(): string[] {
    return [...this.timers.keys()];
  }

  stop(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }
}
