// How orders were filled and what the market did around them. Every figure: docs/analytics.md. Cold.
import { ACTION_CANCEL, ACTION_MODIFY, ACTION_PLACE, ORDER_CANCELED, ORDER_REJECTED } from "../wire/codes.ts";
import { ratio } from "./equity-metrics.ts";
import { valueOfLots } from "./metrics.ts";
import { type Spread, spreadOf } from "./quantiles.ts";
import { CURVE_NS, type SessionFacts } from "./session-facts.ts";

export interface FillAnalysis {
  readonly orders: number;
  readonly fills: number;
  readonly value: number;
  /** Orders with a fill ÷ orders that the venue took. */
  readonly fillRate: number;
  readonly qtyFillRate: number;
  readonly makerShare: number;
  /** Cancel requests ÷ place requests, and orders that ended canceled ÷ orders that the venue took. */
  readonly cancelsPerOrder: number;
  readonly cancelRatio: number;
  readonly modifiesPerOrder: number;
  readonly rejectRatio: number;
  /** side · (price − mid) ÷ mid, + = worse, weighted by value, bps. */
  readonly slippageDecisionBps: number;
  readonly slippageArrivalBps: number;
  readonly slippageFillBps: number;
  readonly timeToFillNs: Spread;
  readonly queueWaitNs: Spread;
  /** Mean gain against the price at CURVE_NS after the fill, weighted by value, bps. */
  readonly markOutsBps: readonly number[];
  /** Mean move of the mid in favour of the fill since the fill, bps; negative = adverse selection. */
  readonly adverseBps: readonly number[];
}

/** Over the orders and fills that `of` takes (strategy and instrument of the row). */
export function analyseFills(
  facts: SessionFacts,
  of: (strategy: number, instrument: number) => boolean,
): FillAnalysis {
  return { ...orderFigures(facts, of), ...fillFigures(facts, of) };
}

type Of = (strategy: number, instrument: number) => boolean;
type OrderFigures = Pick<
  FillAnalysis,
  | "orders"
  | "fillRate"
  | "qtyFillRate"
  | "cancelsPerOrder"
  | "cancelRatio"
  | "modifiesPerOrder"
  | "rejectRatio"
>;

function orderFigures({ result, requests }: SessionFacts, of: Of): OrderFigures {
  const { orders } = result;
  const column = (name: (typeof orders.names)[number]): Float64Array => orders.values(name);
  const [strategy, instrument, state] = [column("strategy"), column("instrument"), column("state")];
  const [exch, qty, filled] = [column("exchTsNs"), column("qtyLots"), column("filledLots")];
  let [count, taken, withFill, takenLots, filledLots, canceled, rejected] = [0, 0, 0, 0, 0, 0, 0];
  for (let row = 0; row < orders.rows; row++) {
    if (!of(strategy[row]!, instrument[row]!)) continue;
    count++;
    if (state[row] === ORDER_REJECTED) rejected++;
    if (Number.isNaN(exch[row]!) || state[row] === ORDER_REJECTED) continue;
    taken++;
    takenLots += qty[row]!;
    filledLots += filled[row]!;
    if (filled[row]! > 0) withFill++;
    if (state[row] === ORDER_CANCELED) canceled++;
  }
  const sent = new Map<number, number>();
  const [by, on, action] = [
    requests.values("strategy"),
    requests.values("instrument"),
    requests.values("action"),
  ];
  for (let row = 0; row < requests.rows; row++)
    if (of(by[row]!, on[row]!)) sent.set(action[row]!, (sent.get(action[row]!) ?? 0) + 1);
  const requested = (kind: number): number => ratio(sent.get(kind) ?? 0, sent.get(ACTION_PLACE) ?? 0);
  return {
    orders: count,
    fillRate: ratio(withFill, taken),
    qtyFillRate: ratio(filledLots, takenLots),
    cancelsPerOrder: requested(ACTION_CANCEL),
    modifiesPerOrder: requested(ACTION_MODIFY),
    cancelRatio: ratio(canceled, taken),
    rejectRatio: ratio(rejected, count),
  };
}

/** A mean weighted by value over the rows where the figure is known. */
class WeightedMean {
  private sum = 0;
  private weight = 0;

  add(value: number, weight: number): void {
    if (!Number.isFinite(value)) return;
    this.sum += value * weight;
    this.weight += weight;
  }

  get bps(): number {
    return ratio(this.sum, this.weight) * 1e4;
  }
}

function fillFigures(facts: SessionFacts, of: Of): Omit<FillAnalysis, keyof OrderFigures> {
  const { result, orderOfFill, orderMids, curveTicks } = facts;
  const { fills, orders, instruments } = result;
  const column = (name: (typeof fills.names)[number]): Float64Array => fills.values(name);
  const [strategy, instrument, side] = [column("strategy"), column("instrument"), column("side")];
  const [px, lots, maker, exch] = [column("pxTicks"), column("qtyLots"), column("maker"), column("exchTsNs")];
  const [mid, wait, arrived] = [column("mid0Ticks"), column("queueWaitNs"), orders.values("exchTsNs")];
  const slippage = { decision: new WeightedMean(), arrival: new WeightedMean(), fill: new WeightedMean() };
  const gains = CURVE_NS.map(() => new WeightedMean());
  const moves = CURVE_NS.map(() => new WeightedMean());
  const firstFill = new Map<number, number>();
  const waits: number[] = [];
  let [count, total, made] = [0, 0, 0];
  for (let row = 0; row < fills.rows; row++) {
    if (!of(strategy[row]!, instrument[row]!)) continue;
    count++;
    const value = valueOfLots(instruments[instrument[row]!]!, px[row]!, lots[row]!);
    total += value;
    if (maker[row] === 1) made += value;
    waits.push(wait[row]!);
    const order = orderOfFill[row]!;
    const cost = (from: number): number => (side[row]! * (px[row]! - from)) / from;
    slippage.fill.add(cost(mid[row]!), value);
    if (order >= 0) {
      slippage.decision.add(cost(orderMids.decisionTicks[order]!), value);
      slippage.arrival.add(cost(orderMids.arrivalTicks[order]!), value);
      firstFill.set(order, Math.min(firstFill.get(order) ?? Number.POSITIVE_INFINITY, exch[row]!));
    }
    for (let h = 0; h < CURVE_NS.length; h++) {
      const after = curveTicks[h]![row]!;
      gains[h]!.add((side[row]! * (after - px[row]!)) / px[row]!, value);
      moves[h]!.add((side[row]! * (after - mid[row]!)) / mid[row]!, value);
    }
  }
  return {
    fills: count,
    value: total,
    makerShare: ratio(made, total),
    slippageDecisionBps: slippage.decision.bps,
    slippageArrivalBps: slippage.arrival.bps,
    slippageFillBps: slippage.fill.bps,
    timeToFillNs: spreadOf([...firstFill].map(([order, ts]) => ts - arrived[order]!)),
    queueWaitNs: spreadOf(waits),
    markOutsBps: gains.map((g) => g.bps),
    adverseBps: moves.map((m) => m.bps),
  };
}
