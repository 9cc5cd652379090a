// The page of a run: figures, then equity, drawdown, and per instrument price with fills, position, queue wait and
// latency. Long series are thinned for drawing only; the files beside it hold every row. Cold.
import { drawdowns, type EquityOptions } from "./equity-metrics.ts";
import { activityFigures, equityFigures, inventoryFigures } from "./metric-figures.ts";
import { equityCurve, type RunMetrics } from "./metrics.ts";
import type { Block, Chart, Page, Series } from "./page/page-model.ts";
import { sample, thin } from "./page/thin.ts";
import { stateRows } from "./run-files.ts";
import type { ResultInstrument, RunResult } from "./run-result.ts";
import { stepNumber } from "./step-number.ts";

export function runPage(title: string, result: RunResult, metrics: RunMetrics, options: EquityOptions): Page {
  const from = isoTime(result, result.startTsNs);
  const to = isoTime(result, result.endTsNs);
  const ended = result.failure === null ? "" : ` · ended early: ${result.failure}`;
  const blocks = [
    ...metrics.totals.flatMap((total) => totalBlocks(result, total.currency, metrics, options)),
    ...result.instruments.flatMap((one, i) =>
      instrumentBlocks(result, one, metrics.instruments[i]!, options),
    ),
  ];
  const rows = result.rows.toLocaleString("en-US");
  return { title, subtitle: `${result.mode} · ${from} to ${to} · ${rows} market rows${ended}`, blocks };
}

function totalBlocks(
  result: RunResult,
  currency: string,
  metrics: RunMetrics,
  options: EquityOptions,
): Block[] {
  const total = metrics.totals.find((t) => t.currency === currency)!;
  const members = result.instruments.filter((i) => i.currency === currency);
  const curve = equityCurve(result, members);
  const time = new Seconds(result);
  const x = curve.tsNs.map((ts) => time.of(ts));
  return [
    {
      kind: "figures",
      title: members.length === 1 ? `Result` : `Result, all instruments in ${currency}`,
      rows: [...equityFigures(total.equity, currency, options), ...activityFigures(total.activity, currency)],
    },
    chart("Equity", currency, [line("equity", x, curve.equity, "line", "blue")]),
    chart("Drawdown", currency, [line("drawdown", x, drawdowns(curve.equity), "area", "red")]),
  ];
}

function instrumentBlocks(
  result: RunResult,
  one: ResultInstrument,
  metrics: RunMetrics["instruments"][number],
  options: EquityOptions,
): Block[] {
  const several = result.instruments.length > 1;
  const own: Block[] = several
    ? [
        {
          kind: "figures",
          title: one.symbol,
          rows: [
            ...equityFigures(metrics.equity, one.currency, options),
            ...activityFigures(metrics.activity, one.currency),
          ],
        },
      ]
    : [];
  const states = stateRows(result, one.index);
  const time = new Seconds(result);
  const column = (name: "tsNs" | "mid" | "position"): Float64Array => {
    const values = result.states.values(name);
    return Float64Array.from(states, (row) => values[row]!);
  };
  const x = column("tsNs").map((ts) => time.of(ts));
  const fills = new Fills(result, one);
  return [
    ...own,
    { kind: "figures", title: `${one.symbol}: inventory`, rows: inventoryFigures(metrics.inventory) },
    {
      ...chart(`${one.symbol}: fills on price`, "price", [
        line("mid", x, column("mid"), "line", "grey"),
        fills.points(
          "buy",
          "green",
          (row) => fills.price(row),
          (row) => fills.side(row) > 0,
        ),
        fills.points(
          "sell",
          "red",
          (row) => fills.price(row),
          (row) => fills.side(row) < 0,
        ),
      ]),
      note: fills.note,
    },
    chart(`${one.symbol}: position`, "base", [line("position", x, column("position"), "steps", "blue")]),
    chart(`${one.symbol}: queue wait of maker fills`, "s", [
      fills.points(
        "queue wait",
        "orange",
        (row) => fills.queueWaitNs(row) / 1e9,
        (row) => fills.queueWaitNs(row) >= 0,
      ),
    ]),
    latencyChart(result, one),
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
  return chart(`${one.symbol}: order latency`, "ms", [
    { name: "request → exchange", ...sample(x, entry!), draw: "points", colour: "blue" },
    { name: "exchange → answer", ...sample(x, response!), draw: "points", colour: "orange" },
  ]);
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

function chart(title: string, unit: string, series: readonly Series[]): Chart {
  return { kind: "chart", title, unit, x: "time", series };
}

function line(
  name: string,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  draw: Series["draw"],
  colour: Series["colour"],
): Series {
  return { name, ...thin(x, y), draw, colour };
}

/** Session time → seconds since the Unix epoch, to the microsecond: what a chart's axis takes. */
export class Seconds {
  private readonly baseSeconds: number;

  constructor(result: Pick<RunResult, "baseNs">) {
    this.baseSeconds = Number(result.baseNs / 1_000_000_000n);
  }

  of(tsNs: number): number {
    return this.baseSeconds + tsNs / 1e9;
  }
}

const isoTime = (result: RunResult, tsNs: number): string =>
  Number.isFinite(tsNs) ? new Date(new Seconds(result).of(tsNs) * 1000).toISOString() : "–";
