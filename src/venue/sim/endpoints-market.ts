// Public endpoints: time, rules, book, mark price.
import { BAD_INTERVAL, BAD_SYMBOL } from "./api-error.ts";
import type { Endpoint, VenueCore } from "./endpoint.ts";
import type { Outcome } from "./order-desk.ts";
import type { Params } from "./order-request.ts";
import type { SymbolMarket } from "./symbol-market.ts";
import { e8Text, markText, pxText, qtyText, symbolInfo } from "./symbol-spec.ts";

const DEPTH_WEIGHTS: Readonly<Record<string, number>> = {
  "5": 2,
  "10": 2,
  "20": 2,
  "50": 2,
  "100": 5,
  "500": 10,
  "1000": 20,
};

/** Runs `one` for the given symbol, or for all as an array when none is given. */
function perSymbol(core: VenueCore, p: Params, one: (m: SymbolMarket) => string): Outcome {
  if (!p["symbol"]) return { text: `[${[...core.desk.markets.values()].map(one).join(",")}]` };
  const market = core.desk.markets.get(p["symbol"]);
  return market === undefined ? BAD_SYMBOL : { text: one(market) };
}

/** Snapshot of the market's book, best first; `limit` levels a side, 0 = all. */
export function depthText(market: SymbolMarket, limit: number, nowMs: number): string {
  const side = (s: number) => {
    const { book, spec } = market;
    const count = limit === 0 ? book.levelCount(s) : Math.min(limit, book.levelCount(s));
    const rows: string[] = [];
    for (let rank = 0; rank < count; rank++)
      rows.push(`["${pxText(spec, book.pxAtRank(s, rank))}","${qtyText(spec, book.qtyAtRank(s, rank))}"]`);
    return `[${rows.join(",")}]`;
  };
  return `{"lastUpdateId":${market.lastUpdateId},"E":${nowMs},"T":${nowMs},"bids":${side(1)},"asks":${side(-1)}}`;
}

function depth(core: VenueCore, p: Params): Outcome {
  const market = core.desk.marketOf(p["symbol"]);
  if (!("spec" in market)) return market;
  const limit = p["limit"] ?? "500";
  if (DEPTH_WEIGHTS[limit] === undefined) return BAD_INTERVAL;
  return { text: depthText(market, Number(limit), core.clock.nowMs()) };
}

function exchangeInfo(core: VenueCore): Outcome {
  const o = core.limits.options;
  const info = {
    timezone: "UTC",
    serverTime: core.clock.nowMs(),
    futuresType: "U_MARGINED",
    rateLimits: [
      { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: o.weightPerMinute },
      { rateLimitType: "ORDERS", interval: "MINUTE", intervalNum: 1, limit: o.ordersPerMinute },
      { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: o.ordersPer10s },
    ],
    exchangeFilters: [],
    assets: [{ asset: "USDT", marginAvailable: true, autoAssetExchange: "-10000" }],
    symbols: [...core.desk.markets.values()].map((m) => symbolInfo(m.spec)),
  };
  return { text: JSON.stringify(info) };
}

export function markPriceText(core: VenueCore, market: SymbolMarket): string {
  const mark = markText(market.spec, market.markTicksE8());
  return (
    `{"symbol":"${market.spec.symbol}","markPrice":"${mark}","indexPrice":"${mark}","estimatedSettlePrice":"${mark}",` +
    `"lastFundingRate":"${e8Text(core.funding.options.rateE8)}","interestRate":"0.00010000",` +
    `"nextFundingTime":${core.funding.nextMs},"time":${core.clock.nowMs()}}`
  );
}

/** The markPrice stream's message. */
export function markPriceUpdateText(core: VenueCore, market: SymbolMarket): string {
  const mark = markText(market.spec, market.markTicksE8());
  return (
    `{"e":"markPriceUpdate","E":${core.clock.nowMs()},"s":"${market.spec.symbol}","p":"${mark}","ap":"${mark}","P":"${mark}",` +
    `"i":"${mark}","r":"${e8Text(core.funding.options.rateE8)}","T":${core.funding.nextMs}}`
  );
}

function touchText(market: SymbolMarket, nowMs: number): string {
  const { book, spec } = market;
  const bid = book.bestTicks(1);
  const ask = book.bestTicks(-1);
  return (
    `{"symbol":"${spec.symbol}","bidPrice":"${pxText(spec, bid || 0)}","bidQty":"${qtyText(spec, book.qtyAt(1, bid))}",` +
    `"askPrice":"${pxText(spec, ask || 0)}","askQty":"${qtyText(spec, book.qtyAt(-1, ask))}",` +
    `"time":${nowMs},"lastUpdateId":${market.lastUpdateId}}`
  );
}

export const MARKET_ENDPOINTS: readonly Endpoint[] = [
  { rest: "GET /fapi/v1/ping", ws: "ping", security: "public", weight: 1, run: () => ({ text: "{}" }) },
  {
    rest: "GET /fapi/v1/time",
    ws: "time",
    security: "public",
    weight: 1,
    run: (core) => ({ text: `{"serverTime":${core.clock.nowMs()}}` }),
  },
  { rest: "GET /fapi/v1/exchangeInfo", security: "public", weight: 1, run: exchangeInfo },
  {
    rest: "GET /fapi/v1/depth",
    ws: "depth",
    security: "public",
    weight: (p) => DEPTH_WEIGHTS[p["limit"] ?? "500"] ?? 1,
    run: depth,
  },
  {
    rest: "GET /fapi/v1/premiumIndex",
    security: "public",
    weight: 1,
    run: (core, p) => perSymbol(core, p, (m) => markPriceText(core, m)),
  },
  {
    rest: "GET /fapi/v1/ticker/bookTicker",
    ws: "ticker.book",
    security: "public",
    weight: 2,
    run: (core, p) => perSymbol(core, p, (m) => touchText(m, core.clock.nowMs())),
  },
  {
    rest: "GET /fapi/v1/ticker/price",
    ws: "ticker.price",
    security: "public",
    weight: 1,
    run: (core, p) =>
      perSymbol(core, p, (m) => {
        const price = markText(m.spec, m.markTicksE8());
        return `{"symbol":"${m.spec.symbol}","price":"${price}","time":${core.clock.nowMs()}}`;
      }),
  },
];
