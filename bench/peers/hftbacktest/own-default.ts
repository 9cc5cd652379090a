// The default mode on the commands of peer.py: `replay` runs rows through both books with nobody trading, `maker` is
// the same market maker each 100 ms as a strategy of the SDK, behind gate, order table and ledger.
import { INSTRUMENT, LOOSE_RISK } from "../../harness/loose-limits.ts";
import { PipelineBacktest } from "../../../src/backtest/pipeline/pipeline-backtest.ts";
import { baseOfDayNs } from "../../../src/core/clock.ts";
import { EventFeed } from "../../../src/data/event-feed.ts";
import { type EventSource, openRowBlocks } from "../../../src/data/row-blocks.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";
import { makeQueueModel } from "../../../src/exchange/queue/make-queue-model.ts";
import { KindLatency } from "../../../src/exchange/request-latency.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import type { StrategyContext } from "../../../src/strategy/context.ts";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";
import type { Quotes } from "../../../src/strategy/quotes.ts";
import type { Mode, OwnRun } from "./own.ts";

const HALF = 1;
const SKEW = 0.5;
const MAX_POSITION = 10;

/** simple_mm of test/data/golden/README.md: lots of 0.001. */
function quote(ctx: StrategyContext, out: Quotes): void {
  const reservation = ctx.midTicks - SKEW * ctx.positionLots;
  if (ctx.positionLots < MAX_POSITION) out.bid(Math.min(Math.floor(reservation - HALF), ctx.bidPxTicks), 1);
  if (ctx.positionLots > -MAX_POSITION) out.ask(Math.max(Math.ceil(reservation + HALF), ctx.askPxTicks), 1);
}

const maker = defineStrategy({
  name: "simple-mm",
  params: {},
  subscribe: ["system.tick"],
  tickMs: 100,
  policy: { replace: "cancel-replace" },
  quote,
});

const MARKET: Instrument = { ...INSTRUMENT, makerFeeE8: -5000, takerFeeE8: 70_000 };

export function runDefault(mode: Mode, data: EventSource): OwnRun & { readonly fills: number; readonly orders: number } {
  const started = performance.now();
  const feed = new EventFeed(openRowBlocks([data]), { tickSize: 0.1, lotSize: 0.001, latencyOffsetNs: 0 });
  const baseNs = baseOfDayNs(feed.firstExchTs()!);
  feed.setBase(baseNs);
  const latency = constantLatency(10_000_000, 10_000_000);
  const backtest = new PipelineBacktest({
    markets: [
      {
        feed,
        instrument: MARKET,
        queue: makeQueueModel("power", 0.001, 2),
        fees: { kind: "value", makerE8: -5000, takerE8: 70_000 },
        partialFills: false,
      },
    ],
    baseNs,
    graphs: [],
    strategies:
      mode === "replay"
        ? []
        : [{ name: "maker", definition: maker, instruments: [1], params: {}, limits: {}, signals: {} }],
    subscriptions: [],
    risk: LOOSE_RISK,
    instrumentLimits: [],
    maxOrders: 64,
    assets: ["", "USDT"],
    latency: new KindLatency({ place: latency, modify: latency, cancel: latency }, baseNs),
    walletE8: 100_000_000_000_000n,
    timerNs: 100e6,
    marketTimerNs: 0,
    // As a configuration that says nothing has it. Theirs keeps no such rows here.
    stateIntervalNs: 1e9,
    onException: (_, error) => {
      throw error;
    },
  });
  backtest.runAll();
  const seconds = (performance.now() - started) / 1000;
  const result = backtest.finish();
  backtest.close();
  const { states, fills, orders } = result;
  const last = (name: "mid" | "balance" | "numTrades") => states.at(name)[states.rows - 1]!;
  const checksum = Math.round(last("mid") * 20) + last("numTrades") * 1000 + Math.round(last("balance") * 1e6);
  return { seconds, checksum, fills: fills.rows, orders: orders.rows };
}
