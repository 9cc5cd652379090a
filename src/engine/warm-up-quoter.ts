// The strategy that the warm-up adds: moves both quotes at every look, so that every kind of request is made
// thousands of times. Never trades live.
import { defineStrategy } from "../strategy/define-strategy.ts";

const ORDER_QTY = 0.01;
const STEPS = 3;

/** Different at each look, on either side of the touch. */
let look = 0;

export default defineStrategy({
  name: "warm-up",
  params: {},
  subscribe: ["market_data.bbo", "market_data.trade", "system.tick", "order.fill"],
  policy: { replace: "amend", maxRequests: 8 },
  onOrder: () => {},
  quote: (ctx, out) => {
    look = (look + 1) % 64;
    const qty = ctx.lots(ORDER_QTY);
    // Now and then one side is left out: its order is cancelled and placed anew.
    const away = (1 + (look % STEPS)) * ctx.tickStep;
    if (look !== 21) out.bid(ctx.bidPxTicks - away, qty);
    if (look !== 42) out.ask(ctx.askPxTicks + away, qty);
  },
});
