// The simulated venue's streams over real sockets: URL forms, continuity, routes, faults, the process itself.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SimVenue } from "../../src/venue/sim/sim-venue.ts";
import { pxText, qtyText } from "../../src/venue/sim/symbol-spec.ts";
import { API_KEY, collect, post, rest, SECRET, smallVenue, testVenue, until } from "./venue-helper.ts";

const ETH = {
  symbol: "ETHUSDT",
  side: "BUY",
  type: "LIMIT",
  timeInForce: "GTC",
  quantity: "0.100",
  price: "2600.00",
};

// biome-ignore lint/suspicious/noExplicitAny: venue JSON of many shapes
function applyDepth(book: Map<string, string>, m: any): void {
  for (const [side, rows] of [
    ["b", m.b],
    ["a", m.a],
  ] as const)
    for (const [px, qty] of rows) Number(qty) === 0 ? book.delete(side + px) : book.set(side + px, qty);
}

test("depth over a socket chains by pu at speed 60, and the book built from it equals the venue's", async () => {
  const { venue, http, ws } = await testVenue({ speed: 60 });
  const { socket, messages, texts } = await collect(`${ws}/public/ws/btcusdt@depth@0ms`);
  await until("the first message", () => messages.length > 0);
  const snapshot = await (await fetch(`${http}/fapi/v1/depth?symbol=BTCUSDT&limit=1000`)).json();
  await until("2,000 depth messages", () => messages.length > 2_000);
  // One synchronous look at the venue's book; the client's is cut at the same update id.
  const atId = venue.markets[0]!.lastUpdateId;
  const theirs = bookLevels(venue);
  await until("that update", () => messages.at(-1).u >= atId);
  for (let i = 1; i < messages.length; i++)
    if (messages[i].pu !== messages[i - 1].u) throw new Error(`gap at ${i}`);
  expect(texts[0]).toStartWith('{"e":"depthUpdate","E":');
  const book = new Map<string, string>();
  for (const [px, qty] of snapshot.bids) book.set(`b${px}`, qty);
  for (const [px, qty] of snapshot.asks) book.set(`a${px}`, qty);
  for (const m of messages) if (m.u >= snapshot.lastUpdateId && m.u <= atId) applyDepth(book, m);
  for (const [level, qty] of book) expect([level, theirs.get(level)]).toEqual([level, qty]);
  const lowest = Number(snapshot.bids.at(-1)[0]);
  const highest = Number(snapshot.asks.at(-1)[0]);
  const known = (level: string) => {
    const px = Number(level.slice(1));
    return level[0] === "b" ? px >= lowest : px <= highest;
  };
  const missing = [...theirs.keys()].filter((level) => known(level) && !book.has(level));
  expect(missing).toEqual([]);
  expect(messages.filter((m) => m.u >= snapshot.lastUpdateId && m.u <= atId).length).toBeGreaterThan(1_000);
  socket.close();
  await venue.stop();
});

function bookLevels(venue: SimVenue): Map<string, string> {
  const { book, spec } = venue.markets[0]!;
  const levels = new Map<string, string>();
  for (const side of [1, -1]) {
    for (let rank = 0; rank < book.levelCount(side); rank++) {
      const px = pxText(spec, book.pxAtRank(side, rank));
      levels.set(`${side > 0 ? "b" : "a"}${px}`, qtyText(spec, book.qtyAtRank(side, rank)));
    }
  }
  return levels;
}

describe("URL forms and faults", () => {
  let venue: SimVenue;
  let http: string;
  let ws: string;
  beforeAll(async () => {
    ({ venue, http, ws } = await smallVenue({ speed: 20 }));
  });
  afterAll(() => venue.stop());
  const fault = (body: Record<string, unknown>) => post(http, "/sim/fault", body);

  test("raw, combined, SUBSCRIBE and un-routed forms give the same stream; a wrong route is silent", async () => {
    const raw = await collect(`${ws}/public/ws/ethusdt@depth@0ms/ethusdt@bookTicker`);
    const combined = await collect(`${ws}/public/stream?streams=ethusdt@depth@0ms`);
    const framed = await collect(`${ws}/market/ws`);
    framed.socket.send('{"method":"SUBSCRIBE","params":["ethusdt@trade"],"id":7}');
    const old = await collect(`${ws}/stream?streams=ethusdt@depth@100ms/ethusdt@trade`);
    const wrong = await collect(`${ws}/market/ws/ethusdt@depth@0ms`);
    await until("all forms", () => [raw, combined, framed, old].every((c) => c.messages.length > 3));
    expect(new Set(raw.messages.map((m) => m.e))).toContain("depthUpdate");
    expect(combined.messages[0].stream).toBe("ethusdt@depth@0ms");
    expect(framed.messages[0]).toEqual({ result: null, id: 7 });
    expect(framed.messages[1].e).toBe("trade");
    expect(framed.texts[1]).toMatch(/"t":9100\d{12},/);
    expect(wrong.messages).toEqual([]);
    framed.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":8}');
    await until("the list", () => framed.messages.some((m) => m.id === 8));
    expect(framed.messages.find((m) => m.id === 8).result).toEqual(["ethusdt@trade"]);
    const throttled = old.messages.filter((m) => m.stream === "ethusdt@depth@100ms").map((m) => m.data);
    await until("chained throttled messages", () => old.messages.length > 8);
    for (let i = 1; i < throttled.length; i++) expect(throttled[i].pu).toBe(throttled[i - 1].u);
    for (const c of [raw, combined, framed, old, wrong]) c.socket.close();
  });

  test("more than ten control frames a second closes the connection", async () => {
    const c = await collect(`${ws}/market/ws`);
    for (let i = 0; i < 12; i++) c.socket.send(`{"method":"LIST_SUBSCRIPTIONS","id":${i}}`);
    await until("the close", () => c.state.closed === 1008);
  });

  test("gap, duplicate, reorder, malformed, truncated and huge show on the wire as named", async () => {
    const c = await collect(`${ws}/public/ws/ethusdt@depth@0ms`);
    const breaks = (kind: string) =>
      until(kind, () => {
        const m = c.messages;
        if (kind === "malformed" || kind === "truncated") return m.includes(null);
        if (kind === "huge") return c.texts.some((t) => t.length > 1_000_000);
        for (let i = 1; i < m.length; i++) {
          if (kind === "gap" && m[i].pu > m[i - 1].u) return true;
          if (kind === "duplicate" && m[i].u === m[i - 1].u) return true;
          if (kind === "reorder" && m[i].u < m[i - 1].u) return true;
        }
        return false;
      });
    for (const kind of ["gap", "duplicate", "reorder", "malformed", "truncated", "huge"]) {
      c.messages.length = 0;
      c.texts.length = 0;
      await until("a whole message before the fault", () => c.messages.length > 0);
      expect((await fault({ kind, symbol: "ETHUSDT" })).status).toBe(200);
      await breaks(kind);
    }
    c.socket.close();
  });

  test("a stalled route keeps its sockets and is silent, then goes on; a cut one is closed", async () => {
    const c = await collect(`${ws}/public/ws/ethusdt@bookTicker`);
    await until("messages", () => c.messages.length > 0);
    await fault({ kind: "stall", route: "public", ms: 300 });
    const before = c.messages.length;
    await Bun.sleep(150);
    expect(c.messages.length - before).toBeLessThan(20);
    const silent = c.messages.length;
    await until("messages after the stall", () => c.messages.length > silent + 3);
    await fault({ kind: "cut", route: "public" });
    await until("the cut", () => c.state.closed !== 0);
  });

  test("-1007 leaves the outcome open: the order may have landed or not", async () => {
    await fault({ kind: "unknown", land: true });
    const landed = await rest(http, "POST", "/fapi/v1/order", { ...ETH, newClientOrderId: "u1" });
    expect([landed.status, landed.body.code]).toEqual([408, -1007]);
    const by = (origClientOrderId: string) => ({ symbol: "ETHUSDT", origClientOrderId });
    expect((await rest(http, "GET", "/fapi/v1/order", by("u1"))).body.status).toBe("NEW");
    await fault({ kind: "unknown", land: false });
    await rest(http, "POST", "/fapi/v1/order", { ...ETH, newClientOrderId: "u2" });
    expect((await rest(http, "GET", "/fapi/v1/order", by("u2"))).body.code).toBe(-2013);
    await fault({ kind: "http5xx" });
    expect((await rest(http, "GET", "/fapi/v2/balance")).status).toBe(503);
    await fault({ kind: "rejectCancel" });
    expect((await rest(http, "DELETE", "/fapi/v1/order", by("u1"))).body.code).toBe(-2011);
    await fault({ kind: "rateLimit" });
    expect((await rest(http, "GET", "/fapi/v2/balance")).status).toBe(429);
    await fault({ kind: "ban", ms: 60_000 });
    expect((await rest(http, "GET", "/fapi/v2/balance")).status).toBe(418);
    await fault({ kind: "clear" });
    await fault({ kind: "skew", ms: 20_000 });
    expect((await rest(http, "GET", "/fapi/v2/balance")).body.code).toBe(-1021);
    await fault({ kind: "clear" });
    expect((await rest(http, "GET", "/fapi/v2/balance")).status).toBe(200);
  });

  test("events before the ack, the events filter, and an expired listen key", async () => {
    const { body } = await rest(http, "POST", "/fapi/v1/listenKey");
    const all = await collect(`${ws}/private/stream?listenKey=${body.listenKey}`);
    const orders = await collect(`${ws}/private/ws?listenKey=${body.listenKey}&events=ORDER_TRADE_UPDATE`);
    await fault({ kind: "fillBeforeAck", ms: 40 });
    const reply = rest(http, "POST", "/fapi/v1/order", { ...ETH, type: "MARKET", newClientOrderId: "e1" });
    let acked = false;
    void reply.then(() => {
      acked = true;
    });
    await until("the fill", () => orders.messages.some((m) => m.o?.X === "FILLED"));
    expect(acked).toBe(false);
    await reply;
    expect(orders.messages.every((m) => m.e === "ORDER_TRADE_UPDATE")).toBe(true);
    expect(all.messages.some((m) => m.data.e === "ACCOUNT_UPDATE")).toBe(true);
    expect(all.messages[0].stream).toBe(body.listenKey);
    await fault({ kind: "listenKeyExpired" });
    await until("the expiry", () => all.messages.some((m) => m.data.e === "listenKeyExpired"));
    expect((await rest(http, "PUT", "/fapi/v1/listenKey")).body.code).toBe(-1125);
    all.socket.close();
    orders.socket.close();
  });

  test("the admin route says what is wrong with a fault, and refuses a browser", async () => {
    const bad = await fault({ kind: "nothing" });
    expect(bad.status).toBe(400);
    expect(((await bad.json()) as { error: string }).error).toStartWith("kind: expected one of");
    const page = await fetch(`${http}/sim/state`, { headers: { Origin: "http://evil.example" } });
    expect(page.status).toBe(403);
    expect((await fetch(`${http}/sim/book?symbol=ETHUSDT`)).status).toBe(200);
  });
});

describe("as a process", () => {
  const start = (args: string[], env: Record<string, string> = {}) =>
    Bun.spawn(["bun", "src/cli/venue.ts", ...args], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...env },
    });

  test("it prints one ready line, keeps the secret in a 0600 file, journals, and ends with its parent's stdin", async () => {
    const dir = mkdtempSync(join(tmpdir(), "venue-"));
    const child = start(["--symbols", "ETHUSDT", "--data-dir", dir, "--parent"]);
    const reader = child.stdout.getReader();
    const line = new TextDecoder().decode((await reader.read()).value);
    const ready = JSON.parse(line);
    expect(ready).toEqual({ ready: true, port: expect.any(Number), pid: child.pid });
    expect((await fetch(`http://127.0.0.1:${ready.port}/fapi/v1/time`)).status).toBe(200);
    const credentials = join(dir, "venue", "credentials.json");
    expect(statSync(credentials).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(credentials, "utf8")).apiSecret).toMatch(/^[0-9a-f]{64}$/);
    // Ctrl-C reaches the whole process group; the venue must still be there for its parent's cancels.
    child.kill("SIGINT");
    await Bun.sleep(100);
    expect((await fetch(`http://127.0.0.1:${ready.port}/fapi/v1/ping`)).status).toBe(200);
    child.stdin.end();
    expect(await child.exited).toBe(0);
    const journal = readFileSync(join(dir, "venue", "journal.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    expect(JSON.parse(journal[0]!).k).toBe("start");
    expect(JSON.parse(journal.at(-1)!).k).toBe("stop");
    rmSync(dir, { recursive: true });
  });

  test("a second venue on the same journal is refused after 5 s of patience, and the first goes on", async () => {
    const dir = mkdtempSync(join(tmpdir(), "venue-"));
    const args = ["--symbols", "ETHUSDT", "--data-dir", dir, "--parent"];
    const first = start(args);
    const line = new TextDecoder().decode((await first.stdout.getReader().read()).value);
    const second = start(args);
    expect(await second.exited).toBe(1);
    expect(await new Response(second.stderr).text()).toContain(`in use by another hotlane process`);
    expect((await fetch(`http://127.0.0.1:${JSON.parse(line).port}/fapi/v1/ping`)).status).toBe(200);
    first.stdin.end();
    expect(await first.exited).toBe(0);
    rmSync(dir, { recursive: true });
  }, 20_000);

  test("killed outright, it comes back with every order it had acknowledged", async () => {
    const dir = mkdtempSync(join(tmpdir(), "venue-"));
    const args = ["--symbols", "ETHUSDT", "--data-dir", dir, "--api-key", API_KEY, "--parent"];
    const open = async () => {
      const child = start(args, { HOTLANE_SIM_SECRET: SECRET });
      const line = (await child.stdout.getReader().read()).value;
      return { child, http: `http://127.0.0.1:${JSON.parse(new TextDecoder().decode(line)).port}` };
    };
    const first = await open();
    for (let i = 0; i < 5; i++)
      await rest(first.http, "POST", "/fapi/v1/order", { ...ETH, newClientOrderId: `k${i}` });
    await rest(first.http, "POST", "/fapi/v1/order", { ...ETH, type: "MARKET", newClientOrderId: "taker" });
    await rest(first.http, "DELETE", "/fapi/v1/order", { symbol: "ETHUSDT", origClientOrderId: "k4" });
    first.child.kill("SIGKILL");
    await first.child.exited;
    const second = await open();
    const orders = (await rest(second.http, "GET", "/fapi/v1/openOrders")).body;
    expect(orders.map((o: { clientOrderId: string }) => o.clientOrderId).sort()).toEqual([
      "k0",
      "k1",
      "k2",
      "k3",
    ]);
    const positions = (await rest(second.http, "GET", "/fapi/v3/positionRisk")).body;
    expect(positions[0].positionAmt).toBe("0.100");
    second.child.stdin.end();
    expect(await second.child.exited).toBe(0);
    rmSync(dir, { recursive: true });
  });

  test("wrong flags are named and exit with 2", async () => {
    for (const [args, message] of [
      [["--speed", "fast"], "--speed fast: expected a number"],
      [["--symbols", "btc/usd"], "--symbols: symbol"],
      [["--nonsense"], "--nonsense"],
      [["--journal-fsync", "often", "--symbols", "ETHUSDT"], "expected none, flush or interval"],
    ] as const) {
      const child = start([...args, "--data-dir", join(tmpdir(), "venue-usage")]);
      expect(await child.exited).toBe(2);
      expect(await new Response(child.stderr).text()).toContain(message);
    }
  });
});
