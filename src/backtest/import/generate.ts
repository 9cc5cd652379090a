// Synthetic event rows: the simulated venue's seeded market (venue/sim/generated-source.ts) recorded by a receiver some
// milliseconds away. Same options, same rows.
import { parseDecimal } from "../../core/decimal.ts";
import { Prng } from "../../core/prng.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_SNAPSHOT,
  KIND_TRADE,
} from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { SortedBook } from "../../exchange/sorted-book.ts";
import { GeneratedSource } from "../../venue/sim/generated-source.ts";
import { MARKET_DEPTH, MARKET_TRADE, MarketMessage } from "../../venue/sim/market-source.ts";
import { BTCUSDT } from "../../venue/sim/symbol-spec.ts";

export interface GenerateOptions {
  readonly seed: number;
  /** Rows before the correction of their order; whole messages, so a few more may come. */
  readonly rows: number;
  /** Price around which the market moves. */
  readonly mid: number;
  /** Decimal strings. */
  readonly tickSize: string;
  readonly lotSize: string;
  /** Exchange time of the start, ns since the Unix epoch. */
  readonly startNs: bigint;
}

/** Feed latency: at least this, and as much again on average. */
const LATENCY_NS = 2_000_000;

/** Prices and times of rows from ticks, lots and ns since the start. */
class Rows {
  readonly table: EventTable;
  private readonly startNs: bigint;
  private readonly tick: readonly [units: number, scale: number];
  private readonly lot: readonly [units: number, scale: number];
  private readonly random: Prng;
  private exch = 0n;
  private local = 0n;

  constructor(options: GenerateOptions) {
    this.table = new EventTable(options.rows + 1024);
    this.startNs = options.startNs;
    this.tick = stepOf(options.tickSize);
    this.lot = stepOf(options.lotSize);
    this.random = new Prng(options.seed ^ 0x5eed);
  }

  /** The rows that follow are one message; messages arrive in their order. */
  message(atNs: number): void {
    this.exch = this.startNs + BigInt(Math.round(atNs));
    const latency = LATENCY_NS * (1 - Math.log(1 - this.random.nextFloat()));
    const arrival = this.exch + BigInt(Math.round(latency));
    this.local = arrival > this.local ? arrival : this.local + 1n;
  }

  row(ev: number, ticks: number, lots: number): void {
    const px = (ticks * this.tick[0]) / this.tick[1];
    const qty = (lots * this.lot[0]) / this.lot[1];
    this.table.append(ev, this.exch, this.local, px, qty);
  }
}

function stepOf(text: string): readonly [number, number] {
  const { units, decimals } = parseDecimal(text);
  return [Number(units), 10 ** decimals];
}

const sideOf = (side: number): number => (side > 0 ? EV_BUY : EV_SELL);

/** Throws RangeError for a step that is no positive decimal number. */
export function generateMarket(options: GenerateOptions): EventTable {
  const rows = new Rows(options);
  const midTicks = Math.round(options.mid / Number(options.tickSize));
  const source = new GeneratedSource(BTCUSDT, options.seed, midTicks);
  rows.message(0);
  writeBook(rows, source);
  const message = new MarketMessage();
  while (rows.table.rows < options.rows) {
    const atNs = source.nextAtNs();
    source.read(message);
    if (message.kind === MARKET_TRADE) {
      rows.message(atNs);
      rows.row(KIND_TRADE | sideOf(message.side), message.pxTicks, message.qtyLots);
    } else if (message.kind === MARKET_DEPTH) {
      rows.message(atNs);
      const { side, pxTicks, qtyLots } = source.levels;
      for (let i = message.levelFrom; i < message.levelTo; i++)
        rows.row(KIND_DEPTH | sideOf(side[i]!), pxTicks[i]!, qtyLots[i]!);
    }
  }
  return rows.table.correctEventOrder();
}

/** The book at the start, as a snapshot. */
function writeBook(rows: Rows, source: GeneratedSource): void {
  const book = new SortedBook();
  source.fillInitialBook(book);
  for (const side of [1, -1]) {
    const count = book.levelCount(side);
    rows.row(KIND_DEPTH_CLEAR | sideOf(side), book.pxAtRank(side, count - 1), 0);
    for (let k = 0; k < count; k++)
      rows.row(KIND_DEPTH_SNAPSHOT | sideOf(side), book.pxAtRank(side, k), book.qtyAtRank(side, k));
  }
}
