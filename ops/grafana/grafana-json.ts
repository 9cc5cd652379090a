// Grafana's dashboard JSON from short declarations: rows of panels, each with its queries. Pure; build.ts writes files.

export type Source = "clickhouse" | "prometheus";

export interface PanelSpec {
  readonly title: string;
  readonly type: "stat" | "timeseries" | "table" | "heatmap" | "bargauge";
  readonly source: Source;
  /** SQL or PromQL; with a legend for PromQL. */
  readonly queries: readonly (string | readonly [query: string, legend: string])[];
  readonly unit?: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
}

export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  /** Strategy and symbol as variables. */
  readonly filters: boolean;
  readonly panels: readonly PanelSpec[];
}

export const DATASOURCES = {
  clickhouse: { type: "grafana-clickhouse-datasource", uid: "hotlane-clickhouse" },
  prometheus: { type: "prometheus", uid: "hotlane-prometheus" },
} as const;

export const VARIABLES = {
  strategy: "SELECT DISTINCT strategy_id FROM orders_latest ORDER BY strategy_id",
  symbol: "SELECT DISTINCT symbol FROM orders_latest ORDER BY symbol",
} as const;

const COLUMNS = 24;
const HEIGHT = 8;

export function dashboard(spec: DashboardSpec): Record<string, unknown> {
  return {
    uid: spec.uid,
    title: spec.title,
    tags: ["hotlane"],
    timezone: "utc",
    schemaVersion: 39,
    version: 1,
    refresh: "5s",
    time: { from: "now-15m", to: "now" },
    templating: { list: spec.filters ? Object.entries(VARIABLES).map(variable) : [] },
    panels: layOut(spec.panels),
  };
}

function variable([name, query]: [string, string]) {
  return {
    name,
    label: name,
    type: "query",
    datasource: DATASOURCES.clickhouse,
    query,
    refresh: 2,
    multi: true,
    includeAll: true,
    current: { selected: true, text: ["All"], value: ["$__all"] },
  };
}

/** Left to right, a new row when the next panel does not fit. */
function layOut(panels: readonly PanelSpec[]) {
  let [x, y, rowHeight] = [0, 0, 0];
  return panels.map((panel, i) => {
    const h = panel.height ?? HEIGHT;
    if (x + panel.width > COLUMNS) {
      x = 0;
      y += rowHeight;
      rowHeight = 0;
    }
    const gridPos = { x, y, w: panel.width, h };
    x += panel.width;
    rowHeight = Math.max(rowHeight, h);
    return { id: i + 1, gridPos, ...body(panel) };
  });
}

function body(panel: PanelSpec) {
  const datasource = DATASOURCES[panel.source];
  return {
    type: panel.type,
    title: panel.title,
    datasource,
    targets: panel.queries.map((query, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      ...target(panel, query),
    })),
    fieldConfig: { defaults: panel.unit === undefined ? {} : { unit: panel.unit }, overrides: [] },
    options:
      panel.type === "stat"
        ? { reduceOptions: { calcs: ["lastNotNull"], values: true }, textMode: "value_and_name" }
        : {},
  };
}

function target({ source, type }: PanelSpec, query: PanelSpec["queries"][number]) {
  const [text, legend] = typeof query === "string" ? [query, ""] : query;
  if (source === "prometheus")
    return {
      expr: text,
      legendFormat: legend === "" ? "__auto" : legend,
      range: type !== "table",
      instant: type === "table",
    };
  const series = type === "timeseries" || type === "heatmap";
  return {
    rawSql: text,
    editorType: "sql",
    queryType: series ? "timeseries" : "table",
    format: series ? 0 : 1,
  };
}
