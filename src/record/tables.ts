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
  /** A text that is the same in many rows: sent as a dictionary and numbers. */
  readonly repeats: boolean;
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
export const ACCOUNT_KIND_ENUM = { Balance: 1, Funding: 2 } as const;
export const MARKET_KIND_ENUM = { Depth: 1, Clear: 2, SnapshotLevel: 3, Trade: 4, Bbo: 5, Mark: 6 } as const;

const SIDE = enum8(SIDE_ENUM);
const STATUS = enum8(STATUS_ENUM);
/** Rows of one order repeat most of each other: plain ZSTD finds that, differences hide it. */
const PLAIN = "ZSTD(1)";
/** 8-byte numbers that move a little from row to row. */
const STEPS = "Delta(8), ZSTD(1)";

const of = (type: string, codec: string, repeats = false) => {
  return (name: string, doc = ""): ColumnSpec => ({ name, type, codec, doc, repeats });
};
const text = of("String", PLAIN);
/** As the requirements have it: String, whatever repeats. */
const label = of("String", PLAIN, true);
const word = of("LowCardinality(String)", PLAIN, true);
const time = of(TIME, PLAIN);
const price = of(PRICE, PLAIN);
const money = of(MONEY, PLAIN);
const id = of("UInt64", PLAIN);
const integer = of("Int64", PLAIN);
const count = of("UInt32", PLAIN);
const double = of("Float64", PLAIN);
const flag = of("Bool", "");
const side = of(SIDE, "");
const status = of(STATUS, "");
const oneOf = (name: string, members: Readonly<Record<string, number>>, doc = "") =>
  of(enum8(members), "")(name, doc);
const timeStep = of(TIME, STEPS);
const priceStep = of(PRICE, STEPS);
const countStep = of("UInt64", STEPS);

const venue = word("venue");
/** What every row ends with. */
const origin = [
  word("session", "session that wrote the record"),
  countStep("wal_position", "position of the record in that data directory's WAL"),
] as const;

const orders: TableSpec = {
  name: "orders",
  doc: "One row per transition of an order; orders_latest shows each order as it is now.",
  columns: [
    id("order_id", "one per order: client counter and session; orders of others: the venue's id"),
    label("symbol", "venue symbol"),
    side("side"),
    price("price", "limit price"),
    price("qty", "ordered quantity"),
    status("status", "after the transition"),
    time("create_time", "when the place request left"),
    time("update_time", "when the transition was seen here"),
    time("exch_time", "the venue's time of the transition"),
    price("leaves_qty", "quantity still open"),
    price("exec_qty", "quantity executed so far"),
    price("exec_price", "price of the last execution, 0 = none"),
    integer("latency_ns", "request sent → this answer received; 0 = not an answer to a request"),
    label("strategy_id", "strategy name; house = the account itself"),
    status("prev_status", "before the transition"),
    oneOf("event", ORDER_EVENT_ENUM, "what happened"),
    oneOf("source", SOURCE_ENUM, "how it became known"),
    oneOf("tif", TIF_ENUM),
    oneOf("order_type", ORDER_TYPE_ENUM),
    flag("reduce_only"),
    flag("recovered", "from the venue's history, not seen live"),
    time("trigger_time", "receipt of the record that led to the last request"),
    time("strategy_time", "last request: decided by the strategy"),
    time("risk_time", "last request: passed by the risk gate"),
    time("wire_time", "last request: handed to the socket"),
    time("ack_time", "first proof that the venue holds the order, received here"),
    price("mid_decision", "mid at the last decision, 0 = not known"),
    of("Int32", PLAIN)("reject_code", "the venue's error code, 0 = none"),
    integer("price_ticks", "price in ticks"),
    integer("qty_lots", "quantity in lots"),
    id("venue_order_id", "0 = not known yet"),
    text("client_order_id", "as sent to the venue"),
    venue,
    ...origin,
    time(
      "event_time",
      "the venue's time of the market event that led to the last request; 1970 = a timer or a report did",
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
    time("timestamp", "when it was so"),
    label("symbol"),
    price("position", "signed quantity"),
    price("avg_price", "average entry price, 0 = flat; rounded to 8 decimals"),
    price("unrealized_pnl", "against mark_price, settlement currency"),
    price("realized_pnl", "before fees and funding; rounded when the instrument needs more decimals"),
    label("strategy_id", "house = the account itself"),
    oneOf("cause", POSITION_CAUSE_ENUM, "Venue = the net position as the venue states it"),
    money("fees", "paid so far, settlement currency"),
    money("funding", "received − paid so far"),
    money("realized", "realized_pnl with every decimal"),
    price("mark_price", "0 = not known"),
    integer("position_lots", "position in lots"),
    word("currency", "settlement currency of the results"),
    venue,
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
    id("fill_id", "the venue's trade id"),
    id("order_id", "orders.order_id"),
    label("symbol"),
    side("side"),
    price("price"),
    price("qty"),
    price("fee", "of fee_asset; + paid, − rebate"),
    flag("is_maker"),
    time("exch_time", "the venue's time of the trade"),
    time("local_time", "when it was received"),
    of("Decimal(18, 4)", PLAIN)("slippage_bps", "against mid_decision (mid_fill without one); + = worse"),
    label("strategy_id"),
    price("mid_decision", "mid at the order's last decision, 0 = not known"),
    price("mid_fill", "last mid before the venue's time of the trade, 0 = not known"),
    time("order_time", "when the place request left"),
    price("order_price", "limit price of the order, 0 = not known"),
    word("fee_asset"),
    flag("recovered", "from the venue's history, not seen live"),
    integer("price_ticks"),
    integer("qty_lots"),
    id("venue_order_id"),
    text("client_order_id", "empty = not an order of hotlane"),
    venue,
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
    timeStep("exch_time", "the venue's time"),
    timeStep("local_time", "receipt"),
    word("symbol"),
    oneOf("kind", MARKET_KIND_ENUM),
    side("side", "Depth: side of the level; Trade: the aggressor; Bbo: None"),
    priceStep("price", "level or trade; Bbo: bid; Mark: mark price; 0 = empty side"),
    priceStep("qty", "level (0 deletes) or trade; Bbo: bid quantity"),
    priceStep("ask_price", "Bbo: ask; Mark: index price"),
    priceStep("ask_qty", "Bbo: ask quantity; Mark: funding rate"),
    countStep("venue_id", "Depth: final update id; Trade: trade id"),
    venue,
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
    time("timestamp"),
    label("symbol"),
    label("strategy_id"),
    of("UInt16", PLAIN)("deny_code", "docs/risk.md"),
    word("deny_reason", "name of the code"),
    word("action", "place or modify"),
    side("side"),
    price("price"),
    price("qty"),
    double("observed", "the value that broke the limit; its unit by code: docs/risk.md"),
    venue,
    ...origin,
  ],
  partitionBy: "timestamp",
  orderBy: ["strategy_id", "timestamp", "wal_position"],
  indices: [],
  ttl: "records",
};

const STRATEGY_STATE = { Starting: 0, Running: 1, Paused: 2, Stopping: 3, Stopped: 4, Error: 5 };

const strategyStatus: TableSpec = {
  name: "strategy_status",
  doc: "Changes of state of the strategies.",
  columns: [
    time("timestamp"),
    label("strategy_id"),
    oneOf("state", STRATEGY_STATE),
    oneOf("prev_state", STRATEGY_STATE),
    word("reason", "what caused it"),
    count("working_orders"),
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
    time("timestamp"),
    label("symbol", "empty = the account's stream"),
    oneOf("state", { Connecting: 0, Resyncing: 1, Synced: 2, Stale: 3 }),
    word("reason"),
    count("gaps", "so far"),
    count("resyncs", "so far"),
    integer("lag_ns", "receipt − venue's time; 0 = not known"),
    venue,
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
    timeStep("timestamp", "end of the interval"),
    word("lane"),
    word("stage", "decode, hop, book, graph, tickToOrder, strategy, …"),
    countStep("bucket_low_ns", "inclusive"),
    countStep("bucket_high_ns", "exclusive"),
    countStep("count"),
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
    timeStep("timestamp", "receipt"),
    timeStep("exch_time"),
    oneOf("kind", ACCOUNT_KIND_ENUM),
    label("symbol", "funding of one instrument; empty = the whole account"),
    word("asset"),
    priceStep(
      "amount",
      "Balance: change apart from results and fees, as the venue states it; Funding: + received",
    ),
    priceStep("wallet", "balance after it"),
    countStep("transaction_id", "funding only"),
    venue,
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
    time("timestamp"),
    word("stream", "market, orders or telemetry"),
    count("first_sequence"),
    count("lost_count", "0 = the gap is open, a later row has the total"),
    count("reason", "1 ring full, 2 disk low"),
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
    time("timestamp"),
    word("code", "day, strategyDay, storm, breaker, funding, …"),
    label("strategy_id"),
    label("symbol"),
    double("value0"),
    double("value1"),
    double("value2"),
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
    time("timestamp"),
    word("command"),
    text("target", "strategy, all or engine"),
    text("arguments", "JSON"),
    text("who"),
    word("scope", "of the token"),
    text("why"),
    flag("ok"),
    word("code"),
    text("message"),
    text("before", "JSON"),
    text("after", "JSON"),
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
    time("started", "when its log was made"),
    word("env", "sim, paper or live"),
    time("base_time", "what its times count from"),
    text("strategies", "JSON array; the first is the house"),
    text("assets", "JSON array; the first stands for an unknown one"),
    text("instruments", "JSON array of objects with id, venue, symbol, tickSize, …"),
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
