// /sim/*: what the real venue does not have. State for oracles, faults, deposits, keys. Loopback only, or with
// a bearer token when one is configured; requests from a browser page (Origin header) are refused.
import { parseDecimal, scaleTo } from "../../core/decimal.ts";
import { accountReply, accountUpdateText, orderRecord } from "./account-text.ts";
import type { VenueCore } from "./endpoint.ts";
import { depthText } from "./endpoints-market.ts";
import { DEPTH_FAULTS, type DepthFault, FAULT_KINDS, type FaultKind, ROUTES, type Route } from "./faults.ts";
import { e8Text } from "./symbol-spec.ts";

export interface AdminDeps {
  readonly core: VenueCore;
  readonly token: string | null;
  /** Closes the sockets of a route; returns how many. */
  readonly cut: (route: Route) => number;
  readonly marketLine: { extraNs: number };
  readonly counts: () => Record<string, number>;
}

class BadRequest extends Error {}

const reply = (x: unknown, status = 200): Response => Response.json(x, { status });

export async function serveAdmin(deps: AdminDeps, request: Request, url: URL, ip: string): Promise<Response> {
  const allowed =
    deps.token === null
      ? ip === "127.0.0.1" || ip === "::1" || ip === "::ffff:127.0.0.1"
      : request.headers.get("Authorization") === `Bearer ${deps.token}`;
  if (!allowed || request.headers.get("Origin") !== null) return reply({ error: "not allowed" }, 403);
  try {
    return await route(deps, request, url);
  } catch (error) {
    if (error instanceof BadRequest || error instanceof SyntaxError || error instanceof RangeError)
      return reply({ error: error.message }, 400);
    throw error;
  }
}

async function route(deps: AdminDeps, request: Request, url: URL): Promise<Response> {
  const { core } = deps;
  switch (`${request.method} ${url.pathname}`) {
    case "GET /sim/state":
      return state(deps);
    case "GET /sim/book":
      return fullBook(core, url.searchParams.get("symbol") ?? "");
    case "POST /sim/fault":
      return reply(applyFault(deps, await request.json()));
    case "POST /sim/deposit":
      return deposit(core, await request.json());
    case "POST /sim/keys":
      return addKey(core, await request.json());
    case "POST /sim/hedge":
      core.mode.hedge = (await request.json()).on === true;
      return reply({ hedge: core.mode.hedge });
    default:
      return reply({ error: "no such route" }, 404);
  }
}

function state(deps: AdminDeps): Response {
  const { core } = deps;
  const now = core.clock.nowMs();
  core.desk.settle();
  return reply({
    time: now,
    monotonicNs: core.clock.monotonicNs(),
    account: accountReply(core.account, core.desk.markets.values(), now),
    orders: core.desk.store.allOpen().map(orderRecord),
    counts: deps.counts(),
    countdown: core.countdown.armed(),
    markets: [...core.desk.markets.values()].map((m) => ({
      symbol: m.spec.symbol,
      lastUpdateId: m.lastUpdateId,
      messages: m.messages,
    })),
  });
}

function fullBook(core: VenueCore, symbol: string): Response {
  const market = core.desk.markets.get(symbol);
  if (market === undefined) throw new BadRequest(`unknown symbol ${JSON.stringify(symbol)}`);
  return new Response(depthText(market, 0, core.clock.nowMs()), {
    headers: { "Content-Type": "application/json" },
  });
}

interface FaultRequest {
  kind?: FaultKind;
  symbol?: string;
  route?: Route;
  count?: number;
  ms?: number;
  status?: number;
  land?: boolean;
}

/** Shapes: {kind, symbol?, route?, count?, ms?, status?, land?}. Throws BadRequest naming what is wrong. */
export function applyFault(deps: AdminDeps, request: FaultRequest): Record<string, unknown> {
  const { core } = deps;
  const { kind } = request;
  if (kind === undefined || !FAULT_KINDS.includes(kind))
    throw new BadRequest(`kind: expected one of ${FAULT_KINDS.join(", ")}`);
  const count = positive(request.count ?? 1, "count");
  const ms = positive(request.ms ?? 1000, "ms");
  core.journal.write("fault", { ...request });
  core.journal.flush();
  const { faults } = core;
  if ((DEPTH_FAULTS as readonly string[]).includes(kind)) {
    const symbol = request.symbol ?? "";
    if (!core.desk.markets.has(symbol)) throw new BadRequest(`symbol: unknown ${JSON.stringify(symbol)}`);
    faults.setDepth(symbol, kind as DepthFault, count);
    return { kind, symbol, count };
  }
  if (kind === "stall" || kind === "cut") {
    const wanted = request.route;
    if (wanted === undefined || !ROUTES.includes(wanted))
      throw new BadRequest(`route: expected one of ${ROUTES.join(", ")}`);
    if (kind === "cut") return { kind, closed: deps.cut(wanted) };
    faults.stall(wanted, ms);
    return { kind, route: wanted, ms };
  }
  setCounted(deps, kind, request, count, ms);
  return { kind, count, ms };
}

function setCounted(deps: AdminDeps, kind: FaultKind, r: FaultRequest, count: number, ms: number): void {
  const { core } = deps;
  const { faults } = core;
  if (kind === "unknown") {
    faults.unknownLeft = count;
    faults.unknownLand = r.land ?? true;
  } else if (kind === "http5xx") {
    faults.http5xxLeft = count;
    faults.http5xxStatus = r.status ?? 503;
  } else if (kind === "rateLimit") faults.rateLimitLeft = count;
  else if (kind === "ban") core.limits.banFor(ms);
  else if (kind === "skew") core.clock.skewMs = r.ms ?? 0;
  else if (kind === "listenKeyExpired") core.users.expireAll();
  else if (kind === "rejectCancel") faults.rejectCancelLeft = count;
  else if (kind === "delay") setDelay(deps, r.route, (r.ms ?? 0) * 1e6);
  else if (kind === "fillBeforeAck") {
    faults.fillBeforeAckLeft = count;
    faults.fillBeforeAckMs = r.ms ?? 20;
  } else clearAll(deps);
}

/** Adds latency: route `api` to replies and user events, `private` to order entry, any other to market data. */
function setDelay(deps: AdminDeps, wanted: Route | undefined, extraNs: number): void {
  if (wanted === "api") deps.core.responseLine.extraNs = extraNs;
  else if (wanted === "private") deps.core.entryLine.extraNs = extraNs;
  else deps.marketLine.extraNs = extraNs;
}

function clearAll(deps: AdminDeps): void {
  deps.core.faults.clear();
  deps.core.clock.skewMs = 0;
  deps.core.limits.banFor(0);
  deps.core.responseLine.extraNs = 0;
  deps.core.entryLine.extraNs = 0;
  deps.marketLine.extraNs = 0;
}

function positive(value: number, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new BadRequest(`${name}: expected a number`);
  return value;
}

function deposit(core: VenueCore, request: { amount?: string }): Response {
  const amountE8 = scaleTo(parseDecimal(String(request.amount)), 8);
  const income = core.account.deposit(amountE8, core.clock.nowMs());
  core.journal.write("deposit", {
    amount: amountE8.toString(),
    wallet: core.account.walletE8.toString(),
    tx: income.transactionNumber,
  });
  core.journal.flush();
  core.users.emit(accountUpdateText(core.account, "DEPOSIT", null, amountE8, core.clock.nowMs()));
  return reply({ wallet: e8Text(core.account.walletE8) });
}

function addKey(core: VenueCore, request: { apiKey?: string; publicKey?: string }): Response {
  if (typeof request.apiKey !== "string" || typeof request.publicKey !== "string")
    throw new BadRequest("expected {apiKey, publicKey} with a PEM Ed25519 public key");
  try {
    core.keys.addEd25519(request.apiKey, request.publicKey);
  } catch (error) {
    throw new BadRequest((error as Error).message);
  }
  return reply({ apiKey: request.apiKey });
}
