// Does one thing at a time, as the test says through one parameter: command = number · 10^6 + action · 10^5 + ticks.
// A command that is denied (stale book, account not reconciled) is tried again at each tick until the next one.
//   1 bid `ticks` below the touch   2 ask above it   3 buy through the touch   4 cancel everything
//   5 move every order `ticks` away 6 reduce every order to half
import type { StrategyContext } from "../../../src/strategy/context.ts";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";
import { SIDE_BUY, SIDE_SELL, TIF_GTC, TIF_GTX } from "../../../src/wire/codes.ts";

const params = {
  command: { type: "int", default: 0, min: 0, max: 1_000_000_000_000 },
  order_qty: { type: "decimal", default: "0.05", min: "0.001", max: "10" },
} as const;
type Context = StrategyContext<typeof params>;

let done = 0;

/** False: try again at the next tick. */
function act(ctx: Context, action: number, ticks: number): boolean {
  const qty = ctx.lots(ctx.params.order_qty);
  if (action === 1) return ctx.place(SIDE_BUY, ctx.bidPxTicks - ticks, qty, TIF_GTX) >= 0;
  if (action === 2) return ctx.place(SIDE_SELL, ctx.askPxTicks + ticks, qty, TIF_GTX) >= 0;
  if (action === 3) return ctx.place(SIDE_BUY, ctx.askPxTicks + ticks, qty, TIF_GTC) >= 0;
  if (action === 4) ctx.cancelAll();
  else change(ctx, action === 6, ticks);
  return true;
}

function change(ctx: Context, halve: boolean, ticks: number): void {
  for (let o = ctx.firstBid; o >= 0; o = ctx.nextOrder(o)) {
    const leaves = ctx.orderLeavesLots(o);
    const px = ctx.orderPxTicks(o);
    if (halve) ctx.modify(o, px, Math.max(1, leaves >> 1));
    else ctx.modify(o, px - ticks, leaves);
  }
}

export default defineStrategy({
  name: "puppet",
  params,
  subscribe: ["system.tick"],
  tickMs: 10,
  onTick(ctx) {
    const { command } = ctx.params;
    const rest = command % 1_000_000;
    if (command === done) return;
    if (act(ctx, Math.floor(rest / 100_000), rest % 100_000)) done = command;
  },
});
