// Contract between the order path and a venue. The runner decides, the gate permits, the order table holds;
// a gateway only turns one request into bytes on the wire. What comes back (replies, user stream, queries)
// arrives as OrderReport and Fill records at the execution handler, never as a return value.

export interface OrderRequest {
  /** Counter part of the client order id; unique in the session, never 0. */
  clientSeq: number;
  instrument: number;
  strategy: number;
  /** SIDE_BUY or SIDE_SELL. */
  side: number;
  tif: number;
  orderType: number;
  reduceOnly: boolean;
  pxTicks: number;
  qtyLots: number;
}

export const SEND_OK = 0;
/** No session with the venue: nothing left this process. */
export const SEND_NOT_CONNECTED = 1;
/** The venue's request budget is used up: nothing left this process. */
export const SEND_RATE_LIMITED = 2;
/** The socket's send buffer passed its cap: nothing left this process. */
export const SEND_BACKPRESSURE = 3;
/** The kill word was set between the gate and the socket write: nothing left this process. */
export const SEND_KILLED = 4;

export interface OrderGateway {
  /** True when orders can be sent: session up and user stream running. */
  readonly ready: boolean;
  /** Each returns one SEND_… code; on SEND_OK a report follows (EXEC_UNKNOWN at the latest after a time-out). */
  place(request: OrderRequest): number;
  cancel(request: OrderRequest): number;
  /** New price and quantity in `request`; same clientSeq (Binance keeps order id and client id). */
  modify(request: OrderRequest): number;
  /** Cancels everything on one instrument; the reports arrive per order. */
  cancelAll(instrument: number): number;
  /** What we hold contradicts what the venue said: asks for a reconciliation; nothing is placed until it is done. */
  reconcile(): void;
}
