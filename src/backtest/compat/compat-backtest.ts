// The program's own interface for strategies written for hftbacktest 2.4.4: same calls, same return codes, same
// results bit for bit. Synchronous: a step returns when the simulated time has passed. Several assets share one
// clock; their events interleave by (time, asset, slot).
import { baseOfDayNs } from "../../core/clock.ts";
import { DataFileError } from "../../data/data-file-error.ts";
import type { Account } from "../../exchange/compat/account.ts";
import {
  BUY,
  LIMIT,
  RC_DATA_ERROR,
  RC_END_OF_DATA,
  RC_MARKET_FEED,
  RC_OK,
  RC_ORDER_RESPONSE,
  SELL,
} from "../../exchange/compat/codes.ts";
import type { CompatBook } from "../../exchange/compat/compat-book.ts";
import { type CompatOrder, NO_TIME } from "../../exchange/compat/compat-order.ts";
import { WAIT_ANY, WAIT_NONE } from "../../exchange/compat/run-limit.ts";
import { CompatAsset, type CompatAssetOptions, openFeed } from "./compat-asset.ts";

const NEVER = Number.POSITIVE_INFINITY;
/** A step without an end: finite, so that it never equals «no next event». */
const FOREVER = Number.MAX_VALUE;
const I64_MAX = 9_223_372_036_854_775_807n;

/** hftbacktest's state values of an asset. */
export type StateValues = Pick<
  Account,
  "position" | "balance" | "fee" | "numTrades" | "tradingVolume" | "tradingValue"
>;

/** A market trade; times in ns since the epoch. `ev` carries kind and side as in the data. */
export interface LastTrade {
  readonly ev: number;
  readonly exchTs: bigint;
  readonly localTs: bigint;
  readonly px: number;
  readonly qty: number;
}

export class CompatBacktest {
  /** 00:00 UTC of the first asset's first day, ns since the epoch. */
  readonly baseNs: bigint;
  /** What was wrong with a file when a call returned 100. */
  dataError: DataFileError | null = null;
  private readonly assets: readonly CompatAsset[];
  private now = NEVER;
  private started = false;

  /** Throws DataFileError when a file cannot be opened. */
  constructor(assets: readonly CompatAssetOptions[]) {
    if (assets.length === 0) throw new RangeError("a backtest needs an asset");
    const feeds = assets.map(openFeed);
    this.baseNs = baseOfDayNs(feeds.map((feed) => feed.firstExchTs()).find((ts) => ts !== null) ?? 0n);
    this.assets = feeds.map((feed, i) => new CompatAsset(feed, assets[i]!, this.baseNs));
  }

  /** ns since the epoch; i64::MAX before the first step. */
  get currentTimestamp(): bigint {
    return this.now === NEVER ? I64_MAX : this.toUnixNs(this.now);
  }

  /** ns since `baseNs`: exact, and without a BigInt. Infinity before the first step. */
  get currentTsNs(): number {
    return this.now;
  }

  get numAssets(): number {
    return this.assets.length;
  }

  /** Event rows read so far, all assets. */
  get rows(): number {
    return this.assets.reduce((sum, asset) => sum + asset.rows, 0);
  }

  /** Lets `durationNs` pass. 0, 1 at the end of data, or an error code. */
  elapse(durationNs: number): number {
    const code = this.begin();
    return code === RC_OK ? this.goto(this.until(durationNs), false, WAIT_NONE, 0) : code;
  }

  /** Until the next market row (2), a response when `includeOrderResponse` (3), or the time-out (0). */
  waitNextFeed(includeOrderResponse: boolean, timeoutNs: number): number {
    const code = this.begin();
    if (code !== RC_OK) return code;
    return this.goto(this.until(timeoutNs), true, includeOrderResponse ? WAIT_ANY : WAIT_NONE, 0);
  }

  /** Until the response to the order's request, or the time-out; 0 in both cases. */
  waitOrderResponse(asset: number, orderId: number, timeoutNs: number): number {
    this.requireStarted();
    return this.goto(this.until(timeoutNs), false, orderId, asset);
  }

  /** Runs to the end of data. */
  gotoEnd(): number {
    const code = this.begin();
    return code === RC_OK ? this.goto(FOREVER, false, WAIT_NONE, 0) : code;
  }

  submitBuy(
    asset: number,
    orderId: number,
    price: number,
    qty: number,
    tif: number,
    type = LIMIT,
    wait = false,
  ): number {
    return this.submit(asset, orderId, BUY, price, qty, tif, type, wait);
  }

  submitSell(
    asset: number,
    orderId: number,
    price: number,
    qty: number,
    tif: number,
    type = LIMIT,
    wait = false,
  ): number {
    return this.submit(asset, orderId, SELL, price, qty, tif, type, wait);
  }

  modify(asset: number, orderId: number, price: number, qty: number, wait = false): number {
    this.requireStarted();
    const code = this.asset(asset).local.modify(orderId, price, qty, this.now);
    return code === RC_OK && wait ? this.goto(FOREVER, false, orderId, asset) : code;
  }

  cancel(asset: number, orderId: number, wait = false): number {
    this.requireStarted();
    const code = this.asset(asset).local.cancel(orderId, this.now);
    return code === RC_OK && wait ? this.goto(FOREVER, false, orderId, asset) : code;
  }

  /** Forgets expired, filled and canceled orders; of all assets when none is given. */
  clearInactiveOrders(asset?: number): void {
    if (asset !== undefined) this.asset(asset).local.clearInactiveOrders();
    else for (const one of this.assets) one.local.clearInactiveOrders();
  }

  /** The trader's book: live, not a copy. */
  depth(asset: number): CompatBook {
    return this.asset(asset).local.book;
  }

  /** The trader's orders by id: live, not a copy. Times in ns since `baseNs` (see `toUnixNs`). */
  orders(asset: number): ReadonlyMap<number, CompatOrder> {
    return this.asset(asset).local.orders;
  }

  position(asset: number): number {
    return this.asset(asset).local.account.position;
  }

  stateValues(asset: number): StateValues {
    return this.asset(asset).local.account;
  }

  /** Value of the account at a price. */
  equity(asset: number, price: number): number {
    return this.asset(asset).local.account.equity(price);
  }

  /** Trades seen since `clearLastTrades`, when the asset was made with `keepTrades`. */
  lastTrades(asset: number): LastTrade[] {
    return this.asset(asset).local.trades.map((trade) => ({
      ...trade,
      exchTs: this.toUnixNs(trade.exchTs),
      localTs: this.toUnixNs(trade.localTs),
    }));
  }

  /** Number of `lastTrades`, without copying them. */
  lastTradeCount(asset: number): number {
    return this.asset(asset).local.trades.length;
  }

  clearLastTrades(asset?: number): void {
    if (asset !== undefined) this.asset(asset).local.trades = [];
    else for (const one of this.assets) one.local.trades = [];
  }

  /** (exch_ts, local_ts) of the last row seen, null before the first. */
  feedLatency(asset: number): [exchTs: bigint, localTs: bigint] | null {
    const { local } = this.asset(asset);
    if (local.feedLocalTs === NO_TIME) return null;
    return [this.toUnixNs(local.feedExchTs), this.toUnixNs(local.feedLocalTs)];
  }

  /** (request, exchange, response) times of the last answered request, null before the first. */
  orderLatency(asset: number): [reqTs: bigint, exchTs: bigint, respTs: bigint] | null {
    const { local } = this.asset(asset);
    if (local.orderRespTs === NO_TIME) return null;
    return [
      this.toUnixNs(local.orderLocalTs),
      this.toUnixNs(local.orderExchTs),
      this.toUnixNs(local.orderRespTs),
    ];
  }

  /** Frees files and threads. */
  close(): number {
    for (const asset of this.assets) asset.close();
    return RC_OK;
  }

  /** ns since `baseNs` → ns since the epoch; NO_TIME → 0. */
  toUnixNs(tsNs: number): bigint {
    return tsNs === NO_TIME ? 0n : this.baseNs + BigInt(tsNs);
  }

  private submit(
    asset: number,
    orderId: number,
    side: number,
    price: number,
    qty: number,
    tif: number,
    type: number,
    wait: boolean,
  ): number {
    this.requireStarted();
    if (!Number.isSafeInteger(orderId) || orderId < 0) {
      throw new RangeError(`order id ${orderId} is not an integer in 0 … 2^53−1`);
    }
    const code = this.asset(asset).local.submit(orderId, side, price, qty, tif, type, this.now);
    return code === RC_OK && wait ? this.goto(FOREVER, false, orderId, asset) : code;
  }

  /** The first step sets the clock to the first event. RC_END_OF_DATA: there is no event at all. */
  private begin(): number {
    if (this.now !== NEVER) return RC_OK;
    return this.guarded(() => {
      if (!this.started) for (const asset of this.assets) asset.start();
      this.started = true;
      let first = NEVER;
      for (const asset of this.assets) first = Math.min(first, asset.nextTs);
      this.now = first;
      return first === NEVER ? RC_END_OF_DATA : RC_OK;
    });
  }

  private until(durationNs: number): number {
    if (!(Math.abs(durationNs) <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`duration ${durationNs} ns is not within ±2^53`);
    }
    return this.now + durationNs;
  }

  private asset(index: number): CompatAsset {
    const asset = this.assets[index];
    if (asset === undefined) throw new RangeError(`asset ${index} of ${this.assets.length}`);
    return asset;
  }

  private requireStarted(): void {
    if (this.now === NEVER) throw new Error("the clock has not started: call elapse or waitNextFeed first");
  }

  private goto(until: number, waitFeed: boolean, waitFor: number, waitAsset: number): number {
    return this.guarded(() => this.advance(until, waitFeed, waitFor, waitAsset));
  }

  /** After a data error the run is over: every further step returns 100. */
  private guarded(step: () => number): number {
    if (this.dataError !== null) return RC_DATA_ERROR;
    try {
      return step();
    } catch (error) {
      if (!(error instanceof DataFileError)) throw error;
      this.dataError = error;
      return RC_DATA_ERROR;
    }
  }

  private advance(until: number, waitFeed: boolean, waitFor: number, waitAsset: number): number {
    let limit = until;
    for (let i = 0; i < this.assets.length; i++) {
      const asset = this.assets[i]!;
      asset.limit.waitFor = waitFor === WAIT_ANY || i === waitAsset ? waitFor : WAIT_NONE;
      asset.limit.awaitedTs = NEVER;
      asset.sawRowAt = -1;
      asset.sawResponseAt = -1;
      if (waitFeed) limit = Math.min(limit, asset.nextRowTs);
      if (asset.limit.waitFor !== WAIT_NONE) {
        limit = Math.min(limit, asset.local.responses.arrivalOf(asset.limit.waitFor));
      }
    }
    for (;;) {
      const asset = this.earliest();
      if (asset === null || asset.nextTs > limit) break;
      asset.limit.ts = limit;
      const code = asset.run(this.runBound);
      if (code !== RC_OK) return code;
      if (asset.limit.awaitedTs < limit) limit = asset.limit.awaitedTs;
    }
    if (this.earliest() === null) return RC_END_OF_DATA;
    this.now = limit;
    return waitFeed ? this.feedResult(limit, waitFor === WAIT_ANY) : RC_OK;
  }

  /** How far the asset chosen by `earliest` may run before another one comes first. */
  private runBound = NEVER;

  /** The asset with the next event (ties: the first), null when nothing is left anywhere. */
  private earliest(): CompatAsset | null {
    let chosen = -1;
    let ts = NEVER;
    let bound = NEVER;
    for (let i = 0; i < this.assets.length; i++) {
      const next = this.assets[i]!.nextTs;
      if (next < ts) {
        // The one chosen so far has a lower index: at equal times it comes first, so we stop just before it.
        if (chosen !== -1) bound = Math.min(bound, ts - 1);
        chosen = i;
        ts = next;
      } else {
        bound = Math.min(bound, next);
      }
    }
    this.runBound = bound;
    return chosen === -1 ? null : this.assets[chosen]!;
  }

  /** The last event of the final instant decides: within an asset a response comes after rows. */
  private feedResult(ts: number, includeResponses: boolean): number {
    for (let i = this.assets.length - 1; i >= 0; i--) {
      const asset = this.assets[i]!;
      if (includeResponses && asset.sawResponseAt === ts) return RC_ORDER_RESPONSE;
      if (asset.sawRowAt === ts) return RC_MARKET_FEED;
    }
    return RC_OK;
  }
}
