// What a quoter wants, filled in place: the complete set of orders it wants to have at the venue for one
// instrument. The runner keeps what is near enough, amends or replaces the rest, and cancels what is not
// wanted. Hot: execution lane; 0 bytes.
import { assert } from "../core/assert.ts";

/** At most 32: the runner keeps a bit for each. */
export const MAX_LEVELS = 16;

export class Quotes {
  readonly bidPxTicks: Float64Array;
  readonly bidQtyLots: Float64Array;
  readonly askPxTicks: Float64Array;
  readonly askQtyLots: Float64Array;
  bidCount: number;
  askCount: number;
  /** Slots of orders to cancel, whatever the wanted prices say. */
  readonly cancels: Int32Array;
  cancelCount: number;
  /** True: no decision this time; working orders stay as they are. */
  unchanged: boolean;

  constructor() {
    this.bidPxTicks = new Float64Array(new ArrayBuffer(4096), 0, MAX_LEVELS);
    this.bidQtyLots = new Float64Array(new ArrayBuffer(4096), 0, MAX_LEVELS);
    this.askPxTicks = new Float64Array(new ArrayBuffer(4096), 0, MAX_LEVELS);
    this.askQtyLots = new Float64Array(new ArrayBuffer(4096), 0, MAX_LEVELS);
    this.bidCount = 0;
    this.askCount = 0;
    this.cancels = new Int32Array(new ArrayBuffer(4096), 0, 256);
    this.cancelCount = 0;
    this.unchanged = false;
  }

  /** The runner clears before each call; an empty set means: no orders wanted. */
  clear(): void {
    this.bidCount = 0;
    this.askCount = 0;
    this.cancelCount = 0;
    this.unchanged = false;
  }

  bid(pxTicks: number, qtyLots: number): void {
    assert(this.bidCount < MAX_LEVELS, "more than 16 bids quoted");
    this.bidPxTicks[this.bidCount] = pxTicks;
    this.bidQtyLots[this.bidCount++] = qtyLots;
  }

  ask(pxTicks: number, qtyLots: number): void {
    assert(this.askCount < MAX_LEVELS, "more than 16 asks quoted");
    this.askPxTicks[this.askCount] = pxTicks;
    this.askQtyLots[this.askCount++] = qtyLots;
  }

  /** Cancels one working order (a slot from the context's order walk). */
  cancel(slot: number): void {
    if (this.cancelCount < this.cancels.length) this.cancels[this.cancelCount++] = slot;
  }

  /** No decision: leave everything as it is. */
  keep(): void {
    this.unchanged = true;
  }
}
