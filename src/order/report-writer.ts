// What the venue says of the account → records in the execution lane's sink. Hot: execution lane; 0 bytes per
// record. Heads and continuations are written together or not at all: a report that does not fit is counted,
// and the gateway then treats its view of the account as lost.
import type { RecordSink } from "../core/record.ts";
import {
  encodeBalance,
  encodeFeedStatus,
  encodeFunding,
  encodeHeader,
  encodePosition,
  encodePositionDetail,
  FLAG_CONTINUATION,
  FLAG_MORE,
  FLAG_VENUE,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  putFill,
  putFillDetail,
  putOrderReport,
  putOrderReportDetail,
} from "../wire/messages.gen.ts";

const NS_PER_MS = 1_000_000;

/** One order report; filled by its source, written by ReportWriter.order. Reused, never kept. */
export class OrderNews {
  flags = 0;
  instrument = 0;
  strategy = 0;
  exchTsNs = 0.5;
  recvTsNs = 0.5;
  clientSeq = 0;
  execType = 0;
  orderState = 0;
  source = 0;
  side = 0;
  pxTicks = 0.5;
  qtyLots = 0.5;
  cumQtyLots = 0.5;
  orderIdLo = 0.5;
  orderIdHi = 0.5;
  nonceLo = 0.5;
  nonceHi = 0.5;
  rejectCode = 0;
  action = 0;
}

/** One fill; reused, never kept. */
export class FillNews {
  flags = 0;
  instrument = 0;
  strategy = 0;
  exchTsNs = 0.5;
  recvTsNs = 0.5;
  clientSeq = 0;
  side = 0;
  maker = 0;
  source = 0;
  feeAsset = 0;
  pxTicks = 0.5;
  qtyLots = 0.5;
  tradeIdLo = 0.5;
  tradeIdHi = 0.5;
  orderIdLo = 0.5;
  orderIdHi = 0.5;
  nonceLo = 0.5;
  nonceHi = 0.5;
  feeE8 = 0.5;
}

/** Whether a trade has been applied, by its id. Hot: called once per fill. */
export type KnownFill = (instrument: number, idLo: number, idHi: number) => boolean;

export class ReportWriter {
  /** Records that did not fit. */
  lost: number;
  /** Fills that had been applied before: stream, history and reconnects repeat them, the journal does not. */
  repeatedFills: number;
  readonly order: OrderNews;
  readonly fill: FillNews;
  private readonly sink: RecordSink;
  private readonly baseMs: number;
  readonly isKnownFill: KnownFill;
  private sequence: number;

  constructor(sink: RecordSink, baseMs: number, isKnownFill: KnownFill = () => false) {
    this.lost = 0;
    this.repeatedFills = 0;
    this.isKnownFill = isKnownFill;
    this.order = new OrderNews();
    this.fill = new FillNews();
    this.sink = sink;
    this.baseMs = baseMs;
    this.sequence = 0;
  }

  /** Venue ms → session ns. */
  sessionNs(unixMs: number): number {
    return (unixMs - this.baseMs) * NS_PER_MS;
  }

  publish(): void {
    this.sink.publish();
  }

  writeOrder(): boolean {
    if (!this.room(2)) return false;
    const o = this.order;
    const m = this.sink.memory;
    const sequence = this.take();
    let at = this.begin(KIND_ORDER_REPORT, FLAG_MORE, sequence, o);
    const { clientSeq, execType, orderState, source, side, pxTicks, qtyLots, cumQtyLots } = o;
    putOrderReport(m, at, clientSeq, execType, orderState, source, side, pxTicks, qtyLots, cumQtyLots);
    this.sink.commit();
    at = this.begin(KIND_ORDER_REPORT_DETAIL, FLAG_CONTINUATION, sequence, o);
    const { orderIdLo, orderIdHi, nonceLo, nonceHi, rejectCode, action, exchTsNs } = o;
    putOrderReportDetail(m, at, orderIdLo, orderIdHi, nonceLo, nonceHi, rejectCode, action, exchTsNs);
    this.sink.commit();
    return true;
  }

  /** True as well for a fill that needs no record because it is known. */
  writeFill(): boolean {
    const f = this.fill;
    const { tradeIdLo, tradeIdHi } = f;
    if (this.isKnownFill(f.instrument, tradeIdLo, tradeIdHi)) {
      this.repeatedFills++;
      return true;
    }
    if (!this.room(2)) return false;
    const m = this.sink.memory;
    const sequence = this.take();
    let at = this.begin(KIND_FILL, FLAG_MORE, sequence, f);
    const { clientSeq, side, maker, source, feeAsset, pxTicks, qtyLots } = f;
    putFill(m, at, clientSeq, side, maker, source, feeAsset, pxTicks, qtyLots, tradeIdLo, tradeIdHi);
    this.sink.commit();
    at = this.begin(KIND_FILL_DETAIL, FLAG_CONTINUATION, sequence, f);
    putFillDetail(m, at, f.orderIdLo, f.orderIdHi, f.nonceLo, f.nonceHi, f.feeE8, Number.NaN);
    this.sink.commit();
    return true;
  }

  writeBalance(
    flags: number,
    exchTsNs: number,
    recvTsNs: number,
    walletE8: number,
    availableE8: number,
    changeE8: number,
    asset: number,
    reason: number,
  ): boolean {
    if (!this.room(1)) return false;
    const at = this.sink.tryClaim();
    const m = this.sink.memory;
    encodeBalance(
      m,
      at,
      flags,
      0,
      0,
      this.take(),
      0,
      exchTsNs,
      recvTsNs,
      walletE8,
      availableE8,
      changeE8,
      asset,
      reason,
    );
    this.sink.commit();
    return true;
  }

  /** `transactionId`: decimal digits. The income history does not tell the wallet: NaN. Cold. */
  writeFunding(
    instrument: number,
    unixMs: number,
    recvTsNs: number,
    amountE8: number,
    asset: number,
    reason: number,
    transactionId: string,
  ): boolean {
    if (!this.room(1)) return false;
    const m = this.sink.memory;
    const id = BigInt(transactionId);
    const lo = Number(id & 0xffff_ffffn);
    const hi = Number(id >> 32n);
    const exch = this.sessionNs(unixMs);
    const wallet = Number.NaN;
    const at = this.sink.tryClaim();
    encodeFunding(
      m,
      at,
      0,
      instrument,
      0,
      this.take(),
      0,
      exch,
      recvTsNs,
      amountE8,
      wallet,
      asset,
      reason,
      lo,
      hi,
    );
    this.sink.commit();
    return true;
  }

  /** The venue's own view of a position (strategy 0): quantity exact, cost from its average price. */
  writePosition(
    flags: number,
    instrument: number,
    exchTsNs: number,
    recvTsNs: number,
    qtyLots: number,
    costTickLots: number,
  ): boolean {
    if (!this.room(2)) return false;
    const m = this.sink.memory;
    const sequence = this.take();
    let at = this.sink.tryClaim();
    const head = flags | FLAG_VENUE | FLAG_MORE;
    encodePosition(m, at, head, instrument, 0, sequence, 0, exchTsNs, recvTsNs, qtyLots, costTickLots, 0, 0);
    this.sink.commit();
    at = this.sink.tryClaim();
    const tail = flags | FLAG_VENUE | FLAG_CONTINUATION;
    encodePositionDetail(m, at, tail, instrument, 0, sequence, 0, exchTsNs, recvTsNs, 0, 0, 0, Number.NaN);
    this.sink.commit();
    return true;
  }

  /** State of the account stream: FeedStatus of instrument 0. */
  writeStatus(recvTsNs: number, state: number, reason: number, gaps: number, resyncs: number): boolean {
    if (!this.room(1)) return false;
    const at = this.sink.tryClaim();
    const m = this.sink.memory;
    encodeFeedStatus(
      m,
      at,
      0,
      0,
      0,
      this.take(),
      0,
      0,
      recvTsNs,
      state,
      reason,
      gaps,
      resyncs,
      0,
      0,
      Number.NaN,
    );
    this.sink.commit();
    return true;
  }

  /** A claimed record with its header. */
  private begin(kind: number, flags: number, sequence: number, of: OrderNews | FillNews): number {
    const at = this.sink.tryClaim();
    const { instrument, strategy, exchTsNs, recvTsNs } = of;
    const all = of.flags | flags;
    encodeHeader(this.sink.memory, at, kind, all, instrument, strategy, sequence, 0, exchTsNs, recvTsNs);
    return at;
  }

  private room(count: number): boolean {
    if (this.sink.hasRoom(count)) return true;
    this.lost += count;
    return false;
  }

  private take(): number {
    const sequence = this.sequence;
    this.sequence = (sequence + 1) >>> 0;
    return sequence;
  }
}
