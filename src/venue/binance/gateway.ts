// Orders to Binance USD-M: requests over the WebSocket API (REST when it is down), their answers as records,
// unknown outcomes probed until proved, the account reconciled after every loss of sight. Lane: execution.
// Hot (place, cancel, modify, replies): 0 bytes but for the string that Bun's socket needs per request.
//
// Nothing here decides that an order failed without the venue's word: a time-out, a lost connection, 5xx,
// -1006 and -1007 give EXEC_UNKNOWN, and the order is asked for until the answer is a state (EXEC_STATUS), or
// until its request can no longer be accepted (recvWindow) and the venue still does not know it.
import { NS_PER_MS } from "../../core/clock.ts";
import { Prng } from "../../core/prng.ts";
import { FIRST_ADOPTED_SEQ, formatClientId } from "../../order/client-id.ts";
import {
  type OrderGateway,
  type OrderRequest,
  SEND_BACKPRESSURE,
  SEND_KILLED,
  SEND_NOT_CONNECTED,
  SEND_OK,
  SEND_RATE_LIMITED,
} from "../../order/gateway.ts";
import { ReportWriter } from "../../order/report-writer.ts";
import {
  ACTION_CANCEL,
  ACTION_MODIFY,
  ACTION_PLACE,
  FEED_REASON_OVERFLOW,
  FEED_REASON_SNAPSHOT,
  KILL_ARMED,
  KILL_EMERGENCY,
  SOURCE_LOCAL,
} from "../../wire/codes.ts";
import { CLOSED_BY_HEARTBEAT, Link, type LinkOwner } from "../transport/link.ts";
import { AccountWatch } from "./account-watch.ts";
import { AdoptedOrders } from "./adopted-orders.ts";
import { AnswerWriter } from "./answer-writer.ts";
import type { GatewayCounters, GatewayOptions } from "./gateway-options.ts";
import { NO_ENTRY, RequestTable } from "./in-flight.ts";
import { logonRequest } from "./logon.ts";
import { NO_SUCH_ORDER, NOTHING_TO_CANCEL, OrderProofs } from "./order-proofs.ts";
import { REPLY_ERROR, REPLY_MALFORMED, REPLY_OK, ReplyDecoder } from "./reply-decoder.ts";
import { ACTION_STATUS, RequestEncoder } from "./request-encoder.ts";
import { type BinanceRest, isUnknownOutcome } from "./rest.ts";
import { type OrderName, restParameters } from "./rest-orders.ts";
import { Signer } from "./signer.ts";

export { type GatewayCounters, type GatewayOptions, newGatewayCounters } from "./gateway-options.ts";

/** "Timestamp for this request is outside of the recvWindow": the clocks have drifted apart. */
const TIMESTAMP_OUTSIDE = -1021;
const SWEEP_EVERY_NS = 10 * NS_PER_MS;

export class BinanceGateway implements OrderGateway, LinkOwner {
  readonly counters: GatewayCounters;
  readonly account: AccountWatch;
  readonly orders: Link;
  readonly writer: ReportWriter;
  private readonly options: GatewayOptions;
  private readonly adopted: AdoptedOrders;
  private readonly encoder: RequestEncoder;
  private readonly replies: ReplyDecoder;
  private readonly requests: RequestTable;
  private readonly proofs: OrderProofs;
  private readonly answers: AnswerWriter;
  private readonly signer: Signer;
  private loggedOn: boolean;
  private sweptNs: number;

  constructor(options: GatewayOptions) {
    const prng = new Prng(options.seed);
    this.counters = options.counters;
    this.options = options;
    this.signer = new Signer(options.credentials);
    this.writer = new ReportWriter(options.sink, options.baseMs, options.isKnownFill);
    this.adopted = new AdoptedOrders();
    this.encoder = new RequestEncoder(
      options.instruments,
      options.ids,
      options.credentials.revealApiKey(),
      this.signer,
      options.recvWindowMs,
      this.adopted,
    );
    this.replies = new ReplyDecoder(options.instruments);
    this.requests = new RequestTable();
    this.answers = new AnswerWriter(this.writer, options.ids);
    this.proofs = new OrderProofs({
      requests: this.requests,
      answers: this.answers,
      counters: options.counters,
      recvWindowMs: options.recvWindowMs,
      query: (request, nowNs) => this.query(request, nowNs),
    });
    this.account = new AccountWatch(options, this.writer, this.adopted, prng, {
      clientIdOf: (r) => this.clientIdOf(r),
      probe: (r) => this.proofs.later(r, options.nowNs()),
      onOrderOver: (clientSeq) => this.proofs.proved(clientSeq),
    });
    this.orders = new Link(this, options.connect, options.link, prng);
    this.loggedOn = false;
    this.sweptNs = 0;
  }

  get ready(): boolean {
    return this.account.isSynced;
  }

  /** Orders that may be placed now, by the venue's limits. */
  get ordersLeft(): number {
    return this.options.rest.budget.ordersLeft(this.venueMs());
  }

  /** Until when the venue takes nothing from us (429, 418), ns of the session; in the past when it does. */
  get blockedUntilNs(): number {
    const { rest, baseMs } = this.options;
    return (rest.budget.blockedUntilMs - rest.clockOffsetMs - baseMs) * NS_PER_MS;
  }

  /** Times the connection for orders was lost. */
  get disconnects(): number {
    return this.orders.disconnects;
  }

  /** Requests without an answer, and orders without a proof. */
  get pending(): number {
    return this.requests.count + this.proofs.count;
  }

  start(): void {
    this.account.start();
    this.orders.start(this.options.wsApiUrl, this.options.nowNs());
  }

  /** Ends the connections. Working orders stay at the venue: cancel first. */
  stop(): void {
    this.account.stop();
    this.orders.stop();
  }

  /** Where recovery begins: the last journalled trade id of an instrument (decimal digits). Before start. */
  recoverSince(instrumentId: number, tradeId: string): void {
    this.account.recoverSince(instrumentId, tradeId);
  }

  /** The same where no trade has been journalled yet: what happened since this time, ms. Before start. */
  recoverSinceTime(instrumentId: number, unixMs: number): void {
    this.account.recoverSinceTime(instrumentId, unixMs);
  }

  /** Funding payments that are journalled, and the time from which others may be missing. Before start. */
  recoverFunding(sinceUnixMs: number, transactionIds: readonly string[]): void {
    this.account.recoverFunding(sinceUnixMs, transactionIds);
  }

  /** Asks for a reconciliation as soon as possible. */
  reconcile(): void {
    this.account.hole(FEED_REASON_SNAPSHOT);
  }

  place(request: OrderRequest): number {
    return this.submit(ACTION_PLACE, request);
  }

  modify(request: OrderRequest): number {
    return this.submit(ACTION_MODIFY, request);
  }

  cancel(request: OrderRequest): number {
    return this.submit(ACTION_CANCEL, request);
  }

  cancelAll(instrument: number): number {
    const found = this.options.instruments.find((i) => i.id === instrument);
    if (found === undefined) return SEND_NOT_CONNECTED;
    void this.options.rest.cancelAll(found.symbol).then((result) => {
      if (!result.ok) this.counters.cancelAllFailures++;
    });
    return SEND_OK;
  }

  poll(nowNs: number): number {
    let work = this.account.poll(nowNs) + this.orders.poll(nowNs);
    if (nowNs - this.sweptNs >= SWEEP_EVERY_NS) {
      this.sweptNs = nowNs;
      work += this.sweep(nowNs);
    }
    return work;
  }

  // ---- sending

  private submit(action: number, request: OrderRequest): number {
    const c = this.counters;
    const overSocket = this.isUsable;
    if (!overSocket && !this.account.isUp && action !== ACTION_CANCEL) {
      c.notConnected++;
      return SEND_NOT_CONNECTED;
    }
    const venueMs = this.venueMs();
    const budget = this.options.rest.budget;
    if (!(action === ACTION_CANCEL ? budget.takeCancel(venueMs) : budget.takeOrder(venueMs))) {
      c.rateLimited++;
      return SEND_RATE_LIMITED;
    }
    if (overSocket && this.orders.isBackedUp) {
      c.backpressure++;
      return SEND_BACKPRESSURE;
    }
    const slot = this.requests.add(action, request, this.options.nowNs());
    if (slot === NO_ENTRY) {
      c.backpressure++;
      return SEND_BACKPRESSURE;
    }
    const code = overSocket
      ? this.write(action, request, slot, venueMs)
      : this.writeRest(action, request, slot);
    if (code !== SEND_OK) {
      this.requests.release(slot);
      return code;
    }
    if (action === ACTION_PLACE) c.places++;
    else if (action === ACTION_CANCEL) c.cancels++;
    else c.modifies++;
    return SEND_OK;
  }

  /** True when the kill word forbids this request. Cancels always pass; in an emergency reductions pass too. */
  private forbidden(action: number, request: OrderRequest): boolean {
    if (action === ACTION_CANCEL || action === ACTION_STATUS) return false;
    const word = this.options.killWord();
    if (word === KILL_ARMED || (word === KILL_EMERGENCY && request.reduceOnly)) return false;
    this.counters.killed++;
    return true;
  }

  private write(action: number, request: OrderRequest, slot: number, venueMs: number): number {
    const json = this.encoder.json;
    this.encoder.encode(action, request, this.requests.numberOf(slot), venueMs, !this.loggedOn);
    if (this.forbidden(action, request)) return SEND_KILLED;
    if (this.orders.sendText(json.bytes, json.at)) return SEND_OK;
    this.counters.notConnected++;
    return SEND_NOT_CONNECTED;
  }

  /** Second path. The answer comes as a promise; until then the request waits like any other. */
  private writeRest(action: number, request: OrderRequest, slot: number): number {
    const instrument = this.options.instruments.find((i) => i.id === request.instrument);
    if (instrument === undefined) return SEND_NOT_CONNECTED;
    const { rest } = this.options;
    const name = this.nameOf(request);
    const number = this.requests.numberOf(slot);
    if (action === ACTION_STATUS) {
      const asked =
        name.orderId === undefined
          ? rest.order(instrument.symbol, this.clientIdOf(request))
          : rest.orderById(instrument.symbol, name.orderId);
      void asked.then((result) => this.onRestAnswer(number, result));
      return SEND_OK;
    }
    const { method, parameters } = restParameters(action, request, instrument, name);
    if (this.forbidden(action, request)) return SEND_KILLED;
    this.counters.restRequests++;
    void rest.orderRequest(method, parameters).then((result) => this.onRestAnswer(number, result));
    return SEND_OK;
  }

  private onRestAnswer(requestNo: number, result: Awaited<ReturnType<BinanceRest["order"]>>): void {
    const slot = this.requests.find(requestNo);
    if (slot === NO_ENTRY) {
      this.counters.lateReplies++;
      return;
    }
    this.counters.replies++;
    if (result.ok) {
      const { instruments, nowNs } = this.options;
      this.answers.readOrder(this.requests, slot, result.value, instruments, nowNs());
      this.stated(slot);
    } else if (result.unknown) this.becomesUnknown(slot, result.code);
    else this.refused(slot, result.code);
    this.writer.publish();
  }

  // ---- answers

  onLinkOpen(): void {
    this.loggedOn = false;
    if (this.signer.kind !== "ed25519") return;
    const { credentials, recvWindowMs } = this.options;
    const bytes = logonRequest(credentials.revealApiKey(), this.signer, this.venueMs(), recvWindowMs);
    this.orders.sendText(bytes, bytes.length);
  }

  /** What was under way may or may not have arrived. */
  onLinkClosed(): void {
    this.loggedOn = false;
    for (let slot = 0; slot < this.requests.capacity; slot++) {
      if (this.requests.isWaiting(slot)) this.becomesUnknown(slot, 0);
    }
    this.writer.publish();
  }

  onLinkText(bytes: Uint8Array, end: number, recvTsNs: number): void {
    const r = this.replies;
    const kind = r.decode(bytes, end, this.options.rest.budget, this.venueMs());
    if (kind === REPLY_MALFORMED) this.counters.malformedReplies++;
    else if (kind === REPLY_OK || kind === REPLY_ERROR) this.onReply(kind, recvTsNs);
    else if (r.isLogon) this.onLogon();
  }

  private onLogon(): void {
    this.loggedOn = this.replies.httpStatus === 200;
    // Refused: requests go over REST, each with its own signature, until the next connection.
    if (!this.loggedOn)
      this.options.onReconcileFailure?.(`session.logon refused: code ${this.replies.errorCode}`);
  }

  private onReply(kind: number, recvTsNs: number): void {
    const r = this.replies;
    const slot = this.requests.find(r.requestNo);
    if (slot === NO_ENTRY || this.requests.clientSeq[slot] !== r.clientSeq) {
      this.counters.lateReplies++;
      return;
    }
    this.counters.replies++;
    if (kind === REPLY_OK && r.readOrder(this.requests.instrument[slot]!)) {
      this.answers.readReply(this.requests, slot, r, recvTsNs);
      this.stated(slot);
    } else if (kind === REPLY_OK || isUnknownOutcome(r.httpStatus, r.errorCode)) {
      this.becomesUnknown(slot, r.errorCode);
    } else {
      if (r.httpStatus === 429 || r.httpStatus === 418)
        this.options.rest.budget.blockUntil(this.venueMs(), r.httpStatus, r.retryAfterMs);
      this.refused(slot, r.errorCode);
    }
    this.writer.publish();
  }

  /** The venue has stated the order, as it stands in writer.order. */
  private stated(slot: number): void {
    const { requests, proofs, writer } = this;
    const o = writer.order;
    const nowNs = this.options.nowNs();
    const clientSeq = requests.clientSeq[slot]!;
    if (requests.action[slot] !== ACTION_STATUS) {
      writer.writeOrder();
      this.account.onAccepted(requests.sentNs[slot]!, nowNs);
    } else if (proofs.isProof(clientSeq, o.orderState, o.pxTicks, o.qtyLots, nowNs)) {
      writer.writeOrder();
      proofs.proved(clientSeq);
    }
    requests.release(slot);
    this.account.checkLost();
  }

  private refused(slot: number, code: number): void {
    const { requests, proofs } = this;
    const nowNs = this.options.nowNs();
    if (requests.action[slot] === ACTION_STATUS) proofs.refused(requests.clientSeq[slot]!, code, nowNs);
    else {
      this.counters.rejects++;
      this.answers.rejected(requests, slot, code, nowNs);
      if (code === NOTHING_TO_CANCEL || code === NO_SUCH_ORDER) proofs.suspect(slot, nowNs);
    }
    if (code === TIMESTAMP_OUTSIDE) void this.options.rest.measureClockOffset();
    requests.release(slot);
    this.account.checkLost();
  }

  private becomesUnknown(slot: number, code: number): void {
    const { requests } = this;
    const nowNs = this.options.nowNs();
    if (requests.action[slot] !== ACTION_STATUS) {
      this.counters.unknowns++;
      this.answers.unknown(requests, slot, code, nowNs, SOURCE_LOCAL);
      if (!this.proofs.begin(slot, nowNs)) this.account.hole(FEED_REASON_OVERFLOW);
    }
    requests.release(slot);
    this.account.checkLost();
  }

  // ---- time

  private sweep(nowNs: number): number {
    let work = 0;
    let dead = false;
    for (let slot = 0; this.requests.count > 0 && slot < this.requests.capacity; slot++) {
      if (!this.requests.isWaiting(slot)) continue;
      if (nowNs - this.requests.sentNs[slot]! < this.options.orderTimeoutNs) continue;
      this.counters.timeouts++;
      dead = dead || this.orders.isSilentSince(this.requests.sentNs[slot]!);
      this.becomesUnknown(slot, 0);
      work++;
    }
    // A peer that takes requests and says nothing: the probes, and new orders, go over REST.
    if (dead) this.orders.close(CLOSED_BY_HEARTBEAT);
    else work += this.proofs.poll(nowNs);
    if (work > 0) this.writer.publish();
    return work;
  }

  /** False: no budget or no way to ask now. */
  private query(request: OrderRequest, nowNs: number): boolean {
    const venueMs = this.venueMs();
    if (!this.options.rest.budget.takeQuery(venueMs, 1, true)) return false;
    const slot = this.requests.add(ACTION_STATUS, request, nowNs);
    if (slot === NO_ENTRY) return false;
    const code = this.isUsable
      ? this.write(ACTION_STATUS, request, slot, venueMs)
      : this.writeRest(ACTION_STATUS, request, slot);
    if (code !== SEND_OK) this.requests.release(slot);
    return code === SEND_OK;
  }

  /** Requests can go over the WebSocket API. */
  private get isUsable(): boolean {
    return this.orders.isOpen && (this.loggedOn || this.signer.kind === "hmac");
  }

  private venueMs(): number {
    return Math.round(
      this.options.baseMs + this.options.nowNs() / NS_PER_MS + this.options.rest.clockOffsetMs,
    );
  }

  private nameOf(r: OrderRequest): OrderName {
    const orderId = r.clientSeq >= FIRST_ADOPTED_SEQ ? this.adopted.orderIdOf(r.clientSeq) : "";
    return orderId === "" ? { origClientOrderId: this.clientIdOf(r) } : { orderId };
  }

  private clientIdOf(r: OrderRequest): string {
    const { nonceLo, nonceHi } = this.options.ids;
    return formatClientId({ nonceLo, nonceHi, strategy: r.strategy, clientSeq: r.clientSeq });
  }
}
