// Market events must not allocate: the backtest runs hundreds of millions of them through the engine.

import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { MatchingEngine } from "../../../src/exchange/matching-engine.ts";
import { STP_NONE } from "../../../src/exchange/own-orders.ts";
import { LogProb2Queue } from "../../../src/exchange/queue/probability.ts";
import { SortedBook } from "../../../src/exchange/sorted-book.ts";
import { ORDER_TYPE_LIMIT, TIF_GTC } from "../../../src/wire/codes.ts";

const EVENTS = 100_000;

function makeEngine() {
  const nothing = { onAccepted() {}, onAmended() {}, onFill() {}, onClosed() {} };
  const engine = new MatchingEngine(new SortedBook(), new LogProb2Queue(), nothing);
  for (let i = 0; i < 200; i++) {
    engine.onDepth(1, 1000 - i, 50 + i);
    engine.onDepth(-1, 1001 + i, 50 + i);
  }
  engine.endDepth();
  for (let i = 0; i < 10; i++) {
    engine.submit(1, ORDER_TYPE_LIMIT, TIF_GTC, 1000 - i, 1e9, false, STP_NONE, i);
    engine.submit(-1, ORDER_TYPE_LIMIT, TIF_GTC, 1001 + i, 1e9, false, STP_NONE, i);
  }
  return engine;
}

function play(engine: MatchingEngine, events: number): void {
  for (let i = 0; i < events; i++) {
    const side = (i & 1) === 0 ? 1 : -1;
    const distance = (i >> 1) % 150;
    const px = side > 0 ? 1000 - distance : 1001 + distance;
    engine.onDepth(side, px, distance > 0 && i % 7 === 0 ? 0 : 1 + (i % 90));
    engine.endDepth();
    if (i % 5 === 0) engine.onTrade(-side, side > 0 ? 1000 : 1001, 1 + (i % 30));
  }
}

/** Growth of the heap's capacity while `run` works: a young heap grows with every block of garbage. */
function grownBytes(run: () => void): number {
  Bun.gc(true);
  const before = heapStats().heapCapacity;
  run();
  return heapStats().heapCapacity - before;
}

let kept: unknown;
function allocate(objects: number): void {
  for (let i = 0; i < objects; i++) kept = { i };
}

test("market events through ten own orders a side allocate nothing", () => {
  const engine = makeEngine();
  play(engine, 200_000);
  allocate(200_000);
  // The probe sees one small object per event, so what it does not see is not there.
  expect(grownBytes(() => allocate(EVENTS))).toBeGreaterThan(EVENTS * 8);
  expect(kept).toEqual({ i: EVENTS - 1 });
  expect(grownBytes(() => play(engine, EVENTS))).toBeLessThan(EVENTS);
});
