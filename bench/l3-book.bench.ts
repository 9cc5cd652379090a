// The L3 book on a generated order flow: ns per market-by-order row, against orders in a Map of ids and levels as arrays
// of orders, which is what one writes first.
import { generateMarket } from "../src/backtest/import/generate.ts";
import { applyL3Row } from "../src/exchange/l3-rows.ts";
import { L3Book } from "../src/market/l3-book.ts";
import { type Bench, loopSide, type Side } from "./harness.ts";

interface Rows {
  readonly count: number;
  readonly kind: Uint8Array;
  readonly side: Int8Array;
  readonly idHi: Int32Array;
  readonly idLo: Int32Array;
  readonly ticks: Float64Array;
  readonly lots: Float64Array;
}

const OPS_PER_SAMPLE = 4_096;

/** Orders of a whole run; the book is emptied before each. */
function orderRows(count: number): Rows {
  const options = { seed: 9, rows: count, mid: 60_000, tickSize: "0.1", lotSize: "0.001", startNs: 0n };
  const { bytes, rows } = generateMarket({ ...options, kind: "l3" });
  const i32 = new Int32Array(bytes.buffer, 0, rows * 16);
  const f64 = new Float64Array(bytes.buffer, 0, rows * 8);
  const pick = Array.from({ length: rows }, (_, r) => r).slice(0, count - (count % OPS_PER_SAMPLE));
  return {
    count: pick.length,
    kind: Uint8Array.from(pick, (r) => i32[r * 16]! & 0xff),
    side: Int8Array.from(pick, (r) =>
      (i32[r * 16]! & 0x2000_0000) !== 0 ? 1 : (i32[r * 16]! & 0x1000_0000) !== 0 ? -1 : 0,
    ),
    idHi: Int32Array.from(pick, (r) => i32[r * 16 + 11]!),
    idLo: Int32Array.from(pick, (r) => i32[r * 16 + 10]!),
    ticks: Float64Array.from(pick, (r) => Math.round(f64[r * 8 + 3]! * 10)),
    lots: Float64Array.from(pick, (r) => Math.round(f64[r * 8 + 4]! * 1000)),
  };
}

type Apply = (kind: number, side: number, hi: number, lo: number, ticks: number, lots: number) => number;

/** Runs through the rows again and again; the first row is a clear of the book. */
function side(rows: Rows, apply: Apply): Side {
  let at = 0;
  const run = (ops: number): number => {
    let sum = 0;
    for (let k = 0; k < ops; k++) {
      const i = at++;
      if (at === rows.count) at = 0;
      sum += apply(rows.kind[i]!, rows.side[i]!, rows.idHi[i]!, rows.idLo[i]!, rows.ticks[i]!, rows.lots[i]!);
    }
    return sum;
  };
  return loopSide(run, { opsPerSample: OPS_PER_SAMPLE, samples: rows.count / OPS_PER_SAMPLE });
}

/** Best bid after each row, so that both do the whole work. */
function own(): Apply {
  const book = new L3Book();
  return (kind, s, hi, lo, ticks, lots) => {
    applyL3Row(book, kind, s, hi, lo, ticks, lots);
    book.maintain();
    return book.levels.bestBidTicks || 0;
  };
}

interface Order {
  readonly side: number;
  readonly ticks: number;
  lots: number;
}

function naive(): Apply {
  const orders = new Map<number, Order>();
  const levels = [new Map<number, Order[]>(), new Map<number, Order[]>()];
  let bestBid = -Infinity;
  const of = (s: number): Map<number, Order[]> => levels[s > 0 ? 0 : 1]!;
  const add = (id: number, order: Order): void => {
    orders.set(id, order);
    const level = of(order.side).get(order.ticks);
    if (level === undefined) of(order.side).set(order.ticks, [order]);
    else level.push(order);
    if (order.side > 0) bestBid = Math.max(bestBid, order.ticks);
  };
  const remove = (id: number, order: Order): void => {
    orders.delete(id);
    const level = of(order.side).get(order.ticks)!;
    level.splice(level.indexOf(order), 1);
    if (level.length > 0) return;
    of(order.side).delete(order.ticks);
    if (order.side > 0 && order.ticks === bestBid) bestBid = Math.max(-Infinity, ...levels[0]!.keys());
  };
  return (kind, s, _hi, lo, ticks, lots) => {
    const order = orders.get(lo);
    if (kind === 3) {
      orders.clear();
      for (const side of levels) side.clear();
      bestBid = -Infinity;
    } else if (kind === 10) add(lo, { side: s, ticks, lots });
    else if (kind === 11 && order !== undefined) {
      if (lots < order.lots) order.lots -= lots;
      else remove(lo, order);
    } else if (kind === 12 && order !== undefined) {
      if (ticks === order.ticks && lots <= order.lots) order.lots = lots;
      else {
        remove(lo, order);
        add(lo, { side: order.side, ticks, lots });
      }
    }
    return bestBid === -Infinity ? 0 : bestBid;
  };
}

export const benches: readonly Bench[] = [
  {
    name: "book.l3",
    question: "ns per market-by-order row applied to the L3 book, best bid read after each",
    unit: "ns",
    compare: "p50",
    sameChecksum: true,
    open: (size) => {
      const rows = orderRows(size === "full" ? 400_000 : 9_000);
      return {
        own: side(rows, own()),
        reference: { name: "Map of orders, arrays of levels", ...side(rows, naive()) },
      };
    },
  },
];
