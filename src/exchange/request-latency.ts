// How long requests and answers are under way, by kind of request. Built from the one-direction models that the
// compat mode uses too (constant, interpolated from tables), one per kind; each keeps its own place in its table.
import { ACTION_CANCEL, ACTION_CANCEL_ALL, ACTION_MODIFY } from "../wire/codes.ts";
import type { LatencyFactory, OrderLatency } from "./compat/order-latency.ts";

/** Times in ns since the run's base; calls come in the order of time. */
export interface RequestLatency {
  /** ns from the trader to the exchange of a request sent at `tsNs`. Negative: refused, the refusal takes −ns. */
  entryNs(action: number, tsNs: number): number;
  /** ns from the exchange to the trader of an answer sent at `tsNs`; ACTION_NONE: a fill nobody asked for. */
  responseNs(action: number, tsNs: number): number;
}

export interface LatencyByKind {
  readonly place: LatencyFactory;
  readonly modify: LatencyFactory;
  readonly cancel: LatencyFactory;
}

export class KindLatency implements RequestLatency {
  private readonly place: OrderLatency;
  private readonly modify: OrderLatency;
  private readonly cancel: OrderLatency;

  constructor(kinds: LatencyByKind, baseNs: bigint) {
    this.place = kinds.place(baseNs);
    this.modify = kinds.modify(baseNs);
    this.cancel = kinds.cancel(baseNs);
  }

  entryNs(action: number, tsNs: number): number {
    return this.of(action).entry(tsNs);
  }

  responseNs(action: number, tsNs: number): number {
    return this.of(action).response(tsNs);
  }

  private of(action: number): OrderLatency {
    if (action === ACTION_CANCEL || action === ACTION_CANCEL_ALL) return this.cancel;
    return action === ACTION_MODIFY ? this.modify : this.place;
  }
}
