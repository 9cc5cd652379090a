// When an answer, or its absence, settles what became of an order.
import { expect, test } from "bun:test";
import { ClientIdEncoder, FIRST_ADOPTED_SEQ } from "../../../../src/order/client-id.ts";
import type { OrderRequest } from "../../../../src/order/gateway.ts";
import { ReportWriter } from "../../../../src/order/report-writer.ts";
import { ADOPTED_MOST, AdoptedOrders } from "../../../../src/venue/binance/adopted-orders.ts";
import { AnswerWriter } from "../../../../src/venue/binance/answer-writer.ts";
import { newGatewayCounters } from "../../../../src/venue/binance/gateway-options.ts";
import { RequestTable } from "../../../../src/venue/binance/in-flight.ts";
import { blankRequest, NO_SUCH_ORDER, OrderProofs } from "../../../../src/venue/binance/order-proofs.ts";
import {
  ACTION_CANCEL,
  ACTION_MODIFY,
  ACTION_PLACE,
  ORDER_CANCELED,
  ORDER_FILLED,
  ORDER_REJECTED,
  ORDER_WORKING,
} from "../../../../src/wire/codes.ts";
import { KIND_ORDER_REPORT, OrderReport } from "../../../../src/wire/messages.gen.ts";
import { CollectingSink } from "./fixtures.ts";

const S = 1e9;
const SEQ = 7;
const RECV_WINDOW_MS = 5_000;
/** recvWindow and two seconds for the clocks. */
const VALID_NS = 7 * S;

function rig() {
  const sink = new CollectingSink(64);
  const writer = new ReportWriter(sink, 0);
  const requests = new RequestTable(16);
  const asked: number[] = [];
  const proofs = new OrderProofs({
    requests,
    answers: new AnswerWriter(writer, new ClientIdEncoder(5, 0)),
    counters: newGatewayCounters(),
    recvWindowMs: RECV_WINDOW_MS,
    query: (request: OrderRequest) => asked.push(request.clientSeq) > 0,
  });
  const lose = (action: number, pxTicks = 100, qtyLots = 10): void => {
    const request = {
      ...blankRequest(),
      clientSeq: SEQ,
      instrument: 1,
      strategy: 1,
      side: 1,
      pxTicks,
      qtyLots,
    };
    const slot = requests.add(action, request, 0);
    proofs.begin(slot, 0);
    requests.release(slot);
  };
  /** States of the reports written. */
  const told = () =>
    Array.from({ length: sink.count }, (_, i) => i * 64)
      .filter((at) => sink.memory.u16[at >> 1] === KIND_ORDER_REPORT)
      .map((at) => new OrderReport(sink.memory).wrap(sink.memory, at).orderState);
  return { proofs, asked, lose, told, requests };
}

test("an unknown order is asked for at once, then less and less often, until it is proven", () => {
  const { proofs, asked, lose } = rig();
  lose(ACTION_PLACE);
  const times: number[] = [];
  for (let t = 0; t <= 40 * S; t += S / 10) {
    const before = asked.length;
    proofs.poll(t);
    if (asked.length > before) times.push(Math.round(t / S));
  }
  expect(times).toEqual([0, 2, 6, 12, 20, 30, 40]);
  proofs.proved(SEQ);
  proofs.poll(100 * S);
  expect(asked).toHaveLength(times.length);
});

test("that an order does not exist proves a place to have failed only when it can no longer be accepted", () => {
  const { proofs, lose, told } = rig();
  lose(ACTION_PLACE);
  proofs.refused(SEQ, NO_SUCH_ORDER, VALID_NS);
  expect([told(), proofs.count]).toEqual([[], 1]);
  proofs.refused(SEQ, -1000, VALID_NS + 1);
  expect(proofs.count).toBe(1);
  proofs.refused(SEQ, NO_SUCH_ORDER, VALID_NS + 1);
  expect([told(), proofs.count]).toEqual([[ORDER_REJECTED], 0]);
});

test("an order that was there and is not any more has ended", () => {
  const { proofs, lose, told } = rig();
  lose(ACTION_CANCEL);
  proofs.refused(SEQ, NO_SUCH_ORDER, VALID_NS + 1);
  expect(told()).toEqual([ORDER_CANCELED]);
});

test("a modify is proven by what it asked for, by the order's end, or by time", () => {
  const { proofs, lose } = rig();
  lose(ACTION_MODIFY, 105, 20);
  expect(proofs.isProof(SEQ, ORDER_WORKING, 100, 10, S)).toBe(false);
  expect(proofs.isProof(SEQ, ORDER_WORKING, 105, 10, S)).toBe(false);
  expect(proofs.isProof(SEQ, ORDER_WORKING, 105, 20, S)).toBe(true);
  expect(proofs.isProof(SEQ, ORDER_FILLED, 100, 10, S)).toBe(true);
  expect(proofs.isProof(SEQ, ORDER_WORKING, 100, 10, VALID_NS + 1)).toBe(true);
});

test("a cancel lost after a modify does not make the old terms a proof of the modify", () => {
  const { proofs, lose } = rig();
  lose(ACTION_MODIFY, 105, 20);
  lose(ACTION_CANCEL, 100, 10);
  expect(proofs.count).toBe(1);
  expect(proofs.isProof(SEQ, ORDER_WORKING, 100, 10, S)).toBe(false);
});

test("an order that the venue would not cancel is asked for unless the stream tells its end first", () => {
  const { proofs, asked, requests } = rig();
  const request = { ...blankRequest(), clientSeq: SEQ, instrument: 1, strategy: 1, side: 1 };
  const slot = requests.add(ACTION_CANCEL, request, 0);
  proofs.suspect(slot, S);
  proofs.poll(S + 0.2 * S);
  expect(asked).toEqual([]);
  proofs.proved(SEQ);
  proofs.poll(2 * S);
  expect(asked).toEqual([]);
  proofs.suspect(slot, 3 * S);
  proofs.poll(3.3 * S);
  expect(asked).toEqual([SEQ]);
});

test("adopted orders have numbers of their own, are found by the venue's id, and make room when they are over", () => {
  const adopted = new AdoptedOrders();
  const ids = Array.from({ length: ADOPTED_MOST }, (_, i) => String((1n << 40n) + BigInt(i)));
  const numbers = ids.map((id, i) => adopted.adopt(id, i % 3));
  expect(new Set(numbers).size).toBe(ADOPTED_MOST);
  expect(Math.min(...numbers)).toBe(FIRST_ADOPTED_SEQ);
  expect(adopted.adopt("77", 0)).toBe(0);
  expect(adopted.adopt(ids[3]!, 0)).toBe(numbers[3]!);
  adopted.forget(numbers[3]!);
  expect([adopted.find(3, 256), adopted.find(4, 256)]).toEqual([0, numbers[4]!]);
  expect(adopted.orderIdOf(numbers[255]!)).toBe(ids[255]!);
  expect([4, 5, 6].map((k) => adopted.strategyOf(numbers[k]!))).toEqual([1, 2, 0]);
  const next = adopted.adopt("77", 0);
  expect(numbers).not.toContain(next);
  expect(adopted.orderIdOf(next)).toBe("77");
});
