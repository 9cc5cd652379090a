// `--env paper`: a real venue's market data, orders matched in this process. Stands between FACTOR's records and the
// execution handler: each market record moves the exchange model first and is then handed on; requests come in where
// a venue's gateway stands. Nothing here owns a socket, so nothing can reach a venue. Lane: execution.
//
// The exchange's time is this lane's: a market record happens when it is received, a request arrives entryNs after it
// left. Reports are delivered by poll only, never between two market records of a batch, so the journal orders them
// as it orders a venue's, and a replay takes them from there.
// Hot per market record: 0 bytes; orders and fills allocate as ModelExchange does.
import type { RecordHandler, RecordMemory, RecordSink } from "../../core/record.ts";
import { constantLatency } from "../../exchange/compat/order-latency.ts";
import { L2MarketBook } from "../../exchange/l2-market-book.ts";
import { ModelExchange } from "../../exchange/model-exchange.ts";
import { LogProb2Queue } from "../../exchange/queue/probability.ts";
import { KindLatency } from "../../exchange/request-latency.ts";
import type { Instrument } from "../../market/instrument.ts";
import { parseClientId } from "../../order/client-id.ts";
import { type OrderGateway, type OrderRequest, SEND_KILLED } from "../../order/gateway.ts";
import type { Ledger } from "../../order/ledger.ts";
import { ReportWriter } from "../../order/report-writer.ts";
import {
  EXEC_EXPIRED,
  KILL_ARMED,
  KILL_EMERGENCY,
  ORDER_EXPIRED,
  SIDE_BUY,
  SOURCE_LOCAL,
} from "../../wire/codes.ts";
import {
  DEPTH_CLEAR_PX_TICKS,
  DEPTH_CLEAR_SIDE,
  DEPTH_DELTA_PX_TICKS,
  DEPTH_DELTA_QTY_LOTS,
  DEPTH_DELTA_SIDE,
  FLAG_END_OF_EVENT,
  FLAG_RECOVERED,
  HEADER_FLAGS,
  HEADER_INSTRUMENT,
  HEADER_KIND,
  HEADER_RECV_TS_NS,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_DELTA,
  KIND_MARK_PRICE,
  KIND_SNAPSHOT_BEGIN,
  KIND_TRADE,
  MARK_PRICE_FUNDING_RATE_E8,
  MARK_PRICE_MARK_PX_E8,
  MARK_PRICE_NEXT_FUNDING_TS_NS,
  TRADE_PX_TICKS,
  TRADE_QTY_LOTS,
  TRADE_SIDE,
} from "../../wire/messages.gen.ts";
import { PaperFunding } from "./paper-funding.ts";

export interface PaperOptions {
  /** Ids 1 … n in order. */
  readonly instruments: readonly Instrument[];
  /** Asset id → name; element 0 = unknown. */
  readonly assets: readonly string[];
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** Session base, ms since the epoch. */
  readonly baseMs: number;
  /** Wallet of the first session, 1e-8 of the settlement currency. */
  readonly balanceE8: bigint;
  readonly entryNs: number;
  readonly responseNs: number;
  /** The journaling pipe to the handler. */
  readonly sink: RecordSink;
  /** Who takes the market records after the exchange. */
  readonly next: RecordHandler;
  /** What earlier sessions left; read at start. */
  readonly ledger: Ledger;
  /** Orders that an earlier session left open: they died with it. */
  readonly earlierOrders: readonly { readonly symbol: string; readonly clientId: string }[];
  readonly nowNs: () => number;
  /** KILL_…, read before each place or modify. */
  readonly killWord: () => number;
}

export class PaperGateway implements OrderGateway, RecordHandler {
  readonly ready = true;
  /** Nobody counts. */
  readonly ordersLeft = Number.POSITIVE_INFINITY;
  readonly blockedUntilNs = Number.NEGATIVE_INFINITY;
  /** There is no connection to lose. */
  readonly disconnects = 0;
  private readonly options: PaperOptions;
  private readonly exchange: ModelExchange;
  private readonly writer: ReportWriter;
  private readonly funding: PaperFunding;
  /** 1 while a depth event's records are coming. */
  private readonly depthOpen: Uint8Array;
  private lastTrade: number;

  constructor(options: PaperOptions) {
    const { instruments, assets, nonceLo, nonceHi, sink, nowNs, entryNs, responseNs, balanceE8 } = options;
    const latency = constantLatency(entryNs, responseNs);
    this.options = options;
    this.exchange = new ModelExchange({
      markets: instruments.map((instrument) => ({
        instrument,
        book: new L2MarketBook(),
        queue: new LogProb2Queue(),
        fees: { kind: "value", makerE8: instrument.makerFeeE8, takerE8: instrument.takerFeeE8 },
        partialFills: true,
      })),
      latency: new KindLatency({ place: latency, modify: latency, cancel: latency }, 0n),
      ...{ sink, assets, nonceLo, nonceHi, nowNs },
      walletE8: balanceE8,
    });
    this.writer = new ReportWriter(sink, options.baseMs);
    this.funding = new PaperFunding(instruments, options.ledger);
    this.depthOpen = new Uint8Array(new ArrayBuffer(Math.max(4096, instruments.length + 1)));
    this.lastTrade = 0;
  }

  /** Requests and reports under way. */
  get pending(): number {
    return this.exchange.underWay;
  }

  /** Trades of this session are numbered after those of earlier ones. Before start. */
  recoverSince(_instrument: number, tradeId: string): void {
    this.lastTrade = Math.max(this.lastTrade, Number(tradeId));
  }

  /** Nothing happens to a paper account while nobody runs it. */
  recoverSinceTime(): void {}

  /** Nor is anything paid. */
  recoverFunding(): void {}

  /** The account opens with what earlier sessions made of it. */
  start(): void {
    const { ledger, instruments, balanceE8, nowNs } = this.options;
    let walletE8 = balanceE8 + ledger.unassignedFunding.toBigInt(0);
    const positions = instruments.map(({ id }) => {
      let costTickLots = 0n;
      for (let s = 0; s < ledger.strategies; s++) {
        costTickLots += BigInt(ledger.costTickLots[ledger.pair(s, id)]!);
        walletE8 += ledger.bookedE8(s, id);
      }
      const lots = BigInt(ledger.netLots[id]!);
      // Strategies that hold against each other: the account is flat, and what they paid is its result.
      if (lots === 0n) walletE8 -= ledger.tickLotsToE8(id, costTickLots);
      return { instrument: id, lots, costTickLots: lots === 0n ? 0n : costTickLots };
    });
    this.exchange.continueFrom(walletE8, positions, this.lastTrade);
    this.expireEarlier(nowNs());
    this.exchange.open(nowNs());
  }

  stop(): void {}

  place(request: OrderRequest): number {
    return this.forbidden(request) ? SEND_KILLED : this.exchange.place(request);
  }

  modify(request: OrderRequest): number {
    return this.forbidden(request) ? SEND_KILLED : this.exchange.modify(request);
  }

  cancel(request: OrderRequest): number {
    return this.exchange.cancel(request);
  }

  /** It is in this lane: nothing is ever out of sight. */
  reconcile(): void {}

  cancelAll(instrument: number): number {
    return this.exchange.cancelAll(instrument);
  }

  poll(nowNs: number): number {
    let work = this.arrive(nowNs);
    while (this.exchange.nextReportNs <= nowNs) {
      this.exchange.deliver();
      work++;
    }
    return work + this.payFunding(nowNs);
  }

  onRecord(m: RecordMemory, at: number): void {
    const head = at >> 1;
    const kind = m.u16[head + HEADER_KIND]!;
    const instrument = m.u16[head + HEADER_INSTRUMENT]!;
    if (instrument > 0 && instrument <= this.options.instruments.length) {
      this.arrive(m.f64[(at >> 3) + HEADER_RECV_TS_NS]!);
      this.moveMarket(m, at, kind, instrument);
      if ((m.u16[head + HEADER_FLAGS]! & FLAG_END_OF_EVENT) !== 0) this.endDepth(instrument);
    }
    this.options.next.onRecord(m, at);
  }

  onBatchEnd(): void {
    this.options.next.onBatchEnd?.();
  }

  /** Requests that are at the exchange by then, in front of the market's next move. */
  private arrive(nowNs: number): number {
    let work = 0;
    while (this.exchange.nextRequestNs <= nowNs) {
      this.exchange.processRequest();
      work++;
    }
    if (nowNs > this.exchange.exchNs) this.exchange.exchNs = nowNs;
    return work;
  }

  private moveMarket(m: RecordMemory, at: number, kind: number, instrument: number): void {
    const f = at >> 3;
    const w = at >> 2;
    const { engine } = this.exchange.market(instrument);
    switch (kind) {
      case KIND_DEPTH_DELTA:
        this.depthOpen[instrument] = 1;
        engine.onDepth(
          m.i32[w + DEPTH_DELTA_SIDE]!,
          m.f64[f + DEPTH_DELTA_PX_TICKS]!,
          m.f64[f + DEPTH_DELTA_QTY_LOTS]!,
        );
        break;
      case KIND_DEPTH_CLEAR:
        this.clearTo(instrument, m.i32[w + DEPTH_CLEAR_SIDE]!, m.f64[f + DEPTH_CLEAR_PX_TICKS]!);
        break;
      case KIND_SNAPSHOT_BEGIN:
        this.depthOpen[instrument] = 1;
        engine.onClear();
        break;
      case KIND_TRADE:
        this.endDepth(instrument);
        engine.onTrade(m.i32[w + TRADE_SIDE]!, m.f64[f + TRADE_PX_TICKS]!, m.f64[f + TRADE_QTY_LOTS]!);
        break;
      case KIND_MARK_PRICE:
        this.funding.observe(
          instrument,
          m.f64[f + MARK_PRICE_MARK_PX_E8]!,
          m.f64[f + MARK_PRICE_FUNDING_RATE_E8]!,
          m.f64[f + MARK_PRICE_NEXT_FUNDING_TS_NS]!,
        );
        break;
    }
  }

  /** Levels of a side (0 = both) from the touch to the price; NaN = the whole side. */
  private clearTo(instrument: number, side: number, pxTicks: number): void {
    const { engine } = this.exchange.market(instrument);
    this.depthOpen[instrument] = 1;
    for (let s = -1; s <= 1; s += 2) {
      if (side !== 0 && s !== side) continue;
      let px = engine.book.bestTicks(s);
      while (!Number.isNaN(px) && !(s * (px - pxTicks) < 0)) {
        engine.onDepth(s, px, 0);
        px = engine.book.bestTicks(s);
      }
    }
  }

  private endDepth(instrument: number): void {
    if (this.depthOpen[instrument] === 0) return;
    this.depthOpen[instrument] = 0;
    this.exchange.market(instrument).engine.endDepth();
  }

  private forbidden(request: OrderRequest): boolean {
    const word = this.options.killWord();
    return word !== KILL_ARMED && !(word === KILL_EMERGENCY && request.reduceOnly);
  }

  private payFunding(nowNs: number): number {
    let work = 0;
    for (const { id, settle } of this.options.instruments) {
      const amountE8 = this.funding.due(id, nowNs);
      if (amountE8 === 0) continue;
      const asset = Math.max(0, this.options.assets.indexOf(settle));
      const unixMs = Math.round(this.options.baseMs + this.funding.paidAtNs / 1e6);
      const wallet = this.exchange.credit(amountE8);
      this.writer.writeFunding(id, unixMs, nowNs, amountE8, asset, 0, String(unixMs * 1000 + id));
      this.writer.writeBalance(0, nowNs, nowNs, wallet, wallet, amountE8, asset, 0);
      this.writer.publish();
      work++;
    }
    return work;
  }

  private expireEarlier(nowNs: number): void {
    for (const { symbol, clientId } of this.options.earlierOrders) {
      const id = parseClientId(clientId);
      if (id === null) continue;
      const o = this.writer.order;
      o.flags = FLAG_RECOVERED;
      o.instrument = this.options.instruments.find((i) => i.symbol === symbol)?.id ?? 0;
      o.strategy = id.strategy;
      o.exchTsNs = nowNs;
      o.recvTsNs = nowNs;
      o.clientSeq = id.clientSeq;
      o.nonceLo = id.nonceLo;
      o.nonceHi = id.nonceHi;
      o.execType = EXEC_EXPIRED;
      o.orderState = ORDER_EXPIRED;
      o.source = SOURCE_LOCAL;
      o.side = SIDE_BUY;
      this.writer.writeOrder();
    }
  }
}
