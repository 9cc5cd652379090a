// What the order path learns in the middle of a record is journalled where it took effect.
import { expect, test } from "bun:test";
import { WitnessedGateway, WitnessedKillWord } from "../../../src/engine/witness.ts";
import {
  type OrderGateway,
  type OrderRequest,
  SEND_NOT_CONNECTED,
  SEND_OK,
} from "../../../src/order/gateway.ts";
import { PrivateKillWord } from "../../../src/risk/kill-word.ts";
import {
  ACTION_CANCEL,
  ACTION_MODIFY,
  ACTION_PLACE,
  KILL_ARMED,
  KILL_KILLED,
  OBSERVED_KILL_AT_SEND,
  OBSERVED_SEND_REFUSED,
} from "../../../src/wire/codes.ts";
import { Observation } from "../../../src/wire/messages.gen.ts";
import { CollectingSink } from "../venue/binance/fixtures.ts";

const REQUEST: OrderRequest = {
  clientSeq: 7,
  instrument: 3,
  strategy: 1,
  side: 1,
  tif: 0,
  orderType: 0,
  reduceOnly: false,
  pxTicks: 100,
  qtyLots: 1,
};
const answering = (code: number): OrderGateway => ({
  ready: true,
  place: () => code,
  modify: () => code,
  cancel: () => code,
  cancelAll: () => code,
  reconcile: () => {},
});
const read = (sink: CollectingSink, index: number) =>
  new Observation(sink.memory).wrap(sink.memory, index * 64);

test("a gateway that takes every request leaves no record", () => {
  const sink = new CollectingSink(8);
  const gateway = new WitnessedGateway(sink);
  gateway.open(answering(SEND_OK), { nowNs: 5 });
  expect([
    gateway.place(REQUEST),
    gateway.modify(REQUEST),
    gateway.cancel(REQUEST),
    gateway.cancelAll(3),
  ]).toEqual([SEND_OK, SEND_OK, SEND_OK, SEND_OK]);
  expect(sink.count).toBe(0);
});

test("each refusal is one observation with code, action, order and logical time", () => {
  const sink = new CollectingSink(8);
  const gateway = new WitnessedGateway(sink);
  gateway.open(answering(SEND_NOT_CONNECTED), { nowNs: 42 });
  gateway.place(REQUEST);
  gateway.modify(REQUEST);
  expect(gateway.cancel(REQUEST)).toBe(SEND_NOT_CONNECTED);
  expect(sink.count).toBe(3);
  [ACTION_PLACE, ACTION_MODIFY, ACTION_CANCEL].forEach((action, i) => {
    expect(read(sink, i)).toMatchObject({
      code: OBSERVED_SEND_REFUSED,
      instrument: 3,
      recvTsNs: 42,
      value0: SEND_NOT_CONNECTED,
      value1: action,
      value2: 7,
    });
  });
});

test("the kill word is journalled only when the last look finds it set", () => {
  const sink = new CollectingSink(8);
  const word = new PrivateKillWord();
  const look = new WitnessedKillWord(word, sink);
  look.open({ nowNs: 9 });
  expect(look.load()).toBe(KILL_ARMED);
  expect(sink.count).toBe(0);
  word.state = KILL_KILLED;
  expect(look.load()).toBe(KILL_KILLED);
  expect(read(sink, 0)).toMatchObject({ code: OBSERVED_KILL_AT_SEND, value0: KILL_KILLED, recvTsNs: 9 });
});
