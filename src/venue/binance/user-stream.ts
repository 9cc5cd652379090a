// User data stream: listen key life cycle, connection, events → records. Lane: execution. Events are read
// without garbage; the listen key is cold (created at start and after each loss, extended every 30 minutes).
import { NS_PER_S } from "../../core/clock.ts";
import type { Prng } from "../../core/prng.ts";
import type { Instrument } from "../../market/instrument.ts";
import type { ReportWriter } from "../../order/report-writer.ts";
import { isOver } from "../../order/transitions.ts";
import {
  EXEC_TRADE,
  FEED_REASON_DISCONNECTED,
  FEED_REASON_HEARTBEAT,
  SOURCE_USER_STREAM,
} from "../../wire/codes.ts";
import { FLAG_REDUCE_ONLY } from "../../wire/messages.gen.ts";
import type { TransportFactory } from "../contract.ts";
import { Backoff } from "../transport/backoff.ts";
import {
  CLOSED_BY_HEARTBEAT,
  CLOSED_BY_OWNER,
  Link,
  type LinkOptions,
  type LinkOwner,
} from "../transport/link.ts";
import {
  ACCOUNT_BALANCES,
  ACCOUNT_LISTEN_KEY_EXPIRED,
  ACCOUNT_MALFORMED,
  ACCOUNT_ORDER,
  ACCOUNT_UNKNOWN_SYMBOL,
  AccountDecoder,
} from "./account-decoder.ts";
import type { AdoptedOrders } from "./adopted-orders.ts";
import { REASON_FUNDING_FEE } from "./order-codes.ts";
import type { BinanceRest } from "./rest.ts";

export interface UserStreamCounters {
  messages: number;
  orderUpdates: number;
  fills: number;
  accountUpdates: number;
  malformed: number;
  unknownSymbols: number;
  listenKeys: number;
  listenKeyFailures: number;
}

export const newUserStreamCounters = (): UserStreamCounters => ({
  messages: 0,
  orderUpdates: 0,
  fills: 0,
  accountUpdates: 0,
  malformed: 0,
  unknownSymbols: 0,
  listenKeys: 0,
  listenKeyFailures: 0,
});

export interface UserStreamOptions {
  readonly instruments: readonly Instrument[];
  /** Asset id → name; element 0 stands for an unknown asset. */
  readonly assets: readonly string[];
  /** `ws://host/private`. */
  readonly privateUrl: string;
  readonly rest: BinanceRest;
  readonly connect: TransportFactory;
  readonly link: LinkOptions;
  readonly writer: ReportWriter;
  readonly nowNs: () => number;
  /** This session's. */
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly adopted: AdoptedOrders;
  readonly prng: Prng;
}

/** Told when the view of the account begins and ends. */
export interface UserStreamOwner {
  onStreamUp(): void;
  /** `reason`: FEED_REASON_… */
  onStreamDown(reason: number): void;
  /** Something about the account could not be read or written: the view has a hole. */
  onStreamHole(): void;
  /** It speaks. */
  onStreamEvent(recvTsNs: number): void;
  /** Funding was paid; the income history says for what. */
  onStreamFunding(): void;
  /** An order of this session is over. */
  onOrderOver(clientSeq: number): void;
  /** A fill of an instrument was seen. */
  onTradeId(index: number, lo: number, hi: number): void;
}

/** The venue's keys live 60 minutes. */
const KEEP_ALIVE_NS = 30 * 60 * NS_PER_S;
const LISTEN_KEY_UNKNOWN = -1125;

export class UserStream implements LinkOwner {
  readonly counters: UserStreamCounters;
  readonly link: Link;
  private readonly options: UserStreamOptions;
  private readonly owner: UserStreamOwner;
  private readonly decoder: AccountDecoder;
  private readonly retry: Backoff;
  private keyRequested: boolean;
  private keyDueNs: number;
  private hasKey: boolean;
  private running: boolean;
  /** Number of the order at hand when it is an adopted one, else 0; and whose it is. */
  private taken: number;
  private strategy: number;

  constructor(options: UserStreamOptions, owner: UserStreamOwner, counters: UserStreamCounters) {
    this.counters = counters;
    this.options = options;
    this.owner = owner;
    this.decoder = new AccountDecoder(options.instruments, options.assets);
    this.retry = new Backoff(options.prng);
    this.link = new Link(this, options.connect, options.link, options.prng);
    this.keyRequested = false;
    this.keyDueNs = 0;
    this.hasKey = false;
    this.running = false;
    this.taken = 0;
    this.strategy = 0;
  }

  get isUp(): boolean {
    return this.link.isOpen;
  }

  start(): void {
    this.running = true;
    this.hasKey = false;
    this.keyDueNs = 0;
  }

  stop(): void {
    this.running = false;
    this.link.stop();
  }

  poll(nowNs: number): number {
    const work = this.link.poll(nowNs);
    if (!this.running || this.keyRequested || nowNs < this.keyDueNs) return work;
    this.keyRequested = true;
    void (this.hasKey ? this.extendKey() : this.createKey());
    return work + 1;
  }

  private async createKey(): Promise<void> {
    const result = await this.options.rest.createListenKey();
    const nowNs = this.options.nowNs();
    this.keyRequested = false;
    if (!this.running) return;
    if (!result.ok || result.value === "") {
      this.counters.listenKeyFailures++;
      this.keyDueNs = nowNs + this.retry.nextDelayNs();
      return;
    }
    this.retry.reset();
    this.counters.listenKeys++;
    this.hasKey = true;
    this.keyDueNs = nowNs + KEEP_ALIVE_NS;
    const events = "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE";
    this.link.start(`${this.options.privateUrl}/ws?listenKey=${result.value}&events=${events}`, nowNs);
  }

  private async extendKey(): Promise<void> {
    const result = await this.options.rest.keepListenKey();
    const nowNs = this.options.nowNs();
    this.keyRequested = false;
    if (result.ok) {
      this.keyDueNs = nowNs + KEEP_ALIVE_NS;
      return;
    }
    this.counters.listenKeyFailures++;
    if (result.code === LISTEN_KEY_UNKNOWN) this.renew();
    else this.keyDueNs = nowNs + this.retry.nextDelayNs();
  }

  /** The key is void: the stream is silent from now on, so the view of the account is lost. */
  private renew(): void {
    this.hasKey = false;
    this.keyDueNs = 0;
    this.link.close(CLOSED_BY_OWNER);
  }

  onLinkOpen(): void {
    this.owner.onStreamUp();
  }

  onLinkClosed(cause: number): void {
    // The next connection gets a key of its own: the old one may have expired meanwhile.
    this.hasKey = false;
    this.keyDueNs = 0;
    this.owner.onStreamDown(cause === CLOSED_BY_HEARTBEAT ? FEED_REASON_HEARTBEAT : FEED_REASON_DISCONNECTED);
  }

  onLinkText(bytes: Uint8Array, end: number, recvTsNs: number): void {
    const c = this.counters;
    c.messages++;
    this.owner.onStreamEvent(recvTsNs);
    const kind = this.decoder.decode(bytes, end);
    if (kind === ACCOUNT_ORDER) this.onOrder(recvTsNs);
    else if (kind === ACCOUNT_BALANCES) this.onAccount(recvTsNs);
    else if (kind === ACCOUNT_LISTEN_KEY_EXPIRED) this.renew();
    else if (kind === ACCOUNT_UNKNOWN_SYMBOL) c.unknownSymbols++;
    else if (kind === ACCOUNT_MALFORMED) {
      c.malformed++;
      this.owner.onStreamHole();
    }
    this.options.writer.publish();
  }

  /** A trade gives its fill first, so that position and balance are right when the order's state changes. */
  private onOrder(recvTsNs: number): void {
    const d = this.decoder;
    const { adopted } = this.options;
    this.counters.orderUpdates++;
    if (d.execType === 0) return;
    this.taken = adopted.count === 0 ? 0 : adopted.find(d.orderIdLo, d.orderIdHi);
    this.strategy = this.taken === 0 ? d.clientId.strategy : adopted.strategyOf(this.taken);
    const isFill = d.execType === EXEC_TRADE && d.lastQtyLots > 0;
    const written = (!isFill || this.writeFill(recvTsNs)) && this.writeOrder(recvTsNs);
    if (isFill) this.owner.onTradeId(d.index, d.tradeIdLo, d.tradeIdHi);
    if (!written) this.owner.onStreamHole();
    if (!isOver(d.orderState)) return;
    if (this.taken !== 0) adopted.forget(this.taken);
    else if (this.isOwn()) this.owner.onOrderOver(d.clientId.clientSeq);
  }

  private isOwn(): boolean {
    const { nonceLo, nonceHi } = this.options;
    return this.decoder.clientId.nonceLo === nonceLo && this.decoder.clientId.nonceHi === nonceHi;
  }

  private writeOrder(recvTsNs: number): boolean {
    const d = this.decoder;
    const writer = this.options.writer;
    const o = writer.order;
    o.flags = d.reduceOnly ? FLAG_REDUCE_ONLY : 0;
    o.instrument = this.options.instruments[d.index]!.id;
    o.strategy = this.strategy;
    o.exchTsNs = writer.sessionNs(d.transactionMs);
    o.recvTsNs = recvTsNs;
    o.clientSeq = this.taken === 0 ? d.clientId.clientSeq : this.taken;
    o.execType = d.execType;
    o.orderState = d.orderState;
    o.source = SOURCE_USER_STREAM;
    o.side = d.side;
    o.pxTicks = d.pxTicks;
    o.qtyLots = d.qtyLots;
    o.cumQtyLots = d.cumQtyLots;
    o.orderIdLo = d.orderIdLo;
    o.orderIdHi = d.orderIdHi;
    o.nonceLo = this.taken === 0 ? d.clientId.nonceLo : this.options.nonceLo;
    o.nonceHi = this.taken === 0 ? d.clientId.nonceHi : this.options.nonceHi;
    o.rejectCode = 0;
    o.action = 0;
    return writer.writeOrder();
  }

  private writeFill(recvTsNs: number): boolean {
    const d = this.decoder;
    const writer = this.options.writer;
    const f = writer.fill;
    this.counters.fills++;
    f.flags = d.reduceOnly ? FLAG_REDUCE_ONLY : 0;
    f.instrument = this.options.instruments[d.index]!.id;
    f.strategy = this.strategy;
    f.exchTsNs = writer.sessionNs(d.tradeMs);
    f.recvTsNs = recvTsNs;
    f.clientSeq = this.taken === 0 ? d.clientId.clientSeq : this.taken;
    f.side = d.side;
    f.maker = d.maker ? 1 : 0;
    f.source = SOURCE_USER_STREAM;
    f.feeAsset = d.feeAsset;
    f.pxTicks = d.lastPxTicks;
    f.qtyLots = d.lastQtyLots;
    f.tradeIdLo = d.tradeIdLo;
    f.tradeIdHi = d.tradeIdHi;
    f.orderIdLo = d.orderIdLo;
    f.orderIdHi = d.orderIdHi;
    f.nonceLo = this.taken === 0 ? d.clientId.nonceLo : this.options.nonceLo;
    f.nonceHi = this.taken === 0 ? d.clientId.nonceHi : this.options.nonceHi;
    f.feeE8 = d.feeE8;
    return writer.writeFill();
  }

  private onAccount(recvTsNs: number): void {
    const d = this.decoder;
    const writer = this.options.writer;
    const exchTsNs = writer.sessionNs(d.transactionMs);
    this.counters.accountUpdates++;
    let written = true;
    while (d.nextBalance()) {
      if (Number.isNaN(d.walletE8)) {
        this.counters.malformed++;
        written = false;
        continue;
      }
      if (d.reason === REASON_FUNDING_FEE && d.changeE8 !== 0) this.owner.onStreamFunding();
      // The stream states the wallet, not what is free of margin: NaN = unknown.
      const balance = writer.writeBalance(
        0,
        exchTsNs,
        recvTsNs,
        d.walletE8,
        Number.NaN,
        d.changeE8,
        d.asset,
        d.reason,
      );
      written = balance && written;
    }
    while (d.nextPosition()) written = this.writePosition(exchTsNs, recvTsNs) && written;
    if (!written) this.owner.onStreamHole();
  }

  private writePosition(exchTsNs: number, recvTsNs: number): boolean {
    const d = this.decoder;
    if (d.index < 0) return true;
    if (Number.isNaN(d.positionLots)) {
      this.counters.malformed++;
      return false;
    }
    const instrument = this.options.instruments[d.index]!;
    const cost = costTickLots(d.positionLots, d.entryPxE8, Number(instrument.tickSize));
    return this.options.writer.writePosition(0, instrument.id, exchTsNs, recvTsNs, d.positionLots, cost);
  }
}

/** Signed cost of a position at the venue's average price, to the nearest tick·lot. */
export function costTickLots(positionLots: number, entryPxE8: number, tickSize: number): number {
  if (positionLots === 0) return 0;
  return Math.round((positionLots * (entryPxE8 / 1e8)) / tickSize);
}
