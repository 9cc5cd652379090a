// The store's DDL, from tables.ts and one set of options: a single server, or a cluster with Replicated tables,
// Distributed ones over them and ON CLUSTER. Plain text out; migrations.ts runs it.
import { type ColumnSpec, TABLES, type TableName, type TableSpec } from "./tables.ts";

export interface StoreOptions {
  readonly database: string;
  /** Cluster name; "" = one server. */
  readonly cluster: string;
  /** Replicated tables (with {shard} and {replica} macros of the servers). */
  readonly replicated: boolean;
  /** Days until rows are dropped; 0 = never. */
  readonly ttlDays: number;
  readonly marketTtlDays: number;
}

/**
 * Blocks whose tokens a table remembers. Batches in flight are at most 4 per table (recorder.ts), and after a kill
 * those since the last checkpoint come again: 10 × that, and a hundredfold of room.
 */
export const DEDUPLICATION_WINDOW = 1000;
/** Replicated tables forget by age too: a retry after a week's outage is still recognised. */
const DEDUPLICATION_SECONDS = 7 * 86_400;

const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
export const literal = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const isDistributed = (o: StoreOptions): boolean => o.cluster !== "";
export const onCluster = (o: StoreOptions): string =>
  o.cluster === "" ? "" : ` ON CLUSTER ${quoted(o.cluster)}`;

/** The table that holds rows on a server; with a cluster, `<name>` itself is the Distributed one over all. */
export function storageTable(name: string, o: StoreOptions): string {
  return `${quoted(o.database)}.${quoted(isDistributed(o) ? `${name}_local` : name)}`;
}

export const table = (name: string, o: StoreOptions): string => `${quoted(o.database)}.${quoted(name)}`;

function engine(name: string, family: string, o: StoreOptions): string {
  if (!o.replicated) return `${family}MergeTree`;
  const path = `/clickhouse/tables/{shard}/${o.database}/${name}`;
  return `Replicated${family}MergeTree(${literal(path)}, '{replica}')`;
}

const deduplication = (o: StoreOptions): string =>
  o.replicated
    ? `replicated_deduplication_window = ${DEDUPLICATION_WINDOW}, replicated_deduplication_window_seconds = ${DEDUPLICATION_SECONDS}`
    : `non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`;

function columnText(c: ColumnSpec): string {
  const codec = c.codec === "" ? "" : ` CODEC(${c.codec})`;
  const comment = c.doc === "" ? "" : ` COMMENT ${literal(c.doc)}`;
  return `  ${quoted(c.name)} ${c.type}${comment}${codec}`;
}

const ttlDays = (t: TableSpec, o: StoreOptions): number => (t.ttl === "market" ? o.marketTtlDays : o.ttlDays);

const ttlExpression = (t: TableSpec, days: number): string =>
  `toDateTime(${quoted(t.partitionBy)}) + toIntervalDay(${days})`;

/** Statements that make one table (and the Distributed one over it). */
export function createTable(spec: TableSpec, o: StoreOptions): string[] {
  const days = ttlDays(spec, o);
  const body = [...spec.columns.map(columnText), ...spec.indices.map((i) => `  ${i}`)].join(",\n");
  const local = `CREATE TABLE IF NOT EXISTS ${storageTable(spec.name, o)}${onCluster(o)}\n(\n${body}\n)
ENGINE = ${engine(spec.name, "", o)}
PARTITION BY toYYYYMMDD(${quoted(spec.partitionBy)})
ORDER BY (${spec.orderBy.map(quoted).join(", ")})${days > 0 ? `\nTTL ${ttlExpression(spec, days)}` : ""}
SETTINGS ${deduplication(o)}
COMMENT ${literal(spec.doc)}`;
  return [local, ...distributed(spec.name, o)];
}

function distributed(name: string, o: StoreOptions): string[] {
  if (!isDistributed(o)) return [];
  const over = `Distributed(${literal(o.cluster)}, ${literal(o.database)}, ${literal(`${name}_local`)}, rand())`;
  return [
    `CREATE TABLE IF NOT EXISTS ${table(name, o)}${onCluster(o)} AS ${storageTable(name, o)} ENGINE = ${over}`,
  ];
}

/** Statements that add a declared column to a table that may lack it (and to the Distributed one over it). */
export function addColumn(name: TableName, columnName: string, after: string, o: StoreOptions): string[] {
  const spec: TableSpec = TABLES[name];
  const declared = spec.columns.find((c) => c.name === columnName)!;
  const tables = isDistributed(o) ? [storageTable(name, o), table(name, o)] : [storageTable(name, o)];
  return tables.map((t, i) => {
    // A Distributed table takes no codec.
    const text = columnText(i === 0 ? declared : { ...declared, codec: "" });
    return `ALTER TABLE ${t}${onCluster(o)} ADD COLUMN IF NOT EXISTS ${text.trim()} AFTER ${quoted(after)}`;
  });
}

/** A changed time to live reaches tables that exist: metadata only, parts follow by merges. */
export function alterTtl(name: TableName, o: StoreOptions): string {
  const spec: TableSpec = TABLES[name];
  const days = ttlDays(spec, o);
  const change = days > 0 ? `MODIFY TTL ${ttlExpression(spec, days)}` : "REMOVE TTL";
  return `ALTER TABLE ${storageTable(name, o)}${onCluster(o)} ${change} SETTINGS materialize_ttl_after_modify = 0`;
}

export const wantsTtl = (name: TableName, o: StoreOptions): number => ttlDays(TABLES[name], o);

interface Aggregate {
  readonly name: string;
  readonly source: "orders" | "fills";
  /** Column of the source that gives the minute. */
  readonly time: string;
  readonly columns: string;
  readonly orderBy: string;
  readonly select: string;
}

/** Per minute, strategy and symbol; sum() over the rows of a key, merged or not. */
const AGGREGATES: readonly Aggregate[] = [
  {
    name: "fills_1m",
    source: "fills",
    time: "exch_time",
    columns: `  minute DateTime('UTC'),
  symbol String,
  strategy_id String,
  side Enum8('None' = 0, 'Buy' = 1, 'Sell' = -1),
  is_maker Bool,
  fills UInt64,
  qty Decimal(38, 8),
  notional Decimal(38, 16),
  fee Decimal(38, 8)`,
    orderBy: "minute, symbol, strategy_id, side, is_maker",
    select: `SELECT toStartOfMinute(s.exch_time) AS minute, s.symbol AS symbol, s.strategy_id AS strategy_id, s.side AS side,
  s.is_maker AS is_maker, count() AS fills, sum(s.qty) AS qty,
  sum(CAST(s.price, 'Decimal(38, 8)') * s.qty) AS notional, sum(s.fee) AS fee`,
  },
  {
    name: "order_events_1m",
    source: "orders",
    time: "update_time",
    columns: `  minute DateTime('UTC'),
  symbol String,
  strategy_id String,
  event LowCardinality(String),
  status LowCardinality(String),
  events UInt64`,
    orderBy: "minute, symbol, strategy_id, event, status",
    select: `SELECT toStartOfMinute(s.update_time) AS minute, s.symbol AS symbol, s.strategy_id AS strategy_id,
  CAST(s.event, 'LowCardinality(String)') AS event, CAST(s.status, 'LowCardinality(String)') AS status,
  count() AS events`,
  },
];

const aggregateQuery = (a: Aggregate, o: StoreOptions, where = ""): string =>
  `${a.select} FROM ${storageTable(a.source, o)} AS s${where} GROUP BY ${a.orderBy}`;

/** Tables that follow their source on insert; a repeated block is dropped in both. */
export function minuteAggregates(o: StoreOptions): string[] {
  return AGGREGATES.flatMap((a) => [
    `CREATE TABLE IF NOT EXISTS ${storageTable(a.name, o)}${onCluster(o)}\n(\n${a.columns}\n)
ENGINE = ${engine(a.name, "Summing", o)}
PARTITION BY toYYYYMMDD(minute)
ORDER BY (${a.orderBy})
SETTINGS ${deduplication(o)}`,
    ...distributed(a.name, o),
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${table(`${a.name}_mv`, o)}${onCluster(o)} TO ${storageTable(a.name, o)} AS
${aggregateQuery(a, o)}`,
  ]);
}

/** The aggregates made anew from their sources. */
export function refillAggregates(o: StoreOptions): string[] {
  return AGGREGATES.flatMap((a) => [
    `TRUNCATE TABLE ${storageTable(a.name, o)}${onCluster(o)}`,
    `INSERT INTO ${storageTable(a.name, o)} SETTINGS insert_deduplicate = 0 ${aggregateQuery(a, o)}`,
  ]);
}

/** Aggregates of a source, for `minutesOf` and `remakeMinutes`. */
export const aggregatesOf = (source: string): readonly Aggregate[] =>
  AGGREGATES.filter((a) => a.source === source);

/** The minutes (Unix seconds) of an aggregate that rows of its source belong to. */
export const minutesOf = (a: Aggregate, where: string, o: StoreOptions): string =>
  `SELECT DISTINCT toUnixTimestamp(toStartOfMinute(${a.time})) AS minute FROM ${storageTable(a.source, o)} WHERE ${where}`;

/** These minutes of an aggregate made anew from its source. */
export function remakeMinutes(a: Aggregate, minutes: readonly number[], o: StoreOptions): string[] {
  const list = minutes.map((minute) => `toDateTime(${minute}, 'UTC')`).join(", ");
  const where = ` WHERE toStartOfMinute(s.${a.time}) IN (${list})`;
  return [
    `DELETE FROM ${storageTable(a.name, o)}${onCluster(o)} WHERE minute IN (${list})`,
    `INSERT INTO ${storageTable(a.name, o)} SETTINGS insert_deduplicate = 0 ${aggregateQuery(a, o, where)}`,
  ];
}

const LATEST_ORDER_COLUMNS = [
  ...["side", "price", "qty", "status", "update_time", "exch_time", "leaves_qty", "exec_qty", "exec_price"],
  ...["strategy_id", "prev_status", "event", "tif", "order_type", "reduce_only", "reject_code"],
  ...["venue_order_id", "client_order_id", "venue", "session", "trigger_time", "strategy_time", "risk_time"],
  ...["wire_time", "ack_time", "mid_decision", "event_time"],
] as const;

/** Views for dashboards and people. */
export function views(o: StoreOptions): string[] {
  const create = (name: string, select: string) =>
    `CREATE OR REPLACE VIEW ${table(name, o)}${onCluster(o)} AS\n${select}`;
  const latest = LATEST_ORDER_COLUMNS.map((c) => `argMax(o.${c}, o.wal_position) AS ${c}`).join(",\n  ");
  return [
    create(
      "orders_latest",
      `SELECT o.order_id AS order_id, o.symbol AS symbol, min(o.create_time) AS create_time,
  ${latest},
  maxIf(o.latency_ns, o.event IN ('New', 'Trade', 'Rejected')) AS latency_ns,
  count() AS transitions
FROM ${table("orders", o)} AS o GROUP BY o.symbol, o.order_id`,
    ),
    create(
      "instruments",
      `SELECT session, JSONExtractUInt(one, 'id') AS id, JSONExtractString(one, 'venue') AS venue,
  JSONExtractString(one, 'symbol') AS symbol, JSONExtractString(one, 'base') AS base,
  JSONExtractString(one, 'quote') AS quote, JSONExtractString(one, 'settle') AS settle,
  JSONExtractString(one, 'tickSize') AS tick_size, JSONExtractString(one, 'lotSize') AS lot_size,
  JSONExtractString(one, 'contractSize') AS contract_size
FROM (SELECT session, arrayJoin(JSONExtractArrayRaw(instruments)) AS one FROM ${table("sessions", o)})`,
    ),
    create(
      "positions_latest",
      `SELECT p.symbol AS symbol, p.strategy_id AS strategy_id, max(p.timestamp) AS timestamp,
  argMax(p.position, (p.timestamp, p.wal_position)) AS position,
  argMax(p.avg_price, (p.timestamp, p.wal_position)) AS avg_price,
  argMax(p.mark_price, (p.timestamp, p.wal_position)) AS mark_price,
  argMax(p.unrealized_pnl, (p.timestamp, p.wal_position)) AS unrealized_pnl,
  argMax(p.realized, (p.timestamp, p.wal_position)) AS realized_pnl,
  argMax(p.fees, (p.timestamp, p.wal_position)) AS fees,
  argMax(p.funding, (p.timestamp, p.wal_position)) AS funding,
  any(p.currency) AS currency
FROM ${table("positions", o)} AS p WHERE p.cause != 'Venue' GROUP BY p.symbol, p.strategy_id`,
    ),
    create(
      "pnl_1s",
      `SELECT toStartOfSecond(p.timestamp) AS second, p.strategy_id AS strategy_id, p.symbol AS symbol,
  argMax(p.position, (p.timestamp, p.wal_position)) AS position,
  argMax(p.realized, (p.timestamp, p.wal_position)) AS realized_pnl,
  argMax(p.unrealized_pnl, (p.timestamp, p.wal_position)) AS unrealized_pnl,
  argMax(p.fees, (p.timestamp, p.wal_position)) AS fees,
  argMax(p.funding, (p.timestamp, p.wal_position)) AS funding
FROM ${table("positions", o)} AS p WHERE p.cause != 'Venue' GROUP BY second, p.strategy_id, p.symbol`,
    ),
    create(
      "order_latency_1m",
      `SELECT toStartOfMinute(update_time) AS minute, symbol, strategy_id, count() AS answers,
  quantileExact(0.5)(latency_ns) AS p50_ns, quantileExact(0.99)(latency_ns) AS p99_ns, max(latency_ns) AS max_ns
FROM ${table("orders", o)} WHERE latency_ns > 0 GROUP BY minute, symbol, strategy_id`,
    ),
    create(
      "fill_rate_1m",
      `SELECT toStartOfMinute(create_time) AS minute, symbol, strategy_id, count() AS orders,
  countIf(exec_qty > 0) AS filled, filled / orders AS fill_rate
FROM ${table("orders_latest", o)} WHERE client_order_id != '' GROUP BY minute, symbol, strategy_id`,
    ),
  ];
}
