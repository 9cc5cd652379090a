import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdminServer, startAdmin } from "../../src/admin/admin-server.ts";
import { AuditLog } from "../../src/control/audit-log.ts";
import { auditedControl } from "../../src/control/audited-control.ts";
import { findInstance, runFilePath } from "../../src/control/run-file.ts";
import { MemoryEngine } from "../unit/admin/memory-engine.ts";

let dir = "";
let audit: AuditLog;
let engine: MemoryEngine;
let server: AdminServer | null = null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-admin-"));
  audit = new AuditLog(dir);
  engine = new MemoryEngine();
});
afterEach(async () => {
  await server?.stop();
  server = null;
  audit.close();
  rmSync(dir, { recursive: true, force: true });
});

function start(extra: Partial<Parameters<typeof startAdmin>[0]> = {}): AdminServer {
  const control = auditedControl(engine, audit, () => {});
  const common = { control, audit, dataDir: dir, env: "sim", version: "0.1.0", onError: () => {} };
  server = startAdmin({ ...common, ...extra });
  return server;
}

/** One request written by hand, for what fetch does not let a test send. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

test("the server listens on loopback only, says so in run.json (0600), and takes the file away", async () => {
  const { url, run } = start();
  expect(run.host).toBe("127.0.0.1");
  expect(statSync(runFilePath(dir)).mode & 0o777).toBe(0o600);
  expect(findInstance(dir)).toEqual({ kind: "running", run });
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const status = await fetch(`${url}/api/status`, { headers: { authorization: `Bearer ${run.token}` } });
  expect(((await status.json()) as { env: string }).env).toBe("sim");
  await server!.stop();
  server = null;
  expect(existsSync(runFilePath(dir))).toBe(false);
});

test("a rebound name, an absent Host and a foreign absolute URL are refused on the wire", async () => {
  const { run } = start();
  const auth = `Authorization: Bearer ${run.token}\r\nConnection: close\r\n\r\n`;
  const foreign = await raw(
    run.port,
    `GET /api/status HTTP/1.1\r\nHost: evil.example:${run.port}\r\n${auth}`,
  );
  expect(foreign).toStartWith("HTTP/1.1 403");
  const absolute = await raw(
    run.port,
    `GET http://evil.example/api/status HTTP/1.1\r\nHost: evil.example\r\n${auth}`,
  );
  expect(absolute).not.toStartWith("HTTP/1.1 200");
  const absent = await raw(run.port, `GET /api/status HTTP/1.1\r\n${auth}`);
  expect(absent).not.toStartWith("HTTP/1.1 200");
  expect(foreign + absolute + absent).not.toContain(run.token);
});

test("a port in use and a host that means every interface are refused in an operator's words", () => {
  const { run } = start();
  expect(() => start({ port: run.port })).toThrow(
    `[admin] port ${run.port} on 127.0.0.1 is in use; expected a free`,
  );
  expect(() => start({ host: "0.0.0.0" })).toThrow("expected one address");
  expect(() => start({ tokens: { control: "same", read: "same" } })).toThrow("must differ");
});

test("the live stream pushes at least two states a second and ends with the server", async () => {
  const { url, run } = start();
  const response = await fetch(`${url}/api/live`, { headers: { authorization: `Bearer ${run.readToken}` } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const begin = performance.now();
  let text = "";
  while ((text.match(/event: state/g) ?? []).length < 4) text += (await reader.read()).value ?? "";
  expect(performance.now() - begin).toBeLessThan(3 * 500 + 1000);
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  await server!.stop();
  server = null;
  await rest.catch(() => {});
});

test("a listener that disconnects is forgotten", async () => {
  const { url, run } = start({ livePeriodMs: 20 });
  const headers = { authorization: `Bearer ${run.readToken}` };
  for (let i = 0; i < 40; i++) {
    const abort = new AbortController();
    const response = await fetch(`${url}/api/live`, { headers, signal: abort.signal });
    expect(response.status).toBe(200);
    await response.body!.getReader().read();
    abort.abort();
    await Bun.sleep(25);
  }
});
