import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import type { OrderRequest } from "../../../src/order/gateway.ts";
import { Ledger, moneyScale } from "../../../src/order/ledger.ts";
import { NO_ORDER, OrderTable } from "../../../src/order/order-table.ts";
import { Gate } from "../../../src/risk/gate.ts";
import { RiskLimits } from "../../../src/risk/limits.ts";
import { LossGuard } from "../../../src/risk/loss-guard.ts";
import { MarginAccount } from "../../../src/risk/margin.ts";
import { MarketView } from "../../../src/risk/market-view.ts";
import { RejectBreaker, RequestBudget } from "../../../src/risk/rate.ts";
import { StormGuard } from "../../../src/risk/storm-guard.ts";
import * as codes from "../../../src/wire/codes.ts";
import { instrument, RISK } from "../strategy/fake-venue.ts";

const SEED = 17;
const NOW = 5e9;

interface Working {
  readonly strategy: number;
  readonly instrument: number;
  readonly side: number;
  readonly px: number;
  readonly qty: number;
}

/** Everything the gate looks at, as plain data. */
interface World {
  readonly kill: number;
  readonly state: number;
  readonly reconciled: boolean;
  readonly guarded: boolean;
  readonly holds: boolean;
  readonly feed: number;
  readonly ageMs: number;
  readonly trading: boolean;
  readonly bid: number;
  readonly spread: number;
  readonly mark: number;
  readonly positions: readonly number[];
  readonly working: readonly Working[];
  readonly tickStep: number;
  readonly maxQty: number;
  readonly minNotional: number;
  readonly orderQtyLots: number;
  readonly orderNotional: number;
  readonly strategyNotional: number;
  readonly instrumentNotional: number;
  readonly accountNotional: number;
  readonly wallet: number;
  readonly per10s: number;
  readonly sent: number;
  readonly maxWorking: number;
  readonly lossLevel: number;
  readonly strategyHit: boolean;
  readonly storm: number;
  readonly rejects: number;
  readonly order: Omit<OrderRequest, "clientSeq" | "tif" | "orderType">;
}

const UNIT = 1e4; // 1e-8 USDT per tick·lot
const usdt = (tickLots: number): string => String((tickLots * UNIT) / 1e8);

function build(w: World): { gate: Gate; request: OrderRequest } {
  const shared = {
    maxQtyLots: w.maxQty,
    minNotionalTickLots: w.minNotional,
    orderTickStep: w.tickStep,
    trading: w.trading,
  };
  const instruments = [undefined, instrument(1, shared), instrument(2)];
  const risk = {
    ...RISK,
    account: {
      ...RISK.account,
      maxPositionNotional: usdt(w.accountNotional),
      maxWorkingOrders: w.maxWorking,
    },
    instrument: {
      ...RISK.instrument,
      maxPositionNotional: usdt(w.instrumentNotional),
      maxOrderNotional: usdt(w.orderNotional),
    },
    strategy: { ...RISK.strategy, maxPositionNotional: usdt(w.strategyNotional) },
  };
  const named = { name: "a", limits: { max_order_qty: String(w.orderQtyLots / 1000) } };
  const limits = new RiskLimits(risk, instruments, [undefined, named, { name: "b", limits: {} }]);
  const table = new OrderTable(64, 3, 3);
  const ledger = new Ledger(
    3,
    instruments.map((i) => i && moneyScale(i, 1)),
  );
  const market = new MarketView(3);
  const budget = new RequestBudget(w.per10s, 100_000, 20);
  const breaker = new RejectBreaker(3, 1e9, 1e9);
  const loss = new LossGuard(limits, 0);
  const storm = new StormGuard(RISK.storm);
  const margin = new MarginAccount(0.005);
  w.positions.forEach((lots, s) => {
    ledger.book(s, 1, lots > 0 ? codes.SIDE_BUY : codes.SIDE_SELL, 1000, Math.abs(lots), false);
  });
  w.working.forEach((o, i) => {
    table.add(
      { ...o, pxTicks: o.px, qtyLots: o.qty, clientSeq: i + 1, tif: 0, orderType: 0, reduceOnly: false },
      0,
    );
  });
  for (const id of [1, 2]) {
    market.bidPxTicks[id] = w.bid;
    market.askPxTicks[id] = w.bid + w.spread;
    market.recvTsNs[id] = NOW - w.ageMs * 1e6;
    market.feedState[id] = w.feed;
    ledger.markTicks[id] = w.mark;
  }
  if (w.wallet >= 0) margin.observe(w.wallet * UNIT, ledger);
  for (let i = 0; i < w.sent; i++) budget.orderSent(NOW);
  for (let i = 0; i < w.rejects; i++) breaker.rejected(NOW);
  loss.level = w.lossLevel;
  loss.strategyHit[1] = w.strategyHit ? 1 : 0;
  storm.state = w.storm;
  const gate = new Gate({ limits, table, ledger, market, budget, breaker, loss, storm, margin });
  gate.killState = w.kill;
  gate.reconciled = w.reconciled;
  gate.guarded = w.guarded;
  gate.holdUntilNs = w.holds ? NOW + 1 : NOW;
  gate.strategyState[1] = w.state;
  gate.strategyState[2] = codes.STRATEGY_RUNNING;
  return {
    gate,
    request: { ...w.order, clientSeq: 99, tif: codes.TIF_GTX, orderType: codes.ORDER_TYPE_LIMIT },
  };
}

/** DESIGN 7 read literally: list every failing check, the first in order is the answer. */
function oracle(w: World): number {
  const o = w.order;
  const house = o.strategy === 0;
  const buy = o.side === codes.SIDE_BUY;
  const sign = buy ? 1 : -1;
  const mid = w.bid + w.spread / 2;
  const value = o.pxTicks * o.qtyLots;
  const open = (test: (x: Working) => boolean) => w.working.filter(test).reduce((sum, x) => sum + x.qty, 0);
  const net = w.positions.reduce((a, b) => a + b, 0);
  const own =
    sign * w.positions[o.strategy]! +
    open((x) => x.strategy === o.strategy && x.instrument === 1 && x.side === o.side) +
    o.qtyLots;
  const all = sign * net + open((x) => x.instrument === 1 && x.side === o.side) + o.qtyLots;
  const exposure = (add: number): number => {
    const worst = (id: number, position: number, buys: number, sells: number) =>
      Math.max(
        0,
        position + buys + open((x) => x.instrument === id && x.side === codes.SIDE_BUY),
        open((x) => x.instrument === id && x.side === codes.SIDE_SELL) + sells - position,
      ) * mid;
    return worst(1, net, buy ? add : 0, buy ? 0 : add) + worst(2, 0, 0, 0);
  };
  const before = exposure(0);
  const after = exposure(o.qtyLots);
  const grows = after > before && !o.reduceOnly;
  const reducing =
    o.reduceOnly ||
    (house
      ? sign * net + open((x) => x.strategy === 0 && x.instrument === 1 && x.side === o.side) + o.qtyLots
      : own) <= 0;
  const marginBreaks =
    w.wallet >= 0 && grows && !reducing && (w.wallet < after * 0.05 || w.wallet / (after * 0.005) < 1.5);
  const opposite = w.working.filter((x) => x.instrument === 1 && x.side !== o.side);
  const crossing = opposite.some((x) => (buy ? o.pxTicks >= x.px : o.pxTicks <= x.px));
  const outOfPercent = w.mark > 0 && (buy ? o.pxTicks > w.mark * 1.05 : o.pxTicks < w.mark * 0.95);
  const room = Math.min(w.per10s - w.sent, Math.floor((w.per10s + 20 - w.sent - w.working.length) / 2));
  const mine = w.working.filter((x) => x.strategy === o.strategy).length;
  const full =
    w.working.length >= w.maxWorking ||
    w.working.filter((x) => x.instrument === 1).length >= 64 ||
    (!house && mine >= 32);
  const lossDenies = !house && !reducing && (w.lossLevel !== 0 || (w.strategyHit && o.strategy === 1));
  const checks: [boolean, number][] = [
    [w.kill === codes.KILL_KILLED, codes.DENY_KILLED],
    [w.kill === codes.KILL_EMERGENCY && !(house && o.reduceOnly), codes.DENY_EMERGENCY],
    [
      house ? !o.reduceOnly : o.strategy === 1 && w.state !== codes.STRATEGY_RUNNING,
      codes.DENY_STRATEGY_STATE,
    ],
    [w.holds, codes.DENY_SUSPENDED],
    [!w.guarded && !house, codes.DENY_DEAD_MAN],
    [!w.reconciled, codes.DENY_NOT_RECONCILED],
    [w.feed !== codes.FEED_SYNCED, codes.DENY_BOOK_NOT_SYNCED],
    [w.ageMs > 3000, codes.DENY_BOOK_STALE],
    [!w.trading, codes.DENY_NOT_TRADING],
    [!(o.pxTicks >= 1 && o.pxTicks <= 10_000_000 && o.pxTicks % w.tickStep === 0), codes.DENY_PRICE_RULE],
    [!(o.qtyLots >= 1 && o.qtyLots <= w.maxQty && Number.isInteger(o.qtyLots)), codes.DENY_LOT_RULE],
    [value < w.minNotional && !o.reduceOnly, codes.DENY_MIN_NOTIONAL],
    [o.strategy === 1 && o.qtyLots > w.orderQtyLots, codes.DENY_ORDER_QTY],
    [value > w.orderNotional, codes.DENY_NOTIONAL],
    [!o.reduceOnly && own * mid > w.strategyNotional, codes.DENY_POSITION_STRATEGY],
    [!o.reduceOnly && all * mid > w.instrumentNotional, codes.DENY_POSITION_INSTRUMENT],
    [grows && after > w.accountNotional, codes.DENY_POSITION_ACCOUNT],
    [marginBreaks, codes.DENY_MARGIN],
    [!(Math.abs(o.pxTicks - mid) <= 0.02 * mid) || outOfPercent, codes.DENY_PRICE_BAND],
    [crossing, codes.DENY_SELF_MATCH],
    [room < 1, codes.DENY_RATE],
    [full, codes.DENY_WORKING_ORDERS],
    [lossDenies, w.lossLevel === 3 ? codes.DENY_DRAWDOWN : codes.DENY_DAILY_LOSS],
    [!house && (w.storm === 3 || (w.storm === 2 && !reducing)), codes.DENY_STORM],
    [!house && w.rejects >= 3, codes.DENY_BREAKER],
  ];
  return checks.find(([fails]) => fails)?.[1] ?? codes.DENY_NONE;
}

/** Mostly harmless, so that every check is reached. */
const rarely = <T>(usual: T, ...odd: T[]) =>
  fc.oneof({ weight: 24, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const big = 2_000_000;
const world: fc.Arbitrary<World> = fc.record({
  kill: rarely(codes.KILL_ARMED, codes.KILL_KILLED, codes.KILL_EMERGENCY),
  state: rarely(codes.STRATEGY_RUNNING, codes.STRATEGY_PAUSED, codes.STRATEGY_ERROR),
  reconciled: rarely(true, false),
  guarded: rarely(true, false),
  holds: rarely(false, true),
  feed: rarely(codes.FEED_SYNCED, codes.FEED_STALE, codes.FEED_CONNECTING),
  ageMs: rarely(10, 3001, 3000),
  trading: rarely(true, false),
  bid: fc.integer({ min: 990, max: 1010 }),
  spread: fc.integer({ min: 1, max: 4 }),
  mark: rarely(1000, Number.NaN, 900, 1100),
  positions: fc.tuple(
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: -60, max: 60 }),
    fc.integer({ min: -60, max: 60 }),
  ),
  working: fc.array(
    fc.record({
      strategy: fc.integer({ min: 1, max: 2 }),
      instrument: fc.integer({ min: 1, max: 2 }),
      side: fc.constantFrom(codes.SIDE_BUY, codes.SIDE_SELL),
      px: fc.integer({ min: 980, max: 1020 }),
      qty: fc.integer({ min: 1, max: 40 }),
    }),
    { maxLength: 6 },
  ),
  tickStep: rarely(1, 2, 5),
  maxQty: rarely(1000, 20),
  minNotional: rarely(0, 20_000),
  orderQtyLots: rarely(1000, 15),
  orderNotional: rarely(big, 20_000),
  strategyNotional: rarely(big, 40_000, 90_000),
  instrumentNotional: rarely(big, 40_000, 90_000),
  accountNotional: rarely(big, 40_000, 120_000),
  wallet: rarely(big, 300, 2000, -1),
  per10s: rarely(100, 3),
  sent: rarely(0, 3, 99, 100),
  maxWorking: rarely(50, 1, 3),
  lossLevel: rarely(0, 1, 2, 3),
  strategyHit: rarely(false, true),
  storm: rarely(0, 1, 2, 3),
  rejects: rarely(0, 2, 3),
  order: fc.record({
    instrument: fc.constant(1),
    strategy: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 1, max: 2 }) },
      { weight: 1, arbitrary: fc.constant(0) },
    ),
    side: fc.constantFrom(codes.SIDE_BUY, codes.SIDE_SELL),
    reduceOnly: rarely(false, true),
    pxTicks: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 985, max: 1015 }) },
      { weight: 1, arbitrary: fc.constantFrom(0, 500, 1500, 1000.5) },
    ),
    qtyLots: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 1, max: 50 }) },
      { weight: 1, arbitrary: fc.constantFrom(0, 2.5, 2000) },
    ),
  }),
});

/** Codes that the gate itself never gives: the order desk does. */
const DESK_CODES: number[] = [codes.DENY_GATEWAY, codes.DENY_JOURNAL_FULL];

test(`the gate answers as DESIGN 7 read literally, and every deny code is reached (seed ${SEED})`, () => {
  const reached = new Set<number>();
  fc.assert(
    fc.property(world, (w) => {
      const { gate, request } = build(w);
      const code = gate.check(request, codes.ACTION_PLACE, NO_ORDER, NOW);
      reached.add(code);
      expect(codes.DENY_NAMES[code]).toBe(codes.DENY_NAMES[oracle(w)]!);
    }),
    { seed: SEED, numRuns: 6000 },
  );
  const missing = codes.DENY_NAMES.filter(
    (name, code) => name !== "" && !reached.has(code) && !DESK_CODES.includes(code),
  );
  expect(missing).toEqual([]);
}, 60_000);

test("a modify is checked by what it adds: at a full limit it may move and shrink, not grow", () => {
  const limits: World = fc.sample(world, { seed: 1, numRuns: 1 })[0]!;
  const calm: World = {
    ...limits,
    kill: 0,
    state: codes.STRATEGY_RUNNING,
    reconciled: true,
    guarded: true,
    holds: false,
    feed: codes.FEED_SYNCED,
    ageMs: 0,
    trading: true,
    bid: 1000,
    spread: 1,
    mark: 1000,
    positions: [0, 0, 0],
    working: [{ strategy: 1, instrument: 1, side: codes.SIDE_BUY, px: 999, qty: 40 }],
    tickStep: 1,
    maxQty: 1000,
    minNotional: 0,
    orderQtyLots: 1000,
    orderNotional: big,
    strategyNotional: 40 * 1000.5,
    instrumentNotional: big,
    accountNotional: big,
    wallet: big,
    per10s: 100,
    sent: 0,
    maxWorking: 1,
    lossLevel: 0,
    strategyHit: false,
    storm: 0,
    rejects: 0,
    order: { instrument: 1, strategy: 1, side: codes.SIDE_BUY, reduceOnly: false, pxTicks: 998, qtyLots: 40 },
  };
  const { gate, request } = build(calm);
  expect(gate.check(request, codes.ACTION_MODIFY, 0, NOW)).toBe(codes.DENY_NONE);
  request.qtyLots = 30;
  expect(gate.check(request, codes.ACTION_MODIFY, 0, NOW)).toBe(codes.DENY_NONE);
  request.qtyLots = 41;
  expect(gate.check(request, codes.ACTION_MODIFY, 0, NOW)).toBe(codes.DENY_POSITION_STRATEGY);
  expect(gate.observed).toBe(41);
  request.qtyLots = 5;
  expect(gate.check(request, codes.ACTION_PLACE, NO_ORDER, NOW)).toBe(codes.DENY_POSITION_STRATEGY);
});

test("inverse contracts: notional, position and margin limits are coins, at the exact unit", () => {
  const coin = { inverse: true, contractSize: "100", lotSize: "1", base: "BTC", quote: "USD", settle: "BTC" };
  const one = instrument(1, { ...coin, minNotionalTickLots: 0, percentUpE8: 0, percentDownE8: 0 });
  const notional = "0.01666667";
  const risk = {
    ...RISK,
    account: { ...RISK.account, maxPositionNotional: "0.5", maxLeverage: 10 },
    instrument: { ...RISK.instrument, maxOrderNotional: notional, maxPositionNotional: "10" },
    strategy: { ...RISK.strategy, maxOrderNotional: "10", maxPositionNotional: "0.1" },
  };
  const limits = new RiskLimits(
    risk,
    [undefined, one],
    [undefined, { name: "a", limits: { max_order_qty: "500" } }],
  );
  const table = new OrderTable(64, 2, 2);
  const ledger = new Ledger(2, [undefined, moneyScale(one, 1)]);
  const market = new MarketView(2);
  market.bidPxTicks[1] = 600_000;
  market.askPxTicks[1] = 600_001;
  market.recvTsNs[1] = NOW;
  market.feedState[1] = codes.FEED_SYNCED;
  ledger.markTicks[1] = 600_000;
  const margin = new MarginAccount(0.005);
  const gate = new Gate({
    limits,
    table,
    ledger,
    market,
    budget: new RequestBudget(100, 1000, 20),
    breaker: new RejectBreaker(3, 1e9, 1e9),
    loss: new LossGuard(limits, 0),
    storm: new StormGuard(RISK.storm),
    margin,
  });
  gate.reconciled = true;
  gate.strategyState[1] = codes.STRATEGY_RUNNING;
  const check = (pxTicks: number, qtyLots: number, side = codes.SIDE_BUY): number =>
    gate.check(
      {
        ...{ clientSeq: 9, instrument: 1, strategy: 1, side, reduceOnly: false, pxTicks, qtyLots },
        ...{ tif: codes.TIF_GTX, orderType: codes.ORDER_TYPE_LIMIT },
      },
      codes.ACTION_PLACE,
      NO_ORDER,
      NOW,
    );
  // 10 contracts are 1,000 USD: 0.01666667 BTC at 60,000 (rounded up), 0.01666669 a tick below.
  expect(check(600_000, 10)).toBe(codes.DENY_NONE);
  expect(check(599_999, 10)).toBe(codes.DENY_NOTIONAL);
  expect(gate.observed).toBe(1_666_669);
  expect(check(600_000, 11)).toBe(codes.DENY_NOTIONAL);
  // One contract is worth 166,667 units.
  limits.minNotionalTickLots[1] = 166_668;
  expect(check(600_000, 1)).toBe(codes.DENY_MIN_NOTIONAL);
  expect(check(600_000, 2)).toBe(codes.DENY_NONE);
  // Contracts, not base units.
  expect(limits.orderLots[limits.instruments + 1]).toBe(500);
  // 0.1 BTC for the strategy at a mid of 60,000.05: 59.999… + 0.00005 contracts fit, 60 do.
  ledger.book(1, 1, codes.SIDE_BUY, 600_000, 50, true);
  expect(check(600_000, 10)).toBe(codes.DENY_NONE);
  ledger.book(1, 1, codes.SIDE_BUY, 600_000, 1, true);
  expect(check(600_000, 10)).toBe(codes.DENY_POSITION_STRATEGY);
  expect(check(600_001, 10, codes.SIDE_SELL)).toBe(codes.DENY_NONE);
  // 0.1 BTC at 10 × leverage needs 0.01 BTC.
  ledger.book(1, 1, codes.SIDE_SELL, 600_000, 1, true);
  ledger.refresh();
  margin.observe(1_000_500, ledger);
  expect(check(600_000, 10)).toBe(codes.DENY_NONE);
  margin.observe(999_000, ledger);
  expect(check(600_000, 10)).toBe(codes.DENY_MARGIN);
  expect(gate.exposureE8()).toBe(8_333_326);
});

test("the distance to liquidation of a coin-margined long counts that coins are worth less as well", () => {
  const one = instrument(1, { inverse: true, contractSize: "100", lotSize: "1", settle: "BTC" });
  const ledger = new Ledger(2, [undefined, moneyScale(one, 1)]);
  ledger.book(1, 1, codes.SIDE_BUY, 600_000, 600, true);
  ledger.markTicks[1] = 600_000;
  ledger.refresh();
  const margin = new MarginAccount(0.005);
  margin.observe(100_000_000, ledger);
  const distance = margin.liquidationDistance(ledger, ledger.markedValueE8());
  // 1 BTC under 60,000 USD: at that price equity is the maintenance margin.
  ledger.markTicks[1] = Math.round(600_000 * (1 - distance));
  ledger.refresh();
  expect(margin.equityE8(ledger) / (0.005 * ledger.markedValueE8())).toBeCloseTo(1, 2);
  expect(distance).toBeCloseTo(0.4975, 4);
});

test("docs/risk.md lists every deny code with its number and name", async () => {
  const doc = await Bun.file(join(import.meta.dir, "../../../docs/risk.md")).text();
  const rows = [...doc.matchAll(/^\| (\d+) \| `([a-zA-Z]+)` \| .+ \| .+ \|$/gm)].map((m) => [
    Number(m[1]),
    m[2]!,
  ]);
  expect(rows.sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(
    codes.DENY_NAMES.map((name, code) => [code, name] as [number, string])
      .filter(([, name]) => name !== "")
      .slice(1),
  );
});
