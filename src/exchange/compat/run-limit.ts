// How far one step of the backtest goes. Shared by the engine, which sets it, and the exchange side, which pulls
// it in when it sends a response that the strategy waits for: everything of that instant is still processed.
import type { CompatOrder } from "./compat-order.ts";

/** Waiting for no response; for any; values ≥ 0: for the order of that id. */
export const WAIT_NONE = -2;
export const WAIT_ANY = -1;

export class RunLimit {
  /** Events up to here, inclusive, are processed. ns since the base. */
  ts = Number.POSITIVE_INFINITY;
  /** Arrival of the first response that is waited for, as far as it is known; may lie beyond `ts`. */
  awaitedTs = Number.POSITIVE_INFINITY;
  waitFor = WAIT_NONE;

  /** A response is on its way. */
  onResponse(order: CompatOrder, arrival: number): void {
    if (this.waitFor !== WAIT_ANY && this.waitFor !== order.id) return;
    if (arrival < this.awaitedTs) this.awaitedTs = arrival;
    if (arrival < this.ts) this.ts = arrival;
  }
}
