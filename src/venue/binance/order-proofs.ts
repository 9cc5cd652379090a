// Orders whose outcome nobody has stated: each is asked for until the answer proves it. Nothing is called
// failed without proof: "order does not exist" proves something only when the request can no longer be
// accepted, and an order that looks as before a modify only then too. Hot: execution lane; 0 bytes.
import { NS_PER_MS, NS_PER_S } from "../../core/clock.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import { isOver } from "../../order/transitions.ts";
import { ACTION_CANCEL, ACTION_MODIFY, ORDER_TYPE_LIMIT, TIF_GTC } from "../../wire/codes.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import type { GatewayCounters } from "./gateway-options.ts";
import { NO_ENTRY, type RequestTable, UnknownOrders } from "./in-flight.ts";

/** Order does not exist. */
export const NO_SUCH_ORDER = -2013;
/** The same, to a cancel ("Unknown order sent"). */
export const NOTHING_TO_CANCEL = -2011;

const PROBE_EVERY_NS = 2 * NS_PER_S;
const LONGEST_WAIT = 5;
/** The stream mostly says first why an order could not be cancelled or modified: filled meanwhile. */
const STREAM_FIRST_NS = 250 * NS_PER_MS;
/** Clock error allowed for when a request's validity at the venue is judged. */
const VALIDITY_MARGIN_NS = 2 * NS_PER_S;

export interface ProofParts {
  readonly requests: RequestTable;
  readonly answers: AnswerWriter;
  readonly counters: GatewayCounters;
  readonly recvWindowMs: number;
  /** Sends a question about an order; false: no budget or no way now. */
  readonly query: (request: OrderRequest, nowNs: number) => boolean;
}

export class OrderProofs {
  readonly unknown: UnknownOrders;
  private readonly parts: ProofParts;
  private readonly validNs: number;
  private readonly scratch: OrderRequest;

  constructor(parts: ProofParts) {
    this.unknown = new UnknownOrders();
    this.parts = parts;
    this.validNs = parts.recvWindowMs * NS_PER_MS + VALIDITY_MARGIN_NS;
    this.scratch = blankRequest();
  }

  get count(): number {
    return this.unknown.count;
  }

  /** The request in `slot` may or may not have taken effect. False: no room; reconcile instead. */
  begin(slot: number, nowNs: number): boolean {
    const { requests } = this.parts;
    requests.read(slot, this.scratch);
    return this.unknown.add(requests.action[slot]!, this.scratch, requests.sentNs[slot]!, nowNs);
  }

  /** The venue refused a cancel or modify because it holds no such open order: it has ended, unless the stream says how first, it is asked for. */
  suspect(slot: number, nowNs: number): void {
    const { requests } = this.parts;
    if (this.unknown.find(requests.clientSeq[slot]!) !== NO_ENTRY) return;
    requests.read(slot, this.scratch);
    this.unknown.add(ACTION_CANCEL, this.scratch, nowNs, nowNs + STREAM_FIRST_NS);
  }

  /** A reconciliation did not find this order: its request may still arrive. */
  later(request: OrderRequest, nowNs: number): void {
    if (this.unknown.find(request.clientSeq) === NO_ENTRY)
      this.unknown.add(ACTION_CANCEL, request, nowNs, nowNs);
  }

  /** Asks for every order that is due. Returns work done. */
  poll(nowNs: number): number {
    const u = this.unknown;
    let work = 0;
    for (let k = 0; u.count > 0 && k < u.capacity; k++) {
      if (u.used[k] === 0 || nowNs < u.probeAtNs[k]!) continue;
      const tries = u.tries[k]!;
      u.probeAtNs[k] = nowNs + PROBE_EVERY_NS * Math.min(tries + 1, LONGEST_WAIT);
      u.tries[k] = Math.min(tries + 1, 65_535);
      u.read(k, this.scratch);
      if (this.parts.query(this.scratch, nowNs)) this.parts.counters.probes++;
      work++;
    }
    return work;
  }

  /** True when this answer to a question settles what was unknown. */
  isProof(clientSeq: number, state: number, pxTicks: number, qtyLots: number, nowNs: number): boolean {
    const u = this.unknown;
    const k = u.find(clientSeq);
    if (k === NO_ENTRY || u.action[k] !== ACTION_MODIFY || isOver(state)) return true;
    if (u.pxTicks[k] === pxTicks && u.qtyLots[k] === qtyLots) return true;
    return nowNs - u.sentNs[k]! > this.validNs;
  }

  /** The venue has stated the order. */
  proved(clientSeq: number): void {
    const k = this.unknown.find(clientSeq);
    if (k === NO_ENTRY) return;
    this.unknown.release(k);
    this.parts.counters.proofs++;
  }

  /** A question was refused; writes the end of an order that the venue does not know and never will. */
  refused(clientSeq: number, code: number, nowNs: number): void {
    const u = this.unknown;
    const k = u.find(clientSeq);
    if (k === NO_ENTRY || code !== NO_SUCH_ORDER || nowNs - u.sentNs[k]! <= this.validNs) return;
    this.parts.answers.absent(u, k, code, nowNs);
    this.proved(clientSeq);
  }
}

export const blankRequest = (): OrderRequest => ({
  clientSeq: 0,
  instrument: 0,
  strategy: 0,
  side: 0,
  tif: TIF_GTC,
  orderType: ORDER_TYPE_LIMIT,
  reduceOnly: false,
  pxTicks: 0.5,
  qtyLots: 0.5,
});
