// The trades' part of a reconciliation: everything since the last known trade, minus an overlap; what the
// journal holds already is left out by its id. Cold: REST.
import { toSteps } from "../../core/decimal.ts";
import { parseClientId } from "../../order/client-id.ts";
import { SIDE_BUY, SIDE_SELL, SOURCE_QUERY } from "../../wire/codes.ts";
import { FLAG_RECOVERED } from "../../wire/messages.gen.ts";
import type { VenueFill } from "../contract.ts";
import type { AdoptedOrders } from "./adopted-orders.ts";
import type { OrderSync } from "./order-sync.ts";
import { e8Of, type SyncContext, take, twoU32, written } from "./sync-query.ts";

const U32 = 4294967296n;
const PAGE = 1000;

export interface FillSyncOptions extends SyncContext {
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly adopted: AdoptedOrders;
  readonly orders: OrderSync;
  /** Trade ids asked for again before the last known one (late and out-of-order trades). */
  readonly overlap: number;
}

export class FillSync {
  /** Fills recovered so far. */
  recovered: number;
  /** Counts every fill that came to be known, by stream or query. */
  epoch: number;
  private readonly options: FillSyncOptions;
  /** Newest trade id by instrument index; null = nothing known: history belongs to earlier sessions. */
  private readonly lastTradeIds: (bigint | null)[];
  /** Trades before this id are none of this session's business, overlap or not. */
  private readonly floors: bigint[];
  /** Where no trade is known: trades from this time on are recovered; NaN = none. */
  private readonly sinceMs: number[];

  constructor(options: FillSyncOptions) {
    this.recovered = 0;
    this.epoch = 0;
    this.options = options;
    this.lastTradeIds = options.instruments.map(() => null);
    this.floors = options.instruments.map(() => 0n);
    this.sinceMs = options.instruments.map(() => Number.NaN);
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
  note(index: number, lo: number, hi: number): void {
    this.epoch++;
    this.newest(index, BigInt(hi) * U32 + BigInt(lo));
  }

  /** Throws QueryError. */
  async run(): Promise<void> {
    for (let i = 0; i < this.options.instruments.length; i++) await this.ofInstrument(i);
  }

  private async ofInstrument(index: number): Promise<void> {
    const { account, instruments, overlap } = this.options;
    const symbol = instruments[index]!.symbol;
    const since = this.lastTradeIds[index]!;
    if (since === null) {
      const latest = take(`trades of ${symbol}`, await account.fills(symbol));
      const sinceMs = this.sinceMs[index]!;
      for (const fill of latest) if (fill.timeMs >= sinceMs) await this.recover(index, fill);
      const newest = latest.reduce((most, f) => maxId(most, BigInt(f.tradeId)), 0n);
      this.floors[index] = newest + 1n;
      this.newest(index, newest);
      this.options.writer.publish();
      return;
    }
    let from = maxId(since - BigInt(overlap), this.floors[index]!);
    for (;;) {
      const page = take(`trades of ${symbol}`, await account.fills(symbol, String(from)));
      for (const fill of page) await this.recover(index, fill);
      this.options.writer.publish();
      if (page.length < PAGE) return;
      from = BigInt(page.at(-1)!.tradeId) + 1n;
    }
  }

  private async recover(index: number, fill: VenueFill): Promise<void> {
    const { adopted, assets, instruments, nonceLo, nonceHi, nowNs, orders, writer } = this.options;
    const instrument = instruments[index]!;
    const order = twoU32(fill.orderId);
    const trade = twoU32(fill.tradeId);
    // Before the order is asked for: most of the overlap is known.
    if (writer.isKnownFill(instrument.id, trade.lo, trade.hi)) return;
    const taken = adopted.find(order.lo, order.hi);
    const own = taken !== 0 ? null : parseClientId(await orders.clientIdOf(fill.symbol, fill.orderId));
    const f = writer.fill;
    f.flags = FLAG_RECOVERED;
    f.instrument = instrument.id;
    f.strategy = taken !== 0 ? adopted.strategyOf(taken) : own === null ? 0 : orders.strategyOf(own);
    f.exchTsNs = writer.sessionNs(fill.timeMs);
    f.recvTsNs = nowNs();
    f.clientSeq = taken !== 0 ? taken : (own?.clientSeq ?? 0);
    f.side = fill.side === "BUY" ? SIDE_BUY : SIDE_SELL;
    f.maker = fill.maker ? 1 : 0;
    f.source = SOURCE_QUERY;
    f.feeAsset = Math.max(0, assets.indexOf(fill.feeAsset));
    f.pxTicks = toSteps(fill.price, instrument.tickSize);
    f.qtyLots = toSteps(fill.quantity, instrument.lotSize);
    f.tradeIdLo = trade.lo;
    f.tradeIdHi = trade.hi;
    f.orderIdLo = order.lo;
    f.orderIdHi = order.hi;
    f.nonceLo = taken !== 0 ? nonceLo : (own?.nonceLo ?? 0);
    f.nonceHi = taken !== 0 ? nonceHi : (own?.nonceHi ?? 0);
    f.feeE8 = e8Of(fill.fee);
    written(`trade ${fill.tradeId}`, writer.writeFill());
    this.recovered++;
    this.epoch++;
    this.newest(index, BigInt(fill.tradeId));
  }

  private newest(index: number, id: bigint): void {
    this.lastTradeIds[index] = maxId(this.lastTradeIds[index] ?? 0n, id);
  }
}

const maxId = (a: bigint, b: bigint): bigint => (a > b ? a : b);
