import { expect, test } from "bun:test";
import fc from "fast-check";
import { allocateRecordMemory } from "../../../src/core/record.ts";
import type { OrderRequest } from "../../../src/order/gateway.ts";
import { LifeCycle } from "../../../src/order/life-cycle.ts";
import { NO_ORDER, OrderTable } from "../../../src/order/order-table.ts";
import { TRADE_DUPLICATE, TRADE_FRESH, TRADE_TOO_OLD, TradeIds } from "../../../src/order/trade-ids.ts";
import {
  EVENT_ACCEPTED,
  EVENT_AMENDED,
  EVENT_CANCEL_REJECTED,
  EVENT_CANCELED,
  EVENT_COUNT,
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
} from "../../../src/order/transitions.ts";
import * as codes from "../../../src/wire/codes.ts";
import {
  encodeOrderReport,
  encodeOrderReportDetail,
  OrderReport,
  OrderReportDetail,
} from "../../../src/wire/messages.gen.ts";

const SEED = 31;
const QTY = 10;

function request(clientSeq: number, over: Partial<OrderRequest> = {}): OrderRequest {
  return {
    clientSeq,
    instrument: 1,
    strategy: 1,
    side: codes.SIDE_BUY,
    tif: codes.TIF_GTX,
    orderType: codes.ORDER_TYPE_LIMIT,
    reduceOnly: false,
    pxTicks: 1000,
    qtyLots: QTY,
    ...over,
  };
}

class Rig {
  readonly table: OrderTable;
  readonly cycle: LifeCycle;
  readonly m = allocateRecordMemory(2);
  readonly head = new OrderReport(this.m).wrap(this.m, 0);
  readonly detail = new OrderReportDetail(this.m).wrap(this.m, 64);
  /** Lots of the fills that counted. */
  booked = 0;
  private nextTradeId = 1;

  constructor(capacity = 16) {
    this.table = new OrderTable(capacity, 3, 3);
    this.cycle = new LifeCycle(this.table, new TradeIds(3, 64));
  }

  report(
    clientSeq: number,
    exec: number,
    state: number,
    cum: number,
    qty = QTY,
    px = 1000,
    finish = true,
    exchTsNs = 0,
  ): void {
    encodeOrderReport(this.m, 0, 2, 1, 1, 0, 0, exchTsNs, 0, clientSeq, exec, state, 0, 1, px, qty, cum);
    encodeOrderReportDetail(this.m, 64, 4, 1, 1, 0, 0, 0, 0, 77, 0, 5, 0, 0, 0, 0);
    this.cycle.onReport(this.head, this.detail, true);
    if (finish) this.cycle.finish();
  }

  fill(clientSeq: number, lots: number, tradeId = this.nextTradeId++): number {
    const verdict = this.cycle.onFill(1, clientSeq, true, lots, tradeId, 0);
    this.cycle.finish();
    if (verdict === TRADE_FRESH) this.booked += lots;
    return verdict;
  }

  /** State of the order, 0 when the table has let it go. */
  state(clientSeq: number): number {
    const slot = this.table.find(clientSeq);
    return slot === NO_ORDER ? codes.ORDER_NONE : this.table.state[slot]!;
  }
}

/** Sends one event to order 1 as the venue (or we) would express it, without letting go of the order. */
function send(rig: Rig, event: number): void {
  const { table, cycle } = rig;
  const slot = table.find(1);
  const cum = table.cumQtyLots[slot]!;
  const report = (exec: number, state: number, total = cum) =>
    rig.report(1, exec, state, total, QTY, 1000, false);
  switch (event) {
    case EVENT_SEND_CANCEL:
      cycle.cancelSent(slot, 5);
      break;
    case EVENT_SEND_MODIFY:
      cycle.modifySent(slot, 1001, QTY, 5);
      break;
    case EVENT_ACCEPTED:
      report(codes.EXEC_NEW, codes.ORDER_WORKING);
      break;
    case EVENT_TRADED:
      report(codes.EXEC_TRADE, codes.ORDER_PARTIALLY_FILLED, Math.max(cum, 4));
      break;
    case EVENT_FILLED:
      report(codes.EXEC_TRADE, codes.ORDER_FILLED, QTY);
      break;
    case EVENT_CANCELED:
      report(codes.EXEC_CANCELED, codes.ORDER_CANCELED);
      break;
    case EVENT_EXPIRED:
      report(codes.EXEC_EXPIRED, codes.ORDER_EXPIRED);
      break;
    case EVENT_REJECTED:
      report(codes.EXEC_REJECTED, codes.ORDER_REJECTED);
      break;
    case EVENT_AMENDED:
      report(codes.EXEC_AMENDED, codes.ORDER_WORKING);
      break;
    case EVENT_CANCEL_REJECTED:
      report(codes.EXEC_CANCEL_REJECTED, codes.ORDER_NONE);
      break;
    case EVENT_MODIFY_REJECTED:
      report(codes.EXEC_MODIFY_REJECTED, codes.ORDER_NONE);
      break;
    case EVENT_UNKNOWN:
      report(codes.EXEC_UNKNOWN, codes.ORDER_UNKNOWN);
      break;
    default:
      throw new Error(`no such event ${event}`);
  }
}

/** Shortest honest way into each state. */
const WAY: Record<number, readonly number[]> = {
  [codes.ORDER_PENDING_NEW]: [],
  [codes.ORDER_WORKING]: [EVENT_ACCEPTED],
  [codes.ORDER_PARTIALLY_FILLED]: [EVENT_TRADED],
  [codes.ORDER_PENDING_CANCEL]: [EVENT_ACCEPTED, EVENT_SEND_CANCEL],
  [codes.ORDER_PENDING_MODIFY]: [EVENT_ACCEPTED, EVENT_SEND_MODIFY],
  [codes.ORDER_UNKNOWN]: [EVENT_UNKNOWN],
  [codes.ORDER_FILLED]: [EVENT_FILLED],
  [codes.ORDER_CANCELED]: [EVENT_ACCEPTED, EVENT_CANCELED],
  [codes.ORDER_EXPIRED]: [EVENT_ACCEPTED, EVENT_EXPIRED],
  [codes.ORDER_REJECTED]: [EVENT_REJECTED],
};

for (const [text, way] of Object.entries(WAY)) {
  const state = Number(text);
  test(`from ${codes.ORDER_STATE_NAMES[state]}, every event does what the table says`, () => {
    for (let event = 0; event < EVENT_COUNT; event++) {
      // With everything traded, a report of a trade is a report of the full fill.
      if (state === codes.ORDER_FILLED && event === EVENT_TRADED) continue;
      const rig = new Rig();
      rig.table.add(request(1), 1);
      for (const step of way) send(rig, step);
      const slot = rig.table.find(1);
      expect(rig.table.state[slot]).toBe(state);
      const ignoredBefore = rig.cycle.ignored;
      const acked = rig.table.acked[slot] === 1;
      send(rig, event);
      const cell = transition(state, event);
      // "rejected" is proof only while nothing has proven that the venue held the order.
      const disproven = event === EVENT_REJECTED && acked;
      if (cell === IGNORE || disproven) expect(rig.cycle.ignored).toBe(ignoredBefore + 1);
      else expect(rig.cycle.ignored).toBe(ignoredBefore);
      expect(rig.table.state[slot]).toBe(expectedState(rig, cell, state, disproven, slot));
    }
  });
}

function expectedState(rig: Rig, cell: number, state: number, disproven: boolean, slot: number): number {
  if (cell === IGNORE || cell === STAY || disproven) return state;
  if (cell !== SETTLE) return cell;
  if (rig.table.acked[slot] === 0) return codes.ORDER_UNKNOWN;
  return rig.table.cumQtyLots[slot]! > 0 ? codes.ORDER_PARTIALLY_FILLED : codes.ORDER_WORKING;
}

test("a fill before the acknowledgement works the order, and the late acknowledgement changes nothing", () => {
  const rig = new Rig();
  rig.table.add(request(1), 1);
  expect(rig.fill(1, 4)).toBe(TRADE_FRESH);
  expect(rig.state(1)).toBe(codes.ORDER_PARTIALLY_FILLED);
  rig.report(1, codes.EXEC_NEW, codes.ORDER_WORKING, 0);
  expect(rig.state(1)).toBe(codes.ORDER_PARTIALLY_FILLED);
  expect(rig.table.cumQtyLots[rig.table.find(1)]).toBe(4);
});

test("an order that ended stays findable until its fills are complete, and counts in no limit meanwhile", () => {
  const rig = new Rig();
  rig.table.add(request(1), 1);
  rig.report(1, codes.EXEC_TRADE, codes.ORDER_FILLED, QTY);
  expect(rig.table.openLots.every((lots) => lots === 0)).toBe(true);
  expect([rig.table.liveCount, rig.table.owedCount]).toEqual([0, 1]);
  rig.fill(1, 4);
  expect(rig.table.owedCount).toBe(1);
  rig.fill(1, 6);
  expect(rig.table.owedCount).toBe(0);
  expect(rig.table.find(1)).toBe(NO_ORDER);
});

test("a fill during a cancel in flight is booked and the cancel still ends the order", () => {
  const rig = new Rig();
  const slot = rig.table.add(request(1), 1);
  rig.report(1, codes.EXEC_NEW, codes.ORDER_WORKING, 0);
  rig.cycle.cancelSent(slot, 2);
  rig.fill(1, 3);
  expect(rig.state(1)).toBe(codes.ORDER_PENDING_CANCEL);
  expect(rig.table.exposedLots(slot)).toBe(7);
  rig.report(1, codes.EXEC_CANCELED, codes.ORDER_CANCELED, 3);
  expect(rig.table.find(1)).toBe(NO_ORDER);
});

test("with a modify in flight the larger quantity counts, also behind a cancel, until it is proven", () => {
  const rig = new Rig();
  const slot = rig.table.add(request(1), 1);
  rig.report(1, codes.EXEC_NEW, codes.ORDER_WORKING, 0);
  rig.cycle.modifySent(slot, 1005, 25, 2);
  expect(rig.table.exposedLots(slot)).toBe(25);
  rig.fill(1, 10);
  expect(rig.state(1)).toBe(codes.ORDER_PENDING_MODIFY);
  rig.cycle.cancelSent(slot, 3);
  expect(rig.table.exposedLots(slot)).toBe(15);
  rig.report(1, codes.EXEC_AMENDED, codes.ORDER_PARTIALLY_FILLED, 10, 25, 1005);
  expect([rig.table.pxTicks[slot], rig.table.qtyLots[slot]]).toEqual([1005, 25]);
  rig.report(1, codes.EXEC_CANCEL_REJECTED, codes.ORDER_NONE, 0);
  expect(rig.state(1)).toBe(codes.ORDER_PARTIALLY_FILLED);
  expect(rig.table.cancelTries[slot]).toBe(1);
});

test("an unknown place stays in flight through a refused cancel and ends only by proof", () => {
  const rig = new Rig();
  const slot = rig.table.add(request(1), 1);
  rig.report(1, codes.EXEC_UNKNOWN, codes.ORDER_UNKNOWN, 0);
  rig.cycle.cancelSent(slot, 2);
  rig.report(1, codes.EXEC_CANCEL_REJECTED, codes.ORDER_NONE, 0);
  expect(rig.state(1)).toBe(codes.ORDER_UNKNOWN);
  expect(rig.cycle.inFlight(slot)).toBe(true);
  rig.report(1, codes.EXEC_STATUS, codes.ORDER_REJECTED, 0);
  expect(rig.table.find(1)).toBe(NO_ORDER);
});

test("reports for orders of other sessions and for orders long over are counted, not applied", () => {
  const rig = new Rig();
  rig.report(9, codes.EXEC_NEW, codes.ORDER_WORKING, 0);
  expect(rig.cycle.strangers).toBe(1);
  expect(rig.table.liveCount).toBe(0);
});

test("a trade id counts once; ids older than all remembered count as applied", () => {
  const ids = new TradeIds(2, 4);
  for (const id of [5, 3, 9, 7]) expect(ids.take(1, id, 0)).toBe(TRADE_FRESH);
  for (const id of [5, 3, 9, 7]) expect(ids.take(1, id, 0)).toBe(TRADE_DUPLICATE);
  expect(ids.take(0, 5, 0)).toBe(TRADE_FRESH);
  expect(ids.take(1, 5, 1)).toBe(TRADE_FRESH);
  expect(ids.take(1, 4, 0)).toBe(TRADE_TOO_OLD);
  expect(ids.take(1, 6, 0)).toBe(TRADE_FRESH);
});

test(`trade ids equal a naive set while the set fits (seed ${SEED})`, () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.nat(90), fc.nat(2)), { maxLength: 120 }),
      (takes) => {
        const ids = new TradeIds(2, 512);
        const seen = new Set<string>();
        for (const [instrument, lo, hi] of takes) {
          const key = `${instrument}/${hi}/${lo}`;
          expect(ids.take(instrument, lo, hi)).toBe(seen.has(key) ? TRADE_DUPLICATE : TRADE_FRESH);
          seen.add(key);
        }
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

interface Truth {
  readonly seq: number;
  readonly end: number;
  readonly cum: number;
}

/** What one order's venue says, in true order, as closures over the rig; ends with one final state. */
function story(
  seq: number,
  ends: number,
  parts: readonly number[],
): { truth: Truth; steps: ((rig: Rig) => void)[] } {
  const steps: ((rig: Rig) => void)[] = [(rig) => rig.report(seq, codes.EXEC_NEW, codes.ORDER_WORKING, 0)];
  let cum = 0;
  let part = 0;
  for (const lots of parts) {
    const traded = Math.min(lots, QTY - cum);
    if (traded === 0) break;
    cum += traded;
    const total = cum;
    const id = seq * 100 + part++;
    const state = total === QTY ? codes.ORDER_FILLED : codes.ORDER_PARTIALLY_FILLED;
    steps.push((rig) => rig.report(seq, codes.EXEC_TRADE, state, total));
    steps.push((rig) => void rig.fill(seq, traded, id));
  }
  if (cum === QTY) return { truth: { seq, end: codes.ORDER_FILLED, cum }, steps };
  const total = cum;
  const exec = ends === codes.ORDER_CANCELED ? codes.EXEC_CANCELED : codes.EXEC_EXPIRED;
  steps.push((rig) => rig.report(seq, exec, ends, total));
  return { truth: { seq, end: ends, cum }, steps };
}

/** Sums, counts and lists recomputed from the arrays alone. */
function checkTable(table: OrderTable, seqs: readonly number[]): void {
  const open = new Map<number, number>();
  const lists = new Map<number, number[]>();
  let live = 0;
  for (const seq of seqs) {
    const slot = table.find(seq);
    if (slot === NO_ORDER) continue;
    expect(table.clientSeq[slot]).toBe(seq);
    expect(table.isLive(slot)).toBe(!isOver(table.state[slot]!));
    if (!table.isLive(slot)) continue;
    live++;
    const list = table.pairSide(table.strategy[slot]!, table.instrument[slot]!, table.side[slot]!);
    const worst = Math.max(table.qtyLots[slot]!, table.wantedQtyLots[slot]!) - table.cumQtyLots[slot]!;
    open.set(list, (open.get(list) ?? 0) + Math.max(0, worst));
    lists.set(list, [...(lists.get(list) ?? []), seq]);
  }
  expect(table.liveCount).toBe(live);
  for (let strategy = 0; strategy < table.strategies; strategy++)
    for (const side of [codes.SIDE_BUY, codes.SIDE_SELL]) {
      const list = table.pairSide(strategy, 1, side);
      expect(table.openLots[list]).toBe(open.get(list) ?? 0);
      const walked: number[] = [];
      for (let slot = table.head(strategy, 1, side); slot !== NO_ORDER; slot = table.next[slot]!)
        walked.push(table.clientSeq[slot]!);
      expect(walked).toEqual(lists.get(list) ?? []);
    }
}

const orderPlan = fc.record({
  strategy: fc.integer({ min: 1, max: 2 }),
  side: fc.constantFrom(codes.SIDE_BUY, codes.SIDE_SELL),
  end: fc.constantFrom(codes.ORDER_CANCELED, codes.ORDER_EXPIRED),
  parts: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
  cancelAt: fc.option(fc.nat(8)),
});

test(`reports and fills in any order, repeated at will, end in the venue's truth (seed ${SEED})`, () => {
  const plan = fc.record({
    orders: fc.array(orderPlan, { minLength: 1, maxLength: 4 }),
    shuffle: fc.array(fc.nat(1_000_000), { minLength: 60, maxLength: 60 }),
    again: fc.array(fc.nat(1_000_000), { maxLength: 15 }),
  });
  fc.assert(
    fc.property(plan, ({ orders, shuffle, again }) => {
      const rig = new Rig();
      const seqs = orders.map((_, i) => i + 1);
      const truths: Truth[] = [];
      const steps: ((rig: Rig) => void)[] = [];
      orders.forEach((order, i) => {
        rig.table.add(request(i + 1, { strategy: order.strategy, side: order.side }), 1);
        const told = story(i + 1, order.end, order.parts);
        truths.push(told.truth);
        steps.push(...told.steps);
      });
      const mixed = steps.map((step, i) => ({ step, key: shuffle[i % shuffle.length]! }));
      for (const pick of again) mixed.push({ step: steps[pick % steps.length]!, key: pick });
      mixed.sort((a, b) => a.key - b.key);
      mixed.forEach(({ step }, i) => {
        orders.forEach((order, o) => {
          const slot = rig.table.find(o + 1);
          if (order.cancelAt === i && slot !== NO_ORDER) rig.cycle.cancelSent(slot, i);
        });
        step(rig);
        checkTable(rig.table, seqs);
      });
      for (const truth of truths) expect(rig.state(truth.seq)).toBe(codes.ORDER_NONE);
      expect([rig.table.liveCount, rig.table.owedCount]).toEqual([0, 0]);
      expect(rig.table.instrumentOpenLots.every((lots) => lots === 0)).toBe(true);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

/** A venue of one order, written from the rules alone: what it holds, and the reports and fills it sent. */
class NaiveVenue {
  qty = QTY;
  px = 1000;
  cum = 0;
  state: number = codes.ORDER_WORKING;
  private now = 10;
  readonly told: ((rig: Rig) => void)[] = [];
  readonly fills: ((rig: Rig) => void)[] = [];

  private get isOpen(): boolean {
    return this.state === codes.ORDER_WORKING || this.state === codes.ORDER_PARTIALLY_FILLED;
  }

  private tell(exec: number): void {
    const { state, cum, qty, px } = this;
    const at = ++this.now;
    this.told.push((rig) => rig.report(1, exec, state, cum, qty, px, true, at));
  }

  accept(): void {
    this.tell(codes.EXEC_NEW);
  }

  trade(lots: number): void {
    const done = Math.min(lots, this.qty - this.cum);
    if (!this.isOpen || done <= 0) return;
    this.cum += done;
    this.state = this.cum === this.qty ? codes.ORDER_FILLED : codes.ORDER_PARTIALLY_FILLED;
    const id = 500 + this.fills.length;
    const fill = (rig: Rig) => void rig.fill(1, done, id);
    this.fills.push(fill);
    this.told.push(fill);
    this.tell(codes.EXEC_TRADE);
  }

  /** A total at or below what was traded cancels the order, as Binance has it. */
  modify(qty: number, px: number): void {
    if (!this.isOpen) return;
    if (qty <= this.cum) {
      this.end(codes.ORDER_CANCELED);
      return;
    }
    this.qty = qty;
    this.px = px;
    this.tell(codes.EXEC_AMENDED);
  }

  end(state: number): void {
    if (!this.isOpen) return;
    this.state = state;
    this.tell(state === codes.ORDER_CANCELED ? codes.EXEC_CANCELED : codes.EXEC_EXPIRED);
  }

  /** What a reconciliation brings: the order as it is, and every trade. */
  answer(rig: Rig): void {
    rig.report(1, codes.EXEC_STATUS, this.state, this.cum, this.qty, this.px, true, ++this.now);
    for (const fill of this.fills) fill(rig);
  }
}

const deed = fc.record({
  kind: fc.constantFrom("trade", "trade", "trade", "modify", "cancel", "expire"),
  lots: fc.integer({ min: 1, max: 6 }),
});

test(`whatever is lost, doubled or reordered, a reconciliation ends in the venue's truth (seed ${SEED})`, () => {
  const plan = fc.record({
    deeds: fc.array(deed, { maxLength: 8 }),
    wanted: fc.record({ qty: fc.integer({ min: 1, max: 2 * QTY }), px: fc.integer({ min: 990, max: 1010 }) }),
    // Per message: 0 lost, 1 once, 2 twice; and when it comes.
    fate: fc.array(fc.tuple(fc.nat(2), fc.nat(1_000_000)), { minLength: 40, maxLength: 40 }),
  });
  fc.assert(
    fc.property(plan, ({ deeds, wanted, fate }) => {
      const rig = new Rig();
      const venue = new NaiveVenue();
      const slot = rig.table.add(request(1), 1);
      venue.accept();
      venue.told[0]!(rig);
      if (deeds.some((d) => d.kind === "modify")) rig.cycle.modifySent(slot, wanted.px, wanted.qty, 5);
      for (const { kind, lots } of deeds) {
        if (kind === "trade") venue.trade(lots);
        else if (kind === "modify") venue.modify(wanted.qty, wanted.px);
        else venue.end(kind === "cancel" ? codes.ORDER_CANCELED : codes.ORDER_EXPIRED);
      }
      const arrivals = venue.told.flatMap((message, i) => {
        const [times, key] = fate[i % fate.length]!;
        return Array.from({ length: times }, (_, k) => ({ message, key: key + k * 333_333 }));
      });
      arrivals.sort((x, y) => x.key - y.key);
      let booked = 0;
      for (const { message } of arrivals) {
        const before = rig.booked;
        message(rig);
        booked += rig.booked - before;
        checkTable(rig.table, [1]);
      }
      // A request without an answer is known to be one before anybody asks.
      if (rig.table.find(1) !== NO_ORDER && rig.cycle.inFlight(slot)) rig.report(1, codes.EXEC_UNKNOWN, 0, 0);
      venue.answer(rig);
      expect(rig.booked).toBe(venue.cum);
      expect(booked).toBeLessThanOrEqual(venue.cum);
      checkTable(rig.table, [1]);
      if (isOver(venue.state)) {
        expect(rig.table.find(1)).toBe(NO_ORDER);
        return;
      }
      expect(rig.table.find(1)).toBe(slot);
      expect([rig.table.state[slot], rig.table.cumQtyLots[slot], rig.table.filledLots[slot]]).toEqual([
        venue.state,
        venue.cum,
        venue.cum,
      ]);
      expect([rig.table.qtyLots[slot], rig.table.pxTicks[slot]]).toEqual([venue.qty, venue.px]);
    }),
    { seed: SEED, numRuns: 600 },
  );
});

test("a look at the order that is older than its amendment does not undo it", () => {
  const rig = new Rig();
  const slot = rig.table.add(request(1), 1);
  rig.report(1, codes.EXEC_NEW, codes.ORDER_WORKING, 0, QTY, 1000, true, 5);
  rig.cycle.modifySent(slot, 1005, 25, 6);
  rig.report(1, codes.EXEC_AMENDED, codes.ORDER_WORKING, 0, 25, 1005, true, 8);
  rig.report(1, codes.EXEC_STATUS, codes.ORDER_WORKING, 0, QTY, 1000, true, 7);
  expect([rig.table.qtyLots[slot], rig.table.pxTicks[slot]]).toEqual([25, 1005]);
  rig.report(1, codes.EXEC_STATUS, codes.ORDER_WORKING, 0, 30, 1006, true, 9);
  expect([rig.table.qtyLots[slot], rig.table.pxTicks[slot], rig.table.exposedLots(slot)]).toEqual([
    30, 1006, 30,
  ]);
});

test("a full table refuses, gives up owed orders first, and serves again after releases", () => {
  const rig = new Rig(4);
  for (let seq = 1; seq <= 4; seq++) expect(rig.table.add(request(seq), 1)).not.toBe(NO_ORDER);
  expect(rig.table.add(request(5), 1)).toBe(NO_ORDER);
  rig.report(2, codes.EXEC_TRADE, codes.ORDER_FILLED, QTY);
  expect(rig.table.hasRoom).toBe(true);
  expect(rig.table.add(request(5), 1)).not.toBe(NO_ORDER);
  expect(rig.table.owedEvicted).toBe(1);
  const slot = rig.table.find(5);
  rig.table.withdraw(slot);
  expect(rig.table.find(5)).toBe(NO_ORDER);
  checkTable(rig.table, [1, 2, 3, 4, 5]);
});
