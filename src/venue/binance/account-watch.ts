// Whether our view of the account can be trusted: user stream up, reconciled, nothing lost since. Says so in
// FeedStatus records of instrument 0; SYNCED is what allows trading. Lane: execution; cold but for the stream.
//
//   CONNECTING ─▶ RESYNCING (stream up, reconciling) ─▶ SYNCED ⟲ (looked at again now and then, trading meanwhile)
//                    ▲                                    │ stream down or deaf, a report lost or unreadable
//                    └──────────── STALE ◀────────────────┘ (or a reconciliation that failed: again, later)
//
// A stream is deaf when a request was accepted and no event followed: it answers pings and says nothing. What a
// stream that does speak leaves out is found by the position (AccountIntake) or by the next look.
import { NS_PER_MS } from "../../core/clock.ts";
import type { Prng } from "../../core/prng.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import type { ReportWriter } from "../../order/report-writer.ts";
import {
  FEED_CONNECTING,
  FEED_REASON_DISCONNECTED,
  FEED_REASON_NONE,
  FEED_REASON_OVERFLOW,
  FEED_REASON_SNAPSHOT,
  FEED_RESYNCING,
  FEED_STALE,
  FEED_SYNCED,
} from "../../wire/codes.ts";
import { Backoff } from "../transport/backoff.ts";
import { CLOSED_BY_HEARTBEAT } from "../transport/link.ts";
import { AccountSync } from "./account-sync.ts";
import type { AdoptedOrders } from "./adopted-orders.ts";
import { FillSync } from "./fill-sync.ts";
import { FundingSync } from "./funding-sync.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { OrderSync } from "./order-sync.ts";
import { newUserStreamCounters, UserStream, type UserStreamOwner } from "./user-stream.ts";

/** Trade ids asked for again before the last known one. */
const TRADE_OVERLAP = 100;
/** An accepted request whose event has not come after this: the stream is deaf. */
const DEAF_NS = 5e9;
/** A payment stands in the income history a moment after the stream has told of it. */
const FUNDING_DELAY_NS = 500e6;
/** The stream tells of payments; one that it left out is found by a look after this. */
const FUNDING_EVERY_NS = 600e9;
/** Looks that may fail in a row before what we hold is no longer trusted. */
const FAILED_LOOKS = 3;

/** What reconciliation needs of the order path. */
export interface OrderKnowledge {
  readonly clientIdOf: (request: OrderRequest) => string;
  readonly probe: (request: OrderRequest) => void;
  /** The stream has said that an order of this session is over. */
  readonly onOrderOver: (clientSeq: number) => void;
}

export class AccountWatch implements UserStreamOwner {
  readonly users: UserStream;
  /** FEED_… */
  state: number;
  private readonly options: GatewayOptions;
  private readonly writer: ReportWriter;
  private readonly orders: OrderKnowledge;
  private readonly fills: FillSync;
  private readonly funding: FundingSync;
  private readonly sync: AccountSync;
  private readonly retry: Backoff;
  private reconciling: boolean;
  private reconcileAtNs: number;
  private fundingAtNs: number;
  private fundingLookNs: number;
  private failedLooks: number;
  /** Counts losses of sight: a reconciliation that one of them overtook does not count. */
  private epoch: number;
  private statusPending: boolean;
  private reason: number;
  private resyncs: number;
  private lastEventNs: number;
  private deafSinceNs: number;

  constructor(
    options: GatewayOptions,
    writer: ReportWriter,
    adopted: AdoptedOrders,
    prng: Prng,
    orders: OrderKnowledge,
  ) {
    const { instruments, assets, privateUrl, rest, connect, link, nowNs } = options;
    const { nonceLo, nonceHi } = options.ids;
    this.state = FEED_CONNECTING;
    this.options = options;
    this.writer = writer;
    this.orders = orders;
    const context = { instruments, assets, account: rest, writer, nowNs };
    const orderSync = new OrderSync({
      ...context,
      nonceLo,
      nonceHi,
      adopted,
      clientIdOf: orders.clientIdOf,
      probe: orders.probe,
      workingOrders: options.workingOrders,
      foreignOrders: options.foreignOrders,
      ...(options.earlier === undefined ? {} : { earlier: options.earlier }),
    });
    const overlap = TRADE_OVERLAP;
    this.fills = new FillSync({ ...context, nonceLo, nonceHi, adopted, orders: orderSync, overlap });
    this.funding = new FundingSync(context, options.baseMs + nowNs() / NS_PER_MS);
    this.sync = new AccountSync(context, { orders: orderSync, fills: this.fills, funding: this.funding });
    this.users = new UserStream(
      {
        instruments,
        assets,
        privateUrl,
        rest,
        connect,
        link,
        writer,
        nowNs,
        nonceLo,
        nonceHi,
        adopted,
        prng,
      },
      this,
      options.userCounters ?? newUserStreamCounters(),
    );
    this.retry = new Backoff(prng);
    this.reconciling = false;
    this.reconcileAtNs = Number.POSITIVE_INFINITY;
    this.fundingAtNs = Number.POSITIVE_INFINITY;
    this.fundingLookNs = Number.NEGATIVE_INFINITY;
    this.failedLooks = 0;
    this.epoch = 0;
    this.statusPending = true;
    this.reason = FEED_REASON_NONE;
    this.resyncs = 0;
    this.lastEventNs = 0;
    this.deafSinceNs = Number.POSITIVE_INFINITY;
  }

  get isSynced(): boolean {
    return this.state === FEED_SYNCED;
  }

  get isUp(): boolean {
    return this.users.isUp;
  }

  start(): void {
    this.users.start();
  }

  stop(): void {
    this.users.stop();
  }

  recoverSince(instrumentId: number, tradeId: string): void {
    this.fills.setSince(instrumentId, tradeId);
  }

  recoverSinceTime(instrumentId: number, unixMs: number): void {
    this.fills.setSinceTime(instrumentId, unixMs);
  }

  recoverFunding(sinceUnixMs: number, transactionIds: readonly string[]): void {
    this.funding.setKnown(sinceUnixMs, transactionIds);
  }

  poll(nowNs: number): number {
    let work = this.users.poll(nowNs);
    if (nowNs >= this.reconcileAtNs && !this.reconciling && this.users.isUp) {
      this.reconciling = true;
      this.reconcileAtNs = Number.POSITIVE_INFINITY;
      void this.reconcile();
      work++;
    }
    if (nowNs >= this.fundingAtNs && !this.reconciling) {
      this.fundingAtNs = Number.POSITIVE_INFINITY;
      void this.recoverNewFunding();
      work++;
    }
    if (nowNs - this.deafSinceNs > DEAF_NS && this.users.isUp) {
      this.deafSinceNs = Number.POSITIVE_INFINITY;
      this.options.counters.deafStreams++;
      this.users.link.close(CLOSED_BY_HEARTBEAT);
      work++;
    }
    if (this.statusPending) {
      this.emitStatus(nowNs);
      this.writer.publish();
    }
    return work;
  }

  /** The venue accepted a request that was sent at `sentNs`: an event on the stream must follow it. */
  onAccepted(sentNs: number, nowNs: number): void {
    if (this.lastEventNs < sentNs && this.deafSinceNs === Number.POSITIVE_INFINITY) this.deafSinceNs = nowNs;
  }

  onStreamEvent(recvTsNs: number): void {
    this.lastEventNs = recvTsNs;
    this.deafSinceNs = Number.POSITIVE_INFINITY;
  }

  onStreamFunding(): void {
    this.fundingAtNs = this.options.nowNs() + FUNDING_DELAY_NS;
  }

  onOrderOver(clientSeq: number): void {
    this.orders.onOrderOver(clientSeq);
  }

  onStreamUp(): void {
    this.deafSinceNs = Number.POSITIVE_INFINITY;
    this.epoch++;
    this.setState(FEED_RESYNCING, this.reason);
    this.reconcileAtNs = this.options.nowNs();
  }

  onStreamDown(reason: number): void {
    this.epoch++;
    this.setState(FEED_STALE, reason === FEED_REASON_NONE ? FEED_REASON_DISCONNECTED : reason);
  }

  onStreamHole(): void {
    this.hole(FEED_REASON_OVERFLOW);
  }

  onTradeId(index: number, lo: number, hi: number): void {
    this.fills.note(index, lo, hi);
  }

  /** Something happened that we did not see: STALE until the next reconciliation. */
  hole(reason: number): void {
    this.epoch++;
    this.setState(FEED_STALE, reason);
    this.reconcileAtNs = this.options.nowNs();
  }

  /** A report that did not fit into the journal is a hole. */
  checkLost(): void {
    if (this.writer.lost === 0) return;
    this.writer.lost = 0;
    this.hole(FEED_REASON_OVERFLOW);
  }

  private async reconcile(): Promise<void> {
    const epoch = this.epoch;
    this.options.counters.reconciliations++;
    this.resyncs++;
    const { nowNs: clock, rest } = this.options;
    const withFunding = this.state !== FEED_SYNCED || clock() - this.fundingLookNs > FUNDING_EVERY_NS;
    const offset = await rest.measureClockOffset();
    const result = offset.ok
      ? await this.sync.run(withFunding)
      : { ok: false as const, message: offset.message };
    this.reconciling = false;
    const nowNs = clock();
    if (withFunding && result.ok) this.fundingLookNs = nowNs;
    if (epoch !== this.epoch) {
      // Overtaken: the loss that did it has asked for a reconciliation of its own.
      if (this.users.isUp) this.reconcileAtNs = Math.min(this.reconcileAtNs, nowNs);
      return;
    }
    if (result.ok) {
      this.retry.reset();
      this.failedLooks = 0;
      this.reconcileAtNs = nowNs + this.options.reconcileEveryNs;
      if (this.state !== FEED_SYNCED) this.setState(FEED_SYNCED, FEED_REASON_NONE);
      return;
    }
    this.options.counters.reconcileFailures++;
    this.reconcileAtNs = nowNs + this.retry.nextDelayNs();
    // Nothing says that what we hold is wrong; but what cannot be looked at for long is not trusted either.
    if (this.state !== FEED_SYNCED || ++this.failedLooks >= FAILED_LOOKS)
      this.setState(FEED_STALE, FEED_REASON_SNAPSHOT);
    this.options.onReconcileFailure?.(result.message);
  }

  /** Not found yet, or not answered: the next reconciliation finds it. */
  private async recoverNewFunding(): Promise<void> {
    const result = await this.sync.runFunding();
    if (!result.ok) this.options.onReconcileFailure?.(result.message);
  }

  private setState(state: number, reason: number): void {
    this.state = state;
    this.reason = reason;
    this.emitStatus(this.options.nowNs());
    this.writer.publish();
  }

  private emitStatus(nowNs: number): void {
    const gaps = this.users.link.disconnects;
    this.statusPending = !this.writer.writeStatus(nowNs, this.state, this.reason, gaps, this.resyncs);
  }
}
