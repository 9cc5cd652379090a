// Every table of the store, declared once as data: DDL, encoders, jsonl and the documentation read it. The first
// columns of orders, positions and fills are those of requirements document 1, section 2.2, with its types, index,
// partitioning and order; what follows extends them and nothing is narrowed. Append-only: a column is added at the
// end, by a migration.
//
// Decimals are exact; price_ticks and qty_lots hold the integers that the runtime works with. Times are UTC with
// nanoseconds; 1970-01-01 = not known. Every row carries the session and the WAL position it came from, which
// identify it.

export interface ColumnSpec {
  readonly name: string;
  /** ClickHouse type. */
  readonly type: string;
  /** Compression, chosen by `bun bench/codecs.ts`; "" = the server's default. */
  readonly codec: string;
  readonly doc: string;
}

export interface TableSpec {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly ColumnSpec[];
  /** Column of the day partition. */
  readonly partitionBy: string;
  readonly orderBy: readonly string[];
  readonly indices: readonly string[];
  /** Market data has a time to live of its own. */
  readonly ttl: "market" | "records";
}

const column = (name: string, type: string, doc: string, codec = ""): ColumnSpec => ({
  name,
  type,
  codec,
  doc,
});

export const TIME = "DateTime64(9, 'UTC')";
export const PRICE = "Decimal(18, 8)";
export const MONEY = "Decimal(38, 18)";

const enum8 = (members: Readonly<Record<string, number>>): string =>
  `Enum8(${Object.entries(members)
    .map(([name, value]) => `'${name}' = ${value}`)
    .join(", ")})`;

export const SIDE_ENUM = { None: 0, Buy: 1, Sell: -1 } as const;
/** Numbers of hftbacktest's Status where it has the state. */
export const STATUS_ENUM = {
  None: 0,
  New: 1,
  Expired: 2,
  Filled: 3,
  Canceled: 4,
  PartiallyFilled: 5,
  Rejected: 6,
  PendingNew: 8,
  PendingCancel: 9,
  PendingReplace: 10,
  Unknown: 11,
} as const;
export const ORDER_EVENT_ENUM = {
  PlaceSent: 1,
  CancelSent: 2,
  ReplaceSent: 3,
  New: 4,
  Trade: 5,
  Canceled: 6,
  Expired: 7,
  Rejected: 8,
  Replaced: 9,
  CancelRejected: 10,
  ReplaceRejected: 11,
  Unknown: 12,
  Status: 13,
  Fill: 14,
} as const;
export const TIF_ENUM = { GTC: 0, GTX: 1, FOK: 2, IOC: 3 } as const;
export const ORDER_TYPE_ENUM = { Limit: 0, Market: 1 } as const;
export const SOURCE_ENUM = { UserStream: 0, Reply: 1, Query: 2, Local: 3, Request: 4 } as const;
export const POSITION_CAUSE_ENUM = { Change: 1, Interval: 2, Venue: 3 } as const;
export const MARKET_KIND_ENUM = { Depth: 1, Clear: 2, SnapshotLevel: 3, Trade: 4, Bbo: 5, Mark: 6 } as const;

const SIDE = enum8(SIDE_ENUM);
const STATUS = enum8(STATUS_ENUM);
const TEXT = "ZSTD(1)";
/** Rows of one order repeat most of each other: plain ZSTD finds that, differences hide it. */
const CLOCK = TEXT;
const NUMBER = TEXT;
/** 8-byte numbers that move a little from row to row. */
const STEP = "Delta(8), ZSTD(1)";

const origin = [
  column("session", "LowCardinality(String)", "session that wrote the record", TEXT),
  column(
    "wal_position",
    "UInt64",
    "position of the record in that data directory's WAL",
    "Delta(8), ZSTD(1)",
  ),
] as const;

const orders: TableSpec = {
  name: "orders",
  doc: "One row per transition of an order; orders_latest shows each order as it is now.",
  columns: [
    column(
      "order_id",
      "UInt64",
      "one per order: client counter and session; orders of others: the venue's id",
      NUMBER,
    ),
    column("symbol", "String", "venue symbol", TEXT),
    column("side", SIDE, ""),
    column("price", PRICE, "limit price", NUMBER),
    column("qty", PRICE, "ordered quantity", NUMBER),
    column("status", STATUS, "after the transition"),
    column("create_time", TIME, "when the place request left", CLOCK),
    column("update_time", TIME, "when the transition was seen here", CLOCK),
    column("exch_time", TIME, "the venue's time of the transition", CLOCK),
    column("leaves_qty", PRICE, "quantity still open", NUMBER),
    column("exec_qty", PRICE, "quantity executed so far", NUMBER),
    column("exec_price", PRICE, "price of the last execution, 0 = none", NUMBER),
    column(
      "latency_ns",
      "Int64",
      "request sent → this answer received; 0 = not an answer to a request",
      NUMBER,
    ),
    column("strategy_id", "String", "strategy name; house = the account itself", TEXT),
    column("prev_status", STATUS, "before the transition"),
    column("event", enum8(ORDER_EVENT_ENUM), "what happened"),
    column("source", enum8(SOURCE_ENUM), "how it became known"),
    column("tif", enum8(TIF_ENUM), ""),
    column("order_type", enum8(ORDER_TYPE_ENUM), ""),
    column("reduce_only", "Bool", ""),
    column("recovered", "Bool", "from the venue's history, not seen live"),
    column("trigger_time", TIME, "receipt of the record that led to the last request", CLOCK),
    column("strategy_time", TIME, "last request: decided by the strategy", CLOCK),
    column("risk_time", TIME, "last request: passed by the risk gate", CLOCK),
    column("wire_time", TIME, "last request: handed to the socket", CLOCK),
    column("ack_time", TIME, "first proof that the venue holds the order, received here", CLOCK),
    column("mid_decision", PRICE, "mid at the last decision, 0 = not known", NUMBER),
    column("reject_code", "Int32", "the venue's error code, 0 = none", NUMBER),
    column("price_ticks", "Int64", "price in ticks", NUMBER),
    column("qty_lots", "Int64", "quantity in lots", NUMBER),
    column("venue_order_id", "UInt64", "0 = not known yet", NUMBER),
    column("client_order_id", "String", "as sent to the venue", TEXT),
    column("venue", "LowCardinality(String)", "", TEXT),
    ...origin,
    column(
      "event_time",
      TIME,
      "the venue's time of the market event that led to the last request; 1970 = a timer or a report did",
      CLOCK,
    ),
  ],
  partitionBy: "create_time",
  orderBy: ["symbol", "create_time", "order_id", "wal_position"],
  indices: ["INDEX idx_symbol (symbol) TYPE bloom_filter GRANULARITY 4"],
  ttl: "records",
};

const positions: TableSpec = {
  name: "positions",
  doc: "Position and results per strategy and symbol, at each change and at an interval.",
  columns: [
    column("timestamp", TIME, "when it was so", CLOCK),
    column("symbol", "String", "", TEXT),
    column("position", PRICE, "signed quantity", NUMBER),
    column("avg_price", PRICE, "average entry price, 0 = flat; rounded to 8 decimals", NUMBER),
    column("unrealized_pnl", PRICE, "against mark_price, settlement currency", NUMBER),
    column(
      "realized_pnl",
      PRICE,
      "before fees and funding; rounded when the instrument needs more decimals",
      NUMBER,
    ),
    column("strategy_id", "String", "house = the account itself", TEXT),
    column("cause", enum8(POSITION_CAUSE_ENUM), "Venue = the net position as the venue states it"),
    column("fees", MONEY, "paid so far, settlement currency", TEXT),
    column("funding", MONEY, "received − paid so far", TEXT),
    column("realized", MONEY, "realized_pnl with every decimal", TEXT),
    column("mark_price", PRICE, "0 = not known", NUMBER),
    column("position_lots", "Int64", "position in lots", NUMBER),
    column("currency", "LowCardinality(String)", "settlement currency of the results", TEXT),
    column("venue", "LowCardinality(String)", "", TEXT),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["symbol", "timestamp", "strategy_id", "wal_position"],
  indices: [],
  ttl: "records",
};

const fills: TableSpec = {
  name: "fills",
  doc: "One row per execution of an own order; (symbol, fill_id) is unique.",
  columns: [
    column("fill_id", "UInt64", "the venue's trade id", NUMBER),
    column("order_id", "UInt64", "orders.order_id", NUMBER),
    column("symbol", "String", "", TEXT),
    column("side", SIDE, ""),
    column("price", PRICE, "", NUMBER),
    column("qty", PRICE, "", NUMBER),
    column("fee", PRICE, "of fee_asset; + paid, − rebate", NUMBER),
    column("is_maker", "Bool", ""),
    column("exch_time", TIME, "the venue's time of the trade", CLOCK),
    column("local_time", TIME, "when it was received", CLOCK),
    column(
      "slippage_bps",
      "Decimal(18, 4)",
      "against mid_decision (mid_fill without one); + = worse",
      NUMBER,
    ),
    column("strategy_id", "String", "", TEXT),
    column("mid_decision", PRICE, "mid at the order's last decision, 0 = not known", NUMBER),
    column("mid_fill", PRICE, "last mid before the venue's time of the trade, 0 = not known", NUMBER),
    column("order_time", TIME, "when the place request left", CLOCK),
    column("order_price", PRICE, "limit price of the order, 0 = not known", NUMBER),
    column("fee_asset", "LowCardinality(String)", "", TEXT),
    column("recovered", "Bool", "from the venue's history, not seen live"),
    column("price_ticks", "Int64", "", NUMBER),
    column("qty_lots", "Int64", "", NUMBER),
    column("venue_order_id", "UInt64", "", NUMBER),
    column("client_order_id", "String", "empty = not an order of hotlane", TEXT),
    column("venue", "LowCardinality(String)", "", TEXT),
    ...origin,
  ],
  partitionBy: "exch_time",
  orderBy: ["symbol", "exch_time", "fill_id"],
  indices: ["INDEX idx_order (order_id) TYPE bloom_filter GRANULARITY 4"],
  ttl: "records",
};

const marketData: TableSpec = {
  name: "market_data",
  doc: "Depth levels, trades, best bid and offer, mark prices; which of them: recorder.market_data.",
  columns: [
    column("exch_time", TIME, "the venue's time", STEP),
    column("local_time", TIME, "receipt", STEP),
    column("symbol", "LowCardinality(String)", "", TEXT),
    column("kind", enum8(MARKET_KIND_ENUM), ""),
    column("side", SIDE, "Depth: side of the level; Trade: the aggressor; Bbo: None"),
    column("price", PRICE, "level or trade; Bbo: bid; Mark: mark price; 0 = empty side", STEP),
    column("qty", PRICE, "level (0 deletes) or trade; Bbo: bid quantity", STEP),
    column("ask_price", PRICE, "Bbo: ask; Mark: index price", STEP),
    column("ask_qty", PRICE, "Bbo: ask quantity; Mark: funding rate", STEP),
    column("venue_id", "UInt64", "Depth: final update id; Trade: trade id", STEP),
    column("venue", "LowCardinality(String)", "", TEXT),
    ...origin,
  ],
  partitionBy: "local_time",
  orderBy: ["symbol", "local_time", "wal_position"],
  indices: [],
  ttl: "market",
};

const riskLog: TableSpec = {
  name: "risk_log",
  doc: "Requests that the risk gate refused.",
  columns: [
    column("timestamp", TIME, "", CLOCK),
    column("symbol", "String", "", TEXT),
    column("strategy_id", "String", "", TEXT),
    column("deny_code", "UInt16", "docs/risk.md", NUMBER),
    column("deny_reason", "LowCardinality(String)", "name of the code", TEXT),
    column("action", "LowCardinality(String)", "place or modify", TEXT),
    column("side", SIDE, ""),
    column("price", PRICE, "", NUMBER),
    column("qty", PRICE, "", NUMBER),
    column("observed", "Float64", "the value that broke the limit; its unit by code: docs/risk.md", TEXT),
    column("venue", "LowCardinality(String)", "", TEXT),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["strategy_id", "timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

const STRATEGY_STATE = enum8({ Starting: 0, Running: 1, Paused: 2, Stopping: 3, Stopped: 4, Error: 5 });

const strategyStatus: TableSpec = {
  name: "strategy_status",
  doc: "Changes of state of the strategies.",
  columns: [
    column("timestamp", TIME, "", CLOCK),
    column("strategy_id", "String", "", TEXT),
    column("state", STRATEGY_STATE, ""),
    column("prev_state", STRATEGY_STATE, ""),
    column("reason", "LowCardinality(String)", "what caused it", TEXT),
    column("working_orders", "UInt32", "", NUMBER),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["strategy_id", "timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

const feedStatus: TableSpec = {
  name: "feed_status",
  doc: "Changes of state of the market-data feeds and of the account stream (symbol empty).",
  columns: [
    column("timestamp", TIME, "", CLOCK),
    column("symbol", "String", "empty = the account's stream", TEXT),
    column("state", enum8({ Connecting: 0, Resyncing: 1, Synced: 2, Stale: 3 }), ""),
    column("reason", "LowCardinality(String)", "", TEXT),
    column("gaps", "UInt32", "so far", NUMBER),
    column("resyncs", "UInt32", "so far", NUMBER),
    column("lag_ns", "Int64", "receipt − venue's time; 0 = not known", NUMBER),
    column("venue", "LowCardinality(String)", "", TEXT),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["symbol", "timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

const latency: TableSpec = {
  name: "latency",
  doc: "The lanes' latency histograms: what each bucket gained since the snapshot before.",
  columns: [
    column("timestamp", TIME, "end of the interval", STEP),
    column("lane", "LowCardinality(String)", "", TEXT),
    column("stage", "LowCardinality(String)", "decode, hop, book, graph, tickToOrder, strategy, …", TEXT),
    column("bucket_low_ns", "UInt64", "inclusive", STEP),
    column("bucket_high_ns", "UInt64", "exclusive", STEP),
    column("count", "UInt64", "", STEP),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["stage", "lane", "timestamp", "bucket_low_ns"],
  indices: [],
  ttl: "records",
};

const account: TableSpec = {
  name: "account",
  doc: "What the venue booked to the account: wallet balances and funding payments.",
  columns: [
    column("timestamp", TIME, "receipt", STEP),
    column("exch_time", TIME, "", STEP),
    column("kind", enum8({ Balance: 1, Funding: 2 }), ""),
    column("symbol", "String", "funding of one instrument; empty = the whole account", TEXT),
    column("asset", "LowCardinality(String)", "", TEXT),
    column(
      "amount",
      PRICE,
      "Balance: change apart from results and fees, as the venue states it; Funding: + received",
      STEP,
    ),
    column("wallet", PRICE, "balance after it", STEP),
    column("transaction_id", "UInt64", "funding only", STEP),
    column("venue", "LowCardinality(String)", "", TEXT),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["asset", "timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

const journalGaps: TableSpec = {
  name: "journal_gaps",
  doc: "Records that did not fit and are missing: what this store cannot know.",
  columns: [
    column("timestamp", TIME, "", CLOCK),
    column("stream", "LowCardinality(String)", "market, orders or telemetry", TEXT),
    column("first_sequence", "UInt32", "", NUMBER),
    column("lost_count", "UInt32", "0 = the gap is open, a later row has the total", NUMBER),
    column("reason", "UInt32", "1 ring full, 2 disk low", NUMBER),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["stream", "timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

const riskState: TableSpec = {
  name: "risk_state",
  doc: "Storm guard, reject breaker, day and strategy results, funding: each change; meaning of the values: docs/journal.md.",
  columns: [
    column("timestamp", TIME, "", CLOCK),
    column("code", "LowCardinality(String)", "day, strategyDay, storm, breaker, funding, …", TEXT),
    column("strategy_id", "String", "", TEXT),
    column("symbol", "String", "", TEXT),
    column("value0", "Float64", "", TEXT),
    column("value1", "Float64", "", TEXT),
    column("value2", "Float64", "", TEXT),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["code", "timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

/** From the audit log; wal_position is the byte offset of the line in `<data-dir>/audit.jsonl`. */
const commands: TableSpec = {
  name: "commands",
  doc: "Commands of operators: who, when, why, and what they changed. One row per line of the audit log.",
  columns: [
    column("timestamp", TIME, "", CLOCK),
    column("command", "LowCardinality(String)", "", TEXT),
    column("target", "String", "strategy, all or engine", TEXT),
    column("arguments", "String", "JSON", TEXT),
    column("who", "String", "", TEXT),
    column("scope", "LowCardinality(String)", "of the token", TEXT),
    column("why", "String", "", TEXT),
    column("ok", "Bool", ""),
    column("code", "LowCardinality(String)", "", TEXT),
    column("message", "String", "", TEXT),
    column("before", "String", "JSON", TEXT),
    column("after", "String", "JSON", TEXT),
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

/** What the numbers of a session mean; its first record's position. */
const sessions: TableSpec = {
  name: "sessions",
  doc: "One row per session: what it traded, under which names. The view instruments has a row for each instrument.",
  columns: [
    column("started", TIME, "when its log was made", CLOCK),
    column("env", "LowCardinality(String)", "sim, paper or live", TEXT),
    column("base_time", TIME, "what its times count from", CLOCK),
    column("strategies", "String", "JSON array; the first is the house", TEXT),
    column("assets", "String", "JSON array; the first stands for an unknown one", TEXT),
    column("instruments", "String", "JSON array of objects with id, venue, symbol, tickSize, …", TEXT),
    ...origin,
  ],
  partitionBy: "started",
  orderBy: ["started", "session"],
  indices: [],
  ttl: "records",
};

export const TABLES = {
  orders,
  positions,
  fills,
  market_data: marketData,
  risk_log: riskLog,
  strategy_status: strategyStatus,
  feed_status: feedStatus,
  latency,
  account,
  journal_gaps: journalGaps,
  commands,
  risk_state: riskState,
  sessions,
} as const;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as readonly TableName[];
