// EXECUTION driven by the records alone: a gateway whose answers follow from a rule and the time of the records,
// and a driver that lets timers and answers fall due between FACTOR's records. No clock, no network.
import {
  RECORD_BYTES,
  type RecordHandler,
  type RecordMemory,
  type RecordSink,
} from "../../src/core/record.ts";
import { EXECUTION_TIMER_ID } from "../../src/engine/execution-agent.ts";
import type { SequenceSource } from "../../src/lane/pipe.ts";
import {
  type OrderGateway,
  type OrderRequest,
  SEND_NOT_CONNECTED,
  SEND_OK,
} from "../../src/order/gateway.ts";
import { ReportWriter } from "../../src/order/report-writer.ts";
import {
  EXEC_AMENDED,
  EXEC_CANCELED,
  EXEC_NEW,
  EXEC_REJECTED,
  EXEC_TRADE,
  FEED_REASON_NONE,
  FEED_SYNCED,
  ORDER_CANCELED,
  ORDER_FILLED,
  ORDER_REJECTED,
  ORDER_WORKING,
  SOURCE_REPLY,
} from "../../src/wire/codes.ts";
import { encodeTimer, FLAG_END_OF_EVENT, HEADER_RECV_TS_NS } from "../../src/wire/messages.gen.ts";

const ANSWER_NS = 1e6;
const FILL_NS = 40e6;
const TIMER_NS = 10e6;
const WALLET_E8 = 1e14;
/** Every so manieth placed order … */
const FILL_EVERY = 5;
const REJECT_EVERY = 23;
const REFUSE_EVERY = 31;

interface Due {
  readonly atNs: number;
  readonly execType: number;
  readonly state: number;
  readonly request: OrderRequest;
}

export class RuleGateway implements OrderGateway {
  readonly ready = true;
  private readonly time: { readonly nowNs: number };
  private readonly nonceLo: number;
  private readonly nonceHi: number;
  private readonly writer: ReportWriter;
  private due: Due[] = [];
  private open = new Map<number, OrderRequest>();
  private requests = 0;
  private trades = 0;

  constructor(sink: RecordSink, time: { readonly nowNs: number }, nonceLo: number, nonceHi: number) {
    this.time = time;
    this.nonceLo = nonceLo;
    this.nonceHi = nonceHi;
    this.writer = new ReportWriter(sink, 0);
  }

  /** The account is up and reconciled. */
  start(nowNs: number): void {
    this.writer.writeBalance(0, nowNs, nowNs, WALLET_E8, WALLET_E8, 0, 1, 0);
    this.writer.writeStatus(nowNs, FEED_SYNCED, FEED_REASON_NONE, 0, 1);
  }

  place(request: OrderRequest): number {
    if (++this.requests % REFUSE_EVERY === 0) return SEND_NOT_CONNECTED;
    const copy = { ...request };
    if (request.clientSeq % REJECT_EVERY === 0)
      return this.plan(EXEC_REJECTED, ORDER_REJECTED, copy, ANSWER_NS);
    this.open.set(request.clientSeq, copy);
    if (request.clientSeq % FILL_EVERY === 0) this.plan(EXEC_TRADE, ORDER_FILLED, copy, FILL_NS);
    return this.plan(EXEC_NEW, ORDER_WORKING, copy, ANSWER_NS);
  }

  modify(request: OrderRequest): number {
    if (++this.requests % REFUSE_EVERY === 0) return SEND_NOT_CONNECTED;
    return this.plan(EXEC_AMENDED, ORDER_WORKING, { ...request }, ANSWER_NS);
  }

  cancel(request: OrderRequest): number {
    if (++this.requests % REFUSE_EVERY === 0) return SEND_NOT_CONNECTED;
    return this.plan(EXEC_CANCELED, ORDER_CANCELED, { ...request }, ANSWER_NS);
  }

  cancelAll(_instrument: number): number {
    return SEND_OK;
  }

  reconcile(): void {}

  get nextDueNs(): number {
    return this.due[0]?.atNs ?? Number.POSITIVE_INFINITY;
  }

  /** Delivers the answer that is due first. */
  deliver(): void {
    const due = this.due.shift()!;
    const { clientSeq } = due.request;
    const known = this.open.get(clientSeq);
    // Filled or cancelled meanwhile: the venue has nothing more to say of it.
    if (known === undefined && due.execType !== EXEC_REJECTED) return;
    if (due.execType === EXEC_AMENDED) this.open.set(clientSeq, due.request);
    if (due.execType === EXEC_TRADE || due.execType === EXEC_CANCELED) this.open.delete(clientSeq);
    if (due.execType === EXEC_TRADE) this.writeFill(due, known!);
    this.writeReport(due, due.execType === EXEC_TRADE ? known! : due.request);
  }

  private plan(execType: number, state: number, request: OrderRequest, delayNs: number): number {
    this.due.push({ atNs: this.time.nowNs + delayNs, execType, state, request });
    this.due.sort(
      (a, b) => a.atNs - b.atNs || a.request.clientSeq - b.request.clientSeq || a.execType - b.execType,
    );
    return SEND_OK;
  }

  private writeReport({ atNs, execType, state }: Due, order: OrderRequest): void {
    const o = this.writer.order;
    o.instrument = order.instrument;
    o.strategy = order.strategy;
    o.exchTsNs = atNs;
    o.recvTsNs = atNs;
    o.clientSeq = order.clientSeq;
    o.execType = execType;
    o.orderState = state;
    o.source = SOURCE_REPLY;
    o.side = order.side;
    o.pxTicks = order.pxTicks;
    o.qtyLots = order.qtyLots;
    o.cumQtyLots = execType === EXEC_TRADE ? order.qtyLots : 0;
    o.orderIdLo = order.clientSeq;
    o.nonceLo = this.nonceLo;
    o.nonceHi = this.nonceHi;
    o.orderIdHi = 0;
    o.rejectCode = execType === EXEC_REJECTED ? -2010 : 0;
    this.writer.writeOrder();
  }

  private writeFill({ atNs }: Due, order: OrderRequest): void {
    const f = this.writer.fill;
    f.instrument = order.instrument;
    f.strategy = order.strategy;
    f.exchTsNs = atNs;
    f.recvTsNs = atNs;
    f.clientSeq = order.clientSeq;
    f.side = order.side;
    f.maker = 1;
    f.source = SOURCE_REPLY;
    f.feeAsset = 1;
    f.pxTicks = order.pxTicks;
    f.qtyLots = order.qtyLots;
    f.tradeIdLo = ++this.trades;
    f.tradeIdHi = 0;
    f.orderIdLo = order.clientSeq;
    f.orderIdHi = 0;
    f.nonceLo = this.nonceLo;
    f.nonceHi = this.nonceHi;
    f.feeE8 = 1000;
    this.writer.writeFill();
  }
}

/** Before each FACTOR record: what has fallen due by its time. Keeps a copy of every FACTOR record. */
export class LogicalDriver implements RecordHandler, SequenceSource {
  /** FACTOR records delivered. */
  sequence = 0;
  private readonly handler: RecordHandler;
  private observed: RecordSink | null = null;
  private gateway: RuleGateway | null = null;
  private nextTimerNs = -1;
  private readonly log: Uint8Array[] = [];

  constructor(handler: RecordHandler) {
    this.handler = handler;
  }

  open(observed: RecordSink, gateway: RuleGateway): void {
    this.observed = observed;
    this.gateway = gateway;
  }

  /** Every FACTOR record so far, 64 bytes each. */
  bytes(): Uint8Array {
    return Buffer.concat(this.log);
  }

  onRecord(m: RecordMemory, at: number): void {
    const recvTsNs = m.f64[(at >> 3) + HEADER_RECV_TS_NS]!;
    this.log.push(m.u8.slice(at, at + RECORD_BYTES));
    if (this.nextTimerNs < 0) this.begin(recvTsNs);
    for (;;) {
      const timerNs = this.nextTimerNs;
      const answerNs = this.gateway!.nextDueNs;
      if (Math.min(timerNs, answerNs) > recvTsNs) break;
      if (answerNs <= timerNs) this.gateway!.deliver();
      else this.timer(timerNs);
    }
    this.sequence = (this.sequence + 1) >>> 0;
    this.handler.onRecord(m, at);
  }

  onBatchEnd(): void {
    this.observed!.publish();
  }

  private begin(nowNs: number): void {
    this.nextTimerNs = (Math.floor(nowNs / TIMER_NS) + 1) * TIMER_NS;
    this.gateway!.start(nowNs);
  }

  private timer(atNs: number): void {
    const sink = this.observed!;
    const at = sink.tryClaim();
    encodeTimer(sink.memory, at, FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, atNs, EXECUTION_TIMER_ID, TIMER_NS, atNs);
    sink.commit();
    this.nextTimerNs += TIMER_NS;
  }
}
