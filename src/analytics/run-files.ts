// The tables of a run as files: state series per instrument (hftbacktest's column names), orders and fills, each as
// csv and Parquet; prices and quantities in units, codes by name, times in ns since the Unix epoch. Cold.
import { join } from "node:path";
import { type FileColumn, writeColumns } from "../data/column-files.ts";
import { ORDER_STATE_NAMES, ORDER_TYPE_NAMES, TIF_NAMES } from "../wire/codes.ts";
import type { ColumnTable, ResultInstrument, RunResult } from "./run-result.ts";
import { stepNumber } from "./step-number.ts";

const STATE_DOUBLES = [
  ["price", "mid"],
  ["position", "position"],
  ["balance", "balance"],
  ["fee", "fee"],
  ["num_trades", "numTrades"],
  ["trading_volume", "tradingVolume"],
  ["trading_value", "tradingValue"],
  ["equity", "equity"],
] as const;

/** Writes `state`, `orders` and `fills` (.csv, .parquet) into `dir`; several instruments: `state-0`, … */
export function writeRunFiles(result: RunResult, dir: string): void {
  const { instruments, orders, fills } = result;
  for (const { index } of instruments) {
    const name = instruments.length === 1 ? "state" : `state-${index}`;
    const rows = stateRows(result, index);
    writeColumns(join(dir, name), stateColumns(result, rows), rows.length);
  }
  writeColumns(join(dir, "orders"), orderColumns(result), orders.rows);
  writeColumns(join(dir, "fills"), fillColumns(result), fills.rows);
}

/** Rows of `states` that belong to an instrument. */
export function stateRows(result: RunResult, instrument: number): Uint32Array {
  const of = result.states.values("instrument");
  let count = 0;
  for (const value of of) if (value === instrument) count++;
  const rows = new Uint32Array(count);
  for (let row = 0, at = 0; row < of.length; row++) if (of[row] === instrument) rows[at++] = row;
  return rows;
}

/** Strategy ids count from 1; 0 is the house. */
export const strategyName = (result: RunResult, id: number): string =>
  id === 0 ? "house" : (result.strategies[id - 1] ?? `#${id}`);

function stateColumns(result: RunResult, rows: Uint32Array): FileColumn[] {
  const { states, baseNs } = result;
  const ts = states.values("tsNs");
  return [
    { name: "timestamp", type: "int64", at: (i) => int64(baseNs, ts[rows[i]!]!) },
    ...STATE_DOUBLES.map(([name, column]): FileColumn => {
      const values = states.values(column);
      return { name, type: "double", at: (i) => values[rows[i]!]! };
    }),
  ];
}

function orderColumns(result: RunResult): FileColumn[] {
  const of = new Columns(result, result.orders);
  return [
    ...of.whose(),
    of.integer("orderId", "order_id"),
    of.side(),
    of.coded("type", ORDER_TYPE_NAMES),
    of.coded("tif", TIF_NAMES),
    of.ticks("pxTicks", "price"),
    of.lots("qtyLots", "qty"),
    of.time("requestTsNs", "request_ts"),
    of.time("exchTsNs", "exch_ts"),
    of.time("responseTsNs", "response_ts"),
    of.time("endTsNs", "end_ts"),
    of.coded("state", ORDER_STATE_NAMES),
    of.lots("filledLots", "filled_qty"),
    of.integer("amends", "amends"),
    of.integer("rejectCode", "reject_code"),
  ];
}

function fillColumns(result: RunResult): FileColumn[] {
  const of = new Columns(result, result.fills);
  return [
    ...of.whose(),
    of.integer("orderId", "order_id"),
    of.side(),
    of.ticks("pxTicks", "price"),
    of.lots("qtyLots", "qty"),
    of.text("maker", "liquidity", (maker) => (maker === 1 ? "maker" : "taker")),
    of.time("exchTsNs", "exch_ts"),
    of.time("localTsNs", "local_ts"),
    of.double("fee", "fee"),
    of.integer("queueWaitNs", "queue_wait_ns"),
    of.ticks("mid0Ticks", "mid"),
    of.ticks("mid100msTicks", "mid_100ms"),
    of.ticks("mid1sTicks", "mid_1s"),
    of.ticks("mid10sTicks", "mid_10s"),
  ];
}

const int64 = (base: bigint, value: number): bigint | null =>
  Number.isFinite(value) ? base + BigInt(Math.round(value)) : null;

/** Makes file columns of one table: steps in units, codes by name. */
class Columns<C extends string> {
  private readonly result: RunResult;
  private readonly table: ColumnTable<C>;

  constructor(result: RunResult, table: ColumnTable<C>) {
    this.result = result;
    this.table = table;
  }

  whose(): FileColumn[] {
    const { instruments } = this.result;
    return [
      this.text("instrument" as C, "instrument", (i) => instruments[i]!.symbol),
      this.text("strategy" as C, "strategy", (id) => strategyName(this.result, id)),
    ];
  }

  side(): FileColumn {
    return this.text("side" as C, "side", (sign) => (sign > 0 ? "buy" : "sell"));
  }

  text(column: C, name: string, of: (value: number) => string | null): FileColumn {
    const values = this.table.values(column);
    return { name, type: "text", at: (row) => of(values[row]!) };
  }

  coded(column: C, names: readonly string[]): FileColumn {
    return this.text(column, column, (code) => names[code] ?? null);
  }

  double(column: C, name: string): FileColumn {
    const values = this.table.values(column);
    return { name, type: "double", at: (row) => values[row]! };
  }

  integer(column: C, name: string, base = 0n): FileColumn {
    const values = this.table.values(column);
    return { name, type: "int64", at: (row) => int64(base, values[row]!) };
  }

  time(column: C, name: string): FileColumn {
    return this.integer(column, name, this.result.baseNs);
  }

  ticks(column: C, name: string): FileColumn {
    return this.steps(column, name, (i) => i.tickSize);
  }

  lots(column: C, name: string): FileColumn {
    return this.steps(column, name, (i) => i.lotSize);
  }

  private steps(column: C, name: string, size: (i: ResultInstrument) => number): FileColumn {
    const values = this.table.values(column);
    const instrument = this.table.values("instrument" as C);
    const inUnits = this.result.instruments.map((i) => stepNumber(size(i)));
    return { name, type: "double", at: (row) => inUnits[instrument[row]!]!(values[row]!) };
  }
}
