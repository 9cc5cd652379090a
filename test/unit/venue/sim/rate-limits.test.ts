import { expect, test } from "bun:test";
import { isError } from "../../../../src/venue/sim/api-error.ts";
import { RateLimits } from "../../../../src/venue/sim/rate-limits.ts";

function limitsAt(start: number) {
  const clock = { ms: start };
  const options = {
    weightPerMinute: 10,
    ordersPer10s: 2,
    ordersPerMinute: 3,
    refusalsBeforeBan: 1,
    banMs: 5_000,
  };
  return { clock, limits: new RateLimits(options, () => clock.ms) };
}

test("weight is refused with 429 past the limit, then banned with 418, then free again after the ban", () => {
  const { clock, limits } = limitsAt(60_000);
  expect(limits.charge(10, 0)).toBeNull();
  expect(limits.charge(1, 0)).toMatchObject({ status: 429, code: -1003, retryAfterS: 60 });
  expect(limits.charge(1, 0)).toMatchObject({ status: 418, retryAfterS: 5 });
  clock.ms += 4_999;
  expect(limits.charge(0, 0)).toMatchObject({ status: 418 });
  clock.ms = 120_000;
  expect(limits.charge(1, 0)).toBeNull();
});

test("order windows of ten seconds and a minute both hold, and the headers count", () => {
  const { clock, limits } = limitsAt(60_000);
  expect([limits.charge(0, 1), limits.charge(0, 1)]).toEqual([null, null]);
  expect(limits.charge(0, 1)).toMatchObject({ code: -1015 });
  expect(limits.headers(true)).toEqual({
    "X-MBX-USED-WEIGHT-1M": "0",
    "X-MBX-ORDER-COUNT-10S": "3",
    "X-MBX-ORDER-COUNT-1M": "3",
  });
  clock.ms += 10_000;
  const refused = limits.charge(0, 1);
  expect(refused !== null && isError(refused) && refused.msg).toContain("3 orders per 1 MINUTE");
  expect(JSON.parse(limits.replyText(true)).length).toBe(3);
  expect(JSON.parse(limits.replyText(false))[0].rateLimitType).toBe("REQUEST_WEIGHT");
});
