// What `ctl` prints: tables by column padding, from the API's JSON. Text from the engine passes `printable`
// first: a name or reason must not steer the terminal.
import type {
  CommandResult,
  FillView,
  LatencyView,
  OrderView,
  PnlView,
  PositionView,
  QuoteView,
  StatusView,
  ValuesView,
  WhyView,
} from "../control/engine-control.ts";

/** Control and formatting characters (escape sequences, direction marks) become a middle dot. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "·");
}

/** Columns whose heading starts with ">" are right-aligned. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "  none";
  const clean = rows.map((row) => row.map(printable));
  const titles = headings.map((heading) => heading.replace(">", ""));
  const widths = titles.map((title, i) =>
    clean.reduce((width, row) => Math.max(width, (row[i] ?? "").length), title.length),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells
      .map((cell, i) => (headings[i]!.startsWith(">") ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")}`.trimEnd();
  return [line(titles), ...clean.map(line)].join("\n");
}

const clock = (iso: string): string => iso.slice(11, 23);
const orDash = (value: string | number | null): string => (value === null ? "–" : String(value));
const microseconds = (ns: number | null): string => (ns === null ? "–" : (ns / 1000).toFixed(2));
const pairs = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

function marginLine(m: NonNullable<StatusView["margin"]>): string {
  const distance =
    m.liquidationDistance === null ? "" : `  liquidation ${(m.liquidationDistance * 100).toFixed(1)} % away`;
  return `account ${m.currency}: equity ${m.equity}  margin ${m.initial}  free ${m.free}${distance}`;
}

export function statusText(s: StatusView): string {
  const kill =
    s.kill.state === "armed" ? "armed" : `${s.kill.state.toUpperCase()} since ${orDash(s.kill.since)}`;
  const reason = s.kill.reason === "" ? "" : ` (${s.kill.reason})`;
  const head = [
    `hotlane ${s.version}  env ${s.env}  session ${s.session}  up ${Math.floor(s.uptimeS)} s`,
    ...(s.margin === null ? [] : [marginLine(s.margin)]),
    `kill word ${kill}${reason}  reconciled ${s.reconciled ? "yes" : "NO"}  storm ${s.storm}  drops ${s.drops}`,
  ];
  return [
    ...head.map(printable),
    "market",
    marketTable(s),
    "strategies",
    table(
      ["name", "state", ">orders", "instruments", "reason"],
      s.strategies.map((x) => [x.name, x.state, String(x.workingOrders), x.instruments.join(","), x.reason]),
    ),
    "lanes",
    table(
      ["lane", "state", ">cpu", "wait", ">heartbeat ms", ">worst stall ms", ">turns", ">gc"],
      s.lanes.map((l) => [
        l.name,
        l.state,
        l.cpu < 0 ? "any" : String(l.cpu),
        l.wait,
        l.heartbeatAgeMs.toFixed(1),
        (l.maxStallUs / 1000).toFixed(2),
        String(l.turns),
        String(l.gcCount),
      ]),
    ),
    `journal ${s.journal.records} records, ${s.journal.bytes} bytes, ${s.journal.segments} segments, window ${s.journal.unackedWindowUs} us${s.journal.failed ? ", FAILED" : ""}`,
    printable(`recorder ${s.recorder.target}, lag ${s.recorder.lagMs} ms`),
  ].join("\n");
}

function marketTable(s: StatusView): string {
  const quote = (q: QuoteView | null) => (q === null ? "–" : `${q.qty} @ ${q.price}`);
  return table(
    ["instrument", "feed", "reason", ">age ms", ">bid", ">ask", ">mark"],
    s.instruments.map((i) => [
      i.instrument,
      i.feed,
      i.feedReason,
      i.feedAgeMs === null ? "–" : i.feedAgeMs.toFixed(0),
      quote(i.bid),
      quote(i.ask),
      orDash(i.markPrice),
    ]),
  );
}

export function ordersText(orders: readonly OrderView[]): string {
  return table(
    ["client id", "strategy", "instrument", "side", ">price", ">qty", ">leaves", "state", "tif", "updated"],
    orders.map((o) => [
      o.clientOrderId,
      o.strategy,
      o.instrument,
      o.side,
      o.price,
      o.qty,
      o.leavesQty,
      o.state,
      o.tif,
      clock(o.updatedAt),
    ]),
  );
}

export function fillsText(fills: readonly FillView[]): string {
  return table(
    ["at", "trade id", "strategy", "instrument", "side", ">price", ">qty", ">fee", "", "liquidity"],
    fills.map((f) => [
      clock(f.at),
      f.tradeId,
      f.strategy,
      f.instrument,
      f.side,
      f.price,
      f.qty,
      f.fee,
      f.feeCurrency,
      `${f.maker ? "maker" : "taker"}${f.recovered ? " recovered" : ""}`,
    ]),
  );
}

export function positionsText(positions: readonly PositionView[], pnl: readonly PnlView[]): string {
  const rows = positions.map((p) => [
    p.strategy,
    p.instrument,
    p.qty,
    orDash(p.avgPrice),
    orDash(p.markPrice),
    p.realized,
    p.unrealized,
    p.fees,
    p.currency,
  ]);
  const totals = pnl.map((p) => [p.currency, p.realized, p.unrealized, p.fees, p.funding, p.net]);
  return [
    table(["strategy", "instrument", ">qty", ">avg", ">mark", ">realized", ">unrealized", ">fees", ""], rows),
    "by currency",
    table(["", ">realized", ">unrealized", ">fees", ">funding", ">net"], totals),
  ].join("\n");
}

export function latencyText(latency: readonly LatencyView[]): string {
  return table(
    ["stage, us", "lane", ">p50", ">p99", ">p99.9", ">max", ">count"],
    latency.map((l) => [
      l.name,
      l.lane,
      microseconds(l.p50Ns),
      microseconds(l.p99Ns),
      microseconds(l.p999Ns),
      microseconds(l.maxNs),
      String(l.count),
    ]),
  );
}

export function valuesText(view: ValuesView): string {
  return table(
    ["name", ">value", ">default", "type", ">min", ">max", ">step", "unit", "what"],
    view.schema.map((spec) => [
      spec.name,
      view.values[spec.name] ?? "–",
      spec.default,
      spec.type === "enum" ? spec.values.join("|") : spec.type,
      orDash(spec.min),
      orDash(spec.max),
      orDash(spec.step),
      spec.unit,
      spec.description,
    ]),
  );
}

export function whyText(view: WhyView): string {
  const rows = view.decisions.map((d) => [clock(d.at), d.instrument, d.source, d.code, d.detail]);
  return [
    printable(`${view.strategy} is ${view.state}`),
    table(["at", "instrument", "by", "code", "detail"], rows),
  ].join("\n");
}

export function resultText(result: CommandResult): string {
  const changed = (value: unknown): string =>
    value !== null && typeof value === "object" ? pairs(value as Record<string, string>) : String(value);
  const lines = [`${result.ok ? "ok" : "FAILED"}: ${result.message} (now ${result.state})`];
  if (result.before !== null || result.after !== null)
    lines.push(`  before ${changed(result.before)}`, `  after  ${changed(result.after)}`);
  if (result.ordersMayBeWorking) lines.push("  ORDERS MAY BE WORKING at the venue");
  return lines.map(printable).join("\n");
}
