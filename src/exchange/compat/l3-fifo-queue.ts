// Queues of a market by order (hftbacktest's L3FIFOQueueModel): the market's orders and own ones stand in one line per
// side and price, in the order of their coming. An own order is executed when an order of the market behind it is, or
// when the market goes through its price. Lines are linked: coming and going is O(1); what the market
// goes through or clears is looked for among all own orders.
import { BUY, SELL } from "./codes.ts";
import type { CompatOrder } from "./compat-order.ts";
import type { MarketOrderId } from "./l3-book.ts";

/** A place in a line: of an own order, or of one of the market (null). */
class Place {
  readonly own: CompatOrder | null;
  line: Line;
  before: Place | null = null;
  behind: Place | null = null;

  constructor(own: CompatOrder | null, line: Line) {
    this.own = own;
    this.line = line;
  }
}

class Line {
  readonly side: number;
  first: Place | null = null;
  private last: Place | null = null;

  constructor(side: number) {
    this.side = side;
  }

  append(place: Place): void {
    place.line = this;
    place.before = this.last;
    place.behind = null;
    if (this.last === null) this.first = place;
    else this.last.behind = place;
    this.last = place;
  }

  remove(place: Place): void {
    if (place.before === null) this.first = place.behind;
    else place.before.behind = place.behind;
    if (place.behind === null) this.last = place.before;
    else place.behind.before = place.before;
  }
}

export class L3FifoQueue {
  private readonly bids = new Map<number, Line>();
  private readonly asks = new Map<number, Line>();
  private readonly market = new Map<MarketOrderId, Place>();
  private readonly own = new Map<number, Place>();

  find(id: number): CompatOrder | undefined {
    return this.own.get(id)?.own ?? undefined;
  }

  addOwn(order: CompatOrder): void {
    const line = this.line(order.side, order.tick);
    const place = new Place(order, line);
    line.append(place);
    this.own.set(order.id, place);
  }

  removeOwn(id: number): CompatOrder | undefined {
    const place = this.own.get(id);
    if (place === undefined) return undefined;
    this.own.delete(id);
    place.line.remove(place);
    return place.own!;
  }

  /** The order goes to the end of the line at its (new) price. */
  requeueOwn(order: CompatOrder): void {
    this.requeue(this.own.get(order.id)!, order.tick);
  }

  addMarket(id: MarketOrderId, side: number, tick: number): void {
    const line = this.line(side, tick);
    const place = new Place(null, line);
    line.append(place);
    this.market.set(id, place);
  }

  removeMarket(id: MarketOrderId): void {
    const place = this.market.get(id)!;
    this.market.delete(id);
    place.line.remove(place);
  }

  requeueMarket(id: MarketOrderId, tick: number): void {
    this.requeue(this.market.get(id)!, tick);
  }

  /** Side of an order of the market; 0: it is not known. */
  marketSide(id: MarketOrderId): number {
    return this.market.get(id)?.line.side ?? 0;
  }

  /** Takes out the own orders that stand before an order of the market. */
  takeBefore(id: MarketOrderId): CompatOrder[] {
    const until = this.market.get(id)!;
    const taken: CompatOrder[] = [];
    for (let place = until.line.first; place !== until && place !== null; place = place.behind)
      if (place.own !== null) taken.push(this.takeOwn(place));
    return taken;
  }

  /**
   * Takes out the own orders of a side that the market has gone through: from tick `from`, the side's best at most, to
   * `to`. With fewer own orders than ticks in between `from` is not looked at (theirs). By price, then in line; theirs is a random order of prices.
   */
  takeBetween(side: number, from: number, to: number): CompatOrder[] {
    if (this.own.size === 0) return [];
    const all = this.own.size < (from - to) * side;
    return this.takeOwnAt(
      this.ownTicks(side, (tick) => (tick - to) * side >= 0 && (all || (from - tick) * side >= 0)),
      side,
    );
  }

  /** Empties a side (0: both) and returns the own orders that stood there, bids first. */
  clear(side: number): CompatOrder[] {
    const taken: CompatOrder[] = [];
    for (const one of [BUY, SELL]) {
      if (side !== 0 && side !== one) continue;
      taken.push(
        ...this.takeOwnAt(
          this.ownTicks(one, () => true),
          one,
        ),
      );
      this.lines(one).clear();
    }
    if (side === 0) this.market.clear();
    else for (const [id, place] of this.market) if (place.line.side === side) this.market.delete(id);
    return taken;
  }

  private ownTicks(side: number, wanted: (tick: number) => boolean): number[] {
    const ticks = new Set<number>();
    for (const { own } of this.own.values())
      if (own!.side === side && wanted(own!.tick)) ticks.add(own!.tick);
    return [...ticks].sort((a, b) => a - b);
  }

  private takeOwnAt(ticks: readonly number[], side: number): CompatOrder[] {
    const taken: CompatOrder[] = [];
    for (const tick of ticks)
      for (let place = this.line(side, tick).first; place !== null; place = place.behind)
        if (place.own !== null) taken.push(this.takeOwn(place));
    return taken;
  }

  /** Its `behind` stays, so that a walk goes on. */
  private takeOwn(place: Place): CompatOrder {
    place.line.remove(place);
    this.own.delete(place.own!.id);
    return place.own!;
  }

  private requeue(place: Place, tick: number): void {
    place.line.remove(place);
    this.line(place.line.side, tick).append(place);
  }

  private lines(side: number): Map<number, Line> {
    return side === BUY ? this.bids : this.asks;
  }

  private line(side: number, tick: number): Line {
    const lines = this.lines(side);
    let line = lines.get(tick);
    if (line === undefined) {
      line = new Line(side);
      lines.set(tick, line);
    }
    return line;
  }
}
