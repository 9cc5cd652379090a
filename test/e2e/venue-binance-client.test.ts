// An independent client (npm `binance`) against the simulated venue: what it can read and do there, it could
// on the real one. Its own id handling is through doubles, so orders are addressed by client id.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { USDMClient, WebsocketClient, type WsKey } from "binance";
import type { SimVenue } from "../../src/venue/sim/sim-venue.ts";
import { API_KEY, ED_KEY, ED_PRIVATE_PEM, SECRET, testVenue, until } from "./venue-helper.ts";

const CLIENT_ID = "x-15PC4ZJy";
const quiet = { trace() {}, info() {}, error() {} };
let venue: SimVenue;
let http: string;
let ws: string;
let client: USDMClient;
const sockets: WebsocketClient[] = [];

beforeAll(async () => {
  ({ venue, http, ws } = await testVenue({ speed: 5 }));
  client = new USDMClient({
    api_key: API_KEY,
    api_secret: SECRET,
    baseUrl: http,
    disableTimeSync: true,
    beautifyResponses: false,
  });
});

afterAll(async () => {
  for (const socket of sockets) socket.closeAll(true);
  await venue.stop();
});

function wsClient(apiKey = API_KEY, secret = SECRET) {
  const socket = new WebsocketClient(
    {
      api_key: apiKey,
      api_secret: secret,
      wsUrl: ws,
      beautify: false,
      disableHeartbeat: true,
      restOptions: { baseUrl: http, disableTimeSync: true },
    },
    quiet,
  );
  // biome-ignore lint/suspicious/noExplicitAny: client messages of many shapes
  const messages: any[] = [];
  socket.on("message", (m) => messages.push(m));
  socket.on("exception", () => {});
  sockets.push(socket);
  return { socket, messages };
}

const id = (name: string): string => `${CLIENT_ID}${name}`;

test("it reads rules, book, mark price, account and positions over REST", async () => {
  expect((await client.getServerTime()) > 1.7e12).toBe(true);
  const info = await client.getExchangeInfo();
  expect(info.symbols.map((s) => s.symbol)).toEqual(["BTCUSDT", "ETHUSDT"]);
  const book = await client.getOrderBook({ symbol: "BTCUSDT", limit: 1000 });
  expect(book.bids.length).toBe(1000);
  expect(Number(book.bids[0]![0])).toBeLessThan(Number(book.asks[0]![0]));
  expect(
    Number(((await client.getMarkPrice({ symbol: "BTCUSDT" })) as { markPrice: string }).markPrice),
  ).toBeGreaterThan(50_000);
  expect((await client.getBalanceV3())[0]!.balance).toBe("100000.00000000");
  expect((await client.getAccountInformationV3()).availableBalance).toBe("100000.00000000");
  expect((await client.getPositionsV3()).length).toBe(0);
  expect(await client.getCurrentPositionMode()).toEqual({ dualSidePosition: false });
  expect(client.getRateLimitStates()["x-mbx-used-weight-1m"]).toBeGreaterThan(0);
});

test("it reads book, trades, tickers and mark prices over the split streams, and its depth ids chain", async () => {
  const { socket, messages } = wsClient();
  await socket.subscribe(
    [
      "btcusdt@depth@0ms",
      "btcusdt@bookTicker",
      "btcusdt@trade",
      "btcusdt@aggTrade",
      "btcusdt@markPrice@1s",
      "ethusdt@depth@0ms",
    ],
    "usdm",
  );
  const of = (e: string, s = "BTCUSDT") => messages.filter((m) => m.e === e && m.s === s);
  const kinds = ["depthUpdate", "bookTicker", "trade", "aggTrade", "markPriceUpdate"];
  await until(
    "all streams",
    () => kinds.every((k) => of(k).length > 2) && of("depthUpdate", "ETHUSDT").length > 2,
  );
  const depth = of("depthUpdate");
  for (let i = 1; i < depth.length; i++) expect(depth[i].pu).toBe(depth[i - 1].u);
  expect(Math.abs(of("trade")[0].E - Date.now())).toBeLessThan(10_000);
});

test("it places, queries, modifies and cancels over REST", async () => {
  const book = await client.getOrderBook({ symbol: "BTCUSDT", limit: 5 });
  const price = Math.floor(Number(book.bids[0]![0]) * 0.98);
  const placed = await client.submitNewOrder({
    symbol: "BTCUSDT",
    side: "BUY",
    type: "LIMIT",
    timeInForce: "GTC",
    price,
    quantity: 0.005,
    newClientOrderId: id("rest1"),
  });
  expect(placed.status).toBe("NEW");
  const by = { symbol: "BTCUSDT", origClientOrderId: id("rest1") };
  expect((await client.getOrder(by)).origQty as unknown).toBe("0.005");
  const modified = await client.modifyOrder({
    ...by,
    side: "BUY",
    price: price - 10,
    quantity: 0.004,
  } as never);
  expect(modified.origQty as unknown).toBe("0.004");
  expect((await client.getAllOpenOrders({ symbol: "BTCUSDT" })).length).toBe(1);
  expect((await client.cancelOrder(by)).status).toBe("CANCELED");
  const refused = await client.cancelOrder(by).catch((e) => e);
  expect(refused.code).toBe(-2011);
});

test("its fills and position changes arrive on the user stream and agree with trades and positions", async () => {
  const { socket, messages } = wsClient();
  await socket.subscribeUsdFuturesUserDataStream();
  await until("the user socket", () => venue.core.users.count > 0);
  const placed = await client.submitNewOrder({
    symbol: "BTCUSDT",
    side: "BUY",
    type: "MARKET",
    quantity: 0.01,
    newClientOrderId: id("taker1"),
  });
  expect(placed.status).toBe("NEW");
  const reports = () => messages.filter((m) => m.e === "ORDER_TRADE_UPDATE" && m.o.c === id("taker1"));
  await until("the fill", () => reports().some((m) => m.o.X === "FILLED"));
  const trades = reports().filter((m) => m.o.x === "TRADE");
  expect(trades.reduce((sum, m) => sum + Number(m.o.l), 0)).toBeCloseTo(0.01, 9);
  expect(reports()[0].o.x).toBe("NEW");
  expect(messages.some((m) => m.e === "ACCOUNT_UPDATE" && m.a.P[0]?.pa === "0.010")).toBe(true);
  const history = await client.getAccountTrades({ symbol: "BTCUSDT" });
  expect(history.length).toBe(trades.length);
  expect((await client.getPositionsV3({ symbol: "BTCUSDT" }))[0]!.positionAmt as unknown).toBe("0.010");

  const bid = (await client.getOrderBook({ symbol: "BTCUSDT", limit: 5 })).asks[0]![0];
  await client
    .submitNewOrder({
      symbol: "BTCUSDT",
      side: "SELL",
      type: "LIMIT",
      timeInForce: "GTX",
      price: Number(bid) + 1,
      quantity: 0.01,
      newClientOrderId: id("maker1"),
    })
    .catch((e) => expect(e.code).toBe(-5022));
  await client.cancelAllOpenOrders({ symbol: "BTCUSDT" });
  await until("the maker order's end", () =>
    messages.some(
      (m) => m.e === "ORDER_TRADE_UPDATE" && m.o.c === id("maker1") && ["CANCELED", "FILLED"].includes(m.o.X),
    ),
  );
});

for (const [name, key, secret] of [
  ["HMAC", API_KEY, SECRET],
  ["Ed25519 session logon", ED_KEY, ED_PRIVATE_PEM],
] as const) {
  test(`it trades over the WS API (${name})`, async () => {
    const { socket } = wsClient(key, secret);
    // Only Ed25519 keys may log a session on; with HMAC each request is signed.
    if (key === API_KEY) socket.setAuthOnConnect(false).setAuthEveryRequest(true);
    const call = (method: string, params: Record<string, unknown>) =>
      socket.sendWSAPIRequest(
        "usdmWSAPI" as WsKey as never,
        method as never,
        params as never,
        // biome-ignore lint/suspicious/noExplicitAny: replies of many shapes
      ) as Promise<any>;
    const tag = id(`w${key.length}`);
    const order = {
      symbol: "ETHUSDT",
      side: "BUY",
      type: "LIMIT",
      timeInForce: "GTC",
      price: "2600.00",
      quantity: "0.100",
      newClientOrderId: tag,
      timestamp: Date.now(),
    };
    const placed = await call("order.place", order);
    expect(placed.result.status).toBe("NEW");
    expect(placed.rateLimits.length).toBe(3);
    const by = { symbol: "ETHUSDT", origClientOrderId: tag, timestamp: Date.now() };
    expect((await call("order.status", by)).result.executedQty).toBe("0.000");
    const change = { ...by, side: "BUY", price: "2601.00", quantity: "0.200" };
    expect((await call("order.modify", change)).result.price).toBe("2601.00");
    expect((await call("order.cancel", by)).result.status).toBe("CANCELED");
    expect((await call("account.balance", { timestamp: Date.now() })).result[0].asset).toBe("USDT");
    const error = await call("order.cancel", by).catch((e) => e);
    expect(error.error.code).toBe(-2011);
  });
}
