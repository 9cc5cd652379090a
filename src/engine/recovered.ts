// What the WAL says of earlier sessions, in the numbers of this one: positions go to the strategy of the same
// name, or to house when there is none any more; fills that no Position record contains yet are to be booked
// again; trade ids already applied are remembered. Plain data for EXECUTION. Cold.
import type { RecoveredFill, RecoveredOrder, RecoveredRisk } from "../journal/recovered-state.ts";
import type { Recovery } from "../journal/recovery.ts";
import type { SessionManifest } from "../journal/session-manifest.ts";
import type { Instrument } from "../market/instrument.ts";
import { formatClientId, parseClientId } from "../order/client-id.ts";
import { HOUSE, type RestoredPosition } from "../order/ledger.ts";
import { type CarriedState, restoreCarried } from "../strategy/carry.ts";
import type { ExecutionHandler } from "../strategy/execution-handler.ts";
import type { EarlierOrder } from "../venue/binance/gateway-options.ts";
import type { VenueOrder } from "../venue/contract.ts";
import {
  RISK_STATE_BREAKER,
  RISK_STATE_DAY,
  RISK_STATE_FUNDING,
  RISK_STATE_OTHER_FEES,
  RISK_STATE_STRATEGY_DAY,
} from "../wire/codes.ts";

const NS_PER_MS = 1_000_000n;
/** Payments that came late, or in another order than their times. */
const FUNDING_OVERLAP_MS = 60_000;

export interface RestoredPair extends RestoredPosition {
  readonly strategy: number;
  readonly instrument: number;
  readonly fills: readonly RestoredFill[];
}

export interface RestoredFill {
  readonly side: number;
  readonly maker: boolean;
  readonly pxTicks: number;
  readonly qtyLots: number;
  readonly feeE8: number;
  readonly feeAsset: number;
}

export interface RestoredTrades {
  readonly instrument: number;
  /** Start of the first session that traded the instrument, ms; NaN = none. */
  readonly sinceMs: number;
  /** Decimal digits; "" = no fill is known. */
  readonly lastTradeId: string;
  /** Newest last. */
  readonly recentLo: readonly number[];
  readonly recentHi: readonly number[];
}

/** Funding payments that the results contain, and from when on others may be missing. */
export interface RestoredFunding {
  /** Unix ms; NaN = this account has no past. */
  readonly sinceMs: number;
  /** Decimal digits. */
  readonly transactionIds: readonly string[];
}

/** An order that the session before has left at the venue for this one. */
export interface KeptOrder {
  /** Venue order id, decimal digits. */
  readonly orderId: string;
  /** This session's number. */
  readonly strategy: number;
}

/** Numbers of strategies in an earlier session, by its nonce. */
export interface EarlierNumbers {
  readonly nonceLo: number;
  readonly nonceHi: number;
  /** Index: number then; value: number now, 0 = house. */
  readonly strategies: readonly number[];
}

export interface Restored {
  readonly pairs: readonly RestoredPair[];
  readonly trades: readonly RestoredTrades[];
  /** Those that the WAL holds as open. */
  readonly orders: readonly EarlierOrder[];
  /** Those that are kept at the venue for this session. */
  readonly kept: readonly KeptOrder[];
  readonly sessions: readonly EarlierNumbers[];
  readonly risk: readonly CarriedState[];
  /** Requests of the last minute, ns of this session. */
  readonly requests: readonly { readonly tsNs: number; readonly isCancel: boolean }[];
  readonly funding: RestoredFunding;
  readonly otherFees: readonly {
    readonly strategy: number;
    readonly asset: number;
    readonly feeE8: number;
  }[];
}

/** Nothing to take over. */
export const NOTHING_RESTORED: Restored = {
  ...{ pairs: [], trades: [], orders: [], kept: [], sessions: [] },
  ...{ risk: [], requests: [], otherFees: [], funding: { sinceMs: Number.NaN, transactionIds: [] } },
};

/** What the session that begins is, as far as the past is concerned. */
export interface RestoringSession {
  /** Asset id → name. */
  readonly assets: readonly string[];
  readonly baseNs: bigint;
  /** What is kept at the venue; the strategy is in its client id. */
  readonly kept: readonly VenueOrder[];
  /** The last time that somebody rearmed, unix ms; 0 = never. Losses before it are accepted. */
  readonly rearmedUnixMs: number;
}

export function restoredState(
  recovery: Recovery,
  instruments: readonly Instrument[],
  strategies: readonly { readonly id: number; readonly name: string }[],
  sessions: readonly SessionManifest[],
  present: RestoringSession,
): Restored {
  const instrumentId = (symbol: string) => instruments.find((i) => i.symbol === symbol)?.id ?? 0;
  const strategyId = (name: string) => strategies.find((s) => s.name === name)?.id ?? HOUSE;
  const pairs = recovery.positions
    .filter((p) => instrumentId(p.symbol) !== 0)
    .map((p) => ({
      strategy: strategyId(p.strategy),
      instrument: instrumentId(p.symbol),
      qtyLots: p.qtyLots,
      costTickLots: p.costTickLots,
      realizedHi: p.realizedHi,
      realizedLo: p.realizedLo,
      feesHi: p.feesHi,
      feesLo: p.feesLo,
      fills: p.fillsSince.map((fill) => restoredFill(fill, present.assets)),
    }));
  const numbers = sessions.map((s) => ({
    nonceLo: s.nonceLo,
    nonceHi: s.nonceHi,
    strategies: s.strategies.map(strategyId),
  }));
  return {
    pairs,
    trades: instruments.map((i) => restoredTrades(i, recovery, sessions)),
    orders: recovery.openOrders
      .filter((o) => instrumentId(o.symbol) !== 0)
      .map((o) => earlierOrder(o, sessions, strategyId)),
    kept: present.kept.map(({ orderId, clientOrderId }) => {
      const id = parseClientId(clientOrderId)!;
      return { orderId, strategy: strategyNow(numbers, id.nonceLo, id.nonceHi, id.strategy) };
    }),
    sessions: numbers,
    funding: restoredFunding(recovery, sessions),
    risk: carriedStates(recovery.risk, strategyId, instrumentId, present),
    requests: recovery.requests.map(({ unixNs, isCancel }) => ({
      tsNs: Number(unixNs - present.baseNs),
      isCancel,
    })),
    otherFees: recovery.fees
      .filter((f) => instruments.some((i) => i.symbol === f.symbol && i.settle !== f.asset))
      .map((f) => ({
        strategy: strategyId(f.strategy),
        asset: Math.max(0, present.assets.indexOf(f.asset)),
        feeE8: f.feeE8,
      })),
  };
}

function restoredFill(fill: RecoveredFill, assets: readonly string[]): RestoredFill {
  const { side, maker, pxTicks, qtyLots, feeE8, feeAssetName } = fill;
  const feeAsset = feeAssetName === "" ? fill.feeAsset : Math.max(0, assets.indexOf(feeAssetName));
  return { side, maker, pxTicks, qtyLots, feeE8, feeAsset };
}

function carriedStates(
  found: readonly RecoveredRisk[],
  strategyId: (name: string) => number,
  instrumentId: (symbol: string) => number,
  present: RestoringSession,
): CarriedState[] {
  const rearmedNs = BigInt(Math.round(present.rearmedUnixMs)) * 1_000_000n;
  return found
    .filter((risk) => {
      const { code, strategy, symbol, unixNs } = risk;
      const isDay = code === RISK_STATE_DAY || code === RISK_STATE_STRATEGY_DAY;
      if (isDay && unixNs <= rearmedNs) return false;
      if (code === RISK_STATE_STRATEGY_DAY && strategyId(strategy) === HOUSE) return false;
      return code !== RISK_STATE_FUNDING || instrumentId(symbol) !== 0;
    })
    .map((risk) => {
      const { code, value0, value2 } = risk;
      // The breaker's end is a time of its own session.
      const shiftNs = code === RISK_STATE_BREAKER ? Number(risk.baseNs - present.baseNs) : 0;
      return {
        ...{ code, value0, value1: risk.value1 + shiftNs, value2 },
        strategy: strategyId(risk.strategy),
        instrument: instrumentId(risk.symbol),
        index: code === RISK_STATE_OTHER_FEES ? Math.max(0, present.assets.indexOf(risk.asset)) : 0,
        tsNs: Number(risk.unixNs - present.baseNs),
      };
    });
}

/**
 * From when on the WAL tells everything, ms: older segments may have been given up, and what they told is contained in
 * what the sessions after them have journalled at their start.
 */
function toldSinceMs(recovery: Recovery, starts: readonly number[]): number {
  if (starts.length === 0) return Number.NaN;
  const [oldest] = recovery.sessions;
  const isWhole = oldest === undefined || oldest.firstPosition === 0;
  return Math.max(Math.min(...starts), isWhole ? 0 : Number(oldest.createdUnixNs / NS_PER_MS));
}

function restoredFunding(recovery: Recovery, sessions: readonly SessionManifest[]): RestoredFunding {
  const { lastUnixNs, recentIds } = recovery.funding;
  const starts = sessions.map((s) => Number(BigInt(s.createdUnixNs) / NS_PER_MS));
  const first = toldSinceMs(recovery, starts);
  const last = Number(lastUnixNs / NS_PER_MS) - FUNDING_OVERLAP_MS;
  return {
    sinceMs: lastUnixNs === 0n ? first : Math.max(first, last),
    transactionIds: [...recentIds].map(String),
  };
}

function restoredTrades(
  { id, symbol }: Instrument,
  recovery: Recovery,
  sessions: readonly SessionManifest[],
): RestoredTrades {
  const known = recovery.instruments.find((i) => i.symbol === symbol);
  const ids = [...(known?.recentTradeIds ?? [])];
  const starts = sessions
    .filter((s) => s.instruments.some((i) => i.symbol === symbol))
    .map((s) => Number(BigInt(s.createdUnixNs) / NS_PER_MS));
  return {
    instrument: id,
    sinceMs: toldSinceMs(recovery, starts),
    lastTradeId: known === undefined || known.maxTradeId < 0n ? "" : String(known.maxTradeId),
    recentLo: ids.map((trade) => Number(trade & 0xffff_ffffn)),
    recentHi: ids.map((trade) => Number(trade >> 32n)),
  };
}

function earlierOrder(
  order: RecoveredOrder,
  sessions: readonly SessionManifest[],
  strategyId: (name: string) => number,
): EarlierOrder {
  const nonceLo = Number(order.nonce & 0xffff_ffffn);
  const nonceHi = Number(order.nonce >> 32n);
  const { symbol, clientSeq } = order;
  const session = sessions.find((s) => s.nonceLo === nonceLo && s.nonceHi === nonceHi);
  const then = Math.max(0, session?.strategies.indexOf(order.strategy) ?? 0);
  return {
    ...{ symbol, nonceLo, nonceHi, clientSeq, strategy: strategyId(order.strategy) },
    clientId: formatClientId({ nonceLo, nonceHi, strategy: then, clientSeq }),
    orderId: order.venueOrderId === 0n ? "" : String(order.venueOrderId),
  };
}

/** This session's number of a strategy that an order id names. */
export function strategyNow(
  sessions: readonly EarlierNumbers[],
  nonceLo: number,
  nonceHi: number,
  strategy: number,
): number {
  const session = sessions.find((s) => s.nonceLo === nonceLo && s.nonceHi === nonceHi);
  return session === undefined ? strategy : (session.strategies[strategy] ?? HOUSE);
}

/** Brings ledger and trade ids of a new session to where the WAL ended, and tells the gateway where to go on. */
export function restoreLedger(
  handler: ExecutionHandler,
  restored: Restored,
  gateway: {
    recoverSince(instrumentId: number, tradeId: string): void;
    recoverSinceTime(instrumentId: number, unixMs: number): void;
    recoverFunding(sinceUnixMs: number, transactionIds: readonly string[]): void;
  },
): void {
  const { ledger, cycle, budget } = handler.parts;
  for (const pair of restored.pairs) {
    ledger.restore(pair.strategy, pair.instrument, pair);
    for (const fill of pair.fills) {
      ledger.book(pair.strategy, pair.instrument, fill.side, fill.pxTicks, fill.qtyLots, fill.maker);
      if (ledger.settlesIn(pair.instrument, fill.feeAsset))
        ledger.bookFee(pair.strategy, pair.instrument, fill.feeAsset, fill.feeE8);
    }
  }
  restoreCarried(handler.parts, restored.risk);
  for (const { strategy, asset, feeE8 } of restored.otherFees)
    ledger.otherFees.add(ledger.otherFeeSlot(strategy, asset), feeE8);
  // Times before this session's first day count as its first moment: for longer, never for less.
  for (const { tsNs, isCancel } of restored.requests)
    if (isCancel) budget.cancelSent(Math.max(0, tsNs));
    else budget.orderSent(Math.max(0, tsNs));
  ledger.forgetTraffic();
  if (restored.funding.sinceMs > 0)
    gateway.recoverFunding(restored.funding.sinceMs, restored.funding.transactionIds);
  for (const trades of restored.trades) {
    trades.recentLo.forEach((lo, k) => {
      cycle.tradeIds.take(trades.instrument, lo, trades.recentHi[k]!);
    });
    if (trades.lastTradeId !== "") gateway.recoverSince(trades.instrument, trades.lastTradeId);
    else if (trades.sinceMs > 0) gateway.recoverSinceTime(trades.instrument, trades.sinceMs);
  }
}
