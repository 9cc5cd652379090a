import { expect, test } from "bun:test";
import { Prng } from "../../../src/core/prng.ts";
import { NO_ORDER } from "../../../src/order/order-table.ts";
import { LIMIT_POSITION_NOTIONAL } from "../../../src/risk/limits.ts";
import obiMm from "../../../src/strategy/builtin/obi-mm.ts";
import tickMm from "../../../src/strategy/builtin/tick-mm.ts";
import {
  RESULT_DONE,
  RESULT_NO_SUCH_TARGET,
  RESULT_OUT_OF_RANGE,
  RESULT_REFUSED,
} from "../../../src/strategy/controller.ts";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";
import type { StrategySetup } from "../../../src/strategy/execution-parts.ts";
import * as codes from "../../../src/wire/codes.ts";
import * as wire from "../../../src/wire/messages.gen.ts";
import { CALM, type Manners, MS, NONCE, RISK, Rig } from "./fake-venue.ts";

const setup = (
  definition: StrategySetup["definition"],
  instruments: number[],
  over: Partial<StrategySetup> = {},
): StrategySetup => ({
  name: definition.name,
  definition,
  instruments,
  params: {},
  limits: {},
  signals: {},
  ...over,
});

/** Quotes one lot-sized order per side around the mid, `distance` ticks away. */
const quoter = (over: Partial<Parameters<typeof defineStrategy>[0]> = {}) =>
  defineStrategy({
    name: "plain",
    params: { distance: { type: "int", default: 5, min: 1, max: 1000 } },
    subscribe: ["market_data.bbo", "order.*", "system.tick"],
    quote(ctx, out) {
      out.bid(ctx.bidPxTicks - ctx.params["distance"]!, 10);
      out.ask(ctx.askPxTicks + ctx.params["distance"]!, 10);
    },
    ...over,
  });

const states = (rig: Rig): number[] =>
  rig.orders.of(wire.KIND_STRATEGY_STATUS).map((m) => new wire.StrategyStatus(m).wrap(m, 0).state);
const denials = (rig: Rig): number[] =>
  rig.telemetry.of(wire.KIND_RISK_DENIED).map((m) => new wire.RiskDenied(m).wrap(m, 0).denyCode);

test("nothing is quoted before the account is reconciled and the book synced; then both sides are", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.bbo(1, 600_000, 600_001);
  rig.status(1, codes.FEED_SYNCED);
  rig.bbo(1, 600_000, 600_001);
  expect(rig.venue.orders.size).toBe(0);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  expect(rig.venue.log).toEqual(["place 1 1 599995 10", "place 2 2 600006 10"]);
  expect(states(rig)).toEqual([codes.STRATEGY_RUNNING]);
  const kinds = rig.orders.kinds();
  const sent = kinds.indexOf(wire.KIND_ORDER_SENT);
  expect(kinds[sent + 1]).toBe(wire.KIND_ORDER_STAMPS);
});

test("orders follow the market by one modify each, and stay while it moves less than the least move", () => {
  const rig = new Rig([setup(quoter({ policy: { minMoveTicks: 4 } }), [1])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  rig.bbo(1, 600_003, 600_004);
  expect(rig.venue.log.length).toBe(2);
  rig.bbo(1, 600_010, 600_011);
  expect(rig.venue.log.slice(2)).toEqual(["modify 1 600005 10", "modify 2 600016 10"]);
  rig.pass(5);
  expect(rig.handler.parts.table.liveCount).toBe(2);
});

test("cancel-replace waits for the proof of the cancel before it places anew", () => {
  const rig = new Rig([
    setup(quoter({ policy: { replace: "cancel-replace" }, subscribe: ["market_data.bbo"] }), [1]),
  ]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  rig.bbo(1, 600_010, 600_011);
  rig.bbo(1, 600_012, 600_013);
  expect(rig.venue.log.slice(2)).toEqual(["cancel 1", "cancel 2"]);
  rig.pass(5);
  rig.bbo(1, 600_013, 600_014);
  expect(rig.venue.log.slice(4)).toEqual(["place 3 1 600008 10", "place 4 2 600019 10"]);
});

test("a book that is not synced cancels the instrument's orders at once; nothing is quoted until it is", () => {
  const rig = new Rig([setup(quoter(), [1, 2])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.bbo(2, 600_000, 600_001);
  rig.pass(5);
  rig.status(1, codes.FEED_STALE);
  expect(rig.venue.log.slice(4)).toEqual(["cancel 1", "cancel 2"]);
  rig.pass(5);
  rig.bbo(1, 600_000, 600_001);
  expect(rig.venue.live().map((o) => o.instrument)).toEqual([2, 2]);
  rig.status(1, codes.FEED_SYNCED);
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  expect(rig.venue.live().length).toBe(4);
});

test("a book that falls silent is stale after the freshness time, also for a paused strategy that keeps orders", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  rig.control(codes.CONTROL_PAUSE, 1, 1);
  rig.pass(2000);
  expect(rig.venue.live().length).toBe(2);
  rig.pass(1100);
  expect(rig.venue.live().length).toBe(0);
});

test("losing the account stream cancels everything; its return lets quoting go on", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  rig.status(0, codes.FEED_STALE);
  rig.pass(5);
  rig.bbo(1, 600_001, 600_002);
  expect(rig.venue.live().length).toBe(0);
  rig.status(0, codes.FEED_SYNCED);
  rig.bbo(1, 600_002, 600_003);
  rig.pass(5);
  expect(rig.venue.live().length).toBe(2);
});

test("pause cancels (or keeps) orders, market data goes on, resume quotes again", () => {
  let looks = 0;
  const rig = new Rig([setup(quoter({ onBook: () => looks++ }), [1])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  const reply = rig.control(codes.CONTROL_PAUSE, 1);
  expect(reply()).toBe(RESULT_DONE);
  rig.pass(5);
  expect(rig.venue.live().length).toBe(0);
  rig.bbo(1, 600_100, 600_101);
  expect(rig.handler.parts.market.bidPxTicks[1]).toBe(600_100);
  expect(rig.venue.orders.size).toBe(2);
  expect(rig.control(codes.CONTROL_RESUME, 0)()).toBe(RESULT_DONE);
  rig.bbo(1, 600_101, 600_102);
  expect(rig.venue.orders.size).toBe(4);
  expect(states(rig)).toEqual([codes.STRATEGY_RUNNING, codes.STRATEGY_PAUSED, codes.STRATEGY_RUNNING]);
});

test("stop is answered when the last cancel is proven; shutdown when nothing works or is in flight", () => {
  const rig = new Rig([setup(quoter(), [1]), setup(quoter({ name: "second" }), [2])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.bbo(2, 600_000, 600_001);
  rig.pass(5);
  const stopped = rig.control(codes.CONTROL_STOP, 1);
  expect(stopped()).toBe(-1);
  rig.pass(5);
  expect(stopped()).toBe(RESULT_DONE);
  expect(rig.handler.controller.state(1)).toBe(codes.STRATEGY_STOPPED);
  rig.bbo(2, 600_050, 600_051);
  const down = rig.control(codes.CONTROL_SHUTDOWN, 0);
  rig.bbo(2, 600_060, 600_061);
  expect(down()).toBe(-1);
  rig.pass(1200);
  expect(down()).toBe(RESULT_DONE);
  expect(rig.venue.live().length).toBe(0);
  expect(rig.control(codes.CONTROL_RESUME, 0)()).toBe(RESULT_REFUSED);
});

test("a shutdown keeps cancelling when cancels are not answered, until the venue has proven the end", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  rig.venue.silent = true;
  const down = rig.control(codes.CONTROL_SHUTDOWN, 0);
  rig.pass(1600);
  expect(rig.venue.log.filter((line) => line === "cancel 1").length).toBeGreaterThanOrEqual(3);
  expect(down()).toBe(-1);
  rig.venue.silent = false;
  rig.pass(600);
  expect(down()).toBe(RESULT_DONE);
});

test("a place in flight at shutdown is waited for and cancelled", () => {
  const rig = new Rig([setup(quoter(), [1])], {}, { ...CALM, delayNs: 30 * MS });
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  const down = rig.control(codes.CONTROL_SHUTDOWN, 0);
  rig.pass(31);
  expect(down()).toBe(-1);
  rig.pass(100);
  expect(down()).toBe(RESULT_DONE);
  expect(rig.venue.live().length).toBe(0);
});

test("a kill cancels everything at once by both ways, repeats it, and only cancels pass until it is lifted", () => {
  const rig = new Rig([setup(quoter(), [1, 2])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  rig.bbo(2, 600_000, 600_001);
  rig.venue.silent = true;
  rig.kill(codes.KILL_KILLED);
  // The second instrument's places have no answer yet: their cancels leave too.
  expect(rig.venue.log.slice(4)).toEqual(["cancel 1", "cancel 2", "cancel 3", "cancel 4"]);
  expect(rig.venue.cancelAlls).toBe(2);
  rig.venue.silent = false;
  rig.bbo(1, 600_100, 600_101);
  expect(rig.venue.orders.size).toBe(4);
  rig.pass(1200);
  expect(rig.venue.live().length).toBe(0);
  expect(rig.venue.cancelAlls).toBeGreaterThan(2);
  rig.kill(codes.KILL_ARMED);
  expect(rig.control(codes.CONTROL_REARM, 0)()).toBe(RESULT_DONE);
  rig.bbo(1, 600_101, 600_102);
  expect(rig.venue.orders.size).toBe(6);
});

test("the raw kill word stops an order between the gate and the write", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.killWord.state = codes.KILL_KILLED as 0;
  rig.bbo(1, 600_000, 600_001);
  expect(rig.venue.orders.size).toBe(0);
  expect(denials(rig)).toEqual([codes.DENY_KILLED, codes.DENY_KILLED]);
});

test("an emergency cancels all, then closes positions by reduce-only orders of the controller until flat", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.fillRecord(
    { clientSeq: 0, instrument: 1, strategy: 1, side: codes.SIDE_BUY, id: 1 },
    1500,
    600_000,
    1000,
    0,
    5,
  );
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  expect(rig.control(codes.CONTROL_CLOSE_POSITIONS, 0)()).toBe(RESULT_REFUSED);
  rig.kill(codes.KILL_EMERGENCY);
  const closed = rig.control(codes.CONTROL_CLOSE_POSITIONS, 0);
  for (let i = 0; i < 20; i++) {
    rig.pass(50);
    rig.bbo(1, 600_000, 600_001);
    rig.venue.match(1, 600_000, 600_001);
  }
  rig.pass(20);
  expect(closed()).toBe(RESULT_DONE);
  const closing = [...rig.venue.orders.values()].filter((o) => o.strategy === 0);
  expect(closing.every((o) => o.reduceOnly && o.tif === codes.TIF_IOC && o.pxTicks === 594_000)).toBe(true);
  expect(closing.length).toBe(2);
  const { ledger } = rig.handler.parts;
  expect([ledger.netLots[1], ledger.qtyLots[ledger.pair(1, 1)], ledger.qtyLots[ledger.pair(0, 1)]]).toEqual([
    0, 1500, -1500,
  ]);
});

test("an external signal of no instrument lets the quoter look on each of its instruments, with the value", () => {
  const seen: string[] = [];
  const listener = quoter({
    subscribe: ["market_data.alpha"],
    alphas: ["ml"],
    quote: (ctx, out) => {
      seen.push(`${ctx.instrument} ${ctx.alphas[0]} ${ctx.alphaTsNs[0]! / MS}`);
      out.keep();
    },
  });
  const rig = new Rig([setup(listener, [1, 2], { alphas: { ml: 3 } })]);
  rig.start();
  wire.encodeAlpha(rig.m, 0, wire.FLAG_END_OF_EVENT, 0, 0, 0, 0, 0, rig.nowNs, 3, 0, 0.25, 0);
  rig.handler.onRecord(rig.m, 0);
  expect(seen).toEqual(["1 0.25 1000", "2 0.25 1000"]);
});

test("an exception in one strategy ends in Error with its orders cancelled; the other goes on", () => {
  let broken = false;
  const bad = quoter({
    name: "bad",
    onBook() {
      if (broken) throw new Error("my fault");
    },
  });
  const rig = new Rig([setup(bad, [1]), setup(quoter(), [2])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.bbo(2, 600_000, 600_001);
  rig.pass(5);
  broken = true;
  rig.bbo(1, 600_010, 600_011);
  rig.bbo(2, 600_010, 600_011);
  rig.pass(5);
  expect(rig.handler.controller.state(1)).toBe(codes.STRATEGY_ERROR);
  expect(rig.venue.live().map((o) => o.strategy)).toEqual([2, 2]);
  expect(String(rig.exceptions[0])).toContain("my fault");
  broken = false;
  expect(rig.control(codes.CONTROL_RESUME, 1)()).toBe(RESULT_DONE);
  rig.bbo(1, 600_020, 600_021);
  rig.pass(5);
  expect(rig.venue.live().length).toBe(4);
});

test("parameters and limits change at run time, within their ranges; a lowered limit pulls what exceeds it", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  expect(rig.control(codes.CONTROL_SET_PARAMETER, 1, 0, 7)()).toBe(RESULT_DONE);
  expect(rig.control(codes.CONTROL_SET_PARAMETER, 1, 0, 0)()).toBe(RESULT_OUT_OF_RANGE);
  expect(rig.control(codes.CONTROL_SET_PARAMETER, 9, 0, 7)()).toBe(RESULT_NO_SUCH_TARGET);
  rig.bbo(1, 600_001, 600_002);
  expect(rig.venue.log.at(-1)).toBe("modify 2 600009 10");
  rig.pass(5);
  expect(rig.control(codes.CONTROL_SET_LIMIT, 1, LIMIT_POSITION_NOTIONAL, 1e8)()).toBe(RESULT_DONE);
  rig.pass(5);
  expect(rig.venue.live().length).toBe(0);
  rig.bbo(1, 600_002, 600_003);
  expect(denials(rig)).toEqual([codes.DENY_POSITION_STRATEGY, codes.DENY_POSITION_STRATEGY]);
});

test("fills of other sessions go to the strategy their id names, manual ones to house; each trade once", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  const order = { clientSeq: 5, instrument: 1, strategy: 1, side: codes.SIDE_BUY, id: 900 };
  rig.fillRecord(order, 3, 600_000, 71, 100, 12345);
  rig.fillRecord(order, 3, 600_000, 71, 100, 12345);
  rig.fillRecord({ ...order, clientSeq: 0, strategy: 0 }, 2, 600_000, 72, 100, 0, 0);
  const { ledger } = rig.handler.parts;
  expect(ledger.qtyLots[ledger.pair(1, 1)]).toBe(3);
  expect(ledger.qtyLots[ledger.pair(0, 1)]).toBe(2);
  expect(rig.handler.account.unattributed).toBe(1);
});

test("what the venue holds beyond our books at a reconciliation goes to house; a difference on the stream that stands asks for one", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.venuePosition(1, 40, 40 * 599_000, wire.FLAG_RECOVERED);
  rig.start();
  const { ledger } = rig.handler.parts;
  expect(ledger.qtyLots[ledger.pair(0, 1)]).toBe(40);
  expect(ledger.costTickLots[ledger.pair(0, 1)]).toBe(40 * 599_000);
  rig.nowNs += MS;
  rig.venuePosition(1, 43, 0, 0);
  rig.pass(1000);
  expect(rig.venue.reconciles).toBe(0);
  rig.pass(1200);
  expect(rig.venue.reconciles).toBe(1);
  expect(ledger.netLots[1]).toBe(40);
  rig.venuePosition(1, 43, 43 * 599_000, wire.FLAG_RECOVERED);
  expect(ledger.netLots[1]).toBe(43);
});

test("a gateway that cannot send leaves no order behind and the cancel is tried again", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.venue.sendCode = 1;
  rig.bbo(1, 600_000, 600_001);
  expect(rig.handler.parts.table.liveCount).toBe(0);
  expect(denials(rig)).toEqual([codes.DENY_GATEWAY, codes.DENY_GATEWAY]);
  rig.venue.sendCode = 0;
  rig.pass(60);
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  rig.venue.sendCode = 1;
  rig.control(codes.CONTROL_PAUSE, 1);
  rig.pass(20);
  expect(rig.venue.live().length).toBe(2);
  rig.venue.sendCode = 0;
  rig.pass(20);
  expect(rig.venue.live().length).toBe(0);
});

test("a full orders journal denies new orders", () => {
  const rig = new Rig([setup(quoter(), [1])]);
  rig.start();
  rig.orders.full = true;
  rig.bbo(1, 600_000, 600_001);
  expect(denials(rig)).toEqual([codes.DENY_JOURNAL_FULL, codes.DENY_JOURNAL_FULL]);
});

test("the hard daily loss latches the kill once and cancels; the strategy's own limit pauses it", () => {
  const risk = {
    ...RISK,
    account: { ...RISK.account, dailyLossSoft: "0.5", dailyLossHard: "1", maxDrawdown: "1000" },
    strategy: { ...RISK.strategy, dailyLoss: "0.2" },
  };
  const rig = new Rig([setup(quoter(), [1])], { risk });
  rig.start();
  rig.mark(1, 600_000);
  rig.bbo(1, 600_000, 600_001);
  rig.pass(15);
  const order = { clientSeq: 0, instrument: 1, strategy: 1, side: codes.SIDE_BUY, id: 1 };
  rig.fillRecord(order, 10, 600_300, 1, 0, 5);
  expect(rig.handler.controller.state(1)).toBe(codes.STRATEGY_PAUSED);
  expect(rig.kills).toEqual([]);
  rig.mark(1, 598_000);
  rig.pass(20);
  expect(rig.kills).toEqual([1]);
  expect(rig.venue.live().length).toBe(0);
});

test("callbacks see order events, ticks and start and stop; direct orders go through the gate", () => {
  const seen: string[] = [];
  const direct = defineStrategy({
    name: "direct",
    params: {},
    subscribe: ["market_data.*", "order.*", "system.tick"],
    tickMs: 20,
    onStart: (ctx) => void seen.push(`start ${ctx.strategy}`),
    onStop: () => void seen.push("stop"),
    onTick: (ctx) => {
      if (ctx.workingOrders === 0 && !seen.includes("placed")) {
        seen.push("placed");
        expect(ctx.place(codes.SIDE_BUY, 599_990, 5, codes.TIF_GTX)).not.toBe(NO_ORDER);
        expect(ctx.place(codes.SIDE_BUY, 1, 5, codes.TIF_GTX)).toBe(NO_ORDER);
        expect(ctx.lastDenyCode).toBe(codes.DENY_MIN_NOTIONAL);
        expect(ctx.orderLeavesLots(ctx.firstBid)).toBe(5);
      }
    },
    onOrder: (ctx) => void seen.push(`${codes.ORDER_STATE_NAMES[ctx.orderState]} ${ctx.fillQtyLots}`),
  });
  const rig = new Rig([setup(direct, [1])]);
  rig.start();
  rig.pass(25);
  rig.venue.match(1, 599_980, 599_981);
  rig.pass(5);
  rig.control(codes.CONTROL_STOP, 1);
  expect(seen).toEqual(["start 1", "placed", "working 0", "filled 0", "filled 5", "stop"]);
  expect(rig.handler.parts.ledger.netLots[1]).toBe(5);
});

/** A random market for both built-in strategies, with a venue of the given manners. */
function session(seed: number, manners: Manners, ms: number): Rig {
  const strategies = [
    setup(obiMm, [1], { signals: { alpha: 0, volatility: 1, stop_loss: 2 } }),
    setup(tickMm, [2], { params: { order_qty: "0.01", max_position: "0.05" } }),
  ];
  const rig = new Rig(strategies, {}, manners, seed);
  const prng = new Prng(seed + 1000);
  rig.start();
  let mid = 600_000;
  for (let t = 0; t < ms; t++) {
    rig.pass(1);
    if (t % 5 !== 0) continue;
    mid += prng.nextBelow(13) - 6;
    for (const id of [1, 2]) {
      rig.venue.match(id, mid, mid + 1);
      if (id === 1) {
        rig.bbo(id, mid, mid + 1, 0);
        rig.signal(id, 0, [prng.nextNormal(), 1e-6, prng.nextBelow(40) === 0 ? 1 : 0]);
      } else rig.bbo(id, mid, mid + 1);
    }
  }
  return rig;
}

const ROUGH: Manners = {
  delayNs: 3 * MS,
  rejectPercent: 5,
  unknownPercent: 5,
  fillFirstPercent: 30,
  partialPercent: 40,
};

for (const [name, manners] of [
  ["calm", CALM],
  ["rough", ROUGH],
] as const)
  test(`both built-in strategies place, move, cancel and fill at a ${name} venue, and the ledger equals it (seed 5)`, () => {
    const rig = session(5, manners, 6000);
    expect(rig.exceptions).toEqual([]);
    for (const strategy of [1, 2]) {
      const kinds = rig.orders
        .of(wire.KIND_ORDER_SENT)
        .map((m) => new wire.OrderSent(m).wrap(m, 0))
        .filter((o) => o.strategy === strategy)
        .map((o) => o.action);
      expect(kinds).toContain(codes.ACTION_PLACE);
      expect(kinds).toContain(codes.ACTION_CANCEL);
      if (strategy === 1) expect(kinds).toContain(codes.ACTION_MODIFY);
    }
    expect(rig.venue.fills).toBeGreaterThan(20);
    const down = rig.control(codes.CONTROL_SHUTDOWN, 0);
    rig.pass(4000);
    expect(down()).toBe(RESULT_DONE);
    expect(rig.venue.live()).toEqual([]);
    const { ledger, table } = rig.handler.parts;
    expect([table.liveCount, table.owedCount]).toEqual([0, 0]);
    for (const [strategy, id] of [
      [1, 1],
      [2, 2],
    ] as const) {
      const pair = ledger.pair(strategy, id);
      const key = `${strategy}/${id}`;
      expect(ledger.qtyLots[pair]).toBe(rig.venue.lots.get(key)!);
      expect(BigInt(ledger.costTickLots[pair]!) - ledger.realized.toBigInt(pair)).toBe(
        rig.venue.paid.get(key)!,
      );
      expect(ledger.fees.toBigInt(pair)).toBe(rig.venue.fees.get(key)! * 10_000n);
    }
  });

test("the same records give byte-identical outputs, stage stamps aside (seed 6)", () => {
  const outputs = (rig: Rig) =>
    [...rig.orders.records, ...rig.telemetry.records].map((r) => Buffer.from(r).toString("hex")).join("\n");
  const first = session(6, ROUGH, 1500);
  expect(outputs(session(6, ROUGH, 1500))).toBe(outputs(first));
  expect(outputs(session(7, ROUGH, 1500))).not.toBe(outputs(first));
  expect(NONCE.lo).toBe(7);
});
