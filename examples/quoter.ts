// A stateless quoter in a few lines: two levels per side, leaning against the position. It says what it wants;
// the runner keeps, moves, places and cancels. The same function runs in backtest and live.
//
//   [[strategies]]
//   name = "two-levels"
//   module = "./examples/quoter.ts"
//   instruments = ["ETHUSDT"]
import { defineStrategy } from "hotlane";

export default defineStrategy({
  name: "two-levels",
  params: {
    half_spread_ticks: { type: "int", default: 4, min: 1, max: 10_000, unit: "ticks" },
    level_step_ticks: { type: "int", default: 6, min: 1, max: 10_000, unit: "ticks" },
    lean_ticks: { type: "decimal", default: 8, min: 0, max: 1000, unit: "ticks at max_position" },
    order_qty: { type: "decimal", default: "0.05", min: "0.001", max: "10", unit: "base" },
    max_position: { type: "decimal", default: "0.4", min: "0.001", max: "100", unit: "base" },
    min_move_ticks: { type: "int", default: 3, min: 1, max: 1000, unit: "ticks" },
  },
  subscribe: ["market_data.bbo"],
  policy: { minMoveParam: "min_move_ticks" },

  quote(ctx, out) {
    const p = ctx.params;
    const most = ctx.lots(p.max_position);
    const qty = ctx.lots(p.order_qty);
    const fair = ctx.midTicks - (p.lean_ticks * ctx.positionLots) / most;
    for (let level = 0; level < 2; level++) {
      const away = p.half_spread_ticks + level * p.level_step_ticks;
      const reach = qty * (level + 1);
      if (ctx.positionLots + reach <= most) out.bid(Math.floor(fair - away), qty);
      if (ctx.positionLots - reach >= -most) out.ask(Math.ceil(fair + away), qty);
    }
  },
});
