import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { L2MarketBook } from "../../../src/exchange/l2-market-book.ts";
import type { MarketBook } from "../../../src/exchange/market-book.ts";
import {
  CLOSED_CANCELED,
  CLOSED_EXPIRED,
  CLOSED_FILLED,
  CLOSED_IN_MATCH,
  MatchingEngine,
  type MatchListener,
  REJECT_NOT_FILLABLE,
  REJECT_REDUCE_ONLY,
  REJECT_WOULD_TAKE,
} from "../../../src/exchange/matching-engine.ts";
import { STP_EXPIRE_MAKER, STP_NONE } from "../../../src/exchange/own-orders.ts";
import { LogProb2Queue } from "../../../src/exchange/queue/probability.ts";
import type { QueueModel } from "../../../src/exchange/queue/queue-model.ts";
import { riskAverseQueue } from "../../../src/exchange/queue/risk-averse.ts";
import { SortedBook } from "../../../src/exchange/sorted-book.ts";
import {
  ORDER_TYPE_LIMIT,
  ORDER_TYPE_MARKET,
  TIF_FOK,
  TIF_GTC,
  TIF_GTX,
  TIF_IOC,
} from "../../../src/wire/codes.ts";
import { NaiveExchange } from "./naive-exchange.ts";

const REASONS: Record<number, string> = {
  [CLOSED_FILLED]: "filled",
  [CLOSED_CANCELED]: "canceled",
  [CLOSED_EXPIRED]: "expired",
  [CLOSED_IN_MATCH]: "inMatch",
};

class Recorder implements MatchListener {
  readonly events: string[] = [];
  readonly slots = new Map<number, number>();
  engine!: MatchingEngine;

  onAccepted(slot: number): void {
    this.slots.set(this.id(slot), slot);
    this.events.push(`new ${this.id(slot)}`);
  }
  onAmended(slot: number): void {
    this.events.push(`amended ${this.id(slot)}`);
  }
  onFill(slot: number, px: number, lots: number, maker: boolean): void {
    this.events.push(`fill ${this.id(slot)} ${px} ${lots} ${maker ? "maker" : "taker"}`);
  }
  onClosed(slot: number, reason: number): void {
    this.events.push(`closed ${this.id(slot)} ${REASONS[reason]}`);
    this.slots.delete(this.id(slot));
  }
  private id(slot: number): number {
    return this.engine.orders.reference[slot]!;
  }
}

function makeEngine(queue: QueueModel = riskAverseQueue, book: MarketBook = new SortedBook()) {
  const recorder = new Recorder();
  const engine = new MatchingEngine(book, queue, recorder, { capacity: 256 });
  recorder.engine = engine;
  return { engine, recorder };
}

function bookOf(engine: MatchingEngine, bids: [number, number][], asks: [number, number][]): void {
  for (const [px, qty] of bids) engine.onDepth(1, px, qty);
  for (const [px, qty] of asks) engine.onDepth(-1, px, qty);
  engine.endDepth();
}

const limit = (
  engine: MatchingEngine,
  id: number,
  side: number,
  px: number,
  qty: number,
  tif = TIF_GTC,
  stp = STP_NONE,
) => engine.submit(side, ORDER_TYPE_LIMIT, tif, px, qty, false, stp, id);

describe("MatchingEngine", () => {
  test("a crossing GTC order walks the levels at their prices and rests what is left", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[99, 5]], [[100, 2], [101, 3], [103, 9]]); // biome-ignore format: a book reads as a row
    limit(engine, 1, 1, 101, 10);
    expect(recorder.events).toEqual(["new 1", "fill 1 100 2 taker", "fill 1 101 3 taker"]);
    const slot = recorder.slots.get(1)!;
    expect(engine.orders.leavesLots[slot]).toBe(5);
    expect(engine.orders.front[slot]).toBe(0);
  });

  test("lots taken by an own order are not there for the next one until the level changes", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [], [[100, 4]]);
    limit(engine, 1, 1, 100, 3, TIF_IOC);
    limit(engine, 2, 1, 100, 3, TIF_IOC);
    bookOf(engine, [], [[100, 4]]);
    limit(engine, 3, 1, 100, 3, TIF_IOC);
    expect(recorder.events.filter((e) => e.startsWith("fill"))).toEqual([
      "fill 1 100 3 taker",
      "fill 2 100 1 taker",
      "fill 3 100 3 taker",
    ]);
  });

  test("FOK is refused whole, GTX is refused when it would take, reduce-only when nothing can be reduced", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[99, 5]], [[100, 2]]);
    expect(limit(engine, 1, 1, 100, 3, TIF_FOK)).toBe(REJECT_NOT_FILLABLE);
    expect(limit(engine, 2, 1, 100, 3, TIF_GTX)).toBe(REJECT_WOULD_TAKE);
    expect(engine.submit(-1, ORDER_TYPE_LIMIT, TIF_GTC, 105, 1, true, STP_NONE, 3)).toBe(REJECT_REDUCE_ONLY);
    expect(recorder.events).toEqual([]);
    expect(limit(engine, 4, 1, 100, 2, TIF_FOK)).toBeGreaterThanOrEqual(0);
  });

  test("a market order takes through the book and its rest expires", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[99, 5], [90, 1]], []); // biome-ignore format: a book reads as a row
    engine.submit(-1, ORDER_TYPE_MARKET, TIF_GTC, 0, 7, false, STP_NONE, 1);
    expect(recorder.events).toEqual(["new 1", "fill 1 99 5 taker", "fill 1 90 1 taker", "closed 1 expired"]);
    expect(engine.positionLots).toBe(-6);
  });

  test("one trade's volume reaches own orders at a price in arrival order, after the lots ahead", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[99, 4]], [[101, 5]]);
    limit(engine, 1, 1, 99, 3);
    bookOf(engine, [[99, 6]], []);
    limit(engine, 2, 1, 99, 3);
    engine.onTrade(-1, 99, 5);
    expect(recorder.events.at(-1)).toBe("fill 1 99 1 maker");
    // Ahead of order 2: 2 more market lots (6 − 4 consumed ones) and the 2 leaves of order 1.
    engine.onTrade(-1, 99, 5);
    expect(recorder.events.slice(-3)).toEqual(["fill 1 99 2 maker", "closed 1 filled", "fill 2 99 1 maker"]);
  });

  test("a trade through an order's price and a crossing depth event fill it at its own price as maker", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[99, 4]], [[105, 5]]);
    limit(engine, 1, -1, 102, 3);
    limit(engine, 2, -1, 103, 3);
    engine.onTrade(1, 103, 1);
    expect(recorder.events).toContain("fill 1 102 3 maker");
    bookOf(engine, [[104, 1]], []);
    expect(recorder.events.slice(-2)).toEqual(["fill 2 103 2 maker", "closed 2 filled"]);
  });

  test("a smaller quantity at the same price keeps the place in the queue, any other change loses it", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[99, 4]], [[101, 5]]);
    limit(engine, 1, 1, 99, 5);
    bookOf(engine, [[99, 9]], []);
    const slot = recorder.slots.get(1)!;
    engine.modify(slot, 99, 3);
    expect(engine.orders.front[slot]).toBe(4);
    engine.modify(slot, 99, 4);
    expect(engine.orders.front[slot]).toBe(9);
    engine.modify(slot, 98, 4);
    expect(engine.orders.front[slot]).toBe(0);
    engine.modify(slot, 101, 4);
    expect(recorder.events.slice(-2)).toEqual(["fill 1 101 4 taker", "closed 1 filled"]);
  });

  test("self-trade prevention expires the resting order, or lets both trade when it is off", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[95, 1]], [[110, 1]]);
    limit(engine, 1, -1, 100, 2);
    limit(engine, 2, 1, 100, 1, TIF_GTC, STP_EXPIRE_MAKER);
    expect(recorder.events.slice(1)).toEqual(["new 2", "closed 1 inMatch"]);
    limit(engine, 3, -1, 100, 1, TIF_GTC, STP_NONE);
    expect(recorder.events.slice(3)).toEqual([
      "new 3",
      "fill 2 100 1 maker",
      "closed 2 filled",
      "fill 3 100 1 taker",
      "closed 3 filled",
    ]);
    expect(engine.positionLots).toBe(0);
  });

  test("a reduce-only order never turns the position and ends when there is nothing left to reduce", () => {
    const { engine, recorder } = makeEngine();
    bookOf(engine, [[99, 50]], [[100, 50]]);
    limit(engine, 1, 1, 100, 5, TIF_IOC);
    engine.submit(-1, ORDER_TYPE_LIMIT, TIF_GTC, 103, 8, true, STP_NONE, 2);
    engine.submit(-1, ORDER_TYPE_LIMIT, TIF_GTC, 104, 8, true, STP_NONE, 3);
    engine.onTrade(1, 105, 100);
    expect(recorder.events.slice(-3)).toEqual(["fill 2 103 5 maker", "closed 2 expired", "closed 3 expired"]);
    expect(engine.positionLots).toBe(0);
  });
});

type Step =
  | { kind: "depth"; rows: { side: number; px: number; qty: number }[] }
  | { kind: "trade"; side: number; px: number; qty: number }
  | {
      kind: "submit";
      side: number;
      px: number;
      qty: number;
      tif: "gtc" | "gtx" | "ioc" | "fok";
      market: boolean;
      reduceOnly: boolean;
      stp: "none" | "taker" | "maker" | "both";
    }
  | { kind: "cancel"; pick: number }
  | { kind: "modify"; pick: number; px: number; qty: number };

const side = fc.constantFrom(1, -1);
const px = fc.integer({ min: 90, max: 110 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("depth" as const),
      rows: fc.array(fc.record({ side, px, qty: fc.integer({ min: 0, max: 12 }) }), {
        minLength: 1,
        maxLength: 5,
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("trade" as const),
      side,
      px,
      qty: fc.integer({ min: 1, max: 15 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      side,
      px,
      qty: fc.integer({ min: 1, max: 9 }),
      tif: fc.constantFrom("gtc", "gtc", "gtx", "ioc", "fok"),
      market: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      reduceOnly: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
      stp: fc.constantFrom("none", "maker", "taker", "both"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), pick: fc.nat(50) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("modify" as const),
      pick: fc.nat(50),
      px,
      qty: fc.integer({ min: 1, max: 12 }),
    }),
  },
);

const TIFS = { gtc: TIF_GTC, gtx: TIF_GTX, ioc: TIF_IOC, fok: TIF_FOK };
const STPS = { none: 0, taker: 1, maker: 2, both: 3 };

function runBoth(steps: Step[], queue: QueueModel, book: MarketBook = new SortedBook()): void {
  const { engine, recorder } = makeEngine(queue, book);
  const naive = new NaiveExchange(queue);
  const submitted = new Map<number, { side: number; qty: number }>();
  let id = 0;
  for (const s of steps) {
    if (s.kind === "depth") {
      for (const r of s.rows) {
        // A real book never rests crossed against itself.
        const crosses = r.qty > 0 && r.side * (r.px - engine.book.bestTicks(-r.side)) >= 0;
        if (crosses) continue;
        engine.onDepth(r.side, r.px, r.qty);
        naive.depth(r.side, r.px, r.qty);
      }
      engine.endDepth();
      naive.endDepth();
    } else if (s.kind === "trade") {
      engine.onTrade(s.side, s.px, s.qty);
      naive.trade(s.side, s.px, s.qty);
    } else if (s.kind === "submit") {
      id++;
      submitted.set(id, { side: s.side, qty: s.qty });
      const type = s.market ? ORDER_TYPE_MARKET : ORDER_TYPE_LIMIT;
      const result = engine.submit(s.side, type, TIFS[s.tif], s.px, s.qty, s.reduceOnly, STPS[s.stp], id);
      expect(result >= 0).toBe(naive.submit({ id, ...s }) === "ok");
    } else {
      const open = [...recorder.slots.keys()];
      if (open.length === 0) continue;
      const chosen = open[s.pick % open.length]!;
      if (s.kind === "cancel") {
        engine.cancel(recorder.slots.get(chosen)!);
        naive.cancel(chosen);
      } else {
        engine.modify(recorder.slots.get(chosen)!, s.px, s.qty);
        naive.modify(chosen, s.px, s.qty);
      }
    }
  }
  expect(recorder.events).toEqual(naive.events);
  expect(engine.positionLots).toBe(naive.position);
  checkConservation(engine, recorder, submitted);
}

function checkConservation(
  engine: MatchingEngine,
  recorder: Recorder,
  submitted: Map<number, { side: number; qty: number }>,
): void {
  const filled = new Map<number, number>();
  let position = 0;
  for (const event of recorder.events) {
    const [kind, idText, , lots] = event.split(" ");
    if (kind !== "fill") continue;
    const order = Number(idText);
    filled.set(order, (filled.get(order) ?? 0) + Number(lots));
    position += submitted.get(order)!.side * Number(lots);
  }
  expect(engine.positionLots).toBe(position);
  for (const [order, slot] of recorder.slots) {
    expect(engine.orders.leavesLots[slot]! + (filled.get(order) ?? 0)).toBe(engine.orders.qtyLots[slot]!);
  }
  expect(engine.orders.count).toBe(recorder.slots.size);
}

describe("MatchingEngine against the naive model", () => {
  test("risk-averse queue: identical events, conservation of lots (seed 20240808)", () => {
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) =>
      runBoth(steps, riskAverseQueue),
    );
    fc.assert(property, { seed: 20240808, numRuns: 1500 });
  });

  test("LogProb2 queue: identical events, conservation of lots (seed 4711)", () => {
    const queue = new LogProb2Queue();
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => runBoth(steps, queue));
    fc.assert(property, { seed: 4711, numRuns: 1500 });
  });

  test("the same on the pipeline's dense book (seed 815)", () => {
    const queue = new LogProb2Queue();
    const book = new L2MarketBook({ windowTicks: 1024 });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      book.clear();
      runBoth(steps, queue, book);
    });
    fc.assert(property, { seed: 815, numRuns: 700 });
  });

  test("orders at one price fill in arrival order: a later one never before an earlier one (seed 99)", () => {
    const qty = fc.integer({ min: 1, max: 9 });
    const property = fc.property(
      fc.array(qty, { minLength: 2, maxLength: 8 }),
      fc.array(qty, { maxLength: 40 }),
      (orders, trades) => {
        const { engine, recorder } = makeEngine(new LogProb2Queue());
        bookOf(engine, [[99, 7]], [[101, 7]]);
        for (const [i, lots] of orders.entries()) limit(engine, i + 1, 1, 99, lots);
        for (const lots of trades) {
          engine.onTrade(-1, 99, lots);
          engine.onDepth(1, 99, lots * 2);
        }
        const sequence = recorder.events
          .filter((e) => e.startsWith("fill"))
          .map((e) => Number(e.split(" ")[1]));
        expect(sequence).toEqual([...sequence].sort((a, b) => a - b));
      },
    );
    fc.assert(property, { seed: 99, numRuns: 500 });
  });
});
