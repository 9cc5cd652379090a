// An order as hftbacktest holds it: the local side and the exchange side each own a copy, and requests and
// responses carry copies. Times are ns since the run's base.
import { LIMIT, STATUS_NEW, STATUS_NONE, STATUS_PARTIALLY_FILLED } from "./codes.ts";

/** Stands for a timestamp of 0 in the file's time: never processed by the exchange. */
export const NO_TIME = Number.NEGATIVE_INFINITY;
/** Execution price in ticks of a market order on an empty book: i64::MAX, as the original has it. */
export const TICK_NONE_ASK = 2 ** 63;
export const TICK_NONE_BID = -(2 ** 63);

export class CompatOrder {
  readonly id: number;
  /** BUY 1, SELL −1. */
  readonly side: number;
  readonly type: number;
  readonly tif: number;
  tick: number;
  qty: number;
  leaves: number;
  execQty = 0;
  execTick = 0;
  exchTs = NO_TIME;
  localTs = NO_TIME;
  status = STATUS_NONE;
  /** The request under way, STATUS_NONE when there is none. */
  req = STATUS_NONE;
  maker = false;
  /** Queue position: quantity in front, and what trades have taken since the level last changed. */
  front = 0;
  tradedSince = 0;

  constructor(id: number, side: number, tick: number, qty: number, tif: number, type = LIMIT) {
    this.id = id;
    this.side = side;
    this.type = type;
    this.tif = tif;
    this.tick = tick;
    this.qty = qty;
    this.leaves = qty;
  }

  get cancellable(): boolean {
    return (
      (this.status === STATUS_NEW || this.status === STATUS_PARTIALLY_FILLED) && this.req === STATUS_NONE
    );
  }

  clone(): CompatOrder {
    const copy = new CompatOrder(this.id, this.side, this.tick, this.qty, this.tif, this.type);
    copy.localTs = this.localTs;
    copy.exchTs = this.exchTs;
    copy.copyState(this);
    return copy;
  }

  /** Everything but the two timestamps. */
  copyState(from: CompatOrder): void {
    this.tick = from.tick;
    this.qty = from.qty;
    this.leaves = from.leaves;
    this.execQty = from.execQty;
    this.execTick = from.execTick;
    this.status = from.status;
    this.req = from.req;
    this.maker = from.maker;
    this.front = from.front;
    this.tradedSince = from.tradedSince;
  }
}
