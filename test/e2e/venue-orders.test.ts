// Order entry at the simulated venue: refusals, ids, margin, dead-man's switch, funding, restart.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SimVenue } from "../../src/venue/sim/sim-venue.ts";
import { API_KEY, collect, hmac, post, rest, smallVenue, testVenue, until } from "./venue-helper.ts";

const ETH = {
  symbol: "ETHUSDT",
  side: "BUY",
  type: "LIMIT",
  timeInForce: "GTC",
  quantity: "0.100",
  price: "2600.00",
};

describe("a quiet venue (market not played)", () => {
  let venue: SimVenue;
  let http: string;
  let ws: string;
  beforeAll(async () => {
    ({ venue, http, ws } = await smallVenue({ play: false }));
  });
  afterAll(() => venue.stop());

  const place = (changes: Record<string, string>) =>
    rest(http, "POST", "/fapi/v1/order", { ...ETH, ...changes });

  // The book's touch is 2684.00 / 2684.01, which is also the mark; the band is 5 %.
  const REFUSALS: readonly [string, Record<string, string>, number][] = [
    ["a price off the tick", { price: "2600.001" }, -1111],
    ["a quantity with too many decimals", { quantity: "0.1001" }, -1111],
    ["a price below the minimum", { price: "1.00" }, -4013],
    ["a price above the band", { price: "2900.00" }, -4016],
    ["a sell below the band", { side: "SELL", price: "2400.00" }, -4024],
    ["a value below the minimum notional", { quantity: "0.001" }, -4164],
    ["a zero quantity", { quantity: "0" }, -4003],
    ["a quantity above the maximum", { quantity: "10001" }, -4005],
    ["no quantity", { quantity: "" }, -1102],
    ["a quantity that is not a number", { quantity: "1e3" }, -1100],
    ["an unknown symbol", { symbol: "XXXUSDT" }, -1121],
    ["an unknown side", { side: "LONG" }, -1117],
    ["an unknown type", { type: "STOP" }, -1116],
    ["an unknown time in force", { timeInForce: "DAY" }, -1115],
    ["a hedge-mode position side", { positionSide: "LONG" }, -4061],
    ["a client id with illegal characters", { newClientOrderId: "a b" }, -4015],
    ["a post-only order that would take", { timeInForce: "GTX", price: "2700.00" }, -5022],
    ["a reduce-only order without a position", { reduceOnly: "true" }, -2022],
    ["more than the margin carries", { quantity: "900" }, -2019],
  ];
  for (const [what, changes, code] of REFUSALS) {
    test(`${what} is refused with ${code}`, async () => {
      const reply = await place(changes);
      expect([reply.status, reply.body.code]).toEqual([400, code]);
    });
  }

  test("an unfillable FOK within the margin is -5021, and nothing stays behind", async () => {
    const reply = await place({ timeInForce: "FOK", price: "2684.01", quantity: "700" });
    expect(reply.body.code).toBe(-5021);
    expect((await rest(http, "GET", "/fapi/v1/openOrders")).text).toBe("[]");
  });

  test("ids pass 2^53 and are found by their exact text only", async () => {
    const placed = await place({ newClientOrderId: "big-1" });
    const id = /"orderId":(\d+)/.exec(placed.text)![1]!;
    expect(BigInt(id) > 2n ** 53n).toBe(true);
    const found = await rest(http, "GET", "/fapi/v1/order", { symbol: "ETHUSDT", orderId: id });
    expect(found.body.clientOrderId).toBe("big-1");
    const neighbour = String(BigInt(id) + 1n);
    expect(
      (await rest(http, "GET", "/fapi/v1/order", { symbol: "ETHUSDT", orderId: neighbour })).body.code,
    ).toBe(-2013);
    expect((await place({ newClientOrderId: "big-1" })).body.code).toBe(-4116);
    const same = { symbol: "ETHUSDT", side: "BUY", orderId: id, price: "2600.00", quantity: "0.100" };
    expect((await rest(http, "PUT", "/fapi/v1/order", same)).body.code).toBe(-5027);
    const moved = await rest(http, "PUT", "/fapi/v1/order", { ...same, price: "2599.00" });
    expect(moved.text).toContain(`"orderId":${id}`);
    expect(
      (await rest(http, "DELETE", "/fapi/v1/order", { symbol: "ETHUSDT", orderId: id })).body.status,
    ).toBe("CANCELED");
    expect((await place({ newClientOrderId: "big-1" })).status).toBe(200);
    await rest(http, "DELETE", "/fapi/v1/allOpenOrders", { symbol: "ETHUSDT" });
  });

  test("signatures, keys and times are checked: -1022, -2014, -2015, -1102, -1021", async () => {
    const call = async (query: string, key: string | null, signature: string) => {
      const headers: Record<string, string> = key === null ? {} : { "X-MBX-APIKEY": key };
      const response = await fetch(`${http}/fapi/v2/balance?${query}&signature=${signature}`, { headers });
      return [response.status, ((await response.json()) as { code: number }).code];
    };
    const now = `timestamp=${Date.now()}`;
    expect(await call(now, API_KEY, hmac(`${now}0`))).toEqual([400, -1022]);
    expect(await call(now, null, hmac(now))).toEqual([401, -2014]);
    expect(await call(now, "nobody", hmac(now))).toEqual([401, -2015]);
    expect(await call("a=1", API_KEY, hmac("a=1"))).toEqual([400, -1102]);
    const old = `timestamp=${Date.now() - 6_000}`;
    expect(await call(old, API_KEY, hmac(old))).toEqual([400, -1021]);
    const wide = `${old}&recvWindow=10000`;
    const reply = await fetch(`${http}/fapi/v2/balance?${wide}&signature=${hmac(wide)}`, {
      headers: { "X-MBX-APIKEY": API_KEY },
    });
    expect(reply.status).toBe(200);
    const ahead = `timestamp=${Date.now() + 5_000}`;
    expect(await call(ahead, API_KEY, hmac(ahead))).toEqual([400, -1021]);
  });

  test("parameters may come in the body, and the signature covers query and body", async () => {
    const query = `symbol=ETHUSDT&side=BUY&type=LIMIT&timeInForce=GTC`;
    const body = `quantity=0.1&price=2600&newClientOrderId=body-1&timestamp=${Date.now()}`;
    const response = await fetch(`${http}/fapi/v1/order?${query}`, {
      method: "POST",
      headers: { "X-MBX-APIKEY": API_KEY, "Content-Type": "application/x-www-form-urlencoded" },
      body: `${body}&signature=${hmac(query + body)}`,
    });
    expect(((await response.json()) as { clientOrderId: string }).clientOrderId).toBe("body-1");
    expect(response.headers.get("X-MBX-ORDER-COUNT-10S")).not.toBeNull();
    await rest(http, "DELETE", "/fapi/v1/allOpenOrders", { symbol: "ETHUSDT" });
  });

  test("the dead-man's switch cancels the symbol's orders in time, re-arming puts it off, 0 disarms", async () => {
    const arm = (ms: number) =>
      rest(http, "POST", "/fapi/v1/countdownCancelAll", { symbol: "ETHUSDT", countdownTime: String(ms) });
    const open = () => venue.core.desk.store.openCount("ETHUSDT");
    await place({});
    expect((await arm(150)).body.countdownTime).toBe("150");
    await Bun.sleep(80);
    await arm(300);
    await Bun.sleep(120);
    expect(open()).toBe(1);
    await arm(0);
    await Bun.sleep(250);
    expect(open()).toBe(1);
    await arm(999_999_999_999);
    await Bun.sleep(30);
    expect(open()).toBe(1);
    await arm(20);
    await until("the cancel", () => open() === 0);
  });

  test("batch place and batch cancel answer per order", async () => {
    const orders = JSON.stringify([
      { ...ETH, newClientOrderId: "b1" },
      { ...ETH, side: "UP" },
    ]);
    const placed = await rest(http, "POST", "/fapi/v1/batchOrders", { batchOrders: orders });
    expect([placed.body[0].status, placed.body[1].code]).toEqual(["NEW", -1117]);
    const ids = JSON.stringify(["b1", "b2"]);
    const gone = await rest(http, "DELETE", "/fapi/v1/batchOrders", {
      symbol: "ETHUSDT",
      origClientOrderIdList: ids,
    });
    expect([gone.body[0].status, gone.body[1].code]).toEqual(["CANCELED", -2011]);
  });

  test("bad WS API frames are answered, never fatal", async () => {
    const { socket, messages } = await collect(`${ws}/ws-fapi/v1`);
    for (const text of [
      "{",
      "[]",
      '{"id":1,"method":"no.such"}',
      '{"id":"q","method":"order.place","params":{"apiKey":"x"}}',
    ])
      socket.send(text);
    await until("four replies", () => messages.length === 4);
    expect(messages.map((m) => m.error.code)).toEqual([-1135, -1135, -1106, -2015]);
    socket.close();
  });
});

test("open orders, account trades and cancel-all answer over the WS API as over REST", async () => {
  const { venue, http, ws } = await smallVenue({ play: false });
  const mid = Number((await rest(http, "GET", "/fapi/v1/ticker/price", { symbol: "ETHUSDT" })).body.price);
  const order = { symbol: "ETHUSDT", side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "1.000" };
  await rest(http, "POST", "/fapi/v1/order", { ...order, price: (mid * 0.98).toFixed(2) });
  await rest(http, "POST", "/fapi/v1/order", {
    symbol: "ETHUSDT",
    side: "BUY",
    type: "MARKET",
    quantity: "0.1",
  });
  const { socket, messages } = await collect(`${ws}/ws-fapi/v1`);
  const ask = async (id: number, method: string) => {
    const params = { apiKey: API_KEY, symbol: "ETHUSDT", timestamp: String(Date.now()) };
    const signature = hmac(new URLSearchParams(params).toString());
    socket.send(JSON.stringify({ id, method, params: { ...params, signature } }));
    await until(method, () => messages.some((m) => m.id === id));
    return messages.find((m) => m.id === id);
  };
  const open = await rest(http, "GET", "/fapi/v1/openOrders", { symbol: "ETHUSDT" });
  expect(open.body.length).toBe(1);
  expect((await ask(1, "openOrders.status")).result).toEqual(open.body);
  const trades = await rest(http, "GET", "/fapi/v1/userTrades", { symbol: "ETHUSDT" });
  expect(trades.body.length).toBeGreaterThan(0);
  expect((await ask(2, "myTrades")).result).toEqual(trades.body);
  expect((await ask(3, "openOrders.cancelAll")).status).toBe(200);
  expect(venue.core.desk.store.openCount("ETHUSDT")).toBe(0);
  socket.close();
  await venue.stop();
});

test("over the request limit 429 with Retry-After, going on leads to 418, order limits give -1015", async () => {
  const limits = {
    weightPerMinute: 6,
    ordersPer10s: 2,
    ordersPerMinute: 100,
    refusalsBeforeBan: 3,
    banMs: 400,
  };
  const { venue, http } = await smallVenue({ play: false, rateLimits: limits });
  // Windows are the venue's fixed 10 s and 1 min: keep clear of their ends.
  if (Date.now() % 10_000 > 9_000) await Bun.sleep(1_100);
  const codes: number[] = [];
  for (let i = 0; i < 3; i++) codes.push((await rest(http, "POST", "/fapi/v1/order", ETH)).body.code ?? 0);
  expect(codes).toEqual([0, 0, -1015]);
  const statuses: number[] = [];
  for (let i = 0; i < 11; i++) statuses.push((await fetch(`${http}/fapi/v1/ping`)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429, 429, 418, 418]);
  const refused = await fetch(`${http}/fapi/v1/ping`);
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
  await venue.stop();
});

test("funding is charged on the position, to the unit, and told on the user stream", async () => {
  const { venue, http, ws } = await smallVenue({ funding: { intervalMs: 700, rateE8: 10_000n } });
  const { body } = await rest(http, "POST", "/fapi/v1/listenKey");
  const user = await collect(`${ws}/private/ws/${body.listenKey}`);
  await rest(http, "POST", "/fapi/v1/order", { ...ETH, type: "MARKET", quantity: "1.000" });
  const paid = () => user.messages.find((m) => m.e === "ACCOUNT_UPDATE" && m.a.m === "FUNDING_FEE");
  await until("a funding event", () => paid() !== undefined);
  const income = (await rest(http, "GET", "/fapi/v1/income", { incomeType: "FUNDING_FEE" })).body;
  expect(income[0].income).toBe(paid().a.B[0].bc);
  expect(Number(income[0].income)).toBeCloseTo(-0.2684, 2);
  user.socket.close();
  await venue.stop();
});

test("a restart from the journal gives the same account, orders, trades and ids; the journal sums to the position", async () => {
  const dir = mkdtempSync(join(tmpdir(), "venue-"));
  const journalPath = join(dir, "journal.jsonl");
  const first = await testVenue({ journalPath, speed: 20 });
  const http = first.http;
  for (let i = 0; i < 12; i++) {
    const side = i % 3 === 0 ? "SELL" : "BUY";
    const touch = (await rest(http, "GET", "/fapi/v1/ticker/bookTicker", { symbol: "BTCUSDT" })).body;
    const price = side === "BUY" ? touch.bidPrice : touch.askPrice;
    const order = { symbol: "BTCUSDT", side, quantity: "0.010", newClientOrderId: `r${i}` };
    await rest(
      http,
      "POST",
      "/fapi/v1/order",
      i % 2 === 0 ? { ...order, type: "MARKET" } : { ...order, type: "LIMIT", timeInForce: "GTC", price },
    );
  }
  await rest(http, "POST", "/fapi/v1/order", { ...ETH, newClientOrderId: "stays" });
  await post(http, "/sim/deposit", { amount: "12.5" });
  await until("a maker fill", () => first.venue.core.account.tradesOf("BTCUSDT").some((t) => t.maker));
  await first.venue.stop();
  const before = ledgerOf(first.venue);

  const fills = readFileSync(journalPath, "utf8")
    .trimEnd()
    .split("\n")
    .map((l) => JSON.parse(l))
    .filter((l) => l.k === "fill");
  const sum = fills.reduce((total, f) => total + f.side * f.q, 0);
  expect(BigInt(sum)).toBe(first.venue.core.account.position("BTCUSDT").qtyLots);
  const money = fills.reduce((total, f) => total + BigInt(f.rp) - BigInt(f.fee), 0n);
  expect(first.venue.core.account.walletE8).toBe(100_012_50000000n + money);

  const second = await testVenue({ journalPath, play: false });
  expect(ledgerOf(second.venue)).toEqual(before);
  const stays = { symbol: "ETHUSDT", origClientOrderId: "stays" };
  expect((await rest(second.http, "GET", "/fapi/v1/order", stays)).body.status).toBe("NEW");
  expect((await rest(second.http, "DELETE", "/fapi/v1/order", stays)).body.status).toBe("CANCELED");
  const next = await rest(second.http, "POST", "/fapi/v1/order", { ...ETH, newClientOrderId: "later" });
  expect(next.text).toContain(`"orderId":9100${String(before.lastOrder + 1).padStart(12, "0")}`);
  await second.venue.stop();
  rmSync(dir, { recursive: true });
});

function ledgerOf(venue: SimVenue) {
  const { account, desk } = venue.core;
  const { qtyLots, costTickLots } = account.position("BTCUSDT");
  return {
    wallet: account.walletE8,
    qtyLots,
    costTickLots,
    trades: account.tradesOf("BTCUSDT").map((t) => ({ ...t, timeMs: 0 })),
    income: account.income().map((i) => ({ ...i, timeMs: 0 })),
    lastTrade: account.lastTrade,
    lastTransaction: account.lastTransaction,
    lastOrder: desk.store.lastNumber,
    open: desk.store.allOpen().map((o) => ({ ...o, slot: 0 })),
    orders: desk.store.all("BTCUSDT").map((o) => ({ ...o, slot: 0 })),
  };
}
