import { expect, test } from "bun:test";
import fc from "fast-check";
import { isError } from "../../../../src/venue/sim/api-error.ts";
import { checkBand, checkNotional, parsePlace } from "../../../../src/venue/sim/order-request.ts";
import { BTCUSDT, e8Text, fixedText, pxText, qtyText } from "../../../../src/venue/sim/symbol-spec.ts";

const LIMIT = {
  symbol: "BTCUSDT",
  side: "BUY",
  type: "LIMIT",
  timeInForce: "GTC",
  price: "61800.20",
  quantity: "0.002",
};

test("price and quantity texts of any form within the rules give their exact ticks and lots (seed 3)", () => {
  const px = fc.integer({ min: BTCUSDT.minPxTicks, max: BTCUSDT.maxPxTicks });
  const qty = fc.integer({ min: 1, max: BTCUSDT.maxQtyLots });
  const zeros = fc.constantFrom("", "0");
  const property = fc.property(px, qty, zeros, (ticks, lots, zero) => {
    const price = `${zero}${pxText(BTCUSDT, ticks)}`.replace(/0$/, "");
    const request = parsePlace({ ...LIMIT, price, quantity: qtyText(BTCUSDT, lots) }, BTCUSDT, 2);
    expect(request).toMatchObject({ pxTicks: ticks, qtyLots: lots, stp: 2 });
  });
  fc.assert(property, { seed: 3, numRuns: 500 });
});

test("no text, however strange, gets past the parser as anything but a request or a refusal (seed 4)", () => {
  const property = fc.property(fc.string(), fc.string(), (price, quantity) => {
    const request = parsePlace({ ...LIMIT, price, quantity }, BTCUSDT, 0);
    if (!isError(request)) {
      expect(Number.isSafeInteger(request.pxTicks)).toBe(true);
      expect(request.qtyLots).toBeGreaterThan(0);
    }
  });
  fc.assert(property, { seed: 4, numRuns: 1000 });
});

test("names that every object has are no values of an enumeration", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    expect(parsePlace({ ...LIMIT, timeInForce: name }, BTCUSDT, 0)).toMatchObject({ code: -1115 });
    expect(parsePlace({ ...LIMIT, selfTradePreventionMode: name }, BTCUSDT, 0)).toMatchObject({
      code: -1100,
    });
  }
});

test("a price between two ticks is -4014, a quantity between two lots is -1111", () => {
  expect(parsePlace({ ...LIMIT, price: "61800.25" }, BTCUSDT, 0)).toMatchObject({ code: -4014 });
  expect(parsePlace({ ...LIMIT, quantity: "0.0025" }, BTCUSDT, 0)).toMatchObject({ code: -1111 });
});

test("the band is inclusive: 5 % from the mark passes, one tick more does not", () => {
  const mark = 600_000n * 100_000_000n;
  expect(checkBand(BTCUSDT, 1, 630_000, mark)).toBeNull();
  expect(checkBand(BTCUSDT, 1, 630_001, mark)).toMatchObject({
    code: -4016,
    msg: expect.stringContaining("63000"),
  });
  expect(checkBand(BTCUSDT, -1, 570_000, mark)).toBeNull();
  expect(checkBand(BTCUSDT, -1, 569_999, mark)).toMatchObject({ code: -4024 });
  expect(checkBand(BTCUSDT, 1, 10_000, mark)).toBeNull();
});

test("the least notional is inclusive", () => {
  expect(checkNotional(BTCUSDT, 500_000n * 100_000_000n, 2)).toBeNull();
  expect(checkNotional(BTCUSDT, 499_999n * 100_000_000n, 2)).toMatchObject({ code: -4164 });
});

test("fixed-point texts carry all their decimals", () => {
  expect([fixedText(6_180_020, 2), fixedText(5, 3), fixedText(-5, 3), fixedText(7, 0)]).toEqual([
    "61800.20",
    "0.005",
    "-0.005",
    "7",
  ]);
  expect([e8Text(0n), e8Text(-1n), e8Text(123_456_789n)]).toEqual([
    "0.00000000",
    "-0.00000001",
    "1.23456789",
  ]);
});
