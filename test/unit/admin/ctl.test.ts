// ctl's commands in this process, against the real server over the in-memory engine; as a program it is tested
// in test/e2e/admin-ctl.test.ts.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdminServer, startAdmin } from "../../../src/admin/admin-server.ts";
import { runCtl } from "../../../src/cli/ctl.ts";
import { CtlError } from "../../../src/cli/ctl-session.ts";
import { printable, resultText, table } from "../../../src/cli/ctl-tables.ts";
import { AuditLog } from "../../../src/control/audit-log.ts";
import { auditedControl } from "../../../src/control/audited-control.ts";
import { failed } from "../../../src/control/command-results.ts";
import { runFilePath } from "../../../src/control/run-file.ts";
import { openKillWord } from "../../../src/risk/kill-word.ts";
import { KILL_KILLED } from "../../../src/wire/codes.ts";
import { MemoryEngine } from "./memory-engine.ts";

let dir = "";
let engine: MemoryEngine;
let audit: AuditLog;
let server: AdminServer;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-ctl-"));
  engine = new MemoryEngine();
  audit = new AuditLog(dir);
  const control = auditedControl(engine, audit, () => {});
  server = startAdmin({ control, audit, dataDir: dir, env: "sim", version: "0.1.0", onError: () => {} });
});
afterEach(async () => {
  await server.stop();
  audit.close();
  rmSync(dir, { recursive: true, force: true });
});

async function ctl(...args: string[]): Promise<{ code: number; out: string }> {
  const said: string[] = [];
  const code = await runCtl([...args, "--data-dir", dir], (text) => said.push(text));
  return { code, out: said.join("\n") };
}

/** The exit code and words of a command that ends with an error. */
async function refusalOf(...args: string[]): Promise<[number, string]> {
  try {
    const { code } = await ctl(...args);
    return [code, "no error"];
  } catch (error) {
    if (!(error instanceof CtlError)) throw error;
    return [error.exitCode, error.message];
  }
}

test("each view becomes a table of aligned columns", async () => {
  expect((await ctl("orders", "--limit", "1")).out).toBe(
    [
      "  client id   strategy  instrument  side    price    qty  leaves  state    tif  updated",
      "  h0-maker-0  maker     BTCUSDT     buy   61234.5  0.002   0.002  working  gtx  00:00:00.000",
    ].join("\n"),
  );
  expect((await ctl("fills", "--limit", "1")).out).toContain("61230.1  0.002  0.0061  USDT  maker");
  expect((await ctl("positions")).out).toMatch(/maker +BTCUSDT +-0\.004 +61230\.1/);
  expect((await ctl("latency")).out).toMatch(/tickToOrder +execution +4\.03 +90\.11/);
  expect((await ctl("why", "maker")).out).toContain("gate  priceBand");
  expect((await ctl("set", "maker")).out).toContain("join|improve");
  expect((await ctl("limits", "maker")).out).toMatch(/maxPosition +0\.05/);
  expect((await ctl("top", "--count", "1")).out).toContain(
    "kill word armed  reconciled yes  storm NORMAL  drops 0",
  );
  expect(table(["a"], [])).toBe("  none");
});

test("commands change the engine and print before and after", async () => {
  expect((await ctl("pause", "maker", "--keep")).out).toBe(
    "ok: maker: done (now Paused)\n  before maker=Running\n  after  maker=Paused",
  );
  expect(engine.status().strategies[0]).toMatchObject({ state: "Paused", workingOrders: 2 });
  await ctl("cancel-all", "maker");
  expect(engine.status().strategies[0]!.workingOrders).toBe(0);
  await ctl("resume");
  await ctl("set", "maker", "levels=4", "--why", "test");
  expect(engine.parameters("maker")!.values["levels"]).toBe("4");
  expect(engine.actors.at(-1)).toMatchObject({ scope: "control", why: "test" });
  expect((await ctl("emergency", "--json")).out).toContain('"after":"emergency"');
  expect((await ctl("rearm")).code).toBe(0);
});

test("kill stores the word and its reason, and says whether the engine confirmed", async () => {
  const killed = await ctl("kill", "--why", "drill", "--timeout", "soon");
  expect([killed.code, killed.out.split("\n")[0]]).toEqual([0, "killed, confirmed"]);
  expect(openKillWord(dir).view()).toMatchObject({
    state: KILL_KILLED,
    reason: expect.stringContaining("drill (ctl:"),
  });
  engine.broken = true;
  const again = await ctl("kill", "--json");
  expect(again.code).toBe(4);
  expect(JSON.parse(again.out)).toMatchObject({ stored: true, confirmed: false, ordersMayBeWorking: true });
  writeFileSync(runFilePath(dir), "{}");
  expect((await ctl("kill")).out).toContain("the instance cannot be asked");
});

test("refusals carry the exit code of their kind", async () => {
  await ctl("kill");
  expect((await ctl("resume")).code).toBe(1);
  expect((await ctl("stop", "nobody")).code).toBe(2);
  engine.broken = true;
  expect((await ctl("stop")).code).toBe(4);
  expect(await refusalOf("set", "maker", "levels=99")).toEqual([
    2,
    'body.values.levels: cannot be "99"; expected int in 1 … 10',
  ]);
  expect(await refusalOf("set", "maker", "=1")).toEqual([2, '"=1": expected NAME=VALUE']);
  expect(await refusalOf("orders", "--limit", "0")).toEqual([2, expect.stringContaining("query.limit")]);
  expect(await refusalOf("top", "--count", "0")).toEqual([2, expect.stringContaining("--count")]);
  expect(await refusalOf("kill", "maker")).toEqual([2, expect.stringContaining("NOTHING WAS KILLED")]);
  expect(await refusalOf("toString")).toEqual([2, 'no command "toString"']);
  expect(await refusalOf("shutdown", "--timeout", "1")).toEqual([
    4,
    expect.stringContaining("has not ended in time"),
  ]);
  writeFileSync(runFilePath(dir), "{}");
  expect(await refusalOf("status")).toEqual([1, expect.stringContaining("not a run file")]);
});

test("text from the engine cannot steer the terminal", () => {
  expect(printable("a\x1b[2Jb\u202ec\n")).toBe("a·[2Jb·c·");
  expect(resultText(failed("x\x1b[0m", "Error"))).toBe(
    "FAILED: x·[0m (now Error)\n  ORDERS MAY BE WORKING at the venue",
  );
});
