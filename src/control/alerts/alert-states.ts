// Which alerts are pending or firing, and when somebody is to be told: once when an alert begins, again after `repeat`
// while it lasts, once when it ends. Firing alerts are kept in a file, so that a restart does not tell them anew. Cold.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Labels } from "../metric-families.ts";
import type { AlertRule, Severity } from "./alert-rules.ts";
import { keyOf, type RuleValue } from "./rule-values.ts";

export interface AlertMessage {
  /** Equal for every message of one occurrence of one alert. */
  readonly id: string;
  readonly state: "firing" | "resolved";
  readonly rule: string;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly value: number;
  readonly summary: string;
  /** ISO time since when the condition holds. */
  readonly since: string;
}

interface Active {
  readonly rule: string;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly summary: string;
  readonly sinceMs: number;
  value: number;
  /** When it was last told; null: still pending. */
  toldMs: number | null;
}

export class AlertStates {
  private readonly active = new Map<string, Active>();
  private readonly repeatMs: number;
  private readonly file: string;
  private readonly tell: (message: AlertMessage) => void;

  /** `file`: where firing alerts survive a restart. A file that cannot be read is as if absent. */
  constructor(repeatMs: number, file: string, tell: (message: AlertMessage) => void) {
    this.repeatMs = repeatMs;
    this.file = file;
    this.tell = tell;
    for (const [key, alert] of readActive(file)) this.active.set(key, alert);
  }

  get firing(): number {
    return [...this.active.values()].filter((alert) => alert.toldMs !== null).length;
  }

  /** All present values of a rule: what is not among them any more, or within bounds, ends. */
  update(rule: AlertRule, values: readonly RuleValue[], nowMs: number): void {
    const beyond = new Map<string, RuleValue>();
    for (const value of values)
      if (isBeyond(rule, value.value)) beyond.set(`${rule.name}{${keyOf(value.labels, [])}}`, value);
    let changed = false;
    for (const [key, value] of beyond) changed = this.hold(key, rule, value, nowMs) || changed;
    for (const [key, alert] of this.active) {
      if (alert.rule !== rule.name || beyond.has(key)) continue;
      this.active.delete(key);
      if (alert.toldMs === null) continue;
      this.tell(messageOf(key, alert, "resolved"));
      changed = true;
    }
    if (changed) this.save();
  }

  /** Rules that are gone take their alerts with them. */
  forgetOthers(rules: readonly AlertRule[]): void {
    const names = new Set(rules.map((rule) => rule.name));
    for (const [key, alert] of this.active) if (!names.has(alert.rule)) this.active.delete(key);
  }

  /** True: somebody was told. */
  private hold(key: string, rule: AlertRule, { labels, value }: RuleValue, nowMs: number): boolean {
    const { name, severity, summary } = rule;
    let alert = this.active.get(key);
    if (alert === undefined) {
      alert = { rule: name, severity, labels, summary, sinceMs: nowMs, value, toldMs: null };
      this.active.set(key, alert);
    }
    alert.value = value;
    const due =
      alert.toldMs === null ? nowMs - alert.sinceMs >= rule.forMs : nowMs - alert.toldMs >= this.repeatMs;
    if (!due) return false;
    alert.toldMs = nowMs;
    this.tell(messageOf(key, alert, "firing"));
    return true;
  }

  private save(): void {
    const firing = [...this.active].filter(([, alert]) => alert.toldMs !== null);
    writeFileSync(`${this.file}.new`, JSON.stringify(firing), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}

const isBeyond = (rule: AlertRule, value: number): boolean =>
  (rule.above !== undefined && value > rule.above) || (rule.below !== undefined && value < rule.below);

function messageOf(key: string, alert: Active, state: AlertMessage["state"]): AlertMessage {
  const { rule, severity, labels, value, summary, sinceMs } = alert;
  const since = new Date(sinceMs).toISOString();
  return { id: `${key}@${since}`, state, rule, severity, labels, value, summary, since };
}

function readActive(file: string): [string, Active][] {
  if (!existsSync(file)) return [];
  try {
    return JSON.parse(readFileSync(file, "utf8")) as [string, Active][];
  } catch {
    return [];
  }
}
