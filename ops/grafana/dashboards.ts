// The dashboards: strategy, lanes and latency, risk, recorder. SQL uses the ClickHouse plugin's macros and the two
// variables; tables and views are those of src/record/tables.ts.
import { lanes } from "./boards/lanes.ts";
import { recorder } from "./boards/recorder.ts";
import { risk } from "./boards/risk.ts";
import { strategy } from "./boards/strategy.ts";
import type { DashboardSpec } from "./grafana-json.ts";

export const DASHBOARDS: readonly DashboardSpec[] = [strategy, lanes, risk, recorder];
