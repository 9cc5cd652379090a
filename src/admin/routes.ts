// Every route of the API as data: the app, the OpenAPI document and the tests all read this one table.
import type { z } from "zod";
import { checkValues } from "../control/check-values.ts";
import type { Actor, CommandResult, EngineControl, ValuesView } from "../control/engine-control.ts";
import { ApiError, fromProblems } from "./errors.ts";
import {
  emergencyBody,
  engineBody,
  fillsQuery,
  noQuery,
  ordersQuery,
  pauseBody,
  shutdownBody,
  strategyBody,
  valuesBody,
} from "./schemas.ts";

interface RouteBase {
  /** OpenAPI form: `/api/strategies/{name}/params`. */
  readonly path: string;
  readonly summary: string;
}

export interface ReadRoute extends RouteBase {
  readonly method: "get";
  readonly query: z.ZodType;
  readonly read: (engine: EngineControl, query: never, name: string) => unknown;
}

export interface CommandRoute extends RouteBase {
  readonly method: "post" | "put";
  readonly body: z.ZodType;
  readonly run: (engine: EngineControl, body: never, actor: Actor, name: string) => Promise<CommandResult>;
}

export type Route = ReadRoute | CommandRoute;

function read<Q extends z.ZodType>(
  path: string,
  summary: string,
  query: Q,
  answer: (engine: EngineControl, query: z.infer<Q>, name: string) => unknown,
): ReadRoute {
  return { method: "get", path, summary, query, read: answer as ReadRoute["read"] };
}

function command<B extends z.ZodType>(
  method: "post" | "put",
  path: string,
  summary: string,
  body: B,
  run: (engine: EngineControl, body: z.infer<B>, actor: Actor, name: string) => Promise<CommandResult>,
): CommandRoute {
  return { method, path, summary, body, run: run as CommandRoute["run"] };
}

const READS: readonly ReadRoute[] = [
  read("/api/status", "Lanes, feeds, strategies, kill state, journal, recorder.", noQuery, (e) => e.status()),
  read("/api/positions", "Positions by strategy and instrument.", noQuery, (e) => e.positions()),
  read("/api/pnl", "Profit and loss by currency.", noQuery, (e) => e.pnl()),
  read("/api/orders", "Orders, newest first.", ordersQuery, (e, q) =>
    e.orders({ open: q.open, strategy: q.strategy ?? null, limit: q.limit }),
  ),
  read("/api/fills", "Fills, newest first.", fillsQuery, (e, q) => e.fills(q.limit)),
  read("/api/latency", "Quantiles of every latency histogram.", noQuery, (e) => e.latency()),
  read("/api/strategies/{name}/params", "Parameters and their schema.", noQuery, (e, _, name) =>
    known(e.parameters(name), name),
  ),
  read("/api/strategies/{name}/limits", "Risk limits and their schema.", noQuery, (e, _, name) =>
    known(e.limits(name), name),
  ),
  read("/api/why/{name}", "The last decisions of quoter and gate.", noQuery, (e, _, name) =>
    known(e.why(name), name),
  ),
];

const COMMANDS: readonly CommandRoute[] = [
  command("post", "/api/pause", "Stop quoting; market data goes on.", pauseBody, (e, b, actor) =>
    e.pause(b.strategy, { keepOrders: b.keepOrders }, actor),
  ),
  command("post", "/api/resume", "Quote again.", strategyBody, (e, b, actor) => e.resume(b.strategy, actor)),
  command("post", "/api/stop", "Pause, confirm the cancels, stop.", strategyBody, (e, b, actor) =>
    e.stop(b.strategy, actor),
  ),
  command("post", "/api/kill", "Set the kill word and cancel everything.", engineBody, (e, _, actor) =>
    e.kill(actor),
  ),
  command(
    "post",
    "/api/emergency-stop",
    "Deny strategies; cancel; close if asked.",
    emergencyBody,
    (e, b, a) => e.emergencyStop({ cancelOrders: b.cancelOrders, closePosition: b.closePosition }, a),
  ),
  command(
    "post",
    "/api/rearm",
    "Clear the kill word after a clean reconciliation.",
    engineBody,
    (e, _, actor) => e.rearm(actor),
  ),
  command("post", "/api/cancel-all", "Cancel working orders; quoting goes on.", strategyBody, (e, b, actor) =>
    e.cancelAll(b.strategy, actor),
  ),
  command("post", "/api/shutdown", "End the process.", shutdownBody, (e, b, actor) =>
    e.shutdown({ keep: b.keep }, actor),
  ),
  command(
    "put",
    "/api/strategies/{name}/params",
    "Set parameters, all or none.",
    valuesBody,
    (e, b, a, name) => e.setParameters(name, checkedValues(known(e.parameters(name), name), b.values), a),
  ),
  command(
    "put",
    "/api/strategies/{name}/limits",
    "Set risk limits, all or none.",
    valuesBody,
    (e, b, a, name) => e.setLimits(name, checkedValues(known(e.limits(name), name), b.values), a),
  ),
];

export const ROUTES: readonly Route[] = [...READS, ...COMMANDS];

function known<T>(view: T | null, name: string): T {
  if (view === null)
    throw new ApiError(404, `no strategy ${JSON.stringify(name)}`, "path", "a name listed by /api/status");
  return view;
}

function checkedValues(
  view: ValuesView,
  given: Readonly<Record<string, string | number | boolean>>,
): Readonly<Record<string, string>> {
  const checked = checkValues(view.schema, given);
  if (checked.ok) return checked.values;
  throw fromProblems(checked.problems.map((p) => ({ ...p, where: `body.values.${p.where}` })));
}
