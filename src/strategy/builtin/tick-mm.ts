// Clock-driven market maker: looks at system.tick, joins the touch, leans against its inventory. Replaces by
// cancel and place, so each quote is a new order.
//
//   skew = skew_ticks · position / max_position
//   bid  = best bid − offset_ticks − max(0, skew)      ask = best ask + offset_ticks + max(0, −skew)
import type { StrategyContext } from "../context.ts";
import { defineStrategy } from "../define-strategy.ts";
import type { Quotes } from "../quotes.ts";

const params = {
  order_qty: { type: "decimal", default: "0.05", min: "0.000001", max: "1000000", unit: "base" },
  max_position: { type: "decimal", default: "0.5", min: "0.000001", max: "1000000", unit: "base" },
  offset_ticks: { type: "int", default: 0, min: 0, max: 100_000, unit: "ticks" },
  skew_ticks: { type: "decimal", default: 20, min: 0, max: 100_000, unit: "ticks at max_position" },
  min_move_ticks: { type: "int", default: 3, min: 1, max: 100_000, unit: "ticks" },
  tick_ms: { type: "int", default: 200, min: 10, max: 60_000, unit: "ms" },
} as const;

type Context = StrategyContext<typeof params>;

function quote(ctx: Context, out: Quotes): void {
  const p = ctx.params;
  const position = ctx.positionLots;
  const most = Math.max(1, Math.min(ctx.lots(p.max_position), ctx.maxPositionLots));
  const qty = ctx.lots(p.order_qty);
  const step = ctx.tickStep;
  const skew = (p.skew_ticks * position) / most;
  const bidBack = p.offset_ticks + Math.max(0, skew);
  const askBack = p.offset_ticks + Math.max(0, -skew);
  if (position + qty <= most) out.bid(Math.floor((ctx.bidPxTicks - bidBack) / step) * step, qty);
  if (position - qty >= -most) out.ask(Math.ceil((ctx.askPxTicks + askBack) / step) * step, qty);
}

export default defineStrategy({
  name: "tick-mm",
  params,
  subscribe: ["system.tick"],
  tickParam: "tick_ms",
  policy: { replace: "cancel-replace", minMoveParam: "min_move_ticks", maxRequests: 4 },
  quote,
});
