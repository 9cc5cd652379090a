// The parts of the result (pnl-attribution.ts) as they grew over the run: at each recorded state, what fills had captured,
// what was paid, and, as the rest of the account's change, what the market's move on the position gave. Cold.
import { equityCurve } from "./metrics.ts";
import { gainOf } from "./pnl-attribution.ts";
import type { ResultInstrument } from "./run-result.ts";
import type { SessionFacts } from "./session-facts.ts";

export interface PnlCurve {
  readonly tsNs: Float64Array;
  readonly spread: Float64Array;
  readonly inventory: Float64Array;
  /** As they change the account: fees are negative. */
  readonly costs: Float64Array;
  readonly total: Float64Array;
}

/** Over instruments of one currency; costs are funding − fees. */
export function pnlCurve(facts: SessionFacts, members: readonly ResultInstrument[]): PnlCurve {
  const { tsNs, equity: total } = equityCurve(facts.result, members);
  const wanted = new Set(members.map((m) => m.index));
  const spread = new Float64Array(tsNs.length);
  const costs = new Float64Array(tsNs.length);
  const { fills, instruments } = facts.result;
  const column = (name: (typeof fills.names)[number]): Float64Array => fills.values(name);
  const [of, side, px] = [column("instrument"), column("side"), column("pxTicks")];
  const [lots, fee, mid, at] = [column("qtyLots"), column("fee"), column("mid0Ticks"), column("exchTsNs")];
  const paid = [...facts.funding].sort((a, b) => a.tsNs - b.tsNs);
  let [fill, funding, captured, cost] = [0, 0, 0, 0];
  for (let row = 0; row < tsNs.length; row++) {
    for (; fill < fills.rows && at[fill]! <= tsNs[row]!; fill++) {
      if (!wanted.has(of[fill]!)) continue;
      if (!Number.isNaN(mid[fill]!))
        captured += gainOf(instruments[of[fill]!]!, side[fill]! * lots[fill]!, px[fill]!, mid[fill]!);
      if (!Number.isNaN(fee[fill]!)) cost -= fee[fill]!;
    }
    for (; funding < paid.length && paid[funding]!.tsNs <= tsNs[row]!; funding++)
      if (wanted.has(paid[funding]!.instrument)) cost += paid[funding]!.amount;
    spread[row] = captured;
    costs[row] = cost;
  }
  const inventory = total.map((value, row) => value - spread[row]! - costs[row]!);
  return { tsNs, spread, inventory, costs, total };
}
