// Orders to Binance USD-M: requests over the WebSocket API (REST when it is down), their answers as records,
// unknown outcomes probed until proved, the account reconciled after every loss of sight. Lane: execution.
// Hot (place, cancel, modify, replies): 0 bytes but for the string that Bun's socket needs per request.
//
// Nothing here decides that an order failed without the venue's word: a time-out, a lost connection, 5xx,
// -1006 and -1007 give EXEC_UNKNOWN, and the order is asked for until the answer is a state (EXEC_STATUS), or
// until its request can no longer be accepted (recvWindow) and the venue still does not know it.
import { NS_PER_MS, NS_PER_S } from "../../core/clock.ts";
import { Prng } from "../../core/prng.ts";
import { formatClientId } from "../../order/client-id.ts";
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
  ORDER_TYPE_LIMIT,
  SOURCE_LOCAL,
  TIF_GTC,
} from "../../wire/codes.ts";
import { CLOSED_BY_HEARTBEAT, Link, type LinkOwner } from "../transport/link.ts";
import { NO_SUCH_ORDER } from "./account-sync.ts";
import { AccountWatch } from "./account-watch.ts";
import { AnswerWriter } from "./answer-writer.ts";
import type { GatewayCounters, GatewayOptions } from "./gateway-options.ts";
import { NO_ENTRY, RequestTable, UnknownOrders } from "./in-flight.ts";
import { logonRequest } from "./logon.ts";
import { REPLY_ERROR, REPLY_MALFORMED, REPLY_OK, ReplyDecoder } from "./reply-decoder.ts";
import { ACTION_STATUS, RequestEncoder } from "./request-encoder.ts";
import { type BinanceRest, isUnknownOutcome } from "./rest.ts";
import { restParameters } from "./rest-orders.ts";
import { Signer } from "./signer.ts";

export { type GatewayCounters, type GatewayOptions, newGatewayCounters } from "./gateway-options.ts";

const PROBE_EVERY_NS = 2 * NS_PER_S;
/** Clock error allowed for when a request's validity at the venue is judged. */
const VALIDITY_MARGIN_NS = 2 * NS_PER_S;
const SWEEP_EVERY_NS = 10 * NS_PER_MS;

export class BinanceGateway implements OrderGateway, LinkOwner {
  readonly counters: GatewayCounters;
  readonly account: AccountWatch;
  readonly orders: Link;
  readonly writer: ReportWriter;
  private readonly options: GatewayOptions;
  private readonly encoder: RequestEncoder;
  private readonly replies: ReplyDecoder;
  private readonly requests: RequestTable;
  private readonly unknown: UnknownOrders;
  private readonly answers: AnswerWriter;
  private readonly signer: Signer;
  private readonly scratch: OrderRequest;
  private loggedOn: boolean;
  private sweptNs: number;

  constructor(options: GatewayOptions) {
    const prng = new Prng(options.seed);
    this.counters = options.counters;
    this.options = options;
    this.signer = new Signer(options.credentials);
    this.writer = new ReportWriter(options.sink, options.baseMs, options.isKnownFill);
    this.encoder = new RequestEncoder(
      options.instruments,
      options.ids,
      options.credentials.revealApiKey(),
      this.signer,
      options.recvWindowMs,
    );
    this.replies = new ReplyDecoder(options.instruments);
    this.requests = new RequestTable();
    this.unknown = new UnknownOrders();
    this.answers = new AnswerWriter(this.writer, options.ids);
    this.account = new AccountWatch(options, this.writer, prng, {
      clientIdOf: (r) => this.clientIdOf(r),
      probe: (r) => this.probeLater(r),
    });
    this.orders = new Link(this, options.connect, options.link, prng);
    this.scratch = blankRequest();
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

  /** Requests without an answer, and orders without a proof. */
  get pending(): number {
    return this.requests.count + this.unknown.count;
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
    const overSocket = this.orders.isOpen && (this.loggedOn || this.signer.kind === "hmac");
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
    const clientId = this.clientIdOf(request);
    const number = this.requests.numberOf(slot);
    if (action === ACTION_STATUS) {
      void this.options.rest
        .order(instrument.symbol, clientId)
        .then((result) => this.onRestAnswer(number, result));
      return SEND_OK;
    }
    const { method, parameters } = restParameters(action, request, instrument, clientId);
    if (this.forbidden(action, request)) return SEND_KILLED;
    this.counters.restRequests++;
    void this.options.rest
      .orderRequest(method, parameters)
      .then((result) => this.onRestAnswer(number, result));
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
      this.answers.fromOrder(
        this.requests,
        slot,
        result.value,
        this.options.instruments,
        this.options.nowNs(),
      );
      this.settled(slot);
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
      this.answers.fromReply(this.requests, slot, r, recvTsNs);
      this.settled(slot);
    } else if (kind === REPLY_OK || isUnknownOutcome(r.httpStatus, r.errorCode)) {
      this.becomesUnknown(slot, r.errorCode);
    } else {
      if (r.httpStatus === 429 || r.httpStatus === 418) this.options.rest.budget.block(this.venueMs(), 10);
      this.refused(slot, r.errorCode);
    }
    this.writer.publish();
  }

  /** The venue stated the order: a probe of it is answered too. */
  private settled(slot: number): void {
    const k =
      this.requests.action[slot] === ACTION_STATUS
        ? this.unknown.find(this.requests.clientSeq[slot]!)
        : NO_ENTRY;
    if (k !== NO_ENTRY) {
      this.unknown.release(k);
      this.counters.proofs++;
    }
    this.requests.release(slot);
    this.account.checkLost();
  }

  private refused(slot: number, code: number): void {
    if (this.requests.action[slot] === ACTION_STATUS) {
      this.probeRefused(slot, code);
      return;
    }
    this.counters.rejects++;
    this.answers.rejected(this.requests, slot, code, this.options.nowNs());
    this.requests.release(slot);
    this.account.checkLost();
  }

  private becomesUnknown(slot: number, code: number): void {
    const nowNs = this.options.nowNs();
    const action = this.requests.action[slot]!;
    if (action !== ACTION_STATUS) {
      this.counters.unknowns++;
      this.answers.unknown(this.requests, slot, code, nowNs, SOURCE_LOCAL);
      this.requests.read(slot, this.scratch);
      this.unknown.add(action, this.scratch, this.requests.sentNs[slot]!, nowNs);
      if (this.unknown.overflows > 0) this.account.hole(FEED_REASON_OVERFLOW);
    }
    this.requests.release(slot);
    this.account.checkLost();
  }

  // ---- proofs

  /** "Order does not exist" is a proof only when the request can no longer be accepted. */
  private probeRefused(slot: number, code: number): void {
    const nowNs = this.options.nowNs();
    const k = this.unknown.find(this.requests.clientSeq[slot]!);
    this.requests.release(slot);
    if (k === NO_ENTRY || code !== NO_SUCH_ORDER) return;
    const validNs = this.options.recvWindowMs * NS_PER_MS + VALIDITY_MARGIN_NS;
    if (nowNs - this.unknown.sentNs[k]! <= validNs) return;
    this.answers.absent(this.unknown, k, code, nowNs);
    this.unknown.release(k);
    this.counters.proofs++;
    this.account.checkLost();
  }

  private probeLater(request: OrderRequest): void {
    const nowNs = this.options.nowNs();
    if (this.unknown.find(request.clientSeq) === NO_ENTRY)
      this.unknown.add(ACTION_CANCEL, request, nowNs, nowNs);
  }

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
    for (let k = 0; !dead && this.unknown.count > 0 && k < this.unknown.capacity; k++) {
      if (this.unknown.used[k] === 0 || nowNs < this.unknown.probeAtNs[k]!) continue;
      this.probe(k, nowNs);
      work++;
    }
    if (work > 0) this.writer.publish();
    return work;
  }

  private probe(k: number, nowNs: number): void {
    const u = this.unknown;
    const tries = u.tries[k]!;
    u.probeAtNs[k] = nowNs + PROBE_EVERY_NS * Math.min(tries + 1, 5);
    u.tries[k] = Math.min(tries + 1, 65_535);
    const venueMs = this.venueMs();
    if (!this.options.rest.budget.takeQuery(venueMs, 1, true)) return;
    const r = this.scratch;
    r.clientSeq = u.clientSeq[k]!;
    r.instrument = u.instrument[k]!;
    r.strategy = u.strategy[k]!;
    r.side = u.side[k]!;
    r.pxTicks = u.pxTicks[k]!;
    r.qtyLots = u.qtyLots[k]!;
    const slot = this.requests.add(ACTION_STATUS, r, nowNs);
    if (slot === NO_ENTRY) return;
    this.counters.probes++;
    const overSocket = this.orders.isOpen && (this.loggedOn || this.signer.kind === "hmac");
    const code = overSocket
      ? this.write(ACTION_STATUS, r, slot, venueMs)
      : this.writeRest(ACTION_STATUS, r, slot);
    if (code !== SEND_OK) this.requests.release(slot);
  }

  private venueMs(): number {
    return Math.round(
      this.options.baseMs + this.options.nowNs() / NS_PER_MS + this.options.rest.clockOffsetMs,
    );
  }

  private clientIdOf(r: OrderRequest): string {
    const { nonceLo, nonceHi } = this.options.ids;
    return formatClientId({ nonceLo, nonceHi, strategy: r.strategy, clientSeq: r.clientSeq });
  }
}

const blankRequest = (): OrderRequest => ({
  clientSeq: 0,
  instrument: 0,
  strategy: 0,
  side: 0,
  tif: TIF_GTC,
  orderType: ORDER_TYPE_LIMIT,
  reduceOnly: false,
  pxTicks: 0.5,
  qtyLots: 0.5,
});
