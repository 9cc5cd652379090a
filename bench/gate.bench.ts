// What the gate costs an order that passes every one of its checks: 4 strategies, 8 instruments with positions, 64
// working orders, 12 of them on the other side of the order's own instrument. The reference is the same verdict from
// working orders as objects, summed anew for each check.
//
//   order ─▶ permission, market, rules, sizes, positions ×3, margin, band, self-match, rate, count, losses, storm
import type { Instrument } from "../src/market/instrument.ts";
import type { OrderRequest } from "../src/order/gateway.ts";
import { Ledger, moneyScale } from "../src/order/ledger.ts";
import { NO_ORDER, OrderTable } from "../src/order/order-table.ts";
import { Gate } from "../src/risk/gate.ts";
import { RiskLimits, type RiskSettings } from "../src/risk/limits.ts";
import { LossGuard } from "../src/risk/loss-guard.ts";
import { MarginAccount } from "../src/risk/margin.ts";
import { MarketView } from "../src/risk/market-view.ts";
import { RejectBreaker, RequestBudget } from "../src/risk/rate.ts";
import { StormGuard } from "../src/risk/storm-guard.ts";
import {
  ACTION_PLACE,
  DENY_NONE,
  DENY_POSITION_STRATEGY,
  DENY_SELF_MATCH,
  FEED_SYNCED,
  ORDER_TYPE_LIMIT,
  SIDE_BUY,
  SIDE_SELL,
  STRATEGY_RUNNING,
  TIF_GTX,
} from "../src/wire/codes.ts";
import { type Bench, loopSide, type OpenBench } from "./harness.ts";

const STRATEGIES = 4;
const INSTRUMENTS = 8;
const WORKING = 64;
const NOW_NS = 3600e9;
const MID = 600_000;
const MUCH = "50000000";

const RISK: RiskSettings = {
  ...{ freshnessMs: 3000, priceBandBps: 200, maxOrdersPer10s: 250, maxOrdersPerMin: 1000, cancelReserve: 50 },
  ...{ breakerRejects: 20, breakerWindowMs: 10_000, breakerPauseMs: 5000, resetMinuteUtc: 0 },
  account: {
    ...{ maxPositionNotional: MUCH, maxWorkingOrders: 200, minMarginRatio: 1.5, maxLeverage: 20 },
    ...{ dailyLossSoft: MUCH, dailyLossHard: MUCH, maxDrawdown: MUCH },
  },
  instrument: {
    ...{ maxOrderQty: "", maxOrderNotional: MUCH, maxPositionQty: "", maxPositionNotional: MUCH },
    maxWorkingOrders: 100,
  },
  strategy: { maxOrderNotional: MUCH, maxPositionNotional: MUCH, maxWorkingOrders: 100, dailyLoss: MUCH },
  storm: { warmLagMs: 250, stormLagMs: 1000, haltLagMs: 5000, holdMs: 1000, baselineMs: 600_000 },
};

const instrument = (id: number): Instrument => ({
  ...{ id, venue: "bench", symbol: `S${id}`, base: "X", quote: "USDT", settle: "USDT", trading: true },
  ...{
    tickSize: "0.1",
    lotSize: "0.001",
    contractSize: "1",
    pxDecimals: 1,
    qtyDecimals: 3,
    orderTickStep: 1,
  },
  ...{ minPxTicks: 1, maxPxTicks: 10_000_000, minQtyLots: 1, maxQtyLots: 1_000_000 },
  ...{ minNotionalTickLots: 50_000, percentUpE8: 105_000_000, percentDownE8: 95_000_000 },
  ...{ makerFeeE8: 20_000, takerFeeE8: 50_000 },
});

interface World {
  readonly gate: Gate;
  readonly table: OrderTable;
  readonly ledger: Ledger;
  readonly limits: RiskLimits;
}

/** Positions everywhere; bids below and asks above the mid, in turn over strategies and instruments. */
function world(): World {
  const instruments = [undefined, ...Array.from({ length: INSTRUMENTS }, (_, i) => instrument(i + 1))];
  const strategies = Array.from({ length: STRATEGIES }, (_, i) => ({ name: `s${i}`, limits: {} }));
  const limits = new RiskLimits(RISK, instruments, [undefined, ...strategies]);
  const table = new OrderTable(256, STRATEGIES + 1, INSTRUMENTS + 1);
  const ledger = new Ledger(
    STRATEGIES + 1,
    instruments.map((i) => i && moneyScale(i, 1)),
  );
  const market = new MarketView(INSTRUMENTS + 1);
  const margin = new MarginAccount(0.005);
  for (let id = 1; id <= INSTRUMENTS; id++) {
    market.bidPxTicks[id] = MID - 1;
    market.askPxTicks[id] = MID + 1;
    market.recvTsNs[id] = NOW_NS - 1e6;
    market.feedState[id] = FEED_SYNCED;
    ledger.markTicks[id] = MID;
    for (let s = 1; s <= STRATEGIES; s++) ledger.book(s, id, s % 2 ? SIDE_BUY : SIDE_SELL, MID, 3 * s, true);
  }
  ledger.refresh();
  margin.observe(1e14, ledger);
  for (let k = 0; k < WORKING; k++) {
    // 12 asks on instrument 1; the rest go round.
    const own = k < 12;
    table.add(
      {
        ...{ clientSeq: k + 1, instrument: own ? 1 : 1 + (k % INSTRUMENTS), strategy: 1 + (k % STRATEGIES) },
        ...{ side: own || k % 2 ? SIDE_SELL : SIDE_BUY, tif: TIF_GTX, orderType: ORDER_TYPE_LIMIT },
        ...{ reduceOnly: false, pxTicks: own || k % 2 ? MID + 10 + k : MID - 10 - k, qtyLots: 5 },
      },
      NOW_NS,
    );
  }
  const gate = new Gate({
    ...{ limits, table, ledger, market, margin },
    budget: new RequestBudget(RISK.maxOrdersPer10s, RISK.maxOrdersPerMin, RISK.cancelReserve),
    breaker: new RejectBreaker(20, 10e9, 5e9),
    loss: new LossGuard(limits, 0),
    storm: new StormGuard(RISK.storm),
  });
  gate.reconciled = true;
  gate.strategyState.fill(STRATEGY_RUNNING);
  return { gate, table, ledger, limits };
}

const request = (): OrderRequest => ({
  ...{
    clientSeq: 999,
    instrument: 1,
    strategy: 1,
    side: SIDE_BUY,
    tif: TIF_GTX,
    orderType: ORDER_TYPE_LIMIT,
  },
  ...{ reduceOnly: false, pxTicks: MID - 5, qtyLots: 4 },
});

/** The next order of the stream: prices and sizes move, all of them pass. */
function next(r: OrderRequest, i: number): void {
  r.pxTicks = MID - 5 - (i & 63);
  r.qtyLots = 1 + (i & 7);
  r.strategy = 1 + (i & 3);
}

function ownSide(): (ops: number) => number {
  const { gate } = world();
  const r = request();
  let i = 0;
  return (ops) => {
    let passed = 0;
    for (let k = 0; k < ops; k++) {
      next(r, i++);
      if (gate.check(r, ACTION_PLACE, NO_ORDER, NOW_NS) === DENY_NONE) passed++;
    }
    return passed;
  };
}

/** Positions, self-match and counts from objects; the constant checks left out, to its favour. */
function naiveSide(): (ops: number) => number {
  const { table, ledger, limits } = world();
  const orders = Array.from({ length: WORKING }, (_, slot) => ({
    ...{ instrument: table.instrument[slot]!, strategy: table.strategy[slot]!, side: table.side[slot]! },
    ...{ px: table.pxTicks[slot]!, lots: table.qtyLots[slot]! },
  }));
  const sum = (rows: readonly { readonly lots: number }[]) =>
    rows.reduce((total, row) => total + row.lots, 0);
  const verdict = (r: OrderRequest): number => {
    const here = orders.filter((o) => o.instrument === r.instrument);
    const mine = sum(here.filter((o) => o.strategy === r.strategy && o.side === r.side)) + r.qtyLots;
    const pair = ledger.pair(r.strategy, r.instrument);
    if ((ledger.qtyLots[pair]! + mine) * MID > limits.positionTickLots[pair]!) return DENY_POSITION_STRATEGY;
    let value = 0;
    for (let id = 1; id <= INSTRUMENTS; id++) {
      const side = (s: number) => sum(orders.filter((o) => o.instrument === id && o.side === s));
      const net = ledger.netLots[id]!;
      value += Math.max(net + side(SIDE_BUY), side(SIDE_SELL) - net) * MID;
    }
    if (value < 0) return DENY_POSITION_STRATEGY;
    return here.some((o) => o.side === SIDE_SELL && o.px <= r.pxTicks) ? DENY_SELF_MATCH : DENY_NONE;
  };
  const r = request();
  let i = 0;
  return (ops) => {
    let passed = 0;
    for (let k = 0; k < ops; k++) {
      next(r, i++);
      if (verdict(r) === DENY_NONE) passed++;
    }
    return passed;
  };
}

export const benches: readonly Bench[] = [
  {
    name: "gate.check",
    question: "ns for an order through every check of the gate",
    unit: "ns",
    compare: "p50",
    maxRatio: 0.5,
    sameChecksum: true,
    open(size): OpenBench {
      const options =
        size === "full" ? { opsPerSample: 200, samples: 2000 } : { opsPerSample: 20, samples: 20 };
      return {
        own: loopSide(ownSide(), options),
        reference: { name: "orders as objects, summed anew", ...loopSide(naiveSide(), options) },
      };
    },
  },
];
