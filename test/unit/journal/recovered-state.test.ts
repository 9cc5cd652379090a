// What recovery must not take for a holding or an open order.
import { expect, test } from "bun:test";
import { allocateRecordMemory, RECORD_BYTES } from "../../../src/core/record.ts";
import { RecoveredState } from "../../../src/journal/recovered-state.ts";
import * as codes from "../../../src/wire/codes.ts";
import * as wire from "../../../src/wire/messages.gen.ts";

const NONCE = 77;
const SEQ = 5;

function recovered(...write: ((m: ReturnType<typeof allocateRecordMemory>, at: number) => void)[]) {
  const memory = allocateRecordMemory(2);
  const names = { symbolOf: () => "BTCUSDT", strategyOf: (s: number) => ["house", "mine"][s]! };
  const state = new RecoveredState(memory, { session: "s", baseNs: 0n, nonce: BigInt(NONCE), ...names });
  state.startSession({ session: "s", baseNs: 0n, nonce: BigInt(NONCE), ...names });
  for (const one of write) {
    one(memory, 0);
    state.onRecord(memory, 0);
    if ((memory.u16[wire.HEADER_FLAGS]! & wire.FLAG_MORE) !== 0) state.onRecord(memory, RECORD_BYTES);
  }
  state.settle();
  return state;
}

const position =
  (flags: number, lots: number) => (m: Parameters<typeof wire.encodePosition>[0], at: number) => {
    wire.encodePosition(m, at, flags | wire.FLAG_MORE, 1, 0, 0, 0, 0, 0, lots, lots * 100, 0, 0);
    wire.encodePositionDetail(
      ...([
        m,
        at + RECORD_BYTES,
        flags | wire.FLAG_CONTINUATION,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        Number.NaN,
      ] as const),
    );
  };

const sent = (m: Parameters<typeof wire.encodeOrderSent>[0], at: number) => {
  wire.encodeOrderSent(m, at, 0, 1, 1, 0, 0, 0, 0, SEQ, codes.ACTION_PLACE, 1, 0, 0, 100, 10, 0);
};

const report =
  (execType: number, state: number, nonce = NONCE) =>
  (m: Parameters<typeof wire.encodeOrderReport>[0], at: number) => {
    wire.encodeOrderReport(m, at, wire.FLAG_MORE, 1, 1, 0, 0, 0, 0, SEQ, execType, state, 0, 1, 100, 10, 0);
    const tail = at + RECORD_BYTES;
    wire.encodeOrderReportDetail(m, tail, wire.FLAG_CONTINUATION, 1, 1, 0, 0, 0, 0, 9, 0, nonce, 0, 0, 0, 0);
  };

test("the venue's own view of the net position is not a holding of house", () => {
  const state = recovered(position(0, 3), position(wire.FLAG_VENUE | wire.FLAG_RECOVERED, -40));
  expect([...state.positions.values()].map((p) => [p.strategy, p.qtyLots])).toEqual([["house", 3]]);
});

test("an answer that its order's end has overtaken does not open the order again", () => {
  const ended = [sent, report(codes.EXEC_CANCELED, codes.ORDER_CANCELED)];
  expect(recovered(...ended).orders.size).toBe(0);
  expect(recovered(...ended, report(codes.EXEC_NEW, codes.ORDER_WORKING)).orders.size).toBe(0);
  expect(recovered(sent, report(codes.EXEC_NEW, codes.ORDER_WORKING)).orders.size).toBe(1);
});

test("an order of an earlier session that is reported working is open", () => {
  const state = recovered(report(codes.EXEC_STATUS, codes.ORDER_WORKING, NONCE + 1));
  expect([...state.orders.keys()]).toEqual([`${NONCE + 1}:${SEQ}`]);
});
