// A seeded market: a book around a random touch whose moves follow the imbalance at the touch, with trades
// that eat the touch before it moves. Same seed, same messages. Prices and quantities are plausible, not
// calibrated; the point is that imbalance carries information, as in a real book.
import { Prng } from "../../core/prng.ts";
import { SortedBook } from "../../exchange/sorted-book.ts";
import {
  type LevelArrays,
  MARKET_DEPTH,
  MARKET_TICKER,
  MARKET_TRADE,
  type MarketMessage,
  type MarketSource,
} from "./market-source.ts";
import { pxText, qtyText, type SymbolSpec } from "./symbol-spec.ts";

const LEVELS_PER_SIDE = 400;
const MAX_CHANGES = 256;
const DEPTH_MEAN_NS = 50_000_000;
const TRADE_MEAN_NS = 120_000_000;
const FIRST_UPDATE_ID = 4_000_000_000_000;
const FIRST_TRADE = 3_000_000_000;

export class GeneratedSource implements MarketSource {
  readonly levels: LevelArrays = {
    side: new Int8Array(MAX_CHANGES),
    pxTicks: new Float64Array(MAX_CHANGES),
    qtyLots: new Float64Array(MAX_CHANGES),
  };
  readonly initialUpdateId = FIRST_UPDATE_ID;
  private readonly spec: SymbolSpec;
  private readonly random: Prng;
  private readonly book = new SortedBook();
  private readonly anchorTicks: number;
  private changes = 0;
  private updateId = FIRST_UPDATE_ID;
  private trades = FIRST_TRADE;
  private nextDepthNs: number;
  private nextTradeNs: number;
  private tickerDue = false;
  private atNs = 0;

  constructor(spec: SymbolSpec, seed: number, midTicks: number) {
    this.spec = spec;
    this.random = new Prng(seed);
    this.anchorTicks = midTicks;
    for (let i = 0; i < LEVELS_PER_SIDE; i++) {
      this.book.applyDelta(1, midTicks - i, this.levelLots(i));
      this.book.applyDelta(-1, midTicks + 1 + i, this.levelLots(i));
    }
    this.nextDepthNs = this.exponential(DEPTH_MEAN_NS);
    this.nextTradeNs = this.exponential(TRADE_MEAN_NS);
  }

  fillInitialBook(book: SortedBook): void {
    for (const side of [1, -1]) {
      for (let rank = 0; rank < this.book.levelCount(side); rank++)
        book.applyDelta(side, this.book.pxAtRank(side, rank), this.book.qtyAtRank(side, rank));
    }
  }

  nextAtNs(): number {
    return this.tickerDue ? this.atNs : Math.min(this.nextDepthNs, this.nextTradeNs);
  }

  read(into: MarketMessage): void {
    this.atNs = this.nextAtNs();
    if (this.tickerDue) this.readTicker(into);
    else if (this.nextTradeNs <= this.nextDepthNs) this.readTrade(into);
    else this.readDepth(into);
  }

  private readTicker(into: MarketMessage): void {
    this.tickerDue = false;
    into.kind = MARKET_TICKER;
    into.lagMs = 0;
    into.finalId = this.updateId;
    into.body = `${this.touchText(1, "b", "B")},${this.touchText(-1, "a", "A")}`;
  }

  private touchText(side: number, px: string, qty: string): string {
    const best = this.book.bestTicks(side);
    const lots = this.book.qtyAt(side, best);
    return `"${px}":"${pxText(this.spec, best)}","${qty}":"${qtyText(this.spec, lots)}"`;
  }

  private readTrade(into: MarketMessage): void {
    this.nextTradeNs = this.atNs + this.exponential(TRADE_MEAN_NS);
    const side = this.random.nextFloat() < this.bidShare() ? 1 : -1;
    const px = this.book.bestTicks(-side);
    const there = this.book.qtyAt(-side, px);
    const lots = Math.min(there, 1 + Math.floor(Math.exp(this.random.nextNormal() * 1.4 + 4)));
    into.kind = MARKET_TRADE;
    into.lagMs = 0;
    into.tradeNumber = ++this.trades;
    into.pxTicks = px;
    into.qtyLots = lots;
    into.side = side;
    into.body = `"p":"${pxText(this.spec, px)}","q":"${qtyText(this.spec, lots)}"`;
    this.book.applyDelta(-side, px, there - lots);
    // The trade shows in the book with the next depth message, which follows at once.
    this.queueChange(-side, px);
    this.nextDepthNs = Math.min(this.nextDepthNs, this.atNs + 1_000_000);
  }

  private readDepth(into: MarketMessage): void {
    this.nextDepthNs = this.atNs + this.exponential(DEPTH_MEAN_NS);
    this.moveTouch();
    for (let i = 0; i < 6; i++) this.refreshLevel();
    this.repair();
    into.kind = MARKET_DEPTH;
    into.lagMs = 1;
    into.previousId = this.updateId;
    into.firstId = this.updateId + 1;
    this.updateId += 1 + this.changes;
    into.finalId = this.updateId;
    into.levelFrom = 0;
    into.levelTo = this.changes;
    into.body = this.changesText();
    this.changes = 0;
    this.tickerDue = true;
  }

  /** Share of the bids in the lots at the touch: the chance that the next move is up. */
  private bidShare(): number {
    const bid = this.book.qtyAt(1, this.book.bestTicks(1));
    const ask = this.book.qtyAt(-1, this.book.bestTicks(-1));
    return bid / (bid + ask);
  }

  private moveTouch(): void {
    if (this.random.nextFloat() > 0.3) return;
    const drift = (this.anchorTicks - this.book.bestTicks(1)) / (this.anchorTicks * 0.02);
    const up = this.random.nextFloat() < 0.15 + 0.7 * this.bidShare() + 0.1 * drift;
    const steps = 1 + this.random.nextBelow(3);
    for (let i = 0; i < steps; i++) this.step(up ? 1 : -1);
  }

  /** The touch moves one tick: the opposing best is gone, a new best stands behind it. */
  private step(direction: number): void {
    const gone = this.book.bestTicks(-direction);
    this.change(-direction, gone, 0);
    this.change(direction, this.book.bestTicks(direction) + direction, this.levelLots(0));
    this.change(-direction, this.farTicks(-direction) + direction, this.levelLots(LEVELS_PER_SIDE));
  }

  private refreshLevel(): void {
    const side = this.random.nextFloat() < 0.5 ? 1 : -1;
    const distance = Math.floor(this.random.nextFloat() ** 3 * 60);
    this.change(side, this.book.bestTicks(side) - side * distance, this.levelLots(distance));
  }

  /** The touch never stays empty or more than one tick wide, and far levels are given up. */
  private repair(): void {
    let gap = this.book.bestTicks(-1) - this.book.bestTicks(1);
    for (; gap > 1; gap--) {
      const side = this.random.nextFloat() < 0.5 ? 1 : -1;
      this.change(side, this.book.bestTicks(side) + side, this.levelLots(0));
    }
    for (const side of [1, -1]) {
      while (this.book.levelCount(side) > LEVELS_PER_SIDE + 50) this.change(side, this.farTicks(side), 0);
    }
  }

  private farTicks(side: number): number {
    return this.book.pxAtRank(side, this.book.levelCount(side) - 1);
  }

  private levelLots(distance: number): number {
    const scale = 400 + 60 * Math.min(distance, 40);
    return 1 + Math.floor(scale * Math.exp(this.random.nextNormal() * 0.8));
  }

  private change(side: number, px: number, lots: number): void {
    this.book.applyDelta(side, px, lots);
    this.queueChange(side, px);
  }

  private queueChange(side: number, px: number): void {
    for (let i = 0; i < this.changes; i++) {
      if (this.levels.pxTicks[i] === px && this.levels.side[i] === side) return;
    }
    if (this.changes === MAX_CHANGES) throw new Error("generated market: too many changes in one message");
    this.levels.side[this.changes] = side;
    this.levels.pxTicks[this.changes++] = px;
  }

  private changesText(): string {
    let bids = "";
    let asks = "";
    for (let i = 0; i < this.changes; i++) {
      const side = this.levels.side[i]!;
      const px = this.levels.pxTicks[i]!;
      const lots = this.book.qtyAt(side, px);
      this.levels.qtyLots[i] = lots;
      const text = `["${pxText(this.spec, px)}","${qtyText(this.spec, lots)}"]`;
      if (side > 0) bids += bids === "" ? text : `,${text}`;
      else asks += asks === "" ? text : `,${text}`;
    }
    return `"b":[${bids}],"a":[${asks}]}`;
  }

  private exponential(meanNs: number): number {
    return Math.ceil(-Math.log(1 - this.random.nextFloat()) * meanNs);
  }
}
