// The venue's refusals: code, message and HTTP status as Binance USD-M gives them.

export interface ApiError {
  readonly code: number;
  readonly msg: string;
  readonly status: number;
  /** Seconds, for 429 and 418. */
  readonly retryAfterS?: number;
}

const refuse = (code: number, msg: string, status = 400): ApiError => ({ code, msg, status });

export const isError = (x: object): x is ApiError => "code" in x && "msg" in x && "status" in x;

export const missing = (name: string): ApiError =>
  refuse(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);
export const illegal = (name: string): ApiError =>
  refuse(-1100, `Illegal characters found in parameter '${name}'.`);

export const UNKNOWN_OUTCOME = refuse(
  -1007,
  "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
  408,
);
export const INTERNAL = refuse(-1000, "An unknown error occured while processing the request.", 500);
export const INVALID_MESSAGE = refuse(-1013, "Invalid message.");
export const TIMESTAMP_OUTSIDE = refuse(-1021, "Timestamp for this request is outside of the recvWindow.");
export const TIMESTAMP_AHEAD = refuse(
  -1021,
  "Timestamp for this request was 1000ms ahead of the server's time.",
);
export const BAD_SIGNATURE = refuse(-1022, "Signature for this request is not valid.");
export const NOT_FOUND = refuse(-1099, "Not found, unauthenticated, or unauthorized.", 404);
export const TOO_PRECISE = refuse(-1111, "Precision is over the maximum defined for this asset.");
export const BAD_TIF = refuse(-1115, "Invalid timeInForce.");
export const BAD_ORDER_TYPE = refuse(-1116, "Invalid orderType.");
export const BAD_SIDE = refuse(-1117, "Invalid side.");
export const BAD_SYMBOL = refuse(-1121, "Invalid symbol.");
export const BAD_LISTEN_KEY = refuse(-1125, "This listenKey does not exist.");
export const BAD_INTERVAL = refuse(-1130, "Data sent for parameter 'limit' is not valid.");
export const NEW_ORDER_REJECTED = refuse(-2010, "NEW_ORDER_REJECTED");
export const CANCEL_REJECTED = refuse(-2011, "Unknown order sent.");
export const SYMBOL_CLOSED = refuse(
  -4108,
  "This symbol is on delivering or delivered or settling or closed or pre-trading.",
);
export const NO_SUCH_ORDER = refuse(-2013, "Order does not exist.");
export const BAD_API_KEY_FORMAT = refuse(-2014, "API-key format invalid.", 401);
export const REJECTED_API_KEY = refuse(-2015, "Invalid API-key, IP, or permissions for action.", 401);
export const BALANCE_TOO_LOW = refuse(-2018, "Balance is insufficient.");
export const MARGIN_TOO_LOW = refuse(-2019, "Margin is insufficient.");
export const REDUCE_ONLY_REJECTED = refuse(-2022, "ReduceOnly Order is rejected.");
export const TOO_MANY_OPEN_ORDERS = refuse(-2025, "Reach max open order limit.");
export const PRICE_ABOVE_MAX = refuse(-4002, "Price greater than max price.");
export const QTY_NOT_POSITIVE = refuse(-4003, "Quantity less than or equal to zero.");
export const QTY_BELOW_MIN = refuse(-4004, "Quantity less than min quantity.");
export const QTY_ABOVE_MAX = refuse(-4005, "Quantity greater than max quantity.");
export const PRICE_BELOW_MIN = refuse(-4013, "Price less than min price.");
export const PRICE_OFF_TICK = refuse(-4014, "Price not increased by tick size.");
export const BAD_CLIENT_ID = refuse(-4015, "Client order id is not valid.");
export const priceAboveBand = (limit: string): ApiError =>
  refuse(-4016, `Limit price can't be higher than ${limit}.`);
export const priceBelowBand = (limit: string): ApiError =>
  refuse(-4024, `Limit price can't be lower than ${limit}.`);
export const QTY_OFF_STEP = refuse(-4023, "Qty not increased by step size.");
export const BAD_LEVERAGE = refuse(-4028, "Leverage is not valid.");
export const NO_NEED_TO_CHANGE_SIDE = refuse(-4059, "No need to change position side.");
export const WRONG_POSITION_SIDE = refuse(-4061, "Order's position side does not match user's setting.");
export const DUPLICATE_CLIENT_ID = refuse(-4116, "ClientOrderId is duplicated.");
export const MARKET_PRICE_BAND = refuse(
  -4131,
  "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
);
export const notionalTooSmall = (least: string): ApiError =>
  refuse(-4164, `Order's notional must be no smaller than ${least} (unless you choose reduce only).`);
export const FOK_REJECTED = refuse(
  -5021,
  "Due to the order could not be filled immediately, the FOK order has been rejected.",
);
export const GTX_REJECTED = refuse(
  -5022,
  "Due to the order could not be executed as maker, the Post Only order will be rejected.",
);
export const NO_NEED_TO_MODIFY = refuse(-5027, "No need to modify the order.");

export const tooManyRequests = (limit: number, retryAfterS: number): ApiError => ({
  code: -1003,
  msg: `Too many requests; current limit is ${limit} requests per minute. Please use the websocket for live updates to avoid polling the API.`,
  status: 429,
  retryAfterS,
});
export const banned = (untilMs: number, retryAfterS: number): ApiError => ({
  code: -1003,
  msg: `Way too many requests; IP banned until ${untilMs}. Please use the websocket for live updates to avoid bans.`,
  status: 418,
  retryAfterS,
});
export const tooManyOrders = (limit: number, interval: string, retryAfterS: number): ApiError => ({
  code: -1015,
  msg: `Too many new orders; current limit is ${limit} orders per ${interval}.`,
  status: 429,
  retryAfterS,
});

export const errorText = (e: ApiError): string => JSON.stringify({ code: e.code, msg: e.msg });
