// The same matching rules over plain objects, maps and filters: slow, and short enough to be read as the
// specification. The property tests hold MatchingEngine to it.

import type { QueueModel } from "../../../src/exchange/queue/queue-model.ts";
import { riskAverseQueue } from "../../../src/exchange/queue/risk-averse.ts";

export interface NaiveOrder {
  id: number;
  side: number;
  px: number;
  qty: number;
  leaves: number;
  front: number;
  traded: number;
  reduceOnly: boolean;
  tif: "gtc" | "gtx" | "ioc" | "fok";
  market: boolean;
  stp: "none" | "taker" | "maker" | "both";
  arrival: number;
}

export type NaiveEvent = string;

export class NaiveExchange {
  readonly events: NaiveEvent[] = [];
  position = 0;
  resting: NaiveOrder[] = [];
  private readonly levels = new Map<string, number>();
  private readonly taken = new Map<string, number>();
  private arrivals = 0;
  private readonly queue: QueueModel;

  constructor(queue: QueueModel = riskAverseQueue) {
    this.queue = queue;
  }

  qtyAt(side: number, px: number): number {
    return this.levels.get(`${side}:${px}`) ?? 0;
  }

  private prices(side: number): number[] {
    const out: number[] = [];
    for (const [key, qty] of this.levels) {
      const [s, px] = key.split(":").map(Number) as [number, number];
      if (s === side && qty > 0) out.push(px);
    }
    return out.sort((a, b) => side * (b - a));
  }

  private own(side: number): NaiveOrder[] {
    return this.resting
      .filter((o) => o.side === side)
      .sort((a, b) => side * (b.px - a.px) || a.arrival - b.arrival);
  }

  submit(order: Omit<NaiveOrder, "leaves" | "front" | "traded" | "arrival">): string {
    const limit = order.market ? order.side * Number.POSITIVE_INFINITY : order.px;
    if (order.reduceOnly && -order.side * this.position <= 0) return "reduceOnly";
    if (!order.market && order.tif === "gtx" && this.wouldTake(order.side, limit)) return "wouldTake";
    if (!order.market && order.tif === "fok") {
      const there = this.prices(-order.side)
        .filter((px) => order.side * (limit - px) >= 0)
        .reduce((sum, px) => sum + this.available(-order.side, px), 0);
      if (there < order.qty) return "notFillable";
    }
    const o: NaiveOrder = { ...order, px: limit, leaves: order.qty, front: 0, traded: 0, arrival: 0 };
    this.events.push(`new ${o.id}`);
    this.matchAndRest(o, !o.market && (o.tif === "gtc" || o.tif === "gtx"));
    this.expireReduceOnly();
    return "ok";
  }

  cancel(id: number): void {
    const o = this.resting.find((r) => r.id === id)!;
    this.end(o, "canceled");
  }

  modify(id: number, px: number, qty: number): void {
    const o = this.resting.find((r) => r.id === id)!;
    const executed = o.qty - o.leaves;
    if (qty <= executed || (o.tif === "gtx" && this.wouldTake(o.side, px))) {
      this.end(o, "canceled");
      return;
    }
    const keeps = px === o.px && qty <= o.qty;
    o.qty = qty;
    o.leaves = qty - executed;
    this.events.push(`amended ${id}`);
    if (keeps) return;
    this.resting = this.resting.filter((r) => r !== o);
    o.px = px;
    this.matchAndRest(o, true);
    this.expireReduceOnly();
  }

  wouldTake(side: number, px: number): boolean {
    return [...this.prices(-side), ...this.own(-side).map((o) => o.px)].some((p) => side * (px - p) >= 0);
  }

  depth(side: number, px: number, qty: number): void {
    const previous = this.qtyAt(side, px);
    let earlier = 0;
    for (const o of this.own(side).filter((r) => r.px === px)) {
      o.front = Math.max(earlier, this.queue.frontAfterDepth(o.front, o.traded, previous, qty));
      o.traded = 0;
      earlier = o.front;
    }
    this.levels.set(`${side}:${px}`, qty);
    this.taken.delete(`${side}:${px}`);
  }

  endDepth(): void {
    for (const side of [-1, 1]) {
      const best = this.prices(-side)[0];
      if (best === undefined) continue;
      for (const o of this.own(side)) if (side * (o.px - best) >= 0) this.fill(o, o.px, o.leaves, true);
    }
    this.expireReduceOnly();
  }

  trade(side: number, px: number, qty: number): void {
    let volume = qty;
    for (const o of this.own(-side)) {
      const through = side * (px - o.px);
      if (through < 0) continue;
      if (through > 0) {
        this.fill(o, o.px, o.leaves, true);
        continue;
      }
      const beyond = volume - o.front;
      o.front = Math.max(0, -beyond);
      o.traded += qty;
      const lots = Math.min(Math.floor(beyond + 1e-9), o.leaves);
      if (lots > 0) volume -= this.fill(o, o.px, lots, true);
    }
    this.expireReduceOnly();
  }

  private available(side: number, px: number): number {
    return this.qtyAt(side, px) - (this.taken.get(`${side}:${px}`) ?? 0);
  }

  private matchAndRest(o: NaiveOrder, rests: boolean): void {
    const reach = (px: number) => o.side * (o.px - px) >= 0;
    const levels = [...this.prices(-o.side), ...this.own(-o.side).map((r) => r.px)].filter(reach);
    const sorted = [...new Set(levels)].sort((a, b) => o.side * (a - b));
    for (const px of sorted) {
      if (!this.matchLevel(o, px)) return;
    }
    if (!rests) this.end(o, "expired");
    else {
      o.front = this.qtyAt(o.side, o.px);
      o.traded = 0;
      o.arrival = ++this.arrivals;
      this.resting.push(o);
    }
  }

  private matchLevel(o: NaiveOrder, px: number): boolean {
    let consumed = 0;
    for (const maker of this.own(-o.side).filter((r) => r.px === px)) {
      const ahead = Math.floor(maker.front) - consumed;
      if (ahead > 0) consumed += this.takeMarket(o, px, ahead);
      if (o.leaves === 0) return false;
      if (o.stp === "maker" || o.stp === "both") this.end(maker, "inMatch");
      if (o.stp === "taker" || o.stp === "both") {
        this.end(o, "inMatch");
        return false;
      }
      if (o.stp === "maker") continue;
      const lots = Math.min(this.allowed(o, o.leaves), this.allowed(maker, maker.leaves));
      if (lots > 0) {
        this.fill(maker, px, lots, true);
        this.fill(o, px, lots, false);
      } else if (this.allowed(maker, maker.leaves) === 0) this.end(maker, "expired");
      else this.end(o, "expired");
      if (o.leaves === 0) return false;
    }
    this.takeMarket(o, px, Number.POSITIVE_INFINITY);
    return o.leaves > 0;
  }

  private takeMarket(o: NaiveOrder, px: number, most: number): number {
    const lots = Math.min(this.available(-o.side, px), most, o.leaves);
    if (lots <= 0) return 0;
    const done = this.fill(o, px, lots, false);
    const key = `${-o.side}:${px}`;
    this.taken.set(key, (this.taken.get(key) ?? 0) + done);
    return done;
  }

  private allowed(o: NaiveOrder, lots: number): number {
    return o.reduceOnly ? Math.max(0, Math.min(lots, -o.side * this.position)) : lots;
  }

  private fill(o: NaiveOrder, px: number, wanted: number, maker: boolean): number {
    const lots = this.allowed(o, wanted);
    if (lots > 0) {
      o.leaves -= lots;
      this.position += o.side * lots;
      this.events.push(`fill ${o.id} ${px} ${lots} ${maker ? "maker" : "taker"}`);
    }
    if (o.leaves === 0) this.end(o, "filled");
    else if (lots < wanted) this.end(o, "expired");
    return lots;
  }

  private end(o: NaiveOrder, reason: string): void {
    this.events.push(`closed ${o.id} ${reason}`);
    o.leaves = 0;
    this.resting = this.resting.filter((r) => r !== o);
  }

  private expireReduceOnly(): void {
    for (const side of [1, -1]) {
      if (-side * this.position > 0) continue;
      for (const o of this.own(side)) if (o.reduceOnly) this.end(o, "expired");
    }
  }
}
