// Request signatures. HMAC-SHA256 over preallocated blocks (two plain SHA-256 passes: Bun's HMAC object cannot
// be used again after digest, so it would be built per order); Ed25519 through node:crypto, which allocates
// and is meant for the session log-on and for REST. Hot (signInto, HMAC): execution lane.
//
// HMAC(k, m) = H(k ⊕ opad ‖ H(k ⊕ ipad ‖ m)); RFC 2104.
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { type Credentials, CredentialsError, type SigningKind } from "./credentials.ts";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const HEX = new TextEncoder().encode("0123456789abcdef");

/** Longest text that signInto takes. */
export const SIGNED_BYTES_MAX = 1024;
/** Bytes of a signature in hexadecimal. */
export const HMAC_HEX_BYTES = DIGEST_BYTES * 2;

export class Signer {
  readonly kind: SigningKind;
  private readonly inner: Uint8Array;
  private readonly outer: Uint8Array;
  private readonly digest: Uint8Array;
  /** Views of `inner` by length, made once each: a view per order would be garbage. */
  private readonly innerViews: (Uint8Array | undefined)[];
  private readonly key: KeyObject | null;

  constructor(credentials: Credentials) {
    this.kind = credentials.kind;
    this.inner = new Uint8Array(new ArrayBuffer(BLOCK_BYTES + SIGNED_BYTES_MAX));
    this.outer = new Uint8Array(new ArrayBuffer(BLOCK_BYTES + DIGEST_BYTES));
    this.digest = new Uint8Array(new ArrayBuffer(DIGEST_BYTES));
    this.innerViews = new Array<Uint8Array | undefined>(BLOCK_BYTES + SIGNED_BYTES_MAX + 1).fill(undefined);
    this.key = this.kind === "ed25519" ? privateKey(credentials) : null;
    if (this.kind === "hmac") this.prepare(credentials);
  }

  /** Signature of ASCII text as a venue parameter: hexadecimal for HMAC, base64 for Ed25519. */
  signText(text: string): string {
    if (this.key !== null) return sign(null, Buffer.from(text), this.key).toString("base64");
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > SIGNED_BYTES_MAX)
      throw new RangeError(`text to sign is longer than ${SIGNED_BYTES_MAX}`);
    const out = new Uint8Array(HMAC_HEX_BYTES);
    this.signInto(bytes, 0, bytes.length, out, 0);
    return new TextDecoder().decode(out);
  }

  /** HMAC of `text[start … end)` as hexadecimal at `out[at]`; returns the position after it. HMAC only. */
  signInto(text: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const inner = this.inner;
    const length = BLOCK_BYTES + end - start;
    for (let i = start, o = BLOCK_BYTES; i < end; i++, o++) inner[o] = text[i]!;
    Bun.SHA256.hash(this.innerView(length), this.digest);
    for (let i = 0; i < DIGEST_BYTES; i++) this.outer[BLOCK_BYTES + i] = this.digest[i]!;
    Bun.SHA256.hash(this.outer, this.digest);
    for (let i = 0; i < DIGEST_BYTES; i++) {
      const byte = this.digest[i]!;
      out[at + i * 2] = HEX[byte >> 4]!;
      out[at + i * 2 + 1] = HEX[byte & 15]!;
    }
    return at + HMAC_HEX_BYTES;
  }

  private innerView(length: number): Uint8Array {
    const known = this.innerViews[length];
    if (known !== undefined) return known;
    const view = this.inner.subarray(0, length);
    this.innerViews[length] = view;
    return view;
  }

  private prepare(credentials: Credentials): void {
    let key: Uint8Array = new TextEncoder().encode(credentials.revealSecret());
    if (key.length > BLOCK_BYTES) key = Bun.SHA256.hash(key) as Uint8Array;
    for (let i = 0; i < BLOCK_BYTES; i++) {
      const byte = key[i] ?? 0;
      this.inner[i] = byte ^ 0x36;
      this.outer[i] = byte ^ 0x5c;
    }
  }
}

function privateKey(credentials: Credentials): KeyObject {
  try {
    const key = createPrivateKey(credentials.revealSecret());
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // The cause would quote the key.
  }
  throw new CredentialsError("the private key is not an Ed25519 key in PEM");
}
