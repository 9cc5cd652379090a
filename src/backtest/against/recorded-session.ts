// One recorded session as the comparison needs it: market messages by the venue's ids, requests as they were sent,
// what came back. Read from the WAL in one walk; a session of hours fits into memory as typed arrays and small
// objects per order. Cold.
import { RECORD_BYTES, type RecordMemory } from "../../core/record.ts";
import type { SessionManifest } from "../../journal/session-manifest.ts";
import { readSegments, type SegmentFile } from "../../journal/wal-reader.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import {
  DepthDelta,
  Fill,
  FillDetail,
  FLAG_END_OF_EVENT,
  FLAG_REDUCE_ONLY,
  HEADER_KIND,
  KIND_DEPTH_DELTA,
  KIND_FILL,
  KIND_FILL_DETAIL,
  KIND_GAP,
  KIND_ORDER_REPORT,
  KIND_ORDER_REPORT_DETAIL,
  KIND_ORDER_SENT,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
  KIND_TRADE,
  OrderReport,
  OrderReportDetail,
  OrderSent,
  SnapshotBegin,
  Trade,
} from "../../wire/messages.gen.ts";

const TWO_32 = 4_294_967_296;

export interface Level {
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
}

export interface DepthMessage {
  readonly exchNs: number;
  readonly recvNs: number;
  /** True: the levels replace the book. */
  readonly snapshot: boolean;
  readonly levels: Level[];
}

export interface TradeMessage {
  readonly exchNs: number;
  readonly recvNs: number;
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
}

/** A request that left, and when its first answer came. */
export interface SentRequest {
  readonly request: OrderRequest;
  /** ACTION_… */
  readonly action: number;
  readonly sentNs: number;
  answeredNs: number;
  /** Venue's code of a refusal, 0 = none. */
  rejectCode: number;
}

export interface RecordedFill {
  readonly clientSeq: number;
  readonly strategy: number;
  readonly instrument: number;
  readonly side: number;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly maker: boolean;
  readonly feeE8: number;
}

export interface RecordedMarket {
  /** By final update id (snapshots: lastUpdateId), in the order received. */
  readonly depth: Map<number, DepthMessage>;
  /** The first snapshot's update id: the book is known from here on. NaN without one. */
  firstSnapshot: number;
  /** By trade id as decimal text. */
  readonly trades: Map<string, TradeMessage>;
}

export interface RecordedSession {
  /** Index: instrument id; element 0 is not used. */
  readonly markets: readonly RecordedMarket[];
  /** By clientSeq, each order's requests in the order sent. */
  readonly orders: Map<number, SentRequest[]>;
  readonly fills: RecordedFill[];
  /** Gap records and damage: what a comparison cannot stand on. */
  readonly losses: string[];
}

/** `segments` of one session. */
export function readSession(segments: readonly SegmentFile[], manifest: SessionManifest): RecordedSession {
  const reader = new SessionReader(manifest);
  const streams = new Map(Object.entries(manifest.streams).map(([id, name]) => [Number(id), name]));
  const { problems } = readSegments(segments, ({ memory, at, count, stream }) => {
    const name = streams.get(stream);
    for (let i = 0; i < count; i++) {
      if (name === "market") reader.onMarket(memory, at + i * RECORD_BYTES);
      else if (name === "orders") reader.onOrders(memory, at + i * RECORD_BYTES);
    }
  });
  for (const p of problems) if (p.kind !== "torn") reader.session.losses.push(`${p.file}: ${p.reason}`);
  return reader.session;
}

class SessionReader {
  readonly session: RecordedSession;
  private readonly manifest: SessionManifest;
  private readonly open: (DepthMessage | null)[];
  private readonly fill = { head: null as Omit<RecordedFill, "feeE8"> | null, own: false };
  private report: { clientSeq: number; recvNs: number } | null = null;

  constructor(manifest: SessionManifest) {
    this.manifest = manifest;
    const markets = [0, ...manifest.instruments.map((i) => i.id)].map(
      (): RecordedMarket => ({ depth: new Map(), firstSnapshot: Number.NaN, trades: new Map() }),
    );
    this.open = markets.map(() => null);
    this.session = { markets, orders: new Map(), fills: [], losses: [] };
  }

  onMarket(m: RecordMemory, at: number): void {
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (kind === KIND_DEPTH_DELTA) this.onLevel(new DepthDelta(m).wrap(m, at));
    else if (kind === KIND_SNAPSHOT_BEGIN) {
      const r = new SnapshotBegin(m).wrap(m, at);
      const market = this.session.markets[r.instrument]!;
      const id = r.updateIdHi * TWO_32 + r.updateIdLo;
      if (Number.isNaN(market.firstSnapshot)) market.firstSnapshot = id;
      this.open[r.instrument] = { exchNs: r.exchTsNs, recvNs: r.recvTsNs, snapshot: true, levels: [] };
      market.depth.set(id, this.open[r.instrument]!);
    } else if (kind === KIND_SNAPSHOT_END) this.open[new SnapshotBegin(m).wrap(m, at).instrument] = null;
    else if (kind === KIND_TRADE) {
      const r = new Trade(m).wrap(m, at);
      const id = ((BigInt(r.tradeIdHi) << 32n) | BigInt(r.tradeIdLo)).toString();
      const { exchTsNs: exchNs, recvTsNs: recvNs, side, pxTicks, qtyLots } = r;
      this.session.markets[r.instrument]!.trades.set(id, { exchNs, recvNs, side, pxTicks, qtyLots });
    } else if (kind === KIND_GAP) this.session.losses.push("a Gap in the market stream");
  }

  private onLevel(r: DepthDelta): void {
    const market = this.session.markets[r.instrument]!;
    let message = this.open[r.instrument]!;
    if (message === null) {
      message = { exchNs: r.exchTsNs, recvNs: r.recvTsNs, snapshot: false, levels: [] };
      market.depth.set(r.updateIdHi * TWO_32 + r.updateIdLo, message);
      this.open[r.instrument] = message;
    }
    message.levels.push({ side: r.side, pxTicks: r.pxTicks, qtyLots: r.qtyLots });
    if (!message.snapshot && (r.flags & FLAG_END_OF_EVENT) !== 0) this.open[r.instrument] = null;
  }

  onOrders(m: RecordMemory, at: number): void {
    const kind = m.u16[(at >> 1) + HEADER_KIND]!;
    if (kind === KIND_ORDER_SENT) this.onSent(new OrderSent(m).wrap(m, at));
    else if (kind === KIND_ORDER_REPORT) {
      const { clientSeq, recvTsNs: recvNs } = new OrderReport(m).wrap(m, at);
      this.report = { clientSeq, recvNs };
    } else if (kind === KIND_ORDER_REPORT_DETAIL) this.onReport(new OrderReportDetail(m).wrap(m, at));
    else if (kind === KIND_FILL) this.onFill(new Fill(m).wrap(m, at));
    else if (kind === KIND_FILL_DETAIL) this.onFillDetail(new FillDetail(m).wrap(m, at));
    else if (kind === KIND_GAP) this.session.losses.push("a Gap in the orders stream");
  }

  private onSent(r: OrderSent): void {
    const { clientSeq, instrument, strategy, action, side, tif, orderType, pxTicks, qtyLots } = r;
    const reduceOnly = (r.flags & FLAG_REDUCE_ONLY) !== 0;
    const sent: SentRequest = {
      request: { clientSeq, instrument, strategy, side, tif, orderType, reduceOnly, pxTicks, qtyLots },
      action,
      sentNs: r.recvTsNs,
      answeredNs: Number.NaN,
      rejectCode: 0,
    };
    const of = this.session.orders.get(clientSeq);
    if (of === undefined) this.session.orders.set(clientSeq, [sent]);
    else of.push(sent);
  }

  /** The first answer to a request that is still unanswered. */
  private onReport(detail: OrderReportDetail): void {
    const { report } = this;
    if (report === null || !this.isOwn(detail.clientNonceLo, detail.clientNonceHi)) return;
    if (detail.requestAction === 0) return;
    const waiting = this.session.orders
      .get(report.clientSeq)
      ?.find((r) => r.action === detail.requestAction && Number.isNaN(r.answeredNs));
    if (waiting === undefined) return;
    waiting.answeredNs = report.recvNs;
    waiting.rejectCode = detail.rejectCode;
  }

  private onFill(r: Fill): void {
    const { clientSeq, strategy, instrument, side, pxTicks, qtyLots } = r;
    this.fill.head = { clientSeq, strategy, instrument, side, pxTicks, qtyLots, maker: r.maker === 1 };
  }

  private onFillDetail(detail: FillDetail): void {
    const { head } = this.fill;
    if (head === null || !this.isOwn(detail.clientNonceLo, detail.clientNonceHi)) return;
    this.session.fills.push({ ...head, feeE8: detail.feeE8 });
    this.fill.head = null;
  }

  private isOwn(lo: number, hi: number): boolean {
    return lo === this.manifest.nonceLo && hi === this.manifest.nonceHi;
  }
}
