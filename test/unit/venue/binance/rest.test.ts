// The REST client against a server that misbehaves on request: what is an answer, what is unknown, what is
// not even sent.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { Credentials } from "../../../../src/venue/binance/credentials.ts";
import { type ExchangeInfo, instrumentsOf } from "../../../../src/venue/binance/exchange-info.ts";
import { RequestBudget } from "../../../../src/venue/binance/request-budget.ts";
import { BinanceRest } from "../../../../src/venue/binance/rest.ts";

interface Seen {
  readonly method: string;
  readonly url: URL;
  readonly key: string | null;
}
let seen: Seen[] = [];
let respond: (request: Request) => Response | Promise<Response> = () => Response.json({});
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    const key = request.headers.get("X-MBX-APIKEY");
    seen.push({ method: request.method, url: new URL(request.url), key });
    return respond(request);
  },
});
afterAll(() => server.stop(true));
beforeEach(() => {
  seen = [];
});

const SECRET = "the-secret-of-this-test";
const NOW_MS = 1_723_161_255_000;
const client = (timeoutMs = 500): BinanceRest =>
  new BinanceRest({
    baseUrl: `http://127.0.0.1:${server.port}`,
    credentials: new Credentials("hmac", "key", SECRET),
    recvWindowMs: 5000,
    timeoutMs,
    nowMs: () => NOW_MS,
    defaultFees: { makerFeeE8: 1, takerFeeE8: 2 },
  });

const error = (status: number, code: number, headers: Record<string, string> = {}): Response =>
  Response.json({ code, msg: "no" }, { status, headers });

describe("outcomes", () => {
  test.each([
    [400, -2013, false],
    [400, -1006, true],
    [408, -1007, true],
    [503, 0, true],
    [500, -1000, true],
    [401, -2015, false],
  ])("HTTP %i with code %i is unknown: %p", async (status, code, unknown) => {
    respond = () => error(status, code);
    const result = await client().order("BTCUSDT", "x");
    expect(result).toMatchObject({ ok: false, status, code, unknown });
  });

  test("a time-out and a dead server are unknown, and the message holds no secret", async () => {
    respond = () => Bun.sleep(300).then(() => Response.json({}));
    const late = await client(30).order("BTCUSDT", "x");
    const dead = await new BinanceRest({ ...DEAD }).order("BTCUSDT", "x");
    for (const result of [late, dead]) {
      expect(result).toMatchObject({ ok: false, status: 0, unknown: true });
      expect(JSON.stringify(result)).not.toMatch(/signature|secret/);
    }
  });

  test("a page that is not the venue's is told by its status", async () => {
    respond = () => new Response("<html>Bad gateway</html>", { status: 502 });
    expect(await client().positions()).toMatchObject({ ok: false, status: 502, unknown: true });
  });
});

const DEAD = {
  baseUrl: "http://127.0.0.1:1",
  credentials: new Credentials("hmac", "key", SECRET),
  recvWindowMs: 5000,
  timeoutMs: 500,
  nowMs: () => NOW_MS,
  defaultFees: { makerFeeE8: 1, takerFeeE8: 2 },
};

test("signed requests carry key, time, window and a signature over the query as sent", async () => {
  respond = () => Response.json([]);
  await client().openOrders("BTCUSDT");
  const [text, signature] = seen[0]!.url.search.slice(1).split("&signature=");
  expect(text).toBe(`symbol=BTCUSDT&recvWindow=5000&timestamp=${NOW_MS}`);
  expect(signature).toBe(createHmac("sha256", SECRET).update(text!).digest("hex"));
  expect(seen[0]!.key).toBe("key");
});

test("ids past 2^53 keep their digits", async () => {
  respond = () =>
    new Response(
      '[{"symbol":"BTCUSDT","id":9100000000000000001,"orderId":12,"side":"BUY","price":"1","qty":"2","commission":"0","commissionAsset":"USDT","maker":true,"time":5}]',
    );
  const result = await client().fills("BTCUSDT");
  expect(result.ok && [result.value[0]!.tradeId, result.value[0]!.orderId]).toEqual([
    "9100000000000000001",
    "12",
  ]);
});

test("after 429 nothing is sent until Retry-After has passed", async () => {
  respond = () => error(429, -1003, { "Retry-After": "7" });
  const rest = client();
  expect(await rest.positions()).toMatchObject({ status: 429, unknown: false });
  expect(await rest.positions()).toMatchObject({ status: 429, code: -1003 });
  expect(seen.length).toBe(1);
  expect(rest.budget.blockedUntilMs).toBe(NOW_MS + 7000);
  expect([rest.budget.takeOrder(NOW_MS), rest.budget.takeOrder(NOW_MS + 7001)]).toEqual([false, true]);
});

test("cancel-all reaches conditional orders and lives with a venue that has none", async () => {
  respond = (request) =>
    new URL(request.url).pathname.includes("algo") ? error(404, 0) : Response.json({ code: 200 });
  expect(await client().cancelAll("BTCUSDT")).toEqual({ ok: true, value: null });
  expect(seen.map((r) => `${r.method} ${r.url.pathname}`)).toEqual([
    "DELETE /fapi/v1/allOpenOrders",
    "DELETE /fapi/v1/algoOpenOrders",
  ]);
});

describe("the request budget", () => {
  const limits = { weightPerMinute: 100, ordersPerMinute: 60, ordersPer10s: 10, reserve: 0.1 };

  test("keeps a reserve from orders and queries that cancels may use", () => {
    const budget = new RequestBudget(limits);
    let orders = 0;
    while (budget.takeOrder(0)) orders++;
    let queries = 0;
    while (budget.takeQuery(0, 10, false)) queries++;
    expect([orders, queries]).toEqual([9, 9]);
    let cancels = 0;
    while (budget.takeCancel(0)) cancels++;
    expect(cancels).toBe(10);
    expect(budget.refused).toBe(3);
  });

  test("refills with the venue's windows and believes the venue's higher count", () => {
    const budget = new RequestBudget(limits);
    budget.onOrdersUsed(1000, 10, 9);
    expect(budget.ordersLeft(1000)).toBe(0);
    expect(budget.ordersLeft(10_000)).toBe(9);
    budget.onWeightUsed(10_000, 60);
    budget.onWeightUsed(10_000, 5);
    expect(budget.weightLeft(10_000)).toBe(40);
    expect(budget.weightLeft(60_000)).toBe(100);
  });
});

describe("exchangeInfo", () => {
  const symbol = {
    symbol: "BTCUSDT",
    status: "TRADING",
    baseAsset: "BTC",
    quoteAsset: "USDT",
    marginAsset: "USDT",
    pricePrecision: 2,
    quantityPrecision: 3,
    filters: [
      { filterType: "PRICE_FILTER", minPrice: "556.85", maxPrice: "4529764", tickSize: "0.10" },
      { filterType: "LOT_SIZE", minQty: "0.001", maxQty: "1000", stepSize: "0.001" },
      { filterType: "MIN_NOTIONAL", notional: "100" },
      {
        filterType: "PERCENT_PRICE",
        multiplierUp: "1.0500",
        multiplierDown: "0.9500",
        multiplierDecimal: "4",
      },
    ],
  };
  const info: ExchangeInfo = { rateLimits: [], symbols: [symbol, { ...symbol, symbol: "BAD", filters: [] }] };
  const fees = () => ({ makerFeeE8: 20_000, takerFeeE8: 50_000 });

  test("becomes integer bounds inside the venue's", () => {
    const result = instrumentsOf(info, ["BTCUSDT"], 4, fees);
    expect(result.ok && result.value[0]).toMatchObject({
      id: 4,
      minPxTicks: 5569,
      maxPxTicks: 45_297_640,
      minQtyLots: 1,
      maxQtyLots: 1_000_000,
      minNotionalTickLots: 1_000_000,
      percentUpE8: 105_000_000,
      trading: true,
    });
  });

  test("names every symbol that is missing or unusable", () => {
    const result = instrumentsOf(info, ["NONE", "BAD", "BTCUSDT"], 1, fees);
    expect(result.ok ? "" : result.message).toBe(
      "NONE: not listed; BAD: PRICE_FILTER or LOT_SIZE is missing",
    );
  });
});
