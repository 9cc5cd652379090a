import { describe, expect, test } from "bun:test";
import {
  EV_BUY,
  EV_EXCH,
  EV_LOCAL,
  EV_SELL,
  KIND_BEST_BID,
  KIND_DEPTH,
  KIND_TRADE,
} from "../../../src/data/event-codes.ts";
import { EventTable } from "../../../src/data/event-table.ts";
import { FactorGraph, type Trigger } from "../../../src/factor/graph.ts";
import { updateBatch } from "../../../src/factor/update-batch.ts";
import { BASE_NS } from "./event-rows.ts";

type Row = readonly [ev: number, exch: number, local: number, px: number, qty: number];
const BOTH = EV_EXCH | EV_LOCAL;
const BOOK: readonly Row[] = [
  [BOTH | EV_BUY | KIND_DEPTH, 1, 10, 100, 1],
  [BOTH | EV_SELL | KIND_DEPTH, 1, 10, 102, 1],
];

function batch(rows: readonly Row[], expr: readonly string[], trigger: Trigger = { on: "book" }) {
  const table = new EventTable();
  for (const [ev, exch, local, px, qty] of rows)
    table.append(ev, BASE_NS + BigInt(exch), BASE_NS + BigInt(local), px, qty);
  const graph = new FactorGraph("g", trigger);
  for (const [i, text] of expr.entries())
    graph.addNode(`n${i}`, "Expr", { expr: text }).setOutput(`o${i}`, `n${i}`);
  const { timestamp, columns } = updateBatch(graph.compile(), [table.bytes], { tickSize: "1", lotSize: "1" });
  return {
    ts: [...timestamp].map((t) => Number(t - BASE_NS)),
    o: expr.map((_, i) => [...columns[`o${i}`]!]),
  };
}

describe("event rows as records", () => {
  test("rows that no factor reads split no event of equal times, but another time does", () => {
    const rows: Row[] = [
      ...BOOK,
      [BOTH | KIND_BEST_BID, 1, 10, 100, 1],
      [BOTH | EV_BUY | KIND_DEPTH, 1, 10, 101, 1],
      [BOTH | KIND_BEST_BID, 2, 20, 101, 1],
      [BOTH | EV_BUY | KIND_DEPTH, 2, 20, 99, 1],
      [EV_EXCH | EV_BUY | KIND_DEPTH, 3, 30, 98, 1],
      [BOTH | EV_BUY | KIND_DEPTH, 2, 20, 98, 1],
    ];
    expect(batch(rows, ["bid()"])).toEqual({ ts: [10, 20], o: [[101, 101]] });
  });

  test("they move time: the last instant of an interval is the one before the last row of any kind", () => {
    const rows: Row[] = [...BOOK, [BOTH | KIND_BEST_BID, 3_500, 3_500, 100, 1]];
    expect(batch(rows, ["mid()"], { on: "interval", intervalNs: 1000 })).toEqual({
      ts: [1000, 2000, 3000],
      o: [[101, 101, 101]],
    });
  });

  test("a trade without a side has a price and a quantity, and flows neither way", () => {
    const rows: Row[] = [
      ...BOOK,
      [BOTH | KIND_TRADE, 11, 20, 101, 6],
      [BOTH | EV_BUY | KIND_TRADE, 11, 20, 104, 3],
      [BOTH | EV_BUY | KIND_DEPTH, 12, 30, 99, 1],
    ];
    const { o } = batch(rows, ["tradeflow(2)", "vwap(2)", 'trade("side")']);
    expect(o).toEqual([
      [NaN, 3],
      [NaN, 102],
      [NaN, 1],
    ]);
  });

  test("refuses rows that go back in time and levels without a number, naming the row", () => {
    const back: Row[] = [...BOOK, [BOTH | EV_BUY | KIND_DEPTH, 1, 9, 99, 1]];
    expect(() => batch(back, ["mid()"])).toThrow("memory: row 2: local_ts goes back");
    const nan: Row[] = [...BOOK, [BOTH | EV_BUY | KIND_DEPTH, 1, 11, NaN, 1]];
    expect(() => batch(nan, ["mid()"])).toThrow("memory: row 2: px NaN, qty 1: not a level or trade");
    const late: Row[] = [...BOOK, [BOTH | EV_BUY | KIND_DEPTH, 1, 105 * 86_400e9, 99, 1]];
    expect(() => batch(late, ["mid()"])).toThrow("row 2: local_ts is 104 days");
  });
});
