// Reports under way from an in-process exchange to the trader: rows in the order of arrival, written as the
// records of a user stream when they arrive. Hot: 0 bytes per report.
import type { RecordSink } from "../core/record.ts";
import { ReportWriter } from "../order/report-writer.ts";
import { FEED_REASON_NONE, FEED_SYNCED, SOURCE_USER_STREAM } from "../wire/codes.ts";
import { RowQueue } from "./row-queue.ts";

const NEVER = Number.POSITIVE_INFINITY;
const TWO_32 = 4_294_967_296;
/** ACCOUNT_UPDATE reason ORDER. */
const REASON_ORDER = 1;

/** Fields of a report under way; a fill has lots in R_LAST_QTY. */
export const R_ARRIVAL = 0;
export const R_EXCH = 1;
export const R_INSTRUMENT = 2;
export const R_STRATEGY = 3;
export const R_CLIENT_SEQ = 4;
export const R_EXEC = 5;
export const R_STATE = 6;
export const R_SIDE = 7;
export const R_PX = 8;
export const R_QTY = 9;
export const R_CUM = 10;
export const R_ORDER_ID = 11;
export const R_REJECT = 12;
export const R_ACTION = 13;
export const R_FLAGS = 14;
export const R_LAST_PX = 15;
export const R_LAST_QTY = 16;
export const R_MAKER = 17;
export const R_TRADE_ID = 18;
export const R_FEE = 19;
export const R_WALLET = 20;
/** Not 0: the row is no report but a payment of funding, 1e-8 of the settlement currency, + received. */
export const R_FUNDING = 21;
const R_WIDTH = 22;

export class ReportLine {
  private readonly rows = new RowQueue(R_WIDTH);
  private readonly writer: ReportWriter;
  private readonly nonceLo: number;
  private readonly nonceHi: number;
  private readonly assetOf: (instrument: number) => number;
  /** Exchange time of the last delivered report. */
  deliveredExchNs = Number.NaN;
  private lastNs = Number.NEGATIVE_INFINITY;

  constructor(sink: RecordSink, nonceLo: number, nonceHi: number, assetOf: (instrument: number) => number) {
    this.writer = new ReportWriter(sink, 0);
    this.nonceLo = nonceLo;
    this.nonceHi = nonceHi;
    this.assetOf = assetOf;
  }

  get length(): number {
    return this.rows.length;
  }

  /** Fields of the rows, at the offsets that push gives; valid until the next push. */
  get values(): Float64Array {
    return this.rows.values;
  }

  /** Arrival of the first report; Infinity when there is none. */
  get nextNs(): number {
    return this.rows.length === 0 ? NEVER : this.rows.values[this.rows.head + R_ARRIVAL]!;
  }

  /** A new report; it never arrives before an earlier one. Fields that are not always written are zero. */
  push(exec: number, state: number, action: number, arrivalNs: number): number {
    const row = this.rows.push();
    const r = this.rows.values;
    this.lastNs = Math.max(this.lastNs, arrivalNs);
    r[row + R_ARRIVAL] = this.lastNs;
    r[row + R_EXEC] = exec;
    r[row + R_STATE] = state;
    r[row + R_CUM] = 0;
    r[row + R_ORDER_ID] = 0;
    r[row + R_REJECT] = 0;
    r[row + R_ACTION] = action;
    r[row + R_FLAGS] = 0;
    r[row + R_LAST_QTY] = 0;
    r[row + R_FUNDING] = 0;
    return row;
  }

  /** Hands the first report to the sink. */
  deliver(): void {
    const v = this.rows.values;
    const at = this.rows.head;
    this.deliveredExchNs = v[at + R_EXCH]!;
    if (v[at + R_FUNDING] !== 0) this.writeFunding(v, at);
    else {
      if (v[at + R_LAST_QTY]! > 0) this.writeFill(v, at);
      this.writeReport(v, at);
    }
    this.writer.publish();
    // Not before: what is written may lead to requests, and a refusal of one would take the row.
    this.rows.pop();
  }

  /** The account's first word: its balance, and that nothing is open. */
  open(tsNs: number, walletE8: number, asset: number): void {
    this.writer.writeBalance(0, tsNs, tsNs, walletE8, walletE8, 0, asset, 0);
    this.writer.writeStatus(tsNs, FEED_SYNCED, FEED_REASON_NONE, 0, 1);
    this.writer.publish();
  }

  private writeFunding(v: Float64Array, at: number): void {
    const [exchNs, arrivalNs] = [v[at + R_EXCH]!, v[at + R_ARRIVAL]!];
    const [instrument, amount, wallet] = [v[at + R_INSTRUMENT]!, v[at + R_FUNDING]!, v[at + R_WALLET]!];
    const asset = this.assetOf(instrument);
    // The writer's base is 0: what it takes for Unix time is session time.
    this.writer.writeFunding(
      instrument,
      exchNs / 1e6,
      arrivalNs,
      amount,
      asset,
      0,
      String(v[at + R_TRADE_ID]),
    );
    this.writer.writeBalance(0, exchNs, arrivalNs, wallet, wallet, amount, asset, 0);
  }

  /** As on the venue's user stream: the balance, then the execution, then the order's new state. */
  private writeFill(v: Float64Array, at: number): void {
    const f = this.writer.fill;
    const wallet = v[at + R_WALLET]!;
    const instrument = v[at + R_INSTRUMENT]!;
    const asset = this.assetOf(instrument);
    this.writer.writeBalance(0, v[at + R_EXCH]!, v[at + R_ARRIVAL]!, wallet, wallet, 0, asset, REASON_ORDER);
    f.flags = v[at + R_FLAGS]!;
    f.instrument = instrument;
    f.strategy = v[at + R_STRATEGY]!;
    f.exchTsNs = v[at + R_EXCH]!;
    f.recvTsNs = v[at + R_ARRIVAL]!;
    f.clientSeq = v[at + R_CLIENT_SEQ]!;
    f.side = v[at + R_SIDE]!;
    f.maker = v[at + R_MAKER]!;
    f.source = SOURCE_USER_STREAM;
    f.feeAsset = asset;
    f.pxTicks = v[at + R_LAST_PX]!;
    f.qtyLots = v[at + R_LAST_QTY]!;
    f.tradeIdLo = v[at + R_TRADE_ID]! % TWO_32;
    f.tradeIdHi = Math.floor(v[at + R_TRADE_ID]! / TWO_32);
    f.orderIdLo = v[at + R_ORDER_ID]! % TWO_32;
    f.orderIdHi = Math.floor(v[at + R_ORDER_ID]! / TWO_32);
    f.nonceLo = this.nonceLo;
    f.nonceHi = this.nonceHi;
    f.feeE8 = v[at + R_FEE]!;
    this.writer.writeFill();
  }

  private writeReport(v: Float64Array, at: number): void {
    const o = this.writer.order;
    o.flags = v[at + R_FLAGS]!;
    o.instrument = v[at + R_INSTRUMENT]!;
    o.strategy = v[at + R_STRATEGY]!;
    o.exchTsNs = v[at + R_EXCH]!;
    o.recvTsNs = v[at + R_ARRIVAL]!;
    o.clientSeq = v[at + R_CLIENT_SEQ]!;
    o.execType = v[at + R_EXEC]!;
    o.orderState = v[at + R_STATE]!;
    o.source = SOURCE_USER_STREAM;
    o.side = v[at + R_SIDE]!;
    o.pxTicks = v[at + R_PX]!;
    o.qtyLots = v[at + R_QTY]!;
    o.cumQtyLots = v[at + R_CUM]!;
    o.orderIdLo = v[at + R_ORDER_ID]! % TWO_32;
    o.orderIdHi = Math.floor(v[at + R_ORDER_ID]! / TWO_32);
    o.nonceLo = this.nonceLo;
    o.nonceHi = this.nonceHi;
    o.rejectCode = v[at + R_REJECT]!;
    o.action = v[at + R_ACTION]!;
    this.writer.writeOrder();
  }
}
