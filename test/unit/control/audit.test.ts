import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AUDIT_FILE, type AuditEntry, AuditLog } from "../../../src/control/audit-log.ts";
import { auditedControl } from "../../../src/control/audited-control.ts";
import type { Actor } from "../../../src/control/engine-control.ts";
import { MemoryEngine } from "../admin/memory-engine.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-audit-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const DESK: Actor = { who: "api:desk", scope: "control", why: "news at 14:00\n{}" };
const lines = (): (AuditEntry & { at: string })[] =>
  readFileSync(join(dir, AUDIT_FILE), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

const unwritable = {
  append: () => {
    throw new Error("ENOSPC");
  },
};

test("each command leaves what was asked, by whom, why, and what it changed", async () => {
  const log = new AuditLog(dir, () => new Date(0));
  const control = auditedControl(new MemoryEngine(), log, () => {});
  await control.pause("maker", { keepOrders: true }, DESK);
  await control.setLimits("maker", { maxPosition: "0.01" }, DESK);
  log.close();
  const [begun, paused, , limited] = lines();
  expect(begun).toMatchObject({ command: "pause", code: "begun", ok: false, who: "api:desk", why: DESK.why });
  expect(paused).toMatchObject({
    at: "1970-01-01T00:00:00.000Z",
    command: "pause",
    target: "maker",
    arguments: { keepOrders: true },
    ok: true,
    before: { maker: "Running" },
    after: { maker: "Paused" },
  });
  expect(limited).toMatchObject({
    command: "setLimits",
    before: { maxPosition: "0.05" },
    after: { maxPosition: "0.01" },
  });
});

test("every command of the interface is audited, also one that throws", async () => {
  const log = new AuditLog(dir);
  const engine = new MemoryEngine();
  const control = auditedControl(engine, log, () => {});
  await control.resume("all", DESK);
  await control.stop("nobody", DESK);
  await control.kill(DESK);
  await control.emergencyStop({ cancelOrders: true, closePosition: false }, DESK);
  await control.rearm(DESK);
  await control.setParameters("maker", { levels: "2" }, DESK);
  await control.cancelAll("all", DESK);
  await control.shutdown({ keep: false }, DESK);
  engine.broken = true;
  const result = await control.pause("maker", { keepOrders: false }, DESK);
  log.close();
  expect(result).toMatchObject({ ok: false, code: "failed", ordersMayBeWorking: true });
  const outcomes = lines().filter((l) => l.code !== "begun");
  expect(outcomes.map((l) => `${l.command} ${l.code}`)).toEqual([
    "resume done",
    "stop notFound",
    "kill done",
    "emergencyStop done",
    "rearm done",
    "setParameters done",
    "cancelAll done",
    "shutdown done",
    "pause failed",
  ]);
});

test("without an audit log the safer commands run and the others are refused", async () => {
  const engine = new MemoryEngine();
  const lost: string[] = [];
  const control = auditedControl(engine, unwritable, (command) => lost.push(command));
  expect((await control.kill(DESK)).ok).toBe(true);
  expect((await control.pause("maker", { keepOrders: false }, DESK)).ok).toBe(true);
  const rearm = await control.rearm(DESK);
  expect(rearm).toMatchObject({ ok: false, code: "refused" });
  expect(rearm.message).toContain("ENOSPC");
  expect(engine.health().kill).toBe("killed");
  expect(new Set(lost)).toEqual(new Set(["kill", "pause", "rearm"]));
});

test("the file is the owner's alone, is continued, and a torn last line is ended", () => {
  const path = join(dir, AUDIT_FILE);
  appendFileSync(path, '{"torn":');
  chmodSync(path, 0o666);
  const log = new AuditLog(dir);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  log.append({} as AuditEntry);
  log.close();
  log.close();
  expect(readFileSync(path, "utf8")).toMatch(/^\{"torn":\n\{"at":".*"\}\n$/);
  expect(() => log.append({} as AuditEntry)).toThrow("closed");
});

test("a link in place of the file is not followed", () => {
  symlinkSync(join(dir, "elsewhere"), join(dir, AUDIT_FILE));
  expect(() => new AuditLog(dir)).toThrow();
});
