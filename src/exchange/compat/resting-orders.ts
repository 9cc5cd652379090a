// Own orders resting at the exchange: by id, and per side in (tick, id) order. The original iterates hash sets in
// random order; this order is one of those it can take, so results are reproducible.
import { BUY } from "./codes.ts";
import type { CompatOrder } from "./compat-order.ts";

export class RestingOrders {
  readonly byId = new Map<number, CompatOrder>();
  readonly buys: CompatOrder[] = [];
  readonly sells: CompatOrder[] = [];

  get count(): number {
    return this.byId.size;
  }

  add(order: CompatOrder): void {
    const side = order.side === BUY ? this.buys : this.sells;
    let at = side.length;
    while (at > 0 && isBefore(order, side[at - 1]!)) at--;
    side.splice(at, 0, order);
    this.byId.set(order.id, order);
  }

  /** Takes an order out; undefined when it is not there. */
  remove(id: number): CompatOrder | undefined {
    const order = this.byId.get(id);
    if (order === undefined) return undefined;
    this.byId.delete(id);
    const side = order.side === BUY ? this.buys : this.sells;
    side.splice(side.indexOf(order), 1);
    return order;
  }
}

function isBefore(a: CompatOrder, b: CompatOrder): boolean {
  return a.tick !== b.tick ? a.tick < b.tick : a.id < b.id;
}
