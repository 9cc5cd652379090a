// What every exchange side of a compat backtest has: requests that are acknowledged, executions, responses on their
// way. How rows move the book, and where own orders stand in it, is its kind's: levels or market by order.
import type { ChunkCursor } from "../../data/chunk-cursor.ts";
import {
  RC_INVALID_ORDER_STATUS,
  RC_OK,
  STATUS_CANCELED,
  STATUS_EXPIRED,
  STATUS_FILLED,
  STATUS_PARTIALLY_FILLED,
} from "./codes.ts";
import type { CompatBook } from "./compat-book.ts";
import type { CompatOrder } from "./compat-order.ts";
import { acknowledge } from "./order-acks.ts";
import type { OrderBus } from "./order-bus.ts";
import type { OrderLatency } from "./order-latency.ts";
import type { OrderWitness } from "./order-witness.ts";
import { roundHalfAway } from "./rounding.ts";
import type { RunLimit } from "./run-limit.ts";

export interface CompatVenueParts {
  readonly book: CompatBook;
  readonly cursor: ChunkCursor;
  readonly latency: OrderLatency;
  /** Trader → exchange. */
  readonly requests: OrderBus;
  /** Exchange → trader. */
  readonly responses: OrderBus;
  readonly limit: RunLimit;
  /** PartialFillExchange; else NoPartialFillExchange. */
  readonly partialFill: boolean;
  readonly witness: OrderWitness | null;
}

export abstract class CompatVenue {
  readonly book: CompatBook;
  readonly partialFill: boolean;
  readonly witness: OrderWitness | null;
  readonly requests: OrderBus;
  readonly cursor: ChunkCursor;
  /** Responses sent before the event that failed: those after it are not seen until the next step. */
  responsesBeforeEvent = 0;
  protected readonly responses: OrderBus;
  protected readonly limit: RunLimit;
  private readonly latency: OrderLatency;

  constructor(parts: CompatVenueParts) {
    this.book = parts.book;
    this.cursor = parts.cursor;
    this.latency = parts.latency;
    this.requests = parts.requests;
    this.responses = parts.responses;
    this.limit = parts.limit;
    this.partialFill = parts.partialFill;
    this.witness = parts.witness;
  }

  /**
   * Processes rows of the current chunk up to `bound` (inclusive; also never past the run's limit) and moves the
   * cursor on. Returns RC_OK or an error code; then the cursor stays on the row that failed.
   */
  abstract processRows(bound: number): number;
  /** Whether an own order with this id rests here. */
  abstract holds(id: number): boolean;
  /** A copy of an accepted order takes its place in the book. */
  abstract rest(order: CompatOrder): void;
  /** Takes an own order out; undefined when it is not there. */
  abstract takeOut(id: number): CompatOrder | undefined;
  /** A request for another price or quantity. RC_ORDER_NOT_FOUND: no such order rests here; nothing is changed. */
  abstract amend(order: CompatOrder, now: number): number;

  /** Processes every request that arrives at `ts`. */
  processRequests(ts: number): number {
    this.responsesBeforeEvent = this.responses.length;
    while (this.requests.nextTs === ts) {
      const order = this.requests.pop();
      const error = acknowledge(this, order, ts);
      if (error !== RC_OK) return error;
      this.respond(order);
    }
    return RC_OK;
  }

  /** Executes `qty` of an order. RC_INVALID_ORDER_STATUS when it is over already. */
  fill(order: CompatOrder, ts: number, maker: boolean, execTick: number, qty: number): number {
    const { status } = order;
    if (status === STATUS_EXPIRED || status === STATUS_CANCELED || status === STATUS_FILLED) {
      return RC_INVALID_ORDER_STATUS;
    }
    order.maker = maker;
    order.execTick = maker ? order.tick : execTick;
    order.exchTs = ts;
    if (this.partialFill) {
      order.execQty = qty;
      order.leaves -= qty;
      const more = roundHalfAway(order.leaves / this.book.lotSize) > 0;
      order.status = more ? STATUS_PARTIALLY_FILLED : STATUS_FILLED;
    } else {
      order.execQty = order.leaves;
      order.leaves = 0;
      order.status = STATUS_FILLED;
    }
    this.witness?.onFill(order, ts);
    return RC_OK;
  }

  /** Executes a resting order at its own price and tells the trader. */
  protected fillMaker(order: CompatOrder, ts: number, qty: number): number {
    const error = this.fill(order, ts, true, order.tick, qty);
    if (error === RC_OK) this.respond(order.clone());
    return error;
  }

  protected respond(order: CompatOrder): void {
    const arrival = this.responses.append(order, order.exchTs + this.latency.response(order.exchTs));
    this.limit.onResponse(order, arrival);
    this.witness?.onResponse(order, arrival);
  }
}
