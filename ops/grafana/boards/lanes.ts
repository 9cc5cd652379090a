// Lanes and latency: stages, stalls, rings, feed, and the way of orders to the venue and back.
import type { DashboardSpec } from "../grafana-json.ts";

const quantiles = (metric: string): (readonly [string, string])[] =>
  [0.5, 0.99, 0.999].map((q) => [
    `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket[$__rate_interval])))`,
    `p${q * 100}`,
  ]);

export const lanes: DashboardSpec = {
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
