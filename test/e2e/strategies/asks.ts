// Places exactly what a test asks for, through the product's own context, and answers with the gate's verdict. A
// request is a file of HOTLANE_TEST_FAULTS: `ask-<name>.json` is done at the next tick, `then-<name>.json` at the
// next order event, whatever state the strategy is in then; answers go to `ask-<name>.answer`, `then-<name>.answer`.
import { existsSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NO_ORDER } from "../../../src/order/order-table.ts";
import type { StrategyContext } from "../../../src/strategy/context.ts";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";
import { DENY_NONE, SIDE_BUY, TIF_GTC, TIF_GTX, TIF_IOC } from "../../../src/wire/codes.ts";

export interface Ask {
  readonly side: "buy" | "sell";
  /** Ticks behind the own touch (negative: through it), or a factor of the mid. */
  readonly behind?: number;
  readonly ofMid?: number;
  /** Value in the quote currency, or lots. */
  readonly usdt?: number;
  readonly lots?: number;
  readonly tif?: "gtx" | "gtc" | "ioc";
  readonly cancelAll?: boolean;
  /** Asked again at every tick until the gate gives this code. */
  readonly until?: number;
  /** Waits for a fill, where any order event would do. */
  readonly onFill?: boolean;
}

const TICK = 0.01;
const TIFS = { gtx: TIF_GTX, gtc: TIF_GTC, ioc: TIF_IOC };
const dir = process.env["HOTLANE_TEST_FAULTS"] ?? "";
const fileOf = (kind: string, ctx: StrategyContext) => join(dir, `${kind}-${ctx.name}.json`);

function take(kind: string, ctx: StrategyContext): void {
  const file = fileOf(kind, ctx);
  if (dir === "" || !existsSync(file)) return;
  const ask: Ask = JSON.parse(readFileSync(file, "utf8"));
  if (ask.onFill === true && !(ctx.fillQtyLots > 0)) return;
  const code = perform(ctx, ask);
  if (ask.until !== undefined && code !== ask.until) return;
  unlinkSync(file);
  const answer = join(dir, `${kind}-${ctx.name}.answer`);
  writeFileSync(`${answer}.new`, JSON.stringify({ code }));
  renameSync(`${answer}.new`, answer);
}

function perform(ctx: StrategyContext, ask: Ask): number {
  if (ask.cancelAll === true) {
    ctx.cancelAll();
    return DENY_NONE;
  }
  const buy = ask.side === "buy";
  const behind = ask.behind ?? 0;
  // A book that is not synced shows no price: the last trade stands in, the gate must refuse before it looks.
  const touch = (buy ? ctx.bidPxTicks : ctx.askPxTicks) || ctx.lastTradePxTicks || 250_000;
  const px =
    ask.ofMid === undefined ? touch + (buy ? -behind : behind) : Math.round(ctx.midTicks * ask.ofMid);
  const qty = ask.lots ?? ctx.lots((ask.usdt ?? 100) / (px * TICK));
  const slot = ctx.place(buy ? SIDE_BUY : 2, px, qty, TIFS[ask.tif ?? "gtx"]);
  return slot === NO_ORDER ? ctx.lastDenyCode : DENY_NONE;
}

export default defineStrategy({
  name: "asks",
  params: {},
  subscribe: ["system.tick", "order.*", "market_data.trade"],
  onTick: (ctx) => take("ask", ctx),
  onOrder: (ctx) => take("then", ctx),
});
