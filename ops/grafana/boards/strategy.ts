// The strategy dashboard as drawn in requirements document 1, section 2.5, and what explains its figures.
import type { DashboardSpec } from "../grafana-json.ts";

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variables
const CHOSEN = "strategy_id IN (${strategy:singlequote}) AND symbol IN (${symbol:singlequote})";
const WHO = "concat(strategy_id, ' ', symbol)";

export const strategy: DashboardSpec = {
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
