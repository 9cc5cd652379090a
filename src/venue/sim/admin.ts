// /sim/*: what the real venue does not have. State for oracles, faults, deposits, keys. Loopback only, or with
// a bearer token when one is configured; requests from a browser page (Origin header) are refused.
import { parseDecimal, scaleTo } from "../../core/decimal.ts";
import { accountReply, accountUpdateText, orderRecord } from "./account-text.ts";
import type { VenueCore } from "./endpoint.ts";
import { depthText } from "./endpoints-market.ts";
import { applyFault, BadRequest, type FaultDeps } from "./fault-switches.ts";
import { e8Text } from "./symbol-spec.ts";

export interface AdminDeps extends FaultDeps {
  readonly token: string | null;
  readonly counts: () => Record<string, number>;
}

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
