// Clock-driven, with callbacks only: each second it adds a bid a few ticks under the touch, and gives up the
// oldest one when there are enough. Configure it as
//
//   [[strategies]]
//   name = "patient-bid"
//   module = "./examples/clock-driven.ts"
//   instruments = ["ETHUSDT"]
//   params = { distance_ticks = 5 }
import { defineStrategy, NO_ORDER, SIDE_BUY, TIF_GTX } from "hotlane";

export default defineStrategy({
  name: "patient-bid",
  params: {
    distance_ticks: { type: "int", default: 5, min: 0, max: 1000, unit: "ticks" },
    order_qty: { type: "decimal", default: "0.05", min: "0.001", max: "10", unit: "base" },
    max_orders: { type: "int", default: 3, min: 1, max: 10 },
  },
  subscribe: ["system.tick", "order.fill"],
  tickMs: 1000,

  onTick(ctx) {
    // Orders are walked oldest first.
    const oldest = ctx.firstBid;
    if (oldest !== NO_ORDER && ctx.workingOrders >= ctx.params.max_orders) {
      ctx.cancel(oldest);
      return;
    }
    // A tick comes whatever the book is; the gate would refuse, but asking first is cheaper.
    if (!ctx.synced) return;
    ctx.place(SIDE_BUY, ctx.bidPxTicks - ctx.params.distance_ticks, ctx.lots(ctx.params.order_qty), TIF_GTX);
  },

  onOrder(ctx) {
    // After a fill nothing more is bought until the position is gone.
    if (ctx.fillQtyLots > 0 && ctx.positionLots > 0) ctx.cancelAll();
  },
});
