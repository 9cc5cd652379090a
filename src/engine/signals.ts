// SIGINT, SIGTERM and SIGHUP (a terminal that closes) as DESIGN 14 has them: under npx one Ctrl-C arrives twice in the same millisecond, so
// signals within 500 ms count as one; a later one means "at once". A launching parent that disappears counts
// as SIGTERM.

const SAME_SIGNAL_MS = 500;
const PARENT_CHECK_MS = 1000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface SignalHandlers {
  readonly onStop: (why: string) => void;
  readonly onStopNow: (why: string) => void;
}

/** Decides what a signal at `nowMs` means. Pure, so that it can be tested without sending one. */
export class SignalCounter {
  private firstMs = Number.NaN;

  next(nowMs: number): "stop" | "repeat" | "now" {
    if (Number.isNaN(this.firstMs)) {
      this.firstMs = nowMs;
      return "stop";
    }
    return nowMs - this.firstMs <= SAME_SIGNAL_MS ? "repeat" : "now";
  }
}

/** Installs the handlers; returns the function that removes them. */
export function watchSignals(handlers: SignalHandlers): () => void {
  const counter = new SignalCounter();
  const receive = (why: string) => {
    const meaning = counter.next(performance.now());
    if (meaning === "stop") handlers.onStop(why);
    if (meaning === "now") handlers.onStopNow(why);
  };
  const installed = SIGNALS.map((name) => ({ name, listener: () => receive(name) }));
  for (const { name, listener } of installed) process.on(name, listener);
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    receive("parent gone");
  }, PARENT_CHECK_MS);
  watch.unref();
  return () => {
    for (const { name, listener } of installed) process.off(name, listener);
    clearInterval(watch);
  };
}
