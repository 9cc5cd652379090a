// The WS API (/ws-fapi/v1): one request per frame, replies with status and rate limits. Numbers of a request
// are kept as the text that was sent, because order ids are above 2^53 and signatures are over texts.
import { type ApiError, errorText, INVALID_MESSAGE, isError } from "./api-error.ts";
import { type Endpoint, handleCall, type VenueCore } from "./endpoint.ts";
import { ENDPOINTS } from "./http-api.ts";
import type { Outcome } from "./order-desk.ts";
import { checkTimestamp, sortedPayload } from "./signature.ts";
import type { VenueSocket } from "./ws-market.ts";

const BY_METHOD = new Map<string, Endpoint>();
for (const endpoint of ENDPOINTS) if (endpoint.ws !== undefined) BY_METHOD.set(endpoint.ws, endpoint);

interface ApiFrame {
  readonly idText: string;
  readonly method: string;
  readonly params: Record<string, string>;
}

const MALFORMED: ApiError = { code: -1135, msg: "Invalid JSON Request", status: 400 };
const UNKNOWN_METHOD: ApiError = {
  code: -1106,
  msg: "Parameter 'method' sent when not required.",
  status: 400,
};
const ED25519_ONLY: ApiError = { code: -4056, msg: "session.logon needs an Ed25519 API key.", status: 400 };

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

/** null when the frame is not a request. */
export function parseFrame(text: string): ApiFrame | null {
  const keepSource: Reviver = (key, value, context) =>
    typeof value === "number" && key !== "id" ? (context?.source ?? String(value)) : value;
  try {
    const frame = JSON.parse(text, keepSource as (key: string, value: unknown) => unknown);
    if (typeof frame !== "object" || frame === null || typeof frame.method !== "string") return null;
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(frame.params ?? {})) {
      if (value !== null && value !== undefined) params[name] = String(value);
    }
    return { idText: JSON.stringify(frame.id ?? null), method: frame.method, params };
  } catch {
    return null;
  }
}

/** `arrivedNs`: CLOCK_MONOTONIC at the entry of the socket's handler. */
export function onApiFrame(core: VenueCore, socket: VenueSocket, text: string, arrivedNs: number): void {
  const frame = parseFrame(text);
  if (frame === null) {
    socket.send(replyText(core, "null", MALFORMED, false, socket.data.showRateLimits));
    return;
  }
  if (frame.method.startsWith("session.")) {
    onSession(core, socket, frame);
    return;
  }
  const endpoint = BY_METHOD.get(frame.method);
  if (endpoint === undefined) {
    socket.send(replyText(core, frame.idText, UNKNOWN_METHOD, false, socket.data.showRateLimits));
    return;
  }
  const session = socket.data.sessionKey;
  const unsigned = session !== null && frame.params["signature"] === undefined;
  handleCall(
    core,
    {
      endpoint,
      params: frame.params,
      apiKey: frame.params["apiKey"] ?? session,
      signed: unsigned ? null : signedPart(frame.params),
      channel: "ws",
      arrivedNs,
    },
    (outcome) => {
      if (socket.readyState !== WebSocket.OPEN || core.faults.stalled("api")) return;
      const orders = endpoint.orders !== undefined;
      socket.send(replyText(core, frame.idText, outcome, orders, socket.data.showRateLimits));
    },
  );
}

/** Clients sign the raw texts or the percent-encoded ones; they differ only for unusual characters. */
function signedPart(params: Record<string, string>) {
  const raw = sortedPayload(params, false);
  const encoded = sortedPayload(params, true);
  return { payloads: raw === encoded ? [raw] : [raw, encoded], signature: params["signature"] };
}

function replyText(
  core: VenueCore,
  idText: string,
  outcome: Outcome,
  orders: boolean,
  showRateLimits: boolean,
): string {
  const limits = showRateLimits ? `,"rateLimits":${core.limits.replyText(orders)}` : "";
  if (!isError(outcome)) return `{"id":${idText},"status":200,"result":${outcome.text}${limits}}`;
  return `{"id":${idText},"status":${outcome.status},"error":${errorWithRetry(core, outcome)}${limits}}`;
}

function errorWithRetry(core: VenueCore, e: ApiError): string {
  if (e.retryAfterS === undefined) return errorText(e);
  const now = core.clock.nowMs();
  const data = { serverTime: now, retryAfter: now + e.retryAfterS * 1000 };
  return JSON.stringify({ code: e.code, msg: e.msg, data });
}

function onSession(core: VenueCore, socket: VenueSocket, frame: ApiFrame): void {
  const now = core.clock.nowMs();
  const limited = core.limits.charge(2, 0);
  const outcome = limited ?? sessionOutcome(core, socket, frame, now);
  core.journal.write("connection", { id: socket.data.id, op: frame.method, ok: !isError(outcome) });
  core.journal.flush();
  socket.send(replyText(core, frame.idText, outcome, false, socket.data.showRateLimits));
}

function sessionOutcome(core: VenueCore, socket: VenueSocket, frame: ApiFrame, now: number): Outcome {
  const { params, method } = frame;
  if (method === "session.logon") {
    const refusal = logonRefusal(core, params, now);
    if (refusal !== null) return refusal;
    socket.data.sessionKey = params["apiKey"]!;
    return sessionStatus(socket.data.sessionKey, now);
  }
  if (method === "session.logout") socket.data.sessionKey = null;
  else if (method !== "session.status") return INVALID_MESSAGE;
  return sessionStatus(socket.data.sessionKey, now);
}

function logonRefusal(core: VenueCore, params: Record<string, string>, now: number): ApiError | null {
  const apiKey = params["apiKey"];
  const badKey = core.keys.checkKey(apiKey);
  if (badKey !== null) return badKey;
  if (!core.keys.mayLogOn(apiKey!)) return ED25519_ONLY;
  const badTime = checkTimestamp(params["timestamp"], params["recvWindow"], now);
  if (badTime !== null) return badTime;
  return core.keys.checkSignature(apiKey!, sortedPayload(params, false), params["signature"]);
}

function sessionStatus(apiKey: string | null, now: number): Outcome {
  const since = apiKey === null ? "null" : String(now);
  return {
    text: `{"apiKey":${JSON.stringify(apiKey)},"authorizedSince":${since},"connectedSince":${now},"returnRateLimits":true,"serverTime":${now}}`,
  };
}
