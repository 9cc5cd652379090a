// API credentials: from the environment, or from a file that nobody else can read. They are never part of
// HotlaneConfig, and no error repeats them. Cold code.
import { statSync } from "node:fs";
import { readToml, TomlSyntaxError } from "../core/toml.ts";

export interface Credentials {
  readonly apiKey: string;
  /** HMAC-SHA256 secret; "" when a private key signs. */
  readonly apiSecret: string;
  /** Ed25519 private key, PEM; "" when the secret signs. */
  readonly privateKey: string;
}

export type CredentialsResult =
  | { readonly ok: true; readonly credentials: Credentials }
  | { readonly ok: false; readonly error: string };

const FILE_KEYS = ["api_key", "api_secret", "private_key"] as const;

/**
 * `file`: venue.credentialsFile, "" = HOTLANE_API_KEY with HOTLANE_API_SECRET or HOTLANE_PRIVATE_KEY.
 * The file is TOML with api_key and api_secret or private_key, mode 0600.
 */
export function loadCredentials(
  file: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): CredentialsResult {
  if (file !== "") return readCredentials(file);
  const found = {
    apiKey: env["HOTLANE_API_KEY"] ?? "",
    apiSecret: env["HOTLANE_API_SECRET"] ?? "",
    privateKey: env["HOTLANE_PRIVATE_KEY"] ?? "",
  };
  return complete(found, "HOTLANE_API_KEY and HOTLANE_API_SECRET or HOTLANE_PRIVATE_KEY");
}

function readCredentials(file: string): CredentialsResult {
  try {
    const mode = statSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0)
      return {
        ok: false,
        error: `${file}: mode ${mode.toString(8).padStart(4, "0")}, expected 0600 (chmod 600)`,
      };
    const { value } = readToml(file);
    const unknown = Object.keys(value).filter((key) => !(FILE_KEYS as readonly string[]).includes(key));
    if (unknown.length > 0)
      return { ok: false, error: `${file}: unknown key ${unknown[0]}, expected ${FILE_KEYS.join(", ")}` };
    const [apiKey, apiSecret, privateKey] = FILE_KEYS.map((key) =>
      typeof value[key] === "string" ? value[key] : "",
    );
    return complete(
      { apiKey: apiKey!, apiSecret: apiSecret!, privateKey: privateKey! },
      `${file}: api_key and api_secret or private_key`,
    );
  } catch (error) {
    // A parser's message may quote the line, which holds the secret: only the place is told.
    if (error instanceof TomlSyntaxError)
      return { ok: false, error: `${file}:${error.line}: not valid TOML` };
    return {
      ok: false,
      error: `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`,
    };
  }
}

function complete(found: Credentials, expected: string): CredentialsResult {
  if (found.apiKey === "" || (found.apiSecret === "" && found.privateKey === ""))
    return { ok: false, error: `no credentials: expected ${expected}` };
  if (found.apiSecret !== "" && found.privateKey !== "")
    return { ok: false, error: `two ways to sign: expected ${expected}, not both` };
  return { ok: true, credentials: found };
}
