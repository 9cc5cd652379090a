import { expect, test } from "bun:test";
import fc from "fast-check";
import { Account } from "../../../../src/exchange/compat/account.ts";
import { BUY, GTC } from "../../../../src/exchange/compat/codes.ts";
import { CompatOrder } from "../../../../src/exchange/compat/compat-order.ts";
import { OrderBus } from "../../../../src/exchange/compat/order-bus.ts";
import {
  constantLatency,
  interpolatedLatency,
  latencyTable,
} from "../../../../src/exchange/compat/order-latency.ts";
import { makeQueueModel, QUEUE_MODELS } from "../../../../src/exchange/compat/queue-models.ts";
import { minNum, roundHalfAway, roundToInt } from "../../../../src/exchange/compat/rounding.ts";

const order = (id = 1, qty = 1): CompatOrder => new CompatOrder(id, BUY, 100, qty, GTC);

test("halves are rounded away from zero, and 0.49999999999999994 is not a half", () => {
  expect([0.5, -0.5, 1.5, -1.5, 2.4, -2.6, 0.49999999999999994].map(roundHalfAway)).toEqual([
    1, -1, 2, -2, 2, -3, 0,
  ]);
  expect(roundToInt(Number.NaN)).toBe(0);
});

test("minNum prefers the number over a NaN", () => {
  expect(minNum(Number.NaN, 2)).toBe(2);
  expect(minNum(2, Number.NaN)).toBe(2);
  expect(minNum(3, 2)).toBe(2);
  expect(minNum(Number.NaN, Number.NaN)).toBeNaN();
});

test("the risk-averse queue moves by trades, and is never longer than its level", () => {
  const queue = makeQueueModel("risk");
  const o = order();
  queue.newOrder(o, 10);
  queue.trade(o, 4);
  expect(o.front).toBe(6);
  queue.depth(o, 10, 7);
  expect(o.front).toBe(6);
  queue.depth(o, 7, 2);
  expect(o.front).toBe(2);
  queue.trade(o, 5);
  expect(queue.filled(o, 0.5)).toBe(3);
  expect(o.front).toBe(0);
  expect(queue.filled(o, 0.5)).toBe(0);
});

test("a probability queue never counts a trade twice, and takes the level's quantity when its estimate is NaN", () => {
  for (const name of QUEUE_MODELS.filter((n) => n !== "risk")) {
    const queue = makeQueueModel(name, 2);
    const o = order();
    queue.newOrder(o, 10);
    queue.trade(o, 3);
    queue.depth(o, 10, 7);
    expect(o.front).toBe(7);
    // 0/0: an order alone in a level whose probability is undefined.
    queue.newOrder(o, 0);
    queue.depth(o, 0, 0);
    expect(o.front).toBe(0);
  }
});

test("a decrease moves the queue by the share that was in front (power, n = 2: back² / (back² + front²))", () => {
  const queue = makeQueueModel("power", 2);
  const o = order();
  queue.newOrder(o, 4);
  queue.depth(o, 12, 10);
  const p = 64 / (64 + 16);
  expect(o.front).toBe(4 - (1 - p) * 2 + Math.min(8 - p * 2, 0));
});

test("an order on the wire never overtakes another", () => {
  const bus = new OrderBus();
  expect(bus.append(order(1), 10)).toBe(10);
  expect(bus.append(order(2), 5)).toBe(10);
  expect(bus.append(order(3), 12)).toBe(12);
  expect(bus.arrivalOf(3)).toBe(12);
  expect(bus.arrivalOf(9)).toBe(Number.POSITIVE_INFINITY);
  expect([bus.pop().id, bus.pop().id, bus.pop().id]).toEqual([1, 2, 3]);
  expect(bus.nextTs).toBe(Number.POSITIVE_INFINITY);
  // Empty again: nothing to wait for.
  expect(bus.append(order(4), 3)).toBe(3);
});

test("constant latency is what it says", () => {
  const model = constantLatency(5, 7)(0n);
  expect([model.entry(1), model.response(1)]).toEqual([5, 7]);
});

const T = 1_700_000_000_000_000_000n;
const BASE = T - (T % 86_400_000_000_000n);

function tableOf(rows: readonly (readonly [bigint, bigint, bigint])[], offset = 0n) {
  return latencyTable([BigInt64Array.from(rows.flatMap((r) => [...r, 0n]))], offset);
}

test("interpolated latency equals the formula in i64 and f64, before, inside and after the table (seed 21)", () => {
  const step = fc.record({
    gap: fc.integer({ min: 3, max: 1_000_000_000 }),
    entry: fc.integer({ min: 0, max: 50_000_000 }),
    response: fc.integer({ min: 0, max: 50_000_000 }),
  });
  const property = fc.property(
    fc.array(step, { minLength: 2, maxLength: 20 }),
    fc.array(fc.nat(2_000_000_000), { maxLength: 50 }),
    (steps, offsets) => {
      let req = T;
      const rows = steps.map((s) => {
        req += BigInt(s.gap) + 100_000_000n;
        return [req, req + BigInt(s.entry), req + BigInt(s.entry + s.response)] as const;
      });
      const model = interpolatedLatency(tableOf(rows))(BASE);
      for (const offset of offsets.sort((a, b) => a - b)) {
        const t = T + BigInt(offset);
        const naive = (col: 0 | 1, to: 1 | 2): bigint => {
          if (t < rows[0]![col]) return rows[0]![to] - rows[0]![col];
          for (let i = 0; i + 1 < rows.length; i++) {
            const [a, b] = [rows[i]!, rows[i + 1]!];
            if (a[col] <= t && t < b[col]) {
              const [y1, y2] = [a[to] - a[col], b[to] - b[col]];
              return (
                BigInt(Math.trunc((Number(y2 - y1) / Number(b[col] - a[col])) * Number(t - a[col]))) + y1
              );
            }
          }
          const last = rows[rows.length - 1]!;
          return last[to] - last[col];
        };
        expect(BigInt(model.entry(Number(t - BASE)))).toBe(naive(0, 1));
        expect(BigInt(model.response(Number(t - BASE)))).toBe(naive(1, 2));
      }
    },
  );
  fc.assert(property, { seed: 21, numRuns: 60 });
});

test("a row without exchange time means refusal, learnt after the interpolated whole way", () => {
  const rows = [
    [T, T + 10n, T + 30n],
    [T + 1000n, 0n, T + 1050n],
    [T + 2000n, T + 2010n, T + 2030n],
  ] as const;
  const model = interpolatedLatency(tableOf(rows))(BASE);
  const at = (offset: bigint): number => model.entry(Number(T + offset - BASE));
  expect(at(500n)).toBe(-40);
  expect(at(1500n)).toBe(-40);
});

test("a latency offset moves the exchange time once and the response time twice", () => {
  const rows = [
    [T, T + 10n, T + 30n],
    [T + 1000n, T + 1010n, T + 1030n],
  ] as const;
  const model = interpolatedLatency(tableOf(rows, 5n))(BASE);
  expect(model.entry(Number(T - BASE))).toBe(15);
  expect(model.response(Number(T + 15n - BASE))).toBe(25);
});

test("fees by value, quantity and trade; linear and inverse accounts", () => {
  const fill = (kind: "linear" | "inverse", feeKind: "value" | "qty" | "flat"): Account => {
    const account = new Account({ kind, contractSize: 2, feeKind, makerFee: -0.25, takerFee: 0.5 });
    const o = order(1, 4);
    o.execTick = 100;
    o.execQty = 4;
    account.applyFill(o, 0.5);
    return account;
  };
  expect(fill("linear", "value")).toMatchObject({ position: 4, balance: -400, fee: 200, tradingValue: 400 });
  expect(fill("linear", "qty").fee).toBe(2);
  expect(fill("linear", "flat").fee).toBe(0.5);
  expect(fill("inverse", "value")).toMatchObject({
    position: 4,
    balance: -0.16,
    fee: 0.08,
    tradingValue: 0.16,
  });
  expect(fill("linear", "flat").equity(50)).toBe(-0.5);
  expect(fill("inverse", "flat").equity(50)).toBe(0.16 - 0.16 - 0.5);
});
