// What makes a book fresh, and what the end of a session that keeps its orders must not undo.
import { expect, test } from "bun:test";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";
import * as codes from "../../../src/wire/codes.ts";
import { Rig } from "./fake-venue.ts";

const definition = defineStrategy({
  name: "plain",
  params: {},
  subscribe: ["market_data.*", "system.tick"],
  quote(ctx, out) {
    out.bid(ctx.bidPxTicks - 5, 10);
    out.ask(ctx.askPxTicks + 5, 10);
  },
});
const setup = { name: "plain", definition, instruments: [1], params: {}, limits: {}, signals: {} };

function quoting(): Rig {
  const rig = new Rig([setup]);
  rig.start();
  rig.bbo(1, 600_000, 600_001);
  rig.pass(5);
  expect(rig.venue.live().length).toBe(2);
  return rig;
}

test("mark prices do not keep a silent book fresh: its orders go", () => {
  const rig = quoting();
  for (let t = 0; t < 40; t++) {
    rig.mark(1, 600_000);
    rig.pass(100);
  }
  expect(rig.venue.live().length).toBe(0);
});

test("a touch that is only repeated keeps the book fresh", () => {
  const rig = quoting();
  for (let t = 0; t < 40; t++) {
    rig.bbo(1, 600_000, 600_001);
    rig.pass(100);
  }
  expect(rig.venue.live().length).toBe(2);
});

test("a shutdown that keeps orders is not undone by its own connections closing", () => {
  const rig = quoting();
  const answer = rig.control(codes.CONTROL_SHUTDOWN, 0, 1);
  rig.pass(20);
  expect(answer()).toBe(0);
  rig.status(1, codes.FEED_STALE);
  rig.status(0, codes.FEED_STALE);
  rig.pass(20);
  expect(rig.venue.live().length).toBe(2);
});

test("a kill cancels what a shutdown has kept", () => {
  const rig = quoting();
  rig.control(codes.CONTROL_SHUTDOWN, 0, 1);
  rig.pass(20);
  rig.kill(codes.KILL_KILLED);
  rig.pass(50);
  expect(rig.venue.live().length).toBe(0);
});
