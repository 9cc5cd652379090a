// Own orders of one instrument as structure of arrays, resting ones linked per side in price-time order
// (best price first, oldest first within a price).
// Hot: lane of the matching model; 0 bytes; work bounded by the number of resting own orders.
import { assert } from "../core/assert.ts";

export const NO_ORDER = -1;

export const STP_NONE = 0;
export const STP_EXPIRE_TAKER = 1;
export const STP_EXPIRE_MAKER = 2;
export const STP_EXPIRE_BOTH = 3;

export class OwnOrders {
  readonly capacity: number;
  /** +1 buy, -1 sell. */
  readonly side: Int8Array;
  readonly orderType: Uint8Array;
  readonly tif: Uint8Array;
  readonly stp: Uint8Array;
  readonly reduceOnly: Uint8Array;
  readonly pxTicks: Float64Array;
  readonly qtyLots: Float64Array;
  readonly leavesLots: Float64Array;
  /** Market lots ahead at the order's price. */
  readonly front: Float64Array;
  /** Lots traded at the order's price since the level's last depth change. */
  readonly traded: Float64Array;
  /** Market by order: sequence number in its price's queue. */
  readonly place: Float64Array;
  /** The caller's own key for the order. */
  readonly reference: Float64Array;
  readonly resting: Uint8Array;
  readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly free: Int32Array;
  private freeCount: number;
  private headBid = NO_ORDER;
  private headAsk = NO_ORDER;
  private tailBid = NO_ORDER;
  private tailAsk = NO_ORDER;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.side = new Int8Array(capacity);
    this.orderType = new Uint8Array(capacity);
    this.tif = new Uint8Array(capacity);
    this.stp = new Uint8Array(capacity);
    this.reduceOnly = new Uint8Array(capacity);
    this.pxTicks = new Float64Array(capacity);
    this.qtyLots = new Float64Array(capacity);
    this.leavesLots = new Float64Array(capacity);
    this.front = new Float64Array(capacity);
    this.traded = new Float64Array(capacity);
    this.place = new Float64Array(capacity);
    this.reference = new Float64Array(capacity);
    this.resting = new Uint8Array(capacity);
    this.next = new Int32Array(capacity).fill(NO_ORDER);
    this.previous = new Int32Array(capacity).fill(NO_ORDER);
    this.free = new Int32Array(capacity);
    for (let i = 0; i < capacity; i++) this.free[i] = capacity - 1 - i;
    this.freeCount = capacity;
  }

  get count(): number {
    return this.capacity - this.freeCount;
  }

  allocate(): number {
    if (this.freeCount === 0) return NO_ORDER;
    return this.free[--this.freeCount]!;
  }

  release(slot: number): void {
    assert(this.freeCount < this.capacity, "an own order was released twice");
    if (this.resting[slot] === 1) this.unlink(slot);
    this.free[this.freeCount++] = slot;
  }

  /** Best-priced, oldest resting order of a side, or NO_ORDER. */
  head(side: number): number {
    return side > 0 ? this.headBid : this.headAsk;
  }

  /** Price of the best and of the worst resting order of a side, NaN when there is none. */
  bestTicks(side: number): number {
    const head = this.head(side);
    return head === NO_ORDER ? Number.NaN : this.pxTicks[head]!;
  }

  worstTicks(side: number): number {
    const tail = side > 0 ? this.tailBid : this.tailAsk;
    return tail === NO_ORDER ? Number.NaN : this.pxTicks[tail]!;
  }

  /** Rests the order behind every order whose price is better or equal. */
  link(slot: number): void {
    const side = this.side[slot]!;
    const key = side * this.pxTicks[slot]!;
    let before = NO_ORDER;
    let after = this.head(side);
    while (after !== NO_ORDER && side * this.pxTicks[after]! >= key) {
      before = after;
      after = this.next[after]!;
    }
    this.next[slot] = after;
    this.previous[slot] = before;
    if (after !== NO_ORDER) this.previous[after] = slot;
    else this.setTail(side, slot);
    if (before !== NO_ORDER) this.next[before] = slot;
    else this.setHead(side, slot);
    this.resting[slot] = 1;
  }

  unlink(slot: number): void {
    const before = this.previous[slot]!;
    const after = this.next[slot]!;
    if (after !== NO_ORDER) this.previous[after] = before;
    else this.setTail(this.side[slot]!, before);
    if (before !== NO_ORDER) this.next[before] = after;
    else this.setHead(this.side[slot]!, after);
    this.next[slot] = NO_ORDER;
    this.previous[slot] = NO_ORDER;
    this.resting[slot] = 0;
  }

  private setHead(side: number, slot: number): void {
    if (side > 0) this.headBid = slot;
    else this.headAsk = slot;
  }

  private setTail(side: number, slot: number): void {
    if (side > 0) this.tailBid = slot;
    else this.tailAsk = slot;
  }
}
