// A compat order book: two sides and the rules that touch both. Prices in ticks, quantities raw doubles.
import {
  type EventChunk,
  LOT_POSITIVE,
  LOT_ZERO,
  OP_ASK,
  OP_BID,
  OP_CLEAR_ASK,
  OP_CLEAR_BID,
  OP_CLEAR_BOTH,
  OP_MASK,
  OP_NONE,
} from "../../data/event-chunk.ts";
import { EV_BUY, EV_SELL } from "../../data/event-codes.ts";
import { BookSide, NO_KEY } from "./book-side.ts";
import { roundToInt } from "./rounding.ts";

export type BookKind = "hash" | "roi";

export interface BookOptions {
  readonly kind: BookKind;
  readonly tickSize: number;
  readonly lotSize: number;
  /** Range of interest in prices, both inclusive; for kind «roi». */
  readonly roi?: readonly [lower: number, upper: number];
}

/** Rows that the caller of `applyRows` wants to handle itself. Keys: bid = tick, ask = −tick. */
export interface RowWatch {
  /** Depth rows with keys in these ranges. */
  readonly bidLow: number;
  readonly bidHigh: number;
  readonly askLow: number;
  readonly askHigh: number;
  /** Rows that raise the best key of the side. */
  readonly bidRise: boolean;
  readonly askRise: boolean;
}

export const WATCH_NOTHING: RowWatch = {
  bidLow: 2_147_483_647,
  bidHigh: -2_147_483_648,
  askLow: 2_147_483_647,
  askHigh: -2_147_483_648,
  bidRise: false,
  askRise: false,
};

export class CompatBook {
  readonly tickSize: number;
  readonly lotSize: number;
  readonly bid: BookSide;
  readonly ask: BookSide;
  private readonly roi: boolean;

  constructor(options: BookOptions) {
    this.tickSize = options.tickSize;
    this.lotSize = options.lotSize;
    this.roi = options.kind === "roi";
    if (this.roi) {
      if (options.roi === undefined) throw new RangeError("a range-of-interest book needs its range");
      const lower = roundToInt(options.roi[0] / options.tickSize);
      const upper = roundToInt(options.roi[1] / options.tickSize);
      if (upper < lower)
        throw new RangeError(`range of interest is empty: ${options.roi[0]} … ${options.roi[1]}`);
      this.bid = new BookSide(true, lower, upper);
      this.ask = new BookSide(true, -upper, -lower, true);
    } else {
      this.bid = new BookSide(false);
      this.ask = new BookSide(false);
    }
    this.bid.opposite = this.ask;
    this.ask.opposite = this.bid;
  }

  /** Best bid in ticks; NO_KEY (−2^31) when there is none. */
  get bestBidTick(): number {
    return this.bid.best;
  }

  /** Best ask in ticks; 2^31 when there is none. */
  get bestAskTick(): number {
    return -this.ask.best;
  }

  get hasBid(): boolean {
    return this.bid.best !== NO_KEY;
  }

  get hasAsk(): boolean {
    return this.ask.best !== NO_KEY;
  }

  /** Price, NaN when the side is empty. */
  get bestBid(): number {
    return this.hasBid ? this.bid.best * this.tickSize : Number.NaN;
  }

  get bestAsk(): number {
    return this.hasAsk ? -this.ask.best * this.tickSize : Number.NaN;
  }

  /** 0 on an empty side. Of a range-of-interest book their binding returns the best PRICE here; so does this. */
  get bestBidQty(): number {
    return this.roi ? this.bestBid : this.bidQtyAtTick(this.bid.best);
  }

  get bestAskQty(): number {
    return this.roi ? this.bestAsk : this.askQtyAtTick(-this.ask.best);
  }

  bidQtyAtTick(tick: number): number {
    return this.bid.qtyAt(tick);
  }

  askQtyAtTick(tick: number): number {
    return this.ask.qtyAt(-tick);
  }

  /**
   * Applies depth rows [from, to) of a chunk up to the first that needs its caller (a trade, a clear, a watched
   * row), whose number is returned, or `to`. Hot: the common row, a level that is not the best, is done here with
   * everything in locals; the rest goes through BookSide.update.
   */
  applyRows(chunk: EventChunk, from: number, to: number, watch: RowWatch): number {
    const { code, key, levels } = chunk;
    const { bid, ask, roi } = this;
    const { bidLow, bidHigh, askLow, askHigh, bidRise, askRise } = watch;
    let bidQty = bid.qty;
    let bidOrigin = bid.origin;
    let bidBest = bid.best;
    let askQty = ask.qty;
    let askOrigin = ask.origin;
    let askBest = ask.best;
    let row = from;
    for (; row < to; row++) {
      const bits = code[row]!;
      const op = bits & OP_MASK;
      const k = key[row]!;
      if (op === OP_BID) {
        if (k >= bidLow && k <= bidHigh) break;
        const positive = (bits & LOT_POSITIVE) !== 0;
        const at = k - bidOrigin;
        if (k < bidBest && at >= 0 && at < bidQty.length) {
          bidQty[at] = positive || roi ? levels[2 * row + 1]! : 0;
          if ((bits & LOT_ZERO) === 0 && k < bid.low) bid.low = k;
          continue;
        }
        if (bidRise && (bits & LOT_ZERO) === 0 && k > bidBest) break;
        bid.update(k, levels[2 * row + 1]!, bits);
      } else if (op === OP_ASK) {
        if (k >= askLow && k <= askHigh) break;
        const positive = (bits & LOT_POSITIVE) !== 0;
        const at = k - askOrigin;
        if (k < askBest && at >= 0 && at < askQty.length) {
          askQty[at] = positive || roi ? levels[2 * row + 1]! : 0;
          if ((bits & LOT_ZERO) === 0 && k < ask.low) ask.low = k;
          continue;
        }
        if (askRise && (bits & LOT_ZERO) === 0 && k > askBest) break;
        ask.update(k, levels[2 * row + 1]!, bits);
      } else if (op === OP_NONE) continue;
      else break;
      bidQty = bid.qty;
      bidOrigin = bid.origin;
      bidBest = bid.best;
      askQty = ask.qty;
      askOrigin = ask.origin;
      askBest = ask.best;
    }
    return row;
  }

  /** Applies any row's effect on the book; rows without one change nothing. `key`, `px`: as in an EventChunk. */
  apply(code: number, key: number, px: number, qty: number): void {
    switch (code & OP_MASK) {
      case OP_BID:
        this.bid.update(key, qty, code);
        break;
      case OP_ASK:
        this.ask.update(key, qty, code);
        break;
      case OP_CLEAR_BID:
        if (Number.isFinite(px)) this.bid.clearDownTo(key);
        else this.bid.clear();
        break;
      case OP_CLEAR_ASK:
        if (!Number.isFinite(px)) this.ask.clear();
        else if (this.roi) this.ask.clearDownToBroken(-key);
        else this.ask.clearDownTo(-key);
        break;
      case OP_CLEAR_BOTH:
        this.bid.clear();
        this.ask.clear();
        break;
    }
  }

  /** Replaces the book by the rows of an initial snapshot: the side flag decides, nothing else is looked at. */
  applySnapshot(i32: Int32Array, f64: Float64Array, rows: number): void {
    this.bid.clear();
    this.ask.clear();
    for (let row = 0; row < rows; row++) {
      const ev = i32[row * 16]!;
      const tick = roundToInt(f64[row * 8 + 3]! / this.tickSize);
      const qty = f64[row * 8 + 4]!;
      if ((ev & EV_BUY) !== 0) this.bid.setLevel(tick, qty);
      else if ((ev & EV_SELL) !== 0) this.ask.setLevel(-tick, qty);
    }
  }
}
