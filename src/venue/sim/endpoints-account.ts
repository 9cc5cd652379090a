// Account, positions, history, listen keys.
import type { AccountTrade } from "./account.ts";
import { accountReply, balanceRows, incomeText, positionRow, userTradeText } from "./account-text.ts";
import {
  type ApiError,
  BAD_LEVERAGE,
  BAD_LISTEN_KEY,
  BAD_SYMBOL,
  NO_NEED_TO_CHANGE_SIDE,
} from "./api-error.ts";
import { idNumber } from "./big-id.ts";
import type { Endpoint, VenueCore } from "./endpoint.ts";
import type { Outcome } from "./order-desk.ts";
import type { Params } from "./order-request.ts";
import { fixedText } from "./symbol-spec.ts";

const HISTORY_MOST = 1000;
const json = (x: unknown): Outcome => ({ text: JSON.stringify(x) });
const limitOf = (p: Params, usual: number): number =>
  Math.min(Math.max(1, Number(p["limit"] ?? usual) || usual), HISTORY_MOST);

function positions(core: VenueCore, p: Params, onlyOpen: boolean): Outcome {
  if (p["symbol"] && !core.desk.markets.has(p["symbol"])) return BAD_SYMBOL;
  const markets = [...core.desk.markets.values()].filter(
    (m) => !p["symbol"] || m.spec.symbol === p["symbol"],
  );
  const open = (symbol: string) =>
    core.account.position(symbol).qtyLots !== 0n || core.desk.store.openCount(symbol) > 0;
  const wanted = onlyOpen ? markets.filter((m) => open(m.spec.symbol)) : markets;
  return json(wanted.map((m) => positionRow(core.account, m)));
}

/** As the venue: from `fromId`, or from `startTime`, oldest first; else the latest. */
function userTrades(core: VenueCore, p: Params): Outcome {
  const market = core.desk.marketOf(p["symbol"]);
  if (!("spec" in market)) return market;
  const limit = limitOf(p, 500);
  let trades: readonly AccountTrade[] = core.account.tradesOf(market.spec.symbol);
  if (p["orderId"]) trades = trades.filter((t) => t.orderNumber === idNumber(p["orderId"]!));
  if (p["endTime"]) trades = trades.filter((t) => t.timeMs <= Number(p["endTime"]));
  if (p["fromId"]) {
    const from = Math.max(0, idNumber(p["fromId"]));
    trades = trades.filter((t) => t.tradeNumber >= from).slice(0, limit);
  } else if (p["startTime"]) {
    trades = trades.filter((t) => t.timeMs >= Number(p["startTime"])).slice(0, limit);
  }
  return {
    text: `[${trades
      .slice(-limit)
      .map((t) => userTradeText(market.spec, t))
      .join(",")}]`,
  };
}

/** As the venue: from `startTime`, oldest first; else the latest. */
function income(core: VenueCore, p: Params): Outcome {
  const rows = core.account
    .income()
    .filter((i) => !p["symbol"] || i.symbol === p["symbol"])
    .filter((i) => !p["incomeType"] || i.type === p["incomeType"])
    .filter((i) => !p["startTime"] || i.timeMs >= Number(p["startTime"]));
  const limit = limitOf(p, 100);
  const page = p["startTime"] ? rows.slice(0, limit) : rows.slice(-limit);
  return { text: `[${page.map(incomeText).join(",")}]` };
}

function setLeverage(core: VenueCore, p: Params): Outcome {
  const market = core.desk.marketOf(p["symbol"]);
  if (!("spec" in market)) return market;
  const leverage = Number(p["leverage"]);
  if (!Number.isInteger(leverage) || leverage < 1 || leverage > 125) return BAD_LEVERAGE;
  core.account.position(market.spec.symbol).leverage = leverage;
  core.journal.write("leverage", { s: market.spec.symbol, leverage });
  return json({ leverage, maxNotionalValue: "100000000", symbol: market.spec.symbol });
}

function symbolConfig(core: VenueCore, p: Params): Outcome {
  const rows = [...core.desk.markets.keys()]
    .filter((symbol) => !p["symbol"] || p["symbol"] === symbol)
    .map((symbol) => ({
      symbol,
      marginType: "CROSSED",
      isAutoAddMargin: false,
      leverage: core.account.position(symbol).leverage,
      maxNotionalValue: "100000000",
    }));
  return json(rows);
}

function commissionRate(core: VenueCore, p: Params): Outcome {
  const market = core.desk.marketOf(p["symbol"]);
  if (!("spec" in market)) return market;
  const { makerFeeE8, takerFeeE8 } = core.account.options;
  return json({
    symbol: market.spec.symbol,
    makerCommissionRate: fixedText(makerFeeE8, 8),
    takerCommissionRate: fixedText(takerFeeE8, 8),
  });
}

function keyReply(key: string | null): Outcome | ApiError {
  return key === null ? BAD_LISTEN_KEY : { text: `{"listenKey":"${key}"}` };
}

const balance = (core: VenueCore): Outcome => json(balanceRows(core.account, core.clock.nowMs()));
const account = (core: VenueCore): Outcome =>
  json(accountReply(core.account, core.desk.markets.values(), core.clock.nowMs()));

export const ACCOUNT_ENDPOINTS: readonly Endpoint[] = [
  {
    rest: "POST /fapi/v1/listenKey",
    ws: "userDataStream.start",
    security: "key",
    weight: 1,
    run: (core, _p, apiKey) => keyReply(core.users.create(apiKey)),
  },
  {
    rest: "PUT /fapi/v1/listenKey",
    ws: "userDataStream.ping",
    security: "key",
    weight: 1,
    run: (core, _p, apiKey) => keyReply(core.users.extend(apiKey)),
  },
  {
    rest: "DELETE /fapi/v1/listenKey",
    ws: "userDataStream.stop",
    security: "key",
    weight: 1,
    run: (core, _p, apiKey) => {
      core.users.remove(apiKey);
      return { text: "{}" };
    },
  },
  { rest: "GET /fapi/v2/balance", ws: "account.balance", security: "signed", weight: 5, run: balance },
  { rest: "GET /fapi/v3/balance", ws: "v2/account.balance", security: "signed", weight: 5, run: balance },
  { rest: "GET /fapi/v2/account", ws: "account.status", security: "signed", weight: 5, run: account },
  { rest: "GET /fapi/v3/account", ws: "v2/account.status", security: "signed", weight: 5, run: account },
  {
    rest: "GET /fapi/v2/positionRisk",
    ws: "account.position",
    security: "signed",
    weight: 5,
    run: (core, p) => positions(core, p, false),
  },
  {
    rest: "GET /fapi/v3/positionRisk",
    ws: "v2/account.position",
    security: "signed",
    weight: 5,
    run: (core, p) => positions(core, p, true),
  },
  { rest: "GET /fapi/v1/userTrades", ws: "myTrades", security: "signed", weight: 5, run: userTrades },
  { rest: "GET /fapi/v1/income", security: "signed", weight: 30, run: income },
  { rest: "POST /fapi/v1/leverage", security: "signed", weight: 1, run: setLeverage },
  { rest: "GET /fapi/v1/symbolConfig", security: "signed", weight: 5, run: symbolConfig },
  { rest: "GET /fapi/v1/commissionRate", security: "signed", weight: 20, run: commissionRate },
  {
    rest: "GET /fapi/v1/positionSide/dual",
    security: "signed",
    weight: 30,
    run: (core) => json({ dualSidePosition: core.mode.hedge }),
  },
  {
    // Only the one-way mode exists here: asking for it is the venue's "no need to change".
    rest: "POST /fapi/v1/positionSide/dual",
    security: "signed",
    weight: 1,
    run: () => NO_NEED_TO_CHANGE_SIDE,
  },
  {
    rest: "GET /fapi/v1/multiAssetsMargin",
    security: "signed",
    weight: 30,
    run: () => json({ multiAssetsMargin: false }),
  },
];
