import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Instrument } from "../../../src/market/instrument.ts";
import { HOUSE, Ledger, moneyScale } from "../../../src/order/ledger.ts";
import { SIDE_BUY, SIDE_SELL } from "../../../src/wire/codes.ts";

const SEED = 11;
const USDT = 1;
const BNB = 2;
const scale = { feeScale: 10_000, unitE8: 10_000, settleAsset: USDT, inverse: 0 };
const newLedger = (instruments = 2) =>
  new Ledger(3, [undefined, ...Array.from({ length: instruments }, () => scale)]);

const linearCost = (lots: bigint, px: bigint): bigint => lots * px;
/** 100 USD a contract, ticks of 0.1: −1e11 / ticks in 1e-8 coins, rounded half away from zero. */
const inverse = { feeScale: 1e8, unitE8: 1, settleAsset: USDT, inverse: 1e11 };
function inverseCost(lots: bigint, px: bigint): bigint {
  const size = lots < 0n ? -lots : lots;
  const coins = (2n * 100_000_000_000n * size + px) / (2n * px);
  return lots < 0n ? coins : -coins;
}

/** Average cost in BigInt, written from the contract alone. */
class Oracle {
  readonly costOf: typeof linearCost;
  constructor(costOf = linearCost) {
    this.costOf = costOf;
  }

  qty = 0n;
  cost = 0n;
  realized = 0n;
  fees = 0n;

  fill(lots: bigint, px: bigint): void {
    const held = this.qty;
    if (held === 0n || held > 0n === lots > 0n) {
      this.qty += lots;
      this.cost += this.costOf(lots, px);
      return;
    }
    const size = held < 0n ? -held : held;
    const wanted = lots < 0n ? -lots : lots;
    const r = wanted < size ? wanted : size;
    const released = (this.cost * r) / size;
    const closing = held > 0n ? r : -r;
    this.realized += this.costOf(closing, px) - released;
    this.cost -= released;
    this.qty -= closing;
    const rest = lots + closing;
    this.qty += rest;
    this.cost += this.costOf(rest, px);
  }
}

const fill = fc.record({
  strategy: fc.integer({ min: 0, max: 2 }),
  instrument: fc.integer({ min: 1, max: 2 }),
  buy: fc.boolean(),
  px: fc.oneof(fc.integer({ min: 1, max: 700_000 }), fc.integer({ min: 1, max: 2 ** 31 })),
  lots: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300_000 })),
  feeE8: fc.oneof(fc.integer({ min: -1_000_000, max: 100_000_000 }), fc.integer({ min: 0, max: 2 ** 45 })),
});

test(`positions, cost, realised result and fees equal a BigInt oracle after every fill (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(fill, { maxLength: 60 }), (fills) => {
      const ledger = newLedger();
      const oracles = Array.from({ length: 9 }, () => new Oracle());
      const net = [0n, 0n, 0n];
      for (const f of fills) {
        const pair = ledger.pair(f.strategy, f.instrument);
        ledger.book(f.strategy, f.instrument, f.buy ? SIDE_BUY : SIDE_SELL, f.px, f.lots, true);
        ledger.bookFee(f.strategy, f.instrument, USDT, f.feeE8);
        const oracle = oracles[pair]!;
        const lots = BigInt(f.buy ? f.lots : -f.lots);
        oracle.fill(lots, BigInt(f.px));
        oracle.fees += BigInt(f.feeE8) * 10_000n;
        net[f.instrument]! += lots;
        expect(BigInt(ledger.qtyLots[pair]!)).toBe(oracle.qty);
        expect(BigInt(ledger.costTickLots[pair]!)).toBe(oracle.cost);
        expect(ledger.realized.toBigInt(pair)).toBe(oracle.realized);
        expect(ledger.fees.toBigInt(pair)).toBe(oracle.fees);
        expect(BigInt(ledger.netLots[f.instrument]!)).toBe(net[f.instrument]!);
      }
    }),
    { seed: SEED, numRuns: 600 },
  );
});

test(`realised result and remaining cost always add up to the cash that changed hands (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(fill, { maxLength: 60 }), (fills) => {
      const ledger = newLedger();
      let paid = 0n;
      for (const f of fills) {
        ledger.book(1, 1, f.buy ? SIDE_BUY : SIDE_SELL, f.px, f.lots, false);
        paid += BigInt(f.buy ? f.lots : -f.lots) * BigInt(f.px);
      }
      const pair = ledger.pair(1, 1);
      expect(BigInt(ledger.costTickLots[pair]!) - ledger.realized.toBigInt(pair)).toBe(paid);
    }),
    { seed: SEED, numRuns: 600 },
  );
});

test(`a position restored from its record goes on as if nothing had happened (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(fill, { minLength: 2, maxLength: 30 }), fc.nat(29), (fills, cut) => {
      const whole = newLedger();
      let split = newLedger();
      fills.forEach((f, i) => {
        if (i === cut % fills.length) {
          const next = newLedger();
          for (let s = 0; s < 3; s++)
            for (let id = 1; id <= 2; id++) {
              const pair = split.pair(s, id);
              next.restore(s, id, {
                qtyLots: split.qtyLots[pair]!,
                costTickLots: split.costTickLots[pair]!,
                realizedHi: split.realized.hi[pair]!,
                realizedLo: split.realized.lo[pair]!,
                feesHi: split.fees.hi[pair]!,
                feesLo: split.fees.lo[pair]!,
              });
            }
          split = next;
        }
        for (const ledger of [whole, split]) {
          ledger.book(f.strategy, f.instrument, f.buy ? SIDE_BUY : SIDE_SELL, f.px, f.lots, false);
          ledger.bookFee(f.strategy, f.instrument, USDT, f.feeE8);
        }
      });
      expect([...split.qtyLots]).toEqual([...whole.qtyLots]);
      expect([...split.costTickLots]).toEqual([...whole.costTickLots]);
      expect([...split.netLots]).toEqual([...whole.netLots]);
      for (let pair = 0; pair < 9; pair++) {
        expect(split.realized.toBigInt(pair)).toBe(whole.realized.toBigInt(pair));
        expect(split.fees.toBigInt(pair)).toBe(whole.fees.toBigInt(pair));
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test("a fee in another asset stays in that asset", () => {
  const ledger = newLedger();
  ledger.bookFee(1, 1, BNB, 12_345);
  ledger.bookFee(1, 2, BNB, 5);
  ledger.bookFee(1, 1, USDT, 7);
  expect(ledger.otherFees.toBigInt(256 + BNB)).toBe(12_350n);
  expect(ledger.fees.toBigInt(ledger.pair(1, 1))).toBe(70_000n);
  expect(ledger.fees.toBigInt(ledger.pair(1, 2))).toBe(0n);
});

test("funding belongs to the only strategy with a position, otherwise to house", () => {
  const ledger = newLedger();
  ledger.bookFunding(1, 100);
  ledger.book(2, 1, SIDE_BUY, 600_000, 5, true);
  ledger.bookFunding(1, -30);
  ledger.book(1, 1, SIDE_SELL, 600_000, 2, true);
  ledger.bookFunding(1, 7);
  expect(ledger.funding.toBigInt(ledger.pair(HOUSE, 1))).toBe(1_070_000n);
  expect(ledger.funding.toBigInt(ledger.pair(2, 1))).toBe(-300_000n);
});

test("unrealised result follows the mark and needs one", () => {
  const ledger = newLedger();
  ledger.book(1, 1, SIDE_SELL, 600_000, 3, true);
  expect(ledger.unrealizedTickLots(1, 1)).toBe(0);
  ledger.markTicks[1] = 599_990;
  expect(ledger.unrealizedTickLots(1, 1)).toBe(30);
  ledger.bookFee(1, 1, USDT, 1_000);
  ledger.refresh();
  // 30 tick·lots are 30 × 1e-4 USDT; the fee is 1000e-8 USDT.
  expect(ledger.accountResultE8).toBe(30 * 10_000 - 1_000);
  expect(ledger.strategyResultE8[1]).toBe(ledger.accountResultE8);
  expect(ledger.strategyResultE8[2]).toBe(0);
});

test(`inverse contracts: coins of every fill equal a BigInt oracle, and nothing is lost between cost and result (seed ${SEED})`, () => {
  const contracts = fc.record({
    buy: fc.boolean(),
    px: fc.integer({ min: 1000, max: 2_000_000 }),
    lots: fc.integer({ min: 1, max: 300_000 }),
  });
  fc.assert(
    fc.property(fc.array(contracts, { maxLength: 60 }), (fills) => {
      const ledger = new Ledger(2, [undefined, scale, inverse]);
      const oracle = new Oracle(inverseCost);
      const pair = ledger.pair(1, 2);
      let [turnover, coins] = [0n, 0n];
      for (const f of fills) {
        const lots = BigInt(f.buy ? f.lots : -f.lots);
        ledger.book(1, 2, f.buy ? SIDE_BUY : SIDE_SELL, f.px, f.lots, true);
        oracle.fill(lots, BigInt(f.px));
        turnover += -inverseCost(BigInt(f.lots), BigInt(f.px));
        coins += inverseCost(lots, BigInt(f.px));
        expect(BigInt(ledger.costTickLots[pair]!)).toBe(oracle.cost);
        expect(ledger.realized.toBigInt(pair)).toBe(oracle.realized);
        expect(ledger.turnoverTickLots.toBigInt(pair)).toBe(turnover);
        // A fill that closes and opens is booked as two, so one unit may come of the rounding each time.
        const gap = BigInt(ledger.costTickLots[pair]!) - ledger.realized.toBigInt(pair) - coins;
        expect(gap * gap).toBeLessThanOrEqual(BigInt(fills.length) ** 2n);
        const mark = 654_321;
        ledger.markTicks[2] = mark;
        const worth = inverseCost(oracle.qty, BigInt(mark)) - oracle.cost;
        expect(BigInt(ledger.unrealizedTickLots(1, 2))).toBe(worth);
      }
    }),
    { seed: SEED, numRuns: 600 },
  );
});

test("inverse: result in the coin is contract value times contracts times (1/entry − 1/exit), for both sides", () => {
  const ledger = new Ledger(2, [undefined, inverse]);
  ledger.book(1, 1, SIDE_BUY, 500_000, 1000, false);
  ledger.book(1, 1, SIDE_SELL, 625_000, 1000, false);
  // 100,000 USD from 50,000 to 62,500: 2 BTC owed, 1.6 paid.
  expect(ledger.bookedE8(1, 1)).toBe(40_000_000n);
  ledger.book(1, 1, SIDE_SELL, 500_000, 1000, false);
  ledger.book(1, 1, SIDE_BUY, 625_000, 1000, false);
  expect(ledger.bookedE8(1, 1)).toBe(0n);
  ledger.bookFee(1, 1, USDT, 123);
  expect(ledger.bookedE8(1, 1)).toBe(-123n);
  ledger.book(1, 1, SIDE_SELL, 500_000, 30, false);
  ledger.markTicks[1] = 400_000;
  ledger.refresh();
  // 3,000 USD sold at 50,000: 0.06 BTC received, 0.075 owed at 40,000.
  expect(ledger.accountResultE8).toBe(-123 + 1_500_000);
  expect(ledger.averagePxTicks(1, 1)).toBe(500_000);
  expect(ledger.markedValueE8()).toBe(7_500_000);
});

test("money scales come from the instrument; sizes whose fees would not stay exact are refused", () => {
  const instrument = {
    symbol: "BTCUSDT",
    tickSize: "0.1",
    lotSize: "0.001",
    contractSize: "1",
  } as Instrument;
  expect(moneyScale(instrument, USDT)).toEqual(scale);
  expect(moneyScale({ ...instrument, tickSize: "0.5" }, USDT).feeScale).toBe(2000);
  expect(() => moneyScale({ ...instrument, tickSize: "0.3" }, USDT)).toThrow("BTCUSDT: tick 0.3");
  expect(() => moneyScale({ ...instrument, tickSize: "10", lotSize: "1" }, USDT)).toThrow("must divide 1");
});

const booking = fc.oneof(
  { weight: 6, arbitrary: fill.map((f) => ({ kind: "fill" as const, ...f })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("fee" as const),
      strategy: fc.integer({ min: 0, max: 2 }),
      instrument: fc.integer({ min: 1, max: 2 }),
      asset: fc.constantFrom(USDT, BNB),
      feeE8: fc.integer({ min: -1_000_000, max: 2 ** 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("funding" as const),
      instrument: fc.integer({ min: 0, max: 2 }),
      amountE8: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    }),
  },
);

test(`an account of several strategies: whatever is booked where, its booked result equals a BigInt oracle (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(booking, { maxLength: 80 }), (bookings) => {
      const ledger = newLedger();
      const pairs = Array.from({ length: 9 }, () => ({ oracle: new Oracle(), funding: 0n }));
      const other = new Map<string, bigint>();
      let unassigned = 0n;
      for (const b of bookings) {
        if (b.kind === "funding") {
          const owner = ledger.bookFunding(b.instrument, b.amountE8);
          // Read literally: the only holder, else house; instrument 0 belongs to nobody.
          const holders = [0, 1, 2].filter((s) => pairs[s * 3 + b.instrument]!.oracle.qty !== 0n);
          const wanted = b.instrument !== 0 && holders.length === 1 ? holders[0]! : HOUSE;
          expect(owner).toBe(wanted);
          if (b.instrument === 0) unassigned += BigInt(b.amountE8);
          else pairs[wanted * 3 + b.instrument]!.funding += BigInt(b.amountE8);
          continue;
        }
        const pair = pairs[b.strategy * 3 + b.instrument]!;
        if (b.kind === "fill") {
          ledger.book(b.strategy, b.instrument, b.buy ? SIDE_BUY : SIDE_SELL, b.px, b.lots, true);
          pair.oracle.fill(BigInt(b.buy ? b.lots : -b.lots), BigInt(b.px));
        } else if (b.asset === USDT) pair.oracle.fees += BigInt(b.feeE8);
        else other.set(`${b.strategy}`, (other.get(`${b.strategy}`) ?? 0n) + BigInt(b.feeE8));
        if (b.kind === "fee") ledger.bookFee(b.strategy, b.instrument, b.asset, b.feeE8);
      }
      for (let s = 0; s < 3; s++) {
        expect(ledger.otherFees.toBigInt(ledger.otherFeeSlot(s, BNB))).toBe(other.get(`${s}`) ?? 0n);
        for (let id = 1; id <= 2; id++) {
          const { oracle, funding } = pairs[s * 3 + id]!;
          // 1e-8 of the settlement asset per tick·lot: 10,000.
          expect(ledger.bookedE8(s, id)).toBe(oracle.realized * 10_000n + funding - oracle.fees);
        }
      }
      expect(ledger.unassignedFunding.toBigInt(0)).toBe(unassigned);
    }),
    { seed: SEED, numRuns: 600 },
  );
});

test("positions of several strategies that exist no more add up in house", () => {
  const ledger = newLedger();
  const part = { realizedHi: 0, realizedLo: 7, feesHi: 0, feesLo: 3 };
  ledger.restore(HOUSE, 1, { qtyLots: 5, costTickLots: 500, ...part });
  ledger.restore(HOUSE, 1, { qtyLots: -3, costTickLots: -330, ...part });
  const pair = ledger.pair(HOUSE, 1);
  expect([ledger.qtyLots[pair], ledger.costTickLots[pair], ledger.netLots[1]]).toEqual([2, 170, 2]);
  expect([ledger.realized.toBigInt(pair), ledger.fees.toBigInt(pair)]).toEqual([14n, 6n]);
});
