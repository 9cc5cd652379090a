import { expect, test } from "bun:test";
import { createApp } from "../../../src/admin/app.ts";
import { HostGuard } from "../../../src/admin/host-guard.ts";
import { LiveFeed, liveState } from "../../../src/admin/live-feed.ts";
import { LoopLag } from "../../../src/admin/loop-lag.ts";
import { openApiDocument } from "../../../src/admin/openapi.ts";
import { statusPage } from "../../../src/admin/page.ts";
import { ROUTES } from "../../../src/admin/routes.ts";
import { TokenCheck } from "../../../src/admin/tokens.ts";
import type { AuditEntry } from "../../../src/control/audit-log.ts";
import { auditedControl } from "../../../src/control/audited-control.ts";
import { parseExposition } from "./exposition-parser.ts";
import { HOSTILE_TEXT, MemoryEngine } from "./memory-engine.ts";

const PORT = 4711;
const HOST = `127.0.0.1:${PORT}`;
const TOKENS = { control: "c".repeat(43), read: "r".repeat(43) };

function setUp(engine = new MemoryEngine()) {
  const entries: AuditEntry[] = [];
  const audit = { append: (entry: AuditEntry) => void entries.push(entry) };
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const control = auditedControl(engine, audit, () => {});
  const live = new LiveFeed(() => liveState(control), onError, 10, 2);
  const app = createApp({
    control,
    audit,
    guard: new HostGuard(PORT),
    tokens: new TokenCheck(TOKENS),
    live,
    lag: new LoopLag(),
    page: statusPage(),
    version: "0.1.0",
    onError,
  });
  const call = async (method: string, path: string, init: CallInit = {}) => {
    const token = init.token === undefined ? TOKENS.control : init.token;
    const response = await app.fetch(
      new Request(`http://${HOST}${path}`, {
        method,
        headers: {
          host: HOST,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(init.body === undefined ? {} : { "content-type": "application/json" }),
          ...init.headers,
        },
        ...(init.body === undefined
          ? {}
          : { body: typeof init.body === "string" ? init.body : JSON.stringify(init.body) }),
      }),
    );
    const text = await response.text();
    const json = response.headers.get("content-type")?.startsWith("application/json")
      ? JSON.parse(text)
      : null;
    return { status: response.status, headers: response.headers, text, json };
  };
  return { app, call, engine, entries, errors, live };
}

interface CallInit {
  readonly token?: string | null;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const concrete = (path: string): string => path.replace("{name}", "maker");
const open = ["/", "/health", "/health/live", "/openapi.json"];

test("every route but the open ones answers 401 without a token or with a wrong one", async () => {
  const { call, engine } = setUp();
  const paths = openApiDocument("0").paths as Record<string, Record<string, unknown>>;
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      for (const token of [null, "", "x".repeat(43), `${TOKENS.control}x`, TOKENS.control.slice(1)]) {
        const { status, json, headers } = await call(method.toUpperCase(), concrete(path), { token });
        if (open.includes(path)) {
          expect(status).toBe(200);
          continue;
        }
        expect(status).toBe(401);
        expect(headers.get("www-authenticate")).toBe("Bearer");
        expect(json.error).toMatchObject({ what: "no valid token", where: "header Authorization" });
      }
    }
  }
  expect(engine.actors).toEqual([]);
});

test("tokens in the query, in a cookie or as Basic are not tokens", async () => {
  const { call } = setUp();
  const attempts = [
    call("GET", `/api/status?token=${TOKENS.control}`, { token: null }),
    call("GET", "/api/status", { token: null, headers: { cookie: `token=${TOKENS.control}` } }),
    call("GET", "/api/status", { token: null, headers: { authorization: `Basic ${TOKENS.control}` } }),
  ];
  for (const { status } of await Promise.all(attempts)) expect(status).toBe(401);
});

test("the read token reads everything and commands nothing, and its attempts are audited", async () => {
  const { call, engine, entries } = setUp();
  for (const route of ROUTES) {
    const { status, json } = await call(route.method.toUpperCase(), concrete(route.path), {
      token: TOKENS.read,
    });
    if (route.method === "get") expect(status).toBe(200);
    else expect([status, json.error.expected]).toEqual([403, "a token with control scope"]);
  }
  expect((await call("GET", "/metrics", { token: TOKENS.read })).status).toBe(200);
  expect(engine.actors).toEqual([]);
  expect(entries.filter((e) => e.code === "forbidden")).toHaveLength(
    ROUTES.filter((r) => r.method !== "get").length,
  );
  expect(JSON.stringify(entries)).not.toContain(TOKENS.read);
});

test("a foreign Host or Origin is turned away before anything else, open routes included", async () => {
  const { call, engine } = setUp();
  const hostile = [
    { host: "evil.example" },
    { host: `evil.example:${PORT}` },
    { host: "127.0.0.1:80" },
    { host: `127.0.0.1.evil.example:${PORT}` },
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: `https://${HOST}` },
  ];
  for (const headers of hostile) {
    for (const path of ["/", "/health", "/api/status", "/metrics"])
      expect((await call("GET", path, { headers })).status).toBe(403);
    const kill = await call("POST", "/api/kill", { headers });
    expect(kill.status).toBe(403);
    expect(kill.headers.get("cache-control")).toBe("no-store");
    expect(kill.json.error.expected).toContain(HOST);
  }
  expect(engine.actors).toEqual([]);
  expect((await call("GET", "/health", { headers: { host: `LOCALHOST:${PORT}` } })).status).toBe(200);
  expect((await call("POST", "/api/kill", { headers: { origin: `http://${HOST}` } })).status).toBe(200);
});

test("commands reach the engine with who, scope and why, and answer with before and after", async () => {
  const { call, engine } = setUp();
  const { status, json } = await call("POST", "/api/pause", {
    body: { strategy: "maker", who: "desk", why: "news" },
  });
  expect(status).toBe(200);
  expect(json).toEqual({
    ok: true,
    code: "done",
    message: "maker: done",
    state: "Paused",
    before: { maker: "Running" },
    after: { maker: "Paused" },
    ordersMayBeWorking: false,
  });
  expect(engine.actors).toEqual([{ who: "api:desk", scope: "control", why: "news" }]);
  expect(engine.status().strategies[0]).toMatchObject({ state: "Paused", workingOrders: 0 });
});

test("each command does what its name says", async () => {
  const { call, engine } = setUp();
  const state = (name: string) => engine.status().strategies.find((s) => s.name === name)!;
  await call("POST", "/api/pause", { body: { keepOrders: true } });
  expect([state("maker").state, state("clocked").state, state("maker").workingOrders]).toEqual([
    "Paused",
    "Paused",
    2,
  ]);
  await call("POST", "/api/cancel-all", { body: { strategy: "maker" } });
  expect([state("maker").workingOrders, state("clocked").workingOrders]).toEqual([0, 2]);
  await call("POST", "/api/resume", {});
  expect(state("clocked").state).toBe("Running");
  await call("POST", "/api/stop", { body: { strategy: "clocked" } });
  expect(state("clocked").state).toBe("Stopped");
  await call("POST", "/api/kill", { body: { why: "drill" } });
  expect(engine.status().kill).toMatchObject({ state: "killed", reason: "drill" });
  const refused = await call("POST", "/api/resume");
  expect([refused.status, refused.json.code, refused.json.error.what]).toEqual([
    409,
    "refused",
    "kill word is killed: rearm first",
  ]);
  await call("POST", "/api/rearm");
  await call("POST", "/api/emergency-stop", { body: { closePosition: true } });
  expect(engine.kill_).toBe("emergency");
  await call("POST", "/api/shutdown", { body: { keep: true } });
  expect(engine.shutdownKeep).toBe(true);
});

test("health says not ready with 503 while killed, and live all the same", async () => {
  const { call } = setUp();
  expect((await call("GET", "/health", { token: null })).json).toMatchObject({ live: true, ready: true });
  await call("POST", "/api/kill");
  const health = await call("GET", "/health", { token: null });
  expect([health.status, health.json.ready, health.json.problems]).toEqual([
    503,
    false,
    ["kill word is killed"],
  ]);
  expect((await call("GET", "/health/live", { token: null })).status).toBe(200);
});

test("parameters and limits are set exactly, all or none", async () => {
  const { call, engine } = setUp();
  const set = await call("PUT", "/api/strategies/maker/params", {
    body: { values: { halfSpread: "2.50", levels: 3 } },
  });
  expect(set.json.after).toMatchObject({ halfSpread: "2.5", levels: "3" });
  const wrong = await call("PUT", "/api/strategies/maker/params", {
    body: { values: { halfSpread: 9, levels: 2, module: "/etc/passwd" } },
  });
  expect(wrong.status).toBe(400);
  expect(wrong.json.error.problems).toEqual([
    { what: "cannot be 9", where: "body.values.halfSpread", expected: "decimal in 0.1 … 5, step 0.1, bps" },
    { what: "unknown name", where: "body.values.module", expected: "halfSpread, levels, postOnly, mode" },
  ]);
  expect(engine.parameters("maker")!.values).toMatchObject({ halfSpread: "2.5", levels: "3" });
  const limits = await call("PUT", "/api/strategies/maker/limits", {
    body: { values: { maxPosition: "0.01" } },
  });
  expect(limits.json.before).toMatchObject({ maxPosition: "0.05" });
  expect((await call("GET", "/api/strategies/maker/limits")).json.values.maxPosition).toBe("0.01");
  expect((await call("GET", "/api/strategies/maker/params")).json.schema).toHaveLength(4);
});

test("a strategy that does not exist is 404 everywhere", async () => {
  const { call } = setUp();
  const body = { values: { levels: 1 } };
  const answers = [
    await call("GET", "/api/strategies/nobody/params"),
    await call("GET", "/api/strategies/nobody/limits"),
    await call("GET", "/api/why/nobody"),
    await call("PUT", "/api/strategies/nobody/params", { body }),
    await call("PUT", "/api/strategies/nobody/limits", { body }),
    await call("POST", "/api/pause", { body: { strategy: "nobody" } }),
    await call("GET", "/api/why/..%2f..%2fetc%2fpasswd"),
    await call("GET", `/api/why/${encodeURIComponent(HOSTILE_TEXT)}`),
  ];
  for (const { status, json } of answers) {
    expect(status).toBe(404);
    expect(json.error.expected).toBe("a name listed by /api/status");
  }
});

test("a wrong body is refused with what, where and what was expected, and the engine never sees it", async () => {
  const { call, engine } = setUp();
  const cases: [string, unknown, number, string][] = [
    ["/api/pause", "{", 400, "body"],
    ["/api/pause", "[]", 400, "body"],
    ["/api/pause", { strategy: 7 }, 400, "body.strategy"],
    ["/api/pause", { strategy: "../x" }, 400, "body.strategy"],
    ["/api/pause", { keepOrders: "yes" }, 400, "body.keepOrders"],
    ["/api/kill", { reason: "x" }, 400, "body.reason"],
    ["/api/kill", { why: "x".repeat(501) }, 400, "body.why"],
    ["/api/shutdown", { url: "http://evil.example" }, 400, "body.url"],
    ["/api/stop", `{"strategy":"${"x".repeat(70_000)}"}`, 413, "body"],
  ];
  for (const [path, body, expected, where] of cases) {
    const { status, json } = await call("POST", path, { body });
    expect([path, status, json.error.where]).toEqual([path, expected, where]);
    expect(json.error.expected).not.toBe("");
  }
  const form = await call("POST", "/api/kill", { body: "why=x", headers: { "content-type": "text/plain" } });
  expect([form.status, form.json.error.expected]).toEqual([415, "application/json"]);
  const none = await call("PUT", "/api/strategies/maker/params", { body: { values: {} } });
  expect(none.status).toBe(400);
  expect(engine.actors).toEqual([]);
});

test("orders and fills are filtered, and wrong queries refused", async () => {
  const { call } = setUp();
  expect((await call("GET", "/api/orders")).json).toHaveLength(4);
  expect((await call("GET", "/api/orders?open=false")).json).toHaveLength(6);
  expect((await call("GET", "/api/orders?open=false&strategy=maker&limit=2")).json).toHaveLength(2);
  expect((await call("GET", "/api/fills?limit=1")).json).toMatchObject([{ tradeId: "2", price: "61230.1" }]);
  const wrong = {
    "?limit=0": "query.limit",
    "?limit=x": "query.limit",
    "?open=1": "query.open",
    "?x=1": "query.x",
  };
  for (const [query, where] of Object.entries(wrong)) {
    const { status, json } = await call("GET", `/api/orders${query}`);
    expect([query, status, json.error.where]).toEqual([query, 400, where]);
  }
});

test("an unknown path is 404 and a wrong method 405, as JSON", async () => {
  const { call } = setUp();
  expect((await call("GET", "/api/nothing")).json.error).toMatchObject({ what: "no such path" });
  const method = await call("DELETE", "/api/strategies/maker/params");
  expect([method.status, method.json.error.expected]).toEqual([405, "GET, PUT"]);
});

test("an exception is an internal error for the client and a whole one for the log", async () => {
  const engine = new MemoryEngine();
  engine.positions = () => {
    throw new Error("secret detail");
  };
  const { call, errors } = setUp(engine);
  const { status, text } = await call("GET", "/api/positions");
  expect(status).toBe(500);
  expect(text).not.toContain("secret detail");
  expect(errors[0]!.message).toBe("secret detail");
});

test("a command that fails in the engine answers 502 and says that orders may be working", async () => {
  const { call, engine, entries } = setUp();
  engine.broken = true;
  const { status, json } = await call("POST", "/api/stop");
  expect([status, json.code, json.ordersMayBeWorking]).toEqual([502, "failed", true]);
  expect(entries.at(-1)).toMatchObject({ command: "stop", ok: false, code: "failed" });
});

test("metrics carry the engine's families and the API's own", async () => {
  const { call } = setUp();
  await call("GET", "/api/status", { token: null });
  const { text, headers } = await call("GET", "/metrics");
  expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const families = parseExposition(text);
  expect(families.has("hotlane_tick_to_order_seconds")).toBe(true);
  const refused = families.get("hotlane_api_refused_total")!.samples;
  expect(refused.find((s) => s.labels["check"] === "token")!.value).toBe(1);
});

test("the OpenAPI document names every route once and carries the bodies' schemas", async () => {
  const { call } = setUp();
  const document = (await call("GET", "/openapi.json", { token: null })).json;
  expect(document.openapi).toBe("3.1.0");
  for (const route of ROUTES) expect(document.paths[route.path][route.method].summary).toBe(route.summary);
  const pause = document.paths["/api/pause"].post.requestBody.content["application/json"].schema;
  expect(pause.properties.strategy.default).toBe("all");
  expect(pause.additionalProperties).toBe(false);
  const limit = document.paths["/api/orders"].get.parameters.find(
    (p: { name: string }) => p.name === "limit",
  );
  expect(limit.schema.maximum).toBe(10_000);
  expect(JSON.stringify(document)).not.toMatch(/"(path|url|module|file)":/i);
});

test("the page runs only its own script and names no other host", async () => {
  const { call } = setUp();
  const { text, headers } = await call("GET", "/", { token: null });
  expect(headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'sha256-[^']+='/);
  expect(headers.get("cache-control")).toBe("no-store");
  expect(text).not.toMatch(/https?:\/\//);
  expect(text).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|import\s/);
  expect(text).not.toContain(TOKENS.control);
});

test("the live stream pushes states to as many listeners as allowed and forgets those that leave", async () => {
  const { app, live } = setUp();
  const listen = () =>
    app.fetch(
      new Request(`http://${HOST}/api/live`, {
        headers: { host: HOST, authorization: `Bearer ${TOKENS.read}` },
      }),
    );
  const [first, second, third] = [await listen(), await listen(), await listen()];
  expect([first.status, second.status, third.status]).toEqual([200, 200, 503]);
  const reader = first.body!.getReader();
  const decoder = new TextDecoder();
  for (let i = 0; i < 3; i++) {
    const text = decoder.decode((await reader.read()).value);
    expect(text.startsWith("event: state\ndata: {")).toBe(true);
    const state = JSON.parse(text.slice(text.indexOf("{")));
    expect(Object.keys(state)).toEqual([
      "health",
      "status",
      "positions",
      "pnl",
      "orders",
      "fills",
      "latency",
    ]);
  }
  await reader.cancel();
  await second.body!.cancel();
  expect(live.listeners).toBe(0);
  expect((await listen()).status).toBe(200);
});

test("a state that cannot be built keeps the stream open and is reported", async () => {
  const engine = new MemoryEngine();
  const { app, live, errors } = setUp(engine);
  engine.status = () => {
    throw new Error("board is torn");
  };
  const headers = { host: HOST, authorization: `Bearer ${TOKENS.read}` };
  const response = await app.fetch(new Request(`http://${HOST}/api/live`, { headers }));
  const reader = response.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(": no state\n\n");
  expect(errors.map((e) => e.message)).toEqual(["board is torn"]);
  live.stop();
  expect((await reader.read()).done).toBe(true);
});
