// What the WAL says of earlier sessions, in the numbers of this one: positions go to the strategy of the same
// name, or to house when there is none any more; fills that no Position record contains yet are to be booked
// again; trade ids already applied are remembered. Plain data for EXECUTION. Cold.
import type { Recovery } from "../journal/recovery.ts";
import type { Instrument } from "../market/instrument.ts";
import { HOUSE, type RestoredPosition } from "../order/ledger.ts";

export interface RestoredPair extends RestoredPosition {
  readonly strategy: number;
  readonly instrument: number;
  readonly fills: readonly RestoredFill[];
}

export interface RestoredFill {
  readonly side: number;
  readonly maker: boolean;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly feeE8: number;
  readonly feeAsset: number;
}

export interface RestoredTrades {
  readonly instrument: number;
  /** Decimal digits; "" = no fill is known. */
  readonly lastTradeId: string;
  /** Newest last. */
  readonly recentLo: readonly number[];
  readonly recentHi: readonly number[];
}

export interface Restored {
  readonly pairs: readonly RestoredPair[];
  readonly trades: readonly RestoredTrades[];
}

export function restoredState(
  recovery: Recovery,
  instruments: readonly Instrument[],
  strategies: readonly { readonly id: number; readonly name: string }[],
): Restored {
  const instrumentId = (symbol: string) => instruments.find((i) => i.symbol === symbol)?.id ?? 0;
  const strategyId = (name: string) => strategies.find((s) => s.name === name)?.id ?? HOUSE;
  const pairs = recovery.positions
    .filter((p) => instrumentId(p.symbol) !== 0)
    .map((p) => ({
      strategy: strategyId(p.strategy),
      instrument: instrumentId(p.symbol),
      qtyLots: p.qtyLots,
      costTickLots: p.costTickLots,
      realizedHi: p.realizedHi,
      realizedLo: p.realizedLo,
      feesHi: p.feesHi,
      feesLo: p.feesLo,
      fills: p.fillsSince,
    }));
  const trades = recovery.instruments
    .filter((i) => instrumentId(i.symbol) !== 0)
    .map((i) => ({
      instrument: instrumentId(i.symbol),
      lastTradeId: i.maxTradeId < 0n ? "" : String(i.maxTradeId),
      recentLo: [...i.recentTradeIds].map((id) => Number(id & 0xffff_ffffn)),
      recentHi: [...i.recentTradeIds].map((id) => Number(id >> 32n)),
    }));
  return { pairs, trades };
}
