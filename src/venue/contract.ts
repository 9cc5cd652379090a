// What a venue is to the rest of the system. A transport moves bytes; a market-data stream turns them into
// records; a venue account answers questions over REST. Orders go through OrderGateway (src/order/gateway.ts).
// Everything that needs time gets it from poll(nowNs): no component here owns a timer.
import type { Instrument } from "../market/instrument.ts";

/** Receiver of one transport's events. Calls come in order and never re-enter the transport's `connect`. */
export interface TransportHandler {
  onOpen(): void;
  /**
   * One whole text message: `bytes[0 … end)`. The memory belongs to the transport and is valid only during
   * the call; bytes after `end` are stale. `recvTsNs` is stamped once per message.
   */
  onText(bytes: Uint8Array, end: number, recvTsNs: number): void;
  /** The peer answered a ping: proof of life without a message. */
  onPong(recvTsNs: number): void;
  /** Once per connection, after a failed connect as well. */
  onClose(code: number, reason: string): void;
}

/** Counters every transport keeps; plain numbers, read by whoever reports them. */
export interface TransportCounters {
  messages: number;
  bytes: number;
  /** Times the receive buffer had to grow (0 in a well-sized system). */
  bufferGrowths: number;
  /** Frames that are not text: ignored. */
  binaryFrames: number;
}

/** One WebSocket. `bun` is event-driven; a polled native one does its work in `poll`. */
export interface Transport {
  readonly counters: TransportCounters;
  /** Bytes accepted by sendText and not yet taken by the kernel. */
  readonly bufferedAmount: number;
  readonly isOpen: boolean;
  /** Starts a connection; any earlier one is terminated first, without an onClose for it. */
  connect(url: string): void;
  /** Sends `bytes[0 … end)` as one text frame. False: not open, nothing was written. */
  sendText(bytes: Uint8Array, end: number): boolean;
  ping(): void;
  /** Ends the connection at once; a stalled peer gets no chance to delay it. onClose follows. */
  terminate(): void;
  /** Moves received messages to the handler; 0 for an event-driven transport. */
  poll(): number;
}

/** Makes a transport that reports to `handler`. */
export type TransportFactory = (handler: TransportHandler) => Transport;

/** State of one instrument's feed as a cold reader sees it. */
export interface FeedView {
  readonly instrument: number;
  /** FEED_… code. */
  readonly state: number;
  /** FEED_REASON_… code. */
  readonly reason: number;
  readonly gaps: number;
  readonly resyncs: number;
}

export interface MarketDataStatus {
  readonly connected: boolean;
  readonly feeds: readonly FeedView[];
}

/** Market data of one venue → records in a sink. Everything but start/stop happens in callbacks and poll. */
export interface MarketDataStream {
  start(): void;
  /** Terminates the connections; books become STALE. */
  stop(): void;
  /** Timers, heartbeat, reconnect, resync. Call at least every few milliseconds. Returns work done. */
  poll(nowNs: number): number;
  status(): MarketDataStatus;
}

/**
 * Answer of a request whose failure is expected now and then. `unknown`: nobody knows whether the venue
 * acted on it (time-out, 5xx, -1006, -1007, lost connection).
 */
export type VenueResult<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly unknown: boolean;
      /** HTTP status; 0 = no answer. */
      readonly status: number;
      /** Venue error code; 0 = none given. */
      readonly code: number;
      readonly message: string;
    };

export interface VenueOrder {
  readonly symbol: string;
  /** Decimal digits: passes 2^53. */
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly side: string;
  readonly status: string;
  readonly price: string;
  readonly quantity: string;
  readonly executedQuantity: string;
  readonly updateTimeMs: number;
}

export interface VenueFill {
  readonly symbol: string;
  readonly tradeId: string;
  readonly orderId: string;
  readonly side: string;
  readonly price: string;
  readonly quantity: string;
  readonly fee: string;
  readonly feeAsset: string;
  readonly maker: boolean;
  readonly timeMs: number;
}

export interface VenuePosition {
  readonly symbol: string;
  /** Signed decimal text. */
  readonly quantity: string;
  readonly entryPrice: string;
  /** Of its last change, ms. */
  readonly updateTimeMs: number;
}

export interface VenueFunding {
  readonly symbol: string;
  /** Signed decimal text; + received. */
  readonly amount: string;
  readonly asset: string;
  readonly timeMs: number;
  /** Decimal digits. */
  readonly transactionId: string;
}

export interface VenueBalance {
  readonly asset: string;
  readonly wallet: string;
  readonly available: string;
}

/** Questions about, and emergency actions on, one account. Cold: promises and strings. */
export interface VenueAccount {
  /** Venue clock minus local clock, ms; measured with one round trip. */
  measureClockOffset(): Promise<VenueResult<number>>;
  instruments(symbols: readonly string[], firstId: number): Promise<VenueResult<Instrument[]>>;
  openOrders(symbol?: string): Promise<VenueResult<VenueOrder[]>>;
  order(symbol: string, clientOrderId: string): Promise<VenueResult<VenueOrder>>;
  orderById(symbol: string, orderId: string): Promise<VenueResult<VenueOrder>>;
  /** Trades with id ≥ `fromId` (decimal digits), oldest first; without it, the latest. */
  fills(symbol: string, fromId?: string): Promise<VenueResult<VenueFill[]>>;
  positions(): Promise<VenueResult<VenuePosition[]>>;
  balances(): Promise<VenueResult<VenueBalance[]>>;
  /** Leverage of the account by symbol. */
  leverages(): Promise<VenueResult<ReadonlyMap<string, number>>>;
  /** Funding payments from `sinceMs` on, oldest first; a page of at most 1000. */
  funding(sinceMs: number): Promise<VenueResult<VenueFunding[]>>;
  cancelById(symbol: string, orderId: string): Promise<VenueResult<VenueOrder>>;
  /** Cancels every working order on a symbol, conditional ones included. */
  cancelAll(symbol: string): Promise<VenueResult<null>>;
  /** Dead-man's switch: the venue cancels all after `countdownMs` without another call; 0 disarms. */
  countdownCancelAll(symbol: string, countdownMs: number): Promise<VenueResult<null>>;
}
