import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  credentialsFromEnvironment,
  credentialsFromFile,
} from "../../../../src/venue/binance/credentials.ts";

const folder = mkdtempSync(join(tmpdir(), "hotlane-credentials-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const SECRET = "top-secret-value";

test("the environment gives HMAC or Ed25519 credentials, or none", () => {
  expect(credentialsFromEnvironment({})).toBeNull();
  expect(credentialsFromEnvironment({ HOTLANE_API_KEY: "k", HOTLANE_API_SECRET: SECRET })?.kind).toBe("hmac");
  expect(credentialsFromEnvironment({ HOTLANE_API_KEY: "k", HOTLANE_PRIVATE_KEY: SECRET })?.kind).toBe(
    "ed25519",
  );
});

test.each([
  [{ HOTLANE_API_KEY: "k" }, /HOTLANE_API_SECRET or HOTLANE_PRIVATE_KEY is missing/],
  [{ HOTLANE_API_SECRET: SECRET }, /HOTLANE_API_KEY is missing/],
  [{ HOTLANE_API_KEY: "k", HOTLANE_API_SECRET: SECRET, HOTLANE_PRIVATE_KEY: "p" }, /expected one of them/],
  [{ HOTLANE_API_KEY: 'a"b', HOTLANE_API_SECRET: SECRET }, /characters/],
])("an incomplete environment is refused by name, without the secret", (env, message) => {
  expect(() => credentialsFromEnvironment(env)).toThrow(message);
  try {
    credentialsFromEnvironment(env);
  } catch (error) {
    expect(String(error)).not.toContain(SECRET);
  }
});

test("a 0600 file is read; a wider one is refused with the remedy", async () => {
  const text = JSON.stringify({ apiKey: "k", apiSecret: SECRET });
  expect((await credentialsFromFile(file("good.json", text, 0o600))).revealSecret()).toBe(SECRET);
  expect(credentialsFromFile(file("wide.json", text, 0o644))).rejects.toThrow(/mode 0644.*0600.*chmod/);
  expect(credentialsFromFile(file("group.json", text, 0o640))).rejects.toThrow(/mode 0640/);
});

test("a broken file is refused without quoting it", async () => {
  const failure = await credentialsFromFile(file("bad.json", `{"apiSecret": ${SECRET}`, 0o600)).catch(String);
  expect(failure).toContain("not a JSON object");
  expect(failure).not.toContain(SECRET);
  expect(credentialsFromFile(join(folder, "none.json"))).rejects.toThrow(/ENOENT/);
});

test("credentials never print, however they are looked at", async () => {
  const c = await credentialsFromFile(
    file("c.json", JSON.stringify({ apiKey: "the-key", apiSecret: SECRET }), 0o600),
  );
  const views = [
    String(c),
    `${c}`,
    JSON.stringify({ c }),
    inspect(c),
    inspect({ c }, { showHidden: true, depth: 9 }),
  ];
  views.push(JSON.stringify(Object.entries(c)), Bun.inspect(c), Bun.inspect({ deep: { c } }));
  for (const view of views) {
    expect(view).not.toContain(SECRET);
    expect(view).not.toContain("the-key");
  }
});
