// The end of a session in figures: the JSON of `bun run live --json` and the text a person reads. Money,
// prices and quantities are decimal strings, exact: they come from integer sums, not from doubles. Cold.
import { formatDecimal, parseDecimal } from "../core/decimal.ts";
import type { HistogramReader } from "../core/histogram.ts";
import type { LaneVitals } from "../lane/telemetry.ts";
import { averagePxFraction, inverseScale } from "../market/contract-value.ts";
import { type Instrument, moneyUnit } from "../market/instrument.ts";
import type { PairNow } from "./execution-board.ts";

export interface LaneSummary {
  readonly name: string;
  readonly agents: readonly string[];
  readonly cpu: number;
  readonly wait: string;
  readonly turns: number;
  readonly maxStallUs: number;
  readonly gcCount: number;
}

export interface Quantiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
  readonly count: number;
}

export interface PositionSummary {
  readonly strategy: string;
  readonly symbol: string;
  readonly qty: string;
  /** null when flat. */
  readonly avgPrice: string | null;
  readonly realized: string;
  readonly unrealized: string;
}

export interface CurrencySummary {
  readonly realized: string;
  readonly unrealized: string;
  readonly fees: string;
  readonly funding: string;
}

export interface RecorderSummary {
  /** "embedded", the server's host, "jsonl", or "wal" when nothing is behind the log. */
  readonly target: string;
  /** Acknowledged in this data directory, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Age of the oldest record that is not acknowledged. */
  readonly lagMs: number;
  readonly retries: number;
  /** recording, retrying, storeFull, refused, done, …; "off" without a recorder. */
  readonly state: string;
  /** Market rows that were not recorded because the store's disk ran low. */
  readonly shedRows: number;
  /** "" = nothing is wrong. */
  readonly alarm: string;
}

/** Tables that a summary names even when nothing of them was recorded. */
export const NO_ROWS = { orders: 0, fills: 0, positions: 0, market_data: 0, risk_log: 0 } as const;

/** No recorder: what is written stays in the log. */
export const WAL_ONLY: RecorderSummary = {
  target: "wal",
  rows: {},
  lagMs: 0,
  retries: 0,
  state: "off",
  shedRows: 0,
  alarm: "",
};

export interface SessionSummary {
  readonly env: string;
  readonly session: string;
  readonly durationS: number;
  readonly lanes: readonly LaneSummary[];
  readonly feed: Readonly<
    Record<"messages" | "events" | "trades" | "gaps" | "resyncs" | "reconnects" | "malformed", number>
  >;
  readonly orders: Readonly<
    Record<"sent" | "acked" | "rejected" | "canceled" | "filled" | "denied" | "unknown", number>
  >;
  readonly fills: {
    readonly count: number;
    readonly makerShare: number | null;
    readonly volume: Readonly<Record<string, string>>;
  };
  readonly positions: readonly PositionSummary[];
  readonly pnl: Readonly<Record<string, CurrencySummary>>;
  readonly latencyNs: Readonly<Record<string, Quantiles>>;
  readonly journal: {
    readonly records: number;
    readonly bytes: number;
    readonly segments: number;
    readonly unackedWindowUs: number;
  };
  readonly recorder: RecorderSummary;
  readonly drops: number;
  /** How it ended: "clean", or why not. */
  readonly end: string;
}

/** Decimals in which sums of a currency are added up: fees are kept in 1e-8 of a tick·lot. */
const FEE_DECIMALS = 8;
const AVERAGE_PRICE_DECIMALS = 8;

export function quantiles(reader: HistogramReader): Quantiles {
  const some = reader.count > 0;
  const round = (ns: number) => (some ? Math.round(ns) : null);
  return {
    p50: round(reader.quantile(0.5)),
    p99: round(reader.quantile(0.99)),
    p999: round(reader.quantile(0.999)),
    max: round(reader.max),
    count: reader.count,
  };
}

export function laneSummary(
  lane: {
    readonly name: string;
    readonly agents: readonly string[];
    readonly cpu: number;
    readonly wait: string;
  },
  vitals: LaneVitals,
): LaneSummary {
  return {
    name: lane.name,
    agents: lane.agents,
    cpu: lane.cpu,
    wait: lane.wait,
    turns: vitals.turns,
    maxStallUs: Math.round(vitals.maxStallNs / 1000),
    gcCount: vitals.collections,
  };
}

/** Average price of the position, rounded to 8 decimals beyond the tick. */
export function averagePrice(i: Instrument, pair: Pick<PairNow, "qtyLots" | "costTickLots">): string | null {
  if (pair.qtyLots === 0) return null;
  const tick = parseDecimal(i.tickSize);
  const scale = 10n ** BigInt(AVERAGE_PRICE_DECIMALS);
  const px = averagePxFraction(inverseScale(i), pair.qtyLots, pair.costTickLots);
  if (px.denominator === 0n) return null;
  const scaled = (px.numerator * tick.units * scale) / px.denominator;
  return formatDecimal(scaled, tick.decimals + AVERAGE_PRICE_DECIMALS);
}

/** tick·lots (optionally in 1e-8) as decimal text of the settlement currency. */
function money(i: Instrument, amount: bigint, extraDecimals = 0): string {
  const unit = moneyUnit(i);
  return formatDecimal(amount * unit.mantissa, unit.decimals + extraDecimals);
}

export function positionSummary(pair: PairNow, i: Instrument, strategy: string): PositionSummary {
  const lot = parseDecimal(i.lotSize);
  return {
    strategy,
    symbol: i.symbol,
    qty: formatDecimal(BigInt(pair.qtyLots) * lot.units, lot.decimals),
    avgPrice: averagePrice(i, pair),
    realized: money(i, pair.realized),
    unrealized: money(i, BigInt(Math.round(pair.unrealizedTickLots))),
  };
}

interface CurrencySum {
  realized: bigint;
  unrealized: bigint;
  fees: bigint;
  funding: bigint;
}

/** What belongs to no pair. */
export interface AccountSums {
  /** Funding that the venue did not state per instrument (cross margin), 1e-8 of the settlement currency. */
  readonly fundingE8: bigint;
  /** Fees in other assets, 1e-8, by name. */
  readonly otherFees: ReadonlyMap<string, bigint>;
}

/** Exact sums per currency: the settlement currency, which all instruments share, and what else fees were paid in. */
export function pnlByCurrency(
  pairs: readonly PairNow[],
  instruments: readonly Instrument[],
  { fundingE8, otherFees }: AccountSums,
): Readonly<Record<string, CurrencySummary>> {
  const sums = new Map<string, CurrencySum>();
  const sumOf = (currency: string): CurrencySum => {
    const sum = sums.get(currency) ?? { realized: 0n, unrealized: 0n, fees: 0n, funding: 0n };
    sums.set(currency, sum);
    return sum;
  };
  const DECIMALS = 24;
  const ofE8 = (amount: bigint) => amount * 10n ** BigInt(DECIMALS - 8);
  for (const pair of pairs) {
    const i = instruments[pair.instrument - 1]!;
    const unit = moneyUnit(i);
    const scaled = (amount: bigint, extra: number) =>
      amount * unit.mantissa * 10n ** BigInt(DECIMALS - unit.decimals - extra);
    const sum = sumOf(i.settle);
    sum.realized += scaled(pair.realized, 0);
    sum.unrealized += scaled(BigInt(Math.round(pair.unrealizedTickLots)), 0);
    sum.fees += scaled(pair.fees, FEE_DECIMALS);
    sum.funding += scaled(pair.funding, FEE_DECIMALS);
  }
  const settle = instruments[0]?.settle;
  if (fundingE8 !== 0n && settle !== undefined) sumOf(settle).funding += ofE8(fundingE8);
  for (const [asset, paid] of otherFees) sumOf(asset).fees += ofE8(paid);
  const text = (amount: bigint) => formatDecimal(amount, DECIMALS);
  return Object.fromEntries(
    [...sums].map(([currency, s]) => [
      currency,
      {
        realized: text(s.realized),
        unrealized: text(s.unrealized),
        fees: text(s.fees),
        funding: text(s.funding),
      },
    ]),
  );
}

export function volumeBySymbol(
  pairs: readonly PairNow[],
  instruments: readonly Instrument[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    instruments.map((i) => {
      const lot = parseDecimal(i.lotSize);
      const lots = pairs.filter((p) => p.instrument === i.id).reduce((sum, p) => sum + p.volumeLots, 0);
      return [i.symbol, formatDecimal(BigInt(lots) * lot.units, lot.decimals)];
    }),
  );
}

/** For a terminal. */
export function summaryText(s: SessionSummary): string {
  const us = (ns: number | null) => (ns === null ? "–" : `${(ns / 1000).toFixed(1)} µs`);
  const latency = Object.entries(s.latencyNs)
    .filter(([, q]) => q.count > 0)
    .map(
      ([name, q]) =>
        `  ${name.padEnd(12)} p50 ${us(q.p50).padStart(10)}  p99 ${us(q.p99).padStart(10)}  max ${us(q.max).padStart(11)}  n ${q.count}`,
    );
  const positions = s.positions.map(
    (p) =>
      `  ${p.strategy.padEnd(12)} ${p.symbol.padEnd(10)} ${p.qty.padStart(12)} @ ${p.avgPrice ?? "–"}  realized ${p.realized}  unrealized ${p.unrealized}`,
  );
  const pnl = Object.entries(s.pnl).map(
    ([currency, p]) =>
      `  ${currency}: realized ${p.realized}  unrealized ${p.unrealized}  fees ${p.fees}  funding ${p.funding}`,
  );
  return [
    `session ${s.session} (${s.env}), ${s.durationS.toFixed(1)} s, end: ${s.end}`,
    `feed     ${s.feed.messages} messages, ${s.feed.events} book events, ${s.feed.trades} trades, ${s.feed.gaps} gaps, ${s.feed.resyncs} resyncs, ${s.feed.reconnects} reconnects`,
    `orders   ${s.orders.sent} sent, ${s.orders.acked} acked, ${s.orders.canceled} canceled, ${s.orders.filled} filled, ${s.orders.rejected} rejected, ${s.orders.denied} denied, ${s.orders.unknown} unknown`,
    `fills    ${s.fills.count}, maker share ${s.fills.makerShare === null ? "–" : s.fills.makerShare.toFixed(3)}`,
    ...(positions.length > 0 ? ["positions", ...positions] : []),
    ...(pnl.length > 0 ? ["pnl", ...pnl] : []),
    ...(latency.length > 0 ? ["latency", ...latency] : []),
    `recorder ${s.recorder.target} (${s.recorder.state}), ${rowsText(s.recorder.rows)}, lag ${s.recorder.lagMs} ms, ${s.recorder.retries} retries${s.recorder.alarm === "" ? "" : `; ${s.recorder.alarm}`}`,
    `journal  ${s.journal.records} records, ${(s.journal.bytes / 1e6).toFixed(1)} MB, ${s.journal.segments} segments; drops ${s.drops}`,
  ].join("\n");
}

function rowsText(rows: Readonly<Record<string, number>>): string {
  const all = Object.values(rows).reduce((sum, n) => sum + n, 0);
  return `${all} rows (${rows["orders"] ?? 0} orders, ${rows["fills"] ?? 0} fills)`;
}
