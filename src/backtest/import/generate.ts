// Synthetic event rows: the simulated venue's seeded market (venue/sim/generated-source.ts) recorded by a receiver some
// milliseconds away. Same options, same rows.
import { parseDecimal } from "../../core/decimal.ts";
import { Prng } from "../../core/prng.ts";
import {
  EV_BUY,
  EV_SELL,
  KIND_ADD_ORDER,
  KIND_CANCEL_ORDER,
  KIND_DEPTH,
  KIND_DEPTH_CLEAR,
  KIND_DEPTH_SNAPSHOT,
  KIND_FILL,
  KIND_MODIFY_ORDER,
  KIND_TRADE,
} from "../../data/event-codes.ts";
import { EventTable } from "../../data/event-table.ts";
import { SortedBook } from "../../exchange/sorted-book.ts";
import { L3Book, NO_L3_ORDER } from "../../market/l3-book.ts";
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
  /** Levels (default), or orders by their ids. */
  readonly kind?: "l2" | "l3";
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

  row(ev: number, ticks: number, lots: number, orderId = 0): void {
    const px = (ticks * this.tick[0]) / this.tick[1];
    const qty = (lots * this.lot[0]) / this.lot[1];
    this.table.append(ev, this.exch, this.local, px, qty, BigInt(orderId));
  }
}

function stepOf(text: string): readonly [number, number] {
  const { units, decimals } = parseDecimal(text);
  return [Number(units), 10 ** decimals];
}

const sideOf = (side: number): number => (side > 0 ? EV_BUY : EV_SELL);

/** Throws RangeError for a step that is no positive decimal number. */
export function generateMarket(options: GenerateOptions): EventTable {
  return options.kind === "l3" ? new OrderFlowGenerator(options).run() : generateL2(options);
}

function generateL2(options: GenerateOptions): EventTable {
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

const MEAN_NS = 2_000_000;
const FIRST_ORDERS = 400;
const DEPTH_TICKS = 60;

/** Orders that come, change, go and trade at random, in price-time order, as an exchange would report them. */
class OrderFlowGenerator {
  private readonly options: GenerateOptions;
  private readonly rows: Rows;
  private readonly random: Prng;
  private readonly book = new L3Book();
  private readonly live: number[] = [];
  private lastId = 0;
  private midTicks: number;

  constructor(options: GenerateOptions) {
    this.options = options;
    this.rows = new Rows(options);
    this.random = new Prng(options.seed);
    this.midTicks = Math.round(options.mid / Number(options.tickSize));
  }

  run(): EventTable {
    const { rows, random } = this;
    rows.message(0);
    rows.row(KIND_DEPTH_CLEAR, 0, 0);
    for (let k = 0; k < FIRST_ORDERS; k++) this.add();
    for (let atNs = 0; rows.table.rows < this.options.rows; ) {
      atNs += 1 - MEAN_NS * Math.log(1 - random.nextFloat());
      rows.message(atNs);
      const what = random.nextFloat();
      if (what < 0.46) this.add();
      else if (what < 0.82) this.cancel();
      else if (what < 0.92) this.modify();
      else this.trade();
      if (random.nextBelow(50) === 0) this.midTicks += random.nextBelow(3) - 1;
      this.book.maintain();
    }
    return rows.table.correctEventOrder();
  }

  private add(): void {
    const side = this.random.nextBelow(2) === 0 ? 1 : -1;
    const id = ++this.lastId;
    const [px, lots] = [this.price(side), 1 + this.random.nextBelow(50)];
    this.book.add(0, id, side, px, lots);
    this.live.push(id);
    this.rows.row(KIND_ADD_ORDER | sideOf(side), px, lots, id);
  }

  /** Near the touch more often than far from it, and never through the other side. */
  private price(side: number): number {
    const { bestBidTicks, bestAskTicks } = this.book.levels;
    const distance = Math.floor(DEPTH_TICKS * this.random.nextFloat() ** 3);
    const px = this.midTicks - side * (1 + distance);
    return side > 0 ? Math.min(px, (bestAskTicks || px + 1) - 1) : Math.max(px, (bestBidTicks || px - 1) + 1);
  }

  /** A live order, or 0; those that traded away are forgotten here. */
  private pick(): number {
    while (this.live.length > 0) {
      const at = this.random.nextBelow(this.live.length);
      if (this.book.find(0, this.live[at]!) !== NO_L3_ORDER) return this.live[at]!;
      this.live[at] = this.live.at(-1)!;
      this.live.pop();
    }
    return 0;
  }

  private cancel(): void {
    const id = this.pick();
    if (id !== 0) this.leave(id);
  }

  private leave(id: number): void {
    const order = this.book.find(0, id);
    const [side, px, lots] = [
      this.book.sideOf(order),
      this.book.pxTicksOf(order),
      this.book.qtyLotsOf(order),
    ];
    this.book.cancel(0, id);
    this.rows.row(KIND_CANCEL_ORDER | sideOf(side), px, lots, id);
  }

  private modify(): void {
    const id = this.pick();
    if (id === 0) return;
    const order = this.book.find(0, id);
    const side = this.book.sideOf(order);
    const px = this.random.nextBelow(2) === 0 ? this.book.pxTicksOf(order) : this.price(side);
    const lots = 1 + this.random.nextBelow(50);
    this.book.modify(0, id, px, lots);
    this.rows.row(KIND_MODIFY_ORDER | sideOf(side), px, lots, id);
  }

  /** An aggressor takes orders from the front of the queues: trade, fill, then what is left of the order. */
  private trade(): void {
    const side = this.random.nextBelow(2) === 0 ? 1 : -1;
    let left = 1 + this.random.nextBelow(120);
    while (left > 0) {
      const { bestBidTicks, bestAskTicks } = this.book.levels;
      const px = side > 0 ? bestAskTicks : bestBidTicks;
      if (Number.isNaN(px)) return;
      const order = this.book.firstAt(-side, px);
      const id = this.book.idLoOf(order);
      const had = this.book.qtyLotsOf(order);
      const lots = Math.min(left, had);
      left -= lots;
      this.rows.row(KIND_TRADE | sideOf(side), px, lots);
      this.rows.row(KIND_FILL | sideOf(-side), px, lots, id);
      if (lots === had) this.leave(id);
      else {
        this.book.reduce(0, id, lots);
        this.rows.row(KIND_MODIFY_ORDER | sideOf(-side), px, had - lots, id);
      }
    }
  }
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
