// What a session has recorded against the venue's journal: nothing missing, nothing twice, every figure equal.
import { expect } from "bun:test";
import { TABLES } from "../../src/record/tables.ts";
import type { OpenEngine } from "./embedded.ts";
import { STRATEGIES } from "./live-checks.ts";
import { walRows } from "./live-session.ts";
import { e8Of, holdings, type JournalLine, lotsOf, moneyOf, scaled } from "./venue-oracle.ts";

/** Every fill of the venue stands in `fills` once, with order, side, price, quantity, fee and liquidity. */
export async function expectFillRows(engine: OpenEngine, lines: readonly JournalLine[]): Promise<void> {
  const rows = await engine.rows(
    `SELECT symbol, toString(fill_id) AS id, toInt8(side) AS side, price_ticks, qty_lots, is_maker,
     toString(toInt64(fee * 100000000)) AS fee, client_order_id FROM hotlane.fills`,
  );
  const got = rows.map((r) =>
    [
      r["symbol"],
      r["id"],
      r["side"],
      r["price_ticks"],
      r["qty_lots"],
      r["is_maker"],
      r["fee"],
      r["client_order_id"],
    ].join(" "),
  );
  const wanted = lines
    .filter((line) => line.k === "fill")
    .map((f) => [f["s"], f["id"], f["side"], f["px"], f["q"], f["m"], f["fee"], f["c"]].join(" "));
  expect(got.sort()).toEqual(wanted.sort());
}

const STATUS: Readonly<Record<string, string>> = {
  NEW: "New",
  PARTIALLY_FILLED: "PartiallyFilled",
  FILLED: "Filled",
  CANCELED: "Canceled",
  EXPIRED: "Expired",
};

/** The orders table has the orders of the WAL, no other, each with the venue's end of it and quantity. */
export async function expectOrderRows(
  engine: OpenEngine,
  dir: string,
  lines: readonly JournalLine[],
): Promise<void> {
  const rows = await engine.rows(
    `SELECT client_order_id AS id, status, toString(toInt64(exec_qty * 100000000)) AS exec
     FROM hotlane.orders_latest WHERE client_order_id != ''`,
  );
  const ends = new Map<string, { status: string; lots: bigint; symbol: string }>();
  for (const line of lines)
    if (line.k === "order")
      ends.set(line["c"], {
        status: STATUS[line["X"]] ?? line["X"],
        lots: BigInt(line["z"]),
        symbol: line["s"],
      });
  const { told, filledOnly } = await walOrderIds(dir);
  const wrong = rows.filter((row) => {
    const end = ends.get(row["id"]!);
    // Refused, or never heard of: nothing was executed.
    if (end === undefined) return row["exec"] !== "0";
    const exec = lotsOf(end.symbol, end.lots) / 10n ** 12n;
    const status = filledOnly.has(row["id"]!) ? "PartiallyFilled" : end.status;
    return row["status"] !== status || BigInt(row["exec"]!) !== exec;
  });
  expect(wrong.map((row) => ({ ...row, venue: ends.get(row["id"]!) }))).toEqual([]);
  expect(rows.map((row) => row["id"]!).sort()).toEqual([...told, ...filledOnly].sort());
}

const EVENT: Readonly<Record<string, string>> = {
  NEW: "New",
  AMENDMENT: "Replaced",
  TRADE: "Fill",
  CANCELED: "Canceled",
  EXPIRED: "Expired",
};

/**
 * Every word of the venue on an order is a row, in the venue's order, with its time, price, quantity and what was executed;
 * and stages of requests follow one another. Orders that the session had to ask about (a loaded machine) are left out.
 */
export async function expectOrderHistory(engine: OpenEngine, lines: readonly JournalLine[]): Promise<void> {
  const rows = await engine.rows(
    `SELECT client_order_id AS id, event, toString(toUnixTimestamp64Milli(exch_time)) AS at, status, price_ticks, qty_lots,
       toString(toInt64(exec_qty * 100000000)) AS exec FROM hotlane.orders
     WHERE client_order_id != '' AND event IN ('New', 'Replaced', 'Fill', 'Canceled', 'Expired') ORDER BY wal_position`,
  );
  const asked = await engine.rows(
    `SELECT DISTINCT client_order_id AS id FROM hotlane.orders WHERE source IN ('Query', 'Local') OR recovered`,
  );
  const heard = (id: string): boolean => !asked.some((row) => row["id"] === id);
  const got = Map.groupBy(
    rows.map((r) => ({ id: r["id"]!, line: Object.values(r).slice(1).join(" ") })),
    (row) => row.id,
  );
  const wanted = Map.groupBy(
    lines.filter((line) => line.k === "order"),
    (line) => String(line["c"]),
  );
  const told = ([id, of]: [string, JournalLine[]]) => [
    id,
    of.map((o) => {
      const exec = lotsOf(o["s"], BigInt(o["z"])) / 10n ** 12n;
      return [EVENT[o["x"]], o["updated"], STATUS[o["X"]], o["px"], o["q"], exec].join(" ");
    }),
  ];
  const lived = [...got].filter(([id]) => heard(id));
  expect(lived.length).toBeGreaterThan(got.size / 2);
  expect(Object.fromEntries(lived.map(([id, of]) => [id, of.map((row) => row.line)]))).toEqual(
    Object.fromEntries([...wanted].filter(([id]) => heard(id)).map(told)),
  );
  const [stages] = await engine.rows(
    `SELECT countIf(event_time > toDateTime64(0, 9) AND event_time > trigger_time + INTERVAL 1 MILLISECOND) AS event,
       countIf(trigger_time > strategy_time) AS strategy, countIf(strategy_time > risk_time) AS risk,
       countIf(risk_time > wire_time) AS wire, countIf(latency_ns < 0) AS latency,
       countIf(qty != leaves_qty + exec_qty) AS leaves FROM hotlane.orders`,
  );
  expect(stages).toEqual({ event: "0", strategy: "0", risk: "0", wire: "0", latency: "0", leaves: "0" });
}

/**
 * Client ids of the orders that stand in the WAL. A kill may swallow an order's request and reports: then its fills,
 * which the venue's history brings back, are all that is known of it.
 */
async function walOrderIds(dir: string): Promise<{ told: Set<string>; filledOnly: Set<string> }> {
  const rows = await walRows(dir, ["OrderSent", "OrderReport", "OrderReportDetail", "Fill", "FillDetail"]);
  const told = new Set<string>();
  const filled = new Set<string>();
  let head: (typeof rows)[number] | null = null;
  for (const row of rows) {
    if (row.kind === "OrderSent" && row["action"] === "place")
      told.add(idText(row.session.split("-").at(-1)!, row));
    if (row.kind === "OrderReport" || row.kind === "Fill") head = row;
    if (!row.kind.endsWith("Detail") || head === null || row["clientNonce"] === "0") continue;
    const id = idText(BigInt(row["clientNonce"]).toString(36).padStart(11, "0"), head);
    (row.kind === "FillDetail" ? filled : told).add(id);
  }
  return { told, filledOnly: filled.difference(told) };
}

const idText = (nonce: string, row: { readonly [field: string]: unknown }): string =>
  `h${nonce}-${STRATEGIES.indexOf(String(row["strategy"])).toString(36)}-${Number(row["clientSeq"]).toString(36)}`;

/** Rows are single by where they came from, and the aggregates that follow have counted each of them once. */
export async function expectSingleRows(engine: OpenEngine): Promise<void> {
  for (const table of [
    "orders",
    "fills",
    "positions",
    "market_data",
    "strategy_status",
    "feed_status",
    "latency",
  ]) {
    const [row] = await engine.rows(
      `SELECT count() AS n, uniqExact(session, wal_position) AS single FROM hotlane.${table}`,
    );
    expect({ table, n: row!["n"] }).toEqual({ table, n: row!["single"]! });
  }
  const [sums] = await engine.rows(
    `SELECT (SELECT sum(fills) FROM hotlane.fills_1m) AS fills, (SELECT count() FROM hotlane.fills) AS fillRows,
     (SELECT sum(events) FROM hotlane.order_events_1m) AS events, (SELECT count() FROM hotlane.orders) AS orderRows`,
  );
  expect(sums!["fills"]).toBe(sums!["fillRows"]!);
  expect(sums!["events"]).toBe(sums!["orderRows"]!);
}

/** The last position row of each strategy and symbol: quantity, realised result and fees. */
export async function expectPositionRows(engine: OpenEngine, lines: readonly JournalLine[]): Promise<void> {
  const rows = await engine.rows(
    `SELECT strategy_id, symbol, toString(position) AS qty, toString(realized_pnl) AS realized, toString(fees) AS fees
     FROM hotlane.positions_latest`,
  );
  const got = rows.map((r) => ({
    key: `${STRATEGIES.indexOf(r["strategy_id"]!)} ${r["symbol"]}`,
    lots: scaled(r["qty"]!),
    realized: scaled(r["realized"]!),
    fees: scaled(r["fees"]!),
  }));
  const wanted = [...holdings(lines).values()].map((h) => ({
    key: `${h.strategy} ${h.symbol}`,
    lots: lotsOf(h.symbol, h.lots),
    realized: moneyOf(h.symbol, h.realized),
    fees: e8Of(h.feesE8),
  }));
  const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
  expect(got.sort(byKey)).toEqual(wanted.sort(byKey));
}

/** Columns that a short session without losses, refusals by the venue, funding and reductions leaves as they are. */
const MAY_BE_EMPTY: Readonly<Record<string, readonly string[]>> = {
  orders: ["order_type", "reduce_only", "recovered", "reject_code"],
  positions: ["funding"],
  fills: ["recovered"],
  feed_status: ["gaps"],
  // Its first value is the default.
  account: ["kind", "symbol", "amount", "transaction_id"],
  // The first session begins at 0.
  sessions: ["wal_position"],
  risk_state: ["symbol", "value0", "value1", "value2"],
};

/** Every column of every table holds something in some row: a field that nobody writes is found here. */
export async function expectFilledColumns(
  rows: (sql: string) => Promise<Record<string, unknown>[]>,
): Promise<void> {
  const empty: string[] = [];
  for (const { name, columns } of Object.values(TABLES)) {
    if (name === "journal_gaps") continue;
    const counts = columns.map(
      (c) => `countIf(toString(${c.name}) != toString(defaultValueOfArgumentType(${c.name}))) AS n_${c.name}`,
    );
    const [found] = await rows(`SELECT ${counts.join(", ")} FROM hotlane.${name}`);
    for (const c of columns)
      if (Number(found![`n_${c.name}`]) === 0 && !MAY_BE_EMPTY[name]?.includes(c.name))
        empty.push(`${name}.${c.name}`);
  }
  expect(empty).toEqual([]);
}
