// One asset of a compat backtest: its feed, the exchange side and the local side, and the rule that advances all
// three. Events of one asset are ordered by (time, slot): local row, response, exchange row, request. The exchange
// never looks at the local side within a step, so rows are processed in runs (exchange first, then local up to the
// same instant) with results as if one by one.

import { ChunkCursor } from "../../data/chunk-cursor.ts";
import { AT_EXCH, AT_LOCAL } from "../../data/event-chunk.ts";
import { EV_SELL } from "../../data/event-codes.ts";
import { EventFeed } from "../../data/event-feed.ts";
import { EVENT_FIELDS } from "../../data/npy.ts";
import { loadRows } from "../../data/npz-file.ts";
import { type EventSource, openRowBlocks } from "../../data/row-blocks.ts";
import { Account, type AssetKind, type FeeKind } from "../../exchange/compat/account.ts";
import { RC_OK } from "../../exchange/compat/codes.ts";
import { type BookKind, CompatBook } from "../../exchange/compat/compat-book.ts";
import { CompatExchange } from "../../exchange/compat/compat-exchange.ts";
import { CompatLocal } from "../../exchange/compat/compat-local.ts";
import type { CompatVenue } from "../../exchange/compat/compat-venue.ts";
import { CompatL3Book } from "../../exchange/compat/l3-book.ts";
import { L3Exchange } from "../../exchange/compat/l3-exchange.ts";
import { L3Local } from "../../exchange/compat/l3-local.ts";
import { OrderBus } from "../../exchange/compat/order-bus.ts";
import { constantLatency, type LatencyFactory } from "../../exchange/compat/order-latency.ts";
import type { OrderWitness } from "../../exchange/compat/order-witness.ts";
import { L3_FIFO, makeQueueModel, type QueueModelName } from "../../exchange/compat/queue-models.ts";
import { RunLimit } from "../../exchange/compat/run-limit.ts";

/** hftbacktest's BacktestAsset; the defaults are those of its Python binding. */
export interface CompatAssetOptions {
  /** Files (.npz, .npy) or rows in memory, in the order of time. */
  readonly data: readonly EventSource[];
  readonly tickSize: number;
  readonly lotSize: number;
  readonly book?: BookKind;
  /** Range of interest in prices; with book «roi». */
  readonly roi?: readonly [lower: number, upper: number];
  readonly assetKind?: AssetKind;
  readonly contractSize?: number;
  readonly feeKind?: FeeKind;
  readonly makerFee?: number;
  readonly takerFee?: number;
  /** «l3-fifo»: the data is market by order; without partial fills only. */
  readonly queueModel?: QueueModelName | typeof L3_FIFO;
  /** Exponent of the power queue models. */
  readonly queueParameter?: number;
  readonly exchange?: "noPartialFill" | "partialFill";
  readonly latency?: LatencyFactory;
  /** Added to local_ts of every row, ns. */
  readonly feedLatencyOffsetNs?: number;
  readonly initialSnapshot?: EventSource;
  /** Record market trades for `lastTrades`. */
  readonly keepTrades?: boolean;
  /** Is told of orders and fills. */
  readonly witness?: OrderWitness;
  /** Told of every decoded chunk of rows: how many. */
  readonly onRows?: (rows: number) => void;
}

const NEVER = Number.POSITIVE_INFINITY;

export class CompatAsset {
  readonly local: CompatLocal;
  readonly limit = new RunLimit();
  /** Time of the last local row, and of a response at a run's limit, since the engine reset them. */
  sawRowAt = -1;
  sawResponseAt = -1;
  private readonly exchange: CompatVenue;
  private readonly feed: EventFeed;
  private readonly marketByOrder: boolean;

  constructor(feed: EventFeed, options: CompatAssetOptions, baseNs: bigint) {
    this.feed = feed;
    feed.setBase(baseNs);
    const { tickSize, lotSize } = options;
    const kind = options.book ?? "hash";
    const { queueModel } = options;
    this.marketByOrder = queueModel === L3_FIFO;
    const bookOptions = {
      kind,
      tickSize,
      lotSize,
      ...(options.roi === undefined ? {} : { roi: options.roi }),
    };
    const latency = options.latency ?? constantLatency(0, 0);
    const requests = new OrderBus();
    const responses = new OrderBus();
    const venue = {
      cursor: new ChunkCursor(feed, AT_EXCH),
      latency: latency(baseNs),
      requests,
      responses,
      limit: this.limit,
      partialFill: options.exchange === "partialFill",
      witness: options.witness ?? null,
    };
    const trader = {
      cursor: new ChunkCursor(feed, AT_LOCAL),
      account: new Account({
        kind: options.assetKind ?? "linear",
        contractSize: options.contractSize ?? 1,
        feeKind: options.feeKind ?? "value",
        makerFee: options.makerFee ?? 0,
        takerFee: options.takerFee ?? 0,
      }),
      latency: latency(baseNs),
      requests,
      responses,
      keepTrades: options.keepTrades ?? false,
      epochTs: Number(-baseNs),
      witness: options.witness ?? null,
    };
    if (queueModel === L3_FIFO) {
      if (venue.partialFill) throw new RangeError("l3-fifo has no partial fills");
      feed.treatOrders("only");
      this.exchange = new L3Exchange({ ...venue, book: new CompatL3Book(bookOptions) });
      this.local = new L3Local({ ...trader, book: new CompatL3Book(bookOptions) });
    } else {
      const queue = makeQueueModel(queueModel ?? "log2", options.queueParameter);
      this.exchange = new CompatExchange({ ...venue, queue, book: new CompatBook(bookOptions) });
      this.local = new CompatLocal({ ...trader, book: new CompatBook(bookOptions) });
    }
    if (options.initialSnapshot !== undefined) this.applySnapshot(options.initialSnapshot);
  }

  /** Decodes the first rows: before it there is no event. Throws DataFileError. */
  start(): void {
    this.local.cursor.start();
    this.exchange.cursor.start();
  }

  /** Time of the next local row; Infinity when there is none. */
  get nextRowTs(): number {
    return this.local.cursor.nextTs;
  }

  /** Time of the next event in any of the four slots. */
  get nextTs(): number {
    const { cursor, responses } = this.local;
    const { exchange } = this;
    return Math.min(cursor.nextTs, responses.nextTs, exchange.cursor.nextTs, exchange.requests.nextTs);
  }

  /**
   * Processes everything up to `bound` and the limit (which a response that is waited for pulls in).
   * Returns RC_OK or the code of the first event that failed; what precedes that event is done.
   */
  run(bound: number): number {
    return this.marketByOrder ? this.runInstants(bound) : this.runAhead(bound);
  }

  private runAhead(bound: number): number {
    const { exchange, local, limit } = this;
    const { cursor, requests } = exchange;
    limit.ts = Math.min(limit.ts, bound);
    for (;;) {
      const requestTs = requests.nextTs;
      const rowsTo = Math.min(limit.ts, requestTs);
      while (cursor.nextTs <= Math.min(rowsTo, limit.ts)) {
        const error = this.runExchangeRows(rowsTo);
        if (error !== RC_OK) return this.fail(error, cursor.nextTs);
        // The local side follows chunk by chunk, so that chunks are freed and stay in the cache; never past what
        // is certain: a request not yet processed may be answered, and end the step, at its own instant.
        if (cursor.nextTs <= rowsTo) this.runLocalRows(Math.min(cursor.nextTs, limit.ts));
      }
      if (!(requestTs <= limit.ts)) break;
      const error = exchange.processRequests(requestTs);
      if (error !== RC_OK) return this.fail(error, requestTs);
    }
    this.runLocalRows(limit.ts);
    if (local.processResponses(limit.ts, NEVER, limit.ts)) this.sawResponseAt = limit.ts;
    return RC_OK;
  }

  /** Instant by instant: a row of the trader's side may fail, and what comes after it must not have happened. */
  private runInstants(bound: number): number {
    const { exchange, local, limit } = this;
    limit.ts = Math.min(limit.ts, bound);
    for (let ts = this.nextTs; ts <= limit.ts && ts < NEVER; ts = this.nextTs) {
      while (local.cursor.nextTs === ts) {
        const error = local.processRows(ts);
        if (error !== RC_OK) return error;
        this.sawRowAt = ts;
      }
      this.takeResponses(ts);
      while (exchange.cursor.nextTs === ts) {
        const error = this.runExchangeRows(ts);
        if (error !== RC_OK) return this.failAt(error, ts);
      }
      this.takeResponses(ts);
      if (exchange.requests.nextTs !== ts) continue;
      const error = exchange.processRequests(ts);
      if (error !== RC_OK) return this.failAt(error, ts);
      this.takeResponses(ts);
    }
    return RC_OK;
  }

  private takeResponses(ts: number): void {
    if (this.local.processResponses(ts, NEVER, ts)) this.sawResponseAt = ts;
  }

  private failAt(error: number, ts: number): number {
    this.local.processResponses(ts, this.exchange.responsesBeforeEvent, ts);
    return error;
  }

  /** The book as the exchange has it: live, not a copy. */
  get exchangeBook(): CompatBook {
    return this.exchange.book;
  }

  /** Rows decoded so far. */
  get rows(): number {
    return this.feed.rows;
  }

  close(): void {
    this.feed.close();
  }

  /** When the following rows cannot be read, what precedes that instant is done on the local side, too. */
  private runExchangeRows(bound: number): number {
    try {
      return this.exchange.processRows(bound);
    } catch (error) {
      const { nextTs } = this.exchange.cursor;
      this.runLocalRows(nextTs);
      this.local.processResponses(nextTs, NEVER, nextTs);
      throw error;
    }
  }

  private runLocalRows(bound: number): void {
    const { local } = this;
    while (local.cursor.nextTs <= bound) {
      local.processRows(bound);
      this.sawRowAt = local.feedLocalTs;
    }
  }

  /** Local rows and responses that come before the failed event are seen; the event's own responses are not. */
  private fail(error: number, ts: number): number {
    this.runLocalRows(ts);
    return this.failAt(error, ts);
  }

  private applySnapshot(source: EventSource): void {
    if (typeof source !== "string" && !(source instanceof Uint8Array))
      throw new RangeError("an initial snapshot is a file or rows in memory");
    const bytes = typeof source === "string" ? loadRows(source, EVENT_FIELDS).bytes : source;
    const i32 = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const f64 = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
    this.exchange.book.applySnapshot(i32, f64, bytes.length / 64);
    this.local.book.applySnapshot(i32, f64, bytes.length / 64);
  }
}

/** Opens the feed of an asset; nothing is decoded before its base is set. */
export function openFeed(options: CompatAssetOptions): EventFeed {
  return new EventFeed(openRowBlocks(options.data), {
    tickSize: options.tickSize,
    lotSize: options.lotSize,
    latencyOffsetNs: options.feedLatencyOffsetNs ?? 0,
    ...(options.onRows === undefined ? {} : { onRows: options.onRows }),
  });
}

/** Side of the trade's initiator: 1 buyer, −1 seller. */
export const tradeSide = (ev: number): number => ((ev & EV_SELL) !== 0 ? -1 : 1);
