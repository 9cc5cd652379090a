// What the WAL says of earlier sessions, in the numbers of this one: positions go to the strategy of the same
// name, or to house when there is none any more; fills that no Position record contains yet are to be booked
// again; trade ids already applied are remembered. Plain data for EXECUTION. Cold.
import type { Recovery } from "../journal/recovery.ts";
import type { Instrument } from "../market/instrument.ts";
import { HOUSE, type RestoredPosition } from "../order/ledger.ts";
import type { ExecutionHandler } from "../strategy/execution-handler.ts";

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

/** Brings ledger and trade ids of a new session to where the WAL ended, and tells the gateway where to go on. */
export function restoreLedger(
  handler: ExecutionHandler,
  restored: Restored,
  gateway: { recoverSince(instrumentId: number, tradeId: string): void },
): void {
  const { ledger, cycle } = handler.parts;
  for (const pair of restored.pairs) {
    ledger.restore(pair.strategy, pair.instrument, pair);
    for (const fill of pair.fills) {
      ledger.book(pair.strategy, pair.instrument, fill.side, fill.pxTicks, fill.qtyLots, fill.maker);
      ledger.bookFee(pair.strategy, pair.instrument, fill.feeAsset, fill.feeE8);
    }
  }
  for (const trades of restored.trades) {
    trades.recentLo.forEach((lo, k) => {
      cycle.tradeIds.take(trades.instrument, lo, trades.recentHi[k]!);
    });
    if (trades.lastTradeId !== "") gateway.recoverSince(trades.instrument, trades.lastTradeId);
  }
}
