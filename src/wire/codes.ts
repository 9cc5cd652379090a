// Integer codes that records carry. Append-only, like the schema: a number never changes its meaning.
// Plain constants for hot code; the `…_NAMES` tables are for cold code (export, API, logs).

export const SIDE_BUY = 1;
/** Sides of orders and fills in u8 fields: 1 buy, 2 sell. Market records and arithmetic use +1 / −1. */
export const SIDE_SELL = 2;
export const SIDE_NAMES = ["none", "buy", "sell"] as const;

export const TIF_GTC = 0;
export const TIF_GTX = 1;
export const TIF_FOK = 2;
export const TIF_IOC = 3;
export const TIF_NAMES = ["gtc", "gtx", "fok", "ioc"] as const;

export const ORDER_TYPE_LIMIT = 0;
export const ORDER_TYPE_MARKET = 1;
export const ORDER_TYPE_NAMES = ["limit", "market"] as const;

export const ACTION_NONE = 0;
export const ACTION_PLACE = 1;
export const ACTION_CANCEL = 2;
export const ACTION_MODIFY = 3;
export const ACTION_CANCEL_ALL = 4;
export const ACTION_NAMES = ["none", "place", "cancel", "modify", "cancelAll"] as const;

/** Life cycle of an order; see docs/orders.md for the table of transitions. */
export const ORDER_NONE = 0;
export const ORDER_PENDING_NEW = 1;
export const ORDER_WORKING = 2;
export const ORDER_PARTIALLY_FILLED = 3;
export const ORDER_PENDING_CANCEL = 4;
export const ORDER_PENDING_MODIFY = 5;
export const ORDER_FILLED = 6;
export const ORDER_CANCELED = 7;
export const ORDER_EXPIRED = 8;
export const ORDER_REJECTED = 9;
/** The outcome of a request is not known: the order stays in flight until it is proven. */
export const ORDER_UNKNOWN = 10;
export const ORDER_STATE_NAMES = [
  "none",
  "pendingNew",
  "working",
  "partiallyFilled",
  "pendingCancel",
  "pendingModify",
  "filled",
  "canceled",
  "expired",
  "rejected",
  "unknown",
] as const;

/** What an OrderReport says happened. */
export const EXEC_NEW = 1;
export const EXEC_TRADE = 2;
export const EXEC_CANCELED = 3;
export const EXEC_EXPIRED = 4;
export const EXEC_REJECTED = 5;
export const EXEC_AMENDED = 6;
export const EXEC_CANCEL_REJECTED = 7;
export const EXEC_MODIFY_REJECTED = 8;
/** Time-out, 5xx, -1006, -1007 or a lost connection: not a failure, not a success. */
export const EXEC_UNKNOWN = 9;
/** Answer to a query: `orderState` and `cumQtyLots` are what the venue holds. */
export const EXEC_STATUS = 10;
export const EXEC_TYPE_NAMES = [
  "none",
  "new",
  "trade",
  "canceled",
  "expired",
  "rejected",
  "amended",
  "cancelRejected",
  "modifyRejected",
  "unknown",
  "status",
] as const;

export const SOURCE_USER_STREAM = 0;
export const SOURCE_REPLY = 1;
export const SOURCE_QUERY = 2;
export const SOURCE_LOCAL = 3;
export const SOURCE_NAMES = ["userStream", "reply", "query", "local"] as const;

export const FEED_CONNECTING = 0;
export const FEED_RESYNCING = 1;
export const FEED_SYNCED = 2;
export const FEED_STALE = 3;
export const FEED_STATE_NAMES = ["connecting", "resyncing", "synced", "stale"] as const;

export const FEED_REASON_NONE = 0;
export const FEED_REASON_GAP = 1;
export const FEED_REASON_DISCONNECTED = 2;
export const FEED_REASON_HEARTBEAT = 3;
export const FEED_REASON_MALFORMED = 4;
export const FEED_REASON_OVERFLOW = 5;
export const FEED_REASON_SNAPSHOT = 6;
export const FEED_REASON_CROSSED = 7;
export const FEED_REASON_NAMES = [
  "none",
  "gap",
  "disconnected",
  "heartbeat",
  "malformed",
  "overflow",
  "snapshot",
  "crossed",
] as const;

export const STRATEGY_STARTING = 0;
export const STRATEGY_RUNNING = 1;
export const STRATEGY_PAUSED = 2;
export const STRATEGY_STOPPING = 3;
export const STRATEGY_STOPPED = 4;
export const STRATEGY_ERROR = 5;
export const STRATEGY_STATE_NAMES = [
  "Starting",
  "Running",
  "Paused",
  "Stopping",
  "Stopped",
  "Error",
] as const;

/** Deny codes of the gate, in the order of its checks (DESIGN 7). Documented in docs/risk.md. */
export const DENY_NONE = 0;
export const DENY_KILLED = 1;
export const DENY_STRATEGY_STATE = 2;
export const DENY_NOT_RECONCILED = 3;
export const DENY_BOOK_NOT_SYNCED = 4;
export const DENY_BOOK_STALE = 5;
export const DENY_NOT_TRADING = 6;
export const DENY_PRICE_RULE = 7;
export const DENY_LOT_RULE = 8;
export const DENY_MIN_NOTIONAL = 9;
export const DENY_ORDER_QTY = 10;
export const DENY_NOTIONAL = 11;
export const DENY_POSITION_STRATEGY = 12;
export const DENY_POSITION_INSTRUMENT = 13;
export const DENY_POSITION_ACCOUNT = 14;
export const DENY_MARGIN = 15;
export const DENY_PRICE_BAND = 16;
export const DENY_SELF_MATCH = 17;
export const DENY_RATE = 18;
export const DENY_WORKING_ORDERS = 19;
export const DENY_DAILY_LOSS = 20;
export const DENY_DRAWDOWN = 21;
export const DENY_STORM = 22;
export const DENY_BREAKER = 23;
export const DENY_GATEWAY = 24;
export const DENY_JOURNAL_FULL = 26;
export const DENY_EMERGENCY = 27;
/** The process did not run for a while: what it holds of the market is old until the hold is over. */
export const DENY_SUSPENDED = 28;
/** The venue's dead-man's switch is not armed: nothing would end our orders if we died. */
export const DENY_DEAD_MAN = 29;
export const DENY_NAMES = [
  "none",
  "killed",
  "strategyState",
  "notReconciled",
  "bookNotSynced",
  "bookStale",
  "notTrading",
  "priceRule",
  "lotRule",
  "minNotional",
  "orderQty",
  "notional",
  "positionStrategy",
  "positionInstrument",
  "positionAccount",
  "margin",
  "priceBand",
  "selfMatch",
  "rate",
  "workingOrders",
  "dailyLoss",
  "drawdown",
  "storm",
  "breaker",
  "gateway",
  // 25: not used.
  "",
  "journalFull",
  "emergency",
  "suspended",
  "deadMan",
] as const;

export const CONTROL_PAUSE = 1;
export const CONTROL_RESUME = 2;
export const CONTROL_STOP = 3;
/** target strategy, arg0 parameter index, arg1 value. */
export const CONTROL_SET_PARAMETER = 4;
/** target strategy, arg0 limit index, arg1 value. */
export const CONTROL_SET_LIMIT = 5;
export const CONTROL_CANCEL_ALL = 6;
/** Stop quoting, cancel everything, confirm, report: the end of a session. */
export const CONTROL_SHUTDOWN = 7;
export const CONTROL_REARM = 8;
/** In an emergency: closes all positions by reduce-only orders of the controller; answered when all are flat. */
export const CONTROL_CLOSE_POSITIONS = 9;
export const CONTROL_NAMES = [
  "none",
  "pause",
  "resume",
  "stop",
  "setParameter",
  "setLimit",
  "cancelAll",
  "shutdown",
  "rearm",
  "closePositions",
] as const;

export const OBSERVED_KILL_WORD = 1;
export const OBSERVED_RATE_BUDGET = 2;
/** The gateway refused a request: value0 = SEND_… code, value1 = action, value2 = clientSeq. */
export const OBSERVED_SEND_REFUSED = 3;
/** The kill word as the gate's last look found it, when not armed: value0 = KILL_…. */
export const OBSERVED_KILL_AT_SEND = 4;
/** The lane did not run for a while (SIGSTOP, suspended machine, a callback that hung): value0 = the gap, ns. */
export const OBSERVED_SUSPENSION = 5;
/** The venue's dead-man's switch: value0 = 1 armed, 0 not. */
export const OBSERVED_DEAD_MAN = 6;
export const OBSERVED_NAMES = [
  "none",
  "killWord",
  "rateBudget",
  "sendRefused",
  "killAtSend",
  "suspension",
  "deadMan",
] as const;

/** The account's day: value0 = result at its start, value1 = peak (1e-8 of the settlement asset), value2 = LOSS_…. */
export const RISK_STATE_DAY = 1;
/** A strategy's day: value0 = result at its start, value1 = 1 once it passed its daily loss. */
export const RISK_STATE_STRATEGY_DAY = 2;
/** A storm transition: value0 = STORM_… now, value1 = before, value2 = the lag that called for it, ns. */
export const RISK_STATE_STORM = 3;
/** An edge of the reject breaker: value0 = 1 open, 0 closed; value1 = open until, session ns; value2 = trips. */
export const RISK_STATE_BREAKER = 4;
/** Funding of (strategy, instrument), 1e-8 tick·lots, two limbs: value0 = hi, value1 = lo. */
export const RISK_STATE_FUNDING = 5;
/** Fees of a strategy in asset `index`, 1e-8 of it, two limbs: value0 = hi, value1 = lo. */
export const RISK_STATE_OTHER_FEES = 6;
/** Funding that the venue gave no instrument for, 1e-8 of the settlement asset: value0 = hi, value1 = lo. */
export const RISK_STATE_UNASSIGNED_FUNDING = 7;
export const RISK_STATE_NAMES = [
  "none",
  "day",
  "strategyDay",
  "storm",
  "breaker",
  "funding",
  "otherFees",
  "unassignedFunding",
] as const;

/** Values of the kill word (`<data-dir>/kill`). */
export const KILL_ARMED = 0;
export const KILL_KILLED = 1;
export const KILL_EMERGENCY = 2;

export const LOG_TRACE = 10;
export const LOG_DEBUG = 20;
export const LOG_INFO = 30;
export const LOG_WARN = 40;
export const LOG_ERROR = 50;
export const LOG_FATAL = 60;
