// hftbacktest's numbers for order states, requests and results (types.rs, py order.py). They differ from
// src/wire/codes.ts on purpose: this folder reproduces that program.

export const STATUS_NONE = 0;
export const STATUS_NEW = 1;
export const STATUS_EXPIRED = 2;
export const STATUS_FILLED = 3;
export const STATUS_CANCELED = 4;
export const STATUS_PARTIALLY_FILLED = 5;
export const STATUS_REJECTED = 6;
export const STATUS_REPLACED = 7;

export const GTC = 0;
export const GTX = 1;
export const FOK = 2;
export const IOC = 3;

export const LIMIT = 0;
export const MARKET = 1;

export const BUY = 1;
export const SELL = -1;

export const RC_OK = 0;
export const RC_END_OF_DATA = 1;
export const RC_MARKET_FEED = 2;
export const RC_ORDER_RESPONSE = 3;
export const RC_ORDER_ID_EXIST = 10;
export const RC_ORDER_REQUEST_IN_PROCESS = 11;
export const RC_ORDER_NOT_FOUND = 12;
export const RC_INVALID_ORDER_REQUEST = 13;
export const RC_INVALID_ORDER_STATUS = 14;
export const RC_DATA_ERROR = 100;
