// The HTTP application: order of checks is Host and Origin, then token, then route, then query or body. Knows
// the engine only as EngineControl; knows nothing of sockets, so tests and the server use the same app.
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { AuditSink } from "../control/audit-log.ts";
import type { Actor, CommandResult, EngineControl, Scope } from "../control/engine-control.ts";
import { counter } from "../control/metric-families.ts";
import { ApiError, type ErrorStatus, fromZod } from "./errors.ts";
import { EXPOSITION_TYPE, exposition } from "./exposition.ts";
import type { HostGuard } from "./host-guard.ts";
import type { LiveFeed } from "./live-feed.ts";
import type { LoopLag } from "./loop-lag.ts";
import { openApiDocument } from "./openapi.ts";
import type { StatusPage } from "./page.ts";
import { type CommandRoute, type ReadRoute, ROUTES } from "./routes.ts";
import { STRATEGY_NAME } from "./schemas.ts";
import { permits, type TokenCheck } from "./tokens.ts";

export interface AppParts {
  /** Already audited: see control/audited-control.ts. */
  readonly control: EngineControl;
  /** For commands that are turned away for their scope. */
  readonly audit: AuditSink;
  readonly guard: HostGuard;
  readonly tokens: TokenCheck;
  readonly live: LiveFeed;
  readonly lag: LoopLag;
  readonly page: StatusPage;
  readonly version: string;
  /** Hears of exceptions that a client only sees as "internal error". */
  readonly onError: (error: Error, where: string) => void;
}

type Env = { Variables: { scope: Scope } };
type Ctx = Context<Env>;

const MAX_BODY_BYTES = 64 * 1024;
const COMMAND_STATUS: Readonly<Record<CommandResult["code"], 200 | ErrorStatus>> = {
  done: 200,
  invalid: 400,
  notFound: 404,
  refused: 409,
  failed: 502,
};

export function createApp(parts: AppParts): Hono<Env> {
  const app = new Hono<Env>();
  const refusals = { host: 0, token: 0, scope: 0 };
  app.use(async (c, next) => {
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "no-referrer");
    checkHost(c, parts.guard, refusals);
    await next();
  });
  addPublicRoutes(app, parts);
  const needsToken = (c: Ctx) => authorise(c, parts, refusals);
  app.use("/metrics", async (c, next) => {
    needsToken(c);
    await next();
  });
  app.use("/api/*", async (c, next) => {
    needsToken(c);
    await next();
  });
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));
  addMetrics(app, parts, refusals);
  addLive(app, parts);
  for (const route of ROUTES) addRoute(app, parts, route);
  app.notFound((c) => {
    throw noSuchRoute(c);
  });
  app.onError((error, c) => answerError(error, c, parts.onError));
  return app;
}

function checkHost(c: Ctx, guard: HostGuard, refusals: { host: number }): void {
  const host = c.req.header("host");
  const origin = c.req.header("origin");
  if (guard.allowsHost(host) && guard.allowsOrigin(origin)) return;
  refusals.host++;
  const which = guard.allowsHost(host) ? "Origin" : "Host";
  throw new ApiError(403, `this ${which} is not allowed`, `header ${which}`, guard.expected);
}

function authorise(c: Ctx, parts: AppParts, refusals: { token: number; scope: number }): void {
  const scope = parts.tokens.scopeOf(c.req.header("authorization"));
  if (scope === null) {
    refusals.token++;
    throw new ApiError(401, "no valid token", "header Authorization", "Bearer <token of run.json>");
  }
  const needed: Scope = c.req.method === "GET" || c.req.method === "HEAD" ? "read" : "control";
  if (!permits(scope, needed)) {
    refusals.scope++;
    auditDenied(c, parts, scope);
    throw new ApiError(403, "this token may only read", "header Authorization", "a token with control scope");
  }
  c.set("scope", scope);
}

function auditDenied(c: Ctx, { audit, onError }: AppParts, scope: Scope): void {
  const command = `${c.req.method} ${c.req.path}`.slice(0, 200);
  const nothing = { arguments: null, why: "", before: null, after: null };
  const message = "this token may only read";
  try {
    audit.append({
      command,
      target: "engine",
      who: "api",
      scope,
      ok: false,
      code: "forbidden",
      message,
      ...nothing,
    });
  } catch (error) {
    onError(error as Error, "audit");
  }
}

function addPublicRoutes(app: Hono<Env>, { control, page, version }: AppParts): void {
  const document = openApiDocument(version);
  app.get("/openapi.json", (c) => c.json(document));
  app.get("/health", (c) => {
    const health = control.health();
    return c.json(health, health.live && health.ready ? 200 : 503);
  });
  app.get("/health/live", (c) => {
    const { live } = control.health();
    return c.json({ live }, live ? 200 : 503);
  });
  app.get("/", (c) => {
    c.header("content-security-policy", page.policy);
    return c.html(page.html);
  });
}

function addMetrics(
  app: Hono<Env>,
  { control, lag, live }: AppParts,
  refusals: Readonly<Record<string, number>>,
): void {
  app.get("/metrics", (c) => {
    const own = [
      ...lag.families(),
      counter(
        "hotlane_api_refused_total",
        "Requests turned away before they reached a route, by the check that did it.",
        Object.entries(refusals).map(([check, count]) => [{ check }, count] as const),
      ),
      counter("hotlane_api_live_streams_total", "Live streams opened.", [[{}, live.opened]]),
    ];
    return c.body(exposition([...control.metrics(), ...own]), 200, { "content-type": EXPOSITION_TYPE });
  });
}

function addLive(app: Hono<Env>, { live }: AppParts): void {
  app.get("/api/live", (c) => {
    const stream = live.listen();
    if (stream === null)
      throw new ApiError(503, "too many live listeners", "/api/live", `at most ${live.maxListeners}`);
    return c.body(stream, 200, { "content-type": "text/event-stream; charset=utf-8" });
  });
}

function addRoute(app: Hono<Env>, parts: AppParts, route: ReadRoute | CommandRoute): void {
  const path = route.path.replace("{name}", ":name");
  if (route.method === "get") app.get(path, (c) => answerRead(c, parts, route));
  else app.on(route.method.toUpperCase(), path, (c) => answerCommand(c, parts, route));
}

function answerRead(c: Ctx, { control }: AppParts, route: ReadRoute): Response {
  const query = route.query.safeParse(c.req.query());
  if (!query.success) throw fromZod(query.error, "query");
  return c.json(route.read(control, query.data as never, nameOf(c)) as object);
}

async function answerCommand(c: Ctx, { control }: AppParts, route: CommandRoute): Promise<Response> {
  const body = route.body.safeParse(await jsonBody(c));
  if (!body.success) throw fromZod(body.error, "body");
  const { who, why } = body.data as { who: string; why: string };
  const actor: Actor = { who: `api:${who}`, scope: c.get("scope"), why };
  const result = await route.run(control, body.data as never, actor, nameOf(c));
  if (result.ok) return c.json(result);
  const error = { what: result.message, where: route.path, expected: EXPECTED[result.code] };
  return c.json({ ...result, error }, COMMAND_STATUS[result.code]);
}

const EXPECTED: Readonly<Record<CommandResult["code"], string>> = {
  done: "",
  invalid: "values as GET on the same path describes them",
  notFound: "a name listed by /api/status",
  refused: "another state: see /api/status",
  failed: "see the log; retry, or kill",
};

function nameOf(c: Ctx): string {
  const name = c.req.param("name") ?? "";
  if (name !== "" && !STRATEGY_NAME.test(name))
    throw new ApiError(404, "no such strategy", "path", "a name listed by /api/status");
  return name;
}

/** An absent body is an empty object; anything else must say that it is JSON, which no plain web form can. */
async function jsonBody(c: Ctx): Promise<unknown> {
  const text = await c.req.text();
  if (text.trim() === "") return {};
  const type = c.req.header("content-type") ?? "none";
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new ApiError(415, "the body is not declared as JSON", "header Content-Type", "application/json");
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, "the body is not JSON", "body", "a JSON object");
  }
}

const tooLarge = (): never => {
  throw new ApiError(413, "the body is too large", "body", `at most ${MAX_BODY_BYTES} bytes`);
};

function noSuchRoute(c: Ctx): ApiError {
  const methods = ROUTES.filter((route) => pathPattern(route.path).test(c.req.path)).map((r) =>
    r.method.toUpperCase(),
  );
  if (methods.length === 0)
    return new ApiError(404, "no such path", c.req.path.slice(0, 200), "see /openapi.json");
  return new ApiError(405, `${c.req.method} is not possible here`, "method", methods.join(", "));
}

const pathPattern = (path: string): RegExp => new RegExp(`^${path.replace("{name}", "[^/]+")}$`);

function answerError(error: Error, c: Ctx, onError: AppParts["onError"]): Response {
  if (error instanceof ApiError) {
    if (error.status === 401) c.header("www-authenticate", "Bearer");
    return c.json(error.body, error.status);
  }
  onError(error, `${c.req.method} ${c.req.path}`);
  const what = "internal error; the log has the details";
  return c.json({ error: { what, where: c.req.path.slice(0, 200), expected: "" } }, 500);
}
