// One direction of the wire between trader and exchange: first in, first out. An order never overtakes another:
// its arrival is at least that of the last one still under way.
import type { CompatOrder } from "./compat-order.ts";

export class OrderBus {
  private orders: CompatOrder[] = [];
  private times: number[] = [];
  private head = 0;

  get length(): number {
    return this.orders.length - this.head;
  }

  /** Arrival of the first order, Infinity when there is none. */
  get nextTs(): number {
    return this.head < this.times.length ? this.times[this.head]! : Number.POSITIVE_INFINITY;
  }

  /** Returns the arrival time. */
  append(order: CompatOrder, ts: number): number {
    const last = this.length > 0 ? this.times[this.times.length - 1]! : ts;
    const arrival = Math.max(ts, last);
    this.orders.push(order);
    this.times.push(arrival);
    return arrival;
  }

  /** Takes the first order; the bus is not empty. */
  pop(): CompatOrder {
    const order = this.orders[this.head++]!;
    if (this.head === this.orders.length) {
      this.orders = [];
      this.times = [];
      this.head = 0;
    } else if (this.head >= 1024) {
      this.orders = this.orders.slice(this.head);
      this.times = this.times.slice(this.head);
      this.head = 0;
    }
    return order;
  }

  /** Arrival of the first order with this id (any id: −1), Infinity when there is none. */
  arrivalOf(id: number): number {
    for (let i = this.head; i < this.orders.length; i++) {
      if (id === -1 || this.orders[i]!.id === id) return this.times[i]!;
    }
    return Number.POSITIVE_INFINITY;
  }
}
