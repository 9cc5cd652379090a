// What a session's analysis adds to the tables of a run, as csv and Parquet: requests with their stages, fills with
// slippage and mark-outs, what became of each quote, PnL by strategy, symbol and hour. Cold.
import { join } from "node:path";
import { type FileColumn, writeColumns } from "../data/column-files.ts";
import { ACTION_NAMES } from "../wire/codes.ts";
import { attributeByHour, attributeByPair, type PnlParts } from "./pnl-attribution.ts";
import { analyseQuotes } from "./quote-analysis.ts";
import { strategyName } from "./run-files.ts";
import { CURVE_NS, type RequestColumn, type SessionFacts } from "./session-facts.ts";

export function writeSessionFiles(facts: SessionFacts, dir: string): void {
  writeColumns(join(dir, "requests"), requestColumns(facts), facts.requests.rows);
  writeColumns(join(dir, "fill-analysis"), fillColumns(facts), facts.result.fills.rows);
  writeColumns(join(dir, "quotes"), quoteColumns(facts), facts.result.orders.rows);
  const rows = pnlRows(facts);
  writeColumns(join(dir, "pnl"), pnlColumns(rows), rows.length);
}

const TIMES: readonly (readonly [RequestColumn, string])[] = [
  ["eventExchNs", "event_exch_ts"],
  ["triggerNs", "trigger_ts"],
  ["decidedNs", "decided_ts"],
  ["gatedNs", "gated_ts"],
  ["sentNs", "sent_ts"],
  ["exchNs", "exch_ts"],
  ["answeredNs", "answered_ts"],
];

function requestColumns({ requests, result }: SessionFacts): FileColumn[] {
  const of = (name: RequestColumn): Float64Array => requests.values(name);
  const [instrument, strategy, order, action] = [of("instrument"), of("strategy"), of("order"), of("action")];
  const ids = result.orders.values("orderId");
  return [
    { name: "instrument", type: "text", at: (row) => result.instruments[instrument[row]!]!.symbol },
    { name: "strategy", type: "text", at: (row) => strategyName(result, strategy[row]!) },
    {
      name: "order_id",
      type: "int64",
      at: (row) => (Number.isNaN(order[row]!) ? null : BigInt(ids[order[row]!]!)),
    },
    { name: "action", type: "text", at: (row) => ACTION_NAMES[action[row]!] ?? null },
    ...TIMES.map(([column, name]): FileColumn => {
      const values = of(column);
      return { name, type: "int64", at: (row) => unixNs(result.baseNs, values[row]!) };
    }),
  ];
}

const unixNs = (baseNs: bigint, ns: number): bigint | null =>
  Number.isFinite(ns) ? baseNs + BigInt(Math.round(ns)) : null;

function fillColumns({ result, orderOfFill, orderMids, curveTicks }: SessionFacts): FileColumn[] {
  const { fills, instruments } = result;
  const column = (name: (typeof fills.names)[number]): Float64Array => fills.values(name);
  const [of, side, px, mid, at] = [
    column("instrument"),
    column("side"),
    column("pxTicks"),
    column("mid0Ticks"),
    column("exchTsNs"),
  ];
  const bps = (name: string, value: (row: number) => number): FileColumn => ({
    name,
    type: "double",
    at: (row) => value(row) * 1e4,
  });
  const ofOrder = (mids: Float64Array, row: number): number =>
    orderOfFill[row]! < 0 ? Number.NaN : mids[orderOfFill[row]!]!;
  const slippage = (row: number, from: number): number => (side[row]! * (px[row]! - from)) / from;
  return [
    { name: "instrument", type: "text", at: (row) => instruments[of[row]!]!.symbol },
    { name: "strategy", type: "text", at: (row) => strategyName(result, column("strategy")[row]!) },
    { name: "order_id", type: "int64", at: (row) => BigInt(column("orderId")[row]!) },
    { name: "exch_ts", type: "int64", at: (row) => unixNs(result.baseNs, at[row]!) },
    bps("slippage_decision_bps", (row) => slippage(row, ofOrder(orderMids.decisionTicks, row))),
    bps("slippage_arrival_bps", (row) => slippage(row, ofOrder(orderMids.arrivalTicks, row))),
    bps("slippage_fill_bps", (row) => slippage(row, mid[row]!)),
    ...CURVE_NS.map((ns, h) =>
      bps(`mark_out_${ns / 1e6}ms_bps`, (row) => (side[row]! * (curveTicks[h]![row]! - px[row]!)) / px[row]!),
    ),
  ];
}

function quoteColumns(facts: SessionFacts): FileColumn[] {
  const { result } = facts;
  const { orders } = result;
  const quotes = analyseQuotes(facts);
  const [of, by, id] = [orders.values("instrument"), orders.values("strategy"), orders.values("orderId")];
  const double = (name: string, values: Float64Array): FileColumn => ({
    name,
    type: "double",
    at: (row) => values[row]!,
  });
  const ns = (name: string, values: Float64Array): FileColumn => ({
    name,
    type: "int64",
    at: (row) => unixNs(0n, values[row]!),
  });
  return [
    { name: "instrument", type: "text", at: (row) => result.instruments[of[row]!]!.symbol },
    { name: "strategy", type: "text", at: (row) => strategyName(result, by[row]!) },
    { name: "order_id", type: "int64", at: (row) => BigInt(id[row]!) },
    double("distance_bps", quotes.distanceBps),
    ns("rested_ns", quotes.restedNs),
    ns("first_fill_ns", quotes.firstFillNs),
    ...CURVE_NS.map((horizon, h) => double(`mark_out_${horizon / 1e6}ms_bps`, quotes.markOutsBps[h]!)),
  ];
}

interface PnlRow extends PnlParts {
  readonly strategy: string;
  readonly symbol: string;
  readonly currency: string;
  /** Hours since the base; null: the whole session. */
  readonly hour: bigint | null;
}

/** By strategy and symbol over the whole session, then by hour and symbol over all strategies. */
function pnlRows(facts: SessionFacts): PnlRow[] {
  const { result } = facts;
  const { instruments, baseNs } = result;
  const whole = attributeByPair(facts).map(({ strategy, instrument, parts }): PnlRow => {
    const { symbol, currency } = instruments[instrument]!;
    return { strategy: strategyName(result, strategy), symbol, currency, hour: null, ...parts };
  });
  const hours = instruments.flatMap((one) =>
    [...attributeByHour(facts, one.index)].map(([hour, parts]): PnlRow => {
      const start = baseNs + BigInt(hour) * 3_600_000_000_000n;
      return { strategy: "all", symbol: one.symbol, currency: one.currency, hour: start, ...parts };
    }),
  );
  return [...whole, ...hours];
}

function pnlColumns(rows: readonly PnlRow[]): FileColumn[] {
  const part = (name: keyof PnlParts, column: string): FileColumn => ({
    name: column,
    type: "double",
    at: (row) => rows[row]![name],
  });
  return [
    { name: "strategy", type: "text", at: (row) => rows[row]!.strategy },
    { name: "symbol", type: "text", at: (row) => rows[row]!.symbol },
    { name: "currency", type: "text", at: (row) => rows[row]!.currency },
    { name: "hour_ts", type: "int64", at: (row) => rows[row]!.hour },
    part("fills", "fills"),
    part("spread", "spread_captured"),
    part("inventory", "inventory"),
    part("fees", "fees"),
    part("funding", "funding"),
    part("total", "total"),
  ];
}
