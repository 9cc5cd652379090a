// Every own order that is not proven to be over, as structure of arrays, with a slot per order.
// Hot: execution lane; 0 bytes; find, add and release O(1) (hash of clientSeq, intrusive lists).
//
// What the gate needs of working orders is kept as sums that move with each change, so that checking a
// position limit costs two reads: lots open per (strategy, instrument, side) and per (instrument, side), the
// WORST case of what the venue may hold (a modify in flight counts with the larger quantity).
// An order that is over but whose fills have not all arrived stays findable ("owed") without counting.
import { assert } from "../core/assert.ts";
import { ORDER_NONE, ORDER_PENDING_NEW, SIDE_BUY } from "../wire/codes.ts";
import type { OrderRequest } from "./gateway.ts";

export const NO_ORDER = -1;
const NO_KEY = -1;

const array = <T>(make: (buffer: ArrayBuffer) => T, bytes: number): T =>
  make(new ArrayBuffer(Math.max(bytes, 4096)));
const f64 = (n: number) => array((b) => new Float64Array(b), n * 8);
const i32 = (n: number) => array((b) => new Int32Array(b), n * 4);
const u32 = (n: number) => array((b) => new Uint32Array(b), n * 4);
const u16 = (n: number) => array((b) => new Uint16Array(b), n * 2);
const u8 = (n: number) => array((b) => new Uint8Array(b), n);

export class OrderTable {
  readonly capacity: number;
  /** Numbers of ids, 0 included. */
  readonly strategies: number;
  readonly instruments: number;

  readonly clientSeq: Uint32Array;
  readonly instrument: Uint16Array;
  readonly strategy: Uint16Array;
  readonly side: Uint8Array;
  readonly tif: Uint8Array;
  readonly orderType: Uint8Array;
  readonly reduceOnly: Uint8Array;
  readonly state: Uint8Array;
  /** 1 once anything proved that the venue accepted the order. */
  readonly acked: Uint8Array;
  /** 1 while the outcome of the place request itself is unknown. */
  readonly placeUnknown: Uint8Array;
  /** 1: cancel as soon as that makes sense; survives rejected and unknown cancels. */
  readonly cancelWanted: Uint8Array;
  /** 0 … 255 cancels that were refused in a row. */
  readonly cancelTries: Uint8Array;
  readonly pxTicks: Float64Array;
  readonly qtyLots: Float64Array;
  /** Largest cumulative quantity that a report or the sum of fills has shown. */
  readonly cumQtyLots: Float64Array;
  /** Sum of the fills applied. */
  readonly filledLots: Float64Array;
  /** What a modify in flight asks for; equal to px and qty when there is none. */
  readonly wantedPxTicks: Float64Array;
  readonly wantedQtyLots: Float64Array;
  readonly createdTsNs: Float64Array;
  /** Logical time of the last request. */
  readonly requestTsNs: Float64Array;
  /** Venue time of its last word about the order; 0 = none. */
  readonly venueTsNs: Float64Array;
  readonly venueOrderIdLo: Uint32Array;
  readonly venueOrderIdHi: Uint32Array;
  /** Next live order of the same (strategy, instrument, side), oldest first; NO_ORDER ends. */
  readonly next: Int32Array;
  /** Next live order of the same (instrument, side), across strategies. */
  readonly nextOfInstrument: Int32Array;

  /** Worst-case open lots; index from pairSide() and instrumentSide(). */
  readonly openLots: Float64Array;
  readonly instrumentOpenLots: Float64Array;
  /** Live orders per strategy and per instrument. */
  readonly liveOfStrategy: Int32Array;
  readonly liveOfInstrument: Int32Array;
  liveCount: number;
  /** Orders that are over but for fills still to come. */
  owedCount: number;
  /** Owed orders that were given up because the table was full. */
  owedEvicted: number;

  private readonly previous: Int32Array;
  private readonly previousOfInstrument: Int32Array;
  private readonly exposed: Float64Array;
  private readonly live: Uint8Array;
  private readonly heads: Int32Array;
  private readonly tails: Int32Array;
  private readonly instrumentHeads: Int32Array;
  private readonly instrumentTails: Int32Array;
  private readonly free: Int32Array;
  private freeCount: number;
  private readonly owedQueue: Int32Array;
  private owedFirst: number;
  private readonly keys: Float64Array;
  private readonly slots: Int32Array;
  private readonly mask: number;

  /** `strategies`, `instruments`: number of ids, 0 included. 163 bytes an order. */
  constructor(capacity: number, strategies: number, instruments: number) {
    assert(capacity > 0 && (capacity & (capacity - 1)) === 0, "order table capacity must be a power of two");
    this.capacity = capacity;
    this.strategies = strategies;
    this.instruments = instruments;
    this.clientSeq = u32(capacity);
    this.instrument = u16(capacity);
    this.strategy = u16(capacity);
    this.side = u8(capacity);
    this.tif = u8(capacity);
    this.orderType = u8(capacity);
    this.reduceOnly = u8(capacity);
    this.state = u8(capacity);
    this.acked = u8(capacity);
    this.placeUnknown = u8(capacity);
    this.cancelWanted = u8(capacity);
    this.cancelTries = u8(capacity);
    this.pxTicks = f64(capacity);
    this.qtyLots = f64(capacity);
    this.cumQtyLots = f64(capacity);
    this.filledLots = f64(capacity);
    this.wantedPxTicks = f64(capacity);
    this.wantedQtyLots = f64(capacity);
    this.createdTsNs = f64(capacity);
    this.requestTsNs = f64(capacity);
    this.venueTsNs = f64(capacity);
    this.venueOrderIdLo = u32(capacity);
    this.venueOrderIdHi = u32(capacity);
    this.next = i32(capacity).fill(NO_ORDER);
    this.nextOfInstrument = i32(capacity).fill(NO_ORDER);
    const lists = strategies * instruments * 2;
    this.openLots = f64(lists);
    this.instrumentOpenLots = f64(instruments * 2);
    this.liveOfStrategy = i32(strategies);
    this.liveOfInstrument = i32(instruments);
    this.liveCount = 0;
    this.owedCount = 0;
    this.owedEvicted = 0;
    this.previous = i32(capacity).fill(NO_ORDER);
    this.previousOfInstrument = i32(capacity).fill(NO_ORDER);
    this.exposed = f64(capacity);
    this.live = u8(capacity);
    this.heads = i32(lists).fill(NO_ORDER);
    this.tails = i32(lists).fill(NO_ORDER);
    this.instrumentHeads = i32(instruments * 2).fill(NO_ORDER);
    this.instrumentTails = i32(instruments * 2).fill(NO_ORDER);
    this.free = i32(capacity);
    for (let i = 0; i < capacity; i++) this.free[i] = capacity - 1 - i;
    this.freeCount = capacity;
    this.owedQueue = i32(capacity);
    this.owedFirst = 0;
    this.keys = f64(capacity * 4).fill(NO_KEY);
    this.slots = i32(capacity * 4);
    this.mask = capacity * 4 - 1;
  }

  pairSide(strategy: number, instrument: number, side: number): number {
    return ((strategy * this.instruments + instrument) << 1) | (side === SIDE_BUY ? 0 : 1);
  }

  instrumentSide(instrument: number, side: number): number {
    return (instrument << 1) | (side === SIDE_BUY ? 0 : 1);
  }

  /** Oldest live order of (strategy, instrument, side), or NO_ORDER; go on with `next`. */
  head(strategy: number, instrument: number, side: number): number {
    return this.heads[this.pairSide(strategy, instrument, side)];
  }

  /** Oldest live order of (instrument, side) of any strategy; go on with `nextOfInstrument`. */
  instrumentHead(instrument: number, side: number): number {
    return this.instrumentHeads[this.instrumentSide(instrument, side)];
  }

  isLive(slot: number): boolean {
    return this.live[slot] === 1;
  }

  get hasRoom(): boolean {
    return this.freeCount > 0 || this.owedCount > 0;
  }

  /** A new order in PENDING_NEW. NO_ORDER: the table is full of live orders. */
  add(request: OrderRequest, tsNs: number): number {
    if (this.freeCount === 0) this.evictOwed();
    if (this.freeCount === 0) return NO_ORDER;
    const slot = this.free[--this.freeCount];
    this.clientSeq[slot] = request.clientSeq;
    this.instrument[slot] = request.instrument;
    this.strategy[slot] = request.strategy;
    this.side[slot] = request.side;
    this.tif[slot] = request.tif;
    this.orderType[slot] = request.orderType;
    this.reduceOnly[slot] = request.reduceOnly ? 1 : 0;
    this.state[slot] = ORDER_PENDING_NEW;
    this.acked[slot] = 0;
    this.placeUnknown[slot] = 0;
    this.cancelWanted[slot] = 0;
    this.cancelTries[slot] = 0;
    this.pxTicks[slot] = request.pxTicks;
    this.qtyLots[slot] = request.qtyLots;
    this.cumQtyLots[slot] = 0;
    this.filledLots[slot] = 0;
    this.wantedPxTicks[slot] = request.pxTicks;
    this.wantedQtyLots[slot] = request.qtyLots;
    this.createdTsNs[slot] = tsNs;
    this.requestTsNs[slot] = tsNs;
    this.venueTsNs[slot] = 0;
    this.venueOrderIdLo[slot] = 0;
    this.venueOrderIdHi[slot] = 0;
    this.index(request.clientSeq, slot);
    this.link(slot);
    this.expose(slot);
    return slot;
  }

  /** Slot of a live or owed order, or NO_ORDER. */
  find(clientSeq: number): number {
    let i = clientSeq & this.mask;
    while (this.keys[i] !== NO_KEY) {
      if (this.keys[i] === clientSeq) return this.slots[i];
      i = (i + 1) & this.mask;
    }
    return NO_ORDER;
  }

  /** Recomputes what a live order adds to the open sums; call after any change of quantities. */
  expose(slot: number): void {
    let lots = 0;
    if (this.live[slot] === 1) {
      lots = Math.max(this.qtyLots[slot], this.wantedQtyLots[slot]) - this.cumQtyLots[slot];
      if (lots < 0) lots = 0;
    }
    const change = lots - this.exposed[slot];
    if (change === 0) return;
    this.exposed[slot] = lots;
    const side = this.side[slot];
    const instrument = this.instrument[slot];
    this.openLots[this.pairSide(this.strategy[slot], instrument, side)] += change;
    this.instrumentOpenLots[this.instrumentSide(instrument, side)] += change;
  }

  /** Worst-case open lots of one order. */
  exposedLots(slot: number): number {
    return this.exposed[slot];
  }

  /** The order is over: it leaves the lists, and the table too unless fills are still owed. */
  finish(slot: number): void {
    if (this.live[slot] === 1) {
      this.unlink(slot);
      this.expose(slot);
      if (this.filledLots[slot] < this.cumQtyLots[slot]) {
        this.owedQueue[(this.owedFirst + this.owedCount++) & (this.capacity - 1)] = slot;
        return;
      }
      this.release(slot);
    } else if (this.filledLots[slot] >= this.cumQtyLots[slot]) this.settle(slot);
  }

  /** Takes back an order whose request never left the process. */
  withdraw(slot: number): void {
    assert(this.live[slot] === 1, "only a live order can be withdrawn");
    this.unlink(slot);
    this.expose(slot);
    this.release(slot);
  }

  /** The last owed fill arrived: out of the queue (which is short: its middle is closed by moving). */
  private settle(slot: number): void {
    const mask = this.capacity - 1;
    let found = false;
    for (let i = 0; i < this.owedCount; i++) {
      const at = (this.owedFirst + i) & mask;
      if (found) this.owedQueue[(at - 1) & mask] = this.owedQueue[at];
      else if (this.owedQueue[at] === slot) found = true;
    }
    assert(found, "an order that is over is neither live nor owed");
    this.owedCount--;
    this.release(slot);
  }

  private evictOwed(): void {
    if (this.owedCount === 0) return;
    const slot = this.owedQueue[this.owedFirst];
    this.owedFirst = (this.owedFirst + 1) & (this.capacity - 1);
    this.owedCount--;
    this.owedEvicted++;
    this.release(slot);
  }

  private release(slot: number): void {
    this.unindex(this.clientSeq[slot]);
    this.state[slot] = ORDER_NONE;
    this.free[this.freeCount++] = slot;
  }

  private link(slot: number): void {
    const strategy = this.strategy[slot];
    const instrument = this.instrument[slot];
    const list = this.pairSide(strategy, instrument, this.side[slot]);
    const tail = this.tails[list];
    this.previous[slot] = tail;
    this.next[slot] = NO_ORDER;
    if (tail === NO_ORDER) this.heads[list] = slot;
    else this.next[tail] = slot;
    this.tails[list] = slot;
    const shared = this.instrumentSide(instrument, this.side[slot]);
    const last = this.instrumentTails[shared];
    this.previousOfInstrument[slot] = last;
    this.nextOfInstrument[slot] = NO_ORDER;
    if (last === NO_ORDER) this.instrumentHeads[shared] = slot;
    else this.nextOfInstrument[last] = slot;
    this.instrumentTails[shared] = slot;
    this.live[slot] = 1;
    this.liveCount++;
    this.liveOfStrategy[strategy]++;
    this.liveOfInstrument[instrument]++;
  }

  /** `next` of an unlinked slot still leads on, so a walk may finish the order it stands on. */
  private unlink(slot: number): void {
    const strategy = this.strategy[slot];
    const instrument = this.instrument[slot];
    const list = this.pairSide(strategy, instrument, this.side[slot]);
    const before = this.previous[slot];
    const after = this.next[slot];
    if (before === NO_ORDER) this.heads[list] = after;
    else this.next[before] = after;
    if (after === NO_ORDER) this.tails[list] = before;
    else this.previous[after] = before;
    const shared = this.instrumentSide(instrument, this.side[slot]);
    const left = this.previousOfInstrument[slot];
    const right = this.nextOfInstrument[slot];
    if (left === NO_ORDER) this.instrumentHeads[shared] = right;
    else this.nextOfInstrument[left] = right;
    if (right === NO_ORDER) this.instrumentTails[shared] = left;
    else this.previousOfInstrument[right] = left;
    this.live[slot] = 0;
    this.liveCount--;
    this.liveOfStrategy[strategy]--;
    this.liveOfInstrument[instrument]--;
  }

  private index(clientSeq: number, slot: number): void {
    let i = clientSeq & this.mask;
    while (this.keys[i] !== NO_KEY) {
      assert(this.keys[i] !== clientSeq, "a client id was used twice");
      i = (i + 1) & this.mask;
    }
    this.keys[i] = clientSeq;
    this.slots[i] = slot;
  }

  /** Deletion by shifting back (Knuth 6.4 R): no tombstones, so probes stay short for ever. */
  private unindex(clientSeq: number): void {
    const mask = this.mask;
    let hole = clientSeq & mask;
    while (this.keys[hole] !== clientSeq) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; this.keys[i] !== NO_KEY; i = (i + 1) & mask) {
      const home = this.keys[i] & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      this.keys[hole] = this.keys[i];
      this.slots[hole] = this.slots[i];
      hole = i;
    }
    this.keys[hole] = NO_KEY;
  }
}
