// Requests that wait for an answer, and orders that wait for a proof: structure of arrays with a fixed
// capacity. Hot: execution lane; 0 bytes; O(1) but for the sweeps, which look at what is waiting.
import type { OrderRequest } from "../../order/gateway.ts";

export const NO_ENTRY = -1;

const FREE = 0;
const WAITING = 1;

/** Slots of order requests; a request number leads to its slot by its low bits. */
export class RequestTable {
  readonly capacity: number;
  count: number;
  /** What each request was about. */
  readonly action: Uint8Array;
  readonly clientSeq: Uint32Array;
  readonly instrument: Uint16Array;
  readonly strategy: Uint16Array;
  readonly side: Uint8Array;
  readonly pxTicks: Float64Array;
  readonly qtyLots: Float64Array;
  readonly sentNs: Float64Array;
  private readonly requestNo: Float64Array;
  private readonly state: Uint8Array;
  private nextNo: number;

  /** `capacity`: power of two. */
  constructor(capacity = 1024) {
    this.capacity = capacity;
    this.count = 0;
    this.action = new Uint8Array(capacity);
    this.clientSeq = new Uint32Array(capacity);
    this.instrument = new Uint16Array(capacity);
    this.strategy = new Uint16Array(capacity);
    this.side = new Uint8Array(capacity);
    this.pxTicks = new Float64Array(capacity);
    this.qtyLots = new Float64Array(capacity);
    this.sentNs = new Float64Array(capacity);
    this.requestNo = new Float64Array(capacity);
    this.state = new Uint8Array(capacity);
    this.nextNo = 1;
  }

  /** A slot for one more request, or NO_ENTRY when they are used up. */
  add(action: number, r: OrderRequest, nowNs: number): number {
    // The next number's slot may still wait while others are free: skip at most once around.
    for (let tries = 0; tries < this.capacity; tries++) {
      const number = this.nextNo++;
      const slot = number & (this.capacity - 1);
      if (this.state[slot] !== FREE) continue;
      this.state[slot] = WAITING;
      this.requestNo[slot] = number;
      this.action[slot] = action;
      this.clientSeq[slot] = r.clientSeq;
      this.instrument[slot] = r.instrument;
      this.strategy[slot] = r.strategy;
      this.side[slot] = r.side;
      this.pxTicks[slot] = r.pxTicks;
      this.qtyLots[slot] = r.qtyLots;
      this.sentNs[slot] = nowNs;
      this.count++;
      return slot;
    }
    return NO_ENTRY;
  }

  numberOf(slot: number): number {
    return this.requestNo[slot]!;
  }

  /** Copies what the request in `slot` was about. */
  read(slot: number, into: OrderRequest): void {
    into.clientSeq = this.clientSeq[slot]!;
    into.instrument = this.instrument[slot]!;
    into.strategy = this.strategy[slot]!;
    into.side = this.side[slot]!;
    into.pxTicks = this.pxTicks[slot]!;
    into.qtyLots = this.qtyLots[slot]!;
  }

  isWaiting(slot: number): boolean {
    return this.state[slot] === WAITING;
  }

  /** Slot of the request with this number while it waits, or NO_ENTRY. */
  find(requestNo: number): number {
    const slot = requestNo & (this.capacity - 1);
    return this.state[slot] === WAITING && this.requestNo[slot] === requestNo ? slot : NO_ENTRY;
  }

  release(slot: number): void {
    this.state[slot] = FREE;
    this.count--;
  }
}

/** Orders whose outcome is not known, each probed until the venue has proved it. */
export class UnknownOrders {
  readonly capacity: number;
  count: number;
  readonly used: Uint8Array;
  /** The action whose outcome is unknown. */
  readonly action: Uint8Array;
  readonly clientSeq: Uint32Array;
  readonly instrument: Uint16Array;
  readonly strategy: Uint16Array;
  readonly side: Uint8Array;
  readonly pxTicks: Float64Array;
  readonly qtyLots: Float64Array;
  /** When the request left; its validity at the venue ends recvWindow later. */
  readonly sentNs: Float64Array;
  readonly probeAtNs: Float64Array;
  readonly tries: Uint16Array;

  constructor(capacity = 1024) {
    this.capacity = capacity;
    this.count = 0;
    this.used = new Uint8Array(capacity);
    this.action = new Uint8Array(capacity);
    this.clientSeq = new Uint32Array(capacity);
    this.instrument = new Uint16Array(capacity);
    this.strategy = new Uint16Array(capacity);
    this.side = new Uint8Array(capacity);
    this.pxTicks = new Float64Array(capacity);
    this.qtyLots = new Float64Array(capacity);
    this.sentNs = new Float64Array(capacity);
    this.probeAtNs = new Float64Array(capacity);
    this.tries = new Uint16Array(capacity);
  }

  /**
   * One entry per order: a later request renews its time, what the first one asked for stays. `probeAtNs`: when
   * it is asked for. False: no room.
   */
  add(action: number, r: OrderRequest, sentNs: number, probeAtNs: number): boolean {
    const known = this.find(r.clientSeq);
    const k = known === NO_ENTRY ? this.free() : known;
    if (k === NO_ENTRY) return false;
    if (known === NO_ENTRY) {
      this.used[k] = 1;
      this.count++;
      this.action[k] = action;
      this.clientSeq[k] = r.clientSeq;
      this.instrument[k] = r.instrument;
      this.strategy[k] = r.strategy;
      this.side[k] = r.side;
      this.pxTicks[k] = r.pxTicks;
      this.qtyLots[k] = r.qtyLots;
    }
    this.sentNs[k] = sentNs;
    this.probeAtNs[k] = probeAtNs;
    this.tries[k] = 0;
    return true;
  }

  /** Copies what the entry is about. */
  read(k: number, into: OrderRequest): void {
    into.clientSeq = this.clientSeq[k]!;
    into.instrument = this.instrument[k]!;
    into.strategy = this.strategy[k]!;
    into.side = this.side[k]!;
    into.pxTicks = this.pxTicks[k]!;
    into.qtyLots = this.qtyLots[k]!;
  }

  find(clientSeq: number): number {
    if (this.count === 0) return NO_ENTRY;
    for (let k = 0; k < this.capacity; k++) {
      if (this.used[k] === 1 && this.clientSeq[k] === clientSeq) return k;
    }
    return NO_ENTRY;
  }

  release(k: number): void {
    this.used[k] = 0;
    this.count--;
  }

  private free(): number {
    for (let k = 0; k < this.capacity; k++) if (this.used[k] === 0) return k;
    return NO_ENTRY;
  }
}
