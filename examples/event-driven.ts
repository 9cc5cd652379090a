// Event-driven, with callbacks: follows aggressive trades. A trade larger than `big_trade` lots is joined with
// an immediate-or-cancel order at the touch, as long as the position stays within `max_position`.
//
//   [[strategies]]
//   name = "follow-trades"
//   module = "./examples/event-driven.ts"
//   instruments = ["BTCUSDT"]
//   params = { big_trade = "2.5" }
import { defineStrategy, SIDE_BUY, SIDE_SELL, TIF_IOC } from "hotlane";

export default defineStrategy({
  name: "follow-trades",
  params: {
    big_trade: { type: "decimal", default: "1", min: "0.001", max: "1000", unit: "base" },
    order_qty: { type: "decimal", default: "0.004", min: "0.001", max: "10", unit: "base" },
    max_position: { type: "decimal", default: "0.02", min: "0.001", max: "100", unit: "base" },
  },
  subscribe: ["market_data.trade"],

  onTrade(ctx) {
    const side = ctx.lastTradeSide;
    if (!ctx.synced || ctx.lastTradeQtyLots < ctx.lots(ctx.params.big_trade)) return;
    const qty = ctx.lots(ctx.params.order_qty);
    if (Math.abs(ctx.positionLots + side * qty) > ctx.lots(ctx.params.max_position)) return;
    if (side > 0) ctx.place(SIDE_BUY, ctx.askPxTicks, qty, TIF_IOC);
    else ctx.place(SIDE_SELL, ctx.bidPxTicks, qty, TIF_IOC);
  },
});
