// What is known of one order while its records are folded (order-fold.ts): plain data, kept in the checkpoint.
import { type ClientId, ClientIdEncoder } from "../order/client-id.ts";
import * as code from "../wire/codes.ts";
import { text } from "./columns.ts";

/** Times in session ns; NaN = not known. */
export interface OrderState {
  /** null = not an order of hotlane. */
  readonly id: ClientId | null;
  /** Client order id as a column takes it; made again from `id`, never saved. */
  readonly idText: Uint8Array;
  readonly strategy: string;
  readonly symbol: string;
  readonly side: number;
  tif: number;
  orderType: number;
  reduceOnly: boolean;
  state: number;
  pxTicks: number;
  qtyLots: number;
  cumLots: number;
  /** What fills, not reports, have shown so far. */
  filledLots: number;
  lastPxTicks: number;
  acked: boolean;
  placeUnknown: boolean;
  /** ACTION_… of the request without an answer, ACTION_NONE. */
  awaiting: number;
  createNs: number;
  /** The venue's time of the market event that led to the last request. */
  eventExchNs: number;
  triggerNs: number;
  decidedNs: number;
  gatedNs: number;
  wireNs: number;
  ackNs: number;
  exchNs: number;
  midTicks: number;
  /** 0, 0 = not known. */
  venueLo: number;
  venueHi: number;
}

/** An order of which nothing is known but whose it is. */
export function orderOf(
  id: ClientId | null,
  strategy: string,
  symbol: string,
  side: number,
  createNs: number,
): OrderState {
  return {
    id,
    idText: idTextOf(id),
    strategy,
    symbol,
    side,
    tif: 0,
    orderType: 0,
    reduceOnly: false,
    state: code.ORDER_NONE,
    pxTicks: 0,
    qtyLots: 0,
    cumLots: 0,
    filledLots: 0,
    lastPxTicks: 0,
    acked: false,
    placeUnknown: false,
    awaiting: code.ACTION_NONE,
    createNs,
    eventExchNs: Number.NaN,
    triggerNs: Number.NaN,
    decidedNs: Number.NaN,
    gatedNs: Number.NaN,
    wireNs: Number.NaN,
    ackNs: Number.NaN,
    exchNs: Number.NaN,
    midTicks: Number.NaN,
    venueLo: 0,
    venueHi: 0,
  };
}

/** Low word of orders.order_id; with the high word unique over the sessions of a data directory. */
export const orderIdLo = (order: OrderState): number => order.id?.clientSeq ?? order.venueLo;
export const orderIdHi = (order: OrderState): number => order.id?.nonceLo ?? order.venueHi;

/** Times kept from another session move to the base of this one. */
export function shiftTimes(order: OrderState, deltaNs: number): void {
  order.createNs += deltaNs;
  order.eventExchNs += deltaNs;
  order.triggerNs += deltaNs;
  order.decidedNs += deltaNs;
  order.gatedNs += deltaNs;
  order.wireNs += deltaNs;
  order.ackNs += deltaNs;
  order.exchNs += deltaNs;
}

const scratch = new Uint8Array(new ArrayBuffer(64));
let encoder = new ClientIdEncoder(1, 0);
const NO_ID = text("");

/** One byte of length, then the text. */
function idTextOf(id: ClientId | null): Uint8Array {
  if (id === null) return NO_ID;
  if (encoder.nonceLo !== id.nonceLo || encoder.nonceHi !== id.nonceHi)
    encoder = new ClientIdEncoder(id.nonceLo, id.nonceHi);
  const end = encoder.encode(scratch, 1, id.strategy, id.clientSeq);
  scratch[0] = end - 1;
  return scratch.slice(0, end);
}

/** What the checkpoint keeps of an order: JSON, which turns NaN into null. */
export type SavedOrder = Omit<OrderState, "idText">;

export const savedOrder = ({ idText: _, ...saved }: OrderState): SavedOrder => saved;

export function revivedOrder(saved: SavedOrder): OrderState {
  const { id, strategy, symbol, side, createNs } = saved;
  const order = orderOf(id, strategy, symbol, side, createNs ?? Number.NaN);
  const known = Object.entries(saved).filter(([, value]) => value !== null);
  return Object.assign(order, Object.fromEntries(known));
}
