// The page of a run: what is read first, equity, drawdown and all figures, then per instrument price with fills,
// position, queue wait and latency; kinds of runs add their own parts. Long series are thinned for drawing only; the
// files beside it hold every row. Cold.
import { drawdowns, type EquityOptions } from "./equity-metrics.ts";
import { activityFigures, equityFigures, inventoryFigures, leadFigures } from "./metric-figures.ts";
import { type CurrencyMetrics, equityCurve, type RunMetrics } from "./metrics.ts";
import type { Block, Chart, Figure, Page, Series } from "./page/page-model.ts";
import { sample } from "./page/thin.ts";
import { chart, half, line, Seconds } from "./run-blocks.ts";
import { stateRows } from "./run-files.ts";
import type { ResultInstrument, RunResult } from "./run-result.ts";
import { stepNumber } from "./step-number.ts";

/** What a page of a kind of run has beyond every run's. */
export interface MoreOfRun {
  readonly notes: readonly string[];
  /** For the figures that are read first, of one currency. */
  readonly lead: (currency: string) => readonly Figure[];
  /** Beside equity and drawdown of one currency. */
  readonly result: (currency: string) => readonly Block[];
  /** Parts between the result and the instruments. */
  readonly parts: readonly Block[];
}

const NOTHING_MORE: MoreOfRun = { notes: [], lead: () => [], result: () => [], parts: [] };

export function runPage(
  title: string,
  result: RunResult,
  metrics: RunMetrics,
  options: EquityOptions,
  more: MoreOfRun = NOTHING_MORE,
): Page {
  const from = isoTime(result, result.startTsNs);
  const to = isoTime(result, result.endTsNs);
  const notes = result.failure === null ? more.notes : [`ended early: ${result.failure}`, ...more.notes];
  const blocks: Block[] = [
    ...notes.map((text): Block => ({ kind: "text", text })),
    ...metrics.totals.map(
      ({ currency, equity, activity }): Block => ({
        kind: "figures",
        title: "",
        lead: true,
        rows: [...leadFigures(equity, activity, currency), ...more.lead(currency)],
      }),
    ),
    { kind: "heading", title: "Result" },
    ...metrics.totals.flatMap((total) => totalBlocks(result, total, options, more)),
    ...more.parts,
    ...result.instruments.flatMap((one, i) =>
      instrumentBlocks(result, one, metrics.instruments[i]!, options),
    ),
  ];
  const rows = result.rows.toLocaleString("en-US");
  return { title, subtitle: `${result.mode} · ${from} to ${to} · ${rows} market rows`, blocks };
}

function totalBlocks(
  result: RunResult,
  total: CurrencyMetrics,
  options: EquityOptions,
  more: MoreOfRun,
): Block[] {
  const { currency } = total;
  const members = result.instruments.filter((i) => i.currency === currency);
  const curve = equityCurve(result, members);
  const time = new Seconds(result);
  const x = curve.tsNs.map((ts) => time.of(ts));
  return [
    half(chart("Equity", currency, [line("equity", x, curve.equity, "line", "blue")])),
    half(chart("Drawdown", currency, [line("drawdown", x, drawdowns(curve.equity), "area", "red")])),
    ...more.result(currency),
    {
      kind: "figures",
      title: members.length === 1 ? "All figures" : `All figures, instruments in ${currency}`,
      rows: [...equityFigures(total.equity, currency, options), ...activityFigures(total.activity, currency)],
    },
  ];
}

function instrumentBlocks(
  result: RunResult,
  one: ResultInstrument,
  metrics: RunMetrics["instruments"][number],
  options: EquityOptions,
): Block[] {
  const own = [
    ...equityFigures(metrics.equity, one.currency, options),
    ...activityFigures(metrics.activity, one.currency),
  ];
  const states = stateRows(result, one.index);
  const time = new Seconds(result);
  const column = (name: "tsNs" | "mid" | "position"): Float64Array => {
    const values = result.states.values(name);
    return Float64Array.from(states, (row) => values[row]!);
  };
  const x = column("tsNs").map((ts) => time.of(ts));
  const fills = new Fills(result, one);
  const several = result.instruments.length > 1;
  return [
    { kind: "heading", title: one.symbol },
    ...(several ? [{ kind: "figures", title: "Figures", rows: own } as const] : []),
    { kind: "figures", title: "Inventory", rows: inventoryFigures(metrics.inventory) },
    { ...chart("Fills on price", "price", priceSeries(x, column("mid"), fills)), note: fills.note },
    half(chart("Position", "base", [line("position", x, column("position"), "steps", "blue")])),
    half(
      chart("Queue wait of maker fills", "s", [
        fills.points(
          "queue wait",
          "orange",
          (row) => fills.queueWaitNs(row) / 1e9,
          (row) => fills.queueWaitNs(row) >= 0,
        ),
      ]),
    ),
    latencyChart(result, one),
  ];
}

function priceSeries(x: ArrayLike<number>, mid: ArrayLike<number>, fills: Fills): Series[] {
  const price = (row: number): number => fills.price(row);
  return [
    line("mid", x, mid, "line", "grey"),
    fills.points("buy", "green", price, (row) => fills.side(row) > 0),
    fills.points("sell", "red", price, (row) => fills.side(row) < 0),
  ];
}

function latencyChart(result: RunResult, one: ResultInstrument): Chart {
  const { orders } = result;
  const of = orders.values("instrument");
  const [sent, exch, answered] = [
    orders.values("requestTsNs"),
    orders.values("exchTsNs"),
    orders.values("responseTsNs"),
  ];
  const time = new Seconds(result);
  const x: number[] = [];
  const [entry, response]: number[][] = [[], []];
  for (let row = 0; row < orders.rows; row++) {
    if (of[row] !== one.index || Number.isNaN(answered[row]!)) continue;
    x.push(time.of(sent[row]!));
    entry!.push((exch[row]! - sent[row]!) / 1e6);
    response!.push((answered[row]! - exch[row]!) / 1e6);
  }
  const series: Series[] = [
    { name: "request → exchange", ...sample(x, entry!), draw: "points", colour: "blue" },
    { name: "exchange → answer", ...sample(x, response!), draw: "points", colour: "orange" },
  ];
  return { ...chart("Order latency", "ms", series), log: true };
}

/** Fills of one instrument as points of charts. */
class Fills {
  readonly note: string;
  readonly side: (row: number) => number;
  readonly price: (row: number) => number;
  readonly queueWaitNs: (row: number) => number;
  private readonly rows: number[] = [];
  private readonly at: (row: number) => number;

  constructor(result: RunResult, one: ResultInstrument) {
    const { fills } = result;
    const read = (name: (typeof fills.names)[number]): ((row: number) => number) => {
      const values = fills.values(name);
      return (row) => values[row]!;
    };
    const [of, px, exch] = [read("instrument"), read("pxTicks"), read("exchTsNs")];
    for (let row = 0; row < fills.rows; row++) if (of(row) === one.index) this.rows.push(row);
    const inUnits = stepNumber(one.tickSize);
    const time = new Seconds(result);
    this.side = read("side");
    this.price = (row) => inUnits(px(row));
    this.queueWaitNs = read("queueWaitNs");
    this.at = (row) => time.of(exch(row));
    this.note = `${this.rows.length.toLocaleString("en-US")} fills at their exchange time; drag to zoom, double-click to zoom out`;
  }

  points(
    name: string,
    colour: Series["colour"],
    value: (row: number) => number,
    which: (row: number) => boolean,
  ): Series {
    const rows = this.rows.filter(which);
    return { name, ...sample(rows.map(this.at), rows.map(value)), draw: "points", colour };
  }
}

const isoTime = (result: RunResult, tsNs: number): string =>
  Number.isFinite(tsNs) ? new Date(new Seconds(result).of(tsNs) * 1000).toISOString() : "–";
