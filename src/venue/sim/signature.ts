// API keys and the check of signed requests. REST signs the query string and the body as sent, without the
// signature; the WS API signs its parameters sorted by name. HMAC-SHA256 in hex, or Ed25519 in base64.
import { createPublicKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import {
  type ApiError,
  BAD_API_KEY_FORMAT,
  BAD_SIGNATURE,
  missing,
  REJECTED_API_KEY,
  TIMESTAMP_AHEAD,
  TIMESTAMP_OUTSIDE,
} from "./api-error.ts";

type Key =
  | { readonly kind: "hmac"; readonly secret: string }
  | { readonly kind: "ed25519"; readonly publicKey: KeyObject };

const DEFAULT_RECV_WINDOW_MS = 5_000;
const MAX_RECV_WINDOW_MS = 60_000;
const MAX_AHEAD_MS = 1_000;
const HMAC_HEX = /^[0-9a-fA-F]{64}$/;

export class KeyRing {
  private readonly keys = new Map<string, Key>();

  addHmac(apiKey: string, secret: string): void {
    this.keys.set(apiKey, { kind: "hmac", secret });
  }

  /** `pem` is a SubjectPublicKeyInfo; throws when it is not an Ed25519 public key. */
  addEd25519(apiKey: string, pem: string): void {
    const publicKey = createPublicKey(pem);
    if (publicKey.asymmetricKeyType !== "ed25519")
      throw new Error(`key ${apiKey}: not an Ed25519 public key`);
    this.keys.set(apiKey, { kind: "ed25519", publicKey });
  }

  /** null when the key may be used. */
  checkKey(apiKey: string | null | undefined): ApiError | null {
    if (!apiKey) return BAD_API_KEY_FORMAT;
    return this.keys.has(apiKey) ? null : REJECTED_API_KEY;
  }

  /** Only Ed25519 keys may log a session on. */
  mayLogOn(apiKey: string): boolean {
    return this.keys.get(apiKey)?.kind === "ed25519";
  }

  checkSignature(apiKey: string, payload: string, signature: string | undefined): ApiError | null {
    const key = this.keys.get(apiKey);
    if (key === undefined) return REJECTED_API_KEY;
    if (!signature) return missing("signature");
    if (key.kind === "hmac") return hmacMatches(key.secret, payload, signature) ? null : BAD_SIGNATURE;
    const bytes = Buffer.from(signature, "base64");
    return verify(null, Buffer.from(payload), key.publicKey, bytes) ? null : BAD_SIGNATURE;
  }
}

function hmacMatches(secret: string, payload: string, signature: string): boolean {
  const expected = new Bun.CryptoHasher("sha256", secret).update(payload).digest("hex");
  // Hexadecimal only: any other text may have another length in bytes, which timingSafeEqual refuses by throwing.
  if (!HMAC_HEX.test(signature)) return false;
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature.toLowerCase()));
}

export function checkTimestamp(
  timestamp: string | undefined,
  recvWindow: string | undefined,
  nowMs: number,
): ApiError | null {
  if (timestamp === undefined || !/^\d{1,16}$/.test(timestamp)) return missing("timestamp");
  const window = recvWindow === undefined || recvWindow === "" ? DEFAULT_RECV_WINDOW_MS : Number(recvWindow);
  if (!(window >= 0 && window <= MAX_RECV_WINDOW_MS)) return missing("recvWindow");
  const sentMs = Number(timestamp);
  if (sentMs > nowMs + MAX_AHEAD_MS) return TIMESTAMP_AHEAD;
  return nowMs - sentMs > window ? TIMESTAMP_OUTSIDE : null;
}

/** Query string and body as signed: joined without a separator, the signature taken out. */
export function restPayload(query: string, body: string): { payload: string; signature: string | undefined } {
  let signature: string | undefined;
  const strip = (part: string) =>
    part
      .split("&")
      .filter((pair) => {
        if (!pair.startsWith("signature=")) return true;
        signature = decoded(pair.slice("signature=".length));
        return false;
      })
      .join("&");
  const payload = strip(query) + strip(body);
  return { payload, signature };
}

/** A text that is not percent-encoding stays as it is: it verifies as no signature. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** WS API parameters as signed. */
export function sortedPayload(params: Readonly<Record<string, string>>, encode: boolean): string {
  return Object.keys(params)
    .filter((name) => name !== "signature")
    .sort()
    .map((name) => `${name}=${encode ? encodeURIComponent(params[name]!) : params[name]}`)
    .join("&");
}
