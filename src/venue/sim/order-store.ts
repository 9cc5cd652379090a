// Every order of the account: open ones by symbol, all by id and client id. Closed orders are kept for queries
// up to a bound, the oldest go first. A client id must be unique among open orders.
import { isOpen, type VenueOrder } from "./order.ts";

const CLOSED_KEPT = 50_000;

export class OrderStore {
  lastNumber = 0;
  private readonly byNumber = new Map<number, VenueOrder>();
  private readonly byClient = new Map<string, VenueOrder>();
  private readonly openBySymbol = new Map<string, Set<VenueOrder>>();
  private readonly closed: number[] = [];
  private closedHead = 0;

  add(order: VenueOrder): void {
    this.lastNumber = Math.max(this.lastNumber, order.number);
    this.byNumber.set(order.number, order);
    this.byClient.set(clientKey(order.symbol, order.clientId), order);
    if (isOpen(order)) this.openOf(order.symbol).add(order);
    else this.noteClosed(order);
  }

  /** The order's status has become final. */
  close(order: VenueOrder): void {
    this.openOf(order.symbol).delete(order);
    this.noteClosed(order);
  }

  byId(symbol: string, number: number): VenueOrder | undefined {
    const order = this.byNumber.get(number);
    return order?.symbol === symbol ? order : undefined;
  }

  byClientId(symbol: string, clientId: string): VenueOrder | undefined {
    return this.byClient.get(clientKey(symbol, clientId));
  }

  open(symbol: string): VenueOrder[] {
    return [...this.openOf(symbol)];
  }

  openCount(symbol: string): number {
    return this.openOf(symbol).size;
  }

  allOpen(): VenueOrder[] {
    return [...this.openBySymbol.values()].flatMap((set) => [...set]);
  }

  all(symbol: string): VenueOrder[] {
    return [...this.byNumber.values()].filter((o) => o.symbol === symbol);
  }

  private openOf(symbol: string): Set<VenueOrder> {
    let set = this.openBySymbol.get(symbol);
    if (set === undefined) {
      set = new Set();
      this.openBySymbol.set(symbol, set);
    }
    return set;
  }

  private noteClosed(order: VenueOrder): void {
    this.closed.push(order.number);
    if (this.closed.length - this.closedHead <= CLOSED_KEPT) return;
    const number = this.closed[this.closedHead++]!;
    const oldest = this.byNumber.get(number);
    if (oldest !== undefined) {
      this.byNumber.delete(number);
      const key = clientKey(oldest.symbol, oldest.clientId);
      if (this.byClient.get(key) === oldest) this.byClient.delete(key);
    }
    if (this.closedHead > CLOSED_KEPT) {
      this.closed.splice(0, this.closedHead);
      this.closedHead = 0;
    }
  }
}

const clientKey = (symbol: string, clientId: string): string => `${symbol}|${clientId}`;
