// Applies what the venue says to the order table. Reports and fills may be repeated, reordered, late or
// missing: quantities only grow, the end of an order is final, a fill counts once by its trade id, and a
// request without an answer leaves the order in flight until something proves its fate.
// Hot: execution lane; 0 bytes; O(1).
import {
  EXEC_AMENDED,
  EXEC_CANCEL_REJECTED,
  EXEC_CANCELED,
  EXEC_EXPIRED,
  EXEC_MODIFY_REJECTED,
  EXEC_NEW,
  EXEC_REJECTED,
  EXEC_STATUS,
  EXEC_TRADE,
  EXEC_UNKNOWN,
  ORDER_CANCELED,
  ORDER_EXPIRED,
  ORDER_FILLED,
  ORDER_NONE,
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_NEW,
  ORDER_REJECTED,
  ORDER_UNKNOWN,
  ORDER_WORKING,
} from "../wire/codes.ts";
import type { OrderReport, OrderReportDetail } from "../wire/messages.gen.ts";
import { FIRST_ADOPTED_SEQ } from "./client-id.ts";
import { NO_ORDER, type OrderTable } from "./order-table.ts";
import { TRADE_DUPLICATE, TRADE_FRESH, type TradeIds } from "./trade-ids.ts";
import {
  EVENT_ACCEPTED,
  EVENT_AMENDED,
  EVENT_CANCEL_REJECTED,
  EVENT_CANCELED,
  EVENT_EXPIRED,
  EVENT_FILLED,
  EVENT_MODIFY_REJECTED,
  EVENT_REJECTED,
  EVENT_SEND_CANCEL,
  EVENT_SEND_MODIFY,
  EVENT_TRADED,
  EVENT_UNKNOWN,
  IGNORE,
  isOver,
  SETTLE,
  STAY,
  transition,
} from "./transitions.ts";

const NO_EVENT = -1;

export class LifeCycle {
  readonly table: OrderTable;
  readonly tradeIds: TradeIds;
  /** Reports about orders that the table does not hold (over and forgotten, or of another session). */
  strangers: number;
  /** Reports that contradict what is proven or came after the end. */
  ignored: number;
  /** Fills that had been applied before. */
  duplicateFills: number;
  /** Fills older than every remembered trade id: treated as applied. */
  tooOldFills: number;
  /** Fills beyond an order's quantity: booked, because the venue holds the position, and counted. */
  overfills: number;
  /** Slot that the last call touched, NO_ORDER when it has none or it was released. */
  slot: number;
  /** The last call was the first proof that the venue holds the order. */
  provenNow: boolean;
  /** State of that order before and after the last call. */
  stateBefore: number;
  stateAfter: number;
  /** The report at hand is later, by the venue's time, than all before it about its order. */
  private isNews: boolean;

  constructor(table: OrderTable, tradeIds: TradeIds) {
    this.table = table;
    this.tradeIds = tradeIds;
    this.strangers = 0;
    this.ignored = 0;
    this.duplicateFills = 0;
    this.tooOldFills = 0;
    this.overfills = 0;
    this.slot = NO_ORDER;
    this.provenNow = false;
    this.stateBefore = ORDER_NONE;
    this.stateAfter = ORDER_NONE;
    this.isNews = false;
  }

  /** A cancel request left the process. */
  cancelSent(slot: number, tsNs: number): void {
    this.table.requestTsNs[slot] = tsNs;
    this.apply(slot, EVENT_SEND_CANCEL);
  }

  /** A modify request left the process. */
  modifySent(slot: number, pxTicks: number, qtyLots: number, tsNs: number): void {
    const table = this.table;
    table.requestTsNs[slot] = tsNs;
    table.wantedPxTicks[slot] = pxTicks;
    table.wantedQtyLots[slot] = qtyLots;
    this.apply(slot, EVENT_SEND_MODIFY);
    table.expose(slot);
  }

  /**
   * Applies one report. Call finish() when the caller has seen the result. Returns the slot or NO_ORDER for
   * an order that the table does not hold; `own` = the report's nonce is this session's.
   */
  onReport(report: OrderReport, detail: OrderReportDetail, own: boolean): number {
    const clientSeq = report.clientSeq;
    this.slot = own && clientSeq !== 0 ? this.table.find(clientSeq) : NO_ORDER;
    this.provenNow = false;
    this.stateBefore = ORDER_NONE;
    this.stateAfter = ORDER_NONE;
    const slot = this.slot;
    if (slot === NO_ORDER) {
      this.strangers++;
      return NO_ORDER;
    }
    const table = this.table;
    const venueLo = detail.venueOrderIdLo;
    if (venueLo !== 0 || detail.venueOrderIdHi !== 0) {
      table.venueOrderIdLo[slot] = venueLo;
      table.venueOrderIdHi[slot] = detail.venueOrderIdHi;
    }
    this.stateBefore = table.state[slot];
    const ackedBefore = table.acked[slot];
    if (report.cumQtyLots > table.cumQtyLots[slot]) table.cumQtyLots[slot] = report.cumQtyLots;
    if (clientSeq >= FIRST_ADOPTED_SEQ) table.filledLots[slot] = table.cumQtyLots[slot];
    this.isNews = report.exchTsNs > table.venueTsNs[slot];
    if (this.isNews) table.venueTsNs[slot] = report.exchTsNs;
    const event = this.eventOf(slot, report);
    if (event === EVENT_REJECTED && table.acked[slot] === 1) this.ignored++;
    else if (event === EVENT_AMENDED) this.amend(slot, report);
    else if (event !== NO_EVENT) this.apply(slot, event);
    this.provenNow = table.acked[slot] !== ackedBefore;
    this.stateAfter = table.state[slot];
    table.expose(slot);
    return slot;
  }

  /**
   * Applies one fill to its order. TRADE_FRESH: book it, whether or not the order is (still) known.
   * `clientSeq` 0 or `own` false: not an order of this session.
   */
  onFill(
    instrument: number,
    clientSeq: number,
    own: boolean,
    qtyLots: number,
    idLo: number,
    idHi: number,
  ): number {
    this.slot = NO_ORDER;
    this.provenNow = false;
    const verdict = this.tradeIds.take(instrument, idLo, idHi);
    if (verdict !== TRADE_FRESH) {
      if (verdict === TRADE_DUPLICATE) this.duplicateFills++;
      else this.tooOldFills++;
      return verdict;
    }
    this.stateBefore = ORDER_NONE;
    this.stateAfter = ORDER_NONE;
    const slot = own && clientSeq !== 0 ? this.table.find(clientSeq) : NO_ORDER;
    if (slot === NO_ORDER) return TRADE_FRESH;
    this.slot = slot;
    const table = this.table;
    this.stateBefore = table.state[slot];
    this.stateAfter = this.stateBefore;
    // Nobody knows which of its trades came before it was taken in: its reports tell how much it has traded.
    if (clientSeq >= FIRST_ADOPTED_SEQ) return TRADE_FRESH;
    const filled = table.filledLots[slot] + qtyLots;
    table.filledLots[slot] = filled;
    this.provenNow = table.acked[slot] === 0;
    table.acked[slot] = 1;
    if (filled > table.cumQtyLots[slot]) table.cumQtyLots[slot] = filled;
    const whole = this.wholeLots(slot);
    if (filled > whole) this.overfills++;
    if (!isOver(table.state[slot]) || filled >= whole)
      this.apply(slot, filled >= whole ? EVENT_FILLED : EVENT_TRADED);
    this.stateAfter = table.state[slot];
    table.expose(slot);
    return TRADE_FRESH;
  }

  /** Lets go of the order of the last call when it is over. */
  finish(): void {
    const slot = this.slot;
    if (slot !== NO_ORDER && isOver(this.table.state[slot])) this.table.finish(slot);
    this.slot = NO_ORDER;
  }

  /** Places and other requests whose outcome is not known yet. */
  inFlight(slot: number): boolean {
    const state = this.table.state[slot];
    return state !== ORDER_WORKING && state !== ORDER_PARTIALLY_FILLED && !isOver(state);
  }

  /** While a modify is in flight the venue may already hold the larger quantity. */
  private wholeLots(slot: number): number {
    return Math.max(this.table.qtyLots[slot], this.table.wantedQtyLots[slot]);
  }

  private eventOf(slot: number, report: OrderReport): number {
    switch (report.execType) {
      case EXEC_NEW:
        return EVENT_ACCEPTED;
      case EXEC_TRADE:
        return this.tradeEvent(slot, report.orderState);
      case EXEC_CANCELED:
        return EVENT_CANCELED;
      case EXEC_EXPIRED:
        return EVENT_EXPIRED;
      case EXEC_REJECTED:
        return EVENT_REJECTED;
      case EXEC_AMENDED:
        return EVENT_AMENDED;
      case EXEC_CANCEL_REJECTED:
        return EVENT_CANCEL_REJECTED;
      case EXEC_MODIFY_REJECTED:
        return EVENT_MODIFY_REJECTED;
      case EXEC_UNKNOWN:
        return EVENT_UNKNOWN;
      case EXEC_STATUS:
        return this.statusEvent(slot, report);
      default:
        this.ignored++;
        return NO_EVENT;
    }
  }

  private tradeEvent(slot: number, stated: number): number {
    if (stated === ORDER_FILLED || this.table.cumQtyLots[slot] >= this.wholeLots(slot)) return EVENT_FILLED;
    return EVENT_TRADED;
  }

  /** An answer to a query shows the order as it is: also its price and quantity. */
  private statusEvent(slot: number, report: OrderReport): number {
    switch (report.orderState) {
      case ORDER_PENDING_NEW:
      case ORDER_WORKING:
      case ORDER_PARTIALLY_FILLED:
        // A look that is older than what the stream has said since must not undo an amendment.
        if (
          this.isNews ||
          this.table.state[slot] === ORDER_UNKNOWN ||
          this.table.state[slot] === ORDER_PENDING_NEW
        )
          this.adopt(slot, report);
        return EVENT_ACCEPTED;
      case ORDER_FILLED:
        return EVENT_FILLED;
      case ORDER_CANCELED:
        return EVENT_CANCELED;
      case ORDER_EXPIRED:
        return EVENT_EXPIRED;
      case ORDER_REJECTED:
        return EVENT_REJECTED;
      default:
        this.ignored++;
        return NO_EVENT;
    }
  }

  private adopt(slot: number, report: OrderReport): void {
    if (!(report.qtyLots > 0)) return;
    this.table.pxTicks[slot] = report.pxTicks;
    this.table.qtyLots[slot] = report.qtyLots;
  }

  private amend(slot: number, report: OrderReport): void {
    const table = this.table;
    if (!isOver(table.state[slot])) {
      this.adopt(slot, report);
      // Reduced to what was traded already: the order ended with the amendment.
      if (table.cumQtyLots[slot] >= table.qtyLots[slot]) {
        this.apply(slot, EVENT_FILLED);
        return;
      }
    }
    this.apply(slot, EVENT_AMENDED);
  }

  private apply(slot: number, event: number): void {
    const table = this.table;
    const state = table.state[slot];
    if (event >= EVENT_ACCEPTED && event <= EVENT_AMENDED && event !== EVENT_REJECTED) table.acked[slot] = 1;
    if (event === EVENT_CANCEL_REJECTED && table.cancelTries[slot] < 255) table.cancelTries[slot]++;
    const next = transition(state, event);
    if (next === IGNORE) {
      this.ignored++;
      return;
    }
    if (next === STAY) return;
    if (next === ORDER_UNKNOWN && table.acked[slot] === 0) table.placeUnknown[slot] = 1;
    const settled = next === SETTLE ? this.settled(slot) : next;
    table.state[slot] = settled;
    // A modify may still take effect behind a cancel in flight: its wish counts until something is proven.
    if (settled === ORDER_WORKING || settled === ORDER_PARTIALLY_FILLED) {
      table.wantedPxTicks[slot] = table.pxTicks[slot];
      table.wantedQtyLots[slot] = table.qtyLots[slot];
    }
  }

  private settled(slot: number): number {
    const table = this.table;
    if (table.acked[slot] === 1) return table.cumQtyLots[slot] > 0 ? ORDER_PARTIALLY_FILLED : ORDER_WORKING;
    return table.placeUnknown[slot] === 1 ? ORDER_UNKNOWN : ORDER_PENDING_NEW;
  }
}
