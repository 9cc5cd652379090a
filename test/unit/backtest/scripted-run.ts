// A few rows of a market and a scripted trader, in either mode: what the tests of the differences between the two
// are made of. Prices in ticks of 0.1, quantities in lots of 0.001; rows are seen 2 ms after the exchange has them.

import { INSTRUMENT, LOOSE_RISK } from "../../../bench/harness/loose-limits.ts";
import { CompatBacktest } from "../../../src/backtest/compat/compat-backtest.ts";
import type { FundingTerms } from "../../../src/backtest/pipeline/market-funding.ts";
import { PipelineBacktest } from "../../../src/backtest/pipeline/pipeline-backtest.ts";
import { baseOfDayNs } from "../../../src/core/clock.ts";
import {
  EV_BUY,
  EV_EXCH,
  EV_LOCAL,
  EV_SELL,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_TRADE,
} from "../../../src/data/event-codes.ts";
import { EventFeed } from "../../../src/data/event-feed.ts";
import { EventTable } from "../../../src/data/event-table.ts";
import { openRowBlocks } from "../../../src/data/row-blocks.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";
import type { FeeModel } from "../../../src/exchange/fee-schedule.ts";
import { riskAverseQueue } from "../../../src/exchange/queue/risk-averse.ts";
import { KindLatency } from "../../../src/exchange/request-latency.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import type { StrategyContext } from "../../../src/strategy/context.ts";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";
import type { StrategySetup } from "../../../src/strategy/execution-parts.ts";

export const T = 1_700_000_000_000_000_000n;
export const MS = 1_000_000;
const FEED_MS = 2;

export interface Row {
  readonly atMs: number;
  readonly ev: number;
  readonly ticks: number;
  readonly lots: number;
  /** Market by order: which order. */
  readonly id?: bigint;
}

export const bid = (atMs: number, ticks: number, lots: number): Row => ({
  atMs,
  ev: KIND_DEPTH | EV_BUY,
  ticks,
  lots,
});
export const ask = (atMs: number, ticks: number, lots: number): Row => ({
  atMs,
  ev: KIND_DEPTH | EV_SELL,
  ticks,
  lots,
});
export const sold = (atMs: number, ticks: number, lots: number): Row => ({
  atMs,
  ev: KIND_TRADE | EV_SELL,
  ticks,
  lots,
});
export const bought = (atMs: number, ticks: number, lots: number): Row => ({
  atMs,
  ev: KIND_TRADE | EV_BUY,
  ticks,
  lots,
});
export const clearBids = (atMs: number, ticks: number): Row => ({
  atMs,
  ev: KIND_DEPTH_CLEAR | EV_BUY,
  ticks,
  lots: 0,
});

export function bytesOf(rows: readonly Row[]): Uint8Array {
  const table = new EventTable();
  for (const { atMs, ev, ticks, lots, id } of rows) {
    const exch = T + BigInt(atMs * MS);
    table.append(ev | EV_EXCH | EV_LOCAL, exch, exch + BigInt(FEED_MS * MS), ticks / 10, lots / 1000, id);
  }
  return table.bytes;
}

/** hftbacktest's own way: entry 3 ms, response 1 ms, risk-averse queue. */
export function compat(rows: readonly Row[], exchange: "partialFill" | "noPartialFill"): CompatBacktest {
  return new CompatBacktest([
    {
      data: [bytesOf(rows)],
      tickSize: 0.1,
      lotSize: 0.001,
      queueModel: "risk",
      latency: constantLatency(3 * MS, 1 * MS),
      exchange,
    },
  ]);
}

export interface Action {
  readonly atMs: number;
  readonly run: (ctx: StrategyContext) => void;
}

export interface Terms {
  readonly timerMs: number;
  readonly entryMs: number;
  readonly responseMs: number;
  readonly funding: FundingTerms | null;
  readonly marketByOrder: boolean;
  /** Ticks of 0.1 and lots of 0.001, as the rows have them. */
  readonly instrument: Instrument;
  readonly fees: FeeModel;
}

const TERMS: Terms = {
  timerMs: 1,
  entryMs: 3,
  responseMs: 1,
  funding: null,
  marketByOrder: false,
  instrument: INSTRUMENT,
  fees: { kind: "value", makerE8: 0, takerE8: 0 },
};

/** The same market under the pipeline; each action runs at the first timer at or after its time. `setup`: who trades instead. */
export function pipeline(
  rows: readonly Row[],
  actions: readonly Action[],
  partialFills = true,
  setup: StrategySetup | null = null,
  given: Partial<Terms> = {},
): PipelineBacktest {
  const feed = new EventFeed(openRowBlocks([bytesOf(rows)]), {
    tickSize: 0.1,
    lotSize: 0.001,
    latencyOffsetNs: 0,
  });
  const baseNs = baseOfDayNs(feed.firstExchTs()!);
  feed.setBase(baseNs);
  const startNs = Number(T - baseNs);
  const left = [...actions];
  const scripted = defineStrategy({
    name: "scripted",
    params: {},
    subscribe: ["system.tick", "order.*"],
    tickMs: 1,
    onTick: (ctx) => {
      while (left.length > 0 && ctx.nowNs >= startNs + left[0]!.atMs * MS) left.shift()!.run(ctx);
    },
  });
  const terms = { ...TERMS, ...given };
  const latency = constantLatency(terms.entryMs * MS, terms.responseMs * MS);
  return new PipelineBacktest({
    markets: [
      {
        feed,
        instrument: terms.instrument,
        queue: riskAverseQueue,
        fees: terms.fees,
        partialFills,
        marketByOrder: terms.marketByOrder,
        funding: terms.funding,
      },
    ],
    baseNs,
    graphs: [],
    strategies: [
      setup ?? {
        name: "scripted",
        definition: scripted,
        instruments: [1],
        params: {},
        limits: {},
        signals: {},
      },
    ],
    subscriptions: [],
    risk: LOOSE_RISK,
    instrumentLimits: [],
    maxOrders: 64,
    assets: ["", terms.instrument.settle],
    latency: new KindLatency({ place: latency, modify: latency, cancel: latency }, baseNs),
    walletE8: 100_000_000_000_000n,
    timerNs: terms.timerMs * MS,
    marketTimerNs: 0,
    stateIntervalNs: 1e6,
    onException: (_, error) => {
      throw error;
    },
  });
}
