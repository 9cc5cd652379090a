// The orders' part of a reconciliation: what the venue lists as open, what we hold as working and it does not,
// what earlier sessions left in the journal or kept at the venue, and what nobody of ours placed. Cold: REST.
import { toSteps } from "../../core/decimal.ts";
import { type ClientId, FIRST_ADOPTED_SEQ, parseClientId } from "../../order/client-id.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import { HOUSE } from "../../order/ledger.ts";
import { isOver } from "../../order/transitions.ts";
import { EXEC_STATUS, SIDE_BUY, SIDE_SELL, SOURCE_QUERY } from "../../wire/codes.ts";
import { FLAG_RECOVERED } from "../../wire/messages.gen.ts";
import type { VenueOrder, VenueResult } from "../contract.ts";
import type { AdoptedOrders } from "./adopted-orders.ts";
import type { EarlierOrder, EarlierSessions, ForeignOrders } from "./gateway-options.ts";
import { orderStateOfText } from "./order-codes.ts";
import { NO_SUCH_ORDER } from "./order-proofs.ts";
import { QueryError, type SyncContext, take, twoU32, written } from "./sync-query.ts";

/** Questions under way at once: one by one, a thousand of them would take a thousand round trips. */
const AT_ONCE = 16;

export interface OrderSyncOptions extends SyncContext {
  /** This session's. */
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly clientIdOf: (request: OrderRequest) => string;
  /** Orders that the order table holds as not over; each is proved. Cold, called once per reconciliation. */
  readonly workingOrders: () => readonly OrderRequest[];
  /** The venue does not know this order: the gateway proves by time that it never will. */
  readonly probe: (request: OrderRequest) => void;
  readonly foreignOrders: ForeignOrders;
  readonly adopted: AdoptedOrders;
  readonly earlier?: EarlierSessions;
}

export class OrderSync {
  private readonly options: OrderSyncOptions;
  private readonly clientIds: Map<string, string>;
  private earlierProved: boolean;

  constructor(options: OrderSyncOptions) {
    this.options = options;
    this.clientIds = new Map();
    this.earlierProved = false;
  }

  /** Throws QueryError. */
  async run(): Promise<void> {
    const orders = await this.openOrders();
    this.clientIds.clear();
    this.takeKept(orders);
    await this.foreign(orders.filter((order) => this.isForeign(order)));
    for (const order of orders) this.clientIds.set(order.orderId, order.clientOrderId);
    const held = new Set(this.options.workingOrders().map((r) => this.options.clientIdOf(r)));
    const surprises = orders.filter((order) => this.isOwn(order) && !held.has(order.clientOrderId));
    for (const order of orders) if (!surprises.includes(order)) this.write(order);
    this.flush();
    await this.askAgain(surprises);
    await this.working(orders);
    await this.earlierOrders();
  }

  /** Symbol by symbol: a fortieth of the weight of asking for all. */
  private async openOrders(): Promise<VenueOrder[]> {
    const { account, instruments } = this.options;
    const found: VenueOrder[] = [];
    await inGroups(instruments, async ({ symbol }) => {
      found.push(...take(`open orders of ${symbol}`, await account.openOrders(symbol)));
    });
    return found;
  }

  /** Client id of the order of a trade; "" = nobody's. Throws QueryError. */
  async clientIdOf(symbol: string, orderId: string): Promise<string> {
    const known = this.clientIds.get(orderId);
    if (known !== undefined) return known;
    const result = await this.options.account.orderById(symbol, orderId);
    // An order too old to be found (or a liquidation's) is nobody's; anything else is "not known".
    const clientId = result.ok ? result.value.clientOrderId : "";
    if (!result.ok && result.code !== NO_SUCH_ORDER) throw new QueryError(`order ${orderId}`, result.message);
    this.clientIds.set(orderId, clientId);
    return clientId;
  }

  /** This session's number of the strategy that an id names. */
  strategyOf(own: ClientId): number {
    const { earlier } = this.options;
    return earlier === undefined ? own.strategy : earlier.strategyOf(own.nonceLo, own.nonceHi, own.strategy);
  }

  /** Of this session and not held: it has ended since the venue made its list, or was taken for over. */
  private async askAgain(orders: readonly VenueOrder[]): Promise<void> {
    const { account } = this.options;
    await inGroups(orders, async ({ symbol, orderId }) => {
      this.write(take(`order ${orderId}`, await account.orderById(symbol, orderId)));
    });
    this.flush();
  }

  private isOwn(order: VenueOrder): boolean {
    const { nonceLo, nonceHi } = this.options;
    const id = parseClientId(order.clientOrderId);
    return id !== null && id.nonceLo === nonceLo && id.nonceHi === nonceHi;
  }

  private isForeign(order: VenueOrder): boolean {
    const { earlier } = this.options;
    if (this.isOwn(order)) return false;
    const id = parseClientId(order.clientOrderId);
    if (id === null) return true;
    return earlier === undefined || !earlier.isOurs(id.nonceLo, id.nonceHi);
  }

  /** Orders that the session before kept go on as this one's. */
  private takeKept(orders: readonly VenueOrder[]): void {
    const { adopted, earlier } = this.options;
    for (const { orderId } of orders) {
      const strategy = earlier?.kept.get(orderId);
      if (strategy !== undefined && adopted.adopt(orderId, strategy) === 0)
        throw new QueryError("orders kept by the session before", "too many to adopt");
    }
  }

  private async foreign(orders: readonly VenueOrder[]): Promise<void> {
    if (orders.length === 0) return;
    const { account, adopted, foreignOrders } = this.options;
    if (foreignOrders === "refuse") throw new QueryError("open orders that are nobody's", namesOf(orders));
    for (const order of orders) {
      if (foreignOrders === "adopt") {
        if (adopted.adopt(order.orderId, HOUSE) === 0)
          throw new QueryError("open orders that are nobody's", "too many to adopt");
        continue;
      }
      const result = await account.cancelById(order.symbol, order.orderId);
      // Refused: it may have ended by itself; the next look at it tells.
      if (!result.ok && result.unknown) throw new QueryError(`cancel of ${order.orderId}`, result.message);
      this.write(take(`order ${order.orderId}`, await account.orderById(order.symbol, order.orderId)));
    }
  }

  /** What we hold as working and the venue does not list as open has ended: how is asked per order. */
  private async working(open: readonly VenueOrder[]): Promise<void> {
    const listed = new Set(open.map((o) => o.clientOrderId));
    for (const order of open) {
      const adopted = this.numberOf(order.orderId);
      if (adopted !== 0) listed.add(String(adopted));
    }
    const missing = this.options
      .workingOrders()
      .filter((r) => !listed.has(isAdopted(r) ? String(r.clientSeq) : this.options.clientIdOf(r)));
    await inGroups(missing, async (request) => {
      const result = await this.ask(request);
      if (result.ok) this.write(result.value);
      else if (result.code === NO_SUCH_ORDER) this.options.probe(request);
      else throw new QueryError(`order ${request.clientSeq}`, result.message);
    });
    this.flush();
  }

  private ask(request: OrderRequest): Promise<VenueResult<VenueOrder>> {
    const { account, adopted, clientIdOf, instruments } = this.options;
    const { symbol } = instruments.find((i) => i.id === request.instrument)!;
    return isAdopted(request)
      ? account.orderById(symbol, adopted.orderIdOf(request.clientSeq))
      : account.order(symbol, clientIdOf(request));
  }

  /** How the orders of sessions that died have ended; the journal holds them as open. */
  private async earlierOrders(): Promise<void> {
    if (this.earlierProved) return;
    const { account } = this.options;
    await inGroups(this.options.earlier?.orders ?? [], async (known) => {
      const { symbol, clientId, orderId } = known;
      if (orderId !== "" && this.numberOf(orderId) !== 0) return;
      const result = await (orderId === ""
        ? account.order(symbol, clientId)
        : account.orderById(symbol, orderId));
      if (result.ok) this.write(result.value, known);
      // Unknown to the venue: it never arrived, and its request is past its time or will be swept.
      else if (result.code !== NO_SUCH_ORDER) throw new QueryError(`order ${clientId}`, result.message);
    });
    this.earlierProved = true;
    this.flush();
  }

  /** Number of an adopted order; 0 = it is not one. */
  private numberOf(orderId: string): number {
    const { lo, hi } = twoU32(orderId);
    return this.options.adopted.find(lo, hi);
  }

  /** The number that an order goes by in this session, and whose it is; clientSeq 0 when it is not ours. */
  private nameOf(order: VenueOrder): Pick<EarlierOrder, "nonceLo" | "nonceHi" | "clientSeq" | "strategy"> {
    const { adopted, nonceLo, nonceHi } = this.options;
    const taken = this.numberOf(order.orderId);
    if (taken !== 0) return { nonceLo, nonceHi, clientSeq: taken, strategy: adopted.strategyOf(taken) };
    const id = parseClientId(order.clientOrderId);
    if (id === null) return { nonceLo: 0, nonceHi: 0, clientSeq: 0, strategy: HOUSE };
    return { ...id, strategy: this.strategyOf(id) };
  }

  /** Order as the venue holds it → EXEC_STATUS. */
  private write(order: VenueOrder, name = this.nameOf(order)): void {
    const { adopted, instruments, nowNs, writer } = this.options;
    const instrument = instruments.find((i) => i.symbol === order.symbol);
    if (instrument === undefined) return;
    const id = twoU32(order.orderId);
    const o = writer.order;
    o.flags = FLAG_RECOVERED;
    o.instrument = instrument.id;
    o.strategy = name.strategy;
    o.exchTsNs = writer.sessionNs(order.updateTimeMs);
    o.recvTsNs = nowNs();
    o.clientSeq = name.clientSeq;
    o.execType = EXEC_STATUS;
    o.orderState = orderStateOfText(order.status);
    o.source = SOURCE_QUERY;
    o.side = order.side === "BUY" ? SIDE_BUY : SIDE_SELL;
    o.pxTicks = toSteps(order.price, instrument.tickSize);
    o.qtyLots = toSteps(order.quantity, instrument.lotSize);
    o.cumQtyLots = toSteps(order.executedQuantity, instrument.lotSize);
    o.orderIdLo = id.lo;
    o.orderIdHi = id.hi;
    o.nonceLo = name.nonceLo;
    o.nonceHi = name.nonceHi;
    o.rejectCode = 0;
    o.action = 0;
    const over = isOver(o.orderState);
    written(`order ${order.clientOrderId}`, writer.writeOrder());
    if (name.clientSeq >= FIRST_ADOPTED_SEQ && over) adopted.forget(this.numberOf(order.orderId));
  }

  private flush(): void {
    this.options.writer.publish();
  }
}

const isAdopted = (request: OrderRequest): boolean => request.clientSeq >= FIRST_ADOPTED_SEQ;

const namesOf = (orders: readonly VenueOrder[]): string =>
  `${orders.map((o) => `${o.symbol} ${o.clientOrderId}`).join(", ")}; cancel them, or set venue.foreign_orders`;

async function inGroups<T>(items: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) await Promise.all(items.slice(i, i + AT_ONCE).map(one));
}
