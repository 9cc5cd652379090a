// Where an order stands in the queue of its price level (hftbacktest models/queue.rs). `front` is the quantity
// ahead; the probability models estimate which part of a decrease was ahead. Doubles in the original's order of
// operations; pow is C's, ln is Math.log (equal bit for bit), min is minNum.
import { cPow } from "../../../ffi/libm.ts";
import type { CompatOrder } from "./compat-order.ts";
import { minNum, roundHalfAway } from "./rounding.ts";

export interface QueueModel {
  /** The exchange accepted the order behind `levelQty`. */
  newOrder(order: CompatOrder, levelQty: number): void;
  /** A trade of `qty` at the order's price. */
  trade(order: CompatOrder, qty: number): void;
  /** The level's quantity changed. */
  depth(order: CompatOrder, prevQty: number, newQty: number): void;
  /** What the order gets of the trades that passed the front of its queue; > 0 resets the front. */
  filled(order: CompatOrder, lotSize: number): number;
}

export const QUEUE_MODELS = ["risk", "log", "log2", "power", "power2", "power3"] as const;
export type QueueModelName = (typeof QUEUE_MODELS)[number];
/** The queue model of market-by-order data, beside those of levels. */
export const L3_FIFO = "l3-fifo";

/** P(decrease was behind) from the quantity in front and behind. */
type Probability = (front: number, back: number) => number;

/** `n` is the exponent of the power models. */
export function makeQueueModel(name: QueueModelName, n = 1): QueueModel {
  switch (name) {
    case "risk":
      return new RiskAdverseQueue();
    case "log":
      return new ProbabilityQueue((a, b) => Math.log(1 + b) / (Math.log(1 + b) + Math.log(1 + a)));
    case "log2":
      return new ProbabilityQueue((a, b) => Math.log(1 + b) / Math.log(1 + (b + a)));
    case "power":
      return new ProbabilityQueue((a, b) => cPow(b, n) / (cPow(b, n) + cPow(a, n)));
    case "power2":
      return new ProbabilityQueue((a, b) => cPow(b, n) / cPow(b + a, n));
    case "power3":
      return new ProbabilityQueue((a, b) => 1 - cPow(a / (a + b), n));
  }
}

/** The queue moves only when trades happen at the price. */
class RiskAdverseQueue implements QueueModel {
  newOrder(order: CompatOrder, levelQty: number): void {
    order.front = levelQty;
    order.tradedSince = 0;
  }

  trade(order: CompatOrder, qty: number): void {
    order.front -= qty;
  }

  depth(order: CompatOrder, _prevQty: number, newQty: number): void {
    order.front = minNum(order.front, newQty);
  }

  filled(order: CompatOrder, lotSize: number): number {
    return takeFilled(order, lotSize);
  }
}

class ProbabilityQueue implements QueueModel {
  private readonly probability: Probability;

  constructor(probability: Probability) {
    this.probability = probability;
  }

  newOrder(order: CompatOrder, levelQty: number): void {
    order.front = levelQty;
    order.tradedSince = 0;
  }

  trade(order: CompatOrder, qty: number): void {
    order.front -= qty;
    order.tradedSince += qty;
  }

  depth(order: CompatOrder, prevQty: number, newQty: number): void {
    // Trades were taken off the front already: only what the change does not explain by them is a cancel.
    const change = prevQty - newQty - order.tradedSince;
    order.tradedSince = 0;
    if (change < 0) {
      order.front = minNum(order.front, newQty);
      return;
    }
    const front = order.front;
    const back = prevQty - front;
    let p = this.probability(front, back);
    if (p === Number.POSITIVE_INFINITY || p === Number.NEGATIVE_INFINITY) p = 1;
    const estimate = front - (1 - p) * change + minNum(back - p * change, 0);
    order.front = minNum(estimate, newQty);
  }

  filled(order: CompatOrder, lotSize: number): number {
    return takeFilled(order, lotSize);
  }
}

function takeFilled(order: CompatOrder, lotSize: number): number {
  const lots = roundHalfAway(-order.front / lotSize);
  if (!(lots > 0)) return 0;
  order.front = 0;
  return lots * lotSize;
}
