// Rows of a market that does all that rows can do: levels near and far, crossing updates, snapshots, trades with and
// without a side, clears with and without a price, kinds that books do not know, many rows of one instant, feeds that
// overtake each other. Ticks of 0.1, lots of 0.001.
import { Prng } from "../../../src/core/prng.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_SNAPSHOT,
  KIND_TRADE,
} from "../../../src/data/event-codes.ts";
import { EventTable } from "../../../src/data/event-table.ts";

const START_NS = 1_700_000_000_000_000_000n;
const OTHER_KINDS = [5, 100, 101, 102, 103];

/** `change`: the row whose quantity is one lot more, for tests that a change is seen. */
export function randomMarket(seed: number, rows: number, change = -1): Uint8Array {
  const random = new Prng(seed);
  const upTo = (n: number): number => Math.floor(random.nextFloat() * n);
  const table = new EventTable();
  let exchTs = START_NS;
  let mid = 6000 + upTo(1000);
  const least = upTo(2) === 0 ? 500_000 : 0;
  for (let row = 0; row < rows; row++) {
    if (upTo(3) === 0) exchTs += BigInt(1 + upTo(3_000_000));
    const localTs = exchTs + BigInt(least + (upTo(2) === 1 ? 1_000_000 : upTo(3_000_000)));
    if (upTo(4) === 0) mid += upTo(3) - 1;
    const side = upTo(2) === 1 ? EV_BUY : EV_SELL;
    const qty = (1 + upTo(9000) + (row === change ? 1 : 0)) / 1000;
    const put = (kind: number, px: number, amount: number): void =>
      table.append(kind, exchTs, localTs, px, amount);
    const what = upTo(1000);
    if (what < 650)
      put(depthKind(upTo(5)) | side, levelTicks(upTo, mid, side) / 10, upTo(100) < 35 ? 0 : qty);
    else if (what < 930) put(KIND_TRADE | (upTo(50) === 0 ? 0 : side), (mid + upTo(5) - 2) / 10, qty);
    else if (what < 960) put(OTHER_KINDS[upTo(5)]! | (upTo(2) === 1 ? side : 0), mid / 10, qty);
    else if (what < 975) {
      const clearedSide = [EV_BUY, EV_SELL, 0][upTo(3)]!;
      put(KIND_DEPTH_CLEAR | clearedSide, upTo(10) < 8 ? (mid + upTo(15) - 5) / 10 : Number.NaN, 0);
    } else put(KIND_DEPTH | side, (mid + upTo(3)) / 10, qty);
  }
  return table.correctEventOrder().bytes;
}

const depthKind = (draw: number): number => (draw === 0 ? KIND_DEPTH_SNAPSHOT : KIND_DEPTH);

/** Mostly within 8 ticks, sometimes thousands away, at times beyond the other side. */
function levelTicks(upTo: (n: number) => number, mid: number, side: number): number {
  const nearness = upTo(100);
  const away = nearness < 95 ? upTo(8) : nearness < 98 ? upTo(300) : 20_000 + upTo(20_000);
  const crossing = upTo(100) < 3 ? 3 : 0;
  return side === EV_BUY ? Math.max(1, mid - away - 1) + crossing : mid + away + 1 - crossing;
}
