// Whether our view of the account can be trusted: user stream up, reconciled, nothing lost since. Says so in
// FeedStatus records of instrument 0; SYNCED is what allows trading. Lane: execution; cold but for the stream.
//
//   CONNECTING ─▶ RESYNCING (stream up, reconciling) ─▶ SYNCED
//                    ▲                                    │ stream down, a report lost or unreadable
//                    └──────────── STALE ◀────────────────┘ (or a reconciliation that failed: again, later)
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
import { AccountSync } from "./account-sync.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { newUserStreamCounters, UserStream, type UserStreamOwner } from "./user-stream.ts";

/** Trade ids asked for again before the last known one. */
const TRADE_OVERLAP = 100;

/** What reconciliation needs of the order path. */
export interface OrderKnowledge {
  readonly clientIdOf: (request: OrderRequest) => string;
  readonly probe: (request: OrderRequest) => void;
}

export class AccountWatch implements UserStreamOwner {
  readonly users: UserStream;
  /** FEED_… */
  state: number;
  private readonly options: GatewayOptions;
  private readonly writer: ReportWriter;
  private readonly sync: AccountSync;
  private readonly retry: Backoff;
  private reconciling: boolean;
  private reconcileAtNs: number;
  /** Counts losses of sight: a reconciliation that one of them overtook does not count. */
  private epoch: number;
  private statusPending: boolean;
  private reason: number;
  private resyncs: number;

  constructor(options: GatewayOptions, writer: ReportWriter, prng: Prng, orders: OrderKnowledge) {
    const { instruments, assets, privateUrl, rest, connect, link, nowNs, workingOrders, earlier } = options;
    this.state = FEED_CONNECTING;
    this.options = options;
    this.writer = writer;
    const overlap = TRADE_OVERLAP;
    this.sync = new AccountSync({
      instruments,
      assets,
      account: rest,
      writer,
      nowNs,
      workingOrders,
      overlap,
      ...(earlier === undefined ? {} : { earlier }),
      ...orders,
    });
    this.users = new UserStream(
      { instruments, assets, privateUrl, rest, connect, link, writer, nowNs, prng },
      this,
      options.userCounters ?? newUserStreamCounters(),
    );
    this.retry = new Backoff(prng);
    this.reconciling = false;
    this.reconcileAtNs = Number.POSITIVE_INFINITY;
    this.epoch = 0;
    this.statusPending = true;
    this.reason = FEED_REASON_NONE;
    this.resyncs = 0;
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
    this.sync.setSince(instrumentId, tradeId);
  }

  recoverSinceTime(instrumentId: number, unixMs: number): void {
    this.sync.setSinceTime(instrumentId, unixMs);
  }

  poll(nowNs: number): number {
    let work = this.users.poll(nowNs);
    if (nowNs >= this.reconcileAtNs && !this.reconciling && this.users.isUp) {
      this.reconciling = true;
      this.reconcileAtNs = Number.POSITIVE_INFINITY;
      void this.reconcile();
      work++;
    }
    if (this.statusPending) {
      this.emitStatus(nowNs);
      this.writer.publish();
    }
    return work;
  }

  onStreamUp(): void {
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
    this.sync.noteTradeId(index, lo, hi);
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
    const offset = await this.options.rest.measureClockOffset();
    const result = offset.ok ? await this.sync.run() : { ok: false as const, message: offset.message };
    this.reconciling = false;
    const nowNs = this.options.nowNs();
    if (epoch !== this.epoch) {
      // Overtaken: the loss that did it has asked for a reconciliation of its own.
      if (this.users.isUp) this.reconcileAtNs = Math.min(this.reconcileAtNs, nowNs);
      return;
    }
    if (result.ok) {
      this.retry.reset();
      this.setState(FEED_SYNCED, FEED_REASON_NONE);
      return;
    }
    this.options.counters.reconcileFailures++;
    this.setState(FEED_STALE, FEED_REASON_SNAPSHOT);
    this.reconcileAtNs = nowNs + this.retry.nextDelayNs();
    this.options.onReconcileFailure?.(result.message);
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
