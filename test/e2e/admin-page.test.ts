// The live status page in a real browser; skipped where there is none. About 6 s: each test starts a browser.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdminServer, startAdmin } from "../../src/admin/admin-server.ts";
import { AuditLog } from "../../src/control/audit-log.ts";
import { auditedControl } from "../../src/control/audited-control.ts";
import { HOSTILE_TEXT, MemoryEngine } from "../unit/admin/memory-engine.ts";
import { Browser, CHROMIUM } from "./admin-browser.ts";

const pageTest = (name: string, body: () => Promise<void>) =>
  test.skipIf(CHROMIUM === null)(name, body, 40_000);

let dir = "";
let audit: AuditLog;
let engine: MemoryEngine;
let server: AdminServer;
let browser: Browser | null = null;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-page-"));
  audit = new AuditLog(dir);
  engine = new MemoryEngine();
  const control = auditedControl(engine, audit, () => {});
  const livePeriodMs = 100;
  server = startAdmin({
    control,
    audit,
    dataDir: dir,
    env: "sim",
    version: "0.1.0",
    livePeriodMs,
    onError: () => {},
  });
});
afterEach(async () => {
  await browser?.close();
  browser = null;
  await server.stop();
  audit.close();
  rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
});

const open = async (url: string): Promise<Browser> => {
  browser = await Browser.open(join(dir, "profile"), url);
  return browser;
};
const text = (id: string): string => `document.getElementById("${id}").textContent`;
const click = (selector: string): string => `document.querySelector(${JSON.stringify(selector)}).click()`;

pageTest(
  "the page draws the state, shows hostile text as text and drops the token from its address",
  async () => {
    const page = await open(server.pageUrl);
    await page.until(`!document.getElementById("state").hidden`);
    for (const [id, expected] of [
      ["instruments", "61234.5"],
      ["strategies", HOSTILE_TEXT],
      ["factors", "0.25"],
      ["positions", "-0.004"],
      ["pnl", "1.2199"],
      ["orders", "h0-maker-0"],
      ["fills", "61230.1"],
      ["latency", "tickToOrder"],
      ["lanes", "execution"],
      ["journal", "3 / 16384"],
      ["kill", "kill: armed"],
    ] as const)
      expect(await page.evaluate(text(id))).toContain(expected);
    expect(await page.evaluate(`document.querySelectorAll("img").length`)).toBe(0);
    expect(await page.evaluate("document.title")).toBe("hotlane sim");
    expect(await page.evaluate("location.href")).toBe(`${server.url}/`);
    expect(await page.evaluate("document.documentElement.outerHTML")).not.toContain(server.run.token);
    expect(page.complaints).toEqual([]);
  },
);

pageTest("its buttons pause, kill with a reason after a question, show refusals, and rearm", async () => {
  const page = await open(server.pageUrl);
  await page.until(`document.querySelector("td button")`);
  await page.evaluate(click(`button[data-command="pause"][data-strategy="maker"]`));
  await page.until(`${text("strategies")}.includes("Paused")`);
  expect(engine.actors.at(-1)).toEqual({ who: "api:page", scope: "control", why: "" });
  await page.evaluate(click(`button[data-command="kill"]`));
  await page.evaluate(click("#confirm-back"));
  expect(engine.kill_).toBe("armed");
  await page.evaluate(click(`button[data-command="kill"]`));
  await page.evaluate(`document.getElementById("why").value = "drill"`);
  await page.evaluate(click("#confirm-yes"));
  await page.until(`${text("kill")} === "kill: killed"`);
  expect(engine.actors.at(-1)!.why).toBe("drill");
  expect(await page.evaluate("document.title")).toBe("KILLED hotlane sim");
  await page.evaluate(click(`button[data-command="resume"][data-strategy="all"]`));
  await page.until(`${text("notice")} === "resume: kill word is killed: rearm first"`);
  await page.evaluate(click(`button[data-command="rearm"]`));
  await page.evaluate(click("#confirm-yes"));
  await page.until(`${text("kill")} === "kill: armed"`);
  // The refusal above is a 409, which Chromium itself logs.
  expect(page.complaints.filter((c) => !c.includes("409"))).toEqual([]);
});

pageTest("without a token it asks for one, refuses a wrong one, and takes the right one", async () => {
  const page = await open(`${server.url}/`);
  const submit = (token: string) =>
    page.evaluate(`document.getElementById("token").value = "${token}";
      document.getElementById("login").requestSubmit()`);
  await page.until(`!document.getElementById("login").hidden`);
  expect(await page.evaluate(`document.getElementById("state").hidden`)).toBe(true);
  await submit("wrong");
  await page.until(`${text("notice")}.includes("not one of the running session")`);
  expect(await page.evaluate(`document.getElementById("state").hidden`)).toBe(true);
  await submit(server.run.readToken);
  await page.until(`!document.getElementById("state").hidden && document.getElementById("login").hidden`);
});

pageTest("when the engine goes silent the figures fade and the header says so", async () => {
  const page = await open(server.pageUrl);
  await page.until(`!document.getElementById("state").hidden`);
  await server.stop();
  await page.until(`document.getElementById("state").classList.contains("stale")`);
  expect(await page.evaluate(text("health"))).toMatch(/no data for \d+ s|not connected/);
});
