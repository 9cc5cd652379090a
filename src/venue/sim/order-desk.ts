// Order entry: checks a request as the venue does, gives it to the matching engine, and turns what the engine
// reports into journal lines, account bookings and user events. Events of one request are collected so that
// the reply can go out before them.
import {
  CLOSED_CANCELED,
  CLOSED_FILLED,
  CLOSED_IN_MATCH,
  type MatchListener,
  REJECT_FULL,
  REJECT_NOT_FILLABLE,
  REJECT_REDUCE_ONLY,
  REJECT_WOULD_TAKE,
} from "../../exchange/matching-engine.ts";
import { ORDER_TYPE_MARKET } from "../../wire/codes.ts";
import type { Account } from "./account.ts";
import { accountUpdateText, orderRecord } from "./account-text.ts";
import {
  type ApiError,
  BAD_SYMBOL,
  CANCEL_REJECTED,
  DUPLICATE_CLIENT_ID,
  FOK_REJECTED,
  GTX_REJECTED,
  isError,
  MARGIN_TOO_LOW,
  MARKET_PRICE_BAND,
  missing,
  NO_NEED_TO_MODIFY,
  NO_SUCH_ORDER,
  REDUCE_ONLY_REJECTED,
  SYMBOL_CLOSED,
  TOO_MANY_OPEN_ORDERS,
} from "./api-error.ts";
import { idNumber, idText } from "./big-id.ts";
import type { Journal } from "./journal.ts";
import { isOpen, orderReplyText, orderUpdateText, type VenueOrder } from "./order.ts";
import {
  checkBand,
  checkNotional,
  type Params,
  type PlaceRequest,
  parseModify,
  parsePlace,
} from "./order-request.ts";
import type { OrderStore } from "./order-store.ts";
import type { SymbolMarket } from "./symbol-market.ts";
import type { VenueClock } from "./venue-clock.ts";

export type Outcome = { readonly text: string } | ApiError;

const REJECTIONS: Readonly<Record<number, ApiError>> = {
  [REJECT_WOULD_TAKE]: GTX_REJECTED,
  [REJECT_NOT_FILLABLE]: FOK_REJECTED,
  [REJECT_REDUCE_ONLY]: REDUCE_ONLY_REJECTED,
  [REJECT_FULL]: TOO_MANY_OPEN_ORDERS,
};

export class OrderDesk {
  readonly markets = new Map<string, SymbolMarket>();
  readonly store: OrderStore;
  readonly account: Account;
  private readonly journal: Journal;
  private readonly clock: VenueClock;
  private readonly defaultStp: number;
  private events: string[] = [];
  private entering: VenueOrder | null = null;
  /** Orders by engine slot, per symbol. */
  private readonly slots = new Map<string, VenueOrder[]>();
  /** Symbols whose working orders have changed since the last settle(). */
  private readonly changed = new Set<string>();

  constructor(store: OrderStore, account: Account, journal: Journal, clock: VenueClock, defaultStp: number) {
    this.store = store;
    this.account = account;
    this.journal = journal;
    this.clock = clock;
    this.defaultStp = defaultStp;
  }

  /** User events since the last call, oldest first. */
  takeEvents(): string[] {
    const events = this.events;
    if (events.length > 0) this.events = [];
    return events;
  }

  emit(text: string): void {
    this.events.push(text);
  }

  listenerFor(symbol: string): MatchListener {
    const bySlot: VenueOrder[] = [];
    this.slots.set(symbol, bySlot);
    return {
      onAccepted: (slot) => {
        const order = this.entering!;
        bySlot[slot] = order;
        order.slot = slot;
        this.store.add(order);
        this.transition(order, "NEW");
      },
      onAmended: (slot) => {
        const order = bySlot[slot]!;
        const engine = this.markets.get(symbol)!.engine;
        order.pxTicks = engine.orders.pxTicks[slot]!;
        order.qtyLots = engine.orders.qtyLots[slot]!;
        this.transition(order, "AMENDMENT");
      },
      onFill: (slot, px, lots, maker) => this.onFill(bySlot[slot]!, px, lots, maker),
      onClosed: (slot, reason) => this.onClosed(bySlot[slot]!, reason),
    };
  }

  place(p: Params): Outcome {
    const market = this.marketOf(p["symbol"]);
    if (!("spec" in market)) return market;
    if (!market.spec.trading) return SYMBOL_CLOSED;
    this.settle();
    const request = parsePlace(p, market.spec, this.defaultStp);
    if (isError(request)) return request;
    const refusal = this.refusalOf(market, request);
    if (refusal !== null) return refusal;
    const order = this.newOrder(market.spec.symbol, request);
    this.entering = order;
    this.journal.writeMatch("place", order.symbol, order.clientId);
    const r = request;
    const slot = market.engine.submit(
      r.side,
      r.orderType,
      r.tif,
      r.pxTicks,
      r.qtyLots,
      r.reduceOnly,
      r.stp,
      order.number,
    );
    if (slot < 0) return REJECTIONS[slot]!;
    return { text: r.fullReply ? orderReplyText(market.spec, order, false) : this.ackText(market, order) };
  }

  modify(p: Params): Outcome {
    const market = this.marketOf(p["symbol"]);
    if (!("spec" in market)) return market;
    const order = this.find(p, NO_SUCH_ORDER);
    if (isError(order)) return order;
    const request = parseModify(p, market.spec);
    if (isError(request)) return request;
    if (!isOpen(order) || request.side !== order.side) return NO_SUCH_ORDER;
    if (request.pxTicks === order.pxTicks && request.qtyLots === order.qtyLots) return NO_NEED_TO_MODIFY;
    const px = BigInt(request.pxTicks) * 100_000_000n;
    this.settle();
    const refusal =
      checkBand(market.spec, order.side, request.pxTicks, market.markTicksE8()) ??
      (order.reduceOnly ? null : checkNotional(market.spec, px, request.qtyLots));
    if (refusal !== null) return refusal;
    const growth = BigInt(request.pxTicks * (request.qtyLots - order.executedLots)) - openValue(order);
    if (growth > 0n && !this.account.hasMarginFor(order.symbol, order.side, growth)) return MARGIN_TOO_LOW;
    order.stp = 0;
    market.engine.orders.stp[order.slot] = 0;
    this.journal.writeMatch("modify", order.symbol, order.clientId);
    market.engine.modify(order.slot, request.pxTicks, request.qtyLots);
    return { text: orderReplyText(market.spec, order, true) };
  }

  cancel(p: Params): Outcome {
    const market = this.marketOf(p["symbol"]);
    if (!("spec" in market)) return market;
    const order = this.find(p, CANCEL_REJECTED);
    if (isError(order)) return order;
    if (!isOpen(order)) return CANCEL_REJECTED;
    this.journal.writeMatch("cancel", order.symbol, order.clientId);
    market.engine.cancel(order.slot);
    return { text: orderReplyText(market.spec, order, true) };
  }

  /** `lots` of each working order trade at its price as if somebody had hit it. Returns how many orders traded. */
  fill(symbol: string, lots: number): number {
    const market = this.markets.get(symbol)!;
    const open = this.store.open(symbol);
    for (const order of open) market.engine.hit(order.slot, lots);
    return open.length;
  }

  cancelAll(symbol: string): number {
    const market = this.markets.get(symbol)!;
    const open = this.store.open(symbol);
    for (const order of open) {
      this.journal.writeMatch("cancel", symbol, order.clientId);
      market.engine.cancel(order.slot);
    }
    return open.length;
  }

  query(p: Params): Outcome {
    const market = this.marketOf(p["symbol"]);
    if (!("spec" in market)) return market;
    const order = this.find(p, NO_SUCH_ORDER);
    return isError(order) ? order : { text: orderReplyText(market.spec, order, false) };
  }

  marketOf(symbol: string | undefined): SymbolMarket | ApiError {
    if (!symbol) return missing("symbol");
    return this.markets.get(symbol) ?? BAD_SYMBOL;
  }

  /** Restored open orders join the engine at the end of their queues. */
  restore(order: VenueOrder): void {
    const market = this.markets.get(order.symbol)!;
    const { orders } = market.engine;
    const slot = orders.allocate();
    orders.side[slot] = order.side;
    orders.orderType[slot] = order.orderType;
    orders.tif[slot] = order.tif;
    orders.stp[slot] = order.stp;
    orders.reduceOnly[slot] = order.reduceOnly ? 1 : 0;
    orders.pxTicks[slot] = order.pxTicks;
    orders.qtyLots[slot] = order.qtyLots;
    orders.leavesLots[slot] = order.qtyLots - order.executedLots;
    orders.reference[slot] = order.number;
    order.slot = slot;
    this.slots.get(order.symbol)![slot] = order;
    market.engine.adopt(slot);
    this.changed.add(order.symbol);
  }

  /** Brings the value of working orders, and with it the margin, up to date. */
  settle(): void {
    if (this.changed.size === 0) return;
    for (const symbol of this.changed) this.updateOpenValue(symbol);
    this.changed.clear();
  }

  private updateOpenValue(symbol: string): void {
    const position = this.account.position(symbol);
    let buy = 0n;
    let sell = 0n;
    for (const order of this.store.open(symbol)) {
      if (order.reduceOnly) continue;
      if (order.side > 0) buy += openValue(order);
      else sell += openValue(order);
    }
    position.openBuyTickLots = buy;
    position.openSellTickLots = sell;
  }

  private refusalOf(market: SymbolMarket, r: PlaceRequest): ApiError | null {
    const { spec } = market;
    const mark = market.markTicksE8();
    const isMarket = r.orderType === ORDER_TYPE_MARKET;
    const best = market.book.bestTicks(-r.side);
    if (isMarket && (!(best > 0) || checkBand(spec, r.side, best, mark) !== null)) return MARKET_PRICE_BAND;
    const px = isMarket ? mark : BigInt(r.pxTicks) * 100_000_000n;
    const filters =
      (isMarket ? null : checkBand(spec, r.side, r.pxTicks, mark)) ??
      (r.reduceOnly ? null : checkNotional(spec, px, r.qtyLots));
    if (filters !== null) return filters;
    if (r.clientId !== "") {
      const earlier = this.store.byClientId(spec.symbol, r.clientId);
      if (earlier !== undefined && isOpen(earlier)) return DUPLICATE_CLIENT_ID;
    }
    if (this.store.openCount(spec.symbol) >= spec.maxOrders) return TOO_MANY_OPEN_ORDERS;
    if (r.reduceOnly) return null;
    const value = (px * BigInt(r.qtyLots)) / 100_000_000n;
    return this.account.hasMarginFor(spec.symbol, r.side, value) ? null : MARGIN_TOO_LOW;
  }

  private newOrder(symbol: string, r: PlaceRequest): VenueOrder {
    const number = ++this.store.lastNumber;
    const now = this.clock.nowMs();
    return {
      number,
      clientId: r.clientId === "" ? `sim${idText(number)}` : r.clientId,
      symbol,
      side: r.side,
      orderType: r.orderType,
      tif: r.tif,
      reduceOnly: r.reduceOnly,
      stp: r.stp,
      pxTicks: r.pxTicks,
      qtyLots: r.qtyLots,
      executedLots: 0,
      executedTickLots: 0n,
      status: "NEW",
      createdMs: now,
      updatedMs: now,
      slot: -1,
    };
  }

  /** An ACK shows the order as it was accepted, whatever happened to it since. */
  private ackText(market: SymbolMarket, order: VenueOrder): string {
    const accepted = { ...order, status: "NEW" as const, executedLots: 0, executedTickLots: 0n };
    return orderReplyText(market.spec, accepted, true);
  }

  /** `orderId` prevails over `origClientOrderId`. */
  private find(p: Params, unknown: ApiError): VenueOrder | ApiError {
    const symbol = p["symbol"]!;
    if (p["orderId"]) return this.store.byId(symbol, idNumber(p["orderId"])) ?? unknown;
    if (!p["origClientOrderId"]) return missing("origClientOrderId");
    return this.store.byClientId(symbol, p["origClientOrderId"]) ?? unknown;
  }

  private onFill(order: VenueOrder, px: number, lots: number, maker: boolean): void {
    const now = this.clock.nowMs();
    this.changed.add(order.symbol);
    order.executedLots += lots;
    order.executedTickLots += BigInt(px) * BigInt(lots);
    order.status = order.executedLots === order.qtyLots ? "FILLED" : "PARTIALLY_FILLED";
    order.updatedMs = now;
    const trade = this.account.fill(order, px, lots, maker, now);
    const position = this.account.position(order.symbol);
    this.journal.write("fill", {
      s: order.symbol,
      t: trade.tradeNumber,
      id: idText(trade.tradeNumber),
      i: order.number,
      c: order.clientId,
      side: order.side,
      px,
      q: lots,
      m: maker,
      fee: trade.feeE8.toString(),
      feeAsset: trade.feeAsset,
      feeWallet: this.account.feeWalletE8.toString(),
      rp: trade.realizedE8.toString(),
      wallet: this.account.walletE8.toString(),
      pos: position.qtyLots.toString(),
      cost: position.costTickLots.toString(),
      tx: this.account.lastTransaction,
    });
    this.journal.write("order", { x: "TRADE", ...orderRecord(order) });
    const spec = this.account.specs.get(order.symbol)!;
    this.events.push(accountUpdateText(this.account, "ORDER", order.symbol, 0n, now));
    this.events.push(orderUpdateText(spec, order, "TRADE", trade, now));
  }

  private onClosed(order: VenueOrder, reason: number): void {
    order.slot = -1;
    if (reason !== CLOSED_FILLED) {
      order.status =
        reason === CLOSED_CANCELED ? "CANCELED" : reason === CLOSED_IN_MATCH ? "EXPIRED_IN_MATCH" : "EXPIRED";
      this.transition(order, reason === CLOSED_CANCELED ? "CANCELED" : "EXPIRED");
    }
    this.store.close(order);
  }

  private transition(order: VenueOrder, execution: string): void {
    order.updatedMs = this.clock.nowMs();
    this.changed.add(order.symbol);
    this.journal.write("order", { x: execution, ...orderRecord(order) });
    const spec = this.account.specs.get(order.symbol)!;
    this.events.push(orderUpdateText(spec, order, execution, null, order.updatedMs));
  }
}

/** Value of what is left of an order, tick·lots. */
function openValue(o: VenueOrder): bigint {
  return BigInt(o.pxTicks * (o.qtyLots - o.executedLots));
}
