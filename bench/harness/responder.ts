// Stands for the venue behind the order connection: swallows order bytes (counting and hashing them) and
// answers as the venue does, in its JSON, some virtual time later, so that orders live, move and fill. Answers
// pass the real decoders. 0 bytes per request and answer: the allocation probes run over it.
//
// Matching is coarse on purpose (a trade at or through an order's price fills it whole): what is measured is
// the way to the order, and the same bytes must come out in every round.
import { ClientIdEncoder } from "../../src/order/client-id.ts";
import type { OrderGateway, OrderRequest } from "../../src/order/gateway.ts";
import { SEND_OK } from "../../src/order/gateway.ts";
import { AsciiText, AsciiWriter } from "../../src/venue/binance/ascii-writer.ts";
import type { BinanceGateway } from "../../src/venue/binance/gateway.ts";
import { ascii } from "../../src/venue/binance/json-scan.ts";
import type { Transport, TransportHandler } from "../../src/venue/contract.ts";
import { ACTION_CANCEL, ACTION_MODIFY, ACTION_PLACE, SIDE_BUY } from "../../src/wire/codes.ts";

const REPLY_NS = 600_000;
const FILL_NS = 200_000;
const QUEUE = 256;
const ID_BYTES = 40;
const ID_AT = 7;
const QUOTE = 0x22;
const FIRST_ORDER_ID = 8_000_000_000;
const FNV_PRIME = 16_777_619;

const T_ID = new AsciiText('{"id":"');
const T_OK = new AsciiText('","status":200,"result":{"orderId":');
const T_NEW = new AsciiText(',"symbol":"BTCUSDT","status":"NEW","clientOrderId":"x","price":"');
const T_CANCELED = new AsciiText(',"symbol":"BTCUSDT","status":"CANCELED","clientOrderId":"x","price":"');
const T_QTY = new AsciiText('","origQty":"');
const T_EXECUTED = new AsciiText('","executedQty":"0.000","updateTime":');
const T_END = new AsciiText('},"rateLimits":[]}');
const T_ERROR = new AsciiText(
  '","status":400,"error":{"code":-2011,"msg":"Unknown order sent."},"rateLimits":[]}',
);
const F_TIME = new AsciiText('{"e":"ORDER_TRADE_UPDATE","T":');
const F_EVENT = new AsciiText(',"E":');
const F_CLIENT = new AsciiText(',"o":{"s":"BTCUSDT","c":"');
const F_BUY = new AsciiText('","S":"BUY","o":"LIMIT","f":"GTX","q":"');
const F_SELL = new AsciiText('","S":"SELL","o":"LIMIT","f":"GTX","q":"');
const F_PX = new AsciiText('","p":"');
const F_STATE = new AsciiText('","ap":"0","sp":"0","x":"TRADE","X":"FILLED","i":');
const F_LAST = new AsciiText(',"l":"');
const F_CUM = new AsciiText('","z":"');
const F_LAST_PX = new AsciiText('","L":"');
const F_FEE = new AsciiText('","n":"0.01000000","N":"USDT","T":');
const F_TRADE = new AsciiText(',"t":');
const F_END = new AsciiText(
  ',"b":"0","a":"0","m":true,"R":false,"wt":"CONTRACT_PRICE","ot":"LIMIT","ps":"BOTH"}}',
);
const LOGON_REPLY = ascii('{"id":"logon","status":200,"result":{}}');
const LOGON = ascii('"logon"');

/** One transport end that opens when told and hands what is sent to `onSend`. */
export class MemoryTransport implements Transport {
  readonly counters = { messages: 0, bytes: 0, bufferGrowths: 0, binaryFrames: 0 };
  readonly bufferedAmount = 0;
  readonly handler: TransportHandler;
  isOpen = false;
  private readonly onSend: (bytes: Uint8Array, end: number) => void;

  constructor(handler: TransportHandler, onSend: (bytes: Uint8Array, end: number) => void) {
    this.handler = handler;
    this.onSend = onSend;
  }

  connect(_url: string): void {
    this.isOpen = true;
  }

  sendText(bytes: Uint8Array, end: number): boolean {
    this.onSend(bytes, end);
    return true;
  }

  ping(): void {}
  terminate(): void {}
  poll(): number {
    return 0;
  }
}

interface Time {
  /** Virtual session time, ns. */
  virtualNs: number;
}

/** Live orders and pending answers in fixed arrays. */
export class Responder {
  /** Requests swallowed, and FNV-1a over their bytes, four at a time. */
  requests = 0;
  hash = 0x811c9dc5 | 0;
  fills = 0;
  /** Session ns when the next answer is due; Infinity when none is. */
  dueNs = Number.POSITIVE_INFINITY;
  /** Told at each request, before anything is counted. */
  onRequest: (() => void) | null = null;
  private readonly time: Time;
  private readonly baseMs: number;
  private readonly ids: ClientIdEncoder;
  private readonly out = new AsciiWriter(2048);
  private gateway: BinanceGateway | null = null;
  private orders: TransportHandler | null = null;
  // Orders that rest; the count is small.
  private live = 0;
  private readonly liveSeq = new Float64Array(512);
  private readonly liveStrategy = new Float64Array(512);
  private readonly liveSide = new Float64Array(512);
  private readonly livePx = new Float64Array(512);
  private readonly liveQty = new Float64Array(512);
  // Answers to requests, then fills: each queue in order of time.
  private readonly idBytes = new Uint8Array(new ArrayBuffer(QUEUE * ID_BYTES));
  private readonly replyDueNs = new Float64Array(QUEUE);
  private readonly replyKind = new Float64Array(QUEUE);
  private readonly replySeq = new Float64Array(QUEUE);
  private readonly replyPx = new Float64Array(QUEUE);
  private readonly replyQty = new Float64Array(QUEUE);
  private replyHead = 0;
  private replyTail = 0;
  private readonly fillDueNs = new Float64Array(QUEUE);
  private readonly fillSeq = new Float64Array(QUEUE);
  private readonly fillStrategy = new Float64Array(QUEUE);
  private readonly fillSide = new Float64Array(QUEUE);
  private readonly fillPx = new Float64Array(QUEUE);
  private readonly fillQty = new Float64Array(QUEUE);
  private fillHead = 0;
  private fillTail = 0;
  private sentBytes: Uint8Array = LOGON_REPLY;
  private view = new DataView(LOGON_REPLY.buffer);

  constructor(time: Time, baseMs: number, ids: ClientIdEncoder) {
    this.time = time;
    this.baseMs = baseMs;
    this.ids = new ClientIdEncoder(ids.nonceLo, ids.nonceHi);
  }

  attach(gateway: BinanceGateway, orders: TransportHandler): void {
    this.gateway = gateway;
    this.orders = orders;
  }

  /** Bytes written to the order connection. */
  onSend(bytes: Uint8Array, end: number): void {
    this.sentBytes = bytes;
    if (bytes[ID_AT] === LOGON[1]) return;
    if (this.onRequest !== null) this.onRequest();
    if (this.view.buffer !== bytes.buffer) this.view = new DataView(bytes.buffer);
    const view = this.view;
    const words = end & ~3;
    let h = this.hash;
    for (let i = 0; i < words; i += 4) h = Math.imul(h ^ view.getInt32(i, true), FNV_PRIME);
    for (let i = words; i < end; i++) h = Math.imul(h ^ bytes[i]!, FNV_PRIME);
    this.hash = h;
    this.requests++;
  }

  /** Answers the log-on. */
  acceptLogon(): void {
    this.orders!.onText(LOGON_REPLY, LOGON_REPLY.length, this.time.virtualNs);
  }

  /** A request left: what the venue makes of it. */
  accepted(action: number, r: OrderRequest): void {
    const slot = this.replyTail++ & (QUEUE - 1);
    const from = slot * ID_BYTES;
    for (let i = 0; i < ID_BYTES; i++) this.idBytes[from + i] = this.sentBytes[ID_AT + i]!;
    this.replyDueNs[slot] = this.time.virtualNs + REPLY_NS;
    this.replySeq[slot] = r.clientSeq;
    this.replyPx[slot] = r.pxTicks;
    this.replyQty[slot] = r.qtyLots;
    this.replyKind[slot] = this.act(action, r);
    this.updateDue();
  }

  /** The action that is confirmed, 0 when the order is not there. */
  private act(action: number, r: OrderRequest): number {
    if (action === ACTION_PLACE) {
      const k = this.live++;
      this.liveSeq[k] = r.clientSeq;
      this.liveStrategy[k] = r.strategy;
      this.liveSide[k] = r.side;
      this.livePx[k] = r.pxTicks;
      this.liveQty[k] = r.qtyLots;
      return action;
    }
    for (let k = 0; k < this.live; k++) {
      if (this.liveSeq[k] !== r.clientSeq) continue;
      if (action === ACTION_CANCEL) this.remove(k);
      else {
        this.livePx[k] = r.pxTicks;
        this.liveQty[k] = r.qtyLots;
      }
      return action;
    }
    return 0;
  }

  private remove(k: number): void {
    const last = --this.live;
    this.liveSeq[k] = this.liveSeq[last]!;
    this.liveStrategy[k] = this.liveStrategy[last]!;
    this.liveSide[k] = this.liveSide[last]!;
    this.livePx[k] = this.livePx[last]!;
    this.liveQty[k] = this.liveQty[last]!;
  }

  /** A public trade: what it reaches is filled. */
  onTrade(pxTicks: number): void {
    for (let k = this.live - 1; k >= 0; k--) {
      const buys = this.liveSide[k] === SIDE_BUY;
      if (buys ? pxTicks > this.livePx[k]! : pxTicks < this.livePx[k]!) continue;
      const slot = this.fillTail++ & (QUEUE - 1);
      this.fillDueNs[slot] = this.time.virtualNs + FILL_NS;
      this.fillSeq[slot] = this.liveSeq[k]!;
      this.fillStrategy[slot] = this.liveStrategy[k]!;
      this.fillSide[slot] = this.liveSide[k]!;
      this.fillPx[slot] = this.livePx[k]!;
      this.fillQty[slot] = this.liveQty[k]!;
      this.fills++;
      this.remove(k);
      this.updateDue();
    }
  }

  private updateDue(): void {
    const replies = this.replyHead === this.replyTail;
    const fills = this.fillHead === this.fillTail;
    const reply = replies ? Number.POSITIVE_INFINITY : this.replyDueNs[this.replyHead & (QUEUE - 1)]!;
    const fill = fills ? Number.POSITIVE_INFINITY : this.fillDueNs[this.fillHead & (QUEUE - 1)]!;
    this.dueNs = Math.min(reply, fill);
  }

  /** Hands over every answer due at `nowNs`. */
  deliver(nowNs: number): void {
    while (this.dueNs <= nowNs) {
      const slot = this.replyHead & (QUEUE - 1);
      if (this.replyHead !== this.replyTail && this.replyDueNs[slot] === this.dueNs) {
        this.replyHead++;
        this.sendReply(slot, this.dueNs);
      } else this.sendFill(this.fillHead++ & (QUEUE - 1), this.dueNs);
      this.updateDue();
    }
  }

  private ms(ns: number): number {
    return this.baseMs + Math.round(ns / 1e6);
  }

  private sendReply(slot: number, nowNs: number): void {
    const out = this.out;
    const from = slot * ID_BYTES;
    out.at = 0;
    out.literal(T_ID);
    let end = from;
    while (this.idBytes[end] !== QUOTE) end++;
    out.copy(this.idBytes, from, end);
    const kind = this.replyKind[slot]!;
    if (kind === 0) out.literal(T_ERROR);
    else {
      out.literal(T_OK);
      out.integer(FIRST_ORDER_ID + this.replySeq[slot]!);
      out.literal(kind === ACTION_CANCEL ? T_CANCELED : T_NEW);
      out.decimal(this.replyPx[slot]!, 1);
      out.literal(T_QTY);
      out.decimal(this.replyQty[slot]!, 3);
      out.literal(T_EXECUTED);
      out.integer(this.ms(nowNs));
      out.literal(T_END);
    }
    this.orders!.onText(out.bytes, out.at, nowNs);
  }

  private sendFill(slot: number, nowNs: number): void {
    const out = this.out;
    out.at = 0;
    out.literal(F_TIME);
    out.integer(this.ms(nowNs));
    out.literal(F_EVENT);
    out.integer(this.ms(nowNs));
    out.literal(F_CLIENT);
    out.at = this.ids.encode(out.bytes, out.at, this.fillStrategy[slot]!, this.fillSeq[slot]!);
    out.literal(this.fillSide[slot] === SIDE_BUY ? F_BUY : F_SELL);
    out.decimal(this.fillQty[slot]!, 3);
    out.literal(F_PX);
    out.decimal(this.fillPx[slot]!, 1);
    out.literal(F_STATE);
    out.integer(FIRST_ORDER_ID + this.fillSeq[slot]!);
    out.literal(F_LAST);
    out.decimal(this.fillQty[slot]!, 3);
    out.literal(F_CUM);
    out.decimal(this.fillQty[slot]!, 3);
    out.literal(F_LAST_PX);
    out.decimal(this.fillPx[slot]!, 1);
    out.literal(F_FEE);
    out.integer(this.ms(nowNs));
    out.literal(F_TRADE);
    out.integer(1_000_000 + this.fills);
    out.literal(F_END);
    this.gateway!.account.users.onLinkText(out.bytes, out.at, nowNs);
  }
}

/** The gateway that EXECUTION sees: the real one, and the responder told of what it sent. */
export class WatchedGateway implements OrderGateway {
  private inner: BinanceGateway | null = null;
  private readonly responder: Responder;

  constructor(responder: Responder) {
    this.responder = responder;
  }

  open(inner: BinanceGateway): void {
    this.inner = inner;
  }

  get ready(): boolean {
    return this.inner!.ready;
  }

  place(r: OrderRequest): number {
    return this.told(ACTION_PLACE, r, this.inner!.place(r));
  }

  cancel(r: OrderRequest): number {
    return this.told(ACTION_CANCEL, r, this.inner!.cancel(r));
  }

  modify(r: OrderRequest): number {
    return this.told(ACTION_MODIFY, r, this.inner!.modify(r));
  }

  reconcile(): void {
    this.inner!.reconcile();
  }

  cancelAll(): number {
    return SEND_OK;
  }

  private told(action: number, r: OrderRequest, code: number): number {
    if (code === SEND_OK) this.responder.accepted(action, r);
    return code;
  }
}
