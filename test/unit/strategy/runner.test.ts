import { expect, test } from "bun:test";
import fc from "fast-check";
import { defineStrategy } from "../../../src/strategy/define-strategy.ts";
import { SIDE_BUY } from "../../../src/wire/codes.ts";
import { CALM, MS, Rig } from "./fake-venue.ts";

const SEED = 53;
const BID = 600_000;
const ASK = 600_004;

interface Level {
  readonly px: number;
  readonly qty: number;
}
interface Wanted {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

const level = (from: number) =>
  fc.record({ px: fc.integer({ min: from, max: from + 40 }), qty: fc.integer({ min: 1, max: 30 }) });
const side = (from: number) => fc.array(level(from), { maxLength: 4 });
const wanted: fc.Arbitrary<Wanted> = fc.record({ bids: side(BID - 38), asks: side(BID + 3) });

function makeRig(replace: "amend" | "cancel-replace", minMoveTicks: number, maxRequests: number) {
  const want: { now: Wanted } = { now: { bids: [], asks: [] } };
  const definition = defineStrategy({
    name: "wants",
    params: {},
    subscribe: ["market_data.bbo"],
    policy: { replace, minMoveTicks, maxRequests },
    quote(_ctx, out) {
      for (const b of want.now.bids) out.bid(b.px, b.qty);
      for (const a of want.now.asks) out.ask(a.px, a.qty);
    },
  });
  const setup = { name: "wants", definition, instruments: [1], params: {}, limits: {}, signals: {} };
  const rig = new Rig([setup], {}, { ...CALM, delayNs: 2 * MS });
  rig.start(BID, ASK);
  return { rig, want };
}

/** Every wanted level has an order of its own within the least move, and no order is left over. */
function matches(orders: readonly Level[], levels: readonly Level[], minMove: number): boolean {
  if (levels.length === 0) return orders.length === 0;
  if (orders.length !== levels.length) return false;
  const [first, ...rest] = levels;
  return orders.some(
    (o, i) =>
      (Math.abs(o.px - first!.px) < minMove || o.px === first!.px) &&
      o.qty <= first!.qty &&
      matches([...orders.slice(0, i), ...orders.slice(i + 1)], rest, minMove),
  );
}

for (const replace of ["amend", "cancel-replace"] as const)
  test(`with ${replace}, working orders become what is wanted, within the least move and the budget (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.array(wanted, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 5 }),
        (series, minMove) => {
          const { rig, want } = makeRig(replace, minMove, 3);
          for (const next of series) {
            want.now = next;
            for (let look = 0; look < 12; look++) {
              const before = rig.venue.log.filter((line) => !line.startsWith("cancel")).length;
              rig.bbo(1, BID, ASK);
              const after = rig.venue.log.filter((line) => !line.startsWith("cancel")).length;
              expect(after - before).toBeLessThanOrEqual(3);
              rig.pass(3);
              const live = rig.venue.live();
              const bids = live.filter((o) => o.side === SIDE_BUY).map((o) => o.pxTicks);
              const asks = live.filter((o) => o.side !== SIDE_BUY).map((o) => o.pxTicks);
              expect(Math.max(...bids, 0)).toBeLessThan(Math.min(...asks, 1e9));
            }
            for (const [levels, isBuy] of [
              [next.bids, true],
              [next.asks, false],
            ] as const) {
              const orders = rig.venue
                .live()
                .filter((o) => (o.side === SIDE_BUY) === isBuy)
                .map((o) => ({ px: o.pxTicks, qty: o.qtyLots }));
              expect(matches(orders, levels, minMove)).toBe(true);
            }
          }
        },
      ),
      { seed: SEED, numRuns: 120 },
    );
  });

test("post-only quotes through the touch stand one step before it", () => {
  const { rig, want } = makeRig("amend", 1, 8);
  want.now = { bids: [{ px: ASK + 3, qty: 5 }], asks: [] };
  rig.bbo(1, BID, ASK);
  expect(rig.venue.log).toEqual([`place 1 1 ${ASK - 1} 5`]);
});

test("when the market jumps through both quotes the side in the way moves first, and nothing crosses", () => {
  const { rig, want } = makeRig("amend", 1, 8);
  want.now = { bids: [{ px: BID, qty: 5 }], asks: [{ px: ASK, qty: 5 }] };
  rig.bbo(1, BID, ASK);
  rig.pass(5);
  want.now = { bids: [{ px: BID + 50, qty: 5 }], asks: [{ px: ASK + 50, qty: 5 }] };
  rig.bbo(1, BID + 50, ASK + 50);
  // The bid would cross the ask while that one's modify has no answer: it is pulled instead.
  expect(rig.venue.log.slice(2)).toEqual([`modify 2 ${ASK + 50} 5`, "cancel 1"]);
  rig.pass(5);
  rig.bbo(1, BID + 50, ASK + 50);
  rig.pass(5);
  expect(
    rig.venue
      .live()
      .map((o) => o.pxTicks)
      .sort(),
  ).toEqual([BID + 50, ASK + 50]);
});
