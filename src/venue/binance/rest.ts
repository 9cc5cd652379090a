// REST client of Binance USD-M. Cold: promises, strings, JSON with ids as digits. Every answer is a
// VenueResult; a time-out, a 5xx, -1006 and -1007 are unknown outcomes, never failures (VENUES.md).
import type { Instrument } from "../../market/instrument.ts";
import type {
  VenueAccount,
  VenueBalance,
  VenueFill,
  VenueFunding,
  VenueOrder,
  VenuePosition,
  VenueResult,
} from "../contract.ts";
import type { Credentials } from "./credentials.ts";
import { type ExchangeInfo, type FeeRates, instrumentsOf } from "./exchange-info.ts";
import { parseExact } from "./messages.ts";
import { RequestBudget } from "./request-budget.ts";
import { Signer } from "./signer.ts";

/** Numbers under these keys are kept as digits. */
const ID_KEYS = new Set(["orderId", "id", "lastUpdateId", "tranId"]);
const ORDER_PATH = "/fapi/v1/order";
const RETRY_AFTER_DEFAULT_S = 60;
/** The timestamp lies outside of recvWindow: refused, nothing was done. */
const TIMESTAMP_OUTSIDE = -1021;

export interface RestOptions {
  readonly baseUrl: string;
  /** Null: public end points only. */
  readonly credentials: Credentials | null;
  readonly recvWindowMs: number;
  readonly timeoutMs: number;
  /** Milliseconds since the epoch, local clock. */
  readonly nowMs: () => number;
  readonly budget?: RequestBudget;
  /** Instead of the network (warm-up). */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Per symbol when the venue does not tell; 1e-8. */
  readonly defaultFees: FeeRates;
}

export type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;
type Method = "GET" | "POST" | "PUT" | "DELETE";
type Security = "none" | "key" | "signed";

const failure = (status: number, code: number, message: string, unknown: boolean): VenueResult<never> => ({
  ok: false,
  status,
  code,
  message,
  unknown,
});

/** True when nobody knows whether the venue acted. */
export function isUnknownOutcome(status: number, code: number): boolean {
  return (
    status === 0 || status >= 500 || code === -1000 || code === -1001 || code === -1006 || code === -1007
  );
}

export class BinanceRest implements VenueAccount {
  readonly budget: RequestBudget;
  /** Venue clock − local clock, ms. */
  clockOffsetMs: number;
  private readonly options: RestOptions;
  private readonly signer: Signer | null;

  constructor(options: RestOptions) {
    this.options = options;
    this.budget = options.budget ?? new RequestBudget();
    this.clockOffsetMs = 0;
    this.signer = options.credentials === null ? null : new Signer(options.credentials);
  }

  venueMs(): number {
    return Math.round(this.options.nowMs() + this.clockOffsetMs);
  }

  async measureClockOffset(): Promise<VenueResult<number>> {
    const sentMs = this.options.nowMs();
    const result = await this.request<{ serverTime: number }>("GET", "/fapi/v1/time", {}, "none", 1);
    if (!result.ok) return result;
    const halfway = (sentMs + this.options.nowMs()) / 2;
    this.clockOffsetMs = result.value.serverTime - halfway;
    return { ok: true, value: this.clockOffsetMs };
  }

  async instruments(symbols: readonly string[], firstId: number): Promise<VenueResult<Instrument[]>> {
    // Outside the budget: its answer says what the limits are.
    const info = await this.request<ExchangeInfo>("GET", "/fapi/v1/exchangeInfo", {}, "none", 0);
    if (!info.ok) return info;
    this.adoptLimits(info.value);
    // Before anything is asked about them: symbols that are not listed are named by us, not by the venue.
    const listed = instrumentsOf(info.value, symbols, firstId, () => this.options.defaultFees);
    if (!listed.ok) return listed;
    const fees = new Map<string, FeeRates>();
    for (const symbol of this.signer === null ? [] : symbols) {
      const rate = await this.commissionRate(symbol);
      if (rate.ok) fees.set(symbol, rate.value);
      else if (rate.code !== 0 && rate.status !== 404) return rate;
    }
    return instrumentsOf(info.value, symbols, firstId, (s) => fees.get(s) ?? this.options.defaultFees);
  }

  /** Bytes of the depth snapshot, for the scanner. */
  depthSnapshot(symbol: string): Promise<VenueResult<Uint8Array>> {
    return this.send("GET", "/fapi/v1/depth", { symbol, limit: 1000 }, "none", 20, (r) => r.bytes());
  }

  openOrders(symbol?: string): Promise<VenueResult<VenueOrder[]>> {
    const weight = symbol === undefined ? 40 : 1;
    return this.mapped("GET", "/fapi/v1/openOrders", { symbol }, weight, (rows: RawOrder[]) =>
      rows.map(orderOf),
    );
  }

  order(symbol: string, clientOrderId: string): Promise<VenueResult<VenueOrder>> {
    return this.mapped("GET", ORDER_PATH, { symbol, origClientOrderId: clientOrderId }, 1, orderOf);
  }

  orderById(symbol: string, orderId: string): Promise<VenueResult<VenueOrder>> {
    return this.mapped("GET", ORDER_PATH, { symbol, orderId }, 1, orderOf);
  }

  fills(symbol: string, fromId?: string): Promise<VenueResult<VenueFill[]>> {
    const parameters = { symbol, fromId, limit: 1000 };
    return this.mapped("GET", "/fapi/v1/userTrades", parameters, 5, (rows: RawFill[]) => rows.map(fillOf));
  }

  positions(): Promise<VenueResult<VenuePosition[]>> {
    return this.mapped("GET", "/fapi/v3/positionRisk", {}, 5, (rows: RawPosition[]) =>
      rows.map((p) => ({
        symbol: p.symbol,
        quantity: p.positionAmt,
        entryPrice: p.entryPrice,
        updateTimeMs: p.updateTime,
      })),
    );
  }

  balances(): Promise<VenueResult<VenueBalance[]>> {
    return this.mapped("GET", "/fapi/v3/balance", {}, 5, (rows: RawBalance[]) =>
      rows.map((b) => ({ asset: b.asset, wallet: b.balance, available: b.availableBalance })),
    );
  }

  leverages(): Promise<VenueResult<ReadonlyMap<string, number>>> {
    type Row = { readonly symbol: string; readonly leverage: number };
    return this.mapped(
      "GET",
      "/fapi/v1/symbolConfig",
      {},
      5,
      (rows: Row[]) => new Map(rows.map((row) => [row.symbol, Number(row.leverage)])),
    );
  }

  /** Funding payments from `sinceMs` on, oldest first, at most 1000. */
  funding(sinceMs: number): Promise<VenueResult<VenueFunding[]>> {
    const parameters = {
      incomeType: "FUNDING_FEE",
      startTime: Math.max(0, Math.floor(sinceMs)),
      limit: 1000,
    };
    return this.mapped("GET", "/fapi/v1/income", parameters, 30, (rows: RawIncome[]) =>
      rows.map((row) => ({
        symbol: row.symbol,
        amount: row.income,
        asset: row.asset,
        timeMs: row.time,
        transactionId: row.tranId,
      })),
    );
  }

  /** Totals of the account as the venue states them (margin, wallet, positions). */
  account(): Promise<VenueResult<Readonly<Record<string, unknown>>>> {
    return this.mapped("GET", "/fapi/v3/account", {}, 5, (a: Record<string, unknown>) => a);
  }

  /** True in hedge mode (two positions per symbol), which the ledger refuses. */
  hedgeMode(): Promise<VenueResult<boolean>> {
    type Answer = { dualSidePosition: boolean };
    return this.mapped("GET", "/fapi/v1/positionSide/dual", {}, 30, (a: Answer) => a.dualSidePosition);
  }

  cancelById(symbol: string, orderId: string): Promise<VenueResult<VenueOrder>> {
    return this.orderRequest("DELETE", { symbol, orderId });
  }

  /** Working orders and conditional ones (which live on an end point of their own). */
  async cancelAll(symbol: string): Promise<VenueResult<null>> {
    const plain = await this.mapped("DELETE", "/fapi/v1/allOpenOrders", { symbol }, 1, () => null);
    const conditional = await this.mapped("DELETE", "/fapi/v1/algoOpenOrders", { symbol }, 1, () => null);
    // A venue without conditional orders answers 404: there is nothing to cancel.
    return plain.ok && !conditional.ok && conditional.status !== 404 ? conditional : plain;
  }

  countdownCancelAll(symbol: string, countdownMs: number): Promise<VenueResult<null>> {
    const parameters = { symbol, countdownTime: countdownMs };
    return this.mapped("POST", "/fapi/v1/countdownCancelAll", parameters, 10, () => null);
  }

  createListenKey(): Promise<VenueResult<string>> {
    return this.listenKey("POST");
  }

  /** -1125: it does not exist (any more): create another one. */
  keepListenKey(): Promise<VenueResult<string>> {
    return this.listenKey("PUT");
  }

  /** A signed order request: the second path when the WebSocket API is down. */
  orderRequest(method: "POST" | "PUT" | "DELETE", parameters: Parameters): Promise<VenueResult<VenueOrder>> {
    return this.send(method, ORDER_PATH, parameters, "signed", 0, async (r) =>
      orderOf(parseExact(await r.text(), ID_KEYS) as RawOrder),
    );
  }

  private async listenKey(method: "POST" | "PUT"): Promise<VenueResult<string>> {
    const result = await this.request<{ listenKey?: string }>(method, "/fapi/v1/listenKey", {}, "key", 1);
    return result.ok ? { ok: true, value: result.value.listenKey ?? "" } : result;
  }

  private commissionRate(symbol: string): Promise<VenueResult<FeeRates>> {
    type Answer = { makerCommissionRate: string; takerCommissionRate: string };
    return this.mapped("GET", "/fapi/v1/commissionRate", { symbol }, 20, (a: Answer) => ({
      makerFeeE8: Math.round(Number(a.makerCommissionRate) * 1e8),
      takerFeeE8: Math.round(Number(a.takerCommissionRate) * 1e8),
    }));
  }

  private adoptLimits(info: ExchangeInfo): void {
    const limit = (type: string, interval: string, count: number): number =>
      info.rateLimits.find(
        (l) => l.rateLimitType === type && l.interval === interval && l.intervalNum === count,
      )?.limit ?? 0;
    this.budget.setLimits({
      weightPerMinute: limit("REQUEST_WEIGHT", "MINUTE", 1),
      ordersPerMinute: limit("ORDERS", "MINUTE", 1),
      ordersPer10s: limit("ORDERS", "SECOND", 10),
    });
  }

  private async mapped<Raw, T>(
    method: Method,
    path: string,
    parameters: Parameters,
    weight: number,
    map: (raw: Raw) => T,
  ): Promise<VenueResult<T>> {
    const result = await this.request<Raw>(method, path, parameters, "signed", weight);
    return result.ok ? { ok: true, value: map(result.value) } : result;
  }

  private request<T>(m: Method, path: string, p: Parameters, security: Security, weight: number) {
    return this.send(m, path, p, security, weight, async (r) => parseExact(await r.text(), ID_KEYS) as T);
  }

  /** One request, and once more when the venue refused its timestamp: the clock offset is measured anew. */
  private async send<T>(
    method: Method,
    path: string,
    parameters: Parameters,
    security: Security,
    weight: number,
    read: (response: Response) => Promise<T>,
  ): Promise<VenueResult<T>> {
    const result = await this.sendOnce(method, path, parameters, security, weight, read);
    if (result.ok || result.code !== TIMESTAMP_OUTSIDE || security !== "signed") return result;
    // A place or modify is looked at anew by whoever wanted it: the kill word may be set by now.
    if (path === ORDER_PATH && (method === "POST" || method === "PUT")) return result;
    const offset = await this.measureClockOffset();
    return offset.ok ? this.sendOnce(method, path, parameters, security, weight, read) : result;
  }

  /** `weight` 0: the caller has taken the budget already. */
  private async sendOnce<T>(
    method: Method,
    path: string,
    parameters: Parameters,
    security: Security,
    weight: number,
    read: (response: Response) => Promise<T>,
  ): Promise<VenueResult<T>> {
    const urgent = method !== "GET";
    if (weight > 0 && !this.budget.takeQuery(this.venueMs(), weight, urgent)) {
      return failure(429, -1003, "request budget used up: not sent", false);
    }
    if (security !== "none" && this.signer === null) return failure(401, -2015, "no credentials", false);
    const url = `${this.options.baseUrl}${path}?${this.query(parameters, security === "signed")}`;
    const headers: Record<string, string> =
      security === "none" ? {} : { "X-MBX-APIKEY": this.options.credentials!.revealApiKey() };
    try {
      const signal = AbortSignal.timeout(this.options.timeoutMs);
      const send = this.options.fetch ?? fetch;
      const response = await send(url, { method, headers, signal, redirect: "error" });
      this.readLimits(response);
      if (response.ok) return { ok: true, value: await read(response) };
      return await this.refused(response);
    } catch (error) {
      // Names only: a fetch error's message can hold the URL, which holds the signature.
      return failure(0, 0, `${method} ${path}: ${(error as Error).name}`, true);
    }
  }

  private query(parameters: Parameters, signed: boolean): string {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(parameters)) {
      if (value !== undefined) query.set(key, String(value));
    }
    if (!signed) return query.toString();
    query.set("recvWindow", String(this.options.recvWindowMs));
    query.set("timestamp", String(this.venueMs()));
    const text = query.toString();
    return `${text}&signature=${encodeURIComponent(this.signer!.signText(text))}`;
  }

  private async refused(response: Response): Promise<VenueResult<never>> {
    const body = await response.text();
    let code = 0;
    let message = `HTTP ${response.status}`;
    try {
      const parsed = JSON.parse(body) as { code?: number; msg?: string };
      code = parsed.code ?? 0;
      message = parsed.msg ?? message;
    } catch {
      // Not the venue's own answer (a proxy's page): the status says enough.
    }
    return failure(response.status, code, message, isUnknownOutcome(response.status, code));
  }

  private readLimits(response: Response): void {
    const nowMs = this.venueMs();
    const weight = response.headers.get("X-MBX-USED-WEIGHT-1M");
    if (weight !== null) this.budget.onWeightUsed(nowMs, Number(weight));
    const tenSeconds = response.headers.get("X-MBX-ORDER-COUNT-10S");
    if (tenSeconds !== null) this.budget.onOrdersUsed(nowMs, 10, Number(tenSeconds));
    const minute = response.headers.get("X-MBX-ORDER-COUNT-1M");
    if (minute !== null) this.budget.onOrdersUsed(nowMs, 60, Number(minute));
    if (response.status !== 429 && response.status !== 418) return;
    const seconds = Number(response.headers.get("Retry-After") ?? RETRY_AFTER_DEFAULT_S);
    this.budget.block(nowMs, Number.isFinite(seconds) ? seconds : RETRY_AFTER_DEFAULT_S);
  }
}

interface RawOrder {
  readonly symbol: string;
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly side: string;
  readonly status: string;
  readonly price: string;
  readonly origQty: string;
  readonly executedQty: string;
  readonly updateTime: number;
}

interface RawFill {
  readonly symbol: string;
  readonly id: string;
  readonly orderId: string;
  readonly side: string;
  readonly price: string;
  readonly qty: string;
  readonly commission: string;
  readonly commissionAsset: string;
  readonly maker: boolean;
  readonly time: number;
}

interface RawPosition {
  readonly symbol: string;
  readonly positionAmt: string;
  readonly entryPrice: string;
  readonly updateTime: number;
}

interface RawIncome {
  readonly symbol: string;
  readonly income: string;
  readonly asset: string;
  readonly time: number;
  readonly tranId: string;
}

interface RawBalance {
  readonly asset: string;
  readonly balance: string;
  readonly availableBalance: string;
}

const orderOf = (o: RawOrder): VenueOrder => ({
  symbol: o.symbol,
  orderId: String(o.orderId),
  clientOrderId: o.clientOrderId,
  side: o.side,
  status: o.status,
  price: o.price,
  quantity: o.origQty,
  executedQuantity: o.executedQty,
  updateTimeMs: o.updateTime,
});

const fillOf = (t: RawFill): VenueFill => ({
  symbol: t.symbol,
  tradeId: String(t.id),
  orderId: String(t.orderId),
  side: t.side,
  price: t.price,
  quantity: t.qty,
  fee: t.commission,
  feeAsset: t.commissionAsset,
  maker: t.maker,
  timeMs: t.time,
});
