// First pass over a recorded session: requests, reports, fills, positions and funding of the WAL become the tables of a
// run (analytics/run-result.ts) and its session facts. Sessions of one directory follow one another; numbers of
// instruments and strategies are translated by name, times to the base of the first. Cold.

import { makeTables, type ResultInstrument } from "../../analytics/run-result.ts";
import {
  type FundingFact,
  makeRequests,
  type OpeningPosition,
  type RequestTable,
} from "../../analytics/session-facts.ts";
import {
  allocateRecordMemory,
  copyRecord,
  type RecordHandler,
  type RecordMemory,
} from "../../core/record.ts";
import type { SessionManifest } from "../../journal/session-manifest.ts";
import type { RecordPlace, SegmentFile } from "../../journal/wal-reader.ts";
import * as code from "../../wire/codes.ts";
import * as wire from "../../wire/messages.gen.ts";

export interface PassOptions {
  /** Base of the run, ns since the Unix epoch. */
  readonly baseNs: bigint;
  /** Only what happened in [fromNs, toNs), ns since the base. */
  readonly fromNs: number;
  readonly toNs: number;
  /** Only this strategy's; null: all. */
  readonly strategy: string | null;
  readonly manifests: ReadonlyMap<string, SessionManifest>;
}

/** Sessions' own numbers in terms of the run's. */
export interface Translation {
  readonly shiftNs: number;
  /** Index in `instruments` by the session's id; −1: not known. */
  instrument(id: number): number;
  strategy(id: number): number;
}

/** Instruments and strategies of all sessions by name. */
export class Names {
  readonly instruments: ResultInstrument[] = [];
  /** Index + 1 = strategy id of the run; house is 0. */
  readonly strategies: string[] = [];
  private readonly bySession = new Map<string, Translation>();
  private readonly options: PassOptions;

  constructor(options: PassOptions) {
    this.options = options;
    for (const manifest of options.manifests.values()) {
      for (const i of manifest.instruments)
        if (!this.instruments.some((known) => known.symbol === i.symbol))
          this.instruments.push({
            index: this.instruments.length,
            symbol: i.symbol,
            currency: i.settle,
            tickSize: Number(i.tickSize),
            lotSize: Number(i.lotSize),
            contractSize: Number(i.contractSize),
            kind: i.settle === i.base && i.base !== "" ? "inverse" : "linear",
          });
      for (const name of manifest.strategies.slice(1))
        if (!this.strategies.includes(name)) this.strategies.push(name);
    }
  }

  of(segment: SegmentFile & { readonly header: { readonly baseNs: bigint } }): Translation {
    const known = this.bySession.get(segment.session);
    if (known !== undefined) return known;
    const manifest = this.options.manifests.get(segment.session);
    const instruments = new Map(
      (manifest?.instruments ?? []).map((i) => [
        i.id,
        this.instruments.findIndex((k) => k.symbol === i.symbol),
      ]),
    );
    const strategies = (manifest?.strategies ?? []).map((name) => this.strategies.indexOf(name) + 1);
    const made: Translation = {
      shiftNs: Number(segment.header.baseNs - this.options.baseNs),
      instrument: (id) => instruments.get(id) ?? -1,
      strategy: (id) => strategies[id] ?? 0,
    };
    this.bySession.set(segment.session, made);
    return made;
  }
}

/** An order under way: its row, and the request that has no answer yet (row in `requests`, −1 = none). */
interface Known {
  readonly row: number;
  restingNs: number;
  awaiting: number;
}

export class OrdersPass implements RecordHandler {
  readonly place: Partial<RecordPlace> = {};
  readonly tables = makeTables();
  readonly requests: RequestTable = makeRequests();
  readonly decisionTicks: number[] = [];
  readonly orderOfFill: number[] = [];
  readonly opening: OpeningPosition[] = [];
  readonly funding: FundingFact[] = [];
  /** Records that the WAL says are missing. */
  gaps = 0;
  /** First and last receipt in range. */
  firstNs = Number.POSITIVE_INFINITY;
  lastNs = Number.NEGATIVE_INFINITY;
  private readonly names: Names;
  private readonly options: PassOptions;
  private readonly orders = new Map<string, Known>();
  private readonly trades = new Set<string>();
  /** Positions by "strategy instrument", lots; what fills of the window have moved; pairs whose opening is known. */
  private readonly positions = new Map<string, number>();
  private readonly moved = new Map<string, number>();
  private readonly opened = new Set<string>();
  private readonly held = allocateRecordMemory(1);
  private readonly sent = new wire.OrderSent(this.held);
  private readonly stamps = new wire.OrderStamps(this.held);
  private readonly report = new wire.OrderReport(this.held);
  private readonly reportDetail = new wire.OrderReportDetail(this.held);
  private readonly fill = new wire.Fill(this.held);
  private readonly fillDetail = new wire.FillDetail(this.held);
  private readonly stand = new wire.Position(this.held);
  private readonly fund = new wire.Funding(this.held);
  private readonly gap = new wire.Gap(this.held);

  constructor(names: Names, options: PassOptions) {
    this.names = names;
    this.options = options;
  }

  onRecord(m: RecordMemory, at: number): void {
    this.seeTime(m.f64[(at >> 3) + wire.HEADER_RECV_TS_NS]!);
    switch (m.u16[(at >> 1) + wire.HEADER_KIND]!) {
      case wire.KIND_ORDER_SENT:
      case wire.KIND_ORDER_REPORT:
      case wire.KIND_FILL:
      case wire.KIND_POSITION:
        copyRecord(m, at, this.held, 0);
        break;
      case wire.KIND_ORDER_STAMPS:
        this.onSent(this.sent.wrap(this.held, 0), this.stamps.wrap(m, at));
        break;
      case wire.KIND_ORDER_REPORT_DETAIL:
        this.onReport(this.report.wrap(this.held, 0), this.reportDetail.wrap(m, at));
        break;
      case wire.KIND_FILL_DETAIL:
        this.onFill(this.fill.wrap(this.held, 0), this.fillDetail.wrap(m, at));
        break;
      case wire.KIND_POSITION_DETAIL:
        this.onPosition(this.stand.wrap(this.held, 0));
        break;
      case wire.KIND_FUNDING:
        this.onFunding(this.fund.wrap(m, at));
        break;
      case wire.KIND_GAP:
        this.gaps += this.gap.wrap(m, at).lostCount;
        break;
    }
  }

  private seeTime(recvTsNs: number): void {
    const tsNs = recvTsNs + this.translation.shiftNs;
    const { fromNs, toNs } = this.options;
    if (recvTsNs <= 0 || tsNs < fromNs || tsNs >= toNs) return;
    if (tsNs < this.firstNs) this.firstNs = tsNs;
    if (tsNs > this.lastNs) this.lastNs = tsNs;
  }

  private get translation(): Translation {
    return this.names.of(this.place.segment!);
  }

  private get manifest(): SessionManifest | undefined {
    return this.options.manifests.get(this.place.segment!.session);
  }

  private wanted(strategy: number, tsNs: number): boolean {
    const { fromNs, toNs, strategy: only } = this.options;
    if (!(tsNs >= fromNs && tsNs < toNs)) return false;
    return only === null || this.names.strategies[strategy - 1] === only;
  }

  private onSent(sent: wire.OrderSent, stamps: wire.OrderStamps): void {
    const t = this.translation;
    const { shiftNs } = t;
    const strategy = t.strategy(sent.strategy);
    const instrument = t.instrument(sent.instrument);
    const { action } = sent;
    if (instrument < 0 || !this.wanted(strategy, stamps.sentTsNs + shiftNs)) return;
    const key = this.keyOf(sent.clientSeq, this.manifest?.nonceLo ?? 0, this.manifest?.nonceHi ?? 0);
    let order = sent.clientSeq === 0 ? undefined : this.orders.get(key);
    if (action === code.ACTION_PLACE) {
      order = { row: this.addOrder(sent, strategy, instrument), restingNs: Number.NaN, awaiting: -1 };
      this.tables.orders.at("requestTsNs")[order.row] = stamps.sentTsNs + shiftNs;
      this.decisionTicks[order.row] = stamps.midTicks > 0 ? stamps.midTicks : Number.NaN;
      this.orders.set(key, order);
    }
    const { requests } = this;
    const row = requests.add();
    requests.at("instrument")[row] = instrument;
    requests.at("strategy")[row] = strategy;
    requests.at("order")[row] = order?.row ?? Number.NaN;
    requests.at("action")[row] = action;
    // A timer's own time stands where no market event led to the request.
    requests.at("triggerNs")[row] = sent.triggerTsNs > 0 ? sent.triggerTsNs + shiftNs : Number.NaN;
    requests.at("decidedNs")[row] = stamps.decidedTsNs + shiftNs;
    requests.at("gatedNs")[row] = stamps.gatedTsNs + shiftNs;
    requests.at("sentNs")[row] = stamps.sentTsNs + shiftNs;
    if (order !== undefined) order.awaiting = row;
  }

  private addOrder(sent: wire.OrderSent, strategy: number, instrument: number): number {
    const { orders } = this.tables;
    const row = orders.add();
    orders.at("instrument")[row] = instrument;
    orders.at("strategy")[row] = strategy;
    orders.at("orderId")[row] = sent.clientSeq;
    orders.at("side")[row] = signOf(sent.side);
    orders.at("type")[row] = sent.orderType;
    orders.at("tif")[row] = sent.tif;
    orders.at("pxTicks")[row] = sent.pxTicks;
    orders.at("qtyLots")[row] = sent.qtyLots;
    orders.at("state")[row] = code.ORDER_PENDING_NEW;
    orders.at("filledLots")[row] = 0;
    orders.at("amends")[row] = 0;
    orders.at("rejectCode")[row] = 0;
    return row;
  }

  private onReport(report: wire.OrderReport, detail: wire.OrderReportDetail): void {
    const order = this.orders.get(this.keyOf(report.clientSeq, detail.clientNonceLo, detail.clientNonceHi));
    if (order === undefined) return;
    const { shiftNs } = this.translation;
    const { orders } = this.tables;
    const { row } = order;
    const exch =
      (detail.ackTsNs > 0 ? detail.ackTsNs : report.exchTsNs > 0 ? report.exchTsNs : Number.NaN) + shiftNs;
    const { execType } = report;
    if (execType !== code.EXEC_UNKNOWN) this.answered(order, exch, report.recvTsNs + shiftNs, execType);
    if (detail.rejectCode !== 0 && execType === code.EXEC_REJECTED)
      orders.at("rejectCode")[row] = detail.rejectCode;
    if (execType === code.EXEC_AMENDED) {
      orders.at("amends")[row]!++;
      order.restingNs = exch;
    }
    if (report.orderState >= code.ORDER_FILLED && report.orderState <= code.ORDER_REJECTED)
      this.end(row, report.orderState, exch);
    else if (orders.at("state")[row]! < code.ORDER_FILLED && report.orderState === code.ORDER_WORKING)
      orders.at("state")[row] = code.ORDER_WORKING;
  }

  /** The first word of the venue on an order is its acceptance; the first after a request answers that request. */
  private answered(order: Known, exchNs: number, recvNs: number, execType: number): void {
    const { orders } = this.tables;
    if (Number.isNaN(orders.at("responseTsNs")[order.row]!)) {
      orders.at("responseTsNs")[order.row] = recvNs;
      if (execType !== code.EXEC_REJECTED) {
        orders.at("exchTsNs")[order.row] = exchNs;
        order.restingNs = exchNs;
      }
    }
    if (order.awaiting < 0 || !ANSWERS[this.requests.at("action")[order.awaiting]!]!.has(execType)) return;
    this.requests.at("exchNs")[order.awaiting] = exchNs;
    this.requests.at("answeredNs")[order.awaiting] = recvNs;
    order.awaiting = -1;
  }

  private end(row: number, state: number, exchNs: number): void {
    const { orders } = this.tables;
    if (orders.at("state")[row]! >= code.ORDER_FILLED && orders.at("state")[row]! <= code.ORDER_REJECTED)
      return;
    orders.at("state")[row] = state;
    orders.at("endTsNs")[row] = exchNs;
  }

  private onFill(fill: wire.Fill, detail: wire.FillDetail): void {
    const t = this.translation;
    const instrument = t.instrument(fill.instrument);
    const trade = `${instrument}:${fill.tradeIdHi}:${fill.tradeIdLo}`;
    if (instrument < 0 || this.trades.has(trade)) return;
    this.trades.add(trade);
    const strategy = t.strategy(fill.strategy);
    const exchNs = fill.exchTsNs + t.shiftNs;
    const lots = signOf(fill.side) * fill.qtyLots;
    if (!this.wanted(strategy, exchNs)) return;
    const pair = `${strategy} ${instrument}`;
    this.moved.set(pair, (this.moved.get(pair) ?? 0) + lots);
    const order = this.orders.get(this.keyOf(fill.clientSeq, detail.clientNonceLo, detail.clientNonceHi));
    const { fills } = this.tables;
    const row = fills.add();
    this.orderOfFill.push(order?.row ?? -1);
    fills.at("instrument")[row] = instrument;
    fills.at("strategy")[row] = strategy;
    fills.at("orderId")[row] = fill.clientSeq;
    fills.at("side")[row] = signOf(fill.side);
    fills.at("pxTicks")[row] = fill.pxTicks;
    fills.at("qtyLots")[row] = fill.qtyLots;
    fills.at("maker")[row] = fill.maker;
    fills.at("exchTsNs")[row] = exchNs;
    fills.at("localTsNs")[row] = fill.recvTsNs + t.shiftNs;
    const asset = this.manifest?.assets?.[fill.feeAsset];
    const settled = asset === this.names.instruments[instrument]!.currency;
    fills.at("fee")[row] = settled ? detail.feeE8 / 1e8 : Number.NaN;
    if (order !== undefined) this.filled(order, row, fill);
  }

  private filled(order: Known, fillRow: number, fill: wire.Fill): void {
    const { orders, fills } = this.tables;
    const exchNs = fills.at("exchTsNs")[fillRow]!;
    this.answered(order, exchNs, fills.at("localTsNs")[fillRow]!, code.EXEC_TRADE);
    if (fill.maker === 1) fills.at("queueWaitNs")[fillRow] = exchNs - order.restingNs;
    const filled = orders.at("filledLots")[order.row]! + fill.qtyLots;
    orders.at("filledLots")[order.row] = filled;
    if (filled >= orders.at("qtyLots")[order.row]!) this.end(order.row, code.ORDER_FILLED, exchNs);
    else if (orders.at("state")[order.row]! < code.ORDER_FILLED)
      orders.at("state")[order.row] = code.ORDER_PARTIALLY_FILLED;
  }

  /** What a position was before the first fill of the window. */
  private onPosition(stand: wire.Position): void {
    if ((stand.flags & wire.FLAG_VENUE) !== 0) return;
    const t = this.translation;
    const [strategy, instrument] = [t.strategy(stand.strategy), t.instrument(stand.instrument)];
    const pair = `${strategy} ${instrument}`;
    this.positions.set(pair, stand.qtyLots);
    if (instrument < 0 || !this.wanted(strategy, stand.recvTsNs + t.shiftNs) || this.opened.has(pair)) return;
    this.opened.add(pair);
    const lots = stand.qtyLots - (this.moved.get(pair) ?? 0);
    if (lots !== 0) this.opening.push({ strategy, instrument, lots });
  }

  /** To the only strategy that holds a position, like the ledger; else to the house. */
  private onFunding(funding: wire.Funding): void {
    const t = this.translation;
    const instrument = t.instrument(funding.instrument);
    const holders = [...this.positions]
      .filter(([pair, lots]) => lots !== 0 && pair.endsWith(` ${instrument}`))
      .map(([pair]) => Number(pair.split(" ")[0]));
    const strategy = holders.length === 1 ? holders[0]! : 0;
    const tsNs = funding.recvTsNs + t.shiftNs;
    if (instrument < 0 || !this.wanted(strategy, tsNs)) return;
    this.funding.push({ strategy, instrument, tsNs, amount: funding.amountE8 / 1e8 });
  }

  private keyOf(clientSeq: number, nonceLo: number, nonceHi: number): string {
    return `${nonceHi}:${nonceLo}:${clientSeq}`;
  }
}

const signOf = (side: number): number => (side === code.SIDE_BUY ? 1 : -1);

/** ACTION_… → what answers it. */
const ANSWERS: readonly ReadonlySet<number>[] = [
  new Set(),
  new Set([code.EXEC_NEW, code.EXEC_TRADE, code.EXEC_REJECTED, code.EXEC_EXPIRED, code.EXEC_CANCELED]),
  new Set([code.EXEC_CANCELED, code.EXEC_CANCEL_REJECTED, code.EXEC_EXPIRED]),
  new Set([code.EXEC_AMENDED, code.EXEC_MODIFY_REJECTED, code.EXEC_EXPIRED]),
  new Set(),
];
