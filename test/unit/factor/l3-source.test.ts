// Market-by-order rows through the factor engine against an order list in this file, and against the same market as
// levels.
import { describe, expect, test } from "bun:test";
import { generateMarket } from "../../../src/backtest/import/generate.ts";
import { EV_BUY, EV_LOCAL, EV_SELL } from "../../../src/data/event-codes.ts";
import { EventTable } from "../../../src/data/event-table.ts";
import { FactorGraph } from "../../../src/factor/graph.ts";
import { updateBatch } from "../../../src/factor/update-batch.ts";

const STEPS = { tickSize: "0.1", lotSize: "0.001" } as const;
const START = 1_735_689_600_000_000_000n;
const EXPR = {
  bid: "bid()",
  ask: "ask()",
  bidQty: "book(0, bid, qty)",
  obi: "obi(levels=5)",
  vwap: "vwap(20)",
};

function columns(rows: Uint8Array) {
  const graph = new FactorGraph("g");
  for (const [name, text] of Object.entries(EXPR))
    graph.addNode(name, "Expr", { expr: text }).setOutput(name, name);
  return updateBatch(graph.compile(), [rows], STEPS);
}

interface Order {
  readonly side: number;
  readonly ticks: number;
  readonly lots: number;
}

/** Every order row as the whole quantity of the levels it touched, from a Map of orders. */
function asLevels(table: EventTable): EventTable {
  const i64 = new BigInt64Array(table.bytes.buffer, 0, table.rows * 8);
  const f64 = new Float64Array(table.bytes.buffer, 0, table.rows * 8);
  const out = new EventTable();
  const orders = new Map<bigint, Order>();
  for (let r = 0; r < table.rows; r++) {
    const [ev, exch, local, id] = [Number(i64[r * 8]!), i64[r * 8 + 1]!, i64[r * 8 + 2]!, i64[r * 8 + 5]!];
    const [px, qty] = [f64[r * 8 + 3]!, f64[r * 8 + 4]!];
    const kind = ev & 0xff;
    if (kind < 10) {
      out.append(ev, exch, local, px, qty);
      continue;
    }
    const before = orders.get(id);
    const side = before?.side ?? ((ev & EV_BUY) !== 0 ? 1 : -1);
    const now = { side, ticks: Math.round(px * 10), lots: Math.round(qty * 1000) };
    if (kind === 10 || kind === 12) orders.set(id, now);
    if (kind === 11) orders.delete(id);
    if (kind === 13) continue;
    const touched = new Set([before?.ticks ?? now.ticks, now.ticks]);
    for (const ticks of touched) {
      let lots = 0;
      for (const o of orders.values()) if (o.side === side && o.ticks === ticks) lots += o.lots;
      const level = EV_LOCAL | (ev & 0x8000_0000) | (side > 0 ? EV_BUY : EV_SELL) | 1;
      out.append(level, exch, local, ticks / 10, lots / 1000);
    }
  }
  return out;
}

describe("market-by-order rows", () => {
  for (const seed of [1, 2]) {
    test(`give the factors of the same market as levels (seed ${seed})`, () => {
      const table = generateMarket({ seed, rows: 4_000, mid: 60_000, startNs: START, kind: "l3", ...STEPS });
      const orders = columns(table.bytes);
      const levels = columns(asLevels(table).bytes);
      expect(orders.timestamp.length).toBeGreaterThan(1_000);
      expect(orders.timestamp).toEqual(levels.timestamp);
      for (const name of Object.keys(EXPR))
        expect([...orders.columns[name]!]).toEqual([...levels.columns[name]!]);
    });
  }

  test("a generated market is never crossed", () => {
    const table = generateMarket({ seed: 3, rows: 4_000, mid: 60_000, startNs: START, kind: "l3", ...STEPS });
    const { bid, ask } = columns(table.bytes).columns;
    expect(bid!.every((b, i) => Number.isNaN(b) || Number.isNaN(ask![i]!) || b < ask![i]!)).toBe(true);
  });
});
