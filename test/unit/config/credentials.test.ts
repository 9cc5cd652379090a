import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCredentials } from "../../../src/config/credentials.ts";

const dir = mkdtempSync(join(tmpdir(), "hotlane-credentials-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function fileOf(text: string, mode = 0o600): string {
  const file = join(dir, "credentials.toml");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe("loadCredentials", () => {
  test("takes the environment when no file is named", () => {
    const env = { HOTLANE_API_KEY: "k", HOTLANE_API_SECRET: "s" };
    expect(loadCredentials("", env)).toEqual({
      ok: true,
      credentials: { apiKey: "k", apiSecret: "s", privateKey: "" },
    });
    expect(loadCredentials("", {}).ok).toBe(false);
    expect(loadCredentials("", { ...env, HOTLANE_PRIVATE_KEY: "p" }).ok).toBe(false);
  });

  test("takes a 0600 file and refuses one that others can read", () => {
    expect(loadCredentials(fileOf('api_key = "k"\nprivate_key = "p"\n'))).toMatchObject({ ok: true });
    expect(loadCredentials(fileOf('api_key = "k"\napi_secret = "s"\n', 0o640))).toMatchObject({
      ok: false,
      error: expect.stringContaining("mode 0640, expected 0600"),
    });
  });

  test.each(['api_key = "hunter2"\napi_secret = \n', 'api_kee = "hunter2"\n', 'api_key = "hunter2"\n'])(
    "an error never repeats the secret: %j",
    (text) => {
      const result = loadCredentials(fileOf(text));
      expect(result.ok).toBe(false);
      expect(JSON.stringify(result)).not.toContain("hunter2");
    },
  );

  test("an absent file is named", () => {
    const result = loadCredentials(join(dir, "absent.toml"));
    expect(!result.ok && result.error).toContain("absent.toml: cannot be read (ENOENT)");
  });
});
