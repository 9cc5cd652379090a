// Watches the engine's metrics (once a second) and SQL over the store, and tells routes what fires. Runs in main, off
// every hot lane; a rule or route that fails is logged and never stops the others. Cold.
import { join } from "node:path";
import type { MetricFamily } from "../metric-families.ts";
import { counter, gauge } from "../metric-families.ts";
import { type AlertConfig, isSql, type MetricRule, type SqlRule } from "./alert-rules.ts";
import { type AlertMessage, AlertStates } from "./alert-states.ts";
import { type AlertLog, Delivery } from "./delivery.ts";
import { type RuleValue, RuleValues } from "./rule-values.ts";

/** Runs a query; null: the store is not there (yet). */
export type SqlQuery = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[] | null>;

export interface AlertServiceOptions {
  readonly config: AlertConfig;
  readonly dataDir: string;
  readonly source: string;
  readonly metrics: () => readonly MetricFamily[];
  readonly query: SqlQuery | null;
  readonly log: AlertLog;
  readonly nowMs?: () => number;
  readonly periodMs?: number;
  readonly firstRetryMs?: number;
}

const PERIOD_MS = 1000;

export class AlertService {
  private readonly options: AlertServiceOptions;
  private readonly states: AlertStates;
  private readonly deliveries: readonly Delivery[];
  private readonly metricRules: readonly { readonly rule: MetricRule; readonly values: RuleValues }[];
  private readonly sqlRules: readonly { readonly rule: SqlRule; nextMs: number; busy: boolean }[];
  private timer: ReturnType<typeof setInterval> | null = null;

  constructor(options: AlertServiceOptions) {
    const { config, dataDir, source, log } = options;
    this.options = options;
    this.deliveries = config.routes.map(
      (route) => new Delivery(route, { source }, log, options.firstRetryMs),
    );
    this.states = new AlertStates(config.repeatMs, join(dataDir, "alerts.json"), (m) => this.tell(m));
    this.states.forgetOthers(config.rules);
    this.metricRules = config.rules.flatMap((rule) =>
      isSql(rule) ? [] : [{ rule, values: new RuleValues(rule) }],
    );
    this.sqlRules = config.rules.flatMap((rule) => (isSql(rule) ? [{ rule, nextMs: 0, busy: false }] : []));
  }

  start(): void {
    this.timer = setInterval(() => this.look(), this.options.periodMs ?? PERIOD_MS);
    this.timer.unref();
  }

  /** Gives routes `ms` for what is on its way. */
  async stop(ms = 2000): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await Promise.all(this.deliveries.map((delivery) => delivery.stop(ms)));
  }

  /** One round. */
  look(): void {
    const nowMs = this.options.nowMs?.() ?? Date.now();
    try {
      const families = this.options.metrics();
      for (const { rule, values } of this.metricRules)
        this.states.update(rule, values.read(families, nowMs), nowMs);
    } catch (error) {
      this.options.log("error", `alerts: metrics cannot be read: ${(error as Error).message}`);
    }
    for (const watched of this.sqlRules) {
      if (watched.busy || nowMs < watched.nextMs || this.options.query === null) continue;
      watched.nextMs = nowMs + watched.rule.every;
      watched.busy = true;
      void this.ask(watched.rule, nowMs).finally(() => {
        watched.busy = false;
      });
    }
  }

  families(): MetricFamily[] {
    const sum = (of: "delivered" | "lost"): number => this.deliveries.reduce((total, d) => total + d[of], 0);
    return [
      gauge("hotlane_alerts_firing", "Alerts that fire.", [[{}, this.states.firing]]),
      counter("hotlane_alert_messages_total", "Messages by what became of them.", [
        [{ result: "delivered" }, sum("delivered")],
        [{ result: "lost" }, sum("lost")],
      ]),
    ];
  }

  private async ask(rule: SqlRule, nowMs: number): Promise<void> {
    try {
      const rows = await this.options.query!(rule.sql);
      if (rows !== null) this.states.update(rule, rows.flatMap(sqlValue), nowMs);
    } catch (error) {
      this.options.log("warn", `alert rule ${rule.name}: ${(error as Error).message}`);
    }
  }

  private tell(message: AlertMessage): void {
    const { rule, labels, value, state, severity } = message;
    const level =
      state === "resolved" || severity === "info" ? "info" : severity === "warning" ? "warn" : "error";
    this.options.log(level, `alert ${state}: ${rule}`, { labels, value, severity });
    for (const delivery of this.deliveries) delivery.add(message);
  }
}

/** Column `value` is the value, every other column a label. A row without a number says nothing. */
function sqlValue(row: Readonly<Record<string, unknown>>): RuleValue[] {
  const { value, ...labels } = row;
  const number = value === null ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) return [];
  return [
    { value: number, labels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, String(v)])) },
  ];
}
