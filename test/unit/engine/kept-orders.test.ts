import { expect, test } from "bun:test";
import { keptRule } from "../../../src/engine/kept-orders.ts";
import type { EngineSettings } from "../../../src/engine/settings.ts";
import type { SessionManifest } from "../../../src/journal/session-manifest.ts";
import { ADOPTED_MOST } from "../../../src/venue/binance/adopted-orders.ts";
import type { VenueOrder } from "../../../src/venue/contract.ts";

const manifest = (nonceLo: number, createdUnixNs: number, strategies: string[], kept: boolean) =>
  ({
    ...{ nonceLo, nonceHi: 0, createdUnixNs: String(createdUnixNs), strategies: ["house", ...strategies] },
    ...(kept ? { ordersKept: true } : {}),
  }) as unknown as SessionManifest;
const strategy = (name: string, instruments: string[], enabled = true) =>
  ({ name, instruments, enabled }) as unknown as EngineSettings["strategies"][number];
const order = (orderId: string, symbol = "BTCUSDT") => ({ symbol, orderId }) as VenueOrder;
const id = (nonceLo: number, number: number) => ({ nonceLo, nonceHi: 0, strategy: number, clientSeq: 1 });

const GOES_ON = [strategy("a", ["BTCUSDT"]), strategy("off", ["BTCUSDT"], false)];

test("orders stay that the newest session has kept, of strategies that go on with the instrument", () => {
  // Listed in another order than they were created.
  const isKept = keptRule([manifest(2, 20, ["x", "a"], true), manifest(1, 10, ["a", "off"], false)], GOES_ON);
  expect(isKept(order("1"), id(2, 2))).toBe(true);
  expect(isKept(order("2"), id(2, 1))).toBe(false);
  expect(isKept(order("3", "ETHUSDT"), id(2, 2))).toBe(false);
  expect(isKept(order("4"), id(2, 0))).toBe(false);
  // It had taken this one over from the session before it.
  expect(isKept(order("5"), id(1, 1))).toBe(true);
  expect(isKept(order("6"), id(1, 2))).toBe(false);
});

test("after a session that did not end with its orders kept none stays, whatever an older one did", () => {
  const isKept = keptRule([manifest(1, 10, ["a"], true), manifest(2, 20, ["a"], false)], GOES_ON);
  expect([isKept(order("1"), id(1, 1)), isKept(order("2"), id(2, 1))]).toEqual([false, false]);
  expect(keptRule([], GOES_ON)(order("1"), id(1, 1))).toBe(false);
});

test("no more stay than can be adopted, and it is the same ones at each look", () => {
  const isKept = keptRule([manifest(1, 10, ["a"], true)], GOES_ON);
  const look = () =>
    Array.from({ length: ADOPTED_MOST + 3 }, (_, k) => isKept(order(String(k)), id(1, 1))).lastIndexOf(true);
  expect([look(), look()]).toEqual([ADOPTED_MOST - 1, ADOPTED_MOST - 1]);
});
