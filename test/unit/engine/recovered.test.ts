// Earlier sessions' state in the numbers of this one.
import { expect, test } from "bun:test";
import { restoredState, strategyNow } from "../../../src/engine/recovered.ts";
import type { Recovery } from "../../../src/journal/recovery.ts";
import type { SessionManifest } from "../../../src/journal/session-manifest.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import { formatClientId } from "../../../src/order/client-id.ts";
import { HOUSE } from "../../../src/order/ledger.ts";

const instrument = (id: number, symbol: string) => ({ id, symbol }) as Instrument;
const NONE: Recovery = {
  ...{ endPosition: 0, sessions: [], positions: [], openOrders: [], instruments: [] },
  ...{ problems: [], cuts: [], manifestProblems: [] },
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
const NOW = [
  { id: 1, name: "a" },
  { id: 2, name: "b" },
];
const INSTRUMENTS = [instrument(1, "BTCUSDT"), instrument(2, "ETHUSDT"), instrument(3, "SOLUSDT")];

test("strategy numbers of earlier sessions are translated by name; what has no name any more is house", () => {
  const { sessions } = restoredState(NONE, INSTRUMENTS, NOW, SESSIONS);
  expect([0, 1, 2].map((s) => strategyNow(sessions, 1, 2, s))).toEqual([HOUSE, HOUSE, 2]);
  expect([0, 1, 2, 3].map((s) => strategyNow(sessions, 2, 2, s))).toEqual([HOUSE, 2, 1, HOUSE]);
  // This session's own ids, and those of sessions that are not ours, keep their number.
  expect(strategyNow(sessions, 9, 9, 2)).toBe(2);
});

test("an instrument without a journalled trade is recovered from its first session on, a new one not at all", () => {
  const known = { symbol: "BTCUSDT", maxTradeId: (3n << 32n) | 7n, lastFillUnixNs: 0n };
  const recovery = { ...NONE, instruments: [{ ...known, recentTradeIds: new Set([(3n << 32n) | 7n]) }] };
  const { trades } = restoredState(recovery, INSTRUMENTS, NOW, SESSIONS);
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
  );
  const clientId = formatClientId({ nonceLo: 1, nonceHi: 2, strategy: 2, clientSeq: 36 });
  expect(orders).toEqual([{ symbol: "BTCUSDT", clientId }]);
});
