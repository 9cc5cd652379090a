// POST /sim/fault: what each kind of fault takes and does. Every use stands in the venue's journal.
import type { VenueCore } from "./endpoint.ts";
import {
  DEPTH_FAULTS,
  type DepthFault,
  FAULT_KINDS,
  type FaultKind,
  ROUTES,
  type Route,
  USER_FAULTS,
  type UserFault,
} from "./faults.ts";
import type { LatencyLine } from "./latency-line.ts";

export interface FaultDeps {
  readonly core: VenueCore;
  /** Closes the sockets of a route; returns how many. */
  readonly cut: (route: Route) => number;
  readonly marketLine: LatencyLine;
  /** Sends what the faults themselves have caused (fills). */
  readonly afterMarket: () => void;
}

export class BadRequest extends Error {}

const LINES = ["entry", "response", "market"] as const;
type LineName = (typeof LINES)[number];

/** Body of POST /sim/fault. */
export interface FaultRequest {
  kind?: FaultKind;
  symbol?: string;
  route?: Route;
  line?: LineName;
  count?: number;
  ms?: number;
  lots?: number;
  status?: number;
  land?: boolean;
}

type Applied = Record<string, unknown>;
type Switch = (deps: FaultDeps, request: FaultRequest) => Applied;

/** Throws BadRequest naming what is wrong; nothing is switched then. */
export function applyFault(deps: FaultDeps, request: FaultRequest): Applied {
  const { kind } = request;
  if (kind === undefined || !FAULT_KINDS.includes(kind))
    throw new BadRequest(`kind: expected one of ${FAULT_KINDS.join(", ")}`);
  const applied = SWITCHES[kind](deps, request);
  deps.core.journal.write("fault", { ...request });
  deps.core.journal.flush();
  deps.afterMarket();
  return { kind, ...applied };
}

const SWITCHES: Readonly<Record<FaultKind, Switch>> = {
  ...(Object.fromEntries(DEPTH_FAULTS.map((kind) => [kind, streamFault(kind)])) as Record<
    DepthFault,
    Switch
  >),
  stall: ({ core }, r) => {
    const route = oneOf(ROUTES, r.route, "route");
    const ms = number(r.ms, 1000, "ms");
    core.faults.stall(route, ms);
    return { route, ms };
  },
  cut: ({ cut }, r) => ({ closed: cut(oneOf(ROUTES, r.route, "route")) }),
  delay: (deps, r) => {
    const line = oneOf(LINES, r.line, "line");
    const ms = number(r.ms, 0, "ms");
    lineOf(deps, line).extraNs = ms * 1e6;
    return { line, ms };
  },
  hold: (deps, r) => {
    const line = oneOf(LINES, r.line, "line");
    lineOf(deps, line).hold();
    return { line };
  },
  release: (deps, r) => {
    const line = oneOf(LINES, r.line, "line");
    lineOf(deps, line).release();
    return { line };
  },
  fill: ({ core }, r) => {
    const symbol = listed(core, r.symbol);
    const lots = number(r.lots, Number.MAX_SAFE_INTEGER, "lots");
    return { symbol, orders: core.desk.fill(symbol, lots) };
  },
  http5xx: ({ core }, r) => {
    const { http5xx } = core.faults;
    http5xx.left = number(r.count, 1, "count");
    http5xx.land = r.land ?? false;
    http5xx.status = number(r.status, 503, "status");
    return { ...http5xx };
  },
  unknown: ({ core }, r) => {
    const { unknown } = core.faults;
    unknown.left = number(r.count, 1, "count");
    unknown.land = r.land ?? true;
    return { ...unknown };
  },
  rateLimit: ({ core }, r) => {
    core.faults.rateLimitLeft = number(r.count, 1, "count");
    return { count: core.faults.rateLimitLeft };
  },
  ban: ({ core }, r) => {
    const ms = number(r.ms, 1000, "ms");
    core.limits.banFor(ms);
    return { ms };
  },
  skew: ({ core }, r) => {
    core.clock.skewMs = number(r.ms, 0, "ms");
    return { ms: core.clock.skewMs };
  },
  listenKeyExpired: ({ core }) => {
    core.users.expireAll();
    return {};
  },
  fillBeforeAck: ({ core }, r) => {
    core.faults.fillBeforeAckLeft = number(r.count, 1, "count");
    core.faults.fillBeforeAckMs = number(r.ms, 20, "ms");
    return { count: core.faults.fillBeforeAckLeft, ms: core.faults.fillBeforeAckMs };
  },
  rejectCancel: ({ core }, r) => {
    core.faults.rejectCancelLeft = number(r.count, 1, "count");
    return { count: core.faults.rejectCancelLeft };
  },
  clear: (deps) => {
    const { core } = deps;
    core.faults.clear();
    core.clock.skewMs = 0;
    core.limits.liftBan();
    for (const name of LINES) {
      const line = lineOf(deps, name);
      line.extraNs = 0;
      line.release();
    }
    return {};
  },
};

/** Of the depth stream of a symbol, or, with route private, of the user data stream. */
function streamFault(kind: DepthFault): Switch {
  return ({ core }, r) => {
    const count = number(r.count, 1, "count");
    if (r.route === "private") {
      core.faults.setUser(oneOf(USER_FAULTS, kind as UserFault, "kind on the private route"), count);
      return { route: r.route, count };
    }
    const symbol = listed(core, r.symbol);
    core.faults.setDepth(symbol, kind, count);
    return { symbol, count };
  };
}

function lineOf({ core, marketLine }: FaultDeps, name: LineName): LatencyLine {
  if (name === "entry") return core.entryLine;
  return name === "response" ? core.responseLine : marketLine;
}

function listed(core: VenueCore, symbol: string | undefined): string {
  if (symbol !== undefined && core.desk.markets.has(symbol)) return symbol;
  throw new BadRequest(`symbol: unknown ${JSON.stringify(symbol ?? "")}`);
}

function oneOf<T extends string>(known: readonly T[], value: T | undefined, name: string): T {
  if (value !== undefined && known.includes(value)) return value;
  throw new BadRequest(`${name}: expected one of ${known.join(", ")}`);
}

function number(value: number | undefined, usual: number, name: string): number {
  if (value === undefined) return usual;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new BadRequest(`${name}: expected a number`);
  return value;
}
