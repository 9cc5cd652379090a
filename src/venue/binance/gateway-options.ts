// What a Binance gateway is made of, and what it counts. Plain data, filled by the engine.
import type { RecordSink } from "../../core/record.ts";
import type { Instrument } from "../../market/instrument.ts";
import type { ClientIdEncoder } from "../../order/client-id.ts";
import type { OrderRequest } from "../../order/gateway.ts";
import type { KnownFill } from "../../order/report-writer.ts";
import type { TransportFactory } from "../contract.ts";
import type { LinkOptions } from "../transport/link.ts";
import type { Credentials } from "./credentials.ts";
import type { BinanceRest } from "./rest.ts";
import type { UserStreamCounters } from "./user-stream.ts";

export interface GatewayCounters {
  places: number;
  cancels: number;
  modifies: number;
  /** Requests that went over REST because the WebSocket API was down. */
  restRequests: number;
  replies: number;
  rejects: number;
  unknowns: number;
  timeouts: number;
  probes: number;
  proofs: number;
  lateReplies: number;
  malformedReplies: number;
  killed: number;
  rateLimited: number;
  backpressure: number;
  notConnected: number;
  reconciliations: number;
  reconcileFailures: number;
  /** User streams given up because an accepted request gave no event. */
  deafStreams: number;
  cancelAllFailures: number;
}

export const newGatewayCounters = (): GatewayCounters => ({
  places: 0,
  cancels: 0,
  modifies: 0,
  restRequests: 0,
  replies: 0,
  rejects: 0,
  unknowns: 0,
  timeouts: 0,
  probes: 0,
  proofs: 0,
  lateReplies: 0,
  malformedReplies: 0,
  killed: 0,
  rateLimited: 0,
  backpressure: 0,
  notConnected: 0,
  reconciliations: 0,
  reconcileFailures: 0,
  deafStreams: 0,
  cancelAllFailures: 0,
});

/** What becomes of open orders on our instruments that no session of ours placed. */
export type ForeignOrders = "refuse" | "cancel" | "adopt";

/** An order whose end the journal does not hold: its session is over. */
export interface EarlierOrder {
  readonly symbol: string;
  readonly clientId: string;
  /** Venue order id, decimal digits; "" = the journal does not know it. */
  readonly orderId: string;
  /** Under which number the journal holds it. */
  readonly nonceLo: number;
  readonly nonceHi: number;
  readonly clientSeq: number;
  /** This session's number; 0 = house. */
  readonly strategy: number;
}

/** Sessions that are over: their orders may have been filled, and ended, with nobody watching. */
export interface EarlierSessions {
  /** Each is asked for once. */
  readonly orders: readonly EarlierOrder[];
  /** What the session before has kept at the venue: strategy by venue order id. */
  readonly kept: ReadonlyMap<string, number>;
  /** This session's number of a strategy that an order id names; 0 = house. */
  readonly strategyOf: (nonceLo: number, nonceHi: number, strategy: number) => number;
  /** Whether a nonce is that of a session whose journal we hold. */
  readonly isOurs: (nonceLo: number, nonceHi: number) => boolean;
}

export interface GatewayOptions {
  readonly instruments: readonly Instrument[];
  /** Asset id → name; element 0 stands for an unknown asset. */
  readonly assets: readonly string[];
  readonly credentials: Credentials;
  readonly ids: ClientIdEncoder;
  readonly rest: BinanceRest;
  readonly sink: RecordSink;
  /** Session base, ms since the epoch. */
  readonly baseMs: number;
  readonly nowNs: () => number;
  readonly connect: TransportFactory;
  readonly link: LinkOptions;
  /** Whole URL of the WebSocket API, `ws://host/ws-fapi/v1`. */
  readonly wsApiUrl: string;
  /** `ws://host/private`. */
  readonly privateUrl: string;
  readonly recvWindowMs: number;
  readonly orderTimeoutNs: number;
  /** The kill word (KILL_…), read immediately before each write of a place or modify. */
  readonly killWord: () => number;
  /** A reconciliation while all seems well, after this; Infinity = none. */
  readonly reconcileEveryNs: number;
  readonly foreignOrders: ForeignOrders;
  readonly seed: number;
  readonly counters: GatewayCounters;
  readonly userCounters?: UserStreamCounters;
  /** What the order table holds as not over; proved at each reconciliation. */
  readonly workingOrders: () => readonly OrderRequest[];
  /** Trades already applied are not journalled again. */
  readonly isKnownFill?: KnownFill;
  /** What earlier sessions of this data directory left behind. */
  readonly earlier?: EarlierSessions;
  /** Told why a reconciliation or a log-on failed (cold, for the log). */
  readonly onReconcileFailure?: (message: string) => void;
}
