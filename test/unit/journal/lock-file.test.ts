import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockDataDir } from "../../../src/journal/lock-file.ts";
import { makeDir, removeDir } from "./wal-fixture.ts";

let dir: string;
beforeEach(() => {
  dir = makeDir();
});
afterEach(() => removeDir(dir));

const HOLDER = `
import { lockDataDir } from ${JSON.stringify(join(import.meta.dir, "../../../src/journal/lock-file.ts"))};
const result = lockDataDir(process.argv[1]);
console.log(result.ok ? "held" : result.error);
if (result.ok) await Bun.stdin.text();
`;

async function startHolder(): Promise<{ child: Bun.Subprocess<"pipe", "pipe", "inherit">; said: string }> {
  const child = Bun.spawn([process.execPath, "-e", HOLDER, dir], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value).trim() };
}

describe("lockDataDir", () => {
  test("one process holds a directory; a second one is told the holder's pid; kill -9 frees it", async () => {
    const { child, said } = await startHolder();
    expect(said).toBe("held");
    const second = lockDataDir(dir);
    expect(second).toEqual({
      ok: false,
      pid: child.pid,
      error: `${dir}: in use by another hotlane process (pid ${child.pid})`,
    });
    child.kill("SIGKILL");
    await child.exited;
    const third = lockDataDir(dir);
    expect(third.ok).toBe(true);
    expect(readFileSync(join(dir, "lock"), "utf8")).toBe(`${process.pid}\n`);
    if (third.ok) third.lock.release();
  });

  test("also within one process, and release gives it back", () => {
    const first = lockDataDir(join(dir, "made", "when", "absent"));
    const second = lockDataDir(join(dir, "made", "when", "absent"));
    expect([first.ok, second.ok]).toEqual([true, false]);
    if (first.ok) {
      first.lock.release();
      first.lock.release();
      expect(existsSync(first.lock.file)).toBe(true);
    }
    const third = lockDataDir(join(dir, "made", "when", "absent"));
    expect(third.ok).toBe(true);
    if (third.ok) third.lock.release();
  });

  test("a lock file left by a dead process does not lock", () => {
    writeFileSync(join(dir, "lock"), "999999\n");
    const result = lockDataDir(dir);
    expect(result.ok).toBe(true);
    if (result.ok) result.lock.release();
  });

  test("a path that cannot be a directory is an error, not an exception", () => {
    writeFileSync(join(dir, "file"), "");
    const result = lockDataDir(join(dir, "file"));
    expect(!result.ok && result.error).toMatch(/cannot be used as data directory \((EEXIST|ENOTDIR)\)/);
  });
});
