// The dashboards: strategy (as drawn in requirements document 1, section 2.5), lanes and latency, risk, recorder. SQL
// uses the ClickHouse plugin's macros and the two variables; tables and views are those of src/record/tables.ts.
import type { DashboardSpec } from "./grafana-json.ts";

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variables
const CHOSEN = "strategy_id IN (${strategy:singlequote}) AND symbol IN (${symbol:singlequote})";
const WHO = "concat(strategy_id, ' ', symbol)";

const strategy: DashboardSpec = {
  uid: "hotlane-strategy",
  title: "hotlane: strategy",
  filters: true,
  panels: [
    {
      title: "Position",
      type: "stat",
      source: "clickhouse",
      width: 8,
      height: 4,
      queries: [
        `SELECT ${WHO} AS name, toFloat64(position) AS position FROM positions_latest WHERE ${CHOSEN} ORDER BY name`,
      ],
    },
    {
      title: "PnL (real)",
      type: "stat",
      source: "clickhouse",
      width: 8,
      height: 4,
      queries: [
        `SELECT currency, sum(toFloat64(realized_pnl) - toFloat64(fees) + toFloat64(funding)) AS realized FROM positions_latest WHERE ${CHOSEN} GROUP BY currency`,
      ],
    },
    {
      title: "PnL (unreal)",
      type: "stat",
      source: "clickhouse",
      width: 8,
      height: 4,
      queries: [
        `SELECT currency, sum(toFloat64(unrealized_pnl)) AS unrealized FROM positions_latest WHERE ${CHOSEN} GROUP BY currency`,
      ],
    },
    {
      title: "PnL",
      type: "timeseries",
      source: "clickhouse",
      width: 24,
      queries: [
        `SELECT second AS time, ${WHO} AS name, toFloat64(realized_pnl) + toFloat64(unrealized_pnl) - toFloat64(fees) + toFloat64(funding) AS pnl FROM pnl_1s WHERE $__timeFilter(second) AND ${CHOSEN} ORDER BY time`,
      ],
    },
    {
      title: "Order fill rate",
      type: "stat",
      source: "clickhouse",
      unit: "percent",
      width: 12,
      height: 4,
      queries: [
        `SELECT 100 * countIf(exec_qty > 0) / count() AS fill_rate FROM orders_latest WHERE $__timeFilter(create_time) AND client_order_id != '' AND ${CHOSEN}`,
      ],
    },
    {
      title: "Avg latency (ms)",
      type: "stat",
      source: "clickhouse",
      unit: "ms",
      width: 12,
      height: 4,
      queries: [
        `SELECT avg(latency_ns) / 1e6 AS latency FROM orders WHERE $__timeFilter(update_time) AND latency_ns > 0 AND ${CHOSEN}`,
      ],
    },
    {
      title: "Recent orders",
      type: "table",
      source: "clickhouse",
      width: 24,
      queries: [
        `SELECT toString(order_id) AS "ID", symbol AS "Symbol", side AS "Side", toFloat64(price) AS "Price", toFloat64(qty) AS "Qty", status AS "Status", if(latency_ns > 0, latency_ns / 1e6, NULL) AS "Latency (ms)", create_time AS "Time" FROM orders_latest WHERE $__timeFilter(create_time) AND ${CHOSEN} ORDER BY create_time DESC LIMIT 50`,
      ],
    },
    {
      title: "Position over time",
      type: "timeseries",
      source: "clickhouse",
      width: 12,
      queries: [
        `SELECT second AS time, ${WHO} AS name, toFloat64(position) AS position FROM pnl_1s WHERE $__timeFilter(second) AND ${CHOSEN} ORDER BY time`,
      ],
    },
    {
      title: "Slippage against the mid at decision (bps)",
      type: "timeseries",
      source: "clickhouse",
      width: 12,
      queries: [
        `SELECT $__timeInterval(exch_time) AS time, ${WHO} AS name, avg(toFloat64(slippage_bps)) AS slippage FROM fills WHERE $__timeFilter(exch_time) AND ${CHOSEN} GROUP BY time, name ORDER BY time`,
      ],
    },
    {
      title: "Traded value per minute",
      type: "timeseries",
      source: "clickhouse",
      width: 12,
      queries: [
        `SELECT minute AS time, if(is_maker, 'maker', 'taker') AS name, sum(toFloat64(notional)) AS value FROM fills_1m WHERE $__timeFilter(minute) AND ${CHOSEN} GROUP BY time, name ORDER BY time`,
      ],
    },
    {
      title: "Order events per minute",
      type: "timeseries",
      source: "clickhouse",
      width: 12,
      queries: [
        `SELECT minute AS time, toString(event) AS name, sum(events) AS events FROM order_events_1m WHERE $__timeFilter(minute) AND ${CHOSEN} GROUP BY time, name ORDER BY time`,
      ],
    },
  ],
};

const quantiles = (metric: string): (readonly [string, string])[] =>
  [0.5, 0.99, 0.999].map((q) => [
    `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket[$__rate_interval])))`,
    `p${q * 100}`,
  ]);

const lanes: DashboardSpec = {
  uid: "hotlane-lanes",
  title: "hotlane: lanes and latency",
  filters: false,
  panels: [
    {
      title: "Tick to order",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 12,
      queries: quantiles("hotlane_tick_to_order_seconds"),
    },
    {
      title: "Order round trip",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 12,
      queries: quantiles("hotlane_order_round_trip_seconds"),
    },
    {
      title: "Decode",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 8,
      queries: quantiles("hotlane_decode_seconds"),
    },
    {
      title: "Feed to factor",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 8,
      queries: quantiles("hotlane_hop_seconds"),
    },
    {
      title: "Graph",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 8,
      queries: quantiles("hotlane_graph_seconds"),
    },
    {
      title: "Since the last turn",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 8,
      queries: [["hotlane_lane_heartbeat_age_seconds", "{{lane}}"]],
    },
    {
      title: "Longest stall",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 8,
      queries: [["hotlane_lane_max_stall_seconds", "{{lane}}"]],
    },
    {
      title: "Busy turns",
      type: "timeseries",
      source: "prometheus",
      unit: "percentunit",
      width: 8,
      queries: [
        [
          "rate(hotlane_lane_busy_turns_total[$__rate_interval]) / rate(hotlane_lane_turns_total[$__rate_interval])",
          "{{lane}}",
        ],
      ],
    },
    {
      title: "Ring fill",
      type: "timeseries",
      source: "prometheus",
      unit: "percentunit",
      width: 12,
      queries: [["hotlane_ring_depth_records / hotlane_ring_capacity_records", "{{ring}}"]],
    },
    {
      title: "Collections per minute",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [["60 * rate(hotlane_lane_gc_total[$__rate_interval])", "{{lane}}"]],
    },
    {
      title: "Feed messages per second",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [
        ["rate(hotlane_feed_messages_total[$__rate_interval])", "messages"],
        ["rate(hotlane_feed_events_total[$__rate_interval])", "events"],
      ],
    },
    {
      title: "Latency by stage (histogram rows)",
      type: "table",
      source: "clickhouse",
      width: 12,
      queries: [
        'SELECT lane, stage, sum(count) AS requests, quantileExactWeighted(0.5)(bucket_high_ns, count) / 1e3 AS "p50 µs", quantileExactWeighted(0.99)(bucket_high_ns, count) / 1e3 AS "p99 µs" FROM latency WHERE $__timeFilter(timestamp) GROUP BY lane, stage ORDER BY lane, stage',
      ],
    },
    {
      title: "End to end: event at the venue → order at the venue (ms)",
      type: "timeseries",
      source: "clickhouse",
      unit: "ms",
      width: 12,
      queries: [
        "SELECT toStartOfMinute(exch_time) AS time, symbol AS name, quantileExact(0.5)(toUnixTimestamp64Nano(exch_time) - toUnixTimestamp64Nano(event_time)) / 1e6 AS latency FROM orders WHERE $__timeFilter(update_time) AND event = 'New' AND event_time > toDateTime64(0, 9) AND exch_time > toDateTime64(0, 9) GROUP BY time, name ORDER BY time",
      ],
    },
    {
      title: "Order latency by symbol (ms)",
      type: "timeseries",
      source: "clickhouse",
      unit: "ms",
      width: 12,
      queries: [
        "SELECT minute AS time, concat(symbol, ' p99') AS name, p99_ns / 1e6 AS latency FROM order_latency_1m WHERE $__timeFilter(minute) ORDER BY time",
      ],
    },
  ],
};

const risk: DashboardSpec = {
  uid: "hotlane-risk",
  title: "hotlane: risk",
  filters: false,
  panels: [
    {
      title: "Kill word (0 = armed)",
      type: "stat",
      source: "prometheus",
      width: 4,
      height: 4,
      queries: ["hotlane_kill_state"],
    },
    {
      title: "Reconciled",
      type: "stat",
      source: "prometheus",
      width: 4,
      height: 4,
      queries: ["hotlane_reconciled"],
    },
    {
      title: "Alerts firing",
      type: "stat",
      source: "prometheus",
      width: 4,
      height: 4,
      queries: ["hotlane_alerts_firing"],
    },
    {
      title: "Storm guard",
      type: "stat",
      source: "prometheus",
      width: 6,
      height: 4,
      queries: [["hotlane_storm_state == 1", "{{state}}"]],
    },
    {
      title: "Strategies",
      type: "stat",
      source: "prometheus",
      width: 6,
      height: 4,
      queries: [["hotlane_strategy_state == 1", "{{strategy}}: {{state}}"]],
    },
    {
      title: "Net result",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [['hotlane_pnl{part="net"}', "{{currency}}"]],
    },
    {
      title: "Drawdown from the day's peak",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [['max_over_time(hotlane_pnl{part="net"}[1d]) - hotlane_pnl{part="net"}', "{{currency}}"]],
    },
    {
      title: "Positions",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [["hotlane_position", "{{strategy}} {{instrument}}"]],
    },
    {
      title: "Working orders",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [["hotlane_working_orders", "{{strategy}}"]],
    },
    {
      title: "Equity and free margin",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [
        ["hotlane_account_equity", "equity"],
        ["hotlane_margin_free", "free"],
        ["hotlane_margin_initial", "initial margin"],
      ],
    },
    {
      title: "Orders per second",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [["rate(hotlane_orders_total[$__rate_interval])", "{{event}}"]],
    },
    {
      title: "Feed state",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [['hotlane_feed_state{state="synced"}', "{{instrument}}"]],
    },
    {
      title: "Feed age",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 12,
      queries: [["hotlane_feed_age_seconds", "{{instrument}}"]],
    },
    {
      title: "Refused by the gate",
      type: "table",
      source: "clickhouse",
      width: 12,
      queries: [
        "SELECT strategy_id AS strategy, symbol, toString(deny_reason) AS reason, count() AS requests, max(timestamp) AS last FROM risk_log WHERE $__timeFilter(timestamp) GROUP BY strategy, symbol, reason ORDER BY requests DESC",
      ],
    },
    {
      title: "Commands",
      type: "table",
      source: "clickhouse",
      width: 12,
      queries: [
        "SELECT timestamp, toString(command) AS command, target, who, why, ok, message FROM commands WHERE $__timeFilter(timestamp) ORDER BY timestamp DESC LIMIT 50",
      ],
    },
    {
      title: "Strategy states",
      type: "table",
      source: "clickhouse",
      width: 12,
      queries: [
        "SELECT timestamp, strategy_id AS strategy, toString(prev_state) AS was, toString(state) AS is, toString(reason) AS reason, working_orders FROM strategy_status WHERE $__timeFilter(timestamp) ORDER BY timestamp DESC LIMIT 50",
      ],
    },
    {
      title: "Feeds",
      type: "table",
      source: "clickhouse",
      width: 12,
      queries: [
        "SELECT timestamp, if(symbol = '', 'account', symbol) AS feed, toString(state) AS state, toString(reason) AS reason, gaps, resyncs FROM feed_status WHERE $__timeFilter(timestamp) ORDER BY timestamp DESC LIMIT 50",
      ],
    },
  ],
};

const recorder: DashboardSpec = {
  uid: "hotlane-recorder",
  title: "hotlane: recorder",
  filters: false,
  panels: [
    {
      title: "State",
      type: "stat",
      source: "prometheus",
      width: 6,
      height: 4,
      queries: [["hotlane_recorder_state == 1", "{{target}}: {{state}}"]],
    },
    {
      title: "Alarm",
      type: "stat",
      source: "prometheus",
      width: 6,
      height: 4,
      queries: ["hotlane_recorder_alarm"],
    },
    {
      title: "Log cannot be written",
      type: "stat",
      source: "prometheus",
      width: 6,
      height: 4,
      queries: ["hotlane_journal_failed"],
    },
    {
      title: "Free disk",
      type: "stat",
      source: "prometheus",
      unit: "bytes",
      width: 6,
      height: 4,
      queries: ["hotlane_disk_free_bytes"],
    },
    {
      title: "Behind the log",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 12,
      queries: [["hotlane_recorder_lag_seconds", "{{target}}"]],
    },
    {
      title: "Rows per second",
      type: "timeseries",
      source: "prometheus",
      width: 12,
      queries: [["rate(hotlane_recorder_rows_total[$__rate_interval])", "{{table}}"]],
    },
    {
      title: "Log records per second",
      type: "timeseries",
      source: "prometheus",
      width: 8,
      queries: ["rate(hotlane_journal_records_total[$__rate_interval])"],
    },
    {
      title: "What a kill would lose",
      type: "timeseries",
      source: "prometheus",
      unit: "s",
      width: 8,
      queries: ["hotlane_journal_unacked_window_seconds"],
    },
    {
      title: "Sent again, shed, dropped",
      type: "timeseries",
      source: "prometheus",
      width: 8,
      queries: [
        ["hotlane_recorder_retries_total", "retries"],
        ["hotlane_recorder_shed_rows_total", "market rows shed"],
        ["hotlane_drops_total", "records dropped"],
      ],
    },
    {
      title: "Rows by table",
      type: "table",
      source: "clickhouse",
      width: 12,
      queries: [
        ["orders", "positions", "fills", "market_data", "latency", "feed_status", "journal_gaps"]
          .map(
            (name) =>
              `SELECT '${name}' AS table, count() AS rows, max(wal_position) AS position FROM ${name}`,
          )
          .join(" UNION ALL "),
      ],
    },
    {
      title: "Missing records",
      type: "stat",
      source: "clickhouse",
      width: 12,
      queries: [
        "SELECT sum(lost_count) AS lost, count() AS gaps FROM journal_gaps WHERE $__timeFilter(timestamp)",
      ],
    },
    {
      title: "Market rows",
      type: "timeseries",
      source: "clickhouse",
      width: 24,
      queries: [
        "SELECT $__timeInterval(local_time) AS time, concat(symbol, ' ', toString(kind)) AS name, count() AS rows FROM market_data WHERE $__timeFilter(local_time) GROUP BY time, name ORDER BY time",
      ],
    },
  ],
};

export const DASHBOARDS: readonly DashboardSpec[] = [strategy, lanes, risk, recorder];
