// Event-driven stateless market maker on the obi_mm_factors graph (order book imbalance, volatility, stop
// loss): each look is a pure function of what the context shows → the complete set of wanted orders.
//
//   fair     = mid + alpha_ticks · alpha − skew_ticks · position / max_position
//   half     = half_spread_ticks + vol_mult · volatility · mid
//   bid, ask = fair ∓ half, never through the touch, further levels level_step_ticks apart
import type { StrategyContext } from "../context.ts";
import { defineStrategy } from "../define-strategy.ts";
import type { Quotes } from "../quotes.ts";

const ALPHA = 0;
const VOLATILITY = 1;
const STOP_LOSS = 2;
/** Values of stop_action. */
const STOP_IGNORE = 0;
const STOP_PULL = 2;

const params = {
  order_qty: { type: "decimal", default: "0.004", min: "0.000001", max: "1000000", unit: "base" },
  max_position: {
    type: "decimal",
    default: "0.04",
    min: "0.000001",
    max: "1000000",
    unit: "base",
    description: "beyond it only the reducing side is quoted",
  },
  half_spread_ticks: { type: "decimal", default: 3, min: 0, max: 100_000, unit: "ticks" },
  alpha_ticks: { type: "decimal", default: 2, min: -10_000, max: 10_000, unit: "ticks per unit of alpha" },
  alpha_cap: { type: "decimal", default: 3, min: 0, max: 100, description: "|alpha| counts up to this" },
  skew_ticks: { type: "decimal", default: 10, min: 0, max: 100_000, unit: "ticks at max_position" },
  vol_mult: { type: "decimal", default: "0.5", min: 0, max: 1000, unit: "× volatility" },
  levels: { type: "int", default: 1, min: 1, max: 8 },
  level_step_ticks: { type: "int", default: 20, min: 1, max: 100_000, unit: "ticks" },
  min_move_ticks: { type: "int", default: 8, min: 1, max: 100_000, unit: "ticks" },
  stop_action: {
    type: "enum",
    default: "reduce",
    values: ["ignore", "reduce", "pull"],
    description: "while stop_loss is 1: quote on, quote only to reduce, or quote nothing",
  },
} as const;

type Context = StrategyContext<typeof params>;

function quote(ctx: Context, out: Quotes): void {
  const p = ctx.params;
  const alpha = ctx.factors[ALPHA];
  const volatility = ctx.factors[VOLATILITY];
  const stop = ctx.factors[STOP_LOSS];
  // Not ready: no opinion, no orders. The stop has the longest window (1000 volatilities): until it is full
  // there is no stop yet, and the limits of the gate are what protects.
  if (Number.isNaN(alpha + volatility)) return;
  const stopped = stop === 1 && p.stop_action !== STOP_IGNORE;
  if (stopped && p.stop_action === STOP_PULL) return;
  const position = ctx.positionLots;
  const most = Math.max(1, Math.min(ctx.lots(p.max_position), ctx.maxPositionLots));
  const mid = ctx.midTicks;
  const lean = Math.max(-p.alpha_cap, Math.min(p.alpha_cap, alpha));
  const fair = mid + p.alpha_ticks * lean - (p.skew_ticks * position) / most;
  const half = p.half_spread_ticks + p.vol_mult * volatility * mid;
  const qty = ctx.lots(p.order_qty);
  const step = ctx.tickStep;
  const bid = Math.min(Math.floor((fair - half) / step) * step, ctx.bidPxTicks);
  const ask = Math.max(Math.ceil((fair + half) / step) * step, ctx.askPxTicks);
  const gap = Math.max(step, Math.round(p.level_step_ticks / step) * step);
  for (let level = 0; level < p.levels; level++) {
    const reach = qty * (level + 1);
    if (stopped ? position <= -reach : position + reach <= most) out.bid(bid - level * gap, qty);
    if (stopped ? position >= reach : position - reach >= -most) out.ask(ask + level * gap, qty);
  }
}

export default defineStrategy({
  name: "obi-mm",
  params,
  subscribe: ["market_data.signal", "market_data.bbo"],
  factors: ["alpha", "volatility", "stop_loss"],
  policy: { replace: "amend", minMoveParam: "min_move_ticks", maxRequests: 4 },
  quote,
});
