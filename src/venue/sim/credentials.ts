// API key and secret of the simulated account. The secret comes from the environment or lives in a 0600 file;
// it is never in argv, a log or an error.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface Credentials {
  readonly apiKey: string;
  readonly secret: string;
}

const DEFAULT_API_KEY = "hotlane-sim";

/**
 * Order: HOTLANE_SIM_SECRET, then the file, then a new secret. What is used stands in the file afterwards
 * ({apiKey, apiSecret} JSON, 0600).
 * Throws Error when the file is readable by others or not of that shape.
 */
export function simCredentials(
  file: string,
  apiKey: string | undefined,
  secret: string | undefined,
): Credentials {
  if (secret !== undefined && secret !== "") {
    const given = { apiKey: apiKey ?? DEFAULT_API_KEY, secret };
    // A client that is only told the file's name finds the same key there.
    writeCredentials(file, given);
    return given;
  }
  if (existsSync(file)) {
    const stored = readCredentials(file);
    if (apiKey === undefined || apiKey === stored.apiKey) return stored;
  }
  const made = { apiKey: apiKey ?? DEFAULT_API_KEY, secret: randomBytes(32).toString("hex") };
  writeCredentials(file, made);
  return made;
}

function readCredentials(file: string): Credentials {
  if ((statSync(file).mode & 0o077) !== 0) throw new Error(`${file}: readable by others; expected mode 0600`);
  let stored: { apiKey?: unknown; apiSecret?: unknown };
  try {
    stored = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new Error(`${file}: expected JSON {"apiKey","apiSecret"}`);
  }
  if (typeof stored.apiKey !== "string" || typeof stored.apiSecret !== "string")
    throw new Error(`${file}: expected JSON {"apiKey","apiSecret"}`);
  return { apiKey: stored.apiKey, secret: stored.apiSecret };
}

function writeCredentials(file: string, c: Credentials): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify({ apiKey: c.apiKey, apiSecret: c.secret })}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
}
