// Where the result came from, as blocks of a page: by cause, strategy, symbol, hour and signal. Cold.
import { amountText, toneOf } from "./page/html-text.ts";
import type { Block, Figure, HeatMap, Table } from "./page/page-model.ts";
import { attributeByHour, attributeByPair, attributePnl, type PnlParts } from "./pnl-attribution.ts";
import { pnlCurve } from "./pnl-curve.ts";
import { type Quintiles, quintiles } from "./quintiles.ts";
import { chart, half, hourText, line, Seconds } from "./run-blocks.ts";
import { strategyName } from "./run-files.ts";
import type { SessionFacts } from "./session-facts.ts";

type Row = readonly (string | number | null)[];

/** The result of one currency by its causes. */
function wholeOf(facts: SessionFacts, currency: string): PnlParts | undefined {
  const { fills, instruments } = facts.result;
  const of = fills.values("instrument");
  return attributePnl(
    facts,
    (row) => instruments[of[row]!]!.currency,
    (_, instrument) => instruments[instrument]!.currency,
  ).get(currency);
}

export function causeFigures(facts: SessionFacts, currency: string): Figure[] {
  const whole = wholeOf(facts, currency);
  if (whole === undefined) return [];
  const figure = (name: string, value: number, about: string): Figure => ({
    name: `${name} (${currency})`,
    value: amountText(value),
    about,
    tone: toneOf(value),
  });
  return [
    figure("Spread captured", whole.spread, "What fills gained from their price to the mid before them"),
    figure("Inventory", whole.inventory, "The market's move on what was held"),
    figure("Fees", -whole.fees, "As they change the account"),
    figure("Funding", whole.funding, "Received − paid"),
  ];
}

export function causeBlocks(facts: SessionFacts, currency: string): Block[] {
  const { result } = facts;
  const members = result.instruments.filter((i) => i.currency === currency);
  const { tsNs, spread, inventory, costs, total } = pnlCurve(facts, members);
  const time = new Seconds(result);
  const x = tsNs.map((ts) => time.of(ts));
  const whole = wholeOf(facts, currency);
  if (whole === undefined) return [];
  return [
    half({
      kind: "bars",
      title: `Where the result came from (${currency})`,
      note: "Their sum is the account's change at the mid",
      rows: [
        { name: "spread captured", value: whole.spread },
        { name: "inventory", value: whole.inventory },
        { name: "fees", value: -whole.fees },
        { name: "funding", value: whole.funding },
        { name: "total", value: whole.total, total: true },
      ],
    }),
    half(
      chart("The result as it grew", currency, [
        line("spread captured", x, spread, "line", "green"),
        line("inventory", x, inventory, "line", "orange"),
        line("fees and funding", x, costs, "line", "red"),
        line("total", x, total, "line", "blue"),
      ]),
    ),
  ];
}

export function pnlTables(facts: SessionFacts): Block[] {
  const { result } = facts;
  const currencies = currenciesOf(facts);
  const rows = attributeByPair(facts).map(({ strategy, instrument, parts }): Row => {
    const one = result.instruments[instrument]!;
    return [strategyName(result, strategy), one.symbol, ...inCurrency(facts, one, parts)];
  });
  const totals = currencies.flatMap((currency): Row[] => {
    const whole = wholeOf(facts, currency);
    return whole === undefined ? [] : [["all", "all", ...inCurrency(facts, { currency }, whole)]];
  });
  return [
    half({
      kind: "table",
      title: titled("By strategy and symbol", facts),
      note: "Total = spread captured + inventory − fees + funding = the account's change at the mid",
      head: ["strategy", "symbol", ...partHead(facts)],
      rows: [...rows, ...totals],
      total: currencies.length === 1,
    }),
    ...hourBlocks(facts),
    ...signalTables(facts),
  ];
}

const currenciesOf = ({ result }: SessionFacts): string[] => [
  ...new Set(result.instruments.map((i) => i.currency)),
];

/** One currency stands in the title, several have a column. */
const titled = (title: string, facts: SessionFacts): string =>
  currenciesOf(facts).length === 1 ? `${title} (${currenciesOf(facts)[0]})` : title;
const partHead = (facts: SessionFacts): string[] =>
  currenciesOf(facts).length === 1 ? [...PART_NAMES] : ["currency", ...PART_NAMES];
const inCurrency = (facts: SessionFacts, of: { readonly currency: string }, parts: PnlParts): Row =>
  currenciesOf(facts).length === 1 ? partCells(parts) : [of.currency, ...partCells(parts)];

const PART_NAMES = ["fills", "spread", "inventory", "fees", "funding", "total"] as const;
const partCells = (p: PnlParts): (string | number)[] => [
  p.fills,
  ...[p.spread, p.inventory, p.fees, p.funding, p.total].map(amountText),
];

/** By hour and symbol: every part as a table, and, when there are several hours, the totals at a glance. */
function hourBlocks(facts: SessionFacts): Block[] {
  const { instruments } = facts.result;
  const byInstrument = instruments.map((one) => attributeByHour(facts, one.index));
  const hours = [...new Set(byInstrument.flatMap((of) => [...of.keys()]))].sort((a, b) => a - b);
  const rows = instruments.flatMap((one, i) =>
    hours.flatMap((hour): Row[] => {
      const parts = byInstrument[i]!.get(hour);
      return parts === undefined
        ? []
        : [[hourText(facts, hour), one.symbol, ...inCurrency(facts, one, parts)]];
    }),
  );
  const head = ["hour (UTC)", "symbol", ...partHead(facts)];
  const table: Table = { kind: "table", title: titled("By hour", facts), head, rows };
  const map: HeatMap = {
    kind: "heat",
    title: titled("Total by hour and symbol", facts),
    unit: currenciesOf(facts).join(", "),
    rowTitle: "hour (UTC)",
    columnTitle: "symbol",
    rows: hours.map((hour) => hourText(facts, hour)),
    columns: instruments.map((one) => one.symbol),
    values: hours.map((hour) => byInstrument.map((of) => of.get(hour)?.total ?? null)),
  };
  return hours.length > 1 ? [half(map), half(table)] : [half(table)];
}

function signalTables(facts: SessionFacts): Table[] {
  return [...facts.signals].map(([name, values]) => {
    const buckets = quintiles(values);
    const covered = coveredBy(facts, values);
    const parts = attributePnl(facts, (row) => bucketOf(facts, row, covered, values, buckets), null);
    const others = facts.result.instruments.filter((one) => !covered.has(one.index)).map((one) => one.symbol);
    const without = others.length === 0 ? "" : `; ${others.join(", ")}: no such signal`;
    return half({
      kind: "table",
      title: `By signal: ${name}`,
      note: `Its value when the order was decided, in fifths of all orders; inventory from the fill to the end${without}`,
      head: ["signal", ...PART_NAMES],
      rows: [...buckets.labels, NOT_READY, NO_ORDER].flatMap((label) =>
        parts.has(label) ? [[label, ...partCells(parts.get(label)!)]] : [],
      ),
    });
  });
}

const NOT_READY = "not ready";
const NO_ORDER = "no order";

function bucketOf(
  { orderOfFill, result }: SessionFacts,
  fill: number,
  covered: ReadonlySet<number>,
  values: Float64Array,
  buckets: Quintiles,
): string | null {
  const order = orderOfFill[fill]!;
  if (order < 0) return NO_ORDER;
  return covered.has(result.fills.at("instrument")[fill]!) ? buckets.labelOf(values[order]!) : null;
}

/** Instruments on which the signal was ever ready. */
function coveredBy({ result }: SessionFacts, values: Float64Array): ReadonlySet<number> {
  const of = result.orders.values("instrument");
  return new Set([...of].filter((_, order) => !Number.isNaN(values[order]!)));
}
