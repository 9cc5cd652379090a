// The gateway that EXECUTION sends through: the venue's, or for `--env paper` the exchange model in this lane.
import type { RecordHandler, RecordSink } from "../core/record.ts";
import { ClientIdEncoder } from "../order/client-id.ts";
import type { OrderGateway } from "../order/gateway.ts";
import type { KillWord } from "../risk/kill-word.ts";
import { textToE8 } from "../risk/limits.ts";
import type { ExecutionHandler } from "../strategy/execution-handler.ts";
import { BinanceGateway, newGatewayCounters } from "../venue/binance/gateway.ts";
import { PaperGateway } from "../venue/paper/paper-gateway.ts";
import { LOG_WARN } from "../wire/codes.ts";
import { linkOptions } from "./feed-lane.ts";
import type { LaneContext } from "./lane-host.ts";
import { strategyNow } from "./recovered.ts";
import { loadCredentials, makeRest } from "./venue-access.ts";
import { workingRequests } from "./working-requests.ts";

const NS_PER_US = 1e3;

/** What the execution lane needs of a gateway besides sending. */
export interface ExecutionGateway extends OrderGateway {
  /** Requests without an answer. */
  readonly pending: number;
  /** Orders that the venue's limits let out now, by its own counts. */
  readonly ordersLeft: number;
  /** Session ns until which the venue takes nothing; in the past when it does. */
  readonly blockedUntilNs: number;
  /** Times its connection for orders was lost. */
  readonly disconnects: number;
  recoverSince(instrument: number, tradeId: string): void;
  recoverSinceTime(instrument: number, unixMs: number): void;
  recoverFunding(sinceUnixMs: number, transactionIds: readonly string[]): void;
  start(): void;
  stop(): void;
  /** Timers, answers; returns the work done. */
  poll(nowNs: number): number;
}

export interface GatewayParts {
  readonly context: LaneContext;
  readonly handler: ExecutionHandler;
  /** The journaling pipe to the handler. */
  readonly sink: RecordSink;
  readonly killWord: KillWord;
}

/** The gateway, and who takes FACTOR's records: the handler, or first the exchange that its orders meet. */
export async function makeGateway(
  parts: GatewayParts,
): Promise<{ readonly gateway: ExecutionGateway; readonly entry: RecordHandler }> {
  if (parts.context.start.settings.env !== "paper")
    return { gateway: await venueGateway(parts), entry: parts.handler };
  const gateway = paperGateway(parts);
  return { gateway, entry: gateway };
}

function paperGateway({ context, handler, sink, killWord }: GatewayParts): PaperGateway {
  const { start, clock, baseMs } = context;
  const { sim } = start.settings;
  return new PaperGateway({
    instruments: start.instruments,
    assets: start.assets,
    nonceLo: start.session.nonceLo,
    nonceHi: start.session.nonceHi,
    baseMs,
    balanceE8: BigInt(textToE8(sim.balance)),
    entryNs: sim.orderLatencyUs * NS_PER_US,
    responseNs: sim.responseLatencyUs * NS_PER_US,
    sink,
    next: handler,
    ledger: handler.parts.ledger,
    earlierOrders: start.restored.orders,
    nowNs: () => clock.nowNs(),
    killWord: () => killWord.load(),
  });
}

async function venueGateway({ context, handler, sink, killWord }: GatewayParts): Promise<BinanceGateway> {
  const { start, clock } = context;
  const { venue } = start.settings;
  const nowNs = () => clock.nowNs();
  const credentials = await loadCredentials(venue.credentialsFile);
  const rest = makeRest(venue, credentials, context.edges.makeRest);
  if (start.requestLimits !== undefined) rest.budget.setLimits(start.requestLimits);
  return new BinanceGateway({
    instruments: start.instruments,
    assets: start.assets,
    credentials,
    ids: new ClientIdEncoder(start.session.nonceLo, start.session.nonceHi),
    rest,
    sink,
    baseMs: context.baseMs,
    nowNs,
    connect: (h) => context.edges.connect(h, nowNs),
    link: linkOptions(start.settings, venue.userHeartbeatMs),
    wsApiUrl: venue.wsApiUrl,
    privateUrl: venue.privateUrl,
    recvWindowMs: venue.recvWindowMs,
    orderTimeoutNs: venue.orderTimeoutMs * 1e6,
    killWord: () => killWord.load(),
    reconcileEveryNs: venue.reconcileMs > 0 ? venue.reconcileMs * 1e6 : Number.POSITIVE_INFINITY,
    foreignOrders: venue.foreignOrders,
    seed: start.session.nonceLo,
    counters: newGatewayCounters(),
    workingOrders: () => workingRequests(handler.parts.table),
    isKnownFill: (instrument, lo, hi) => handler.parts.cycle.tradeIds.knows(instrument, lo, hi),
    earlier: {
      orders: start.restored.orders,
      kept: new Map(start.restored.kept.map(({ orderId, strategy }) => [orderId, strategy])),
      strategyOf: (lo, hi, strategy) => strategyNow(start.restored.sessions, lo, hi, strategy),
      isOurs: (lo, hi) => start.restored.sessions.some((s) => s.nonceLo === lo && s.nonceHi === hi),
    },
    onReconcileFailure: (message) => context.log.log(LOG_WARN, 0, `reconciliation failed: ${message}`),
  });
}
