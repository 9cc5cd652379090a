// Live against backtest: orders whose fills differ (C2), and what the ledgers differ by (C3). Cold.
import type { SessionManifest } from "../../journal/session-manifest.ts";
import { Ledger, moneyScale } from "../../order/ledger.ts";
import type { RecordedFill, RecordedSession } from "./recorded-session.ts";

export interface OrderDifference {
  readonly clientSeq: number;
  readonly strategy: string;
  readonly symbol: string;
  /** «lots@ticks maker|taker» per fill. */
  readonly live: readonly string[];
  readonly backtest: readonly string[];
}

export interface LedgerDifference {
  readonly strategy: string;
  readonly symbol: string;
  readonly field: string;
  readonly live: string;
  readonly backtest: string;
}

export interface ExecutionComparison {
  readonly orders: number;
  readonly fills: number;
  readonly different: readonly OrderDifference[];
}

/**
 * "executions": fills of one order agree when they are the same executions in the same order. "lots": when the same
 * lots traded at the same prices, however they were split: what latencies that are only fitted can be asked for.
 */
export type Agreement = "executions" | "lots";

export function compareExecutions(
  session: RecordedSession,
  manifest: SessionManifest,
  fills: readonly RecordedFill[],
  agreement: Agreement,
): ExecutionComparison {
  const live = byOrder(session.fills, agreement);
  const backtest = byOrder(fills, agreement);
  const different: OrderDifference[] = [];
  for (const [clientSeq, sent] of session.orders) {
    const a = live.get(clientSeq) ?? [];
    const b = backtest.get(clientSeq) ?? [];
    if (a.length === b.length && a.every((text, i) => text === b[i])) continue;
    const { strategy, instrument } = sent[0]!.request;
    different.push({
      clientSeq,
      strategy: manifest.strategies[strategy] ?? `#${strategy}`,
      symbol: manifest.instruments[instrument - 1]?.symbol ?? `#${instrument}`,
      live: a,
      backtest: b,
    });
  }
  return { orders: session.orders.size, fills: session.fills.length, different };
}

function byOrder(fills: readonly RecordedFill[], agreement: Agreement): Map<number, string[]> {
  const found = new Map<number, { readonly at: string; lots: number }[]>();
  for (const { clientSeq, qtyLots, pxTicks, maker } of fills) {
    const at = `${pxTicks} ${maker ? "maker" : "taker"}`;
    const of = found.get(clientSeq) ?? [];
    found.set(clientSeq, of);
    const same = agreement === "lots" ? of.find((one) => one.at === at) : undefined;
    if (same === undefined) of.push({ at, lots: qtyLots });
    else same.lots += qtyLots;
  }
  return new Map([...found].map(([seq, of]) => [seq, of.map(({ at, lots }) => `${lots}@${at}`)]));
}

/** Every pair of strategy and instrument: position, cost, realised result, fees, turnover, counts. */
export function compareLedgers(
  session: RecordedSession,
  manifest: SessionManifest,
  fills: readonly RecordedFill[],
): LedgerDifference[] {
  const live = ledgerOf(manifest, session.fills);
  const backtest = ledgerOf(manifest, fills);
  const found: LedgerDifference[] = [];
  for (let s = 0; s < manifest.strategies.length; s++)
    for (const { id, symbol } of manifest.instruments) {
      const pair = live.pair(s, id);
      const figures = (l: Ledger): Record<string, string> => ({
        qtyLots: String(l.qtyLots[pair]),
        costTickLots: String(l.costTickLots[pair]),
        realized: `${l.realized.hi[pair]}:${l.realized.lo[pair]}`,
        fees: `${l.fees.hi[pair]}:${l.fees.lo[pair]}`,
        turnover: `${l.turnoverTickLots.hi[pair]}:${l.turnoverTickLots.lo[pair]}`,
        fills: String(l.fillCount[pair]),
        maker: String(l.makerCount[pair]),
      });
      const [a, b] = [figures(live), figures(backtest)];
      for (const [field, value] of Object.entries(a))
        if (b[field] !== value)
          found.push({ strategy: manifest.strategies[s]!, symbol, field, live: value, backtest: b[field]! });
    }
  return found;
}

function ledgerOf(manifest: SessionManifest, fills: readonly RecordedFill[]): Ledger {
  const assets = ["", ...new Set(manifest.instruments.map((i) => i.settle))];
  const scales = manifest.instruments.map((i) => moneyScale(i, assets.indexOf(i.settle)));
  const ledger = new Ledger(manifest.strategies.length, [undefined, ...scales]);
  for (const { strategy, instrument, side, pxTicks, qtyLots, maker, feeE8 } of fills) {
    ledger.book(strategy, instrument, side, pxTicks, qtyLots, maker);
    ledger.bookFee(strategy, instrument, assets.indexOf(manifest.instruments[instrument - 1]!.settle), feeE8);
  }
  return ledger;
}
