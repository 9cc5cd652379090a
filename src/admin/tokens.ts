// Bearer tokens. Two per session: `control` (which may also read) and `read` (for Prometheus and onlookers).
// Only digests are kept and compared, in constant time, so neither length nor prefix leaks.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type { Scope } from "../control/engine-control.ts";

const TOKEN_BYTES = 32;
const MIN_TOKEN_CHARACTERS = 32;
const READABLE_BY_OTHERS = 0o077;

export interface TokenPair {
  readonly control: string;
  readonly read: string;
}

/** 32 random bytes as 43 URL-safe characters. */
export function generateToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

export function generateTokens(): TokenPair {
  return { control: generateToken(), read: generateToken() };
}

/** The control token of a 0600 file. Throws an Error that names the file and never its content. */
export function readTokenFile(path: string): string {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    const { mode } = fstatSync(fd);
    if ((mode & READABLE_BY_OTHERS) !== 0)
      throw new Error(`${path}: others can use it (mode ${(mode & 0o777).toString(8)}), expected 600`);
    const token = readFileSync(fd, "utf8").trim();
    if (!/^[\x21-\x7e]+$/.test(token) || token.length < MIN_TOKEN_CHARACTERS)
      throw new Error(`${path}: expected one token of at least ${MIN_TOKEN_CHARACTERS} printable characters`);
    return token;
  } finally {
    closeSync(fd);
  }
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

export class TokenCheck {
  private readonly control: Buffer;
  private readonly read: Buffer;

  constructor(tokens: TokenPair) {
    this.control = digest(tokens.control);
    this.read = digest(tokens.read);
  }

  /** `authorization`: the header. null = no right at all. */
  scopeOf(authorization: string | undefined): Scope | null {
    const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return null;
    const presented = digest(token);
    const isControl = timingSafeEqual(presented, this.control);
    const isRead = timingSafeEqual(presented, this.read);
    return isControl ? "control" : isRead ? "read" : null;
  }
}

export function permits(scope: Scope, needed: Scope): boolean {
  return scope === "control" || needed === "read";
}
