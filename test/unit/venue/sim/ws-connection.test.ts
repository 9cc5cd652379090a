import { expect, test } from "bun:test";
import { parseStream, routeServes } from "../../../../src/venue/sim/stream-hub.ts";
import { parseFrame } from "../../../../src/venue/sim/ws-api.ts";
import { parseConnection } from "../../../../src/venue/sim/ws-connection.ts";

const KEY = "a1".repeat(32);
const parse = (path: string) => parseConnection(new URL(`ws://127.0.0.1${path}`), 1);

test("every documented URL form is understood, others are not WebSocket paths", () => {
  expect(parse("/public/ws/btcusdt@depth@0ms/btcusdt@bookTicker")).toMatchObject({
    route: "public",
    form: "raw",
    initial: ["btcusdt@depth@0ms", "btcusdt@bookTicker"],
    listenKey: "",
  });
  expect(parse("/market/stream?streams=btcusdt@trade/ethusdt@aggTrade")).toMatchObject({
    route: "market",
    form: "combined",
    initial: ["btcusdt@trade", "ethusdt@aggTrade"],
  });
  expect(parse("/private/ws?listenKey=k1&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE")).toMatchObject({
    route: "private",
    listenKey: "k1",
    events: new Set(["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]),
  });
  expect(parse(`/private/ws/${KEY}`)).toMatchObject({
    route: "private",
    form: "raw",
    listenKey: KEY,
    events: null,
  });
  expect(parse(`/private/stream?streams=${KEY}`)).toMatchObject({ form: "combined", listenKey: KEY });
  expect(parse(`/ws/${KEY}`)).toMatchObject({ route: "legacy", listenKey: KEY });
  expect(parse("/stream")).toMatchObject({ route: "legacy", form: "combined", initial: [] });
  expect(parse("/ws-fapi/v1?returnRateLimits=false")).toMatchObject({ route: "api", showRateLimits: false });
  expect([parse("/"), parse("/wsx"), parse("/public"), parse("/public/other")]).toEqual([
    null,
    null,
    null,
    null,
  ]);
});

test("routes serve their own streams only; the un-routed URL serves all", () => {
  const kind = (name: string) => parseStream(name)!.kind;
  for (const [name, route] of [
    ["btcusdt@depth@100ms", "public"],
    ["btcusdt@bookTicker", "public"],
    ["btcusdt@trade", "market"],
    ["btcusdt@markPrice@1s", "market"],
  ] as const) {
    expect(routeServes(route, kind(name))).toBe(true);
    expect(routeServes(route === "public" ? "market" : "public", kind(name))).toBe(false);
    expect(routeServes("legacy", kind(name))).toBe(true);
  }
  expect([parseStream("btcusdt@depth@7ms"), parseStream("BTCUSDT@trade"), parseStream("")]).toEqual([
    null,
    null,
    null,
  ]);
});

test("a request's numbers keep their text: ids above 2^53 survive", () => {
  const frame = parseFrame(
    '{"id":5,"method":"order.cancel","params":{"orderId":9100000000000000001,"price":10.50,"reduceOnly":true,"x":null}}',
  );
  expect(frame).toEqual({
    idText: "5",
    method: "order.cancel",
    params: { orderId: "9100000000000000001", price: "10.50", reduceOnly: "true" },
  });
  expect(parseFrame('{"id":"q\\"1","method":"time"}')!.idText).toBe('"q\\"1"');
  expect([parseFrame("[]"), parseFrame("null"), parseFrame("{")]).toEqual([null, null, null]);
});
