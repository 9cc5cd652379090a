import { describe, expect, test } from "bun:test";
import { makeFactorState } from "../../../src/factor/factor-state.ts";
import { FactorGraph, type Trigger } from "../../../src/factor/graph.ts";
import { FactorHandler } from "../../../src/factor/handler.ts";
import type { Program } from "../../../src/factor/program.ts";
import { makeSignalRegistry, signalIndex } from "../../../src/factor/signal-registry.ts";
import type { Subscription } from "../../../src/factor/slots.ts";
import { ASK, BID } from "../../../src/market/l2-book.ts";
import { FEED_RESYNCING, FEED_STALE, FEED_SYNCED } from "../../../src/wire/codes.ts";
import {
  FLAG_END_OF_EVENT,
  KIND_BBO,
  KIND_BOOK_STATS,
  KIND_DEPTH_DELTA,
  KIND_FEED_STATUS,
  KIND_GAP,
  KIND_SIGNAL,
  KIND_SNAPSHOT_BEGIN,
  KIND_SNAPSHOT_END,
  KIND_TIMER,
  KIND_TRADE,
} from "../../../src/wire/messages.gen.ts";
import { CollectingSink, RecordFeed } from "./market-records.ts";

const BTC = { id: 1, symbol: "BTC", tickSize: "0.1", lotSize: "0.001" };
const ETH = { id: 2, symbol: "ETH", tickSize: "0.01", lotSize: "0.001" };
const MS = 1e6;

function midGraph(trigger: Trigger): Program {
  return new FactorGraph("mids", trigger).addNode("mid", "MidPrice").setOutput("mid", "mid").compile();
}

function setUp(program: Program, subscriptions: readonly Subscription[] = [], assumeSynced = true) {
  const graphs = [{ name: "g", program, instrument: 1 }];
  const state = makeFactorState({ instruments: [BTC, ETH], graphs, alphas: ["news"] });
  const sink = new CollectingSink();
  const handler = new FactorHandler({
    state,
    sink,
    baseNs: 1_723_161_600_000_000_000n,
    subscriptions,
    assumeSynced,
  });
  return { state, sink, handler, btc: new RecordFeed(handler, 1), eth: new RecordFeed(handler, 2) };
}

describe("FactorHandler", () => {
  test("sends Bbo when it changed, then the outputs; the last record ends the event", () => {
    const { sink, btc } = setUp(midGraph({ on: "book" }));
    btc.depth(10, [
      [BID, 1000, 5],
      [ASK, 1002, 7],
    ]);
    btc.depth(20, [[BID, 900, 1]]);
    expect(sink.kinds()).toEqual([KIND_BBO, KIND_SIGNAL, KIND_SIGNAL]);
    expect(sink.records.map((_, i) => sink.flagsOf(i) & FLAG_END_OF_EVENT)).toEqual([0, 1, 1]);
    expect(sink.bbos()).toEqual([[1000, 5, 1002, 7]]);
    expect(sink.signals()).toEqual([
      [10, 0, 100.1],
      [20, 0, 100.1],
    ]);
    expect(sink.records.map((m) => m.u32[2])).toEqual([0, 1, 2]);
    expect(sink.records.map((m) => m.f64[2])).toEqual([5, 5, 15]);
    expect(sink.published).toBe(3);
  });

  test("runs trade graphs once per event that holds a trade, and forwards what is subscribed", () => {
    const { sink, btc, handler } = setUp(midGraph({ on: "trade" }), [
      { kind: KIND_TRADE, instrument: 1 },
      { kind: KIND_TIMER, instrument: 0 },
    ]);
    btc.depth(10, [
      [BID, 1000, 5],
      [ASK, 1002, 7],
    ]);
    btc.trade(11, 1002, 1, 1, false);
    btc.trade(11, 1002, 2, 1);
    btc.timer(12);
    btc.mark(13, 100, 100, 0);
    expect(sink.kinds()).toEqual([KIND_BBO, KIND_TRADE, KIND_TRADE, KIND_SIGNAL, KIND_TIMER]);
    expect(sink.records.map((_, i) => sink.flagsOf(i) & FLAG_END_OF_EVENT)).toEqual([1, 0, 0, 1, 1]);
    expect(handler.updates).toBe(1);
  });

  test("fires an interval at multiples since the epoch: strictly after the first record, once each, seeing records up to the instant", () => {
    const { sink, btc, handler } = setUp(midGraph({ on: "interval", intervalNs: 100 * MS }));
    btc.depth(100 * MS, [
      [BID, 1000, 5],
      [ASK, 1002, 7],
    ]);
    btc.depth(200 * MS, [
      [ASK, 1002, 0],
      [ASK, 1004, 1],
    ]);
    btc.depth(450 * MS, [[BID, 1002, 5]]);
    btc.depth(500 * MS, [[BID, 1003, 5]]);
    handler.finish();
    expect(sink.signals()).toEqual([
      [200 * MS, 0, 100.2],
      [300 * MS, 0, 100.2],
      [400 * MS, 0, 100.2],
      [500 * MS, 0, 100.35],
    ]);
  });

  test("aligns an interval that does not divide a day to the Unix epoch", () => {
    const interval = 7_000_000_000;
    const { sink, btc, handler } = setUp(midGraph({ on: "interval", intervalNs: interval }));
    btc.depth(1, [
      [BID, 1000, 5],
      [ASK, 1002, 7],
    ]);
    btc.depth(30e9, [[BID, 999, 5]]);
    handler.finish();
    const times = sink.signals().map((s) => (1_723_161_600_000_000_000n + BigInt(s[0]!)) % BigInt(interval));
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect(times.every((t) => t === 0n)).toBe(true);
  });

  test("while a feed is not synced: no outputs, no Bbo; leaving SYNCED sends NaN once", () => {
    const { sink, btc } = setUp(midGraph({ on: "book" }), [], false);
    btc.depth(10, [
      [BID, 1000, 5],
      [ASK, 1002, 7],
    ]);
    expect(sink.records.length).toBe(0);
    btc.status(11, FEED_SYNCED);
    expect(sink.kinds()).toEqual([KIND_FEED_STATUS, KIND_BBO]);
    btc.status(12, FEED_SYNCED);
    btc.depth(13, [[BID, 1001, 5]]);
    btc.status(14, FEED_STALE, 1);
    btc.depth(15, [[BID, 1001, 6]]);
    btc.status(16, FEED_RESYNCING, 1);
    btc.status(17, FEED_SYNCED);
    expect(sink.kinds().slice(2)).toEqual([
      KIND_BBO,
      KIND_SIGNAL,
      KIND_FEED_STATUS,
      KIND_SIGNAL,
      KIND_FEED_STATUS,
      KIND_FEED_STATUS,
      KIND_BBO,
    ]);
    expect(sink.signals()).toEqual([
      [13, 0, 100.15],
      [14, 0, NaN],
    ]);
    expect(sink.bbos().at(-1)).toEqual([1001, 6, 1002, 7]);
  });

  function leadGraph(): Program {
    return new FactorGraph("lead")
      .addNode("lead", "MidPrice", {}, "ETH")
      .addNode("own", "MidPrice")
      .addNode("gap", "Sub")
      .connect("lead", "gap")
      .connect("own", "gap")
      .setOutput("gap", "gap")
      .setOutput("own", "own")
      .compile();
  }

  test("a graph that reads two instruments runs on its own one's events and waits until both are synced", () => {
    const { sink, btc, eth } = setUp(leadGraph(), [], false);
    btc.status(1, FEED_SYNCED);
    btc.depth(2, [
      [BID, 1000, 1],
      [ASK, 1002, 1],
    ]);
    eth.depth(3, [
      [BID, 10_000, 1],
      [ASK, 10_020, 1],
    ]);
    eth.status(4, FEED_SYNCED);
    expect(sink.signals()).toEqual([]);
    btc.depth(5, [[BID, 999, 1]]);
    expect(sink.signals()).toEqual([[5, 0, expect.closeTo(0, 10), 100.1]]);
  });

  test("without a feed state it runs from its own instrument's first depth on, and what the other one lacks is NaN", () => {
    const { sink, btc, eth } = setUp(leadGraph());
    btc.depth(2, [
      [BID, 1000, 1],
      [ASK, 1002, 1],
    ]);
    eth.depth(3, [
      [BID, 10_000, 1],
      [ASK, 10_020, 1],
    ]);
    btc.depth(5, [[BID, 999, 1]]);
    expect(sink.signals()).toEqual([
      [2, 0, NaN, 100.1],
      [5, 0, expect.closeTo(0, 10), 100.1],
    ]);
  });

  test("without a feed state every trigger before the first depth gives its row, all NaN", () => {
    const flow = new FactorGraph("flow", { on: "trade" })
      .addNode("px", "Trade")
      .setOutput("px", "px")
      .compile();
    const { sink, btc } = setUp(flow);
    btc.trade(1, 1002, 1, 1);
    btc.depth(2, [[BID, 1000, 5]]);
    btc.trade(3, 1003, 1, 1);
    expect(sink.signals()).toEqual([
      [1, 0, NaN],
      [3, 0, 100.3],
    ]);
    const timed = setUp(midGraph({ on: "interval", intervalNs: 100 * MS }));
    timed.btc.trade(50 * MS, 1002, 1, 1);
    timed.btc.depth(150 * MS, [
      [BID, 1000, 5],
      [ASK, 1002, 7],
    ]);
    timed.btc.timer(200 * MS);
    timed.handler.finish();
    expect(timed.sink.signals()).toEqual([
      [100 * MS, 0, NaN],
      [200 * MS, 0, 100.1],
    ]);
  });

  test("a first record at midnight, session time 0, is a record: the first instant is one interval later", () => {
    const { sink, btc, handler } = setUp(midGraph({ on: "interval", intervalNs: 100 * MS }));
    btc.depth(0, [
      [BID, 1000, 5],
      [ASK, 1002, 7],
    ]);
    btc.timer(250 * MS);
    handler.finish();
    expect(sink.signals().map((s) => s[0])).toEqual([100 * MS, 200 * MS]);
  });

  test("numbers outputs over all graphs, three per Signal record", () => {
    const g = new FactorGraph("four");
    for (const name of ["MidPrice", "BestBid", "BestAsk", "Spread"])
      g.addNode(name, name).setOutput(name, name);
    const program = g.compile();
    const graphs = [
      { name: "a", program, instrument: 1 },
      { name: "b", program, instrument: 2 },
    ];
    const registry = makeSignalRegistry(graphs);
    expect(registry.count).toBe(8);
    expect(signalIndex(registry, "b", "Spread")).toBe(7);
    const state = makeFactorState({ instruments: [BTC, ETH], graphs });
    const sink = new CollectingSink();
    const handler = new FactorHandler({ state, sink, baseNs: 0n, assumeSynced: true });
    new RecordFeed(handler, 2).depth(5, [
      [BID, 1000, 1],
      [ASK, 1002, 1],
    ]);
    expect(sink.signals()).toEqual([
      [5, 4, 10.01, 10, 10.02],
      [5, 7, expect.closeTo(0.02, 12)],
    ]);
  });

  test("forwards depth events whole; after an overflow it says STALE and sends the whole book again", () => {
    const { sink, btc } = setUp(midGraph({ on: "book" }), [{ kind: KIND_DEPTH_DELTA, instrument: 1 }]);
    btc.depth(1, [
      [BID, 1000, 1],
      [ASK, 1002, 1],
    ]);
    expect(sink.kinds()).toEqual([KIND_DEPTH_DELTA, KIND_DEPTH_DELTA, KIND_BBO, KIND_SIGNAL]);
    expect(sink.flagsOf(1) & FLAG_END_OF_EVENT).toBe(0);
    sink.capacity = sink.records.length + 3;
    btc.depth(2, [
      [BID, 1001, 1],
      [BID, 1000, 0],
    ]);
    sink.capacity = Infinity;
    const before = sink.records.length;
    btc.depth(3, [[BID, 999, 4]]);
    const kinds = sink.kinds().slice(before);
    expect(kinds[0]).toBe(KIND_GAP);
    const from = kinds.indexOf(KIND_SNAPSHOT_BEGIN);
    expect(kinds.slice(from - 1)).toEqual([
      KIND_FEED_STATUS,
      KIND_SNAPSHOT_BEGIN,
      KIND_DEPTH_DELTA,
      KIND_DEPTH_DELTA,
      KIND_DEPTH_DELTA,
      KIND_SNAPSHOT_END,
      KIND_FEED_STATUS,
    ]);
    btc.depth(4, [[BID, 998, 4]]);
    expect(sink.bbos().at(-1)).toEqual([1001, 1, 1002, 1]);
  });

  test("owes a FeedStatus that did not fit and pays it when there is room", () => {
    const { sink, btc, handler } = setUp(midGraph({ on: "book" }), [], false);
    btc.depth(1, [
      [BID, 1000, 1],
      [ASK, 1002, 1],
    ]);
    btc.status(2, FEED_SYNCED);
    btc.depth(3, [[BID, 1001, 1]]);
    sink.capacity = sink.records.length;
    btc.status(4, FEED_STALE, 1);
    handler.onBatchEnd();
    expect(sink.records.length).toBe(sink.capacity);
    sink.capacity = Infinity;
    const before = sink.records.length;
    handler.onBatchEnd();
    expect(sink.kinds().slice(before)).toEqual([KIND_GAP, KIND_FEED_STATUS, KIND_SIGNAL]);
    expect(sink.signals().at(-1)!.slice(1)).toEqual([0, NaN]);
  });

  test("sends BookStats to who subscribed", () => {
    const { sink, btc } = setUp(midGraph({ on: "trade" }), [{ kind: KIND_BOOK_STATS, instrument: 1 }]);
    btc.depth(1, [
      [BID, 1000, 3],
      [BID, 999, 4],
      [ASK, 1002, 9],
    ]);
    expect(sink.kinds()).toEqual([KIND_BOOK_STATS, KIND_BBO]);
    expect([...sink.records[0]!.f64.slice(4, 8)]).toEqual([1001, 2, 7, 9]);
  });

  test("counts records of instruments it does not know", () => {
    const { handler } = setUp(midGraph({ on: "book" }));
    new RecordFeed(handler, 9).depth(1, [[BID, 1, 1]]);
    expect(handler.foreign).toBe(1);
  });
});
