// Parameters and limits of the running strategies as text, with their schemas: what API and ctl show and
// check against. Main is the only one that changes them, so its copy follows the acknowledged commands. Cold.

import { parseDecimal, scaleTo } from "../core/decimal.ts";
import type { EnginePlan } from "../engine/engine-plan.ts";
import { type RiskSettings, STRATEGY_LIMITS } from "../risk/limits.ts";
import { describeParams, type ParamsSchema, slotValue } from "../strategy/params.ts";
import type { ValueSpec, ValuesView } from "./engine-control.ts";

interface Entry {
  readonly id: number;
  readonly schema: ParamsSchema;
  readonly specs: readonly ValueSpec[];
  readonly values: Record<string, string>;
  readonly limits: Record<string, string>;
}

const LIMIT_SPECS: readonly ValueSpec[] = STRATEGY_LIMITS.map((limit) => ({
  name: limit.name,
  type: limit.kind === "count" ? "int" : "decimal",
  default: "",
  min: "0",
  max: null,
  step: null,
  unit: limit.kind === "money" ? "settlement currency" : limit.kind === "qty" ? "base units" : "orders",
  values: [],
  description: limit.description,
}));

export class StrategyValues {
  private readonly entries = new Map<string, Entry>();

  constructor(plan: EnginePlan, risk: RiskSettings) {
    for (const strategy of plan.strategies) {
      const schema = plan.schemas[strategy.id]!;
      const specs = describeParams(schema);
      const given = strategy.params;
      this.entries.set(strategy.name, {
        id: strategy.id,
        schema,
        specs,
        values: Object.fromEntries(specs.map((s) => [s.name, String(given[s.name] ?? s.default)])),
        limits: Object.fromEntries(
          STRATEGY_LIMITS.map((l) => [l.name, String(strategy.limits[l.name] ?? configured(risk, l.name))]),
        ),
      });
    }
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  id(strategy: string): number | null {
    return this.entries.get(strategy)?.id ?? null;
  }

  parameters(strategy: string): ValuesView | null {
    const entry = this.entries.get(strategy);
    return entry === undefined ? null : { strategy, values: { ...entry.values }, schema: entry.specs };
  }

  limits(strategy: string): ValuesView | null {
    const entry = this.entries.get(strategy);
    return entry === undefined ? null : { strategy, values: { ...entry.limits }, schema: LIMIT_SPECS };
  }

  /** Slot and number of a checked parameter value, as CONTROL_SET_PARAMETER carries them. */
  parameterSlot(
    strategy: string,
    name: string,
    text: string,
  ): { readonly index: number; readonly value: number } {
    const { schema } = this.entries.get(strategy)!;
    return { index: Object.keys(schema).indexOf(name), value: slotValue(schema[name]!, text) };
  }

  /** Slot and number (1e-8 of money or base units, or a count) of a checked limit. */
  limitSlot(name: string, text: string): { readonly index: number; readonly value: number } {
    const index = STRATEGY_LIMITS.findIndex((l) => l.name === name);
    const decimals = STRATEGY_LIMITS[index]!.kind === "count" ? 0 : 8;
    return { index, value: Number(scaleTo(parseDecimal(text), decimals)) };
  }

  noteParameter(strategy: string, name: string, text: string): void {
    this.entries.get(strategy)!.values[name] = text;
  }

  noteLimit(strategy: string, name: string, text: string): void {
    this.entries.get(strategy)!.limits[name] = text;
  }
}

/** The configured default of a strategy limit; "" = none. */
function configured(risk: RiskSettings, name: string): string {
  const { maxOrderNotional, maxPositionNotional, maxWorkingOrders, dailyLoss } = risk.strategy;
  const known: Record<string, string> = {
    max_order_notional: maxOrderNotional,
    max_position_notional: maxPositionNotional,
    max_working_orders: String(maxWorkingOrders),
    daily_loss: dailyLoss,
  };
  return known[name] ?? "";
}
