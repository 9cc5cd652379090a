// Order entry and queries.
import { type ApiError, BAD_SYMBOL, errorText, illegal, isError, missing } from "./api-error.ts";
import type { Endpoint, VenueCore } from "./endpoint.ts";
import { orderReplyText, type VenueOrder } from "./order.ts";
import type { Outcome } from "./order-desk.ts";
import type { Params } from "./order-request.ts";

const BATCH_MOST = 5;
const CANCELS_MOST = 10;
const ORDERS_MOST = 1000;

const cancelAllText = (msg: string): Outcome => ({ text: `{"code":200,"msg":"${msg}"}` });

function orderTexts(core: VenueCore, orders: readonly VenueOrder[]): Outcome {
  const texts = orders.map((o) => orderReplyText(core.account.specs.get(o.symbol)!, o, false));
  return { text: `[${texts.join(",")}]` };
}

function openOrders(core: VenueCore, p: Params): Outcome {
  if (!p["symbol"]) return orderTexts(core, core.desk.store.allOpen());
  if (!core.desk.markets.has(p["symbol"])) return BAD_SYMBOL;
  return orderTexts(core, core.desk.store.open(p["symbol"]));
}

function allOrders(core: VenueCore, p: Params): Outcome {
  const market = core.desk.marketOf(p["symbol"]);
  if (!("spec" in market)) return market;
  const limit = Math.min(Number(p["limit"] ?? 500) || 500, ORDERS_MOST);
  return orderTexts(core, core.desk.store.all(p["symbol"]!).slice(-limit));
}

/** Array of parameter objects in a JSON parameter. */
function parseBatch(p: Params, name: string, most: number): Params[] | ApiError {
  if (!p[name]) return missing(name);
  try {
    const rows: unknown = JSON.parse(p[name]);
    if (!Array.isArray(rows) || rows.length === 0 || rows.length > most) return illegal(name);
    return rows.map((row) => {
      if (typeof row !== "object" || row === null) throw new TypeError("not an object");
      return Object.fromEntries(Object.entries(row).map(([k, v]) => [k, String(v)]));
    });
  } catch {
    return illegal(name);
  }
}

function batch(core: VenueCore, p: Params, one: (core: VenueCore, p: Params) => Outcome): Outcome {
  const rows = parseBatch(p, "batchOrders", BATCH_MOST);
  if (isError(rows)) return rows;
  return { text: `[${rows.map((row) => outcomeText(one(core, row))).join(",")}]` };
}

const outcomeText = (o: Outcome): string => (isError(o) ? errorText(o) : o.text);

function cancelBatch(core: VenueCore, p: Params): Outcome {
  const byId = p["orderIdList"] !== undefined;
  const text = p[byId ? "orderIdList" : "origClientOrderIdList"];
  if (!text) return missing("orderIdList");
  // Ids are above 2^53: they are taken as text, never through a number.
  const ids = text.match(byId ? /\d+/g : /[.A-Z:/a-z0-9_-]+/g) ?? [];
  if (ids.length === 0 || ids.length > CANCELS_MOST) return illegal("orderIdList");
  const symbol = p["symbol"] ?? "";
  const rows = ids.map((id) =>
    core.desk.cancel(byId ? { symbol, orderId: id } : { symbol, origClientOrderId: id }),
  );
  return { text: `[${rows.map(outcomeText).join(",")}]` };
}

function cancelAll(core: VenueCore, p: Params): Outcome {
  const market = core.desk.marketOf(p["symbol"]);
  if (!("spec" in market)) return market;
  core.desk.cancelAll(market.spec.symbol);
  return cancelAllText("The operation of cancel all open order is done.");
}

function countdown(core: VenueCore, p: Params): Outcome {
  const market = core.desk.marketOf(p["symbol"]);
  if (!("spec" in market)) return market;
  const text = p["countdownTime"];
  if (text === undefined || !/^\d{1,12}$/.test(text)) return missing("countdownTime");
  core.countdown.arm(market.spec.symbol, Number(text));
  return { text: `{"symbol":"${market.spec.symbol}","countdownTime":"${text}"}` };
}

const batchSize = (p: Params): number => (p["batchOrders"]?.match(/"symbol"/g) ?? []).length || 1;

export const TRADE_ENDPOINTS: readonly Endpoint[] = [
  {
    rest: "POST /fapi/v1/order",
    ws: "order.place",
    security: "signed",
    weight: 0,
    orders: 1,
    action: "place",
    run: (core, p) => core.desk.place(p),
  },
  {
    rest: "PUT /fapi/v1/order",
    ws: "order.modify",
    security: "signed",
    weight: 1,
    orders: 1,
    action: "modify",
    run: (core, p) => core.desk.modify(p),
  },
  {
    rest: "DELETE /fapi/v1/order",
    ws: "order.cancel",
    security: "signed",
    weight: 1,
    action: "cancel",
    run: (core, p) => core.desk.cancel(p),
  },
  {
    rest: "GET /fapi/v1/order",
    ws: "order.status",
    security: "signed",
    weight: 1,
    run: (core, p) => core.desk.query(p),
  },
  { rest: "GET /fapi/v1/openOrder", security: "signed", weight: 1, run: (core, p) => core.desk.query(p) },
  // The WS API of USD-M has no open orders, cancel-all and trades; here they answer under spot's names.
  {
    rest: "GET /fapi/v1/openOrders",
    ws: "openOrders.status",
    security: "signed",
    weight: (p) => (p["symbol"] ? 1 : 40),
    run: openOrders,
  },
  { rest: "GET /fapi/v1/allOrders", security: "signed", weight: 5, run: allOrders },
  {
    rest: "DELETE /fapi/v1/allOpenOrders",
    ws: "openOrders.cancelAll",
    security: "signed",
    weight: 1,
    action: "cancel",
    run: cancelAll,
  },
  {
    rest: "POST /fapi/v1/batchOrders",
    security: "signed",
    weight: 5,
    orders: batchSize,
    action: "place",
    run: (core, p) => batch(core, p, (c, row) => c.desk.place(row)),
  },
  {
    rest: "PUT /fapi/v1/batchOrders",
    security: "signed",
    weight: 5,
    orders: batchSize,
    action: "modify",
    run: (core, p) => batch(core, p, (c, row) => c.desk.modify(row)),
  },
  {
    rest: "DELETE /fapi/v1/batchOrders",
    security: "signed",
    weight: 1,
    action: "cancel",
    run: cancelBatch,
  },
  { rest: "POST /fapi/v1/countdownCancelAll", security: "signed", weight: 10, run: countdown },
  // Conditional orders live on endpoints of their own; this venue has none, and says so in the venue's words.
  { rest: "GET /fapi/v1/openAlgoOrders", security: "signed", weight: 1, run: () => ({ text: "[]" }) },
  {
    rest: "DELETE /fapi/v1/algoOpenOrders",
    security: "signed",
    weight: 1,
    run: () => cancelAllText("The operation of cancel all open order is done."),
  },
];
