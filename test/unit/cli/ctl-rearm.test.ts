import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCtl } from "../../../src/cli/ctl.ts";
import { lockDataDir } from "../../../src/journal/lock-file.ts";
import { openKillWord } from "../../../src/risk/kill-word.ts";
import { KILL_ARMED, KILL_KILLED } from "../../../src/wire/codes.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-rearm-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const rearm = async (): Promise<string> => {
  const said: string[] = [];
  await runCtl(["rearm", "--data-dir", dir, "--why", "checked"], (text) => said.push(text));
  return said.join("\n");
};

test("without an instance the word is cleared under the lock, and the act is audited", async () => {
  const word = openKillWord(dir);
  word.latch(KILL_KILLED, "tester: enough", Date.now());
  expect(await rearm()).toContain("rearmed (it was set by: tester: enough)");
  expect(word.load()).toBe(KILL_ARMED);
  const line = JSON.parse(readFileSync(join(dir, "audit.jsonl"), "utf8"));
  expect(line).toMatchObject({
    command: "rearm",
    ok: true,
    why: "checked",
    before: KILL_KILLED,
    after: KILL_ARMED,
  });
  expect(await rearm()).toBe("the kill word is not set");
});

test("a directory without a kill word, or held by a process that is starting, is refused", async () => {
  expect(rearm()).rejects.toThrow("no kill word here");
  openKillWord(dir).latch(KILL_KILLED, "tester: enough", Date.now());
  const locked = lockDataDir(dir);
  expect(rearm()).rejects.toThrow("in use by another hotlane process");
  if (locked.ok) locked.lock.release();
  expect(openKillWord(dir).load()).toBe(KILL_KILLED);
});
