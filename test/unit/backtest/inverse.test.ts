// Coin-margined contracts in the default mode: the trader's ledger against the exchange's wallet, the account of the state
// rows, hftbacktest's account (compat mode), and the formula.
import { expect, test } from "bun:test";
import { INSTRUMENT } from "../../../bench/harness/loose-limits.ts";
import { CompatBacktest } from "../../../src/backtest/compat/compat-backtest.ts";
import { Prng } from "../../../src/core/prng.ts";
import { constantLatency } from "../../../src/exchange/compat/order-latency.ts";
import type { Instrument } from "../../../src/market/instrument.ts";
import { SIDE_BUY, SIDE_SELL, TIF_IOC } from "../../../src/wire/codes.ts";
import { type Action, ask, bid, bytesOf, MS, pipeline, type Row, T } from "./scripted-run.ts";

/** 100 USD a contract, thousandths of it: ticks of 0.1 USD. */
const COIN: Instrument = {
  ...INSTRUMENT,
  ...{ symbol: "BTCUSD_PERP", quote: "USD", settle: "BTC", contractSize: "100", inverse: true },
};
const TAKER_E8 = 50_000;
const FEES = { kind: "value", makerE8: 10_000, takerE8: TAKER_E8 } as const;
const WALLET_E8 = 100_000_000_000_000;

/** A market that moves by up to 2 % each 20 ms, deep enough for every order. */
function walk(seed: number, steps: number) {
  const random = new Prng(seed);
  const rows: Row[] = [];
  const quotes: number[] = [];
  let px = 600_000;
  for (let i = 0; i < steps; i++) {
    if (i > 0) rows.push(bid(i * 20, px, 0), ask(i * 20, px + 1, 0));
    px += Math.round((random.nextFloat() - 0.5) * 24_000);
    rows.push(bid(i * 20, px, 1e7), ask(i * 20, px + 1, 1e7));
    quotes.push(px);
  }
  const trades = quotes.map((bidTicks) => {
    const buy = random.nextFloat() < 0.5;
    return {
      side: buy ? SIDE_BUY : SIDE_SELL,
      px: buy ? bidTicks + 1 : bidTicks,
      lots: 1 + Math.floor(random.nextFloat() * 9e5),
    };
  });
  return { rows, trades };
}

function run(seed: number, steps: number, funding: Parameters<typeof pipeline>[4] = {}) {
  const { rows, trades } = walk(seed, steps);
  const actions = trades.map(
    ({ side, px, lots }, i): Action => ({
      atMs: i * 20 + 4,
      run: (ctx) => void ctx.place(side, px, lots, TIF_IOC),
    }),
  );
  const backtest = pipeline(rows, actions.slice(0, -1), true, null, {
    instrument: COIN,
    fees: FEES,
    ...funding,
  });
  backtest.runAll();
  return { backtest, rows, trades: trades.slice(0, -1), result: backtest.finish() };
}

test.each([1, 2, 3])("ledger, wallet and fills agree to the last 1e-8 coin (seed %i)", (seed) => {
  const { backtest, trades, result } = run(seed, 60);
  expect(result.fills.rows).toBe(trades.length);
  let feesE8 = 0n;
  for (const { px, lots } of trades) {
    const [numerator, denominator] = [
      BigInt(lots) * 100_000_000n * BigInt(TAKER_E8),
      BigInt(px) * 100_000_000n,
    ];
    feesE8 += (2n * numerator + denominator) / (2n * denominator);
  }
  const { ledger } = backtest.execution.parts;
  const pair = ledger.pair(1, 1);
  expect(ledger.fees.toBigInt(pair)).toBe(feesE8 * 100_000_000n);
  expect(ledger.bookedE8(1, 1)).toBe(BigInt(backtest.exchange.credit(0) - WALLET_E8));
  // The state rows count each fill's coins; the ledger may round a fill that closes and opens twice.
  const last = result.states.rows - 1;
  ledger.markTicks[1] = Math.round(result.states.at("mid")[last]! * 20) / 2;
  ledger.refresh();
  expect(Math.abs(result.states.at("equity")[last]! * 1e8 - ledger.accountResultE8)).toBeLessThan(
    trades.length,
  );
  expect(Math.abs(ledger.accountResultE8)).toBeGreaterThan(1e6);
});

test.each([1, 2, 3])(
  "balance, equity and fee are those of hftbacktest's inverse asset to 1e-8 coins a fill (seed %i)",
  (seed) => {
    const { rows, trades, result } = run(seed, 60);
    const hbt = new CompatBacktest([
      {
        data: [bytesOf(rows)],
        ...{ tickSize: 0.1, lotSize: 0.001, assetKind: "inverse", contractSize: 100 },
        ...{ feeKind: "value", makerFee: 0.0001, takerFee: TAKER_E8 / 1e8 },
        ...{ exchange: "noPartialFill", latency: constantLatency(3 * MS, 1 * MS) },
      },
    ]);
    let at = 0;
    hbt.elapse(0);
    const start = Number(hbt.currentTimestamp - T) / MS;
    trades.forEach(({ side, px, lots }, i) => {
      hbt.elapse((i * 20 + 4 - (i === 0 ? start : at)) * MS);
      at = i * 20 + 4;
      const submit = side === SIDE_BUY ? hbt.submitBuy.bind(hbt) : hbt.submitSell.bind(hbt);
      expect(submit(0, i + 1, px / 10, lots / 1000, 3, 0, false)).toBe(0);
    });
    hbt.elapse(15 * MS);
    const theirs = hbt.stateValues(0);
    expect(theirs.numTrades).toBe(trades.length);
    const row = result.states.rows - 1;
    const ours = (name: "balance" | "fee" | "position" | "tradingValue") => result.states.at(name)[row]!;
    expect(ours("position")).toBeCloseTo(theirs.position, 9);
    const near = trades.length * 1e-8;
    expect(Math.abs(ours("balance") - theirs.balance)).toBeLessThan(near);
    expect(Math.abs(ours("fee") - theirs.fee)).toBeLessThan(near);
    expect(Math.abs(ours("tradingValue") - theirs.tradingValue)).toBeLessThan(near);
  },
);

test("a round trip earns contract value times contracts times (1/entry − 1/exit) coins", () => {
  const rows = [
    bid(0, 500_000, 1e7),
    ask(0, 500_001, 1e7),
    bid(20, 500_000, 0),
    ask(20, 500_001, 0),
    bid(20, 625_000, 1e7),
    ask(20, 625_001, 1e7),
    bid(60, 625_000, 1e7),
  ];
  const place = (atMs: number, side: number, px: number): Action => ({
    atMs,
    run: (ctx) => void ctx.place(side, px, 1_000_000, TIF_IOC),
  });
  const backtest = pipeline(rows, [place(4, SIDE_BUY, 500_001), place(30, SIDE_SELL, 625_000)], true, null, {
    instrument: COIN,
  });
  backtest.runAll();
  const { states } = backtest.finish();
  // 1,000 contracts of 100 USD.
  expect(states.at("equity")[states.rows - 1]).toBeCloseTo(100 * 1000 * (1 / 50_000.1 - 1 / 62_500), 8);
});

test("funding is a share of the coins that the contracts are worth", () => {
  const rows = [bid(0, 500_000, 1e7), ask(0, 500_001, 1e7), bid(160, 500_000, 1e6)];
  const buy: Action = { atMs: 4, run: (ctx) => void ctx.place(SIDE_BUY, 500_001, 1_000_000, TIF_IOC) };
  const funding = { intervalNs: 100 * MS, rateE8: 10_000 };
  const backtest = pipeline(rows, [buy], true, null, { instrument: COIN, funding });
  backtest.runAll();
  const { states } = backtest.finish();
  expect(states.at("funding")[states.rows - 1]).toBeCloseTo((-100 * 1000 * 0.0001) / 50_000.05, 8);
});
