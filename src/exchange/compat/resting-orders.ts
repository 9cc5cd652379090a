// Own orders resting at the exchange: by id, and per side in (tick, id) order. The original iterates hash sets in
// random order; this order is one of those it can take, so results are reproducible.
import { BUY } from "./codes.ts";
import type { RowWatch } from "./compat-book.ts";
import type { CompatOrder } from "./compat-order.ts";

/** An empty range of keys. */
const NOWHERE_LOW = 2_147_483_647;
const NOWHERE_HIGH = -2_147_483_648;

export class RestingOrders implements RowWatch {
  bidLow = NOWHERE_LOW;
  bidHigh = NOWHERE_HIGH;
  askLow = NOWHERE_LOW;
  askHigh = NOWHERE_HIGH;
  bidRise = false;
  askRise = false;

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
    this.watch();
  }

  /** Takes an order out; undefined when it is not there. */
  remove(id: number): CompatOrder | undefined {
    const order = this.byId.get(id);
    if (order === undefined) return undefined;
    this.byId.delete(id);
    const side = order.side === BUY ? this.buys : this.sells;
    side.splice(side.indexOf(order), 1);
    this.watch();
    return order;
  }

  /** Which rows concern the orders: those at their ticks, and a rise of the other side's best. */
  private watch(): void {
    const { buys, sells } = this;
    this.askRise = buys.length > 0;
    this.bidRise = sells.length > 0;
    this.bidLow = this.askRise ? buys[0]!.tick : NOWHERE_LOW;
    this.bidHigh = this.askRise ? buys[buys.length - 1]!.tick : NOWHERE_HIGH;
    this.askLow = this.bidRise ? -sells[sells.length - 1]!.tick : NOWHERE_LOW;
    this.askHigh = this.bidRise ? -sells[0]!.tick : NOWHERE_HIGH;
  }
}

function isBefore(a: CompatOrder, b: CompatOrder): boolean {
  return a.tick !== b.tick ? a.tick < b.tick : a.id < b.id;
}
