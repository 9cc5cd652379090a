// API credentials from the environment or a file that only its owner can read. They exist in one object that
// prints as redacted text however it is logged; the values leave it only to the signer.
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";

const REDACTED = "[redacted]";

export type SigningKind = "hmac" | "ed25519";

/** Thrown for missing, contradictory or badly protected credentials; the message never holds a secret. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}

export class Credentials {
  readonly kind: SigningKind;
  readonly #apiKey: string;
  readonly #secret: string;

  /** `secret`: the HMAC secret, or the Ed25519 private key in PEM. */
  constructor(kind: SigningKind, apiKey: string, secret: string) {
    this.kind = kind;
    this.#apiKey = apiKey;
    this.#secret = secret;
  }

  /** For request headers and parameters. */
  revealApiKey(): string {
    return this.#apiKey;
  }

  /** For the signer only. */
  revealSecret(): string {
    return this.#secret;
  }

  toString(): string {
    return `Credentials(${this.kind}, ${REDACTED})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Fields {
  readonly apiKey: string | undefined;
  readonly apiSecret: string | undefined;
  readonly privateKey: string | undefined;
}

/** HOTLANE_API_KEY with HOTLANE_API_SECRET (HMAC) or HOTLANE_PRIVATE_KEY (Ed25519, PEM). Null: none is set. */
export function credentialsFromEnvironment(env: Environment): Credentials | null {
  const fields = {
    apiKey: env["HOTLANE_API_KEY"],
    apiSecret: env["HOTLANE_API_SECRET"],
    privateKey: env["HOTLANE_PRIVATE_KEY"],
  };
  if (!fields.apiKey && !fields.apiSecret && !fields.privateKey) return null;
  return fromFields(
    fields,
    "the environment",
    "HOTLANE_API_KEY",
    "HOTLANE_API_SECRET",
    "HOTLANE_PRIVATE_KEY",
  );
}

/** JSON file `{"apiKey", "apiSecret"}` or `{"apiKey", "privateKey"}`, mode 0600 or stricter. */
export async function credentialsFromFile(path: string): Promise<Credentials> {
  const mode = modeOf(path);
  if ((mode & 0o077) !== 0) {
    const octal = mode.toString(8).padStart(4, "0");
    throw new CredentialsError(
      `${path}: mode ${octal} lets others read it; expected 0600 (chmod 600 ${path})`,
    );
  }
  let fields: Fields;
  try {
    fields = JSON.parse(await readFile(path, "utf8")) as Fields;
  } catch {
    // The parser's message quotes the text, which holds the secret.
    throw new CredentialsError(`${path}: not a JSON object with apiKey and apiSecret or privateKey`);
  }
  return fromFields(fields, path, "apiKey", "apiSecret", "privateKey");
}

function modeOf(path: string): number {
  try {
    return statSync(path).mode & 0o777;
  } catch (error) {
    throw new CredentialsError(`${path}: ${(error as NodeJS.ErrnoException).code ?? "cannot be read"}`);
  }
}

function fromFields(
  f: Fields,
  where: string,
  keyName: string,
  secretName: string,
  privateName: string,
): Credentials {
  const text = (value: unknown): value is string => typeof value === "string" && value !== "";
  if (!text(f.apiKey)) throw new CredentialsError(`${where}: ${keyName} is missing`);
  if (!/^[\x21-\x7e]+$/.test(f.apiKey) || /["\\]/.test(f.apiKey)) {
    throw new CredentialsError(`${where}: ${keyName} holds characters that no venue key has`);
  }
  if (text(f.apiSecret) && text(f.privateKey)) {
    throw new CredentialsError(
      `${where}: both ${secretName} and ${privateName} are set; expected one of them`,
    );
  }
  if (text(f.privateKey)) return new Credentials("ed25519", f.apiKey, f.privateKey);
  if (text(f.apiSecret)) return new Credentials("hmac", f.apiKey, f.apiSecret);
  throw new CredentialsError(`${where}: ${secretName} or ${privateName} is missing`);
}
