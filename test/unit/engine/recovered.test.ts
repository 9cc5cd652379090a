// Earlier sessions' state in the numbers of this one.
import { expect, test } from "bun:test";
import { restoredState, strategyNow } from "../../../src/engine/recovered.ts";
import type { Recovery } from "../../../src/journal/recovery.ts";
import type { SessionManifest } from "../../../src/journal/session-manifest.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import { formatClientId } from "../../../src/order/client-id.ts";
import { HOUSE } from "../../../src/order/ledger.ts";
import * as codes from "../../../src/wire/codes.ts";

const instrument = (id: number, symbol: string) => ({ id, symbol }) as Instrument;
const NONE: Recovery = {
  ...{ endPosition: 0, sessions: [], positions: [], openOrders: [], instruments: [] },
  ...{ problems: [], cuts: [], manifestProblems: [], risk: [], requests: [], fees: [] },
  funding: { lastUnixNs: 0n, recentIds: new Set() },
  segmentsSkipped: 0,
  checkpointProblem: "",
};
const manifest = (
  nonceLo: number,
  createdMs: number,
  symbols: string[],
  strategies: string[],
): SessionManifest => ({
  ...{ session: `s${nonceLo}`, env: "sim", schemaVersion: 1, baseNs: "0", nonceLo, nonceHi: 2 },
  createdUnixNs: String(BigInt(createdMs) * 1_000_000n),
  instruments: symbols.map((symbol, i) => instrument(i + 1, symbol)),
  strategies: ["house", ...strategies],
  streams: {},
});
const SESSIONS = [
  manifest(1, 5_000, ["ETHUSDT", "BTCUSDT"], ["gone", "b"]),
  manifest(2, 9_000, ["BTCUSDT"], ["b", "a"]),
];
const PRESENT = { kept: [], assets: ["", "USDT", "BNB"], baseNs: 0n, rearmedUnixMs: 0 };
const NOW = [
  { id: 1, name: "a" },
  { id: 2, name: "b" },
];
const INSTRUMENTS = [instrument(1, "BTCUSDT"), instrument(2, "ETHUSDT"), instrument(3, "SOLUSDT")];

test("strategy numbers of earlier sessions are translated by name; what has no name any more is house", () => {
  const { sessions } = restoredState(NONE, INSTRUMENTS, NOW, SESSIONS, PRESENT);
  expect([0, 1, 2].map((s) => strategyNow(sessions, 1, 2, s))).toEqual([HOUSE, HOUSE, 2]);
  expect([0, 1, 2, 3].map((s) => strategyNow(sessions, 2, 2, s))).toEqual([HOUSE, 2, 1, HOUSE]);
  // This session's own ids, and those of sessions that are not ours, keep their number.
  expect(strategyNow(sessions, 9, 9, 2)).toBe(2);
});

test("an instrument without a journalled trade is recovered from its first session on, a new one not at all", () => {
  const known = { symbol: "BTCUSDT", maxTradeId: (3n << 32n) | 7n, lastFillUnixNs: 0n };
  const recovery = { ...NONE, instruments: [{ ...known, recentTradeIds: new Set([(3n << 32n) | 7n]) }] };
  const { trades } = restoredState(recovery, INSTRUMENTS, NOW, SESSIONS, PRESENT);
  expect(trades).toEqual([
    { instrument: 1, sinceMs: 5_000, lastTradeId: String((3n << 32n) | 7n), recentLo: [7], recentHi: [3] },
    { instrument: 2, sinceMs: 5_000, lastTradeId: "", recentLo: [], recentHi: [] },
    { instrument: 3, sinceMs: Number.NaN, lastTradeId: "", recentLo: [], recentHi: [] },
  ]);
});

test("orders without an end are named as the venue knows them", () => {
  const order = { key: "", nonce: (2n << 32n) | 1n, clientSeq: 36, strategy: "b", symbol: "BTCUSDT" };
  const rest = {
    side: 1,
    tif: 0,
    orderType: 0,
    pxTicks: 1,
    qtyLots: 1,
    cumQtyLots: 0,
    state: 1,
    venueOrderId: 0n,
  };
  const { orders } = restoredState(
    { ...NONE, openOrders: [{ ...order, ...rest }] },
    INSTRUMENTS,
    NOW,
    SESSIONS,
    PRESENT,
  );
  const clientId = formatClientId({ nonceLo: 1, nonceHi: 2, strategy: 2, clientSeq: 36 });
  const number = { nonceLo: 1, nonceHi: 2, clientSeq: 36, strategy: 2 };
  expect(orders).toEqual([{ symbol: "BTCUSDT", clientId, orderId: "", ...number }]);
});

test("kept orders go to the strategy of the same name", () => {
  const clientOrderId = formatClientId({ nonceLo: 2, nonceHi: 2, strategy: 1, clientSeq: 9 });
  const order = { symbol: "BTCUSDT", orderId: "77", clientOrderId, side: "BUY", status: "NEW" } as const;
  const venue = { ...order, price: "1", quantity: "1", executedQuantity: "0", updateTimeMs: 0 };
  const { kept } = restoredState(NONE, INSTRUMENTS, NOW, SESSIONS, { ...PRESENT, kept: [venue] });
  expect(kept).toEqual([{ orderId: "77", strategy: 2 }]);
});

test("risk state comes over by name; losses before the last rearm are accepted; the breaker keeps its end", () => {
  const base = { asset: "", value0: 1, value1: 2, value2: 0, unixNs: 10_000_000n, baseNs: 0n };
  const day = { ...base, code: codes.RISK_STATE_DAY, strategy: "house", symbol: "" };
  const recovery: Recovery = {
    ...NONE,
    risk: [
      day,
      { ...base, code: codes.RISK_STATE_STRATEGY_DAY, strategy: "b", symbol: "" },
      { ...base, code: codes.RISK_STATE_STRATEGY_DAY, strategy: "gone", symbol: "" },
      { ...base, code: codes.RISK_STATE_BREAKER, strategy: "house", symbol: "", value1: 5e9 },
      { ...base, code: codes.RISK_STATE_FUNDING, strategy: "gone", symbol: "ETHUSDT" },
      { ...base, code: codes.RISK_STATE_FUNDING, strategy: "b", symbol: "UNKNOWN" },
      { ...base, code: codes.RISK_STATE_OTHER_FEES, strategy: "b", symbol: "", asset: "BNB" },
    ],
    requests: [{ unixNs: 4_000_000_000n, isCancel: false }],
    fees: [
      { strategy: "b", symbol: "BTCUSDT", asset: "BNB", feeE8: 3 },
      { strategy: "b", symbol: "BTCUSDT", asset: "USDT", feeE8: 4 },
    ],
  };
  const listed = INSTRUMENTS.map((i) => ({ ...i, settle: "USDT" }) as Instrument);
  const at = (rearmedUnixMs: number) =>
    restoredState(recovery, listed, NOW, SESSIONS, { ...PRESENT, baseNs: 1_000_000_000n, rearmedUnixMs });
  const shown = at(0).risk.map((r) => [r.code, r.strategy, r.instrument, r.index, r.value1]);
  expect(shown).toEqual([
    [codes.RISK_STATE_DAY, HOUSE, 0, 0, 2],
    [codes.RISK_STATE_STRATEGY_DAY, 2, 0, 0, 2],
    [codes.RISK_STATE_BREAKER, HOUSE, 0, 0, 4e9],
    [codes.RISK_STATE_FUNDING, HOUSE, 2, 0, 2],
    [codes.RISK_STATE_OTHER_FEES, 2, 0, 2, 2],
  ]);
  const codesAfterRearm = at(10).risk.map((r) => r.code);
  expect(codesAfterRearm).toEqual([
    codes.RISK_STATE_BREAKER,
    codes.RISK_STATE_FUNDING,
    codes.RISK_STATE_OTHER_FEES,
  ]);
  expect(at(0).requests).toEqual([{ tsNs: 3e9, isCancel: false }]);
  expect(at(0).otherFees).toEqual([{ strategy: 2, asset: 2, feeE8: 3 }]);
});

test("funding is asked for from a minute before the last payment, from the first session, or not at all", () => {
  const since = (lastUnixNs: bigint, sessions: readonly SessionManifest[]) =>
    restoredState(
      { ...NONE, funding: { lastUnixNs, recentIds: new Set([3n]) } },
      INSTRUMENTS,
      NOW,
      sessions,
      PRESENT,
    ).funding;
  expect(since(100_000_000_000n, SESSIONS)).toEqual({ sinceMs: 40_000, transactionIds: ["3"] });
  expect(since(20_000_000_000n, SESSIONS).sinceMs).toBe(5_000);
  expect(since(0n, SESSIONS).sinceMs).toBe(5_000);
  expect(since(0n, []).sinceMs).toBeNaN();
});
