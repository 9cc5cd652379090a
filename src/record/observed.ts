// What RiskDenied.observed means in the units of its instrument: the gate counts in ticks, lots and tick·lots.
import * as code from "../wire/codes.ts";
import type { InstrumentUnits } from "./session-units.ts";

const TICKS: ReadonlySet<number> = new Set([
  code.DENY_PRICE_RULE,
  code.DENY_PRICE_BAND,
  code.DENY_SELF_MATCH,
]);
const LOTS: ReadonlySet<number> = new Set([
  code.DENY_LOT_RULE,
  code.DENY_ORDER_QTY,
  code.DENY_POSITION_STRATEGY,
  code.DENY_POSITION_INSTRUMENT,
]);
const TICK_LOTS: ReadonlySet<number> = new Set([code.DENY_MIN_NOTIONAL, code.DENY_NOTIONAL]);
const MONEY_E8: ReadonlySet<number> = new Set([
  code.DENY_POSITION_ACCOUNT,
  code.DENY_DAILY_LOSS,
  code.DENY_DRAWDOWN,
]);
const NANOSECONDS: ReadonlySet<number> = new Set([code.DENY_BOOK_STALE, code.DENY_SUSPENDED]);

/** Price, quantity, settlement currency, seconds, or a count or state as it stands; docs/risk.md lists them. */
export function observedInUnits(denyCode: number, observed: number, of: InstrumentUnits): number {
  if (TICKS.has(denyCode)) return observed * of.tickSize;
  if (LOTS.has(denyCode)) return observed * of.lotSize;
  if (TICK_LOTS.has(denyCode)) return observed * of.tickLotValue;
  if (NANOSECONDS.has(denyCode)) return observed / 1e9;
  // Margin: what is missing, or, when nothing is, a ratio that is too small.
  const missing = denyCode === code.DENY_MARGIN && observed < 0;
  return MONEY_E8.has(denyCode) || missing ? observed / 1e8 : observed;
}
