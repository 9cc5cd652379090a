// What the venue says of our orders and our account: reports, fills, positions, balances, funding. Head records
// wait in a scratch slot for their continuation.
// Hot: execution lane; 0 bytes; O(1), except results for limits after a fill: O(pairs).
import { allocateRecordMemory, copyRecord, type RecordMemory } from "../core/record.ts";
import { FIRST_ADOPTED_SEQ } from "../order/client-id.ts";
import type { OrderRequest } from "../order/gateway.ts";
import { HOUSE } from "../order/ledger.ts";
import { NO_ORDER } from "../order/order-table.ts";
import { TRADE_FRESH } from "../order/trade-ids.ts";
import { isOver } from "../order/transitions.ts";
import {
  EXEC_AMENDED,
  EXEC_REJECTED,
  FEED_SYNCED,
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_REJECTED,
  ORDER_TYPE_LIMIT,
  ORDER_UNKNOWN,
  ORDER_WORKING,
  SIDE_BUY,
  SIDE_SELL,
  TIF_GTC,
} from "../wire/codes.ts";
import {
  Balance,
  Fill,
  FillDetail,
  FLAG_RECOVERED,
  Funding,
  OrderReport,
  OrderReportDetail,
  Position,
} from "../wire/messages.gen.ts";
import type { CarryJournal } from "./carry.ts";
import {
  COUNT_ACKED,
  COUNT_CANCELED,
  COUNT_EXPIRED,
  COUNT_FILLED,
  COUNT_FILLS,
  COUNT_MAKER_FILLS,
  COUNT_MODIFIED,
  COUNT_RECOVERED_FILLS,
  COUNT_REJECTED,
  COUNT_UNKNOWN,
} from "./execution-counters.ts";
import type { ExecutionParts } from "./execution-parts.ts";

/** A difference between the venue's position and ours, or fills owed to an order that is over, for longer: reconcile. */
const MISMATCH_NS = 2e9;
/** Adopted orders rest so long without a book at most: it comes over connections of its own. */
const ADOPTED_WAIT_NS = 10e9;
/** Owed fills that a reconciliation did not bring are waited for this long before the next one. */
const OWED_AGAIN_NS = 30e9;

export class AccountIntake {
  /** Fills of orders that no strategy sent, and differences taken over from the venue: each deserves an alarm. */
  unattributed: number;
  /** Of the last report or fill: whose it was, and what onOrder may read. */
  strategy: number;
  instrument: number;
  clientSeq: number;
  side: number;
  rejectCode: number;
  fillPxTicks: number;
  fillQtyLots: number;
  fillMaker: boolean;
  private readonly parts: ExecutionParts;
  private readonly carry: CarryJournal;
  private readonly scratch: RecordMemory;
  private readonly report: OrderReport;
  private readonly reportDetail: OrderReportDetail;
  private readonly fill: Fill;
  private readonly fillDetail: FillDetail;
  private readonly position: Position;
  private readonly balance: Balance;
  private readonly funding: Funding;
  private readonly settleAsset: number;
  private readonly venueLots: Float64Array;
  private readonly venueTsNs: Float64Array;
  private readonly fillTsNs: Float64Array;
  private readonly mismatchSinceNs: Float64Array;
  private owedSinceNs: number;
  private readonly found: OrderRequest;

  constructor(parts: ExecutionParts, carry: CarryJournal) {
    this.unattributed = 0;
    this.strategy = HOUSE;
    this.instrument = 0;
    this.clientSeq = 0;
    this.side = 0;
    this.rejectCode = 0;
    this.fillPxTicks = 0;
    this.fillQtyLots = 0;
    this.fillMaker = false;
    this.parts = parts;
    this.carry = carry;
    this.scratch = allocateRecordMemory(64);
    this.report = new OrderReport(this.scratch);
    this.reportDetail = new OrderReportDetail(this.scratch);
    this.fill = new Fill(this.scratch);
    this.fillDetail = new FillDetail(this.scratch);
    this.position = new Position(this.scratch);
    this.balance = new Balance(this.scratch);
    this.funding = new Funding(this.scratch);
    const settle = parts.options.instruments[0]?.settle ?? "";
    this.settleAsset = Math.max(0, parts.options.assets.indexOf(settle));
    const bytes = Math.max(4096, parts.instrumentCount * 8);
    this.venueLots = new Float64Array(new ArrayBuffer(bytes)).fill(Number.NaN);
    this.venueTsNs = new Float64Array(new ArrayBuffer(bytes));
    this.fillTsNs = new Float64Array(new ArrayBuffer(bytes));
    this.mismatchSinceNs = new Float64Array(new ArrayBuffer(bytes)).fill(Number.NaN);
    this.owedSinceNs = Number.NaN;
    this.found = {
      ...{ clientSeq: 0, instrument: 0, strategy: HOUSE, side: SIDE_BUY },
      ...{ tif: TIF_GTC, orderType: ORDER_TYPE_LIMIT, reduceOnly: false, pxTicks: 0.5, qtyLots: 0.5 },
    };
  }

  /** Keeps a head record until its continuation comes. */
  hold(m: RecordMemory, at: number): void {
    copyRecord(m, at, this.scratch, 0);
  }

  /** The continuation of a held OrderReport. Slot of the order, NO_ORDER when the table does not hold it. */
  onReport(m: RecordMemory, at: number): number {
    const { cycle, table, counters, breaker, desk } = this.parts;
    const report = this.report.wrap(this.scratch, 0);
    const detail = this.reportDetail.wrap(m, at);
    const own = this.isOwn(detail.clientNonceLo, detail.clientNonceHi);
    if (own && (report.flags & FLAG_RECOVERED) !== 0) this.takeIn(report);
    const slot = cycle.onReport(report, detail, own);
    const exec = report.execType;
    this.rejectCode = detail.rejectCode;
    if (exec === EXEC_REJECTED && own) breaker.rejected(desk.nowNs);
    if (slot === NO_ORDER) return NO_ORDER;
    this.strategy = table.strategy[slot];
    this.instrument = table.instrument[slot];
    this.clientSeq = table.clientSeq[slot];
    this.side = table.side[slot];
    this.fillPxTicks = 0;
    this.fillQtyLots = 0;
    if (exec === EXEC_AMENDED) counters[COUNT_MODIFIED]++;
    this.count(slot);
    return slot;
  }

  /** The continuation of a held Fill. True: it was new and is booked. */
  onFill(m: RecordMemory, at: number): boolean {
    const { cycle, table, ledger, counters, loss, outputs, desk } = this.parts;
    const fill = this.fill.wrap(this.scratch, 0);
    const detail = this.fillDetail.wrap(m, at);
    const instrument = fill.instrument;
    if (instrument < 1 || instrument >= this.parts.instrumentCount) return false;
    const nonceLo = detail.clientNonceLo;
    const nonceHi = detail.clientNonceHi;
    const own = this.isOwn(nonceLo, nonceHi);
    const qty = fill.qtyLots;
    const verdict = cycle.onFill(instrument, fill.clientSeq, own, qty, fill.tradeIdLo, fill.tradeIdHi);
    if (verdict !== TRADE_FRESH) return false;
    const slot = cycle.slot;
    const named = nonceLo !== 0 || nonceHi !== 0 ? fill.strategy : HOUSE;
    const strategy =
      slot !== NO_ORDER ? table.strategy[slot] : named < this.parts.strategyCount ? named : HOUSE;
    if (strategy === HOUSE && !own) this.unattributed++;
    const maker = fill.maker === 1;
    ledger.book(strategy, instrument, fill.side, fill.pxTicks, qty, maker);
    ledger.bookFee(strategy, instrument, fill.feeAsset, detail.feeE8);
    ledger.refresh();
    loss.update(ledger, desk.nowNs);
    this.fillTsNs[instrument] = Math.max(this.fillTsNs[instrument], fill.exchTsNs);
    counters[COUNT_FILLS]++;
    if (maker) counters[COUNT_MAKER_FILLS]++;
    if ((fill.flags & FLAG_RECOVERED) !== 0) counters[COUNT_RECOVERED_FILLS]++;
    outputs.position(ledger, strategy, instrument, fill.exchTsNs, desk.nowNs);
    if (!ledger.settlesIn(instrument, fill.feeAsset)) this.carry.otherFeeBooked(strategy, fill.feeAsset);
    this.strategy = strategy;
    this.instrument = instrument;
    this.clientSeq = own ? fill.clientSeq : 0;
    this.side = fill.side;
    this.rejectCode = 0;
    this.fillPxTicks = fill.pxTicks;
    this.fillQtyLots = qty;
    this.fillMaker = maker;
    if (slot !== NO_ORDER) this.count(slot);
    return true;
  }

  /**
   * The venue's own view of a net position. At a reconciliation (RECOVERED) what no strategy holds goes to
   * house; on the stream it may be ahead of or behind its fills, so a difference must stand for a while.
   */
  onPosition(): void {
    const position = this.position.wrap(this.scratch, 0);
    const instrument = position.instrument;
    if (instrument < 1 || instrument >= this.parts.instrumentCount || position.strategy !== HOUSE) return;
    const lots = position.qtyLots;
    this.venueLots[instrument] = lots;
    this.venueTsNs[instrument] = position.exchTsNs;
    this.mismatchSinceNs[instrument] = Number.NaN;
    if ((position.flags & FLAG_RECOVERED) === 0) return;
    const price = this.parts.ledger.pxTicksOf(instrument, lots, position.costTickLots);
    this.takeOver(instrument, Math.round(price));
  }

  onBalance(m: RecordMemory, at: number): void {
    const balance = this.balance.wrap(m, at);
    if (balance.asset !== this.settleAsset) return;
    this.parts.ledger.refresh();
    this.parts.margin.observe(balance.walletE8, this.parts.ledger);
  }

  /** Attributed by Ledger.bookFunding; the position record shows it only in the results. */
  onFunding(m: RecordMemory, at: number): void {
    const funding = this.funding.wrap(m, at);
    const instrument = funding.instrument;
    if (instrument >= this.parts.instrumentCount || funding.asset !== this.settleAsset) return;
    const strategy = this.parts.ledger.bookFunding(instrument, funding.amountE8);
    this.carry.fundingBooked(strategy, instrument);
    this.parts.ledger.refresh();
  }

  /** At each timer: what has not fitted together for too long is asked for. */
  checkAccount(nowNs: number): void {
    const { gate, table, options } = this.parts;
    if (!gate.reconciled) {
      this.mismatchSinceNs.fill(Number.NaN);
      this.owedSinceNs = Number.NaN;
      return;
    }
    let wanted = this.mismatches(nowNs);
    if (table.owedCount === 0) this.owedSinceNs = Number.NaN;
    else if (Number.isNaN(this.owedSinceNs)) this.owedSinceNs = nowNs;
    else if (nowNs - this.owedSinceNs >= MISMATCH_NS) {
      this.owedSinceNs = nowNs + OWED_AGAIN_NS;
      wanted = true;
    }
    if (wanted) options.gateway.reconcile();
  }

  private mismatches(nowNs: number): boolean {
    const { ledger } = this.parts;
    let stands = false;
    for (let i = 1; i < this.parts.instrumentCount; i++) {
      const lots = this.venueLots[i];
      if (Number.isNaN(lots) || lots === ledger.netLots[i] || this.venueTsNs[i] < this.fillTsNs[i])
        this.mismatchSinceNs[i] = Number.NaN;
      else if (Number.isNaN(this.mismatchSinceNs[i])) this.mismatchSinceNs[i] = nowNs;
      else if (nowNs - this.mismatchSinceNs[i] >= MISMATCH_NS) {
        this.mismatchSinceNs[i] = nowNs;
        stands = true;
      }
    }
    return stands;
  }

  /** The account stream's state decides whether orders may go. */
  onAccountStatus(state: number): void {
    this.parts.gate.reconciled = state === FEED_SYNCED;
  }

  /**
   * An order that a reconciliation found open and the table does not hold: one that the session before has kept,
   * one of nobody that the policy takes in (house's from now on), or one of ours that was taken for over.
   */
  private takeIn(report: OrderReport): void {
    const { table, desk } = this.parts;
    const state = report.orderState;
    const isOpen = state === ORDER_WORKING || state === ORDER_PARTIALLY_FILLED;
    if (!isOpen || report.clientSeq === 0 || table.find(report.clientSeq) !== NO_ORDER) return;
    const r = this.found;
    r.clientSeq = report.clientSeq;
    r.instrument = report.instrument;
    r.strategy = report.strategy < this.parts.strategyCount ? report.strategy : HOUSE;
    r.side = report.side;
    r.pxTicks = report.pxTicks;
    r.qtyLots = report.qtyLots;
    const slot = table.add(r, desk.nowNs);
    if (slot === NO_ORDER) return;
    // What it has traded so far is booked by trade id, or was before it was ours.
    table.cumQtyLots[slot] = report.cumQtyLots;
    table.filledLots[slot] = report.cumQtyLots;
    table.expose(slot);
    if (report.clientSeq < FIRST_ADOPTED_SEQ) return;
    table.acked[slot] = 1;
    this.parts.market.awaitBook(report.instrument, desk.nowNs + ADOPTED_WAIT_NS);
  }

  private isOwn(nonceLo: number, nonceHi: number): boolean {
    return nonceLo === this.parts.options.nonceLo && nonceHi === this.parts.options.nonceHi;
  }

  /** Books the difference to house, at the venue's price, else at the mark, else at the mid. */
  private takeOver(instrument: number, pxTicks: number): void {
    const { ledger, market, outputs, desk } = this.parts;
    const missing = this.venueLots[instrument] - ledger.netLots[instrument];
    this.mismatchSinceNs[instrument] = Number.NaN;
    if (missing === 0) return;
    const mark = ledger.markTicks[instrument];
    let price = pxTicks > 0 ? pxTicks : mark;
    if (!(price > 0)) price = Math.round(market.midTicks(instrument));
    if (!(price > 0)) return;
    this.unattributed++;
    ledger.book(HOUSE, instrument, missing > 0 ? SIDE_BUY : SIDE_SELL, price, Math.abs(missing), false);
    ledger.refresh();
    outputs.position(ledger, HOUSE, instrument, 0, desk.nowNs);
  }

  private count(slot: number): void {
    const { cycle, counters, table, desk, options } = this.parts;
    const before = cycle.stateBefore;
    const after = cycle.stateAfter;
    if (cycle.provenNow) {
      counters[COUNT_ACKED]++;
      const histogram = options.histograms?.roundTrip;
      if (histogram !== undefined) histogram.record(desk.triggerTsNs - table.requestTsNs[slot]);
    }
    if (before === after) return;
    if (after === ORDER_UNKNOWN) counters[COUNT_UNKNOWN]++;
    if (!isOver(after) || isOver(before)) return;
    if (after === ORDER_FILLED) counters[COUNT_FILLED]++;
    else if (after === ORDER_CANCELED) counters[COUNT_CANCELED]++;
    else if (after === ORDER_EXPIRED) counters[COUNT_EXPIRED]++;
    else if (after === ORDER_REJECTED) counters[COUNT_REJECTED]++;
  }
}
