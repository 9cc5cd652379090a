// One table of operations for REST and the WS API, and the path every request takes: journal, rate limits,
// key, signature, entry latency, operation, journal flush, reply, then the user events it caused.
import type { Account } from "./account.ts";
import {
  type ApiError,
  CANCEL_REJECTED,
  INTERNAL,
  isError,
  tooManyRequests,
  UNKNOWN_OUTCOME,
} from "./api-error.ts";
import type { CountdownTimers } from "./countdown.ts";
import type { FaultBoard, UnknownAnswers } from "./faults.ts";
import type { Funding } from "./funding.ts";
import type { Journal } from "./journal.ts";
import type { LatencyLine } from "./latency-line.ts";
import type { OrderDesk, Outcome } from "./order-desk.ts";
import type { Params } from "./order-request.ts";
import type { RateLimits } from "./rate-limits.ts";
import { checkTimestamp, type KeyRing } from "./signature.ts";
import type { UserStreams } from "./user-streams.ts";
import type { VenueClock } from "./venue-clock.ts";

/** Everything that operations work on. */
export interface VenueCore {
  readonly clock: VenueClock;
  readonly journal: Journal;
  readonly faults: FaultBoard;
  readonly limits: RateLimits;
  readonly keys: KeyRing;
  readonly desk: OrderDesk;
  readonly account: Account;
  readonly users: UserStreams;
  readonly countdown: CountdownTimers;
  readonly funding: Funding;
  readonly entryLine: LatencyLine;
  readonly responseLine: LatencyLine;
  /** Hedge mode can be shown (a client must refuse it), not traded in. */
  readonly mode: { hedge: boolean };
}

/** public: nothing · key: API key only · signed: key, timestamp and signature. */
export type Security = "public" | "key" | "signed";

export interface Endpoint {
  /** `METHOD /path`, and the WS API method where the venue has one. */
  readonly rest: string;
  readonly ws?: string;
  readonly security: Security;
  readonly weight: number | ((p: Params) => number);
  /** Orders it counts for in the order limits. */
  readonly orders?: number | ((p: Params) => number);
  readonly action?: "place" | "modify" | "cancel";
  readonly run: (core: VenueCore, p: Params, apiKey: string) => Outcome;
}

export interface ApiCall {
  readonly endpoint: Endpoint;
  readonly params: Params;
  readonly apiKey: string | null;
  /** Text that was signed and the signature; null where a logged-on session needs none. */
  readonly signed: { readonly payloads: readonly string[]; readonly signature: string | undefined } | null;
  readonly channel: "rest" | "ws";
  /** CLOCK_MONOTONIC when the server's handler was called with it. */
  readonly arrivedNs: number;
}

const SECRET_PARAMS = new Set(["signature", "apiKey"]);
const amount = (x: number | ((p: Params) => number) | undefined, p: Params): number =>
  typeof x === "function" ? x(p) : (x ?? 0);

/** Runs a call; `reply` is called once, after the response latency. */
export function handleCall(core: VenueCore, call: ApiCall, reply: (outcome: Outcome) => void): void {
  const { endpoint, params } = call;
  journalRequest(core, call);
  const refusal = admit(core, call);
  if (refusal !== null) {
    core.journal.flush();
    reply(refusal);
    return;
  }
  if (endpoint.security === "public") {
    core.journal.flush();
    reply(endpoint.run(core, params, ""));
    return;
  }
  core.entryLine.push(() => execute(core, call, reply));
}

function journalRequest(core: VenueCore, call: ApiCall): void {
  const params = Object.fromEntries(Object.entries(call.params).filter(([name]) => !SECRET_PARAMS.has(name)));
  const op = call.endpoint.ws ?? call.endpoint.rest;
  core.journal.write("request", { ch: call.channel, op, params, arrived: call.arrivedNs });
}

function admit(core: VenueCore, call: ApiCall): ApiError | null {
  const { endpoint, params } = call;
  if (core.faults.rateLimitLeft > 0) {
    core.faults.rateLimitLeft--;
    return tooManyRequests(core.limits.options.weightPerMinute, 1);
  }
  const limited = core.limits.charge(amount(endpoint.weight, params), amount(endpoint.orders, params));
  if (limited !== null) return limited;
  if (endpoint.security === "public") return null;
  const { http5xx } = core.faults;
  if (http5xx.left > 0 && endpoint.action === undefined) {
    http5xx.left--;
    return { ...INTERNAL, status: http5xx.status };
  }
  const badKey = core.keys.checkKey(call.apiKey);
  if (badKey !== null || endpoint.security === "key") return badKey;
  const badTime = checkTimestamp(params["timestamp"], params["recvWindow"], core.clock.nowMs());
  if (badTime !== null || call.signed === null) return badTime;
  let bad: ApiError | null = null;
  for (const payload of call.signed.payloads) {
    bad = core.keys.checkSignature(call.apiKey!, payload, call.signed.signature);
    if (bad === null) return null;
  }
  return bad;
}

function execute(core: VenueCore, call: ApiCall, reply: (outcome: Outcome) => void): void {
  const outcome = runWithFaults(core, call);
  core.desk.settle();
  const events = core.desk.takeEvents();
  core.journal.flush();
  const { responseLine, faults, users } = core;
  if (faults.fillBeforeAckLeft > 0 && events.length > 0) {
    faults.fillBeforeAckLeft--;
    responseLine.push(() => {
      for (const event of events) users.emit(event);
      setTimeout(() => reply(outcome), faults.fillBeforeAckMs);
    });
    return;
  }
  responseLine.push(() => {
    reply(outcome);
    for (const event of events) users.emit(event);
  });
}

function runWithFaults(core: VenueCore, call: ApiCall): Outcome {
  const { faults } = core;
  const { endpoint, params, apiKey } = call;
  if (endpoint.action === "cancel" && faults.rejectCancelLeft > 0) {
    faults.rejectCancelLeft--;
    return CANCEL_REJECTED;
  }
  if (endpoint.action === undefined) return endpoint.run(core, params, apiKey ?? "");
  if (faults.http5xx.left > 0)
    return unanswered(core, call, faults.http5xx, "http5xx", { ...INTERNAL, status: faults.http5xx.status });
  if (faults.unknown.left > 0) return unanswered(core, call, faults.unknown, "unknown", UNKNOWN_OUTCOME);
  return endpoint.run(core, params, apiKey ?? "");
}

/** The request takes effect or not; its answer proves neither. */
function unanswered(
  core: VenueCore,
  call: ApiCall,
  fault: UnknownAnswers,
  name: string,
  answer: ApiError,
): ApiError {
  const { endpoint, params, apiKey } = call;
  fault.left--;
  core.journal.write("fault", { fault: name, landed: fault.land, op: endpoint.rest });
  if (fault.land) {
    const hidden = endpoint.run(core, params, apiKey ?? "");
    if (isError(hidden)) core.journal.write("fault", { fault: name, refused: hidden.code });
  }
  return answer;
}
