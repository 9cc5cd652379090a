// Quotes far from the touch, and breaks on request: a file in HOTLANE_TEST_FAULTS says which thread hangs or ends.
//   hang-execution   onTick does not return while the file is there   exit-execution   the execution lane's worker ends
//   hang-main        main's thread is held up while the file is there
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";

const faults = process.env["HOTLANE_TEST_FAULTS"] ?? "";
const asked = (fault: string): boolean => faults !== "" && existsSync(join(faults, fault));

// Main imports strategies for their parameters.
if (Bun.isMainThread && faults !== "") {
  setInterval(() => {
    while (asked("hang-main"));
  }, 5);
}

export default defineStrategy({
  name: "hangs",
  params: { offset_ticks: { type: "int", default: 400, min: 0, max: 100_000 } },
  subscribe: ["system.tick"],
  tickMs: 50,
  policy: { replace: "amend", minMoveTicks: 50 },
  onTick() {
    if (asked("exit-execution")) process.exit(3);
    while (asked("hang-execution")) for (let i = 0; i < 1e6; i++);
  },
  quote(ctx, out) {
    const step = ctx.tickStep;
    out.bid(Math.floor((ctx.bidPxTicks - ctx.params.offset_ticks) / step) * step, ctx.lots(0.05));
    out.ask(Math.ceil((ctx.askPxTicks + ctx.params.offset_ticks) / step) * step, ctx.lots(0.05));
  },
});
