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
  const names = {
    symbolOf: () => "BTCUSDT",
    strategyOf: (s: number) => ["house", "mine"][s]!,
    assetOf: (a: number) => ["", "USDT", "BNB"][a] ?? "",
    names: null,
  };
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

type Write = (m: Parameters<typeof wire.encodeRiskState>[0], at: number) => void;
const S = 1e9;

const risk =
  (code: number, strategy: number, index: number, values: [number, number, number], ts: number): Write =>
  (m, at) =>
    wire.encodeRiskState(m, at, 0, 0, strategy, 0, 0, 0, ts, code, index, ...values);

const fee =
  (strategy: number, trade: number, asset: number, feeE8: number): Write =>
  (m, at) => {
    wire.encodeFill(m, at, wire.FLAG_MORE, 1, strategy, 0, 0, 0, 0, SEQ, 1, 1, 0, asset, 100, 1, trade, 0);
    const next = at + RECORD_BYTES;
    wire.encodeFillDetail(m, next, wire.FLAG_CONTINUATION, 1, strategy, 0, 0, 0, 0, 9, 0, NONCE, 0, feeE8, 0);
  };

test("of each kind of risk state the last one holds; names stand for numbers", () => {
  const state = recovered(
    risk(codes.RISK_STATE_DAY, 0, 0, [5, 9, 0], S),
    risk(codes.RISK_STATE_STRATEGY_DAY, 1, 0, [3, 0, 0], S),
    risk(codes.RISK_STATE_DAY, 0, 0, [5, 11, 1], 2 * S),
  );
  const found = [...state.risk.values()].map((r) => [
    r.code,
    r.strategy,
    r.value0,
    r.value1,
    r.value2,
    r.unixNs,
  ]);
  expect(found).toEqual([
    [codes.RISK_STATE_DAY, "house", 5, 11, 1, 2_000_000_000n],
    [codes.RISK_STATE_STRATEGY_DAY, "mine", 3, 0, 0, 1_000_000_000n],
  ]);
});

test("a fee in another asset counts until a risk state contains it, whatever order the kill left them in", () => {
  const total = risk(codes.RISK_STATE_OTHER_FEES, 1, 2, [0, 70, 0], S);
  expect(recovered(fee(1, 1, 2, 70)).fees.map((f) => [f.asset, f.feeE8])).toEqual([["BNB", 70]]);
  expect(recovered(fee(1, 1, 2, 70), total).fees).toEqual([]);
  expect(recovered(fee(1, 1, 2, 70), total, fee(1, 2, 2, 5)).fees.map((f) => f.feeE8)).toEqual([5]);
});

test("requests are kept for the rate windows of the next session", () => {
  const sent =
    (action: number, ts: number): Write =>
    (m, at) =>
      wire.encodeOrderSent(m, at, 0, 1, 1, 0, 0, 0, ts, SEQ, action, 1, 0, 0, 100, 1, 0);
  const { requests } = recovered(sent(codes.ACTION_PLACE, S), sent(codes.ACTION_CANCEL, 2 * S));
  expect(requests).toEqual([
    { unixNs: 1_000_000_000n, isCancel: false },
    { unixNs: 2_000_000_000n, isCancel: true },
  ]);
});

const funding =
  (transaction: number, ts: number): Write =>
  (m, at) =>
    wire.encodeFunding(m, at, 0, 1, 0, 0, 0, ts, ts, -500, Number.NaN, 1, 2, transaction, 1);

test("a funding payment is known when the sum that contains it is journalled, not before", () => {
  const state = recovered(
    funding(7, S),
    risk(codes.RISK_STATE_FUNDING, 1, 0, [-500, 0, 0], S),
    funding(9, 3 * S),
    risk(codes.RISK_STATE_UNASSIGNED_FUNDING, 0, 0, [-500, 0, 0], 3 * S),
    funding(11, 5 * S),
  );
  expect([...state.fundingIds]).toEqual([(1n << 32n) | 7n, (1n << 32n) | 9n]);
  expect(state.lastFundingUnixNs).toBe(BigInt(3 * S));
});

test("what a strategy left that a later session does not have is house's once, also in the sessions after", () => {
  const memory = allocateRecordMemory(2);
  const session = (strategies: readonly string[]) => ({
    ...{ session: "s", baseNs: 0n, nonce: 1n, symbolOf: () => "BTCUSDT" },
    strategyOf: (s: number) => strategies[s]!,
    assetOf: (a: number) => ["", "USDT", "BNB"][a] ?? "",
    names: { strategies, symbols: ["BTCUSDT"] },
  });
  const state = new RecoveredState(memory, session(["house"]));
  const write = (strategy: number, lots: number, fee: number) => {
    const head = [wire.FLAG_MORE, 1, strategy, 0, 0, 0, 0, lots, lots * 100, 0, 0] as const;
    wire.encodePosition(memory, 0, ...head);
    state.onRecord(memory, 0);
    wire.encodeRiskState(memory, 0, 0, 0, strategy, 0, 0, 0, 0, codes.RISK_STATE_OTHER_FEES, 2, 0, fee, 0);
    state.onRecord(memory, 0);
  };
  const held = () =>
    [...state.positions.values(), ...state.estate.positions].map((p) => `${p.strategy} ${p.qtyLots}`);
  const fees = () => [...state.risk.values(), ...state.estate.risk].map((r) => `${r.strategy} ${r.value1}`);
  state.startSession(session(["house", "gone", "stays"]));
  write(1, 5, 7);
  write(2, 3, 1);
  state.startSession(session(["house", "stays"]));
  // House has not written anything yet: a kill here loses nothing.
  expect([held(), fees()]).toEqual([
    ["stays 3", "house 5"],
    ["stays 1", "house 7"],
  ]);
  write(0, 6, 9);
  state.startSession(session(["house", "stays"]));
  expect([held(), fees()]).toEqual([
    ["stays 3", "house 6"],
    ["stays 1", "house 9"],
  ]);
  // It comes back to nothing: house has it.
  state.startSession(session(["house", "stays", "gone"]));
  expect(held()).toEqual(["stays 3", "house 6"]);
});
