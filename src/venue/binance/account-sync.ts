// Reconciliation of the account after each (re)connect: open orders, orders we still hold as working, trades
// since the last known one, positions, balances; then FeedStatus of instrument 0 = SYNCED and trading may go
// on. Cold: REST. A query that fails means "not known", never "flat" or "none": the state stays STALE and the
// whole reconciliation is tried again.
import { parseDecimal, scaleTo, toSteps } from "../../core/decimal.ts";
import type { Instrument } from "../../market/instrument.ts";
import { type ClientId, parseClientId } from "../../order/client-id.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import type { ReportWriter } from "../../order/report-writer.ts";
import { EXEC_STATUS, SIDE_BUY, SIDE_SELL, SOURCE_QUERY } from "../../wire/codes.ts";
import { FLAG_RECOVERED } from "../../wire/messages.gen.ts";
import type { VenueAccount, VenueFill, VenueOrder, VenueResult } from "../contract.ts";
import type { EarlierSessions } from "./gateway-options.ts";
import { orderStateOfText, REASON_OTHER } from "./order-codes.ts";
import { costTickLots } from "./user-stream.ts";

const U32 = 4294967296n;
const PAGE = 1000;
/** Order does not exist. */
export const NO_SUCH_ORDER = -2013;

export interface AccountSyncOptions {
  readonly instruments: readonly Instrument[];
  readonly assets: readonly string[];
  readonly account: VenueAccount;
  readonly writer: ReportWriter;
  readonly nowNs: () => number;
  /** Client order id text of a request of this session. */
  readonly clientIdOf: (request: OrderRequest) => string;
  /** Orders that the order table holds as not over; each is proved. Cold, called once per reconciliation. */
  readonly workingOrders: () => readonly OrderRequest[];
  /** The venue does not know this order: the gateway proves by time that it never will. */
  readonly probe: (request: OrderRequest) => void;
  /** Trade ids asked for again before the last known one (late and out-of-order trades). */
  readonly overlap: number;
  readonly earlier?: EarlierSessions;
}

/** Why a reconciliation failed; the message names the query. */
export interface SyncFailure {
  readonly ok: false;
  readonly message: string;
}
export type SyncResult = { readonly ok: true } | SyncFailure;

const ID = (text: string): { lo: number; hi: number } => {
  const value = BigInt(text);
  return { lo: Number(value % U32), hi: Number(value / U32) };
};

const e8 = (text: string): number => {
  const d = parseDecimal(text);
  return d.decimals <= 8 ? Number(scaleTo(d, 8)) : Math.trunc(Number(text) * 1e8);
};

export class AccountSync {
  /** Fills recovered so far. */
  recoveredFills: number;
  private readonly options: AccountSyncOptions;
  /** Newest trade id by instrument index; null = nothing known: history belongs to earlier sessions. */
  private readonly lastTradeIds: (bigint | null)[];
  /** Trades before this id are none of this session's business, overlap or not. */
  private readonly floors: bigint[];
  /** Where no trade is known: trades from this time on are recovered; NaN = none. */
  private readonly sinceMs: number[];
  private readonly clientIds: Map<string, string>;
  private earlierProved: boolean;

  constructor(options: AccountSyncOptions) {
    this.recoveredFills = 0;
    this.options = options;
    this.lastTradeIds = options.instruments.map(() => null);
    this.floors = options.instruments.map(() => 0n);
    this.sinceMs = options.instruments.map(() => Number.NaN);
    this.clientIds = new Map();
    this.earlierProved = false;
  }

  /** Last journalled trade id of an instrument, decimal digits: what comes after it is recovered. */
  setSince(instrumentId: number, tradeId: string): void {
    const index = this.options.instruments.findIndex((i) => i.id === instrumentId);
    if (index >= 0) this.lastTradeIds[index] = BigInt(tradeId);
  }

  /** No trade is journalled, but sessions were: what happened since then is theirs. */
  setSinceTime(instrumentId: number, unixMs: number): void {
    const index = this.options.instruments.findIndex((i) => i.id === instrumentId);
    if (index >= 0) this.sinceMs[index] = unixMs;
  }

  /** A fill was seen live. */
  noteTradeId(index: number, lo: number, hi: number): void {
    const id = BigInt(hi) * U32 + BigInt(lo);
    const known = this.lastTradeIds[index]!;
    if (known === null || id > known) this.lastTradeIds[index] = id;
  }

  async run(): Promise<SyncResult> {
    try {
      const open = await this.openOrders();
      await this.working(open);
      await this.earlierOrders();
      for (let i = 0; i < this.options.instruments.length; i++) await this.fills(i);
      await this.positions();
      await this.balances();
      return { ok: true };
    } catch (error) {
      if (error instanceof QueryError) return { ok: false, message: error.message };
      throw error;
    }
  }

  private async openOrders(): Promise<Set<string>> {
    const orders = take("open orders", await this.options.account.openOrders());
    this.clientIds.clear();
    for (const order of orders) {
      this.clientIds.set(order.orderId, order.clientOrderId);
      this.writeStatus(order);
    }
    this.flush();
    return new Set(orders.map((o) => o.clientOrderId));
  }

  /** What we hold as working and the venue does not list as open has ended: how is asked per order. */
  private async working(open: ReadonlySet<string>): Promise<void> {
    for (const request of this.options.workingOrders()) {
      const clientId = this.options.clientIdOf(request);
      if (open.has(clientId)) continue;
      const instrument = this.options.instruments.find((i) => i.id === request.instrument);
      if (instrument === undefined) continue;
      const result = await this.options.account.order(instrument.symbol, clientId);
      if (result.ok) this.writeStatus(result.value);
      else if (result.code === NO_SUCH_ORDER) this.options.probe(request);
      else throw new QueryError(`order ${clientId}`, result.message);
    }
    this.flush();
  }

  /** How the orders of sessions that died have ended; the journal holds them as open. */
  private async earlierOrders(): Promise<void> {
    if (this.earlierProved) return;
    for (const { symbol, clientId } of this.options.earlier?.orders ?? []) {
      const result = await this.options.account.order(symbol, clientId);
      if (result.ok) this.writeStatus(result.value);
      // Unknown to the venue: it never arrived, and its request is past its time or will be swept.
      else if (result.code !== NO_SUCH_ORDER) throw new QueryError(`order ${clientId}`, result.message);
    }
    this.earlierProved = true;
    this.flush();
  }

  private async fills(index: number): Promise<void> {
    const { account, instruments, overlap } = this.options;
    const symbol = instruments[index]!.symbol;
    const since = this.lastTradeIds[index]!;
    if (since === null) {
      const latest = take(`trades of ${symbol}`, await account.fills(symbol));
      const newest = latest.reduce((most, f) => maxId(most, BigInt(f.tradeId)), 0n);
      const sinceMs = this.sinceMs[index]!;
      for (const fill of latest) if (fill.timeMs >= sinceMs) await this.recover(index, fill);
      this.flush();
      this.lastTradeIds[index] = newest;
      this.floors[index] = newest + 1n;
      return;
    }
    let from = maxId(since - BigInt(overlap), this.floors[index]!);
    for (;;) {
      const page = take(`trades of ${symbol}`, await account.fills(symbol, String(from)));
      for (const fill of page) await this.recover(index, fill);
      this.flush();
      if (page.length < PAGE) return;
      from = BigInt(page.at(-1)!.tradeId) + 1n;
    }
  }

  private async recover(index: number, fill: VenueFill): Promise<void> {
    const instrument = this.options.instruments[index]!;
    const writer = this.options.writer;
    const order = ID(fill.orderId);
    const trade = ID(fill.tradeId);
    // Before the order is asked for: most of the overlap is known.
    if (writer.isKnownFill(instrument.id, trade.lo, trade.hi)) return;
    const own = parseClientId(await this.clientIdOfOrder(fill));
    const f = writer.fill;
    f.flags = FLAG_RECOVERED;
    f.instrument = instrument.id;
    f.strategy = own === null ? 0 : this.strategyOf(own);
    f.exchTsNs = writer.sessionNs(fill.timeMs);
    f.recvTsNs = this.options.nowNs();
    f.clientSeq = own?.clientSeq ?? 0;
    f.side = fill.side === "BUY" ? SIDE_BUY : SIDE_SELL;
    f.maker = fill.maker ? 1 : 0;
    f.source = SOURCE_QUERY;
    f.feeAsset = Math.max(0, this.options.assets.indexOf(fill.feeAsset));
    f.pxTicks = toSteps(fill.price, instrument.tickSize);
    f.qtyLots = toSteps(fill.quantity, instrument.lotSize);
    f.tradeIdLo = trade.lo;
    f.tradeIdHi = trade.hi;
    f.orderIdLo = order.lo;
    f.orderIdHi = order.hi;
    f.nonceLo = own?.nonceLo ?? 0;
    f.nonceHi = own?.nonceHi ?? 0;
    f.feeE8 = e8(fill.fee);
    if (!writer.writeFill()) throw new QueryError(`trade ${fill.tradeId}`, "the journal has no room");
    this.recoveredFills++;
    this.lastTradeIds[index] = maxId(this.lastTradeIds[index] ?? 0n, BigInt(fill.tradeId));
  }

  private strategyOf(own: ClientId): number {
    const { earlier } = this.options;
    return earlier === undefined ? own.strategy : earlier.strategyOf(own.nonceLo, own.nonceHi, own.strategy);
  }

  private async clientIdOfOrder(fill: VenueFill): Promise<string> {
    const known = this.clientIds.get(fill.orderId);
    if (known !== undefined) return known;
    const result = await this.options.account.orderById(fill.symbol, fill.orderId);
    // An order too old to be found (or a liquidation's) is nobody's; anything else is "not known".
    const clientId = result.ok ? result.value.clientOrderId : "";
    if (!result.ok && result.code !== NO_SUCH_ORDER)
      throw new QueryError(`order ${fill.orderId}`, result.message);
    this.clientIds.set(fill.orderId, clientId);
    return clientId;
  }

  private async positions(): Promise<void> {
    const positions = take("positions", await this.options.account.positions());
    const writer = this.options.writer;
    const nowNs = this.options.nowNs();
    for (const instrument of this.options.instruments) {
      const position = positions.find((p) => p.symbol === instrument.symbol);
      const lots = position === undefined ? 0 : signedSteps(position.quantity, instrument.lotSize);
      const entryE8 = position === undefined ? 0 : Math.round(Number(position.entryPrice) * 1e8);
      const cost = costTickLots(lots, entryE8, Number(instrument.tickSize));
      if (!writer.writePosition(FLAG_RECOVERED, instrument.id, 0, nowNs, lots, cost)) {
        throw new QueryError("positions", "the journal has no room");
      }
    }
    this.flush();
  }

  private async balances(): Promise<void> {
    const balances = take("balances", await this.options.account.balances());
    const nowNs = this.options.nowNs();
    for (const b of balances) {
      const asset = this.options.assets.indexOf(b.asset);
      if (asset <= 0) continue;
      this.options.writer.writeBalance(
        FLAG_RECOVERED,
        0,
        nowNs,
        e8(b.wallet),
        e8(b.available),
        0,
        asset,
        REASON_OTHER,
      );
    }
    this.flush();
  }

  /** Order as the venue holds it → EXEC_STATUS; clientSeq 0 when it is not ours. */
  writeStatus(order: VenueOrder): void {
    const instrument = this.options.instruments.find((i) => i.symbol === order.symbol);
    if (instrument === undefined) return;
    const own = parseClientId(order.clientOrderId);
    const id = ID(order.orderId);
    const writer = this.options.writer;
    const o = writer.order;
    o.flags = FLAG_RECOVERED;
    o.instrument = instrument.id;
    o.strategy = own === null ? 0 : this.strategyOf(own);
    o.exchTsNs = writer.sessionNs(order.updateTimeMs);
    o.recvTsNs = this.options.nowNs();
    o.clientSeq = own?.clientSeq ?? 0;
    o.execType = EXEC_STATUS;
    o.orderState = orderStateOfText(order.status);
    o.source = SOURCE_QUERY;
    o.side = order.side === "BUY" ? SIDE_BUY : SIDE_SELL;
    o.pxTicks = toSteps(order.price, instrument.tickSize);
    o.qtyLots = toSteps(order.quantity, instrument.lotSize);
    o.cumQtyLots = toSteps(order.executedQuantity, instrument.lotSize);
    o.orderIdLo = id.lo;
    o.orderIdHi = id.hi;
    o.nonceLo = own?.nonceLo ?? 0;
    o.nonceHi = own?.nonceHi ?? 0;
    o.rejectCode = 0;
    o.action = 0;
    if (!writer.writeOrder()) throw new QueryError(`order ${order.clientOrderId}`, "the journal has no room");
  }

  private flush(): void {
    this.options.writer.publish();
  }
}

class QueryError extends Error {
  constructor(what: string, why: string) {
    super(`${what}: ${why}`);
  }
}

function take<T>(what: string, result: VenueResult<T>): T {
  if (result.ok) return result.value;
  throw new QueryError(what, `${result.message} (HTTP ${result.status}, code ${result.code})`);
}

const maxId = (a: bigint, b: bigint): bigint => (a > b ? a : b);

function signedSteps(text: string, step: string): number {
  return text.startsWith("-") ? -toSteps(text.slice(1), step) : toSteps(text, step);
}
