// The recorder: how far behind the log it is, what it has sent, and what is missing.
import type { DashboardSpec } from "../grafana-json.ts";

export const recorder: DashboardSpec = {
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
