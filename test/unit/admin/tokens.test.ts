import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateTokens, permits, readTokenFile, TokenCheck } from "../../../src/admin/tokens.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hotlane-token-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("tokens are 32 random bytes each, and each has its scope", () => {
  const tokens = generateTokens();
  const check = new TokenCheck(tokens);
  expect(tokens.control).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(tokens.control).not.toBe(tokens.read);
  expect(check.scopeOf(`Bearer ${tokens.control}`)).toBe("control");
  expect(check.scopeOf(`bearer ${tokens.read}`)).toBe("read");
  for (const header of [
    undefined,
    "",
    "Bearer ",
    tokens.control,
    `Bearer  ${tokens.control}`,
    `Bearer ${tokens.read}é`,
  ])
    expect(check.scopeOf(header)).toBeNull();
  expect([permits("control", "read"), permits("read", "read"), permits("read", "control")]).toEqual([
    true,
    true,
    false,
  ]);
});

test("a token file is used only when it is the owner's alone, and is never quoted", () => {
  const path = join(dir, "token");
  writeFileSync(path, `${"t".repeat(40)}\n`, { mode: 0o600 });
  expect(readTokenFile(path)).toBe("t".repeat(40));
  chmodSync(path, 0o640);
  expect(() => readTokenFile(path)).toThrow("expected 600");
  chmodSync(path, 0o600);
  writeFileSync(path, "hunter2");
  expect(() => readTokenFile(path)).toThrow(/at least 32/);
  expect(() => readTokenFile(path)).not.toThrow(/hunter2/);
  expect(() => readTokenFile(join(dir, "absent"))).toThrow("ENOENT");
});
