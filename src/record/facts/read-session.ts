// Recorded sessions (from a data directory's log or from a store) as facts for analysis: one pass over what was done, one
// over the quotes. Cold; memory grows with orders and fills, not with the market data.
import type { RunResult } from "../../analytics/run-result.ts";
import { CURVE_NS, type HourMids, hourOf, type SessionFacts } from "../../analytics/session-facts.ts";
import { makeStates, stateGrid } from "./account-states.ts";
import { QuotePass } from "./quote-pass.ts";
import { SessionFold } from "./session-fold.ts";
import type { SessionSource, Span } from "./session-source.ts";

export interface SessionRange {
  /** ns since the Unix epoch; null = open. */
  readonly from: bigint | null;
  readonly to: bigint | null;
  /** null = all. */
  readonly strategy: string | null;
}

const HOUR_NS = 3600e9;
/** Quotes this far outside of the range answer for its edges: the mid before it, mark-outs after it. */
const MARGIN_NS = 600e9;
/** Columns of the fill table that are points of the mark-out curve. */
const FILL_CURVE = [
  ["mid100msTicks", 100e6],
  ["mid1sTicks", 1e9],
  ["mid10sTicks", 10e9],
] as const;

/** Throws what the source throws; RangeError: nothing of it is in range. */
export async function readSession(source: SessionSource, range: SessionRange): Promise<SessionFacts> {
  const { names } = source;
  if (range.strategy !== null && !names.strategies.includes(range.strategy))
    throw new RangeError(
      `no strategy ${range.strategy} is recorded here; there are ${names.strategies.join(", ")}`,
    );
  const span: Span = {
    fromNs: range.from === null ? Number.NEGATIVE_INFINITY : Number(range.from - names.baseNs),
    toNs: range.to === null ? Number.POSITIVE_INFINITY : Number(range.to - names.baseNs),
  };
  const fold = new SessionFold(names, span, range.strategy);
  await source.events(span, fold);
  if (!(fold.lastNs >= fold.firstNs))
    throw new RangeError(`${source.name}: no record lies between --from and --to`);
  fold.sortFills();
  return withQuotes(source, fold, span);
}

async function withQuotes(source: SessionSource, fold: SessionFold, span: Span): Promise<SessionFacts> {
  const { names } = source;
  const { requests, tables, firstNs, lastNs } = fold;
  const { fills, orders } = tables;
  const pass = new QuotePass(names.instruments.length);
  const curveTicks = wantFills(pass, fills);
  const arrivalTicks = new Float64Array(orders.rows);
  const [on, arrived] = [orders.values("instrument"), orders.values("exchTsNs")];
  for (let row = 0; row < orders.rows; row++) pass.want(on[row]!, "before", arrived[row]!, arrivalTicks, row);
  const hourMids = names.instruments.map((one) => wantHours(pass, one.index, firstNs, lastNs));
  const grid = stateGrid(firstNs, lastNs);
  const gridMids = names.instruments.map((one) => {
    const mids = new Float64Array(grid.length);
    for (let i = 0; i < grid.length; i++) pass.want(one.index, "at", grid[i]!, mids, i, true);
    return mids;
  });
  pass.start();
  const [fromNs, toNs] = [span.fromNs - MARGIN_NS, span.toNs + MARGIN_NS];
  await source.quotes({ fromNs, toNs }, (instrument, exchNs, recvNs, midTicks) => {
    if (recvNs >= fromNs && recvNs < toNs) pass.onQuote(instrument, exchNs, recvNs, midTicks);
  });
  pass.end();
  for (const [h, ns] of CURVE_NS.entries()) {
    const column = FILL_CURVE.find(([, horizon]) => horizon === ns);
    if (column !== undefined) fills.values(column[0]).set(curveTicks[h]!);
  }
  for (const [instrument, { ticks }] of hourMids.entries())
    if (Number.isNaN(ticks[0]!)) ticks[0] = pass.firstMid(instrument);
  return {
    result: { ...resultOf(source, fold, pass), states: makeStates(names.instruments, fold, grid, gridMids) },
    requests,
    orderMids: { decisionTicks: Float64Array.from(fold.decisionTicks), arrivalTicks },
    orderOfFill: Int32Array.from(fold.orderOfFill),
    curveTicks,
    opening: fold.opening,
    hourMids,
    funding: fold.funded,
    feed: pass.feedLatency,
    signals: new Map(),
    notes: notesOf(source, fold, pass),
  };
}

/** The mid before each fill, and those of the mark-out curve after it: [horizon][fill]. */
function wantFills(pass: QuotePass, fills: RunResult["fills"]): Float64Array[] {
  const curveTicks = CURVE_NS.map(() => new Float64Array(fills.rows));
  const [of, at, mid] = [fills.values("instrument"), fills.values("exchTsNs"), fills.values("mid0Ticks")];
  for (let row = 0; row < fills.rows; row++) {
    pass.want(of[row]!, "before", at[row]!, mid, row);
    for (const [h, ns] of CURVE_NS.entries()) pass.want(of[row]!, "at", at[row]! + ns, curveTicks[h]!, row);
  }
  return curveTicks;
}

function wantHours(pass: QuotePass, instrument: number, firstNs: number, lastNs: number): HourMids {
  const times = [firstNs];
  for (let hour = hourOf(firstNs) + 1; hour * HOUR_NS < lastNs; hour++) times.push(hour * HOUR_NS);
  times.push(lastNs);
  const ticks = new Float64Array(times.length);
  for (const [i, tsNs] of times.entries()) pass.want(instrument, "at", tsNs, ticks, i, true);
  return { timesNs: Float64Array.from(times), ticks };
}

function resultOf(
  { names }: SessionSource,
  { tables, firstNs, lastNs }: SessionFold,
  pass: QuotePass,
): RunResult {
  return {
    mode: "session",
    baseNs: names.baseNs,
    startTsNs: firstNs,
    endTsNs: lastNs,
    rows: names.instruments.reduce((sum, one) => sum + pass.quotesOf(one.index), 0),
    instruments: names.instruments,
    strategies: names.strategies,
    startBalance: {},
    ...tables,
    returnCode: null,
    failure: null,
  };
}

function notesOf(source: SessionSource, { lost, tables }: SessionFold, pass: QuotePass): string[] {
  const elsewhere = tables.fills.values("fee").filter((fee) => Number.isNaN(fee)).length;
  const silent = source.names.instruments.filter((one) => pass.quotesOf(one.index) === 0);
  return [
    ...source.notes(),
    ...(lost > 0 ? [`${lost} records did not fit the journal and are missing`] : []),
    ...(elsewhere > 0
      ? [`fees in another asset than the settlement currency (${elsewhere} fills) are not in the result`]
      : []),
    ...silent.map(
      ({ symbol }) => `${symbol}: no best bid and offer is recorded, so nothing can be held against the mid`,
    ),
  ];
}
