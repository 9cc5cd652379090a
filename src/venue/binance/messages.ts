// The venue's payloads as TypeScript types, and the JSON.parse twins of the byte scanners: slow, obvious, the
// oracle of their tests and the peer of their bench. Ids pass 2^53, so they are kept as decimal text.
// Source: Binance USD-M futures API documentation (market streams, user data streams, WebSocket API).
import { toSteps } from "../../core/decimal.ts";
import type { Instrument } from "../../market/instrument.ts";

export type LevelText = readonly [price: string, quantity: string];

export interface DepthUpdate {
  readonly e: "depthUpdate";
  readonly E: number;
  readonly T: number;
  readonly s: string;
  readonly U: string;
  readonly u: string;
  readonly pu: string;
  readonly b: readonly LevelText[];
  readonly a: readonly LevelText[];
}

export interface TradeMessage {
  readonly e: "trade" | "aggTrade";
  readonly E: number;
  readonly T: number;
  readonly s: string;
  readonly t?: string;
  readonly a?: string;
  readonly p: string;
  readonly q: string;
  /** MARKET, INSURANCE_FUND, ADL, NA. */
  readonly X?: string;
  /** True: the buyer was the maker, so the aggressor sold. */
  readonly m: boolean;
}

export interface BookTicker {
  readonly e: "bookTicker";
  readonly E: number;
  readonly T: number;
  readonly s: string;
  readonly u: string;
  readonly b: string;
  readonly B: string;
  readonly a: string;
  readonly A: string;
}

export interface MarkPriceUpdate {
  readonly e: "markPriceUpdate";
  readonly E: number;
  readonly s: string;
  readonly p: string;
  readonly i: string;
  readonly P: string;
  /** Funding rate; empty where there is no funding. */
  readonly r: string;
  /** Next funding time, ms. */
  readonly T: number;
}

export interface DepthSnapshot {
  readonly lastUpdateId: string;
  readonly E: number;
  readonly T: number;
  readonly bids: readonly LevelText[];
  readonly asks: readonly LevelText[];
}

/** `o` of ORDER_TRADE_UPDATE. */
export interface OrderUpdate {
  readonly s: string;
  readonly c: string;
  readonly S: "BUY" | "SELL";
  readonly o: string;
  readonly f: string;
  readonly q: string;
  readonly p: string;
  readonly ap: string;
  readonly sp: string;
  readonly x: string;
  readonly X: string;
  readonly i: string;
  readonly l: string;
  readonly z: string;
  readonly L: string;
  readonly N?: string;
  readonly n?: string;
  readonly T: number;
  readonly t: string;
  readonly m: boolean;
  readonly R: boolean;
  readonly rp: string;
}

export interface OrderTradeUpdate {
  readonly e: "ORDER_TRADE_UPDATE";
  readonly E: number;
  readonly T: number;
  readonly o: OrderUpdate;
}

export interface AccountUpdate {
  readonly e: "ACCOUNT_UPDATE";
  readonly E: number;
  readonly T: number;
  readonly a: {
    readonly m: string;
    readonly B: readonly {
      readonly a: string;
      readonly wb: string;
      readonly cw: string;
      readonly bc: string;
    }[];
    readonly P: readonly {
      readonly s: string;
      readonly pa: string;
      readonly ep: string;
      readonly up: string;
    }[];
  };
}

/** Keys whose numbers are ids: kept as text whatever their size, so that twins compare one kind. */
const ID_KEYS = new Set(["U", "u", "pu", "lastUpdateId", "t", "i", "orderId", "tradeId"]);

interface ReviverContext {
  readonly source?: string;
}

/** JSON.parse that keeps ids, and every integer past 2^53, as the digits that were sent. */
export function parseExact(text: string, idKeys: ReadonlySet<string> = ID_KEYS): unknown {
  const revive = (key: string, value: unknown, context?: ReviverContext): unknown => {
    if (typeof value !== "number") return value;
    return idKeys.has(key) || !Number.isSafeInteger(value) ? (context?.source ?? String(value)) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** A decoded market message in plain values: what a twin says. */
export interface MarketTwin {
  readonly event: string;
  readonly index: number;
  readonly eventMs: number;
  readonly transactionMs: number;
  readonly ids: readonly string[];
  /** Depth: px, qty of bids then asks; otherwise the message's values in the order of its type. */
  readonly values: readonly number[];
  readonly bidCount: number;
}

/** Twin of MarketDecoder.decode. Null: not a message of one of these instruments, or a value off its step. */
export function marketTwin(text: string, instruments: readonly Instrument[]): MarketTwin | null {
  try {
    const parsed = parseExact(text) as { data?: unknown };
    const data = (parsed.data ?? parsed) as { e: string; s: string; a?: unknown };
    const index = instruments.findIndex((i) => i.symbol === data.s);
    if (index < 0) return null;
    return twinOf(data, instruments[index]!, index);
  } catch {
    return null;
  }
}

function twinOf(data: { e: string }, instrument: Instrument, index: number): MarketTwin | null {
  const px = (text: string): number => toSteps(text, instrument.tickSize);
  const qty = (text: string): number => toSteps(text, instrument.lotSize);
  const e8 = (text: string): number => toSteps(text === "" ? "0" : text, "0.00000001");
  const base = { event: data.e, index, bidCount: 0 };
  switch (data.e) {
    case "depthUpdate": {
      const m = data as DepthUpdate;
      const values = [...m.b, ...m.a].flatMap(([p, q]) => [px(p), qty(q)]);
      const ids = [m.U, m.u, m.pu];
      return { ...base, eventMs: m.E, transactionMs: m.T, ids, values, bidCount: m.b.length };
    }
    case "trade":
    case "aggTrade": {
      const m = data as TradeMessage;
      const values = [px(m.p), qty(m.q), m.m ? 1 : 0, m.X === undefined || m.X === "MARKET" ? 1 : 0];
      return {
        ...base,
        eventMs: m.E,
        transactionMs: m.T,
        ids: [String(m.e === "trade" ? m.t : m.a)],
        values,
      };
    }
    case "bookTicker": {
      const m = data as BookTicker;
      const values = [px(m.b), qty(m.B), px(m.a), qty(m.A)];
      return { ...base, eventMs: m.E, transactionMs: m.T, ids: [m.u], values };
    }
    case "markPriceUpdate": {
      const m = data as MarkPriceUpdate;
      const values = [e8(m.p), e8(m.i), e8(m.r), m.T];
      return { ...base, eventMs: m.E, transactionMs: m.E, ids: [], values };
    }
    default:
      return null;
  }
}
