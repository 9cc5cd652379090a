// REST: finds the endpoint, reads the parameters from query and body, answers with the venue's headers.
import { errorText, isError, NOT_FOUND } from "./api-error.ts";
import { type Endpoint, handleCall, type VenueCore } from "./endpoint.ts";
import { ACCOUNT_ENDPOINTS } from "./endpoints-account.ts";
import { MARKET_ENDPOINTS } from "./endpoints-market.ts";
import { TRADE_ENDPOINTS } from "./endpoints-trade.ts";
import type { Outcome } from "./order-desk.ts";
import { restPayload } from "./signature.ts";

export const ENDPOINTS: readonly Endpoint[] = [...MARKET_ENDPOINTS, ...TRADE_ENDPOINTS, ...ACCOUNT_ENDPOINTS];
const BY_REST = new Map(ENDPOINTS.map((e) => [e.rest, e]));
const FORM = "application/x-www-form-urlencoded";

/** `arrivedNs`: CLOCK_MONOTONIC at the entry of the server's handler. */
export async function serveRest(
  core: VenueCore,
  request: Request,
  url: URL,
  arrivedNs: number,
): Promise<Response> {
  const endpoint = BY_REST.get(`${request.method} ${url.pathname}`);
  if (endpoint === undefined) return respond(core, NOT_FOUND, false);
  const query = url.search.slice(1);
  const body = request.method === "GET" ? "" : await request.text();
  // Some clients send an empty JSON object where there are no body parameters.
  const form = request.headers.get("content-type")?.startsWith(FORM) || !body.startsWith("{") ? body : "";
  const params: Record<string, string> = {};
  for (const part of [query, form]) {
    for (const [name, value] of new URLSearchParams(part)) params[name] = value;
  }
  const { payload, signature } = restPayload(query, form);
  const orders = endpoint.orders !== undefined;
  return new Promise((resolve) => {
    handleCall(
      core,
      {
        endpoint,
        params,
        apiKey: request.headers.get("X-MBX-APIKEY"),
        signed: { payloads: [payload], signature },
        channel: "rest",
        arrivedNs,
      },
      (outcome) => resolve(respond(core, outcome, orders)),
    );
  });
}

function respond(core: VenueCore, outcome: Outcome, orders: boolean): Response {
  const headers: Record<string, string> = {
    "Content-Type": "application/json",
    ...core.limits.headers(orders),
  };
  if (!isError(outcome)) return new Response(outcome.text, { headers });
  if (outcome.retryAfterS !== undefined) headers["Retry-After"] = String(outcome.retryAfterS);
  return new Response(errorText(outcome), { status: outcome.status, headers });
}
