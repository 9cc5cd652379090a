// A run small enough to compute every figure by hand: 4 s, two fills, five orders. tick 0.5, lot 0.1.
import { makeTables, type RunResult } from "../../../src/analytics/run-result.ts";
import {
  ORDER_CANCELED,
  ORDER_FILLED,
  ORDER_PARTIALLY_FILLED,
  ORDER_PENDING_NEW,
  ORDER_REJECTED,
} from "../../../src/wire/codes.ts";

export const S = 1e9;
export const MS = 1e6;

export function put<C extends string>(
  table: { add(): number; at(name: C): Float64Array },
  row: Partial<Record<C, number>>,
): void {
  const at = table.add();
  for (const [name, value] of Object.entries(row)) table.at(name as C)[at] = value as number;
}

export function handRun(): RunResult {
  const { states, orders, fills } = makeTables();
  const equity = [0, 10, 5, 20, 12];
  const position = [0, 2, 2, -1, 0];
  for (let i = 0; i < 5; i++)
    put(states, { tsNs: i * S, instrument: 0, mid: 50, position: position[i]!, equity: equity[i]! });
  const order = { instrument: 0, strategy: 1, type: 0, tif: 1, amends: 0, rejectCode: 0 };
  const sent = (at: number, entry: number, answer: number) => ({
    requestTsNs: at,
    exchTsNs: at + entry,
    responseTsNs: at + entry + answer,
  });
  put(orders, {
    ...order,
    orderId: 1,
    side: 1,
    pxTicks: 100,
    qtyLots: 20,
    filledLots: 20,
    state: ORDER_FILLED,
    ...sent(0, 1 * MS, 2 * MS),
  });
  put(orders, {
    ...order,
    orderId: 2,
    side: -1,
    pxTicks: 104,
    qtyLots: 40,
    filledLots: 30,
    state: ORDER_PARTIALLY_FILLED,
    ...sent(S, 3 * MS, 2 * MS),
  });
  put(orders, {
    ...order,
    orderId: 3,
    side: 1,
    pxTicks: 99,
    qtyLots: 10,
    filledLots: 0,
    state: ORDER_CANCELED,
    ...sent(2 * S, 2 * MS, 2 * MS),
  });
  put(orders, {
    ...order,
    orderId: 4,
    side: 1,
    pxTicks: 99,
    qtyLots: 10,
    filledLots: 0,
    state: ORDER_REJECTED,
    ...sent(3 * S, 5 * MS, 2 * MS),
  });
  // Still on its way when the run ended.
  put(orders, {
    ...order,
    orderId: 5,
    side: 1,
    pxTicks: 99,
    qtyLots: 10,
    filledLots: 0,
    state: ORDER_PENDING_NEW,
    requestTsNs: 4 * S,
  });
  const fill = { instrument: 0, strategy: 1 };
  put(fills, {
    ...fill,
    orderId: 1,
    side: 1,
    pxTicks: 100,
    qtyLots: 20,
    maker: 1,
    fee: -0.01,
    exchTsNs: 0.5 * S,
    localTsNs: 0.6 * S,
    queueWaitNs: 0.4 * S,
    mid0Ticks: 100.5,
    mid100msTicks: 101,
    mid1sTicks: 99,
  });
  put(fills, {
    ...fill,
    orderId: 2,
    side: -1,
    pxTicks: 104,
    qtyLots: 30,
    maker: 0,
    fee: 0.1,
    exchTsNs: 2.5 * S,
    localTsNs: 2.6 * S,
    mid0Ticks: 103.5,
    mid100msTicks: 103,
    mid1sTicks: 106,
    mid10sTicks: 100,
  });
  return {
    mode: "default",
    baseNs: 1_723_075_200_000_000_000n,
    startTsNs: 0,
    endTsNs: 4 * S,
    rows: 1234,
    instruments: [
      {
        index: 0,
        symbol: 'X<b>"',
        currency: "USDT",
        tickSize: 0.5,
        lotSize: 0.1,
        contractSize: 1,
        kind: "linear",
      },
    ],
    strategies: ["maker"],
    startBalance: {},
    states,
    orders,
    fills,
    returnCode: null,
    failure: null,
  };
}
