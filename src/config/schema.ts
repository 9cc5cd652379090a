// The configuration's one declaration: keys, types, ranges and meanings. Values come from config/base.toml
// (which sets every key) and the layers over it; docs/config.md is rendered from here. Cold code.
import { z } from "zod";
import {
  bool,
  choice,
  decimal,
  int,
  name,
  powerOfTwo,
  rawTable,
  real,
  signedDecimal,
  text,
  url,
} from "./fields.ts";

export const ENVIRONMENTS = ["sim", "paper", "live"] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** Levels of the largest real depth message (DESIGN 2); the feed ring holds four of these, rounded up. */
export const LARGEST_MESSAGE_LEVELS = 1226;
export const FEED_RING_MIN_RECORDS = 8192;

const engine = z.strictObject({
  data_dir: text(
    'path, from the working directory; "" = var/<environment>',
    "WAL, kill word, run.json, checkpoints",
  ),
  allow_live: bool("live orders on a real venue; --env live refuses to start without it"),
  timer_ms: int(
    1,
    1000,
    "ms",
    "interval of the execution lane's own timer: time-outs, freshness, system.tick",
  ),
  warmup_messages: int(
    0,
    10_000_000,
    "messages",
    "venue messages replayed through the hot functions before trading",
  ),
  max_orders: powerOfTwo(
    16,
    65_536,
    "orders",
    "slots of the order table: working and in-flight orders together",
  ),
  feed_ring_records: powerOfTwo(
    FEED_RING_MIN_RECORDS,
    1 << 22,
    "records",
    "feed → factor; at least 4 × the largest message",
  ),
  factor_ring_records: powerOfTwo(1024, 1 << 22, "records", "factor → execution"),
  market_ring_records: powerOfTwo(
    FEED_RING_MIN_RECORDS,
    1 << 22,
    "records",
    "feed → writer; lossy, losses are marked by Gap; the default holds 0.8 s at 340,000 levels/s",
  ),
  orders_ring_records: powerOfTwo(
    1024,
    1 << 22,
    "records",
    "execution → writer; never drops: full sets the kill word",
  ),
  telemetry_ring_records: powerOfTwo(
    1024,
    1 << 22,
    "records",
    "execution → writer; lossy, losses are marked by Gap",
  ),
  notices_ring_records: powerOfTwo(
    256,
    1 << 20,
    "records",
    "each lane → main: log lines and display copies; lossy",
  ),
  control_ring_records: powerOfTwo(64, 1 << 16, "records", "main → execution: commands"),
  stall_ms: int(50, 60_000, "ms", "a lane whose heartbeat is older is stalled: kill and cancel"),
  shutdown_ms: int(500, 120_000, "ms", "time for cancel-all and its confirmation at the end of a session"),
});

const lane = z.strictObject({
  cpu: int(-1, 1023, "", "cpu to pin the lane to; -1 = not pinned, or an isolated one by topology auto"),
  wait: choice(["auto", "spin", "yield", "park"], "what an idle lane does (ARCHITECTURE.md)"),
});

const lanes = z.strictObject({
  topology: choice(
    ["auto", "lanes", "fused"],
    "auto: three lanes on isolated cores, else fused = feed, factor, execution in one lane",
  ),
  nice: int(-20, 19, "", "priority of the hot lanes' threads; below 0 needs the permission (CAP_SYS_NICE)"),
  feed: lane,
  factor: lane,
  execution: lane,
  writer: lane,
});

const venue = z.strictObject({
  name: choice(["binance"], "connector"),
  rest_url: url(["https", "http"], "REST base"),
  public_url: url(["wss", "ws"], "depth and book ticker streams"),
  market_url: url(["wss", "ws"], "trade and mark price streams"),
  private_url: url(["wss", "ws"], "user data stream"),
  ws_api_url: url(["wss", "ws"], "order entry"),
  credentials_file: text(
    'path from the TOML file that names it, mode 0600; "" = environment variables',
    "API key and secret; see Secrets",
  ),
  recv_window_ms: int(100, 60_000, "ms", "recvWindow of signed requests"),
  heartbeat_ms: int(1000, 300_000, "ms", "a market connection silent for longer is terminated and reopened"),
  user_heartbeat_ms: int(
    10_000,
    900_000,
    "ms",
    "the same for the user data stream and order entry, which are quiet without orders: a pong counts",
  ),
  order_timeout_ms: int(100, 60_000, "ms", "a request without an answer becomes unknown and is probed"),
  reconnect_min_ms: int(10, 60_000, "ms", "first reconnect delay; doubles with jitter"),
  reconnect_max_ms: int(10, 600_000, "ms", "largest reconnect delay"),
  rotate_hours: real(0.01, 24, "h", "connections are replaced before the venue's 24 h limit"),
  reconcile_ms: int(
    0,
    3_600_000,
    "ms",
    "the account is compared with the venue's this often while all seems well; 0 = only after a loss of sight",
  ),
  foreign_orders: choice(
    ["refuse", "cancel", "adopt"],
    "open orders on our instruments that no session of this data directory placed: refuse to trade, cancel them, or let house hold them (docs/orders.md)",
  ),
  dead_man_ms: int(0, 300_000, "ms", "countdown of the venue's dead-man's switch; 0 = not armed"),
  send_buffer_bytes: int(4096, 1 << 24, "bytes", "unsent bytes above which a socket refuses orders"),
});

const sim = z.strictObject({
  url: url(["http"], 'a running simulated venue; "" = started as a child process'),
  speed: real(0.01, 1000, "×", "speed of the capture's replay"),
  seed: int(0, 2 ** 32 - 1, "", "seed of the generated market, queue draws and latency jitter"),
  balance: decimal("USDT", "wallet of a new account, --env paper included"),
  market_latency_us: int(0, 10_000_000, "µs", "venue → us, market data"),
  order_latency_us: int(0, 10_000_000, "µs", "us → matching, --env paper included"),
  response_latency_us: int(0, 10_000_000, "µs", "matching → us, --env paper included"),
  latency_jitter: real(0, 2, "", "sigma of the logarithm of each latency"),
  journal_market: bool(
    "the venue journals market messages and requests in the order of matching (bun run compare)",
  ),
});

const SYMBOL = /^[A-Z0-9_]{2,32}$/;
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const symbol = () => name(SYMBOL, "2 … 32 characters A-Z, 0-9, _", "venue symbol");

const instrument = z.strictObject({
  symbol: symbol(),
  maker_fee: signedDecimal("of value (0.0002 = 2 bps)", "maker fee rate; negative = rebate").default(""),
  taker_fee: signedDecimal("of value (0.0005 = 5 bps)", "taker fee rate").default(""),
  max_order_qty: decimal("base units", "overrides risk.instrument.max_order_qty", { optional: true }).default(
    "",
  ),
  max_position_qty: decimal("base units", "overrides risk.instrument.max_position_qty", {
    optional: true,
  }).default(""),
  max_order_notional: decimal("USDT", "overrides risk.instrument.max_order_notional", {
    optional: true,
  }).default(""),
  max_position_notional: decimal("USDT", "overrides risk.instrument.max_position_notional", {
    optional: true,
  }).default(""),
  max_working_orders: int(
    0,
    65_536,
    "orders",
    "overrides risk.instrument.max_working_orders; 0 = not",
  ).default(0),
});

const strategy = z.strictObject({
  name: name(NAME, "1 … 32 characters a-z, 0-9, -", "unique; stands in journals, logs and metrics"),
  module: text('"builtin:<name>" or a path from the TOML file', "what defineStrategy exports"),
  graph: text('path from the TOML file, or ""', "factor graph").default(""),
  instruments: z
    .array(symbol())
    .min(1)
    .max(64)
    .meta({ description: "declared under [[instruments]]", expected: "1 … 64 symbols" }),
  enabled: bool("false: not started").default(true),
  params: rawTable("the strategy's parameters, checked by its own schema"),
  limits: rawTable("overrides of [risk.strategy], checked by the risk gate's schema"),
});

const risk = z.strictObject({
  freshness_ms: int(50, 600_000, "ms", "no quote on a book that was silent for longer"),
  price_band_bps: real(1, 5000, "bps", "largest distance of an order's price from the mid"),
  max_orders_per_10s: int(
    1,
    100_000,
    "requests",
    "places and modifies per 10 s, account; cancels keep a reserve of their own",
  ),
  max_orders_per_min: int(1, 1_000_000, "requests", "places and modifies per minute, account"),
  cancel_reserve: int(
    0,
    100_000,
    "requests",
    "part of the venue's budget per 10 s that only cancels may use",
  ),
  breaker_rejects: int(1, 100_000, "rejects", "this many venue rejects in the window open the breaker"),
  breaker_window_ms: int(100, 600_000, "ms", "window of breaker_rejects"),
  breaker_pause_ms: int(100, 3_600_000, "ms", "places are denied for this long after the breaker opened"),
  reset_minute_utc: int(0, 1439, "minutes after 00:00 UTC", "when daily figures start anew"),
  account: z.strictObject({
    max_position_notional: decimal(
      "USDT",
      "sum over instruments of |position| and worst case of working orders",
    ),
    max_working_orders: int(1, 65_536, "orders", "all strategies"),
    daily_loss_soft: decimal("USDT", "loss of the day beyond which orders may only reduce"),
    daily_loss_hard: decimal("USDT", "loss of the day that sets the kill word"),
    max_drawdown: decimal("USDT", "fall from the session's peak that sets the kill word"),
    min_margin_ratio: real(
      0,
      100,
      "",
      "available balance over maintenance margin below which only reducing orders pass",
    ),
    max_leverage: real(
      1,
      125,
      "×",
      "positions and working orders are margined at 1 / the smaller of this and the venue's own",
    ),
  }),
  instrument: z.strictObject({
    max_order_qty: decimal("base units", "one order", { optional: true }),
    max_order_notional: decimal("USDT", "one order"),
    max_position_qty: decimal("base units", "position with the worst case of working orders", {
      optional: true,
    }),
    max_position_notional: decimal("USDT", "the same by value"),
    max_working_orders: int(1, 65_536, "orders", "on one instrument"),
  }),
  strategy: z.strictObject({
    max_order_notional: decimal("USDT", "one order"),
    max_position_notional: decimal("USDT", "position of one strategy on one instrument with working orders"),
    max_working_orders: int(1, 65_536, "orders", "of one strategy"),
    daily_loss: decimal("USDT", "loss of the day that pauses the strategy"),
  }),
  storm: z.strictObject({
    warm_lag_ms: int(1, 600_000, "ms", "feed lag of state WARM: quotes widen or shrink"),
    storm_lag_ms: int(1, 600_000, "ms", "feed lag of state STORM: reducing orders only"),
    halt_lag_ms: int(1, 600_000, "ms", "feed lag of state HALT: cancels only"),
    hold_ms: int(0, 600_000, "ms", "calm time before the guard steps down one state"),
    baseline_ms: int(
      1_000,
      86_400_000,
      "ms",
      "feed lag is what exceeds the least delay of the last one to two of these: a clock that was set is forgotten after",
    ),
  }),
});

const journal = z.strictObject({
  segment_bytes: int(
    65_536,
    1 << 30,
    "bytes",
    "a WAL segment is closed before it grows beyond this, and at 00:00 UTC",
  ),
  fsync: choice(["none", "interval", "batch"], "none: the page cache survives kill -9 but not a power cut"),
  fsync_interval_ms: int(1, 60_000, "ms", "time between fsyncs with fsync = interval"),
  market_data: bool("journal market data (needed for replay)"),
  min_free_bytes: int(
    0,
    2 ** 40,
    "bytes",
    "below this much free space market data is no longer journalled; orders still are",
  ),
});

const recorder = z.strictObject({
  target: choice(
    ["clickhouse", "jsonl", "none"],
    "clickhouse = the server at url, or the embedded engine; jsonl = files in <data_dir>/jsonl; none = the WAL only",
  ),
  url: url(["http", "https"], 'your ClickHouse server; "" = the embedded engine'),
  user: name(/^[A-Za-z0-9_.@-]{1,64}$/, "user name", "of your server"),
  password_file: text(
    'path from the TOML file, mode 0600; "" = HOTLANE_CLICKHOUSE_PASSWORD, or none',
    "password of that user",
  ),
  database: name(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "1 … 64 letters, digits, _", "made when absent"),
  cluster: name(/^[A-Za-z0-9_.-]{0,64}$/, 'cluster name, or ""', "Distributed tables and ON CLUSTER"),
  replicated: bool("Replicated tables; the servers define the macros shard and replica"),
  market_data: z.array(z.enum(["depth", "trades", "bbo", "mark"])).meta({
    description: "market data that becomes rows; the WAL has all of it",
    expected: 'any of "depth", "trades", "bbo", "mark"',
  }),
  ttl_days: int(0, 36_500, "days", "rows are dropped after; 0 = never"),
  market_ttl_days: int(0, 36_500, "days", "the same for market_data"),
  wal_keep_hours: int(
    0,
    876_000,
    "h",
    "WAL segments that the store has are removed after; 0 = never. Replay needs them",
  ),
  memory_mb: int(256, 1_048_576, "MB", "cap of the embedded engine's memory"),
  threads: int(1, 256, "threads", "of one query in the embedded engine"),
  nice: int(0, 19, "", "priority of the recorder and the embedded engine below everything else"),
  min_free_bytes: int(
    0,
    2 ** 40,
    "bytes",
    "embedded engine: below this much free space market data is not recorded, with an alarm; orders are",
  ),
  finish_ms: int(0, 600_000, "ms", "time at the end of a session for what the store does not have yet"),
});

const admin = z.strictObject({
  enabled: bool("serve the API, page and metrics"),
  host: name(
    /^[0-9A-Za-z.:-]{1,253}$/,
    "host name or address",
    "listen address; loopback unless you know why not",
  ),
  port: int(0, 65_535, "", "0 = any free port, printed at start and written to <data_dir>/run.json"),
  token_file: text(
    'path from the TOML file, mode 0600; "" = a token generated at each start',
    "bearer token of the API",
  ),
});

const alerts = z.strictObject({
  file: text(
    'path from the TOML file; "" = no alerts',
    "rules and routes of alerts (docs/alerts.md); a rule without a route is told in the log",
  ),
});

const log = z.strictObject({
  level: choice(["trace", "debug", "info", "warn", "error", "fatal"], "least level that is written"),
  format: choice(["auto", "pretty", "json"], "auto = pretty on a terminal, else JSON lines; on stderr"),
});

export const configSchema = z.strictObject({
  engine,
  lanes,
  venue,
  sim,
  instruments: z
    .array(instrument)
    .min(1)
    .max(1024)
    .meta({ description: "traded instruments", expected: "1 … 1024 tables" }),
  strategies: z.array(strategy).max(256).meta({ description: "strategies", expected: "0 … 256 tables" }),
  risk,
  journal,
  recorder,
  admin,
  alerts,
  log,
});

/** Sections that only `bun run backtest` and `bun run sweep` read and check: one file serves live trading and both. */
export const BACKTEST_SECTIONS: readonly string[] = ["backtest", "report", "strategy", "sweep"];

/** Subtrees whose keys belong to somebody else's schema. */
export const RAW_KEYS = ["params", "limits"] as const;
export type RawTable = Readonly<Record<string, number | string | boolean>>;

type CamelKey<K> = K extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelKey<Tail>>}` : K;
type Camel<T> = T extends readonly (infer U)[]
  ? readonly Camel<U>[]
  : T extends object
    ? { readonly [K in keyof T as CamelKey<K>]: K extends (typeof RAW_KEYS)[number] ? RawTable : Camel<T[K]> }
    : T;

/**
 * The configuration as plain data, keys in camelCase. Paths are absolute: `engine.dataDir`,
 * `venue.credentialsFile`, `admin.tokenFile` and `strategies[].graph` ("" stays ""), `strategies[].module`
 * unless it begins with "builtin:".
 */
export type HotlaneConfig = Camel<z.output<typeof configSchema>> & { readonly env: Environment };
export type StrategyConfig = HotlaneConfig["strategies"][number];
export type InstrumentConfig = HotlaneConfig["instruments"][number];
