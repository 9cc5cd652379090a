import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  findInstance,
  isSameProcess,
  processStartTicks,
  type RunInfo,
  removeRunFile,
  runFilePath,
  writeRunFile,
} from "../../../src/control/run-file.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-run-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const info = (over: Partial<RunInfo> = {}): RunInfo => ({
  pid: process.pid,
  host: "127.0.0.1",
  port: 4711,
  token: "secret-token",
  readToken: "read-token",
  env: "sim",
  startedAt: "2026-11-21T00:00:00.000Z",
  startTicks: processStartTicks(process.pid)!,
  dataDir: dir,
  ...over,
});

test("the file is written whole, for the owner alone, and names the running instance", () => {
  const path = writeRunFile(info());
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(["run.json"]);
  expect(findInstance(dir)).toEqual({ kind: "running", run: info() });
});

test("an instance whose process is gone is stale", async () => {
  const child = Bun.spawn(["sleep", "0"]);
  await child.exited;
  writeRunFile(info({ pid: child.pid }));
  expect(findInstance(dir).kind).toBe("stale");
});

test("a pid that another process uses by now is stale", () => {
  writeRunFile(info({ startTicks: info().startTicks - 1 }));
  expect(findInstance(dir).kind).toBe("stale");
  expect(isSameProcess(process.pid, processStartTicks(process.pid)!)).toBe(true);
});

test("no file means no instance", () => {
  expect(findInstance(dir)).toEqual({ kind: "none" });
  expect(findInstance(join(dir, "absent"))).toEqual({ kind: "none" });
});

test("a file that others may write, or that is not ours, is refused without quoting it", () => {
  writeRunFile(info());
  chmodSync(runFilePath(dir), 0o666);
  expect(findInstance(dir)).toMatchObject({ kind: "bad", problem: expect.stringContaining("expected 600") });
  chmodSync(runFilePath(dir), 0o600);
  writeFileSync(runFilePath(dir), `{"token":"secret-token","pid":"x"`);
  const torn = findInstance(dir);
  expect(torn.kind).toBe("bad");
  expect(JSON.stringify(torn)).not.toContain("secret-token");
  writeFileSync(runFilePath(dir), JSON.stringify({ ...info(), port: 0, pid: -1 }));
  expect(findInstance(dir)).toMatchObject({ problem: expect.stringContaining("pid, port") });
});

test("removal leaves the file of a later instance alone", () => {
  writeRunFile(info({ startedAt: "2026-11-22T00:00:00.000Z" }));
  removeRunFile(info());
  expect(existsSync(runFilePath(dir))).toBe(true);
  removeRunFile(info({ startedAt: "2026-11-22T00:00:00.000Z" }));
  expect(existsSync(runFilePath(dir))).toBe(false);
  removeRunFile(info());
});
